/*
 * Q7: when the clock is believed. The virtual clock is compiled into this program, whatever build
 * the libraries are of.
 */
#define SEKISHO_TESTING
#include "tests/unit/queue_kit.h"

#include "lib/base/clock.c" /* NOLINT: in the place of the library's own */
#include "queue/watch.h"

#define DAY  INT64_C(86400)
#define MARK "lib/clock/seki-test"

static char root[256];
static struct settings settings;
static struct watch watch;

/* Seconds to add to each clock. */
static void set_clock(int64_t wall, int64_t boot, bool synchronised)
{
	FILE *f = fopen("run/clock.new", "we");

	assert_non_null(f);
	(void)fprintf(f, "%lld %lld %d\n", (long long)wall, (long long)boot, (int)synchronised);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename("run/clock.new", "run/clock"), 0);
}

static int enter(void **state)
{
	(void)state;
	kit_enter(root);
	settings_default(&settings);
	set_clock(0, 0, false);
	return 0;
}

static int leave(void **state)
{
	(void)state;
	kit_leave(root);
	return 0;
}

static void start(bool waiting)
{
	watch_start(&watch, "seki-test", &settings, waiting);
}

static void look(bool frozen)
{
	watch_look(&watch);
	assert_int_equal(watch.frozen, frozen);
}

static void assert_mark(const char *text)
{
	struct kit_bytes b = kit_file(MARK);

	assert_int_equal(b.len, 256);
	assert_int_equal(b.at[b.len - 1], '\n');
	if (strstr(b.at, text) == NULL)
		fail_msg("\"%s\" does not stand in \"%s\"", text, b.at);
	kit_free(&b);
}

/* "seki clock ok" as lib/shell/clocks.c writes it: both clocks at one moment. */
static void operator_says_ok(int64_t wall_off)
{
	char now[CLOCK_TEXT], line[256];

	clock_format(clock_wall() + wall_off * CLOCK_SECOND, now);
	(void)snprintf(
	    line, sizeof line, "ok=%s boot=%lld by=alice\n", now, (long long)clock_boot());
	kit_write("lib/clock/ok", line, strlen(line));
}

static void a_first_start(void **state)
{
	(void)state;
	start(false);
	assert_false(watch.frozen);
	assert_mark("state=running");
	look(false);
}

static void without_a_record_and_with_mail(void **state)
{
	(void)state;
	start(true);
	assert_true(watch.frozen);
	assert_int_equal(watch.suspicion, WATCH_NO_RECORD);
	assert_mark("state=frozen");
	set_clock(0, 100, false);
	look(true);
	operator_says_ok(0);
	look(false);
}

static void a_record_that_nobody_can_read(void **state)
{
	(void)state;
	kit_write(MARK, "seen=yesterday state=running\n", 29);
	start(false);
	assert_true(watch.frozen);
	set_clock(0, 0, true);
	look(false);
}

/* Steps of the wall clock alone, while we run. */
static void steps(void **state)
{
	static const struct {
		int64_t seconds;
		bool frozen;
	} cases[] = {{1, false}, {-1, false}, {290, false}, {-290, false}, {310, true},
	    {-310, true}, {-DAY, true}, {DAY, true}, {3650 * DAY, true}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int64_t before;

		set_clock(0, 0, false);
		(void)unlink(MARK);
		start(false);
		before = watch_now(&watch);
		set_clock(cases[i].seconds, 0, false);
		look(cases[i].frozen);
		if (!cases[i].frozen)
			continue;
		assert_int_equal(watch.suspicion, WATCH_STEPPED);
		assert_mark("state=frozen");
		/* What is believed goes on from the last good moment. */
		assert_true(llabs(watch_now(&watch) - before) < 5 * CLOCK_SECOND);
		set_clock(cases[i].seconds + 1000, 1000, false);
		look(true);
		assert_true(
		    llabs(watch_now(&watch) - before - 1000 * CLOCK_SECOND) < 5 * CLOCK_SECOND);
		set_clock(1000, 1000, false);
		look(false); /* the clock came back */
		assert_mark("state=running");
	}
}

/* A clock that drifts is followed; many small steps are no step. */
static void drift(void **state)
{
	(void)state;
	start(false);
	for (int64_t i = 1; i <= 100; i++) {
		set_clock(i * 200, 0, false);
		look(false);
	}
	assert_true(llabs(watch_now(&watch) - clock_wall()) < CLOCK_SECOND);
}

