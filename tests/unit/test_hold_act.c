/*
 * The table "States and events" of seki-hold(8), a test for each cell of it: what a sender, somebody who is
 * asked, somebody else and an operator can do to a leg in each state, and what cannot be done changes no byte
 * (S0-06, S0-07, S0-14, S1-03, S1-15, S1-20, S1-27, S2-13, N12, N14).
 * link: -Wl,--wrap=hold_noted,--wrap=hold_tell_result,--wrap=order_audit,--wrap=stage_close_step
 */
#include "tests/unit/act_kit.h"

/* ---- the table ---------------------------------------------------------------------------- */

/*
 * For each act a letter: release check discard restore remove extend approve reject return urgent.
 * '.' no; D goes on to deliver/; T to trash/; N to new/; s stays, with a record.
 */
static const struct {
	const char *plan;
	enum spool_state state;
	const char *sender, *asked, *other, *operator_;
} table[] = {
    {" approve by=any:staff\n", STATE_APPROVE, "..T.s....D", "..T.s.DTT.", "..........",
	"..T.s.DT.."},
    {" approve by=somebody:staff\n", STATE_APPROVE, "..T.s.....", "..........", "..........",
	"..T.s.DT.."},
    {" hold " UNTIL "\n", STATE_HOLD, "D.T.ss....", "..........", "..........", "D.T.ss...."},
    {" hold confirmed\n", STATE_HOLD, "D.T.s.....", "..........", "..........", "D.T.s....."},
    {" hold checked\n", STATE_HOLD, ".DT.s.....", "..........", "..........", "DDT.s....."},
    {" hold discard=confirmed\n", STATE_HOLD, "D.T.ss....", "..........", "..........",
	"D.T.ss...."},
    {" hold discard=checked\n", STATE_HOLD, ".DT.ss....", "..........", "..........", "DDT.ss...."},
    {" hold window=Mon-Sun\n", STATE_HOLD, "..T.s.....", "..........", "..........", "D.T.s....."},
    {" hold operator why=rule\n", STATE_HOLD, "..T.s.....", "..........", "..........",
	"D.T.s....."},
    {" hold people\n", STATE_HOLD, "..T.s.....", "..........", "..........", "D.T.s....."},
    {" hold confirmed\n", STATE_TRASH, "...N......", "..........", "..........", "...N......"},
};

/*
 * The same table stands in the manual: each row of it here, in order, by S, A and O. Read before the tests go to
 * a directory of their own.
 */
static struct kit_bytes manual;

static void add_may(char *out, size_t room, char may, const char *letter)
{
	size_t len = strlen(out);

	if (may != '.')
		(void)snprintf(out + len, room - len, "%s%s", len > 0 ? " " : "", letter);
}

static void the_manual_has_the_same_table(void **state)
{
	const char *at = strstr(manual.at, ".It Em state Ta ");

	(void)state;
	assert_non_null(at);
	for (enum act_word word = 0; word < ACT_COUNT; word++) {
		at = strstr(at, " Ta Em ") + strlen(" Ta Em ");
		assert_int_equal(strncmp(at, act_name(word), strlen(act_name(word))), 0);
	}
	for (size_t row = 0; row < COUNT_OF(table); row++) {
		char expected[256] = "";

		for (enum act_word word = 0; word < ACT_COUNT; word++) {
			char who[16] = "";

			add_may(who, sizeof who, table[row].sender[word], "S");
			add_may(who, sizeof who, table[row].asked[word], "A");
			add_may(who, sizeof who, table[row].operator_[word], "O");
			assert_int_equal(table[row].other[word], '.');
			(void)snprintf(expected + strlen(expected),
			    sizeof expected - strlen(expected), " Ta %s",
			    who[0] != '\0' ? who : "-");
		}
		at = strstr(at, "\n.It ") + strlen("\n.It ");
		if (strncmp(at, "stopped by law", 14) == 0) /* a test of its own */
			at = strstr(at, "\n.It ") + strlen("\n.It ");
		at = strstr(at, " Ta ");
		if (strncmp(at, expected, strlen(expected)) != 0 || at[strlen(expected)] != '\n')
			fail_msg("row %s: %s, not %.*s", table[row].plan, expected,
			    (int)strcspn(at, "\n"), at);
	}
}

