/*
 * What people's pages need of the door: what an act by a link asks for (W1), undoing what was discarded (S0-07),
 * whom somebody writes to for the first time (S0-03), what was sent (S3-05), and lines that are made once.
 * link: -Wl,--wrap=spool_open_leg
 */
#include "tests/unit/door_kit.h"

#include "lib/base/local.h"
#include "lib/hold/answering.h"
#include "lib/hold/reviews.h"
#include "lib/past/past.h"

#define ALICE "alice@x.example"

/* ---- a seki-db ----------------------------------------------------------------------------- */

static struct past_stand_in {
	int listener;
	pthread_t thread;
	bool silent;      /* it takes what is asked, and says nothing */
	char asked[8192]; /* all lines so far */
	unsigned times;   /* connections */
} db;

static void answer_line(int fd, const char *line)
{
	static const char sent[] =
	    "mail 0196c0ffee4f2c1d8a31b7e09c55d299 1795392001 2 1 0 1 al@x.example +E8+A6+8B "
	    "b@p.example c@p.example =\n"
	    "mail 0196c0ffee4f2c1d8a31b7e09c55d210 1795392000 1 1 0 0 " ALICE " = b@p.example = =\n"
	    "end 52 all\n";
	static const char others[] = "mail 0196c0ffee4f2c1d8a31b7e09c55d201 1795392001 1 1 0 0 "
				     "alice+2Bjp@x.example = a@p.example = =\n"
				     "mail 0196c0ffee4f2c1d8a31b7e09c55d202 1795392001 1 1 0 0 "
				     "Alice+2Bnews@x.example = a@p.example = =\n"
				     "mail 0196c0ffee4f2c1d8a31b7e09c55d203 1795392001 1 1 0 0 "
				     "info+2Ba@x.example = a@p.example = =\n"
				     "mail 0196c0ffee4f2c1d8a31b7e09c55d204 1795392001 1 1 0 0 "
				     "by-login@y.example = a@p.example = =\n"
				     "end 4 all\n";
	const char *said = "rcpt 0 0 0 0 none =\n";

	if (strncmp(line, "ask ", 4) == 0)
		said = "sender -\n";
	else if (strncmp(line, "rcpt carol", 10) == 0)
		said = "rcpt 3 0 3 1795392000 none =\n";
	else if (strncmp(line, "sent 0 50 = falice", 18) == 0)
		said = others;
	else if (strncmp(line, "sent ", 5) == 0)
		said = sent;
	(void)!write(fd, said, strlen(said));
}

static void serve_db(int fd)
{
	char line[1024];
	FILE *in = fdopen(fd, "r");

	assert_non_null(in);
	while (fgets(line, sizeof line, in) != NULL) {
		size_t len = strlen(db.asked);

		(void)snprintf(db.asked + len, sizeof db.asked - len, "%s", line);
		if (!__atomic_load_n(&db.silent, __ATOMIC_SEQ_CST))
			answer_line(fd, line);
	}
	(void)fclose(in);
}

static void *db_loop(void *context)
{
	(void)context;
	for (;;) {
		int fd = accept(db.listener, NULL, NULL);

		if (fd < 0)
			return NULL;
		__atomic_add_fetch(&db.times, 1, __ATOMIC_SEQ_CST);
		serve_db(fd);
	}
}

static void begin_db(void)
{
	db = (struct past_stand_in){.times = 0};
	assert_int_equal(mkdir("run/db", 0755), 0);
	db.listener = local_listen(PAST_SOCKET, 8);
	assert_true(db.listener >= 0);
	assert_int_equal(fcntl(db.listener, F_SETFL, 0), 0);
	assert_int_equal(pthread_create(&db.thread, NULL, db_loop, NULL), 0);
}

/* Behind the last answer: what it was asked is there then. */
static void end_db(void)
{
	assert_int_equal(shutdown(db.listener, SHUT_RDWR), 0);
	assert_int_equal(pthread_join(db.thread, NULL), 0);
	(void)close(db.listener);
}

/* ---- what an act asks for ------------------------------------------------------------------ */

static void link_asks(int64_t what)
{
	__atomic_store_n(&f.stage.settings.link_asks, what, __ATOMIC_SEQ_CST);
}

