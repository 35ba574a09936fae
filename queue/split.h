/*
 * Dividing a leg (queue/README.md section 4, "divide"), and recovering from a division that a
 * crash has cut short.
 */
#ifndef SEKISHO_QUEUE_SPLIT_H
#define SEKISHO_QUEUE_SPLIT_H

#include "queue/stage.h"

/* One child: which recipients of the parent it bears, and its plan's lines (" deliver\n"). */
struct split_child {
	const size_t *rcpt; /* indices into the parent's recipients */
	size_t rcpts;
	const char *plan;
	size_t plan_len;
	const char *records; /* behind the plan: lines without a time; NULL: none */
	size_t records_len;
};

enum split_result {
	SPLIT_DONE,
	SPLIT_TOO_MANY,  /* above legs-max or split-max: only an operator */
	SPLIT_FAILED,    /* environment (errno): nothing has changed, try again */
	SPLIT_UNFINISHED /* after the commit point: the next start goes on */
};

/*
 * Divides the open leg `o`, found in `state`, into `n` children. Blocks as long as the copying
 * takes: for large legs call it from a job. Binding records are copied into the children that bear
 * their recipients, renumbered.
 */
NODISCARD enum split_result split_leg(struct stage *stage, enum spool_state state,
    struct stage_opened *o, const struct split_child *children, size_t n, int64_t now);

/*
 * Ends what a crash has interrupted. Called once, under the lock, before the first leg. False: it
 * could not be ended now (logged); the process had better die and be started again.
 */
NODISCARD bool split_recover(struct stage *stage);

#endif