static void cell(size_t row, enum act_word word, const char *who, char expected)
{
	static const char *const where_of[] = {
	    ['D'] = "deliver", ['T'] = "trash", ['N'] = "new", ['s'] = NULL, ['.'] = NULL};
	enum spool_state state = table[row].state;
	char plan[256], what[128], where[16];
	const char *records =
	    state == STATE_TRASH ? "2026-11-22T09:36:00.000000Z discarded by=x via=y\n" : "";
	struct kit_bytes after, before;
	struct order_answer answer;
	bool can;

	(void)unlink(REVIEWS_FILE);
	(void)snprintf(plan, sizeof plan, "%s deliver\n", table[row].plan);
	(void)snprintf(what, sizeof what, "%s:%s %s", table[row].plan + 1, act_name(word),
	    who != NULL ? who : "operator");
	put(HOLD_KIT_ALICE, state, plan, records);
	before = take(where);
	put(HOLD_KIT_ALICE, state, plan, records);

	audits = 0;
	can = possible(word, who, state);
	assert_int_equal(audits, 0);
	answer = act_now(word, who, state);
	after = take(where);
	if ((answer.result == ORDER_DONE) != (expected != '.') || can != (expected != '.'))
		fail_msg("%s: result %d, possible %d: %s", what, answer.result, can, answer.why);
	if (strcmp(where, where_of[(unsigned char)expected] != NULL
			      ? where_of[(unsigned char)expected]
			      : state_name(state)) != 0)
		fail_msg("%s: it stands in %s", what, where);
	/* The audit knows before, and only of what was done; the record says who; and only it is new. */
	assert_int_equal(audits, expected != '.');
	assert_memory_equal(after.at, before.at, before.len);
	if ((after.len > before.len) != (expected != '.'))
		fail_msg("%s: %s", what, after.at + before.len);
	if (expected != '.' && strstr(after.at + before.len, who != NULL ? who : "by=root") == NULL)
		fail_msg("%s: who? %s", what, after.at + before.len);
	assert_null(strstr(after.at, "forged"));
	kit_free(&before);
	kit_free(&after);
}

static void each_cell_of_the_table(void **state)
{
	(void)state;
	stage.settings.urgent_per_week = 1;
	for (size_t row = 0; row < COUNT_OF(table); row++) {
		for (enum act_word word = 0; word < ACT_COUNT; word++) {
			cell(row, word, ALICE, table[row].sender[word]);
			cell(row, word, ERIN, table[row].asked[word]);
			cell(row, word, GRACE, table[row].other[word]);
			cell(row, word, NULL, table[row].operator_[word]);
		}
	}
}

/* ---- what is said ------------------------------------------------------------------------- */

