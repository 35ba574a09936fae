/* What an opened leg of approve/ or hold/ waits for, as time and people are now. Internal to lib/hold. */
#ifndef SEKISHO_HOLD_WAITING_H
#define SEKISHO_HOLD_WAITING_H

#include "lib/hold/clock.h"
#include "lib/hold/inside.h"

struct waiting {
	struct hold_plan_step step; /* STEP_ODD too for approvers in a form that is not known */
	struct approval approval;   /* only STEP_APPROVE */
	struct approval_place place;
	struct hold_times times;
	int64_t now; /* microseconds, of the time that is believed */
};

/* Reads the step in opened->law, which there is. False: no memory. Free with waiting_free after true. */
NODISCARD bool waiting_read(
    const struct hold *h, const struct stage_opened *opened, struct waiting *waiting);
void waiting_free(struct waiting *waiting);

/* Adds `by=X via=Y` and what has been ordered with it to a record; see decide.c for the clock's own. */
void waiting_add_who(struct buf *out, const char *by, const char *via, const char *reason);

/* Whether the sender of the leg can get it back as a draft. */
NODISCARD bool waiting_has_sender(const struct leg *leg);

/* Why the law would stop the leg if its step were closed now, a literal; NULL: it can go on. */
const char *waiting_blocked(
    struct stage *stage, enum spool_state state, struct stage_opened *opened);

/* Seconds, rounded up: a timetable must not be earlier than a deadline. */
int64_t waiting_due(int64_t time);

#endif
