#include "lib/db/days.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define REPORT_HOUR 8

static struct tm local(int64_t time)
{
	time_t t = (time_t)time;
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL) {
		t = 0; /* a year that nobody can write */
		(void)gmtime_r(&t, &tm);
	}
	return tm;
}

static void put(const struct tm *tm, char day[DAY_TEXT])
{
	char text[64];

	(void)snprintf(text, sizeof text, "%04d-%02d-%02d", (tm->tm_year + 1900) % 10000,
	    tm->tm_mon + 1, tm->tm_mday);
	memcpy(day, text, DAY_TEXT - 1);
	day[DAY_TEXT - 1] = '\0';
}

/* Noon, so that no change of the clocks makes it another day. */
static void move(struct tm *tm, int days)
{
	tm->tm_mday += days;
	tm->tm_hour = 12;
	tm->tm_min = tm->tm_sec = 0;
	tm->tm_isdst = -1;
	(void)mktime(tm);
}

void days_text(int64_t time, int days, char day[DAY_TEXT])
{
	struct tm tm = local(time);

	move(&tm, days);
	put(&tm, day);
}

void days_month(int64_t time, char month[MONTH_TEXT])
{
	char day[DAY_TEXT];

	days_text(time, 0, day);
	memcpy(month, day, MONTH_TEXT - 1);
	month[MONTH_TEXT - 1] = '\0';
}

void days_next_month(char month[MONTH_TEXT])
{
	static const char december[] = "12";

	if (memcmp(month + 5, december, 2) != 0) {
		bool carry = month[6] == '9';

		month[5] = (char)(month[5] + carry);
		month[6] = carry ? '0' : (char)(month[6] + 1);
		return;
	}
	memcpy(month + 5, "01", 2);
	for (int i = 3; i >= 0; i--) {
		if (month[i] != '9') {
			month[i]++;
			return;
		}
		month[i] = '0';
	}
}

void days_report(int64_t time, char monday[DAY_TEXT])
{
	struct tm tm = local(time);
	int back = (tm.tm_wday + 6) % 7;

	if (back == 0 && tm.tm_hour < REPORT_HOUR)
		back = 7;
	move(&tm, -back);
	put(&tm, monday);
}