static void what_is_written_down(void **state)
{
	static const struct {
		const char *envelope, *plan;
		enum spool_state state;
		enum act_word word;
		const char *who, *where, *record;
	} rows[] = {
	    {HOLD_KIT_ALICE, " hold " UNTIL "\n", STATE_HOLD, ACT_RELEASE, ALICE, "deliver",
		" ended=released by=alice@x.example via=web reason=because\n"},
	    {HOLD_KIT_ALICE, " hold confirmed\n", STATE_HOLD, ACT_RELEASE, ALICE, "deliver",
		" ended=confirmed by=alice@x.example via=web reason=because\n"},
	    {HOLD_KIT_ALICE, " hold confirmed\n", STATE_HOLD, ACT_RELEASE, NULL, "deliver",
		" ended=released by=root via=shell reason=because\n"},
	    {HOLD_KIT_ALICE, " hold checked\n", STATE_HOLD, ACT_CHECK, ALICE, "deliver",
		" ended=checked by=alice@x.example via=web reason=because checked=recipients\n"},
	    {HOLD_KIT_ALICE, " hold " UNTIL "\n", STATE_HOLD, ACT_EXTEND, ALICE, "hold",
		" extended until=2026-12-01T00:00:00.000000Z by=alice@x.example via=web "
		"reason=because\n"},
	    {HOLD_KIT_ALICE, " hold confirmed\n", STATE_HOLD, ACT_DISCARD, ALICE, "trash",
		" discarded by=alice@x.example via=web reason=because cause=person tell=draft\n"},
	    {"from <>\n" HOLD_KIT_TO "client 192.0.2.10 auth=alice@x.example\n",
		" hold confirmed\n", STATE_HOLD, ACT_DISCARD, ALICE, "trash",
		" discarded by=alice@x.example via=web reason=because cause=person\n"},
	    {HOLD_KIT_ALICE, " approve by=any:staff\n", STATE_APPROVE, ACT_APPROVE, ERIN, "deliver",
		" step=1 say=yes by=erin@x.example via=web comment=because\n"},
	    {HOLD_KIT_ALICE, " approve by=any:staff\n", STATE_APPROVE, ACT_APPROVE, ERIN, "deliver",
		" by=erin@x.example ended=votes\n"},
	    {HOLD_KIT_ALICE, " approve by=any:staff\n", STATE_APPROVE, ACT_APPROVE, NULL, "deliver",
		" ended=operator by=root via=shell reason=because\n"},
	    {HOLD_KIT_ALICE, " approve by=any:staff\n", STATE_APPROVE, ACT_REJECT, ERIN, "trash",
		" discarded by=erin@x.example via=web reason=because cause=rejected tell=draft\n"},
	    {HOLD_KIT_ALICE, " approve by=any:staff\n", STATE_APPROVE, ACT_RETURN, ERIN, "trash",
		" step=1 say=return by=erin@x.example via=web comment=because\n"},
	    {HOLD_KIT_ALICE, " approve by=any:staff\n", STATE_APPROVE, ACT_RETURN, ERIN, "trash",
		" cause=returned tell=draft\n"},
	    {HOLD_KIT_ALICE, " approve by=any:staff\n", STATE_APPROVE, ACT_REJECT, NULL, "trash",
		" discarded by=root via=shell reason=because cause=rejected tell=draft\n"},
	    {HOLD_KIT_ALICE, " approve by=any:staff\n", STATE_APPROVE, ACT_URGENT, ALICE, "deliver",
		" ended=urgent by=alice@x.example via=web reason=because\n"},
	    {HOLD_KIT_ALICE, " approve by=any:staff\n", STATE_APPROVE, ACT_REMOVE, ERIN, "approve",
		" drop rcpt=1 by=erin@x.example via=web reason=because\n"},
	    {HOLD_KIT_ALICE, " approve by=any:staff\n", STATE_APPROVE, ACT_REMOVE, ALICE, "approve",
		" removed address=bob@partner.example by=alice@x.example via=web reason=because\n"},
	    {"from alice@x.example\nto bob@partner.example\nto Bob@PARTNER.example\nclient "
	     "192.0.2.1\n",
		" hold confirmed\n", STATE_HOLD, ACT_REMOVE, ALICE, "trash",
		" discarded by=alice@x.example via=web reason=because cause=removed tell=draft\n"},
	};

	(void)state;
	stage.settings.urgent_per_week = 100;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char plan[256];

		(void)snprintf(plan, sizeof plan, "%s deliver\n", rows[i].plan);
		put(rows[i].envelope, rows[i].state, plan, "");
		assert_int_equal(
		    act_now(rows[i].word, rows[i].who, rows[i].state).result, ORDER_DONE);
		assert_taken(rows[i].where, rows[i].record);
	}
}

