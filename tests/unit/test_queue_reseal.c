/*
 * A leg that is written anew, and what each failure in the middle of it leaves.
 * link: -Wl,--wrap=renameat,--wrap=fsync
 */
#include "tests/unit/queue_kit.h"

#include "queue/reseal.h"
#include "queue/split.h"
#include "queue/stage.h"

#define LINES " encrypt insert=end text=x\n deliver\n"
#define LEG   "20261122T094000Z." KIT_ID ".1"
#define PATH  "spool/encrypt/" LEG
#define NEW   "Subject: kit\r\n\r\nHello.\r\n\r\nAnother text.\r\n"

static char root[256];
static struct stage stage;
static int rename_errno, sync_errno;

int __real_renameat(int from, const char *from_name, int to, const char *to_name);
int __wrap_renameat(int from, const char *from_name, int to, const char *to_name);
int __real_fsync(int fd);
int __wrap_fsync(int fd);

int __wrap_renameat(int from, const char *from_name, int to, const char *to_name)
{
	if (rename_errno != 0) {
		errno = rename_errno;
		return -1;
	}
	return __real_renameat(from, from_name, to, to_name);
}

int __wrap_fsync(int fd)
{
	if (sync_errno != 0) {
		errno = sync_errno;
		return -1;
	}
	return __real_fsync(fd);
}

static int enter(void **state)
{
	(void)state;
	kit_enter(root);
	memset(&stage, 0, sizeof stage);
	settings_default(&stage.settings);
	stage.limits.trailer_max = stage.settings.trailer_max;
	stage.watch.wall = kit_time(KIT_NOW);
	stage.watch.boot = clock_boot();
	rename_errno = sync_errno = 0;
	assert_true(spool_open(&stage.spool, &stage.settings, "scan"));
	assert_true(spool_lock_split(&stage.spool));
	return 0;
}

static int leave(void **state)
{
	(void)state;
	spool_close(&stage.spool);
	kit_leave(root);
	return 0;
}

static void write_leg(void)
{
	struct kit_bytes trailer = {NULL, 0};

	kit_plan(&trailer, KIT_ID, "1", LINES);
	kit_text(&trailer, KIT_NOW " note text=kept\n");
	kit_text(&trailer, "torn");
	kit_write_leg(PATH, (struct kit_leg){.trailer = trailer.at});
	kit_free(&trailer);
}

/* Writes it anew as a job does; the digest of its plan goes into the record. */
static enum reseal_result reseal(const char *content, const char *more)
{
	struct leg_name name = {.due = kit_time(KIT_NOW) / CLOCK_SECOND, .id = KIT_ID, .k = "1"};
	struct kit_bytes records = {NULL, 0};
	struct reseal r = {.size = strlen(content)};
	enum reseal_result result;
	struct stage_opened o;
	int error;

	assert_int_equal(stage_open(&stage, STATE_ENCRYPT, &name, 0, &o), STAGE_OPEN_ACT);
	kit_addf(
	    &records, "sealed plan=%s by=seki-encrypt inserted=yes\n%s", o.leg.plan.digest, more);
	r.content = reseal_scratch(&stage);
	assert_true(r.content >= 0);
	assert_int_equal(pwrite(r.content, content, r.size, 0), (ssize_t)r.size);
	r.records = records.at;
	r.records_len = records.len;
	result = reseal_leg(&stage, STATE_ENCRYPT, &o, &r, kit_time(KIT_NOW));
	error = errno;
	(void)close(r.content);
	leg_free(&o.leg);
	(void)close(o.fd);
	kit_free(&records);
	errno = error;
	return result;
}

static size_t in_split(void)
{
	return kit_count("spool/split/scan", NULL);
}

static void S1_26b_new_leg_has_old_head_new_content_and_all_records(void **state)
{
	struct kit_bytes b;
	struct leg leg;

	(void)state;
	write_leg();
	assert_int_equal(reseal(NEW, "rewritten addresses=1 was=0123456789abcdef\n"), RESEAL_DONE);
	assert_int_equal(in_split(), 0);
	assert_int_equal(kit_count("spool/encrypt", NULL), 1);

	b = kit_file(PATH);
	assert_int_equal(kit_read(b.at, b.len, &leg), LEG_FINE);
	assert_int_equal(leg.end, leg.file_end); /* the torn record is gone */
	assert_int_equal(leg.size, strlen(NEW));
	assert_memory_equal(b.at + leg.content, NEW, strlen(NEW));
	assert_string_equal(leg.from_params, "body=8bitmime");
	assert_int_equal(leg.rcpts, 2);
	assert_string_equal(leg.rcpt[0].params, "notify=failure");
	assert_int_equal(leg.accepted, kit_time(KIT_ACCEPTED));
	assert_non_null(strstr(b.at, KIT_NOW " note text=kept\n" KIT_NOW " sealed plan="));
	assert_true(leg.plan.step[0].closed);
	assert_false(leg.plan.step[1].closed);
	assert_true(leg.rewritten);
	leg_free(&leg);
	kit_free(&b);
}

