/*
 * Telling of held mail (S2-45, S2-47, S2-49): each once, also over restarts; the leg is synced before, the
 * record stands behind, and whatever fails is owed.
 * link: -Wl,--wrap=notice_ask_gate,--wrap=spool_sync,--wrap=spool_append
 */
#include "tests/unit/notices_kit.h"

#define DUE   "20261122T104000Z"
#define NAME  DUE "." KIT_ID ".1"
#define PATH  "spool/hold/" NAME
#define UNTIL " hold until=2026-11-22T10:40:00.000000Z notice=always\n deliver\n"
#define ASK   "99991231T235959Z." KIT_ID ".1"
#define APATH "spool/approve/" ASK

/* ---- the world ---------------------------------------------------------------------------- */

static char seen[2048]; /* what happened, a word each */
static char vars[4096]; /* of the last notice: "name=value;" each */
static enum notice_result result;
static bool no_sync;
static int no_append, patience;

static void happened(const char *what, const char *more)
{
	size_t len = strlen(seen);

	(void)snprintf(seen + len, sizeof seen - len, "%s%s%s", len > 0 ? " " : "", what, more);
}

void __wrap_notice_ask_gate(const char *path, int leg, const struct notice_gate *gate,
    int timeout_ms, struct notice_answer *a);
bool __real_spool_sync(int fd);
bool __wrap_spool_sync(int fd);
bool __real_spool_append(int fd, off_t end, const char *records, size_t len);
bool __wrap_spool_append(int fd, off_t end, const char *records, size_t len);

void __wrap_notice_ask_gate(const char *path, int leg, const struct notice_gate *gate,
    int timeout_ms, struct notice_answer *a)
{
	char what[600];

	assert_string_equal(path, NOTICE_SOCKET);
	assert_int_equal(fcntl(leg, F_GETFL) & O_ACCMODE, O_RDONLY);
	patience = timeout_ms;
	(void)snprintf(
	    what, sizeof what, "%s:%s%s", gate->template, gate->to, gate->english ? ":en" : ":ja");
	happened(what, "");
	vars[0] = '\0';
	for (size_t i = 0; i < gate->vars; i++) {
		size_t len = strlen(vars);

		(void)snprintf(
		    vars + len, sizeof vars - len, "%s=%s;", gate->var[i].name, gate->var[i].value);
	}
	*a = (struct notice_answer){.result = result, .reason = "queue-not-now"};
	if (result == NOTICE_KEPT)
		memcpy(a->id, KIT_OTHER_ID, sizeof KIT_OTHER_ID);
}

bool __wrap_spool_sync(int fd)
{
	happened("sync", "");
	errno = EIO;
	return !no_sync && __real_spool_sync(fd);
}

bool __wrap_spool_append(int fd, off_t end, const char *records, size_t len)
{
	if (no_append > 0) {
		no_append--;
		happened("full", "");
		errno = ENOSPC;
		return false;
	}
	happened("append", "");
	return __real_spool_append(fd, end, records, len);
}

static int enter(void **state)
{
	seen[0] = '\0';
	result = NOTICE_KEPT;
	no_sync = false;
	no_append = 0;
	return hold_enter(state);
}

static void assert_seen(const char *what)
{
	assert_string_equal(seen, what);
	seen[0] = '\0';
}

static void make(struct tell_job *j, enum spool_state state, const char *name)
{
	*j = (struct tell_job){.job.view = &view,
	    .stage = &stage,
	    .state = state,
	    .absences = absences,
	    .now = kit_time(KIT_NOW),
	    .boot = clock_boot(),
	    .patience_ms = 65000};
	assert_true(name_parse(name, &j->name));
	buf_init(&j->owed, SIZE_MAX);
}

static size_t times(const char *path, const char *text)
{
	struct kit_bytes b = kit_file(path);
	size_t n = 0;

	for (const char *p = b.at; (p = strstr(p, text)) != NULL; p++)
		n++;
	kit_free(&b);
	return n;
}

#define RECORD " noticed what=hold to=alice@example.co.jp notice=" KIT_OTHER_ID "\n"

/* ---- what is done ------------------------------------------------------------------------- */

static void S2_47_S2_49_the_sender_is_told_once(void **state)
{
	struct tell_job j;

	(void)state;
	make(&j, STATE_HOLD, NAME);
	hold_put(PATH, NULL, UNTIL, KIT_NOW " check fact=first-time rcpt=2\n");
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_DONE);
	assert_seen("sync hold:alice@example.co.jp:ja append sync");
	assert_non_null(strstr(vars, "until=2026-11-22T10:40:00.000000Z;"));
	assert_non_null(strstr(vars, "url=https://mail.example.co.jp/gate/m/?"));
	assert_non_null(
	    strstr(vars, "rcpt=bob@partner.example;rcpt-risk=;rcpt=carol@partner.example;"
			 "rcpt-risk=初めての宛先;"));
	assert_int_equal(times(PATH, RECORD), 1);

	/* As after a restart. */
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_DONE);
	assert_seen("");
	buf_free(&j.owed);
}

