/*
 * Telling of a refused leg (S0-35, S2-30, S1-32): each is told once, the leg is synced before, the record
 * stands behind, and whatever fails is owed.
 * link: -Wl,--wrap=notice_ask_refused,--wrap=notice_ask_forward,--wrap=spool_sync,--wrap=spool_append
 */
#include "tests/unit/queue_kit.h"

#include "lib/hold/job.h"
#include "lib/notice/notice.h"

#define NAME    KIT_ID ".1"
#define PATH    "spool/refused/" NAME
#define REFUSED KIT_NOW " refused rule=must/1:1 name=n why=w tell="

/* ---- the world ---------------------------------------------------------------------------- */

static struct stage stage;
static char seen[1024]; /* what happened, a word each */
static enum notice_result to_sender, to_auditor;
static const char *reason;
static bool no_sync;
static int no_append; /* so many times */

static void happened(const char *what, const char *more)
{
	size_t len = strlen(seen);

	(void)snprintf(seen + len, sizeof seen - len, "%s%s%s", len > 0 ? " " : "", what, more);
}

static void answer(struct notice_answer *a, enum notice_result result)
{
	*a = (struct notice_answer){.result = result};
	if (result == NOTICE_KEPT)
		memcpy(a->id, KIT_OTHER_ID, sizeof KIT_OTHER_ID);
	else
		(void)snprintf(a->reason, sizeof a->reason, "%s", reason);
}

void __wrap_notice_ask_refused(const char *path, int leg, int timeout_ms, struct notice_answer *a);
void __wrap_notice_ask_forward(
    const char *path, int leg, const char *to, int timeout_ms, struct notice_answer *a);
bool __real_spool_sync(int fd);
bool __wrap_spool_sync(int fd);
bool __real_spool_append(int fd, off_t end, const char *records, size_t len);
bool __wrap_spool_append(int fd, off_t end, const char *records, size_t len);

void __wrap_notice_ask_refused(const char *path, int leg, int timeout_ms, struct notice_answer *a)
{
	assert_string_equal(path, NOTICE_SOCKET);
	assert_int_equal(fcntl(leg, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_true(timeout_ms > 0);
	happened("ask", "");
	answer(a, to_sender);
}

void __wrap_notice_ask_forward(
    const char *path, int leg, const char *to, int timeout_ms, struct notice_answer *a)
{
	assert_string_equal(path, NOTICE_SOCKET);
	assert_int_equal(fcntl(leg, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_true(timeout_ms > 0);
	happened("forward:", to);
	/* Of several, only the bad one is bad. */
	answer(a, strstr(to, "good") != NULL ? NOTICE_KEPT : to_auditor);
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
	static char root[256];

	*state = root;
	kit_enter(root);
	settings_default(&stage.settings);
	stage.limits.trailer_max = stage.settings.trailer_max;
	stage.watch = (struct watch){
	    .settings = &stage.settings, .wall = kit_time(KIT_NOW), .boot = clock_boot()};
	assert_true(spool_open(&stage.spool, &stage.settings, NULL));
	seen[0] = '\0';
	to_sender = to_auditor = NOTICE_KEPT;
	reason = "queue-not-now";
	no_sync = false;
	no_append = 0;
	return 0;
}

static int leave(void **state)
{
	spool_close(&stage.spool);
	kit_leave(*state);
	return 0;
}

static void put(const char *envelope, const char *trailer)
{
	kit_write_leg(PATH, (struct kit_leg){.envelope = envelope, .trailer = trailer});
}

static struct tell_job job(void)
{
	struct tell_job j = {.stage = &stage,
	    .state = STATE_REFUSED,
	    .now = kit_time(KIT_NOW) + 8 * CLOCK_SECOND,
	    .boot = clock_boot(),
	    .patience_ms = 1000};

	assert_true(name_parse(NAME, &j.name));
	buf_init(&j.owed, SIZE_MAX);
	return j;
}

static void assert_seen(const char *what)
{
	assert_string_equal(seen, what);
	seen[0] = '\0';
}

/* How often this stands in the leg. */
static size_t times(const char *text)
{
	struct kit_bytes b = kit_file(PATH);
	size_t n = 0;

	for (const char *p = b.at; (p = strstr(p, text)) != NULL; p++)
		n++;
	kit_free(&b);
	return n;
}

#define TOLD      " told notice=" KIT_OTHER_ID "\n"
#define FORWARDED " forwarded to=audit@x.example notice=" KIT_OTHER_ID "\n"

/* ---- what is done ------------------------------------------------------------------------- */

static void everybody_is_told_once(void **state)
{
	struct tell_job j = job();

	(void)state;
	put(NULL, REFUSED "sender forward=audit@x.example,good@x.example\n");
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_DONE);
	assert_seen(
	    "sync ask append forward:audit@x.example append forward:good@x.example append sync");
	assert_int_equal(times(TOLD), 1);
	assert_int_equal(times(FORWARDED), 1);
	assert_int_equal(times(" forwarded to=good@x.example notice=" KIT_OTHER_ID "\n"), 1);

	/* As after a restart. */
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_DONE);
	assert_seen("");
	buf_free(&j.owed);
}

static void S1_32_the_silent_are_not_told(void **state)
{
	struct tell_job j = job();

	(void)state;
	put("from a@example.co.jp\nto b@x.example notify=success,failure,delay\nclient 192.0.2.1\n",
	    REFUSED "nobody forward=audit@x.example\n");
	tell_work(&j.job);
	assert_seen("sync forward:audit@x.example append sync");
	assert_int_equal(times(" told "), 0);
	buf_free(&j.owed);
}

static void what_was_done_before_a_crash_is_not_done_again(void **state)
{
	struct tell_job j = job();

	(void)state;
	put(NULL, REFUSED "sender forward=audit@x.example\n" KIT_NOW TOLD);
	tell_work(&j.job);
	assert_seen("sync forward:audit@x.example append sync");
	buf_free(&j.owed);
}

static void a_null_sender_is_told_nothing(void **state)
{
	struct tell_job j = job();

	(void)state;
	put("from <>\nto b@x.example\nclient 192.0.2.1\n", REFUSED "sender\n");
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_DONE);
	assert_seen("sync append sync");
	assert_int_equal(times(" told notice=none reason=null-sender\n"), 1);
	buf_free(&j.owed);
}

static void what_never_will_be_is_written_down(void **state)
{
	struct tell_job j = job();

	(void)state;
	to_sender = to_auditor = NOTICE_NONE;
	reason = "gateway mail=x";
	put(NULL, REFUSED "sender forward=audit@x.example\n");
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_DONE);
	assert_int_equal(times(" told notice=none reason=gateway+20mail+3Dx\n"), 1);
	assert_int_equal(
	    times(" forwarded to=audit@x.example notice=none reason=gateway+20mail+3Dx\n"), 1);
	buf_free(&j.owed);
}

