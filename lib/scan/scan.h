/*
 * seki-scan: judges what has been accepted and sends it on its way. See seki-scan(8).
 */
#ifndef SEKISHO_SCAN_SCAN_H
#define SEKISHO_SCAN_SCAN_H

#include "lib/policy/policy.h"
#include "queue/pool.h"
#include "queue/split.h"
#include "queue/stage.h"

#define SCAN_DIVISIONS ((size_t)2)   /* at once, beside the work for other mail */
#define SCAN_JOBS_MAX  ((size_t)520) /* twice the largest inspectors, and the divisions */

struct desk;

/* Something that is done for one leg by a thread. */
struct scan_job {
	enum { JOB_INSPECTION, JOB_DIVISION } kind;
	struct stage *stage;
	struct stage_opened opened; /* owned */

	/* An inspection: */
	struct desk *desk;
	struct policy_facts facts;

	/* A division: */
	struct policy_judgement judgement;
	int64_t now;
	enum split_result result;
	int error;
};

struct scan {
	struct pool *pool;
	struct desk *desk;
	struct scan_job *running[SCAN_JOBS_MAX];
	size_t inspection_places; /* for which there are threads */
	size_t inspections;
	size_t divisions;
	int64_t told_at; /* boot clock: when it was said that no inspector is there; 0: never */
};

/* Runs the stage in the current directory until SIGTERM. Returns an exit code. */
int scan_main(struct scan *scan);

/* ---- desk.c: inspections ---- */

/* `n` inspections at once. NULL: no memory. */
NODISCARD struct desk *desk_new(size_t n);

/* New settings, for the inspections that begin from now on. */
void desk_settings(struct desk *desk, const struct settings *settings);

/* A thread: has the job's leg inspected, and fills its facts. */
void desk_inspect(struct desk *desk, struct scan_job *job);

#endif
