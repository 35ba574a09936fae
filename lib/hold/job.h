/* Jobs of seki-hold's pool, and what they do. Internal to lib/hold. */
#ifndef SEKISHO_HOLD_JOB_H
#define SEKISHO_HOLD_JOB_H

#include <stdatomic.h>

#include "lib/base/buf.h"
#include "queue/stage.h"

struct hold_view;
struct absences;
struct copies;

/* What every job begins with. */
struct job {
	void (*work)(struct job *job);                /* in a thread */
	void (*done)(void *context, struct job *job); /* in the main loop, which it goes back to */
	bool working;
	struct hold_view *view; /* what it goes by, while it works; NULL: it needs none */
};

/* ---- telling of a leg: refused, waiting or thrown away ---- */

enum tell_end {
	TELL_DONE,   /* nothing is owed now, or the leg is gone */
	TELL_AGAIN,  /* not now: `why` */
	TELL_RARELY, /* somebody has to look: `why` */
	TELL_RECORD, /* `owed` could not be written: nothing else is done with the leg before it is */
	TELL_COPY,   /* another copy is being told of, or somebody wants the leg: very soon again */
};

struct tell_job {
	struct job job; /* first */
	struct tell_job *next;
	struct stage *stage; /* of which a thread reads the spool and the limits alone */
	enum spool_state state;
	struct leg_name name; /* as it stands in `state` */
	const struct absences *absences;
	struct copies *copies; /* NULL: each is told */
	int64_t now,
	    boot;    /* the time that is believed, and the boot clock, when it was given out */
	bool frozen; /* the clock is suspect */
	int patience_ms;
	struct buf owed;    /* records of what was done */
	int64_t rest_until; /* boot clock: after TELL_RECORD */

	/* Somebody wants the leg: no more than the notice that is being made is made. */
	atomic_bool wanted_now;
	/* Main loop alone: whoever wanted to look at it finds it under this name. */
	bool wanted;
	struct leg_name wanted_name;

	enum tell_end end;
	int64_t age;       /* microseconds since it is owed */
	int64_t next_time; /* TELL_DONE: when something more may be owed, microseconds; 0: never */
	char why[128];
};

/* Does what the leg owes. */
void tell_work(struct job *job);

/* Both ends of it, for the files of tell.c. */
struct telling {
	struct tell_job *job;
	struct stage_opened o;
	char id[NAME_TEXT];
	int leg; /* to read alone */
	bool synced;
	bool written; /* a record that is not yet synced */
};

int64_t tell_now(const struct tell_job *job);
void tell_end(struct tell_job *job, enum tell_end how, const char *why);

/* Room for a record about `to` is there before anybody is told. False: it ends, nothing was done. */
NODISCARD bool tell_room(struct telling *t, const char *to);

/* The leg is synced before anybody is told: a power cut must not forget why. False: it ends. */
NODISCARD bool tell_sync(struct telling *t);

/* Appends what is owed. False: it stays owed. */
NODISCARD bool tell_append(struct telling *t);

/* The leg for reading alone, in t->leg. False: it ends. */
NODISCARD bool tell_reopen(struct telling *t);

/* What a leg in approve/, hold/ or trash/ owes. lib/hold/tell_held.c */
void tell_held(struct telling *t);

/* ---- what has been decided, told once and without a promise: lib/hold/results.c ---- */

#define RESULTS_MAX 1000 /* that wait for a thread; what is beyond is not told */

struct letter;

struct result_job {
	struct job job; /* first */
	struct result_job *next;
	char id[NAME_TEXT];
	int leg; /* to read alone; -1: none */
	int patience_ms;
	struct letter *letter; /* to each one */
	size_t letters;
};

void result_work(struct job *job);
void result_free(struct result_job *job);

/* ---- the digest of what waits: lib/hold/remind.c ---- */

#define REMIND_FILE "lib/hold/reminded"

struct reminded; /* who was told when */

struct remind_job {
	struct job job; /* first */
	struct stage *stage;
	const struct absences *absences;
	struct reminded *reminded; /* the job's while it works */
	atomic_bool stop;          /* SIGTERM */
	int64_t next;              /* boot clock */
	int64_t now;
	int patience_ms;
};

void remind_work(struct job *job);

/* Lets go of what it remembers; it reads it again. */
void remind_forget(struct remind_job *job);

/* Fills the job if it is time for a look. False: not now. `view` is what it would go by. */
NODISCARD bool remind_due(
    struct remind_job *remind, const struct hold_view *view, int64_t now, bool frozen);

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