static json_t *act_proved(const char *about, int64_t until, const char *word)
{
	char cap[GATE_CAP_TEXT], proof[GATE_PROOF_TEXT], line[1024];

	token_of(KIT_ID, ALICE, GATE_READ | GATE_SENDER, 0, cap);
	assert_true(gate_proof_write(&f.h.key, about != NULL ? about : cap, until, proof));
	(void)snprintf(line, sizeof line, "cap=%s act word=%s proof=%s\n", cap, word, proof);
	return ask_line(line, NULL);
}

static void assert_asks(const char *expected)
{
	json_t *json = ask(ALICE, GATE_READ | GATE_SENDER, "show", NULL);

	assert_word(json, "asks", expected);
	json_decref(json);
}

static void W1_an_act_by_a_link_may_ask_for_more(void **state)
{
	static const unsigned rights = GATE_READ | GATE_SENDER;
	int64_t now = kit_time(KIT_NOW), until = now + 60 * CLOCK_SECOND;
	char other[GATE_CAP_TEXT];

	(void)state;
	token_of(SECOND_ID, ALICE, rights, 0, other);
	assert_asks("nothing");
	link_asks(LINK_ASKS_PIN);
	assert_asks("pin");
	assert_result(ask(ALICE, rights, "act word=discard", NULL), "forbidden", "pin");
	assert_result(ask(ALICE, rights, "act word=discard proof=p1.x", NULL), "forbidden", "pin");
	assert_result(act_proved(other, until, "discard"), "forbidden", "pin");
	assert_result(act_proved(NULL, now - CLOCK_SECOND, "discard"), "forbidden", "pin");
	link_asks(LINK_ASKS_LOGIN);
	assert_asks("login");
	assert_result(act_proved(NULL, until, "discard"), "forbidden", "login");
	assert_int_equal(access("spool/hold/" NAME, F_OK), 0); /* nothing has happened */
	link_asks(LINK_ASKS_PIN);
	assert_result(act_proved(NULL, until, "discard"), "done", NULL);
	assert_int_equal(access("spool/trash/" KIT_ID ".1", F_OK), 0);
}

/* Who has logged in shows nothing else; and reading asks for nothing. */
static void a_session_needs_no_proof(void **state)
{
	char session[GATE_SESSION_TEXT], line[1200];

	(void)state;
	link_asks(LINK_ASKS_LOGIN);
	assert_true(
	    gate_session_write(&f.h.key, ALICE, kit_time(KIT_NOW) + 3600 * CLOCK_SECOND, session));
	(void)snprintf(line, sizeof line, "session=%s act word=discard id=" KIT_ID "\n", session);
	assert_result(ask_line(line, NULL), "done", NULL);
	assert_asks("login");
}

/* W1: a review is closed by an act, too. */
static void W1_a_review_by_a_link_asks_for_more(void **state)
{
	(void)state;
	link_asks(LINK_ASKS_PIN);
	assert_result(
	    ask("bob@x.example", GATE_APPROVER, "review id=" KIT_ID ".1 verdict=fine", NULL),
	    "forbidden", "pin");
	assert_result(ask("bob@x.example", GATE_APPROVER, "review", NULL), "done", NULL);
}

/* ---- why not ------------------------------------------------------------------------------- */

static const char *code_of(const json_t *leg, const char *word)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(leg, "cannot"), i, one)
	{
		if (strcmp(json_string_value(json_object_get(one, "word")), word) == 0)
			return json_string_value(json_object_get(one, "code"));
	}
	return "";
}

static void S0_11_programs_are_told_why(void **state)
{
	json_t *json = ask(ALICE, GATE_READ | GATE_SENDER, "show", NULL), *leg, *last;

	(void)state;
	leg = json_array_get(json_object_get(json, "legs"), 0);
	assert_string_equal(code_of(leg, "check"), "no-check");
	assert_string_equal(code_of(leg, "restore"), "not-discarded");
	assert_string_equal(code_of(leg, "urgent"), "no-approval");
	assert_string_equal(code_of(leg, "release"), "");
	json_decref(json);
	json = ask(ALICE, GATE_READ | GATE_SENDER, "act word=check checked=recipients", NULL);
	assert_word(json, "code", "no-check");
	last = json_object_get(json, "last");
	assert_true(json_is_null(last));
	json_decref(json);
	assert_result(
	    ask(ALICE, GATE_READ | GATE_SENDER, "act word=extend until=2020-01-01T00:00:00Z", NULL),
	    "no", "too-early");
}