/* A setting; but who rejects gives it back in any case. */
static void a_draft_can_be_left_out(void **state)
{
	(void)state;
	stage.settings.discard_draft = false;
	put(HOLD_KIT_ALICE, STATE_APPROVE, " approve by=any:staff\n deliver\n", "");
	(void)act_now(ACT_DISCARD, ALICE, STATE_APPROVE);
	assert_taken("trash", " reason=because cause=person\n");
	put(HOLD_KIT_ALICE, STATE_APPROVE, " approve by=any:staff\n deliver\n", "");
	(void)act_now(ACT_REJECT, ERIN, STATE_APPROVE);
	assert_taken("trash", " cause=rejected tell=draft\n");
}

/* ---- approvals ---------------------------------------------------------------------------- */

static void the_last_vote_closes_the_step(void **state)
{
	(void)state;
	put(HOLD_KIT_ALICE, STATE_APPROVE, " approve by=2:staff\n deliver\n", "");
	assert_int_equal(act_now(ACT_APPROVE, ERIN, STATE_APPROVE).state, STATE_APPROVE);
	assert_string_equal(told, "");
	assert_taken("approve", " step=1 say=yes by=erin@x.example via=web comment=because\n");

	put(HOLD_KIT_ALICE, STATE_APPROVE, " approve by=2:staff\n deliver\n",
	    AT "vote $ step=1 say=yes by=erin@x.example via=web\n");
	assert_int_equal(act_now(ACT_APPROVE, ERIN, STATE_APPROVE).result, ORDER_NO);
	assert_int_equal(act_now(ACT_APPROVE, FRANK, STATE_APPROVE).state, STATE_DELIVER);
	assert_string_equal(told, "approved frank@x.example");
	assert_taken("deliver", " by=erin@x.example,frank@x.example ended=votes\n");

	put(HOLD_KIT_ALICE, STATE_APPROVE,
	    " approve by=any:staff then=boss:bob@x.example\n deliver\n",
	    AT "vote $ step=1 say=yes by=erin@x.example via=web\n");
	assert_int_equal(act_now(ACT_APPROVE, FRANK, STATE_APPROVE).result, ORDER_NO);
	assert_int_equal(
	    act_now(ACT_APPROVE, "robert@x.example", STATE_APPROVE).result, ORDER_DONE);
	assert_taken("deliver", " step=2 say=yes by=bob@x.example via=web comment=because\n");
}

/* The stage has waited for ten hours of Friday and Monday: the setting is four. */
static void after_the_escalation_a_deputy_votes(void **state)
{
	(void)state;
	put(HOLD_KIT_ALICE, STATE_APPROVE, " approve by=boss:bob@x.example\n deliver\n", "");
	assert_int_equal(act_now(ACT_APPROVE, "carol@x.example", STATE_APPROVE).result, ORDER_NO);
	stage.watch.wall = kit_time("2026-11-24T12:00:00Z");
	stage.watch.frozen = true; /* nobody knows what time it is */
	assert_int_equal(act_now(ACT_APPROVE, "carol@x.example", STATE_APPROVE).result, ORDER_NO);
	stage.watch.frozen = false;
	assert_int_equal(act_now(ACT_APPROVE, "carol@x.example", STATE_APPROVE).result, ORDER_DONE);
	assert_taken("deliver", " say=yes by=carol@x.example for=bob@x.example via=web");
}

