/* Between the files of lib/hold: what seki-hold keeps while it runs. Main loop alone, but for jobs. */
#ifndef SEKISHO_HOLD_INSIDE_H
#define SEKISHO_HOLD_INSIDE_H

#include "lib/gate/gate.h"
#include "lib/hold/absences.h"
#include "lib/hold/index.h"
#include "lib/hold/job.h"
#include "lib/hold/notices.h"
#include "lib/org/org.h"
#include "queue/pool.h"

struct gate_door; /* lib/hold/door.h */

struct hold {
	struct stage *stage;
	struct pool *pool;

	/* Who is who. NULL: there is no generation that can be read, and nobody but an operator may act. */
	struct org *org;           /* the view's */
	struct hold_view *view;    /* never NULL: what jobs go by; replaced, and never changed */
	uint64_t views;            /* how many there have been */
	struct absences *absences; /* never NULL */
	struct gate_key key;
	bool keyed; /* it could be read or made */
	struct index *index;
	struct gate_door *door; /* where people speak; NULL: nobody does */

	/* Telling people: jobs, and when to begin them. */
	struct tell_job *jobs;
	size_t n_jobs;
	struct timetable
	    owed[STATE_COUNT]; /* legs that owe somebody a word, by the boot clock's seconds */
	struct copies *copies;
	struct weekly_job weekly;
	struct remind_job remind;
	struct result_job *results, **results_end; /* that wait for a thread */
	size_t n_results;
	size_t working;          /* jobs that the pool has */
	int64_t complained;      /* boot clock; 0: never */
	int64_t compiled_looked; /* boot clock: whether `current` leads elsewhere */
	char compiled[512];      /* where it led */
	bool lost_org;           /* said that there is none */
	bool look_at_all;        /* somebody else may be to be told: each leg is looked at again */
	bool turn_zone;          /* the time zone is to be set, when no job works */
	int64_t absences_next;   /* when an absence begins, microseconds; 0: none */
	uint64_t absences_serial;
	int wake; /* an epoll: the pool, and the door's */
};

/* A leg owes somebody a word in `seconds`: a job looks. lib/hold/noted.c */
void hold_owes(
    struct hold *h, enum spool_state state, const struct leg_name *name, int64_t seconds);

/* The same at a moment of the time that is believed, microseconds. */
void hold_owes_at(
    struct hold *h, enum spool_state state, const struct leg_name *name, int64_t time);

/* Somebody has gone away: those who stand in for him are asked, and have what waits. */
void hold_look_at_absences(struct hold *h);

/* Takes the settings and the organisation as they are now. The old view lives while jobs have it. False:
 * no memory, nothing has changed. lib/hold/view.c */
NODISCARD bool hold_take_view(struct hold *h, const struct settings *settings);

/* Takes the organisation anew if `current` leads elsewhere. */
void hold_look_at_compiled(struct hold *h);
void hold_view_release(struct hold_view *view);

/* A leg in STATE_APPROVE, STATE_HOLD or STATE_TRASH has changed, or was seen: it is put into the index,
 * and whoever is to be told of it is told soon. Called with every opened leg of theirs. lib/hold/noted.c */
void hold_noted(struct hold *h, enum spool_state state, const struct stage_opened *opened);

/* Somebody is to hear of what has just been done and will stand in no directory of ours any more (an
 * approval that lets the mail go): `leg` is duplicated; once, and without a promise. lib/hold/results.c */
void hold_tell_result(struct hold *h, const struct stage_opened *opened, const char *what,
    const char *by, const char *comment);

/* The stage's decision (lib/hold/decide.c). */
struct stage_outcome hold_decide(
    struct stage *stage, enum spool_state state, struct stage_opened *opened);

#endif
