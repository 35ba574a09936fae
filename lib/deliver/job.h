/* One delivery of one leg, done by a thread. Internal to lib/deliver. */
#ifndef SEKISHO_DELIVER_JOB_H
#define SEKISHO_DELIVER_JOB_H

#include "lib/base/buf.h"
#include "lib/base/settings.h"
#include "lib/deliver/gate.h"
#include "queue/stage.h"

#define DELIVERY_RECORD_MAX ((size_t)256 * 1024)

enum delivery_end {
	DELIVERY_GONE,   /* dealt with: sent, deferred under a new name, or moved elsewhere */
	DELIVERY_LEFT,   /* the same, but nobody has seen to its body in sent/ */
	DELIVERY_FROZEN, /* the red button: look again when it changes */
	DELIVERY_AGAIN,  /* the spool failed: look again in a few seconds */
	DELIVERY_OWED,   /* sent, and the record of it could not be written: run the job again */
};

struct delivery {
	struct stage *stage; /* its spool, and what reads a leg */
	struct gate *gate;
	struct leg_name name;
	int64_t now, boot; /* believed time and boot clock at the start, microseconds */
	char route[SETTING_TEXT_MAX];
	int64_t retry_first, retry_longest;
	struct buf owed;       /* that record; while it is owed nothing of the leg is sent again */
	unsigned freezes;      /* the main loop's: what the operator had said when it began */
	int64_t rest_until;    /* the main loop's: when to run it again */
	enum delivery_end end; /* the result */
};

/* Frees it. */
void delivery_free(struct delivery *d);

/* Does it. Called by a thread of the pool. */
void delivery_run(void *job);

#endif