static void S1_27_urgent_mail_is_counted_and_reviewed(void **state)
{
	struct act act = act_of(ACT_URGENT, ALICE, STATE_APPROVE);
	struct reviews reviews;

	(void)state;
	put(HOLD_KIT_ALICE, STATE_APPROVE, " approve by=any:staff\n deliver\n", "");
	assert_false(possible(ACT_URGENT, ALICE, STATE_APPROVE));
	assert_int_equal(act_now(ACT_URGENT, ALICE, STATE_APPROVE).result, ORDER_NO);
	stage.settings.urgent_per_week = 2;
	act.order.reason[0] = '\0';
	assert_int_equal(act_on_leg(&hold, &act).result, ORDER_NO);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(act_now(ACT_URGENT, ALICE, STATE_APPROVE).result, ORDER_DONE);
		assert_string_equal(told, "urgent alice@x.example");
		assert_taken(
		    "deliver", " ended=urgent by=alice@x.example via=web reason=because\n");
		put(HOLD_KIT_ALICE, STATE_APPROVE, " approve by=any:staff\n deliver\n",
		    "2026-11-22T09:35:01.130001Z about subject=+E8+A6+8B size=24 files=0\n");
	}
	assert_int_equal(act_now(ACT_URGENT, ALICE, STATE_APPROVE).result, ORDER_NO);
	assert_true(reviews_read(&reviews));
	assert_int_equal(reviews.n, 2);
	assert_string_equal(reviews.review[0].asked, "erin@x.example,frank@x.example");
	assert_string_equal(reviews.review[0].subject, "");
	assert_string_equal(reviews.review[1].subject, "+E8+A6+8B");
	assert_int_equal(reviews.review[1].rcpts, 2);
	reviews_free(&reviews);

	/* What did not go is not counted. */
	stage.settings.urgent_per_week = 3;
	no_close = true;
	assert_int_equal(act_now(ACT_URGENT, ALICE, STATE_APPROVE).result, ORDER_NO);
	no_close = false;
	assert_true(reviews_read(&reviews));
	assert_int_equal(reviews.n, 2);
	reviews_free(&reviews);

	/* What is to be reviewed cannot be written down: it does not go. */
	stage.settings.urgent_per_week = 100;
	assert_int_equal(unlink(REVIEWS_FILE), 0);
	assert_int_equal(rmdir("lib/hold"), 0);
	assert_int_equal(act_now(ACT_URGENT, ALICE, STATE_APPROVE).result, ORDER_NO);
	assert_taken("approve", "deliver\n");
}

/* ---- holds -------------------------------------------------------------------------------- */

static void each_entry_of_the_check_is_confirmed(void **state)
{
	static const char records[] = "2026-11-22T09:30:00.000000Z judged rules=1 org=2\n"
				      "2026-11-22T09:30:00.000000Z check fact=personal\n"
				      "2026-11-22T09:35:00.000000Z judged rules=1 org=2\n"
				      "2026-11-22T09:35:00.000000Z check fact=first-time rcpt=1\n"
				      "2026-11-22T09:35:00.000000Z check fact=first-time rcpt=2\n"
				      "2026-11-22T09:35:00.000000Z check fact=files value=a.xlsx\n";
	static const struct {
		const char *checked;
		bool done;
	} rows[] = {{"", false}, {"recipients", false}, {"files", false}, {"first-time", false},
	    {"first-timefiles", false}, {"first-time,file", false}, {"first-time,files", true},
	    {"files,other,first-time", true}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct act act = act_of(ACT_CHECK, ALICE, STATE_HOLD);

		act.checked = rows[i].checked;
		put(HOLD_KIT_ALICE, STATE_HOLD, " hold checked\n deliver\n", records);
		assert_int_equal(
		    act_on_leg(&hold, &act).result, rows[i].done ? ORDER_DONE : ORDER_NO);
		assert_taken(rows[i].done ? "deliver" : "hold",
		    rows[i].done ? " checked=first-time,files\n" : "deliver\n");
	}
}

static void an_end_is_only_put_off(void **state)
{
	static const struct {
		const char *until;
		bool done;
	} rows[] = {{"2026-11-22T09:39:59Z", false}, {"2026-11-22T10:35:01.123456Z", false},
	    {"2026-11-22T10:35:02Z", true}, {"2026-12-22T09:35:01Z", true},
	    {"2026-12-22T09:35:02Z", false}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct act act = act_of(ACT_EXTEND, ALICE, STATE_HOLD);

		act.order.until = kit_time(rows[i].until);
		put(HOLD_KIT_ALICE, STATE_HOLD, " hold " UNTIL "\n deliver\n", "");
		assert_int_equal(
		    act_on_leg(&hold, &act).result, rows[i].done ? ORDER_DONE : ORDER_NO);
		assert_taken("hold", rows[i].done ? " extended until=" : "deliver\n");
	}
}

