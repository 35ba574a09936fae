/* The times of a leg in approve/ or hold/. */
#include "lib/hold/clock.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

/* ---- what the leg says -------------------------------------------------------------------- */

/* Since when the leg waits in its hold: what closed the step before it, or brought it here anew. */
static int64_t waits_since(const struct leg *leg)
{
	static const char *const words[] = {"judged", "approved", "held", "restored"};
	int64_t since = leg->accepted;
	struct leg_record r;
	size_t at = 0;

	while (leg_next_record(leg, &at, &r)) {
		for (size_t i = 0; i < COUNT_OF(words); i++) {
			if (leg_record_is(&r, words[i]) && r.time > since)
				since = r.time;
		}
	}
	return since;
}

static bool value_is(const struct leg_record *r, const char *key, const char *text)
{
	size_t len;
	const char *value = leg_record_value(r, key, &len);

	return value != NULL && len == strlen(text) && memcmp(value, text, len) == 0;
}

/* The last warning since then; of an approval, about the stage that is being asked. */
static int64_t last_warning(const struct leg *leg, int64_t since, const struct approval *approval)
{
	char step[24] = "";
	int64_t warned = 0;
	struct leg_record r;
	size_t at = 0;

	if (approval != NULL)
		(void)snprintf(step, sizeof step, "%zu", approval->at + 1);
	while (leg_next_record(leg, &at, &r)) {
		if (leg_record_is(&r, "noticed") && r.time >= since &&
		    value_is(&r, "what", "warning") &&
		    (step[0] == '\0' || value_is(&r, "step", step)))
			warned = r.time > warned ? r.time : warned;
	}
	return warned;
}

/* ---- times -------------------------------------------------------------------------------- */

/* The end, or later if its warning came too late; -1 (it lies beyond all days) is none. */
static int64_t put_off(const struct hold_times *t, int64_t end)
{
	int64_t after = t->warned + t->lead / 2;

	if (end <= 0)
		return 0;
	return t->warn != 0 && t->warned != 0 && after > end ? after : end;
}

static void set_warning(struct hold_times *t, const struct leg *leg,
    const struct approval *approval, int64_t warn, int64_t end)
{
	if (end <= 0)
		return;
	t->warn = warn > t->since ? warn : t->since;
	t->lead = end - t->warn;
	t->warned = last_warning(leg, t->since, approval);
}

static void hold_discarded(struct hold_times *t, const struct settings *settings,
    const struct leg *leg, const struct hold_plan_step *step)
{
	int64_t end = step->time;

	t->since = waits_since(leg);
	if (end == 0)
		end = t->since + settings->discard_after;
	if (leg->amended_until > end)
		end = leg->amended_until;
	if (settings->warn_before > 0)
		set_warning(t, leg, NULL, end - settings->warn_before, end);
	t->discard = put_off(t, end);
}

static int64_t working(
    const struct settings *settings, const struct org *org, int64_t since, int64_t span)
{
	int64_t end = span > 0 ? worktime_add(settings, org, since, span) : 0;

	return end > 0 ? end : 0;
}

static void approving(struct hold_times *t, const struct settings *settings, const struct org *org,
    const struct leg *leg, const struct approval *approval)
{
	int64_t end, before = settings->approve_expire - settings->approve_warn;

	t->since = approval->since;
	t->escalate = working(settings, org, t->since, settings->approve_escalate);
	end = working(settings, org, t->since, settings->approve_expire);
	/* What only goes on waiting is not warned of. */
	if (settings->approve_expiry == APPROVE_EXPIRY_DISCARD && settings->approve_warn > 0)
		set_warning(t, leg, approval,
		    before > 0 ? working(settings, org, t->since, before) : t->since, end);
	t->expire = put_off(t, end);
}

struct hold_times hold_times(const struct settings *settings, const struct org *org,
    const struct leg *leg, const struct hold_plan_step *step, const struct approval *approval)
{
	struct hold_times t = {.pass = 0};

	switch (step->form) {
	case STEP_UNTIL:
		t.pass = step->time;
		break;
	case STEP_CONFIRMED:
	case STEP_CHECKED:
		if (step->discard)
			hold_discarded(&t, settings, leg, step);
		break;
	case STEP_APPROVE:
		if (approval->at < approval->stages && !approval->refused)
			approving(&t, settings, org, leg, approval);
		break;
	case STEP_NO:
	case STEP_OPERATOR:
	case STEP_WINDOW:
	case STEP_ODD:
		break;
	}
	return t;
}

int64_t hold_times_next(const struct hold_times *times, int64_t now)
{
	const int64_t all[] = {
	    times->pass, times->warn, times->escalate, times->discard, times->expire};
	int64_t next = 0;

	for (size_t i = 0; i < COUNT_OF(all); i++) {
		if (all[i] > now && (next == 0 || all[i] < next))
			next = all[i];
	}
	return next;
}

bool hold_times_warned(const struct hold_times *times)
{
	return times->warn == 0 || times->warned != 0;
}

bool hold_times_over(const struct hold_times *times, int64_t now)
{
	if (times->pass > 0 && times->pass <= now)
		return true;
	return hold_times_warned(times) && ((times->discard > 0 && times->discard <= now) ||
					       (times->expire > 0 && times->expire <= now));
}

int64_t hold_times_if_warned(const struct hold_times *times, int64_t now)
{
	int64_t end = times->discard != 0 ? times->discard : times->expire;

	if (end == 0 || times->warn == 0 || times->warned != 0)
		return end;
	return now + times->lead / 2 > end ? now + times->lead / 2 : end;
}
