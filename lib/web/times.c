/* Times and sizes in the reader's words; in the site's time zone, which the process has set. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/web/page.h"

#define MINUTE (60 * CLOCK_SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static bool is_japanese(const struct page *page)
{
	return strcmp(page->lang, "ja") == 0;
}

static bool local(int64_t wall, struct tm *tm)
{
	time_t seconds = (time_t)(wall / CLOCK_SECOND);

	return localtime_r(&seconds, tm) != NULL;
}

static void add_japanese(const struct tm *tm, bool year, struct buf *out)
{
	static const char *const days[] = {"日", "月", "火", "水", "木", "金", "土"};

	if (year)
		buf_addf(out, "%d年", tm->tm_year + 1900);
	buf_addf(out, "%d月%d日(%s) %02d:%02d", tm->tm_mon + 1, tm->tm_mday, days[tm->tm_wday % 7],
	    tm->tm_hour, tm->tm_min);
}

static void add_english(const struct tm *tm, bool year, struct buf *out)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {
	    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

	buf_addf(out, "%s %d %s ", days[tm->tm_wday % 7], tm->tm_mday, months[tm->tm_mon % 12]);
	if (year)
		buf_addf(out, "%d ", tm->tm_year + 1900);
	buf_addf(out, "%02d:%02d", tm->tm_hour, tm->tm_min);
}

void page_time(const struct page *page, const char *utc, struct buf *out)
{
	int64_t wall = utc != NULL ? clock_parse(utc, strlen(utc)) : -1;
	struct tm tm, now;

	if (wall < 0 || !local(wall, &tm) || !local(clock_wall(), &now))
		return;
	if (is_japanese(page))
		add_japanese(&tm, tm.tm_year != now.tm_year, out);
	else
		add_english(&tm, tm.tm_year != now.tm_year, out);
}

/* Two units at most: what is shown is a feeling, the exact time stands beside it. */
static void add_left(struct buf *out, bool japanese, long days, long hours, long minutes)
{
	static const struct {
		const char *japanese, *one, *many;
	} units[] = {{"日", "day", "days"}, {"時間", "hour", "hours"}, {"分", "minute", "minutes"}};
	long n[] = {days, hours, minutes};
	size_t shown = 0;

	buf_add_text(out, japanese ? "あと" : "in");
	for (size_t i = 0; i < COUNT_OF(n) && shown < 2; i++) {
		if (n[i] == 0)
			continue;
		shown++;
		if (japanese)
			buf_addf(out, "%ld%s", n[i], units[i].japanese);
		else
			buf_addf(out, " %ld %s", n[i], n[i] == 1 ? units[i].one : units[i].many);
	}
}

void page_until(const struct page *page, const char *utc, struct buf *out)
{
	int64_t wall = utc != NULL ? clock_parse(utc, strlen(utc)) : -1;
	int64_t left = wall - clock_wall();
	bool long_way = left >= DAY;

	if (wall < 0 || left < 0)
		return;
	if (left < MINUTE) {
		buf_add_text(out, is_japanese(page) ? "1分以内" : "within a minute");
		return;
	}
	add_left(out, is_japanese(page), (long)(left / DAY), (long)(left % DAY / HOUR),
	    long_way ? 0 : (long)(left % HOUR / MINUTE));
}

void page_size(json_int_t bytes, struct buf *out)
{
	static const char *const units[] = {"KB", "MB", "GB", "TB"};
	double size = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		buf_addf(out, "%lld B", (long long)(bytes > 0 ? bytes : 0));
		return;
	}
	while (size >= 1023.95 && unit + 1 < COUNT_OF(units)) {
		size /= 1024;
		unit++;
	}
	buf_addf(out, size < 10 ? "%.1f %s" : "%.0f %s", size, units[unit]);
}
