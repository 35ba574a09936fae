/*
 * When time does something to a leg: its end, the warnings before it, the escalation of an approval, the
 * next moment at which somebody is told. Pure.
 */
#ifndef SEKISHO_HOLD_CLOCK_H
#define SEKISHO_HOLD_CLOCK_H

#include "lib/base/settings.h"
#include "lib/hold/approval.h"
#include "lib/hold/plan_step.h"

/*
 * All in microseconds, 0 if there is none. A time in the past has come.
 *
 * Who is to be warned is warned before anything is thrown away: while a warning is owed (lib/hold/notices.h)
 * nothing is discarded, and no approval expires into trash/. What was warned of too late, by the record
 * `noticed what=warning`, is put off: half of `lead` lies between the warning and the end.
 */
struct hold_times {
	int64_t pass;     /* the step is over */
	int64_t warn;     /* it will be thrown away, or its approval will expire into trash/ */
	int64_t escalate; /* others may vote from now on */
	int64_t discard;  /* nobody has acted; put off already if the warning came late */
	int64_t expire; /* an approval that nobody gave in time: setting approve-expiry; the same */

	int64_t since;  /* since when people are waited for, in this step or stage */
	int64_t lead;   /* between `warn` and `discard` or `expire` */
	int64_t warned; /* the last such record */
};

/* `approval` only for STEP_APPROVE. Working time by settings and the organisation's holidays. */
struct hold_times hold_times(const struct settings *settings, const struct org *org,
    const struct leg *leg, const struct hold_plan_step *step, const struct approval *approval);

/* The next moment after `now` at which one of them comes; 0: none. */
int64_t hold_times_next(const struct hold_times *times, int64_t now);

/* When it is thrown away if its people are warned at `now`: what a warning says. 0: it is not. */
int64_t hold_times_if_warned(const struct hold_times *times, int64_t now);

/* Whether an end that must be warned of has been. */
NODISCARD bool hold_times_warned(const struct hold_times *times);

/* Whether time ends it now: by `pass`, or by an end that nobody is still to be warned of. */
NODISCARD bool hold_times_over(const struct hold_times *times, int64_t now);

/* ---- working time: lib/hold/worktime.c ---- */

/* The moment when `span` microseconds of working time have gone by since `from`: setting working-hours on
 * Monday to Friday but for etc/holidays; in the site's zone. -1: never within 400 days. */
int64_t worktime_add(
    const struct settings *settings, const struct org *org, int64_t from, int64_t span);

/* Whether that moment is quiet: setting quiet-hours, and days on which nobody works. `until` (may be NULL):
 * when it ends; `now` if it is not quiet. */
NODISCARD bool worktime_quiet(
    const struct settings *settings, const struct org *org, int64_t now, int64_t *until);

#endif
