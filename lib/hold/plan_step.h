/* A step of a plan that is seki-hold's, read strictly, word by word (/man/seki-hold.8). */
#ifndef SEKISHO_HOLD_PLAN_STEP_H
#define SEKISHO_HOLD_PLAN_STEP_H

#include "queue/plan.h"

enum step_form {
	STEP_NO,        /* passes at once */
	STEP_UNTIL,     /* passes at a time */
	STEP_OPERATOR,  /* an operator ends it */
	STEP_CONFIRMED, /* the sender ends it */
	STEP_CHECKED,   /* the sender ends it by confirming each entry of his check */
	STEP_WINDOW,    /* passes outside of spans of time */
	STEP_APPROVE,
	STEP_ODD, /* this version does not know it: the leg stops */
};

enum step_notice { NOTICE_UNSAID, NOTICE_NEVER, NOTICE_DIGEST, NOTICE_RISKY, NOTICE_ALWAYS };

struct hold_plan_step {
	enum step_form form;
	bool discard;            /* thrown away if nobody acts */
	int64_t time;            /* STEP_UNTIL: microseconds, extended or not; else 0 */
	enum step_notice notice; /* what the rule says */
	const char *window;      /* STEP_WINDOW: xtext, not NUL-ended */
	size_t window_len;
	const char *odd; /* STEP_ODD: why, a literal */
};

/* `amended`: leg.amended_until. */
struct hold_plan_step hold_plan_step(const struct plan_step *step, int64_t amended);

#endif
