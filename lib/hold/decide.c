/* What becomes of a leg that has come to a step of approve/ or hold/, by time and by the votes in it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/hold/actors.h"
#include "lib/hold/hold.h"
#include "lib/hold/waiting.h"
#include "lib/policy/window.h"
#include "queue/audit.h"

#define RECORD_MAX    ((size_t)65536)
#define LOOK_AGAIN    60             /* seconds: when nobody knows when it is over */
#define WINDOW_LATEST (30 * 86400LL) /* seconds: holidays may be written down until then */

/* ---- reading ------------------------------------------------------------------------------ */

bool waiting_read(const struct hold *h, const struct stage_opened *o, struct waiting *w)
{
	const struct settings *settings = &h->stage->settings;

	*w = (struct waiting){.now = watch_now(&h->stage->watch)};
	w->step = hold_plan_step(o->law.step, o->leg.amended_until);
	if (w->step.form == STEP_APPROVE) {
		switch (approval_read(&o->leg, o->law.step, &w->approval)) {
		case APPROVAL_READ:
			break;
		case APPROVAL_ODD:
			w->step = (struct hold_plan_step){.form = STEP_ODD,
			    .odd = "an approval that this version cannot ask for"};
			break;
		case APPROVAL_NO_MEMORY:
			return false;
		}
	}
	w->times = hold_times(settings, h->org, &o->leg, &w->step, &w->approval);
	w->place = (struct approval_place){.org = h->org,
	    .absences = h->absences,
	    .now = w->now,
	    .escalated =
		!h->stage->watch.frozen && w->times.escalate > 0 && w->times.escalate <= w->now};
	return true;
}

void waiting_free(struct waiting *w)
{
	if (w->step.form == STEP_APPROVE)
		approval_free(&w->approval);
}

void waiting_add_who(struct buf *out, const char *by, const char *via, const char *reason)
{
	buf_addf(out, " by=%s via=%s", by, via);
	if (reason[0] != '\0')
		buf_addf(out, " reason=%s", reason);
}

bool waiting_has_sender(const struct leg *leg)
{
	return leg->from[0] != '\0';
}

const char *waiting_blocked(struct stage *stage, enum spool_state state, struct stage_opened *o)
{
	struct plan_step *step = &o->leg.plan.step[o->law.step - o->leg.plan.step];
	struct law next;

	step->closed = true;
	next = law_of(&o->leg, state, stage_now(stage));
	step->closed = false;
	return next.verdict == LAW_STOP ? next.why : NULL;
}

int64_t waiting_due(int64_t time)
{
	return (time + CLOCK_SECOND - 1) / CLOCK_SECOND;
}

/* ---- outcomes ----------------------------------------------------------------------------- */

struct deciding {
	struct hold *h;
	struct stage *stage;
	enum spool_state state;
	struct stage_opened *o;
	struct waiting w;
};

static struct stage_outcome stop(const char *why)
{
	return (struct stage_outcome){.action = STAGE_STOP, .why = why};
}

static struct stage_outcome pass(struct deciding *d, const char *details)
{
	index_remove(
	    d->h->index, &d->o->leg.name); /* if it stays in approve or hold it comes anew */
	return (struct stage_outcome){.action = STAGE_PASS, .details = details};
}

static struct stage_outcome wait(const struct deciding *d, int64_t due)
{
	struct leg_name name = d->o->leg.name;

	hold_noted(d->h, d->state, d->o);
	name.due = due; /* as the stage renames it now: people may ask before it is seen */
	index_rename(d->h->index, &name);
	return (struct stage_outcome){.action = STAGE_WAIT, .until = due};
}

/* Nothing can be decided now: the leg keeps its name, and is looked at soon. */
static struct stage_outcome look_again(const struct deciding *d)
{
	hold_noted(d->h, d->state, d->o);
	stage_schedule(d->stage, d->state, &d->o->leg.name, stage_now(d->stage) + LOOK_AGAIN);
	return (struct stage_outcome){.action = STAGE_TAKEN};
}

/* Until the next of its times. Nothing comes of any while the clock is suspect, but one may be seen then. */
static struct stage_outcome wait_next(const struct deciding *d)
{
	int64_t next = hold_times_next(&d->w.times, d->w.now);

	return wait(d, next > 0 ? waiting_due(next) : DUE_NEVER);
}

/* What is decided by nobody is written down before it is done; where it cannot be, the mail waits. */
static bool audited(const struct deciding *d, const char *what, const char *details)
{
	char id[NAME_TEXT];
	struct buf line;
	bool done;

	name_format(&d->o->leg.name, STATE_NEW, id);
	buf_init(&line, AUDIT_LINE_MAX);
	audit_begin(&line, what);
	audit_put(&line, "id", id);
	audit_put(&line, "from", d->o->leg.from);
	audit_put(&line, "plan", d->o->leg.plan.digest);
	buf_addf(&line, " %s", details);
	done = audit_well(d->stage->audit) && audit_say_line(d->stage->audit, false, &line);
	if (!done)
		LOG_ALARM("not-audited", kv("id", id), kv("what", what), kv_errno(errno));
	buf_free(&line);
	return done;
}

