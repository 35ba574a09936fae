/* A moment as the site tells it: in its own time zone (lib/base/zone.h). */
#ifndef SEKISHO_SHELL_MOMENT_H
#define SEKISHO_SHELL_MOMENT_H

#include "lib/base/compat.h"

#define MOMENT_TEXT 48

/* "2026-11-22 19:35:01 +0900", of microseconds since 1970. */
void moment_text(int64_t wall, char text[MOMENT_TEXT]);

/*
 * Reads "2026-11-22 18:59:59" or the same with a T between, without the seconds, or with Z, +0900
 * or +09:00 behind it, with or without a blank; without a zone it is of the site's. Returns microseconds
 * since 1970, or -1: it is no such moment, or there is none of that name (a clock was put forward).
 */
int64_t moment_parse(const char *text);

#endif
