#include "lib/base/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

#ifdef SEKISHO_TESTING
#include <stdlib.h>

#define VIRTUAL_PATIENCE_MS 20

/*
 * run/clock holds "WALL BOOT SYNC": seconds to add to each clock, and whether the clock counts as
 * synchronised. Read anew at each look: a test writes it by rename.
 */
static bool clock_virtual(long long *wall, long long *boot, int *sync)
{
	const char *path = getenv("SEKISHO_CLOCK");
	FILE *f = fopen(path != NULL ? path : "run/clock", "re");
	bool there;

	if (f == NULL)
		return false;
	there = fscanf(f, "%lld %lld %d", wall, boot, sync) == 3;
	fclose(f);
	return there;
}
#endif

static int64_t read_clock(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t); /* both clocks exist on every Linux that runs this */
	return (int64_t)t.tv_sec * CLOCK_SECOND + t.tv_nsec / 1000;
}

int64_t clock_wall(void)
{
	int64_t now = read_clock(CLOCK_REALTIME);
#ifdef SEKISHO_TESTING
	long long wall = 0, boot = 0;
	int sync = 0;

	if (clock_virtual(&wall, &boot, &sync))
		now += wall * CLOCK_SECOND;
#endif
	return now;
}

int64_t clock_boot(void)
{
	int64_t now = read_clock(CLOCK_BOOTTIME);
#ifdef SEKISHO_TESTING
	long long wall = 0, boot = 0;
	int sync = 0;

	if (clock_virtual(&wall, &boot, &sync))
		now += boot * CLOCK_SECOND;
#endif
	return now;
}

bool clock_synchronised(void)
{
	struct timex state = {.modes = 0};
#ifdef SEKISHO_TESTING
	long long wall = 0, boot = 0;
	int sync = 0;

	if (clock_virtual(&wall, &boot, &sync))
		return sync != 0;
#endif
	return adjtimex(&state) >= 0 && (state.status & STA_UNSYNC) == 0;
}

int clock_patience(int ms)
{
#ifdef SEKISHO_TESTING
	return ms < 0 || ms > VIRTUAL_PATIENCE_MS ? VIRTUAL_PATIENCE_MS : ms;
#else
	return ms;
#endif
}

void clock_format(int64_t wall, char text[CLOCK_TEXT])
{
	/* Years of four digits only: the names in the spool sort as text. */
	static const int64_t latest = INT64_C(253402300799) * CLOCK_SECOND + CLOCK_SECOND - 1;
	int64_t shown = wall < 0 ? 0 : wall > latest ? latest : wall;
	time_t seconds = (time_t)(shown / CLOCK_SECOND);
	struct tm t;
	char form[CLOCK_TEXT];

	(void)gmtime_r(&seconds, &t);
	(void)strftime(form, sizeof form, "%Y-%m-%dT%H:%M:%S", &t);
	(void)snprintf(text, CLOCK_TEXT, "%.19s.%06uZ", form,
	    (unsigned)((uint64_t)(shown % CLOCK_SECOND) % 1000000u));
}

static bool digits(const char *text, size_t n, int *value)
{
	*value = 0;
	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*value = *value * 10 + (text[i] - '0');
	}
	return true;
}

/* Months from 1. timegm() would make the 30th of February the 2nd of March. */
static int days_in(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (leap && month == 2);
}

int64_t clock_parse(const char *text, size_t len)
{
	struct tm t = {0};
	int micro = 0;
	time_t seconds;

	if (len != CLOCK_TEXT - 1 && len != 20)
		return -1;
	if (text[len - 1] != 'Z' || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
	    text[13] != ':' || text[16] != ':')
		return -1;
	if (!digits(text, 4, &t.tm_year) || !digits(text + 5, 2, &t.tm_mon) ||
	    !digits(text + 8, 2, &t.tm_mday) || !digits(text + 11, 2, &t.tm_hour) ||
	    !digits(text + 14, 2, &t.tm_min) || !digits(text + 17, 2, &t.tm_sec))
		return -1;
	if (len != 20 && (text[19] != '.' || !digits(text + 20, 6, &micro)))
		return -1;
	if (t.tm_year < 1970 || t.tm_mon < 1 || t.tm_mon > 12 || t.tm_mday < 1 ||
	    t.tm_mday > days_in(t.tm_year, t.tm_mon) || t.tm_hour > 23 || t.tm_min > 59 ||
	    t.tm_sec > 59)
		return -1;

	t.tm_year -= 1900;
	t.tm_mon -= 1;
	seconds = timegm(&t);
	return (int64_t)seconds * CLOCK_SECOND + micro;
}
