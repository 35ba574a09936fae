/* Local times: when a rule holds, and until when it lets mail wait. The time zone is the process's. */
#include <string.h>

#include "lib/base/clock.h"
#include "lib/policy/inside.h"

#define DAYS_MAX MOMENT_DAYS_MAX

void moment_of(int64_t time, struct moment *moment)
{
	time_t now = (time_t)(time / CLOCK_SECOND);
	struct tm *day = &moment->day;

	(void)localtime_r(&now, day);
	/* At noon, which each day has once, whatever the zone does at night. */
	moment->before = (struct tm){.tm_year = day->tm_year,
	    .tm_mon = day->tm_mon,
	    .tm_mday = day->tm_mday - 1,
	    .tm_hour = 12,
	    .tm_isdst = -1};
	(void)mktime(&moment->before);
}

static const struct moment *judge_moment(struct judging *j)
{
	if (!j->timed)
		moment_of(j->c->since, &j->moment);
	j->timed = true;
	return &j->moment;
}

const struct tm *judge_day(struct judging *j)
{
	return &judge_moment(j)->day;
}

static bool is_holiday(const struct org *org, const struct tm *day)
{
	return org != NULL && org_holiday(org, day->tm_year + 1900, day->tm_mon + 1, day->tm_mday);
}

static bool is_workday(const struct org *org, const struct tm *day)
{
	return day->tm_wday >= 1 && day->tm_wday <= 5 && !is_holiday(org, day);
}

static bool day_fits(const struct org *org, const struct rule_span *span, const struct tm *day)
{
	if (span->holiday && !is_holiday(org, day))
		return false;
	if (span->workday && !is_workday(org, day))
		return false;
	return span->days == 0 || (span->days & (1u << day->tm_wday)) != 0;
}

/* Half open. A span over midnight belongs to the day on which it began. */
static bool is_within(
    const struct org *org, const struct rule_span *span, const struct moment *moment)
{
	const struct tm *now = &moment->day;
	int minute = now->tm_hour * 60 + now->tm_min;

	if (!span->timed)
		return day_fits(org, span, now);
	if (span->begin <= span->end)
		return minute >= span->begin && minute < span->end && day_fits(org, span, now);
	if (minute >= span->begin)
		return day_fits(org, span, now);
	return minute < span->end && day_fits(org, span, &moment->before);
}

bool moment_within(
    const struct org *org, const struct rule_condition *condition, const struct moment *moment)
{
	bool is = false;

	for (size_t i = 0; i < condition->spans && !is; i++)
		is = is_within(org, &condition->span[i], moment);
	return is != condition->not ;
}

bool when_holds(struct judging *j, const struct rule_condition *condition)
{
	return moment_within(j->org, condition, judge_moment(j));
}

/* ---- hold until --------------------------------------------------------------------------- */

/* The minute on that day as the zone tells it with or without summer time; -1: not so. */
static int64_t minute_as(const struct tm *day, int minute, int summer)
{
	struct tm t = {.tm_year = day->tm_year,
	    .tm_mon = day->tm_mon,
	    .tm_mday = day->tm_mday,
	    .tm_hour = minute / 60,
	    .tm_min = minute % 60,
	    .tm_isdst = summer};
	time_t at = mktime(&t);

	if (at == (time_t)-1 || t.tm_hour * 60 + t.tm_min != minute % (24 * 60))
		return -1;
	return (int64_t)at * CLOCK_SECOND;
}

/* When clocks are put back a minute comes twice, and when they are put forward it may never come. */
static int64_t next_minute(const struct tm *day, int minute, int64_t since)
{
	int64_t first = minute_as(day, minute, 1), second = minute_as(day, minute, 0), best = -1;
	struct tm t = {.tm_year = day->tm_year,
	    .tm_mon = day->tm_mon,
	    .tm_mday = day->tm_mday,
	    .tm_hour = minute / 60,
	    .tm_min = minute % 60,
	    .tm_isdst = -1};

	if (first < 0 && second < 0)
		first = (int64_t)mktime(&t) * CLOCK_SECOND;
	if (first >= since)
		best = first;
	if (second >= since && (best < 0 || second < best))
		best = second;
	return best;
}

static int64_t find_until(struct judging *j, const struct rule_action *action)
{
	const struct tm *now = judge_day(j);

	for (int i = 0; i <= DAYS_MAX; i++) {
		struct tm day = {.tm_year = now->tm_year,
		    .tm_mon = now->tm_mon,
		    .tm_mday = now->tm_mday + i,
		    .tm_hour = 12,
		    .tm_isdst = -1};
		int64_t at;

		(void)mktime(&day);
		if (action->workday && !is_workday(j->org, &day))
			continue;
		at = next_minute(&day, action->minute, j->c->since);
		if (at >= 0)
			return at;
	}
	return -1;
}

int64_t hold_until(struct judging *j, const struct rule_action *action)
{
	int64_t time;

	for (size_t i = 0; i < j->untils; i++) {
		if (j->until[i].minute == action->minute && j->until[i].workday == action->workday)
			return j->until[i].time;
	}
	time = find_until(j, action);
	if (j->untils < UNTIL_CACHE) {
		j->until[j->untils].minute = action->minute;
		j->until[j->untils].workday = action->workday;
		j->until[j->untils++].time = time;
	}
	return time;
}
