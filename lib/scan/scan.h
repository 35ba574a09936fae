/*
 * seki-scan: judges what has been accepted and sends it on its way. See seki-scan(8).
 */
#ifndef SEKISHO_SCAN_SCAN_H
#define SEKISHO_SCAN_SCAN_H

#include "lib/org/compile.h"
#include "lib/scan/faults.h"
#include "lib/scan/jobs.h"
#include "queue/timetable.h"

struct scan {
	struct policy *policy; /* the rules in force */
	uint64_t serial;       /* of what they ask: another as soon as they ask something else */
	char generation[COMPILED_NAME]; /* in lib/compiled: theirs */
	char refused[COMPILED_NAME];    /* one that could not be read, and was told of */
	int64_t refused_at;             /* boot clock */
	char put_off[COMPILED_NAME];    /* one that asks something else, too soon after another */
	int64_t asked_at;  /* boot clock: since when these are asked; 0: since the start */
	struct tray *tray; /* what seki-db is told */
	struct desk *desk;
	struct jobs jobs;
	struct timetable waiting[JOB_KINDS]; /* legs for which there was no place */
	struct faults faults;
};

/* Runs the stage in the current directory until SIGTERM. Returns an exit code. */
int scan_main(struct scan *scan);

#endif
