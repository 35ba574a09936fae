/* What each stage thinks of the clock: lib/clock/STAGE, written by queue/watch.c. */
#ifndef SEKISHO_SHELL_CLOCKS_H
#define SEKISHO_SHELL_CLOCKS_H

#include "lib/base/compat.h"

#define CLOCK_MARK_MAX 512

/* One mark; what is missing in it is "-". */
struct clock_mark {
	const char *stage;
	char seen[CLOCK_MARK_MAX];
	char state[CLOCK_MARK_MAX];  /* "running" or "frozen", or "unreadable" */
	char reason[CLOCK_MARK_MAX]; /* decoded */
	bool trusted;                /* the state is "running" */
};

/* Calls `see` for each mark, by name. False after a complaint if they cannot be listed. */
NODISCARD bool clocks_each(
    void (*see)(void *context, const struct clock_mark *mark), void *context);

#endif
