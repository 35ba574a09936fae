/* Dividing a leg, and what each crash in the middle of it leaves. */
#include "tests/unit/queue_kit.h"

#include "queue/split.h"
#include "queue/stage.h"

#define HEADLESS " hold until=2026-11-22T10:35:01.123456Z\n deliver\n"
#define IN_HOLD  "20261122T103502Z."
#define FIVE                                                                                       \
	"from alice@example.co.jp body=8bitmime ret=hdrs\n"                                        \
	"to r1@a.example notify=failure orcpt=rfc822;r1@a.example\n"                               \
	"to r2@b.example\n"                                                                        \
	"to r3+2Bx@a.example\n"                                                                    \
	"to r4@b.example\n"                                                                        \
	"to r5@c.example\n"                                                                        \
	"client 192.0.2.10 helo=pc1 proto=esmtp\n"

static char root[256];
static struct stage stage;
static const size_t even[] = {1, 3}, odd[] = {0, 2, 4};
static const struct split_child two[] = {
    {odd, 3, " deliver\n", 9, NULL, 0}, {even, 2, HEADLESS, sizeof HEADLESS - 1, NULL, 0}};

static int enter(void **state)
{
	(void)state;
	kit_enter(root);
	memset(&stage, 0, sizeof stage);
	settings_default(&stage.settings);
	stage.limits.trailer_max = stage.settings.trailer_max;
	stage.limits.legs_max = stage.settings.legs_max;
	stage.limits.split_max = stage.settings.split_max;
	stage.watch.wall = kit_time(KIT_NOW);
	stage.watch.boot = clock_boot();
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

/* Opens new/ID.K as a stage does, divides it, and lets it go. */
static enum split_result divide(const char *k, const struct split_child *children, size_t n)
{
	struct leg_name name = {.due = DUE_NONE, .id = KIT_ID};
	struct stage_opened o;
	enum split_result result;
	int error;

	(void)snprintf(name.k, sizeof name.k, "%s", k);
	assert_int_equal(stage_open(&stage, STATE_NEW, &name, 0, &o), STAGE_OPEN_ACT);
	result = split_leg(&stage, STATE_NEW, &o, children, n, kit_time(KIT_NOW));
	error = errno;
	leg_free(&o.leg);
	(void)close(o.fd);
	errno = error;
	return result;
}

static void open_child(const char *path, struct leg *leg)
{
	struct kit_bytes b = kit_file(path);

	assert_int_equal(kit_read(b.at, b.len, leg), LEG_FINE);
	assert_int_equal(leg->end, leg->file_end);
	assert_memory_equal(b.at + leg->content, KIT_CONTENT, strlen(KIT_CONTENT));
	kit_free(&b);
}

static size_t in_split(void)
{
	return kit_count("spool/split/scan", NULL);
}

static void N17_children_are_whole(void **state)
{
	char name[NAME_MAX + 1], path[NAME_MAX + 32];
	struct leg leg;

	(void)state;
	kit_write_leg("spool/new/" KIT_ID ".1", (struct kit_leg){.envelope = FIVE});
	assert_int_equal(divide("1", two, 2), SPLIT_DONE);
	assert_int_equal(in_split(), 0);
	assert_int_equal(kit_count("spool/new", NULL), 0);

	assert_int_equal(kit_count("spool/deliver", name), 1);
	assert_string_equal(name, "20261122T094000Z." KIT_ID ".1.1");
	(void)snprintf(path, sizeof path, "spool/deliver/%s", name);
	open_child(path, &leg);
	assert_string_equal(leg.name.k, "1.1");
	assert_string_equal(leg.from_params, "body=8bitmime ret=hdrs");
	assert_int_equal(leg.rcpts, 3);
	assert_string_equal(leg.rcpt[0].address, "r1@a.example");
	assert_string_equal(leg.rcpt[0].params, "notify=failure orcpt=rfc822;r1@a.example");
	assert_string_equal(leg.rcpt[1].address, "r3+x@a.example");
	assert_string_equal(leg.rcpt[2].address, "r5@c.example");
	assert_int_equal(leg.accepted, kit_time(KIT_ACCEPTED));
	assert_int_equal(leg.plan.steps, 1);
	leg_free(&leg);

	open_child("spool/hold/" IN_HOLD KIT_ID ".1.2", &leg);
	assert_int_equal(leg.rcpts, 2);
	assert_string_equal(leg.rcpt[1].address, "r4@b.example");
	assert_int_equal(leg.plan.steps, 2);
	leg_free(&leg);
}

/* Why it is so stands in each child, behind its plan, and binds nothing. */
/* N12: an address that was taken away is owed to each child's header; one that is done is not. */
static void what_people_did_to_the_whole(void **state)
{
	struct leg leg;

	(void)state;
	kit_write_leg("spool/new/" KIT_ID ".1",
	    (struct kit_leg){.envelope = FIVE,
		.trailer =
		    KIT_NOW " removed address=old@a.example by=x\n" KIT_NOW
			    " sealed plan=0123456789abcdef insert=top text=t inserted=yes\n" KIT_NOW
			    " sealed plan=0123456789abcdef by=nobody\n" KIT_NOW
			    " rewritten addresses=1\n" KIT_NOW
			    " removed address=r3+2Bx@a.example by=alice via=web\n" KIT_NOW
			    " drop rcpt=3 by=alice\n" KIT_ACCEPTED " discarded by=x\n" KIT_NOW
			    " restored by=x\n"});
	assert_int_equal(divide("1", two, 2), SPLIT_DONE);
	/* Its plan is only "deliver": the law sends it by way of encrypt/. */
	open_child("spool/encrypt/20261122T094000Z." KIT_ID ".1.1", &leg);
	assert_int_equal(leg.removals, 1);
	assert_int_equal(leg.restores, 1);
	assert_int_equal(leg.restored, kit_time(KIT_NOW));
	assert_int_equal(leg.verdict, LEG_STANDS);
	assert_int_equal(leg.rcpt[1].fate, RCPT_DROPPED);
	assert_non_null(memmem(leg.trailer_bytes.bytes, leg.trailer_bytes.len,
	    " removed address=r3+2Bx@a.example ", 34));
	assert_null(memmem(leg.trailer_bytes.bytes, leg.trailer_bytes.len, "old@", 4));
	assert_non_null(
	    memmem(leg.trailer_bytes.bytes, leg.trailer_bytes.len, "text=t inserted=yes\n", 20));
	assert_null(memmem(leg.trailer_bytes.bytes, leg.trailer_bytes.len, "by=nobody", 9));
	leg_free(&leg);
	open_child("spool/hold/" IN_HOLD KIT_ID ".1.2", &leg);
	assert_int_equal(leg.removals, 1);
	leg_free(&leg);
}

static void records_stand_behind_the_plan(void **state)
{
	static const char records[] = "judged rules=1 org=2\ndecided function=hold rcpt=1\nnone";
	struct split_child children[2] = {two[0], two[1]};
	const char *expected =
	    KIT_NOW " judged rules=1 org=2\n" KIT_NOW " decided function=hold rcpt=1\n";
	struct leg leg;

	(void)state;
	children[0].records = records;
	children[0].records_len = sizeof records - 1; /* a line without its end is none */
	kit_write_leg("spool/new/" KIT_ID ".1", (struct kit_leg){.envelope = FIVE});
	assert_int_equal(divide("1", children, 2), SPLIT_DONE);
	open_child("spool/deliver/20261122T094000Z." KIT_ID ".1.1", &leg);
	assert_int_equal(leg.plan.steps, 1);
	assert_null(leg.unknown);
	assert_true(leg.trailer_bytes.len > strlen(expected));
	assert_memory_equal(leg.trailer_bytes.bytes + leg.trailer_bytes.len - strlen(expected),
	    expected, strlen(expected));
	leg_free(&leg);
	open_child("spool/hold/" IN_HOLD KIT_ID ".1.2", &leg);
	assert_null(memmem(leg.trailer_bytes.bytes, leg.trailer_bytes.len, "judged", 6));
	leg_free(&leg);
}

static void binding_records_are_renumbered(void **state)
{
	struct leg leg;

	(void)state;
	kit_write_leg("spool/new/" KIT_ID ".1",
	    (struct kit_leg){.envelope = FIVE,
		.trailer = KIT_NOW " delivered rcpt=2\n" KIT_NOW " bounced rcpt=5\n" KIT_NOW
				   " drop rcpt=3\n" KIT_NOW
				   " deferred rcpt=1,4 until=2026-11-22T12:00:00.000000Z\n"});
	assert_int_equal(divide("1", two, 2), SPLIT_DONE);
	open_child("spool/deliver/20261122T094000Z." KIT_ID ".1.1", &leg);
	assert_int_equal(leg.rcpt[0].fate, RCPT_OPEN);
	assert_int_equal(leg.rcpt[0].tries, 1);
	assert_int_equal(leg.rcpt[0].retry, kit_time("2026-11-22T12:00:00.000000Z"));
	assert_int_equal(leg.rcpt[1].fate, RCPT_DROPPED);
	assert_int_equal(leg.rcpt[2].fate, RCPT_BOUNCED);
	leg_free(&leg);
	open_child("spool/hold/" IN_HOLD KIT_ID ".1.2", &leg);
	assert_int_equal(leg.rcpt[0].fate, RCPT_DELIVERED);
	assert_int_equal(leg.rcpt[1].fate, RCPT_OPEN);
	assert_int_equal(leg.rcpt[1].tries, 1);
	leg_free(&leg);
}

static void a_child_without_open_recipients_is_finished(void **state)
{
	(void)state;
	kit_write_leg("spool/new/" KIT_ID ".1",
	    (struct kit_leg){.envelope = FIVE, .trailer = KIT_NOW " delivered rcpt=2,4\n"});
	assert_int_equal(divide("1", two, 2), SPLIT_DONE);
	assert_true(kit_stands("spool/sent/" KIT_ID ".1.2"));
	assert_int_equal(kit_count("spool/hold", NULL), 0);
}

static void children_of_children(void **state)
{
	(void)state;
	kit_write_leg("spool/new/" KIT_ID ".1.7", (struct kit_leg){.k = "1.7", .envelope = FIVE});
	assert_int_equal(divide("1.7", two, 2), SPLIT_DONE);
	assert_true(kit_stands("spool/hold/" IN_HOLD KIT_ID ".1.7.2"));
}

/* ---- limits and failures: nothing has changed --------------------------------------------- */

static void assert_nothing_changed(void)
{
	assert_int_equal(in_split(), 0);
	assert_int_equal(kit_count("spool/new", NULL), 1);
	assert_int_equal(kit_count("spool/deliver", NULL), 0);
	assert_int_equal(kit_count("spool/hold", NULL), 0);
}

static void limits(void **state)
{
	(void)state;
	kit_write_leg("spool/new/" KIT_ID ".1", (struct kit_leg){.envelope = FIVE});
	stage.limits.legs_max = 1;
	assert_int_equal(divide("1", two, 2), SPLIT_TOO_MANY);
	assert_nothing_changed();
	stage.limits.legs_max = 2;
	stage.limits.split_max = (int64_t)(2 * strlen(KIT_CONTENT)) - 1;
	assert_int_equal(divide("1", two, 2), SPLIT_TOO_MANY);
	assert_nothing_changed();
	stage.limits.split_max++;
	assert_int_equal(divide("1", two, 2), SPLIT_DONE);
}

static void a_path_that_grows_too_long(void **state)
{
	char k[K_MAX], path[NAME_MAX];

	(void)state;
	(void)snprintf(k, sizeof k, "1");
	while (strlen(k) + 2 < K_MAX)
		(void)strcat(k, ".1");
	(void)snprintf(path, sizeof path, "spool/new/" KIT_ID ".%s", k);
	kit_write_leg(path, (struct kit_leg){.k = k, .envelope = FIVE});
	assert_int_equal(divide(k, two, 2), SPLIT_FAILED);
	assert_nothing_changed();
}

static void a_child_that_cannot_be_made(void **state)
{
	(void)state;
	kit_write_leg("spool/new/" KIT_ID ".1", (struct kit_leg){.envelope = FIVE});
	assert_int_equal(mkdir("spool/split/scan/." KIT_ID ".1.2", 0700), 0);
	assert_int_equal(divide("1", two, 2), SPLIT_FAILED);
	assert_int_equal(rmdir("spool/split/scan/." KIT_ID ".1.2"), 0);
	assert_nothing_changed();
}

static void the_name_of_the_parent_is_taken(void **state)
{
	(void)state;
	kit_write_leg("spool/new/" KIT_ID ".1", (struct kit_leg){.envelope = FIVE});
	kit_write("spool/split/scan/" KIT_ID ".1", "x", 1);
	assert_int_equal(divide("1", two, 2), SPLIT_FAILED);
	assert_int_equal(unlink("spool/split/scan/" KIT_ID ".1"), 0);
	assert_nothing_changed();
}

/* ---- crash points ------------------------------------------------------------------------- */

static void write_child(size_t n)
{
	struct kit_bytes trailer = {NULL, 0};
	char k[8], path[128];

	(void)snprintf(k, sizeof k, "1.%zu", n);
	(void)snprintf(path, sizeof path, "spool/split/scan/." KIT_ID ".%s", k);
	kit_plan(&trailer, KIT_ID, k, " deliver\n");
	kit_write_leg(path, (struct kit_leg){.k = k, .trailer = trailer.at});
	kit_free(&trailer);
}

static void before_the_commit_nothing_has_happened(void **state)
{
	(void)state;
	for (size_t written = 0; written <= 3; written++) {
		kit_write_leg("spool/new/" KIT_ID ".1", (struct kit_leg){.k = NULL});
		for (size_t n = 1; n <= written; n++)
			write_child(n);
		kit_write("spool/split/scan/." KIT_ID ".1.4", "", 0);
		kit_write("spool/split/scan/." KIT_ID ".1.5", "\0\0\0\0", 4);
		assert_true(split_recover(&stage));
		assert_nothing_changed();
	}
}

static void after_the_commit_the_children_are_the_message(void **state)
{
	char path[128];

	(void)state;
	for (size_t moved = 0; moved <= 3; moved++) {
		kit_write_leg("spool/split/scan/" KIT_ID ".1", (struct kit_leg){.k = NULL});
		for (size_t n = moved + 1; n <= 3; n++)
			write_child(n);
		assert_true(split_recover(&stage));
		assert_int_equal(in_split(), 0);
		assert_int_equal(kit_count("spool/new", NULL), 0);
		assert_int_equal(kit_count("spool/deliver", NULL), 3 - moved);
		for (size_t n = moved + 1; n <= 3; n++) {
			(void)snprintf(path, sizeof path,
			    "spool/deliver/20261122T094000Z." KIT_ID ".1.%zu", n);
			assert_int_equal(unlink(path), 0);
		}
	}
}

/* A child that the disk has damaged is not thrown away: it goes where an operator looks. */
static void a_damaged_child(void **state)
{
	(void)state;
	kit_write_leg("spool/split/scan/" KIT_ID ".1", (struct kit_leg){.k = NULL});
	write_child(1);
	kit_write("spool/split/scan/." KIT_ID ".1.2", "sekisho-leg 1\n", 14);
	assert_true(split_recover(&stage));
	assert_int_equal(kit_count("spool/deliver", NULL), 1);
	assert_int_equal(kit_count("spool/bad", NULL), 1);
	assert_int_equal(in_split(), 0);
}

/* A child whose name is taken where it belongs goes to bad/, whole, and stops nobody. */
static void a_child_whose_name_is_taken(void **state)
{
	char name[] = "spool/deliver/20261122T094000Z." KIT_ID ".1.1";

	(void)state;
	kit_write_leg("spool/split/scan/" KIT_ID ".1", (struct kit_leg){.k = NULL});
	write_child(1);
	kit_write(name, "x", 1);
	assert_true(split_recover(&stage));
	assert_int_equal(in_split(), 0);
	assert_true(kit_stands("spool/bad/" KIT_ID ".1.1"));
	assert_true(kit_stands(name));
}

/* Two divisions at once, one of them behind its commit; and what is nobody's stays. */
static void several_and_strangers(void **state)
{
	(void)state;
	kit_write_leg("spool/split/scan/" KIT_ID ".1", (struct kit_leg){.k = NULL});
	write_child(1);
	kit_write("spool/split/scan/." KIT_OTHER_ID ".1.1", "x", 1);
	kit_write("spool/split/scan/.swp", "x", 1);
	kit_write("spool/split/scan/README", "x", 1);
	kit_write("spool/split/scan/." KIT_ID, "x", 1);
	assert_true(split_recover(&stage));
	assert_int_equal(kit_count("spool/deliver", NULL), 1);
	assert_false(kit_stands("spool/split/scan/." KIT_OTHER_ID ".1.1"));
	assert_true(kit_stands("spool/split/scan/.swp"));
	assert_true(kit_stands("spool/split/scan/README"));
	assert_int_equal(in_split(), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(N17_children_are_whole, enter, leave),
	    cmocka_unit_test_setup_teardown(what_people_did_to_the_whole, enter, leave),
	    cmocka_unit_test_setup_teardown(records_stand_behind_the_plan, enter, leave),
	    cmocka_unit_test_setup_teardown(binding_records_are_renumbered, enter, leave),
	    cmocka_unit_test_setup_teardown(
		a_child_without_open_recipients_is_finished, enter, leave),
	    cmocka_unit_test_setup_teardown(children_of_children, enter, leave),
	    cmocka_unit_test_setup_teardown(limits, enter, leave),
	    cmocka_unit_test_setup_teardown(a_path_that_grows_too_long, enter, leave),
	    cmocka_unit_test_setup_teardown(a_child_that_cannot_be_made, enter, leave),
	    cmocka_unit_test_setup_teardown(the_name_of_the_parent_is_taken, enter, leave),
	    cmocka_unit_test_setup_teardown(before_the_commit_nothing_has_happened, enter, leave),
	    cmocka_unit_test_setup_teardown(
		after_the_commit_the_children_are_the_message, enter, leave),
	    cmocka_unit_test_setup_teardown(a_damaged_child, enter, leave),
	    cmocka_unit_test_setup_teardown(a_child_whose_name_is_taken, enter, leave),
	    cmocka_unit_test_setup_teardown(several_and_strangers, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