static void assert_bare(void)
{
	struct kit_bytes b = kit_file(PATH);
	struct leg leg;

	assert_int_equal(kit_read(b.at, b.len, &leg), LEG_FINE);
	assert_false(leg.plan.step[0].closed);
	assert_memory_equal(b.at + leg.content, KIT_CONTENT, strlen(KIT_CONTENT));
	leg_free(&leg);
	kit_free(&b);
	assert_int_equal(in_split(), 0);
}

static void N17_failure_before_the_rename_leaves_the_bare_leg(void **state)
{
	(void)state;
	write_leg();
	sync_errno = EIO;
	assert_int_equal(reseal(NEW, ""), RESEAL_FAILED);
	assert_int_equal(errno, EIO);
	assert_bare();
	sync_errno = 0;
	rename_errno = EROFS;
	assert_int_equal(reseal(NEW, ""), RESEAL_FAILED);
	assert_int_equal(errno, EROFS);
	assert_bare();
	rename_errno = 0;
	assert_int_equal(reseal(NEW, ""), RESEAL_DONE);
}

/* What a crash before the rename leaves is a child without its parent; what stands in the way of a new
 * try is taken away. */
static void N17_crash_before_the_rename_is_undone_at_the_start(void **state)
{
	(void)state;
	write_leg();
	kit_write("spool/split/scan/." KIT_ID ".1.999999", "half", 4);
	assert_true(split_recover(&stage));
	assert_bare();
	kit_write("spool/split/scan/." KIT_ID ".1.999999", "half", 4);
	assert_int_equal(reseal(NEW, ""), RESEAL_DONE);
	assert_int_equal(in_split(), 0);
}

/* A content that the disk has changed gets no digest that says it is right. */
static void damaged_content_is_not_sealed(void **state)
{
	struct kit_bytes b;
	char *at;

	(void)state;
	write_leg();
	b = kit_file(PATH);
	at = memmem(b.at, b.len, "Hello", 5);
	assert_non_null(at);
	*at = 'J';
	kit_write(PATH, b.at, b.len);
	kit_free(&b);
	assert_int_equal(reseal(NEW, ""), RESEAL_DAMAGED);
	assert_int_equal(in_split(), 0);
}

static void trailer_that_would_be_too_long(void **state)
{
	(void)state;
	write_leg();
	stage.limits.trailer_max = 300;
	assert_int_equal(reseal(NEW, "note text=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
				     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"),
	    RESEAL_TOO_LONG);
	assert_bare();
}

/* A leg that is gone when it is to be replaced does not come back. */
static void leg_that_was_taken_out_stays_out(void **state)
{
	struct leg_name name = {.due = kit_time(KIT_NOW) / CLOCK_SECOND, .id = KIT_ID, .k = "1"};
	struct reseal r = {.size = 0, .records = "", .records_len = 0};
	struct stage_opened o;

	(void)state;
	write_leg();
	assert_int_equal(stage_open(&stage, STATE_ENCRYPT, &name, 0, &o), STAGE_OPEN_ACT);
	r.content = reseal_scratch(&stage);
	assert_int_equal(rename(PATH, "spool/trash/" KIT_ID ".1"), 0);
	assert_int_equal(
	    reseal_leg(&stage, STATE_ENCRYPT, &o, &r, kit_time(KIT_NOW)), RESEAL_FAILED);
	assert_int_equal(kit_count("spool/encrypt", NULL), 0);
	assert_int_equal(in_split(), 0);
	(void)close(r.content);
	leg_free(&o.leg);
	(void)close(o.fd);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)
	const struct CMUnitTest tests[] = {
	    TEST(S1_26b_new_leg_has_old_head_new_content_and_all_records),
	    TEST(N17_failure_before_the_rename_leaves_the_bare_leg),
	    TEST(N17_crash_before_the_rename_is_undone_at_the_start),
	    TEST(damaged_content_is_not_sealed),
	    TEST(trailer_that_would_be_too_long),
	    TEST(leg_that_was_taken_out_stays_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