static void a_release_says_what_still_holds_it(void **state)
{
	static const char plan[] = " hold " UNTIL "\n hold window=Sun\n deliver\n";
	struct order_answer answer;

	(void)state;
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	tzset();
	put(HOLD_KIT_ALICE, STATE_HOLD, plan, "");
	answer = act_now(ACT_RELEASE, ALICE, STATE_HOLD);
	assert_int_equal(answer.result, ORDER_DONE);
	assert_int_equal(answer.state, STATE_HOLD);
	assert_non_null(strstr(answer.why, "it leaves at 2026-11-23T00:00:00.000000Z"));
	assert_taken("hold", " ended=released ");
}

static void a_recipient_is_found_by_any_spelling(void **state)
{
	struct act act = act_of(ACT_REMOVE, ALICE, STATE_HOLD);

	(void)state;
	put(HOLD_KIT_ALICE, STATE_HOLD, " hold confirmed\n deliver\n", "");
	(void)snprintf(act.order.rcpt, sizeof act.order.rcpt, "eve@partner.example");
	assert_int_equal(act_on_leg(&hold, &act).result, ORDER_NO);
	(void)snprintf(act.order.rcpt, sizeof act.order.rcpt, "CAROL@Partner.Example");
	assert_int_equal(act_on_leg(&hold, &act).result, ORDER_DONE);
	assert_taken("hold", " drop rcpt=2 ");

	/* Who is taken away already is no recipient any more. */
	put(HOLD_KIT_ALICE, STATE_HOLD, " hold confirmed\n deliver\n",
	    AT "drop rcpt=2 by=x via=y\n");
	assert_int_equal(act_on_leg(&hold, &act).result, ORDER_NO);
	/* The last one is the whole of it. */
	assert_int_equal(act_now(ACT_REMOVE, ALICE, STATE_HOLD).state, STATE_TRASH);
	assert_taken("trash", " cause=removed tell=draft\n");
}

/* ---- whoever comes second ----------------------------------------------------------------- */

/* N12: each copy that waits loses the address, and that of nobody else's mail. */
static void an_address_leaves_every_copy(void **state)
{
	static const char sibling[] = "spool/hold/" DUE KIT_ID ".1.2";
	static const char other[] = "spool/hold/" DUE KIT_OTHER_ID ".1";
	struct kit_bytes plan = {NULL, 0}, other_plan = {NULL, 0}, b;
	char name[NAME_MAX + 1], path[NAME_MAX + 80];
	struct leg_name unseen;

	(void)state;
	kit_plan(&plan, KIT_ID, "1.2", " hold confirmed\n deliver\n");
	kit_plan(&other_plan, KIT_OTHER_ID, "1", " hold confirmed\n deliver\n");
	put(HOLD_KIT_ALICE, STATE_APPROVE, " approve by=any:staff\n deliver\n", "");
	kit_write_leg(sibling,
	    (struct kit_leg){.k = "1.2",
		.envelope =
		    "from alice@x.example\nto carol@partner.example\nclient 192.0.2.1 a=b\n",
		.trailer = plan.at});
	/* Not every leg has been seen since the start: they are found by their names. */
	assert_true(name_parse(DUE NAME, &unseen));
	timetable_init(&stage.background[STATE_HOLD]);
	assert_true(timetable_add(&stage.background[STATE_HOLD], &unseen, 0));
	kit_write_leg(
	    other, (struct kit_leg){
		       .id = KIT_OTHER_ID, .envelope = HOLD_KIT_ALICE, .trailer = other_plan.at});
	assert_int_equal(act_now(ACT_REMOVE, ALICE, STATE_APPROVE).result, ORDER_DONE);

	b = kit_file(other);
	assert_null(strstr(b.at, "removed"));
	kit_free(&b);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(kit_count("spool/hold", name), 1);
	(void)snprintf(path, sizeof path, "spool/hold/%s", name);
	b = kit_file(path);
	assert_non_null(
	    strstr(b.at, " removed address=bob@partner.example by=alice@x.example via=web\n"));
	assert_null(strstr(b.at, " drop "));
	kit_free(&b);
	assert_int_equal(unlink(path), 0);
	kit_free(&plan);
	kit_free(&other_plan);
	timetable_clear(&stage.background[STATE_HOLD]);
	assert_taken("approve", " drop rcpt=1 ");
}