/* ---- what fails --------------------------------------------------------------------------- */

static void later_is_later(void **state)
{
	struct tell_job j = job();

	(void)state;
	to_sender = NOTICE_LATER;
	put(NULL, REFUSED "sender forward=audit@x.example\n");
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_AGAIN);
	assert_string_equal(j.why, "queue-not-now");
	assert_true(j.age >= 8 * CLOCK_SECOND && j.age < 60 * CLOCK_SECOND);
	assert_seen("sync ask");

	to_sender = NOTICE_KEPT;
	to_auditor = NOTICE_LATER;
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_AGAIN);
	assert_seen("sync ask append forward:audit@x.example sync");

	to_auditor = NOTICE_KEPT;
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_DONE);
	assert_seen("sync forward:audit@x.example append sync");
	assert_int_equal(times(TOLD), 1);
	assert_int_equal(times(FORWARDED), 1);
	buf_free(&j.owed);
}

/* Others need not wait for an address that will never do. */
static void a_wrong_address_keeps_nobody_waiting(void **state)
{
	struct tell_job j = job();

	(void)state;
	to_auditor = NOTICE_WRONG;
	put(NULL, REFUSED "sender forward=bad,good@x.example\n");
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_RARELY);
	assert_seen("sync ask append forward:bad forward:good@x.example append sync");
	assert_int_equal(times(" forwarded "), 1);
	buf_free(&j.owed);
}

/* A power cut must not forget why somebody was told. */
static void nobody_is_told_before_the_leg_is_durable(void **state)
{
	struct tell_job j = job();

	(void)state;
	no_sync = true;
	put(NULL, REFUSED "sender forward=audit@x.example\n");
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_AGAIN);
	assert_seen("sync");
	buf_free(&j.owed);
}

/* A full disk makes no duplicate: the record is written before anything else is done. */
static void a_record_that_cannot_be_written_is_owed(void **state)
{
	struct tell_job j = job();

	(void)state;
	no_append = 2;
	put(NULL, REFUSED "sender forward=audit@x.example\n");
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_RECORD);
	assert_seen("sync ask full");
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_RECORD);
	assert_seen("full");
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_DONE);
	assert_seen("append sync forward:audit@x.example append sync");
	assert_int_equal(times(TOLD), 1);
	assert_int_equal(times(FORWARDED), 1);
	buf_free(&j.owed);
}

static void a_torn_tail_is_cut_before_a_record(void **state)
{
	struct tell_job j = job();

	(void)state;
	put(NULL, REFUSED "sender\n" KIT_NOW " told notice=0196");
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_DONE);
	assert_seen("sync ask append sync");
	assert_int_equal(times(" told "), 1);
	assert_int_equal(times(TOLD), 1);
	buf_free(&j.owed);
}

static void a_leg_that_is_gone_or_not_refused(void **state)
{
	struct tell_job j = job();

	(void)state;
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_DONE);
	assert_seen("");

	/* Restored meanwhile: the law sends it to new/, and nobody is told. */
	put(NULL, REFUSED "sender\n" KIT_NOW " restored by=root\n");
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_DONE);
	assert_seen("");
	assert_true(kit_stands("spool/new/" NAME));
	buf_free(&j.owed);
}

static void addresses_are_written_as_they_are_read(void **state)
{
	struct tell_job j = job();

	(void)state;
	put(NULL, REFUSED "nobody forward=+22good+20=,+0Ax+22@x.example\n");
	/* "=" does not stand in xtext: the value is taken as it is written, and read back so. */
	tell_work(&j.job);
	assert_int_equal(j.end, TELL_DONE);
	seen[0] = '\0';
	tell_work(&j.job);
	assert_seen("");
	buf_free(&j.owed);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, enter, leave)
	const struct CMUnitTest tests[] = {
	    T(everybody_is_told_once),
	    T(S1_32_the_silent_are_not_told),
	    T(what_was_done_before_a_crash_is_not_done_again),
	    T(a_null_sender_is_told_nothing),
	    T(what_never_will_be_is_written_down),
	    T(later_is_later),
	    T(a_wrong_address_keeps_nobody_waiting),
	    T(nobody_is_told_before_the_leg_is_durable),
	    T(a_record_that_cannot_be_written_is_owed),
	    T(a_torn_tail_is_cut_before_a_record),
	    T(a_leg_that_is_gone_or_not_refused),
	    T(addresses_are_written_as_they_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