/* ---- thrown away -------------------------------------------------------------------------- */

/* By the record's arguments. The rename is the commit; without it the law carries the record out. */
static struct stage_outcome discard(struct deciding *d, const char *by, const char *details)
{
	struct buf record;
	char id[NAME_TEXT];
	bool done;

	name_format(&d->o->leg.name, STATE_NEW, id);
	buf_init(&record, RECORD_MAX);
	buf_addf(&record, "discarded %s", details);
	buf_add(&record, "", 1);
	done = buf_ok(&record) && audited(d, "discarded", details) &&
	       stage_append(d->stage, d->o, record.bytes);
	buf_free(&record);
	if (!done || !stage_move(d->stage, d->state, d->o->text, &d->o->leg.name, STATE_TRASH,
			 DUE_NONE, NULL))
		return (struct stage_outcome){.action = STAGE_AGAIN_LATER};
	index_remove(d->h->index, &d->o->leg.name);
	LOG("discarded", kv("id", id), kv("from", state_name(d->state)), kv("to", "trash"),
	    kv("by", by), kv("via", "clock"));
	return (struct stage_outcome){.action = STAGE_TAKEN};
}

/* Nobody has acted. */
static struct stage_outcome discard_by_time(struct deciding *d, const char *cause)
{
	char details[96];

	(void)snprintf(details, sizeof details, "by=seki-hold via=clock cause=%s%s", cause,
	    waiting_has_sender(&d->o->leg) ? " tell=draft" : "");
	return discard(d, "seki-hold", details);
}

/* Whether somebody is still to be warned: then it is not thrown away before he is. */
static bool warning_owed(const struct deciding *d)
{
	struct notices notices;
	bool owed = false;

	if (hold_times_warned(&d->w.times))
		return false;
	if (notices_of(d->h->view, d->h->absences, d->state, d->o, d->w.now, false, &notices) !=
	    NOTICES_READ)
		return true;
	for (size_t i = 0; i < notices.n && !owed; i++)
		owed = notices.owed[i].what == TELL_WARNING;
	owed = owed || notices.more;
	notices_free(&notices);
	return owed;
}

/* Whether that time has come, by a clock that is believed. */
static bool come(const struct deciding *d, int64_t time)
{
	return time > 0 && !d->stage->watch.frozen && time <= d->w.now;
}

/* ---- hold --------------------------------------------------------------------------------- */

static struct stage_outcome until(struct deciding *d)
{
	if (come(d, d->w.times.pass))
		return pass(d, "ended=due");
	return wait(d, waiting_due(d->w.times.pass));
}

static struct stage_outcome confirmation(struct deciding *d)
{
	if (!come(d, d->w.times.discard)) {
		/* One that only a suspect clock says has come. */
		if (d->w.times.discard > 0 && d->w.times.discard <= d->w.now)
			return look_again(d);
		return wait_next(d);
	}
	if (d->h->org == NULL || warning_owed(d))
		return look_again(d);
	return discard_by_time(d, "not-confirmed");
}

/* No end of it is in sight. It is said once; other holidays (a generation of the organisation), or a start, have
 * it looked at again. */
static struct stage_outcome endless(struct deciding *d)
{
	char id[NAME_TEXT];

	if (d->o->leg.name.due != DUE_NEVER) {
		name_format(&d->o->leg.name, STATE_NEW, id);
		LOG_ALARM("window-endless", kv("id", id));
	}
	return wait(d, DUE_NEVER);
}

/* A forbidden time of day. Without holidays, or a clock that is believed, nobody knows whether it is one. */
static struct stage_outcome window(struct deciding *d)
{
	struct window window;
	int64_t latest = stage_now(d->stage) + WINDOW_LATEST, ends;

	if (d->stage->watch.frozen || d->h->org == NULL)
		return look_again(d);
	if (!window_look(d->w.step.window, d->w.step.window_len, d->h->org, d->w.now, &window))
		return stop("a time of day that this version cannot read");
	if (!window.inside)
		return pass(d, "ended=window");
	if (window.ends < 0)
		return endless(d);
	ends = waiting_due(window.ends);
	return wait(d, ends < latest ? ends : latest);
}

/* ---- approve ------------------------------------------------------------------------------ */

/* All have approved; but whoever voted last was cut off before the step was closed. */
static struct stage_outcome approved(struct deciding *d)
{
	struct stage_outcome outcome = {.action = STAGE_AGAIN_LATER};
	const char *blocked = waiting_blocked(d->stage, d->state, d->o);
	struct buf details;