static void the_second_hears_what_became_of_it(void **state)
{
	struct order_answer answer;

	(void)state;
	put(HOLD_KIT_ALICE, STATE_TRASH, " approve by=any:staff\n deliver\n",
	    AT "discarded by=erin@x.example via=web cause=rejected tell=draft\n");
	answer = act_now(ACT_APPROVE, FRANK, STATE_TRASH);
	assert_int_equal(answer.result, ORDER_NO);
	assert_string_equal(
	    answer.why, "it was rejected by erin@x.example at 2026-11-22T09:36:00.000000Z already");
	assert_taken("trash", "tell=draft\n");

	put(HOLD_KIT_ALICE, STATE_HOLD, " approve by=any:staff\n hold confirmed\n deliver\n", "");
	answer = act_now(ACT_APPROVE, FRANK, STATE_HOLD);
	assert_int_equal(answer.result, ORDER_GONE); /* law 3: it went back to where it belongs */
	assert_taken("approve", "deliver\n");

	assert_int_equal(act_now(ACT_RELEASE, ALICE, STATE_HOLD).result, ORDER_GONE);
}

/* ---- faults ------------------------------------------------------------------------------- */

static void what_the_audit_does_not_know_is_not_done(void **state)
{
	(void)state;
	no_audit = true;
	for (size_t row = 0; row < COUNT_OF(table); row++) {
		for (enum act_word word = 0; word < ACT_COUNT; word++) {
			char plan[256], where[16];
			struct kit_bytes before, after;

			(void)snprintf(plan, sizeof plan, "%s deliver\n", table[row].plan);
			if (table[row].state == STATE_TRASH || table[row].operator_[word] == '.')
				continue;
			put(HOLD_KIT_ALICE, table[row].state, plan, "");
			before = take(where);
			put(HOLD_KIT_ALICE, table[row].state, plan, "");
			assert_int_equal(act_now(word, NULL, table[row].state).result, ORDER_NO);
			after = take(where);
			assert_int_equal(after.len, before.len);
			assert_string_equal(where, state_name(table[row].state));
			kit_free(&before);
			kit_free(&after);
		}
	}
}

static void a_stopped_leg_can_only_be_thrown_away_by_an_operator(void **state)
{
	static const char records[] = AT "teleported by=x\n";

	(void)state;
	put(HOLD_KIT_ALICE, STATE_HOLD, " hold confirmed\n deliver\n", records);
	assert_int_equal(act_now(ACT_DISCARD, ALICE, STATE_HOLD).result, ORDER_NO);
	assert_int_equal(act_now(ACT_RELEASE, NULL, STATE_HOLD).result, ORDER_NO);
	assert_int_equal(act_now(ACT_DISCARD, NULL, STATE_HOLD).result, ORDER_DONE);
	assert_taken("trash", " discarded by=root ");
}

