/* A moment as people write it: how long ago, or a date. */
#ifndef SEKISHO_SHELL_SINCE_H
#define SEKISHO_SHELL_SINCE_H

#include "lib/base/compat.h"

/*
 * "90s", "5m", "2h", "3d", "1w" before `now`; "2026-11-22" (its beginning, UTC);
 * "2026-11-22T09:35:01Z". Returns microseconds, at least 0; -1 if it is none of these.
 */
int64_t since_parse(const char *text, int64_t now);

/* "90s", "5m", "2h", "3d", "1w" as microseconds; -1 if it is none of these. */
int64_t span_parse(const char *text);

#endif
