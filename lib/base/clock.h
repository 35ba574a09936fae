/*
 * The two clocks. Nothing else in the project asks the system for the time.
 *
 * In a test build (SEKISHO_TESTING) the file run/clock, if it is there, moves both clocks of
 * every program of the instance; the installed programs have no such thing.
 */
#ifndef SEKISHO_BASE_CLOCK_H
#define SEKISHO_BASE_CLOCK_H

#include "lib/base/compat.h"

#define CLOCK_SECOND ((int64_t)1000000)
#define CLOCK_TEXT   28 /* "2026-11-22T09:35:01.123456Z" and a NUL */

/* Microseconds since 1970 UTC, as the system's wall clock tells it. May jump. */
int64_t clock_wall(void);

/* Microseconds since the machine started, sleep included. Never jumps. */
int64_t clock_boot(void);

/* Whether something (NTP) says that the wall clock is right. */
bool clock_synchronised(void);

/* "2026-11-22T09:35:01.123456Z": exactly CLOCK_TEXT - 1 characters and a NUL. */
void clock_format(int64_t wall, char text[CLOCK_TEXT]);

/* Reads that form, or the same without the fraction. Returns -1 if it is neither. */
int64_t clock_parse(const char *text, size_t len);

/*
 * In a test build a sleeping program wakes at least this often to see the virtual clock; otherwise
 * returns `ms` as it is.
 */
int clock_patience(int ms);

#endif
