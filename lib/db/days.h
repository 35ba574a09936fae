/* Days, weeks and months of the site, whose time zone the process has (TZ). */
#ifndef SEKISHO_DB_DAYS_H
#define SEKISHO_DB_DAYS_H

#include "lib/base/compat.h"

#define DAY_TEXT   11 /* "2026-11-23" and a NUL */
#define MONTH_TEXT 8  /* "2026-11" and a NUL */

/* The day of `time` (seconds), moved by `days`. */
void days_text(int64_t time, int days, char day[DAY_TEXT]);

void days_month(int64_t time, char month[MONTH_TEXT]);

/* The month behind it. */
void days_next_month(char month[MONTH_TEXT]);

/* The last Monday whose 08:00 is not after `time`. */
void days_report(int64_t time, char monday[DAY_TEXT]);

#endif