	/* Asked before anything is written: what cannot go on has not been approved. */
	if (blocked != NULL) {
		hold_noted(d->h, d->state, d->o);
		return stop(blocked);
	}
	buf_init(&details, RECORD_MAX);
	approval_write_by(&d->w.approval, &details);
	buf_add_text(&details, " ended=votes");
	buf_add(&details, "", 1);
	if (buf_ok(&details) && audited(d, "approved", details.bytes) &&
	    stage_pass(d->stage, d->state, d->o, details.bytes)) {
		index_remove(d->h->index, &d->o->leg.name);
		outcome.action = STAGE_TAKEN;
	}
	buf_free(&details);
	return outcome;
}

/* The same with a vote that refuses it. */
static struct stage_outcome refused(struct deciding *d)
{
	const struct approval_vote *vote = &d->w.approval.vote[d->w.approval.votes - 1];
	struct stage_outcome outcome = {.action = STAGE_AGAIN_LATER};
	struct buf details;

	buf_init(&details, RECORD_MAX);
	buf_add_text(&details, "by=");
	buf_add_xtext(&details, vote->by, strlen(vote->by));
	buf_addf(&details, " via=vote cause=%s%s",
	    vote->say == VOTE_RETURN ? "returned" : "rejected",
	    waiting_has_sender(&d->o->leg) ? " tell=draft" : "");
	buf_add(&details, "", 1);
	if (buf_ok(&details))
		outcome = discard(d, vote->by, details.bytes);
	buf_free(&details);
	return outcome;
}

/* Nobody has approved it in time: it waits on, and is said once to do so, or it is thrown away. */
static struct stage_outcome expired(struct deciding *d)
{
	char id[NAME_TEXT];

	if (d->stage->settings.approve_expiry == APPROVE_EXPIRY_DISCARD)
		return warning_owed(d) ? look_again(d) : discard_by_time(d, "expired");
	if (d->o->leg.name.due != DUE_NEVER) {
		name_format(&d->o->leg.name, STATE_NEW, id);
		LOG_ALARM("approval-expired", kv("id", id),
		    kv_num("stage", (int64_t)d->w.approval.at + 1),
		    kv_num("hours", (d->w.now - d->w.times.since) / CLOCK_SECOND / 3600));
	}
	return wait(d, DUE_NEVER);
}

static struct stage_outcome approval(struct deciding *d)
{
	if (d->w.approval.refused)
		return refused(d);
	if (d->w.approval.at == d->w.approval.stages)
		return approved(d);
	if (d->h->org == NULL)
		return look_again(d);
	if (actor_unknown(d->h->org, &d->o->leg)) {
		hold_noted(d->h, d->state, d->o);
		return stop(
		    "a login that is nobody's handed it in: only an operator may approve it");
	}
	if (!approval_possible(&d->w.place, &d->o->leg, &d->w.approval)) {
		hold_noted(d->h, d->state, d->o);
		return stop("nobody who is there may approve it");
	}
	if (come(d, d->w.times.expire))
		return expired(d);
	if (hold_times_next(&d->w.times, d->w.now) == 0 && d->w.times.expire > 0)
		return look_again(d);
	return wait_next(d);
}

/* ---- the decision ------------------------------------------------------------------------- */

static struct stage_outcome decide(struct deciding *d)
{
	switch (d->w.step.form) {
	case STEP_NO:
		return pass(d, d->state == STATE_APPROVE ? "ended=nobody" : "ended=at-once");
	case STEP_UNTIL:
		return until(d);
	case STEP_OPERATOR: /* an ordinary wait, and no alarm: it has its order in the plan */
		return wait(d, DUE_NEVER);
	case STEP_CONFIRMED:
	case STEP_CHECKED:
		return confirmation(d);
	case STEP_WINDOW:
		return window(d);
	case STEP_APPROVE:
		return approval(d);
	case STEP_ODD:
		break;
	}
	hold_noted(d->h, d->state, d->o);
	return stop(d->w.step.odd);
}

struct stage_outcome hold_decide(
    struct stage *stage, enum spool_state state, struct stage_opened *opened)
{
	struct deciding d = {.h = stage->context, .stage = stage, .state = state, .o = opened};
	struct stage_outcome outcome;

	if (opened->law.step == NULL) { /* trash/: where it belongs */
		hold_noted(d.h, state, opened);
		return (struct stage_outcome){.action = STAGE_KEEP};
	}
	if (!waiting_read(d.h, opened, &d.w))
		return (struct stage_outcome){.action = STAGE_AGAIN_LATER};
	outcome = decide(&d);
	waiting_free(&d.w);
	return outcome;
}