static void without_an_organisation_only_an_operator_acts(void **state)
{
	struct org *org = hold.org;

	(void)state;
	hold.org = NULL;
	put(HOLD_KIT_ALICE, STATE_HOLD, " hold confirmed\n deliver\n", "");
	assert_int_equal(act_now(ACT_RELEASE, ALICE, STATE_HOLD).result, ORDER_NO);
	assert_int_equal(act_now(ACT_RELEASE, NULL, STATE_HOLD).result, ORDER_DONE);
	hold.org = org;
	assert_taken("deliver", " ended=released by=root");
}

static void what_is_gone_is_not_brought_back(void **state)
{
	(void)state;
	put(HOLD_KIT_ALICE, STATE_TRASH, " hold confirmed\n deliver\n",
	    AT "discarded by=x via=y\n" AT "emptied\n");
	assert_int_equal(act_now(ACT_RESTORE, ALICE, STATE_TRASH).result, ORDER_NO);
	assert_taken("trash", "emptied\n");
}

/* The orders of seki(1): queue/order_leg.c has told the audit of them. */
static void an_operators_order_is_obeyed(void **state)
{
	static const struct {
		enum order_word word;
		enum spool_state state;
		const char *plan, *where;
	} rows[] = {{ORDER_RELEASE, STATE_HOLD, " hold operator why=x\n deliver\n", "deliver"},
	    {ORDER_DISCARD, STATE_APPROVE, " approve by=any:staff\n deliver\n", "trash"},
	    {ORDER_APPROVE, STATE_APPROVE, " approve by=2:staff then=any:all\n deliver\n",
		"deliver"},
	    {ORDER_REJECT, STATE_APPROVE, " approve by=any:staff\n deliver\n", "trash"},
	    {ORDER_EXTEND, STATE_HOLD, " hold " UNTIL "\n deliver\n", "hold"},
	    {ORDER_REMOVE, STATE_APPROVE, " approve by=any:staff\n deliver\n", "approve"}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct act act = act_of(ACT_RELEASE, NULL, rows[i].state);
		struct stage_opened o;

		act.order.word = rows[i].word;
		put(HOLD_KIT_ALICE, rows[i].state, rows[i].plan, "");
		assert_int_equal(
		    stage_read(&stage, rows[i].state, &act.order.name, &o), STAGE_OPEN_ACT);
		o.law = law_of(&o.leg, rows[i].state, stage_now(&stage));
		assert_int_equal(act_obey(&stage, &act.order, &o).result, ORDER_DONE);
		leg_free(&o.leg);
		(void)close(o.fd);
		assert_taken(rows[i].where, "by=root via=shell");
	}
	assert_int_equal(audits, COUNT_OF(rows));
}

static void acts_have_names(void **state)
{
	(void)state;
	for (enum act_word word = 0; word < ACT_COUNT; word++)
		assert_int_equal(act_called(act_name(word)), word);
	assert_int_equal(act_called("send"), ACT_COUNT);
	assert_int_equal(act_called(""), ACT_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_manual_has_the_same_table),
	    TEST(each_cell_of_the_table),
	    TEST(what_is_written_down),
	    TEST(a_draft_can_be_left_out),
	    TEST(the_last_vote_closes_the_step),
	    TEST(after_the_escalation_a_deputy_votes),
	    TEST(S1_27_urgent_mail_is_counted_and_reviewed),
	    TEST(each_entry_of_the_check_is_confirmed),
	    TEST(an_end_is_only_put_off),
	    TEST(a_release_says_what_still_holds_it),
	    TEST(a_recipient_is_found_by_any_spelling),
	    TEST(an_address_leaves_every_copy),
	    TEST(the_second_hears_what_became_of_it),
	    TEST(what_the_audit_does_not_know_is_not_done),
	    TEST(a_stopped_leg_can_only_be_thrown_away_by_an_operator),
	    TEST(without_an_organisation_only_an_operator_acts),
	    TEST(what_is_gone_is_not_brought_back),
	    TEST(an_operators_order_is_obeyed),
	    cmocka_unit_test(acts_have_names),
	};

	manual = kit_file("man/seki-hold.8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