static void the_boss_is_asked_in_his_language(void **state)
{
	struct tell_job j;

	(void)state;
	make(&j, STATE_APPROVE, ASK);
	hold_put(APATH, NULL, " approve by=boss:bob@example.co.jp\n deliver\n", "");
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_DONE);
	assert_true(j.next_time > j.now); /* of the escalation */
	assert_seen(
	    "sync hold:alice@example.co.jp:ja append request:bob@example.co.jp:en append sync");
	assert_non_null(strstr(vars, "sender=alice@example.co.jp;"));
	assert_int_equal(
	    times(APATH, " noticed what=request step=1 to=bob@example.co.jp notice="), 1);
	buf_free(&j.owed);
}

/* No mail is late for a notice about it. */
static void it_is_not_waited_for_longer_than_the_leg_waits(void **state)
{
	struct tell_job j;

	(void)state;
	make(&j, STATE_HOLD, NAME);
	hold_put(PATH, NULL, UNTIL, "");
	j.now = kit_time("2026-11-22T10:39:57.000000Z");
	tell_work(&j.job);
	assert_true(patience > 2000 && patience <= 3000);

	hold_put(PATH, NULL, UNTIL, "");
	seen[0] = '\0';
	j.now = kit_time("2026-11-22T10:40:00.000000Z");
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_DONE);
	assert_seen("");
	buf_free(&j.owed);
}

static void who_wants_the_leg_waits_for_one_notice_at_most(void **state)
{
	struct tell_job j;

	(void)state;
	make(&j, STATE_APPROVE, ASK);
	hold_put(APATH, NULL, " approve by=boss:bob@example.co.jp\n deliver\n", "");
	atomic_store(&j.wanted_now, true);
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_COPY);
	assert_seen("");
	buf_free(&j.owed);
}

static void C6_of_copies_one_is_told_and_the_others_say_so(void **state)
{
	static const char about[] = KIT_NOW " about subject=x group=0123456789abcdef\n";
	struct copies *copies = copies_new();
	struct leg other = {.restores = 0};
	struct notice_owed owed = {.what = TELL_HOLD, .to = "alice@example.co.jp"};
	struct tell_job j;

	(void)state;
	make(&j, STATE_HOLD, NAME);
	j.copies = copies;
	assert_true(name_parse(KIT_OTHER_ID ".1", &other.name));
	assert_int_equal(
	    copies_ask(copies, STATE_HOLD, &other, UINT64_C(0x0123456789abcdef), &owed),
	    COPIES_FIRST);
	hold_put(PATH, NULL, UNTIL, about);
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_COPY);
	assert_seen("");
	copies_done(copies, &other);
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_DONE);
	assert_seen("sync append sync");
	assert_int_equal(
	    times(PATH, " noticed what=hold to=alice@example.co.jp notice=none reason=copy\n"), 1);
	copies_free(copies);
	buf_free(&j.owed);
}

/* ---- what fails --------------------------------------------------------------------------- */

static void later_is_later(void **state)
{
	struct tell_job j;

	(void)state;
	make(&j, STATE_HOLD, NAME);
	result = NOTICE_LATER;
	hold_put(PATH, NULL, UNTIL, "");
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_AGAIN);
	assert_string_equal(j.why, "queue-not-now");
	assert_seen("sync hold:alice@example.co.jp:ja");
	result = NOTICE_KEPT;
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_DONE);
	assert_int_equal(times(PATH, RECORD), 1);
	buf_free(&j.owed);
}

static void nobody_is_told_before_the_leg_is_durable(void **state)
{
	struct tell_job j;

	(void)state;
	make(&j, STATE_HOLD, NAME);
	no_sync = true;
	hold_put(PATH, NULL, UNTIL, "");
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_AGAIN);
	assert_seen("sync");
	buf_free(&j.owed);
}

/* A full disk makes no second notice: the record is written before anything else is done. */
static void a_record_that_cannot_be_written_is_owed(void **state)
{
	struct tell_job j;

	(void)state;
	make(&j, STATE_HOLD, NAME);
	no_append = 2;
	hold_put(PATH, NULL, UNTIL, "");
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_RECORD);
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_RECORD);
	assert_seen("sync hold:alice@example.co.jp:ja full full");
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_DONE);
	assert_seen("append sync");
	assert_int_equal(times(PATH, RECORD), 1);
	buf_free(&j.owed);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, enter, hold_leave)
	const struct CMUnitTest tests[] = {
	    T(S2_47_S2_49_the_sender_is_told_once),
	    T(the_boss_is_asked_in_his_language),
	    T(it_is_not_waited_for_longer_than_the_leg_waits),
	    T(who_wants_the_leg_waits_for_one_notice_at_most),
	    T(C6_of_copies_one_is_told_and_the_others_say_so),
	    T(later_is_later),
	    T(nobody_is_told_before_the_leg_is_durable),
	    T(a_record_that_cannot_be_written_is_owed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
