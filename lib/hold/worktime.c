/*
 * Working time and quiet hours. A day is gone through as the clock on the wall shows it, and its length
 * measured as time goes by: a day on which clocks are put forward or back is as long as it is.
 */
#include <time.h>

#include "lib/base/clock.h"
#include "lib/hold/clock.h"

#define DAYS_MAX 400 /* holidays beyond are a mistake */
#define DAY      (24 * 60)

/* That minute of the day `offset` days from `day`; minutes beyond a day's end are of the next. */
static int64_t minute_of_day(const struct tm *day, int offset, int minute)
{
	struct tm t = {.tm_year = day->tm_year,
	    .tm_mon = day->tm_mon,
	    .tm_mday = day->tm_mday + offset,
	    .tm_hour = minute / 60,
	    .tm_min = minute % 60,
	    .tm_isdst = -1};

	return (int64_t)mktime(&t) * CLOCK_SECOND;
}

static void local_day(int64_t time, struct tm *day)
{
	time_t seconds = (time_t)(time / CLOCK_SECOND);

	(void)localtime_r(&seconds, day);
}

/* Whether people work on the day `offset` days from `day`. */
static bool is_workday(const struct org *org, const struct tm *day, int offset)
{
	/* At noon, which each day has once, whatever the zone does at night. */
	struct tm t = {.tm_year = day->tm_year,
	    .tm_mon = day->tm_mon,
	    .tm_mday = day->tm_mday + offset,
	    .tm_hour = 12,
	    .tm_isdst = -1};

	(void)mktime(&t);
	if (t.tm_wday == 0 || t.tm_wday == 6)
		return false;
	return org == NULL || !org_holiday(org, t.tm_year + 1900, t.tm_mon + 1, t.tm_mday);
}

int64_t worktime_add(
    const struct settings *settings, const struct org *org, int64_t from, int64_t span)
{
	int64_t left = span, begins, ends;
	int begin, end;
	struct tm day;

	if (span <= 0)
		return from;
	if (!settings_hours(settings->working_hours, &begin, &end))
		return -1;
	if (end < begin)
		end += DAY;
	local_day(from, &day);
	/* From the day before: its hours may reach over midnight. */
	for (int i = -1; i <= DAYS_MAX; i++) {
		if (!is_workday(org, &day, i))
			continue;
		begins = minute_of_day(&day, i, begin);
		ends = minute_of_day(&day, i, end);
		if (begins < from)
			begins = from;
		if (ends <= begins)
			continue;
		if (ends - begins >= left)
			return begins + left;
		left -= ends - begins;
	}
	return -1;
}

/* If the moment is quiet by the hours alone: when that ends; else -1. */
static int64_t quiet_hours_end(const struct settings *settings, const struct tm *day, int64_t now)
{
	int begin, end;

	if (!settings_hours(settings->quiet_hours, &begin, &end))
		return -1;
	if (end < begin)
		end += DAY;
	for (int i = -1; i <= 0; i++) {
		int64_t ends = minute_of_day(day, i, end);

		if (now >= minute_of_day(day, i, begin) && now < ends)
			return ends;
	}
	return -1;
}

bool worktime_quiet(
    const struct settings *settings, const struct org *org, int64_t now, int64_t *until)
{
	int64_t at = now;

	for (int i = 0; i < 2 * DAYS_MAX; i++) {
		struct tm day;
		int64_t next;

		local_day(at, &day);
		next = is_workday(org, &day, 0) ? quiet_hours_end(settings, &day, at)
						: minute_of_day(&day, 1, 0);
		if (next <= at)
			break;
		at = next;
	}
	if (until != NULL)
		*until = at;
	return at > now;
}
