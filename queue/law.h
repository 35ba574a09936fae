/*
 * Laws 3, 4 and 5: where a leg belongs. A pure function of what the leg says and of the directory
 * in which it was found; it asks no clock and no file system.
 */
#ifndef SEKISHO_QUEUE_LAW_H
#define SEKISHO_QUEUE_LAW_H

#include "queue/leg.h"

enum law_verdict {
	LAW_ACT,  /* it belongs here: the stage may do its work on `step` */
	LAW_MOVE, /* it belongs into `state`, due at `due` */
	LAW_STOP, /* an operator must look; `why` says at what */
};

struct law {
	enum law_verdict verdict;
	enum spool_state state;
	int64_t due;                  /* for LAW_MOVE, seconds */
	const struct plan_step *step; /* for LAW_ACT in a plan's state; otherwise NULL */
	const char *why;              /* a literal, for the log */
};

/* Where does this leg, found in `state`, belong? `now`: seconds, for the DUE of a move. */
struct law law_of(const struct leg *leg, enum spool_state state, int64_t now);

/* Where a leg that stands in no state yet (a child of a division) goes first: a LAW_MOVE. */
struct law law_first(const struct leg *leg, int64_t now);

/* When something is to happen to a leg that enters the state of `step`: a DUE, in seconds. */
int64_t law_due(const struct leg *leg, const struct plan_step *step, int64_t now);

/* Whether it is "hold operator …": no time ends it, a person does. */
bool law_operator(const struct plan_step *step);

/* Until when a timed step (hold, stagger) lasts, microseconds; 0: no time, at once; -1: no time
 * can be read from it: only a person. */
int64_t law_until(const struct leg *leg, const struct plan_step *step);

#endif