/* ---- times ---------------------------------------------------------------------------------- */

static const char *time_of(json_t *leg, const char *key)
{
	const char *time = json_string_value(json_object_get(json_object_get(leg, "times"), key));

	return time != NULL ? time : "";
}

static json_t *first_leg(const char *who, unsigned rights, json_t **json)
{
	*json = ask(who, rights, "show", NULL);
	assert_word(*json, "result", "done");
	return json_array_get(json_object_get(*json, "legs"), 0);
}

/* S0-08, S0-07: what is offered is not refused, and until when something can be taken back. */
static void S0_08_pages_know_how_long(void **state)
{
	static const unsigned rights = GATE_READ | GATE_SENDER;
	json_t *json, *leg = first_leg(ALICE, rights, &json);
	char line[200];

	(void)state;
	assert_true(json_is_null(json_object_get(leg, "expires")));
	assert_string_equal(time_of(leg, "remove"), "");
	(void)snprintf(line, sizeof line, "act word=extend until=%s", time_of(leg, "longest"));
	json_decref(json);
	assert_result(ask(ALICE, rights, line, NULL), "done", NULL);
	assert_result(ask(ALICE, rights, "act word=extend until=2099-01-01T00:00:00Z", NULL), "no",
	    "longest");
	assert_result(ask(ALICE, rights, "act word=discard", NULL), "done", NULL);
	leg = first_leg(ALICE, rights, &json);
	assert_word(leg, "state", "discarded");
	assert_string_equal(time_of(leg, "longest"), "");
	assert_int_equal(
	    clock_parse(time_of(leg, "remove"), strlen(time_of(leg, "remove"))) / CLOCK_SECOND,
	    kit_time(KIT_NOW) / CLOCK_SECOND + 14 * 86400);
	json_decref(json);
	__atomic_store_n(&f.stage.settings.keep_trash, 0, __ATOMIC_SEQ_CST);
	leg = first_leg(ALICE, rights, &json);
	assert_string_equal(time_of(leg, "remove"), "");
	json_decref(json);
}

static void put_approval(void)
{
	struct kit_bytes trailer = {NULL, 0};
	struct leg_name name = {.k = "1", .due = kit_time("2026-11-23T09:35:02Z") / CLOCK_SECOND};
	static const char *const people[] = {ALICE, "bob@x.example"};
	struct stage_opened o;

	kit_plan(&trailer, SECOND_ID, "1", " approve by=boss:bob@x.example\n deliver\n");
	kit_write_leg("spool/approve/20261123T093502Z." SECOND_ID ".1",
	    (struct kit_leg){.id = SECOND_ID, .envelope = HOLD_KIT_ALICE, .trailer = trailer.at});
	kit_free(&trailer);
	(void)snprintf(name.id, sizeof name.id, "%s", SECOND_ID);
	assert_int_equal(stage_read(&f.stage, STATE_APPROVE, &name, &o), STAGE_OPEN_ACT);
	assert_true(index_put(f.h.index, STATE_APPROVE, &o.leg, people, 1, 1, 0, 0));
	leg_free(&o.leg);
	(void)close(o.fd);
}

static void assert_approval(const char *expires)
{
	json_t *json = list("bob@x.example", " state=approval as=approver");
	json_t *mail = json_array_get(json_object_get(json, "mails"), 0);

	assert_true(json_is_true(json_object_get(mail, "asked")));
	assert_word(mail, "expires", expires);
	assert_int_equal(json_integer_value(json_object_get(json, "asked-total")), 1);
	json_decref(json);
	/* Whose mail it is is asked about nothing. */
	json = list(ALICE, " state=approval");
	assert_int_equal(json_array_size(json_object_get(json, "mails")), 1);
	assert_int_equal(json_integer_value(json_object_get(json, "asked-total")), 0);
	json_decref(json);
	json = list(ALICE, " state=held");
	assert_null(json_object_get(json, "asked-total"));
	json_decref(json);
}

