/*
 * What is being done for legs by threads: inspections, which find out all that judging needs (the facts,
 * and the past), and divisions. Each kind has places of its
 * own, and a thread for each place, so neither waits for the other. A leg stands in at most one
 * job. For the stage's own thread, but for job->work.
 */
#ifndef SEKISHO_SCAN_JOBS_H
#define SEKISHO_SCAN_JOBS_H

#include "lib/past/past.h"
#include "lib/policy/policy.h"
#include "lib/scan/desk.h"
#include "queue/digest.h"
#include "queue/pool.h"
#include "queue/split.h"

#define JOBS_DIVISIONS   ((size_t)2)
#define JOBS_INSPECTIONS ((size_t)256) /* the largest `inspectors` */

/* What an inspection is to find out. */
enum job_want {
	JOB_FACTS,
	JOB_PAST,
	JOB_ENROLLED, /* whether its sender is enrolled */
	JOB_BODY,     /* the digest of what stands behind the header */
};

enum job_kind { JOB_INSPECTION, JOB_DIVISION };
#define JOB_KINDS ((size_t)2)

struct job {
	enum job_kind kind;
	struct stage *stage;
	struct stage_opened opened; /* owned */

	/* An inspection: */
	struct desk *desk;
	unsigned wanted; /* 1 << enum job_want, this time */
	unsigned found;  /* of these, so far */
	uint64_t rules;  /* the serial of the rules that are asking */
	struct heard heard;
	struct past_question question; /* owned */
	struct past *past;             /* owned; NULL: not asked yet */
	char sender[ORG_ADDRESS_MAX];
	bool enrol;            /* an unknown sender becomes a known one */
	int enrolled;          /* -1: not asked yet */
	unsigned checks;       /* POLICY_CHECK_*: what may be asked for them alone */
	bool nameless;         /* the past was asked for without display names */
	char body[DIGEST_HEX]; /* "": not known */
	int64_t patience;      /* with seki-db */
	bool kept;             /* it is over, and its leg waits until it can be divided */

	/* A division: */
	struct policy_judgement judgement; /* owned */
	int64_t now;
	enum split_result result;
	int error;
};

struct jobs {
	struct pool *pool;
	struct job *job[JOBS_DIVISIONS + JOBS_INSPECTIONS];
	size_t n[JOB_KINDS];
	size_t threads[JOB_KINDS];
};

/* Starts the threads; `inspections` is their number from now on. False: there are none to be had. */
NODISCARD bool jobs_start(struct jobs *jobs, size_t inspections, void (*work)(void *job));

/* Whether a job could begin. `most` bounds inspections beside their threads. */
NODISCARD bool jobs_place(const struct jobs *jobs, enum job_kind kind, size_t most);

/*
 * A job about an opened leg, which is taken over: the caller's own copy is emptied. NULL: no
 * memory or no descriptor, and the caller has it as it was.
 */
NODISCARD struct job *job_new(struct stage *stage, struct stage_opened *opened, enum job_kind kind);
void job_free(struct job *job);

/* Gives it to a thread; there must be a place. */
void jobs_begin(struct jobs *jobs, struct job *job);

/* An inspection that is over goes on to find out more. */
void jobs_again(struct jobs *jobs, struct job *job);

/* An inspection that is over becomes a division, and begins; there must be a place. */
void jobs_go_on(struct jobs *jobs, struct job *job);

/* One whose thread has finished, or NULL. It keeps its place until jobs_end or jobs_go_on. */
struct job *jobs_done(struct jobs *jobs);

/* Gives its place away and frees it. */
void jobs_end(struct jobs *jobs, struct job *job);

/* Any job that is kept, or NULL. */
struct job *jobs_kept(const struct jobs *jobs);

/* Whether a job has that leg in hand. */
NODISCARD bool jobs_have(const struct jobs *jobs, const struct leg_name *name);

#endif
