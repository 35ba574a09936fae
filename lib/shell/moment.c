#include "lib/shell/moment.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"

void moment_text(int64_t wall, char text[MOMENT_TEXT])
{
	time_t seconds = (time_t)(wall / CLOCK_SECOND);
	struct tm tm;

	if (localtime_r(&seconds, &tm) == NULL ||
	    strftime(text, MOMENT_TEXT, "%Y-%m-%d %H:%M:%S %z", &tm) == 0)
		(void)snprintf(text, MOMENT_TEXT, "%lld", (long long)seconds);
}

/* `n` digits; -1 if they are not there. Moves `at` behind them. */
static int digits(const char **at, int n)
{
	int number = 0;

	for (int i = 0; i < n; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return -1;
		number = number * 10 + (**at - '0');
	}
	return number;
}

static bool take(const char **at, const char *any)
{
	if (**at == '\0' || strchr(any, **at) == NULL)
		return false;
	(*at)++;
	return true;
}

/* "Z", "+0900", "-03:30": seconds east of Greenwich. */
static bool read_zone(const char **at, long *east)
{
	bool west = **at == '-';
	int hours, minutes;

	*east = 0;
	if (take(at, "Zz"))
		return true;
	if (!take(at, "+-"))
		return false;
	hours = digits(at, 2);
	(void)take(at, ":");
	minutes = digits(at, 2);
	*east = (long)hours * 3600 + (long)minutes * 60;
	if (west)
		*east = -*east;
	return hours >= 0 && hours <= 14 && minutes >= 0 && minutes < 60;
}

/* "2026-11-22 18:59[:59]" */
static bool read_day_and_time(const char **at, struct tm *tm)
{
	*tm = (struct tm){.tm_isdst = -1};
	tm->tm_year = digits(at, 4) - 1900;
	if (!take(at, "-"))
		return false;
	tm->tm_mon = digits(at, 2) - 1;
	if (!take(at, "-"))
		return false;
	tm->tm_mday = digits(at, 2);
	if (!take(at, " Tt"))
		return false;
	tm->tm_hour = digits(at, 2);
	if (!take(at, ":"))
		return false;
	tm->tm_min = digits(at, 2);
	if (take(at, ":"))
		tm->tm_sec = digits(at, 2);
	return tm->tm_year >= 70 && tm->tm_mon >= 0 && tm->tm_mday > 0 && tm->tm_hour >= 0 &&
	       tm->tm_min >= 0 && tm->tm_sec >= 0;
}

/* timegm and mktime take the 31st of February for a day in March. */
static bool same(const struct tm *a, const struct tm *b)
{
	return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday &&
	       a->tm_hour == b->tm_hour && a->tm_min == b->tm_min && a->tm_sec == b->tm_sec;
}

int64_t moment_parse(const char *text)
{
	struct tm tm, made;
	time_t seconds;
	long east = 0;
	bool zoned;

	if (!read_day_and_time(&text, &tm))
		return -1;
	while (take(&text, " "))
		;
	zoned = *text != '\0';
	if (zoned && (!read_zone(&text, &east) || *text != '\0'))
		return -1;
	made = tm;
	seconds = zoned ? timegm(&made) : mktime(&made);
	if (seconds < 0 || !same(&made, &tm))
		return -1;
	seconds -= east;
	return seconds < 0 ? -1 : (int64_t)seconds * CLOCK_SECOND;
}