static void S1_10_pages_know_what_becomes_of_it(void **state)
{
	(void)state;
	put_approval();
	assert_approval("wait");
	__atomic_store_n(
	    &f.stage.settings.approve_expiry, APPROVE_EXPIRY_DISCARD, __ATOMIC_SEQ_CST);
	assert_approval("discard");
}

/* A page waits a moment for what was just done, and for nothing else. */
static void what_was_just_done_is_recent(void **state)
{
	static const unsigned rights = GATE_READ | GATE_SENDER;
	json_t *json;

	(void)state;
	assert_result(ask(ALICE, rights, "act word=release", NULL), "done", NULL);
	json = ask(ALICE, rights, "show", NULL);
	assert_word(json, "result", "gone");
	assert_true(json_is_true(json_object_get(json, "recent")));
	json_decref(json);
	__atomic_store_n(
	    &f.stage.watch.wall, f.stage.watch.wall + 11 * CLOCK_SECOND, __ATOMIC_SEQ_CST);
	json = ask(ALICE, rights, "show", NULL);
	assert_true(json_is_false(json_object_get(json, "recent")));
	json_decref(json);
	json = list(ALICE, " state=staggered");
	assert_int_equal(json_integer_value(json_object_get(json, "total")), 0);
	assert_true(json_is_false(json_object_get(json, "complete")));
	json_decref(json);
}

/* N14: who reviews what went is told what it was, also long after it has gone. */
static void S1_27_a_review_says_what_it_is_about(void **state)
{
	static const char rows[] =
	    "2026-11-20T09:00:00.000000Z id=" KIT_ID ".1 from=" ALICE " by=" ALICE
	    " reason=now asked=bob@x.example\n"
	    "2026-11-20T09:00:00.000000Z id=" KIT_ID ".2 from=" ALICE " by=" ALICE
	    " reason=now asked=bob@x.example subject=+E8+A6+8B rcpts=3\n";
	json_t *json, *one;

	(void)state;
	kit_write(REVIEWS_FILE, rows, sizeof rows - 1);
	json = ask("bob@x.example", GATE_APPROVER, "review", NULL);
	one = json_array_get(json_object_get(json, "reviews"), 0);
	assert_word(one, "id", KIT_ID);
	assert_word(one, "subject", "見");
	assert_int_equal(json_integer_value(json_object_get(one, "recipients")), 3);
	one = json_array_get(json_object_get(json, "reviews"), 1);
	assert_true(json_is_null(json_object_get(one, "subject")));
	assert_true(json_is_null(json_object_get(one, "recipients")));
	json_decref(json);
}

/* ---- undoing ------------------------------------------------------------------------------- */

/* S0-07: discarded by a link, brought back by the same one; its answer has the link that goes on. */
static void S0_07_the_link_undoes_what_it_did(void **state)
{
	static const unsigned rights = GATE_READ | GATE_SENDER;
	char old[GATE_CAP_TEXT], next[GATE_CAP_TEXT], line[400];
	struct gate_capability before, after;
	json_t *json;

	(void)state;
	token_of(KIT_ID, ALICE, rights, 0, old);
	assert_result(ask(ALICE, rights, "act word=discard", NULL), "done", NULL);
	json = ask(ALICE, rights, "act word=restore", NULL);
	assert_word(json, "result", "done");
	(void)snprintf(next, sizeof next, "%s", json_string_value(json_object_get(json, "link")));
	json_decref(json);
	assert_int_equal(gate_capability_read(&f.h.key, old, strlen(old), 1, &before), GATE_GOOD);
	assert_int_equal(gate_capability_read(&f.h.key, next, strlen(next), 1, &after), GATE_GOOD);
	assert_int_equal(after.generation, 1);
	after.generation = before.generation;
	assert_memory_equal(&after, &before, sizeof after);

	/* While it is being judged anew. */
	json = ask(ALICE, rights, "show", NULL);
	assert_word(json, "result", "gone");
	assert_word(json, "state", "new");
	json_decref(json);

	/* It waits again: the old link is of its earlier life. */
	assert_int_equal(rename("spool/new/" KIT_ID ".1", "spool/hold/" NAME), 0);
	note_in(STATE_HOLD, KIT_ID, 0);
	assert_result(ask(ALICE, rights, "show", NULL), "expired", "restored");
	(void)snprintf(line, sizeof line, "cap=%s show\n", next);
	assert_result(ask_line(line, NULL), "done", NULL);
}

