/* Working time and quiet hours (S1-24c, design "Time"): weekends, holidays, nights, summer time. */
#include "tests/unit/hold_kit.h"

#include <time.h>

#include "lib/base/zone.h"
#include "lib/hold/clock.h"

static struct org *org;
static struct settings settings;

static int enter(void **state)
{
	static char root[256];

	*state = root;
	kit_enter(root);
	/* Monday, 2026-11-23, is a holiday in Japan. */
	org = hold_kit_org("2026-11-23 Labour\n");
	settings_default(&settings);
	return 0;
}

static int leave(void **state)
{
	assert_true(zone_set("-"));
	org_close(org);
	kit_leave(*state);
	return 0;
}

/* The moment as the clock on the wall shows it, in the zone of now. */
static int64_t local(const char *text)
{
	struct tm t = {.tm_isdst = -1};

	assert_non_null(strptime(text, "%Y-%m-%d %H:%M", &t));
	return (int64_t)mktime(&t) * CLOCK_SECOND;
}

static void assert_local(int64_t got, const char *expected, const char *what)
{
	time_t seconds = (time_t)(got / CLOCK_SECOND);
	char text[32];
	struct tm t;

	(void)localtime_r(&seconds, &t);
	(void)strftime(text, sizeof text, "%Y-%m-%d %H:%M", &t);
	if (strcmp(text, expected) != 0)
		fail_msg("%s: %s, not %s", what, text, expected);
}

