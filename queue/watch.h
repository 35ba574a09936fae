/*
 * A stage's trust in the clock: queue/README.md section 5. While the clock is suspect the timers
 * are frozen; watch_now then goes on from the last time that was believed, by CLOCK_BOOTTIME.
 */
#ifndef SEKISHO_QUEUE_WATCH_H
#define SEKISHO_QUEUE_WATCH_H

#include "lib/base/compat.h"
#include "lib/base/settings.h"

#define WATCH_REASON_MAX 128

enum watch_suspicion {
	WATCH_STEPPED,       /* the wall clock jumped while we ran */
	WATCH_STARTED_WRONG, /* at start it was before, or long after, the time last seen */
	WATCH_NO_RECORD,     /* legs wait, and there is no time last seen */
};

struct watch {
	const struct settings *settings;
	const char *stage;  /* names the mark: lib/clock/STAGE */
	int64_t wall, boot; /* the last moment at which the clock was believed */
	int64_t marked;     /* boot clock of the last mark */
	bool frozen;
	enum watch_suspicion suspicion; /* why it is frozen */
	char reason[WATCH_REASON_MAX];
};

/*
 * Starts watching, in the instance's directory. `waiting`: legs wait for a time in this stage's
 * directories, so a missing mark is suspect (a restored backup), not a first start.
 */
void watch_start(struct watch *w, const char *stage, const struct settings *settings, bool waiting);

/* Looks at both clocks; freezes, thaws, and writes the mark when it is time. Logs each change. */
void watch_look(struct watch *w);

/* The time that is believed, microseconds. */
int64_t watch_now(const struct watch *w);

#endif