/* ---- recipients ---------------------------------------------------------------------------- */

static json_t *first_of(json_t *shown, size_t n)
{
	json_t *leg = json_array_get(json_object_get(shown, "legs"), 0);

	return json_object_get(json_array_get(json_object_get(leg, "recipients"), n), "first");
}

static void S0_03_who_is_written_to_for_the_first_time(void **state)
{
	json_t *json;

	(void)state;
	begin_db();
	json = ask(ALICE, GATE_READ, "show", NULL);
	assert_true(json_is_true(first_of(json, 0)));
	assert_true(json_is_false(first_of(json, 1)));
	assert_word(json, "result", "done");
	assert_non_null(json_object_get(json, "shown"));
	json_decref(json);

	/* What was heard is remembered. */
	json = ask(ALICE, GATE_READ, "show", NULL);
	assert_true(json_is_true(first_of(json, 0)));
	assert_true(json_is_false(first_of(json, 1)));
	json_decref(json);
	end_db();
	assert_int_equal(db.times, 1);
	assert_string_equal(db.asked,
	    "ask " ALICE " 2 -\nrcpt bob@partner.example =\nrcpt carol@partner.example =\n");
}

/* Without seki-db the self-check may know; else nobody does. */
static void nobody_waits_for_seki_db(void **state)
{
	json_t *json = ask(ALICE, GATE_READ, "show", NULL);
	int64_t begun;

	(void)state;
	assert_true(json_is_true(first_of(json, 0)));
	assert_true(json_is_null(first_of(json, 1)));
	json_decref(json);

	begin_db();
	__atomic_store_n(&db.silent, true, __ATOMIC_SEQ_CST);
	begun = clock_boot();
	for (int i = 0; i < 20; i++) {
		json = ask(ALICE, GATE_READ, "show", NULL);
		assert_word(json, "result", "done");
		assert_true(json_is_null(first_of(json, 1)));
		json_decref(json);
	}
	/* It was asked once, and then not again for a while. */
	assert_true(clock_boot() - begun < 2 * CLOCK_SECOND);
	end_db();
	assert_int_equal(db.times, 1);
}

/* ---- lists --------------------------------------------------------------------------------- */

static void S3_05_what_was_sent(void **state)
{
	json_t *json, *mail;

	(void)state;
	begin_db();
	json = list(ALICE, " state=sent page=2 query=+E8+A6+8B");
	assert_word(json, "result", "done");
	assert_int_equal(json_integer_value(json_object_get(json, "total")), 52);
	assert_int_equal(json_integer_value(json_object_get(json, "page")), 2);
	assert_int_equal(json_integer_value(json_object_get(json, "pages")), 2);
	assert_true(json_is_true(json_object_get(json, "complete")));
	mail = json_array_get(json_object_get(json, "mails"), 0);
	assert_word(mail, "id", "0196c0ffee4f2c1d8a31b7e09c55d299");
	assert_word(mail, "state", "sent");
	assert_word(mail, "subject", "見");
	assert_word(mail, "fate", "partly");
	assert_int_equal(json_array_size(json_object_get(mail, "to")), 2);
	mail = json_array_get(json_object_get(json, "mails"), 1);
	assert_word(mail, "fate", "delivered");
	json_decref(json);

	/* Nobody sends as somebody who is asked. */
	json = list(ALICE, " state=sent as=approver");
	assert_int_equal(json_integer_value(json_object_get(json, "total")), 0);
	assert_true(json_is_true(json_object_get(json, "complete")));
	json_decref(json);
	json = list("frank@x.example", " state=sent");
	assert_word(json, "result", "done");
	json_decref(json);
	end_db();
	assert_string_equal(db.asked, "sent 50 50 +E8+A6+8B f" ALICE " l" ALICE " finfo@x.example\n"
				      "sent 0 50 = ffrank@x.example lfrank@x.example lfrankie\n");
	assert_result(list(ALICE, " state=sent page=0"), "no", "words");
}