static void hours_of_work_are_counted(void **state)
{
	static const struct {
		const char *zone, *hours, *from;
		int minutes;
		const char *to;
	} rows[] = {
	    /* Tuesday to Friday, 2026-11-24 to 27. */
	    {"Asia/Tokyo", "09:00-18:00", "2026-11-24 10:00", 60, "2026-11-24 11:00"},
	    {"Asia/Tokyo", "09:00-18:00", "2026-11-24 10:00", 0, "2026-11-24 10:00"},
	    {"Asia/Tokyo", "09:00-18:00", "2026-11-24 02:00", 60, "2026-11-24 10:00"},
	    {"Asia/Tokyo", "09:00-18:00", "2026-11-24 17:30", 60, "2026-11-25 09:30"},
	    {"Asia/Tokyo", "09:00-18:00", "2026-11-24 20:00", 60, "2026-11-25 10:00"},
	    {"Asia/Tokyo", "09:00-18:00", "2026-11-24 09:00", 9 * 60, "2026-11-24 18:00"},
	    {"Asia/Tokyo", "09:00-18:00", "2026-11-24 10:00", 16 * 60, "2026-11-25 17:00"},
	    /* Over the weekend; and over a holiday. */
	    {"Asia/Tokyo", "09:00-18:00", "2026-11-27 17:00", 120, "2026-11-30 10:00"},
	    {"Asia/Tokyo", "09:00-18:00", "2026-11-20 17:00", 120, "2026-11-24 10:00"},
	    {"Asia/Tokyo", "09:00-18:00", "2026-11-21 12:00", 60, "2026-11-24 10:00"},
	    {"Asia/Tokyo", "09:00-18:00", "2026-11-23 12:00", 60, "2026-11-24 10:00"},
	    /* A night shift belongs to the day on which it began: Friday's ends on Saturday. */
	    {"Asia/Tokyo", "22:00-06:00", "2026-11-25 01:00", 60, "2026-11-25 02:00"},
	    {"Asia/Tokyo", "22:00-06:00", "2026-11-28 05:30", 60, "2026-11-30 22:30"},
	    {"Asia/Tokyo", "00:00-24:00", "2026-11-27 23:00", 120, "2026-11-30 01:00"},
	    /* Clocks are put back at 03:00 on Sunday 2026-10-25, forward at 02:00 on 2026-03-29. */
	    {"Europe/Berlin", "09:00-18:00", "2026-10-23 17:00", 120, "2026-10-26 10:00"},
	    {"Europe/Berlin", "09:00-18:00", "2026-03-27 17:00", 120, "2026-03-30 10:00"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char what[64];

		assert_true(zone_set(rows[i].zone));
		(void)snprintf(
		    settings.working_hours, sizeof settings.working_hours, "%s", rows[i].hours);
		(void)snprintf(what, sizeof what, "%s + %d minutes", rows[i].from, rows[i].minutes);
		assert_local(worktime_add(&settings, org, local(rows[i].from),
				 rows[i].minutes * 60 * CLOCK_SECOND),
		    rows[i].to, what);
	}
}

/* 16 hours are 16 hours of time that goes by, in whatever zone: never less. */
static void a_day_on_which_clocks_change_is_as_long_as_it_is(void **state)
{
	int64_t from;

	(void)state;
	(void)snprintf(settings.working_hours, sizeof settings.working_hours, "00:00-24:00");
	assert_true(zone_set("Africa/Cairo")); /* Friday 2026-04-24 begins at 01:00 */
	from = local("2026-04-23 00:00");
	assert_local(worktime_add(&settings, NULL, from, 47 * 3600 * CLOCK_SECOND),
	    "2026-04-25 00:00", "the short day");
	assert_int_equal(worktime_add(&settings, NULL, from, 47 * 3600 * CLOCK_SECOND) - from,
	    47 * 3600 * CLOCK_SECOND);
}

static void what_never_comes_is_said(void **state)
{
	(void)state;
	assert_int_equal(
	    worktime_add(&settings, org, kit_time(KIT_NOW), 400 * 24 * 3600 * CLOCK_SECOND), -1);
	(void)snprintf(settings.working_hours, sizeof settings.working_hours, "late");
	assert_int_equal(worktime_add(&settings, org, kit_time(KIT_NOW), CLOCK_SECOND), -1);
}

static void nights_and_free_days_are_quiet(void **state)
{
	static const struct {
		const char *hours, *now, *until; /* NULL: not quiet */
	} rows[] = {
	    {"19:00-08:00", "2026-11-24 12:00", NULL},
	    {"19:00-08:00", "2026-11-24 08:00", NULL},
	    {"19:00-08:00", "2026-11-24 18:59", NULL},
	    {"19:00-08:00", "2026-11-24 19:00", "2026-11-25 08:00"},
	    {"19:00-08:00", "2026-11-25 07:59", "2026-11-25 08:00"},
	    {"19:00-08:00", "2026-11-27 20:00", "2026-11-30 08:00"},
	    {"19:00-08:00", "2026-11-28 12:00", "2026-11-30 08:00"},
	    {"19:00-08:00", "2026-11-23 12:00", "2026-11-24 08:00"},
	    {"19:00-08:00", "2026-11-20 23:00", "2026-11-24 08:00"},
	    {"12:00-13:00", "2026-11-24 12:30", "2026-11-24 13:00"},
	    {"-", "2026-11-24 03:00", NULL},
	    {"-", "2026-11-28 03:00", "2026-11-30 00:00"},
	};

	(void)state;
	assert_true(zone_set("Asia/Tokyo"));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t now = local(rows[i].now), until = 0;
		bool quiet;

		(void)snprintf(
		    settings.quiet_hours, sizeof settings.quiet_hours, "%s", rows[i].hours);
		quiet = worktime_quiet(&settings, org, now, &until);
		assert_int_equal(quiet, rows[i].until != NULL);
		assert_local(until, quiet ? rows[i].until : rows[i].now, rows[i].now);
		assert_int_equal(quiet, worktime_quiet(&settings, org, now, NULL));
	}
}

static void hours_are_read(void **state)
{
	static const char *const wrong[] = {"", "-", "9:00-18:00", "09:00", "09:00-18:00 ",
	    "09:00-24:01", "24:00-09:00", "09:60-18:00", "09:00-09:00", "09-00-18:00",
	    "ab:cd-ef:gh"};
	int begin, end;

	(void)state;
	assert_true(settings_hours("09:30-18:00", &begin, &end));
	assert_int_equal(begin, 570);
	assert_int_equal(end, 1080);
	assert_true(settings_hours("00:00-24:00", &begin, &end));
	assert_int_equal(end, 1440);
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_false(settings_hours(wrong[i], &begin, &end));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(hours_of_work_are_counted, enter, leave),
	    cmocka_unit_test_setup_teardown(
		a_day_on_which_clocks_change_is_as_long_as_it_is, enter, leave),
	    cmocka_unit_test_setup_teardown(what_never_comes_is_said, enter, leave),
	    cmocka_unit_test_setup_teardown(nights_and_free_days_are_quiet, enter, leave),
	    cmocka_unit_test(hours_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