/* Suspended, or simply a long time: both clocks went on together. */
static void both_clocks_go_on(void **state)
{
	(void)state;
	start(false);
	set_clock(210 * DAY, 210 * DAY, false);
	look(false);
	assert_true(llabs(watch_now(&watch) - clock_wall()) < CLOCK_SECOND);
}

static void synchronised_is_right(void **state)
{
	(void)state;
	start(false);
	set_clock(DAY, 0, true); /* it steps and says that it knows */
	look(false);
	assert_true(llabs(watch_now(&watch) - clock_wall()) < CLOCK_SECOND);

	set_clock(0, 0, false);
	look(true);
	set_clock(0, 0, true);
	look(false);
}

static void started_before_the_time_last_seen(void **state)
{
	(void)state;
	set_clock(DAY, 0, false);
	start(false);
	assert_mark("state=running");

	set_clock(0, 0, false);
	start(true);
	assert_true(watch.frozen);
	assert_int_equal(watch.suspicion, WATCH_STARTED_WRONG);
	assert_true(watch_now(&watch) > clock_wall());
	look(true);
	set_clock(DAY + 60, 60, false); /* mended by hand */
	look(false);
}

static void started_long_after(void **state)
{
	static const struct {
		int64_t days;
		bool frozen;
	} cases[] = {{0, false}, {2, false}, {4, true}, {3650, true}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		set_clock(0, 0, false);
		(void)unlink(MARK);
		start(false);
		set_clock(cases[i].days * DAY, 0, false);
		start(true);
		assert_int_equal(watch.frozen, cases[i].frozen);
		if (!cases[i].frozen)
			continue;
		assert_true(watch_now(&watch) < clock_wall() - 3 * DAY * CLOCK_SECOND);
		look(true);
	}
	/* Started again and again, the year 2036 becomes no more credible. */
	for (size_t i = 0; i < 3; i++) {
		start(true);
		assert_true(watch.frozen);
		assert_mark("state=frozen");
	}
	set_clock(60, 0, false);
	look(false);
}

static void an_operator_says_so(void **state)
{
	(void)state;
	start(false);
	set_clock(-DAY, 0, false);
	look(true);
	operator_says_ok(60); /* about another clock than ours */
	look(true);
	kit_write("lib/clock/ok", "ok=now\n", 7);
	look(true);
	kit_write("lib/clock/ok", "", 0);
	look(true);
	operator_says_ok(0);
	look(false);
	assert_true(llabs(watch_now(&watch) - clock_wall()) < CLOCK_SECOND);

	/* The same word holds after a restart, as long as the clock is on that line. */
	set_clock(-DAY + 30, 30, false);
	look(false);
	start(true);
	assert_false(watch.frozen);
	/* But not for the next step. */
	set_clock(DAY, 30, false);
	look(true);
}

static void an_old_word_does_not_hold(void **state)
{
	(void)state;
	set_clock(0, 1000000, false);
	operator_says_ok(0);
	set_clock(0, 0, false); /* another boot */
	start(false);
	set_clock(DAY, 0, false);
	look(true);
}

static void the_mark_is_renewed(void **state)
{
	struct kit_bytes before, after;

	(void)state;
	start(false);
	before = kit_file(MARK);
	set_clock(30, 30, false);
	look(false);
	after = kit_file(MARK);
	assert_string_equal(before.at, after.at);
	kit_free(&after);
	set_clock(61, 61, false);
	look(false);
	after = kit_file(MARK);
	assert_string_not_equal(before.at, after.at);
	kit_free(&before);
	kit_free(&after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_first_start, enter, leave),
	    cmocka_unit_test_setup_teardown(without_a_record_and_with_mail, enter, leave),
	    cmocka_unit_test_setup_teardown(a_record_that_nobody_can_read, enter, leave),
	    cmocka_unit_test_setup_teardown(steps, enter, leave),
	    cmocka_unit_test_setup_teardown(drift, enter, leave),
	    cmocka_unit_test_setup_teardown(both_clocks_go_on, enter, leave),
	    cmocka_unit_test_setup_teardown(synchronised_is_right, enter, leave),
	    cmocka_unit_test_setup_teardown(started_before_the_time_last_seen, enter, leave),
	    cmocka_unit_test_setup_teardown(started_long_after, enter, leave),
	    cmocka_unit_test_setup_teardown(an_operator_says_so, enter, leave),
	    cmocka_unit_test_setup_teardown(an_old_word_does_not_hold, enter, leave),
	    cmocka_unit_test_setup_teardown(the_mark_is_renewed, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