/* S3-05, W2: two people whose addresses differ in a +detail are not told each other's mail. */
static void S3_05_of_another_with_a_detail_nothing_is_told(void **state)
{
	static const char *const his[] = {"202", "203", "204"};
	json_t *json, *mails;

	(void)state;
	begin_db();
	json = list(ALICE, " state=sent");
	mails = json_object_get(json, "mails");
	assert_int_equal(json_array_size(mails), COUNT_OF(his));
	for (size_t i = 0; i < COUNT_OF(his); i++) {
		const char *id = json_string_value(json_object_get(json_array_get(mails, i), "id"));

		assert_string_equal(id + ID_LEN - 3, his[i]);
	}
	json_decref(json);
	end_db();
}

static void lists_without_seki_db(void **state)
{
	json_t *json = list(ALICE, " state=sent");

	(void)state;
	assert_word(json, "result", "done");
	assert_true(json_is_false(json_object_get(json, "complete")));
	assert_int_equal(json_array_size(json_object_get(json, "mails")), 0);
	json_decref(json);
	json = list(ALICE, " state=staggered");
	assert_true(json_is_false(json_object_get(json, "complete")));
	assert_int_equal(json_integer_value(json_object_get(json, "total")), 0);
	json_decref(json);
	assert_result(list(ALICE, " order=size"), "no", "words");
}

/* A capability opens one mail, and no list. */
static void W2_a_link_lists_nothing(void **state)
{
	(void)state;
	assert_result(ask(ALICE, 7, "list state=sent", NULL), "forbidden", "rights");
}

static json_t *only_line(const char *rest, json_t **answer)
{
	*answer = list(ALICE, rest);
	assert_int_equal(json_integer_value(json_object_get(*answer, "total")), 1);
	return json_array_get(json_object_get(*answer, "mails"), 0);
}

static void lines_say_how_risky_a_mail_is(void **state)
{
	json_t *json, *risk = json_object_get(only_line(" order=risk", &json), "risk");

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(risk, "level")), 2);
	assert_int_equal(json_integer_value(json_object_get(risk, "outside")), 2);
	assert_int_equal(json_integer_value(json_object_get(risk, "first")), 1);
	assert_int_equal(json_integer_value(json_object_get(risk, "checks")), 1);
	assert_int_equal(json_integer_value(json_object_get(risk, "files")), 0);
	assert_true(json_is_false(json_object_get(risk, "many")));
	json_decref(json);
}

/* A line that was made is made again when its leg, or the organisation, is another. */
static void lines_are_as_their_legs(void **state)
{
	json_t *json;

	(void)state;
	assert_int_equal(json_array_size(json_object_get(only_line("", &json), "to")), 2);
	json_decref(json);
	f.fails = true; /* no leg can be opened: it was made already */
	assert_int_equal(json_array_size(json_object_get(only_line("", &json), "to")), 2);
	json_decref(json);
	f.h.views++;
	json = list(ALICE, "");
	assert_int_equal(json_array_size(json_object_get(json, "mails")), 0);
	assert_true(json_is_false(json_object_get(json, "complete")));
	json_decref(json);
	f.fails = false;
	assert_int_equal(json_array_size(json_object_get(only_line("", &json), "to")), 2);
	json_decref(json);
	assert_result(ask(ALICE, GATE_SENDER, "act word=remove rcpt=bob@partner.example", NULL),
	    "done", NULL);
	assert_int_equal(json_array_size(json_object_get(only_line("", &json), "to")), 1);
	json_decref(json);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(W1_an_act_by_a_link_may_ask_for_more),
	    TEST(a_session_needs_no_proof),
	    TEST(W1_a_review_by_a_link_asks_for_more),
	    TEST(S0_11_programs_are_told_why),
	    TEST(S0_08_pages_know_how_long),
	    TEST(S1_10_pages_know_what_becomes_of_it),
	    TEST(what_was_just_done_is_recent),
	    TEST(S1_27_a_review_says_what_it_is_about),
	    TEST(S0_07_the_link_undoes_what_it_did),
	    TEST(S0_03_who_is_written_to_for_the_first_time),
	    TEST(nobody_waits_for_seki_db),
	    TEST(S3_05_what_was_sent),
	    TEST(S3_05_of_another_with_a_detail_nothing_is_told),
	    TEST(lists_without_seki_db),
	    TEST(W2_a_link_lists_nothing),
	    TEST(lines_say_how_risky_a_mail_is),
	    TEST(lines_are_as_their_legs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
