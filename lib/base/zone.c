#include "lib/base/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define ZONES "/usr/share/zoneinfo/"

static bool is_own(const char *zone)
{
	return strcmp(zone, "-") == 0;
}

bool zone_known(const char *zone)
{
	char path[sizeof ZONES + 256];
	struct stat st;
	int n;

	if (is_own(zone))
		return true;
	/* A name that leaves the folder, or is none, would make the C library fall back to UTC. */
	if (zone[0] == '\0' || zone[0] == '/' || zone[0] == '.' || strstr(zone, "..") != NULL)
		return false;
	n = snprintf(path, sizeof path, ZONES "%s", zone);
	return n > 0 && (size_t)n < sizeof path && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool zone_set(const char *zone)
{
	bool good = is_own(zone) ? unsetenv("TZ") == 0 : setenv("TZ", zone, 1) == 0;

	tzset();
	return good;
}
