/*
 * The memory of faults that are not a message's own. Nobody there, no scratch: everybody pauses,
 * for 5 seconds, then longer, at most 60. A fault of one leg alone: that leg pauses. Kept in
 * memory, and bounded: what is forgotten begins at 5 seconds again.
 *
 * Times are microseconds of the boot clock.
 */
#ifndef SEKISHO_SCAN_FAULTS_H
#define SEKISHO_SCAN_FAULTS_H

#include "lib/scan/heard.h"
#include "queue/name.h"

#define FAULTS_FIRST  INT64_C(5000000)
#define FAULTS_LONG   INT64_C(60000000)
#define FAULTS_ALARM  INT64_C(60000000) /* between two alarms of one kind: each leg would say it */
#define FAULTS_LEGS   ((size_t)512)
#define FAULTS_KILLED 3 /* whose inspector ended so often in a row has ended it */

struct faults_leg {
	char id[ID_TEXT]; /* "": none */
	char k[K_MAX];
	int64_t pause;
	unsigned killed;
};

struct faults {
	struct faults_leg leg[FAULTS_LEGS]; /* a ring: the oldest gives way */
	size_t next;
	int64_t pause; /* everybody's; 0: none */
	int64_t until;
	bool told[HEARD_FAULT_COUNT];
	int64_t told_at[HEARD_FAULT_COUNT];
};

/* How long nobody is to be asked: 0 if that is over. */
NODISCARD int64_t faults_left(const struct faults *faults, int64_t now);

/* Everybody pauses. Inspections that had begun before and fail, too, make it no longer. */
void faults_pause(struct faults *faults, int64_t now);

/* Somebody has answered. */
void faults_over(struct faults *faults);

/* One leg pauses: how long. */
NODISCARD int64_t faults_leg_pause(struct faults *faults, const struct leg_name *name);

/* Its inspector was killed: how often, in a row. */
NODISCARD unsigned faults_leg_killed(struct faults *faults, const struct leg_name *name);

/* It was inspected. */
void faults_leg_over(struct faults *faults, const struct leg_name *name);

/* Whether it is time for an alarm of that kind; then it counts as given. */
NODISCARD bool faults_tell(struct faults *faults, enum heard_fault fault, int64_t now);

#endif
