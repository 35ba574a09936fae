/* Jobs of seki-hold's pool, and what they do. Internal to lib/hold. */
#ifndef SEKISHO_HOLD_JOB_H
#define SEKISHO_HOLD_JOB_H

#include "lib/base/buf.h"
#include "queue/stage.h"

/* What every job begins with. */
struct job {
	void (*work)(struct job *job);                /* in a thread */
	void (*done)(void *context, struct job *job); /* in the main loop, which it goes back to */
	bool working;
};

/* ---- telling of a refused leg ---- */

enum tell_end {
	TELL_DONE,   /* nothing is owed any more, or the leg is gone */
	TELL_AGAIN,  /* not now: `why` */
	TELL_RARELY, /* somebody has to look: `why` */
	TELL_RECORD, /* `owed` could not be written: nothing else is done with the leg before it is */
};

struct tell_job {
	struct job job; /* first */
	struct tell_job *next;
	struct stage *stage; /* of which a thread reads the spool and the limits alone */
	struct leg_name name;
	int64_t now,
	    boot; /* the time that is believed, and the boot clock, when it was given out */
	int patience_ms;
	struct buf owed;    /* records of what was done */
	int64_t rest_until; /* boot clock: after TELL_RECORD */

	enum tell_end end;
	int64_t age; /* microseconds since the refusal */
	char why[128];
};

/* Does what the leg's record owes. */
void tell_work(struct job *job);

/* ---- the weekly report ---- */

#define WEEKLY_ADDRESS_MAX ((size_t)512)
#define WEEKLY_EVERY       (3600 * CLOCK_SECOND)
#define WEEKLY_AGAIN       (300 * CLOCK_SECOND) /* after a failure */

struct weekly_job {
	struct job job; /* first */
	int64_t next;   /* boot clock: when seki-db is asked */
	int64_t patience;
	int notice_ms;
	char to[WEEKLY_ADDRESS_MAX];
	char sent[11]; /* the week whose report is in the spool, and not yet known to be; "" */
	bool failed;
};

/* Asks whether a report is due, and sends it. */
void weekly_work(struct job *job);

/* Fills the job if it is time to ask, and somebody is to get a report. False: not now. */
NODISCARD bool weekly_due(struct weekly_job *weekly, const struct settings *settings, int64_t boot);

#endif
