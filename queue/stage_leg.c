/* What a stage does about one leg. */
#include "queue/stage.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/buf.h"
#include "lib/base/log.h"
#include "queue/audit.h"

#define RECORD_MAX ((size_t)65536)

static struct log_field kv_leg(const struct leg_name *name, char text[NAME_TEXT])
{
	name_format(name, STATE_NEW, text); /* ID.K */
	return kv("id", text);
}

void stage_quarantine(
    struct stage *stage, enum spool_state state, const char *name, const char *why)
{
	bool done = spool_quarantine(&stage->spool, state, name);

	LOG_ALARM(done ? "quarantined" : "quarantine-failed", kv("name", name),
	    kv("from", state_name(state)), kv("why", why),
	    kv("error", done ? "" : strerror(errno)));
}

bool stage_move(struct stage *stage, enum spool_state from, const char *from_name,
    const struct leg_name *name, enum spool_state to, int64_t due, const char *why)
{
	struct leg_name target = *name;
	char text[NAME_TEXT], id[NAME_TEXT];

	target.due = due;
	name_format(&target, to, text);
	if (to == STATE_BAD) {
		stage_quarantine(stage, from, from_name, why);
		return true;
	}

	switch (spool_move(&stage->spool, from, from_name, to, text)) {
	case SPOOL_MOVED:
		if (to != from && why != NULL)
			LOG("moved", kv_leg(name, id), kv("from", state_name(from)),
			    kv("to", state_name(to)), kv("why", why));
		return true;
	case SPOOL_MOVE_GONE:
		return true; /* an operator was faster */
	case SPOOL_MOVE_TAKEN:
		stage_quarantine(stage, from, from_name, "second copy");
		return true;
	case SPOOL_MOVE_FAILED:
		break;
	}
	LOG_ALARM("move-failed", kv_leg(name, id), kv("from", state_name(from)),
	    kv("to", state_name(to)), kv_errno(errno));
	return false;
}

/* Whether that was said since the start. Jobs may ask, too: said twice is better than never. */
static bool was_said(struct stage *stage, const char *id, const char *why)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	size_t at;

	for (; *id != '\0'; id++)
		hash = (hash ^ (unsigned char)*id) * UINT64_C(1099511628211);
	for (; *why != '\0'; why++)
		hash = (hash ^ (unsigned char)*why) * UINT64_C(1099511628211);
	for (at = 0; at < STAGE_SAID; at++) {
		if (atomic_load(&stage->said[at]) == hash)
			return true;
	}
	at = atomic_fetch_add(&stage->said_next, 1) % STAGE_SAID;
	atomic_store(&stage->said[at], hash);
	return false;
}

/* Leaves a leg for a person: its name says that nothing will happen by itself. */
static void stop(struct stage *stage, enum spool_state state, const struct leg_name *name,
    const char *text, const char *why)
{
	char id[NAME_TEXT];

	name_format(name, STATE_NEW, id); /* ID.K */
	if (!was_said(stage, id, why))
		LOG_ALARM("stopped", kv("id", id), kv("state", state_name(state)), kv("why", why));
	if (state_has_due(state) && name->due != DUE_NEVER)
		(void)stage_move(stage, state, text, name, state, DUE_NEVER, why);
}

/* Reads an opened file as a leg; on anything but ACT `fd` is closed by the caller. */
static enum stage_open read_leg(struct stage *stage, enum spool_state state,
    const struct leg_name *name, struct stage_opened *o)
{
	const char *why;

	switch (leg_read(o->fd, (size_t)stage->limits.trailer_max, &o->leg, &why)) {
	case LEG_FINE:
		break;
	case LEG_UNREADABLE:
		stage_quarantine(stage, state, o->text, why);
		return STAGE_OPEN_GONE;
	case LEG_TOO_LONG:
		stop(stage, state, name, o->text, why);
		return STAGE_OPEN_GONE;
	case LEG_ENVIRON:
		LOG_ALARM("read-failed", kv("name", o->text), kv_errno(errno));
		return STAGE_OPEN_AGAIN;
	}

	if (!name_same_leg(&o->leg.name, name)) {
		leg_free(&o->leg);
		stage_quarantine(stage, state, o->text, "another leg's name");
		return STAGE_OPEN_GONE;
	}
	o->leg.name.due = name->due;
	return STAGE_OPEN_ACT;
}

enum stage_open stage_read(struct stage *stage, enum spool_state state, const struct leg_name *name,
    struct stage_opened *o)
{
	enum stage_open result;

	name_format(name, state, o->text);
	switch (spool_open_leg(&stage->spool, state, o->text, &o->fd)) {
	case SPOOL_OPENED:
		break;
	case SPOOL_GONE:
		return STAGE_OPEN_GONE;
	case SPOOL_FOREIGN:
		stage_quarantine(stage, state, o->text, "foreign file");
		return STAGE_OPEN_GONE;
	case SPOOL_FAILED:
		LOG_ALARM("open-failed", kv("name", o->text), kv_errno(errno));
		return STAGE_OPEN_AGAIN;
	}

	result = read_leg(stage, state, name, o);
	if (result != STAGE_OPEN_ACT)
		(void)close(o->fd);
	return result;
}

enum stage_open stage_open(struct stage *stage, enum spool_state state, const struct leg_name *name,
    int64_t now, struct stage_opened *o)
{
	enum stage_open result = stage_read(stage, state, name, o);

	if (result != STAGE_OPEN_ACT)
		return result;
	o->law = law_of(&o->leg, state, now);
	if (o->law.verdict == LAW_ACT)
		return STAGE_OPEN_ACT;

	result = STAGE_OPEN_GONE;
	if (o->law.verdict == LAW_STOP)
		stop(stage, state, name, o->text, o->law.why);
	else if (!stage_move(stage, state, o->text, name, o->law.state, o->law.due, o->law.why))
		result = STAGE_OPEN_AGAIN;
	leg_free(&o->leg);
	(void)close(o->fd);
	return result;
}

bool stage_append(struct stage *stage, struct stage_opened *o, const char *text)
{
	struct buf record;
	char time[CLOCK_TEXT];
	bool done;

	clock_format(watch_now(&stage->watch), time);
	buf_init(&record, RECORD_MAX);
	buf_addf(&record, "%s %s\n", time, text);
	errno = ENOMEM;
	done = buf_ok(&record) && spool_append(o->fd, o->leg.end, record.bytes, record.len);
	if (done)
		o->leg.end += (off_t)record.len;
	else
		LOG_ALARM("append-failed", kv("name", o->text), kv_errno(errno));
	buf_free(&record);
	return done;
}

bool stage_close_step(struct stage *stage, struct stage_opened *o, const char *details)
{
	struct buf text;
	bool done;

	buf_init(&text, RECORD_MAX);
	buf_addf(&text, "%s plan=%s%s%s", plan_closing(o->law.step->word), o->leg.plan.digest,
	    details[0] != '\0' ? " " : "", details);
	buf_add(&text, "", 1);
	done = buf_ok(&text) && stage_append(stage, o, text.bytes);
	buf_free(&text);
	if (done)
		o->leg.plan.step[o->law.step - o->leg.plan.step].closed = true;
	return done;
}

bool stage_pass(
    struct stage *stage, enum spool_state state, struct stage_opened *o, const char *details)
{
	struct law next;

	if (!stage_close_step(stage, o, details))
		return false;

	/* The commit is the rename that follows: the law is asked again, with the step closed. */
	next = law_of(&o->leg, state, stage_now(stage));
	switch (next.verdict) {
	case LAW_MOVE:
		return stage_move(stage, state, o->text, &o->leg.name, next.state, next.due, NULL);
	case LAW_STOP:
		stop(stage, state, &o->leg.name, o->text, next.why);
		return true;
	case LAW_ACT:
		break;
	}
	/* One hold behind another: it stays, and may have the name already that says until when. */
	next.due =
	    next.step != NULL ? law_due(&o->leg, next.step, stage_now(stage)) : stage_now(stage);
	if (next.due != o->leg.name.due)
		return stage_move(stage, state, o->text, &o->leg.name, state, next.due, NULL);
	stage_schedule(stage, state, &o->leg.name, next.due);
	return true;
}

/*
 * What time or rules end is written down before it is done; where it cannot be, the mail waits. Steps
 * that decide nothing (a transformation, a division) are no business of the audit.
 */
static bool audited(struct stage *stage, const struct stage_opened *o, const char *details)
{
	const struct plan_step *step = o->law.step;
	char id[NAME_TEXT];
	struct buf line;
	bool done;

	if (step == NULL || (step->word != WORD_HOLD && step->word != WORD_APPROVE))
		return true;
	name_format(&o->leg.name, STATE_NEW, id);
	buf_init(&line, AUDIT_LINE_MAX);
	audit_begin(&line, plan_closing(step->word));
	audit_put(&line, "id", id);
	audit_put(&line, "from", o->leg.from);
	audit_put(&line, "plan", o->leg.plan.digest);
	buf_addf(&line, " %s", details);
	done = audit_well(stage->audit) && audit_say_line(stage->audit, false, &line);
	if (!done)
		LOG_ALARM("not-audited", kv("id", id), kv("what", plan_closing(step->word)),
		    kv_errno(errno));
	buf_free(&line);
	return done;
}

/* The stage's own decision about a leg that is its to decide about. */
static void decide(struct stage *stage, enum spool_state state, struct stage_opened *o)
{
	struct leg_name *name = &o->leg.name;
	struct stage_outcome outcome = stage->role->decide(stage, state, o);

	switch (outcome.action) {
	case STAGE_PASS:
		if (!audited(stage, o, outcome.details != NULL ? outcome.details : "") ||
		    !stage_pass(stage, state, o, outcome.details != NULL ? outcome.details : ""))
			stage_schedule(stage, state, name, stage_now(stage) + STAGE_AGAIN);
		break;
	case STAGE_WAIT:
		if (name->due == outcome.until)
			stage_schedule(stage, state, name, outcome.until);
		else if (!stage_move(stage, state, o->text, name, state, outcome.until, NULL))
			stage_schedule(stage, state, name, stage_now(stage) + STAGE_AGAIN);
		break;
	case STAGE_STOP:
		stop(stage, state, name, o->text, outcome.why);
		break;
	case STAGE_AGAIN_LATER:
		stage_schedule(stage, state, name, stage_now(stage) + STAGE_AGAIN);
		break;
	case STAGE_TAKEN:
	case STAGE_KEEP:
		break;
	}
}

void stage_look(struct stage *stage, enum spool_state state, const struct leg_name *name)
{
	struct stage_opened o;

	/* A job reads and appends by its own descriptor: the leg is moved under nobody's hands. */
	if (stage->role->in_hand != NULL && stage->role->in_hand(stage, name)) {
		stage_schedule(stage, state, name, stage_now(stage) + STAGE_AGAIN);
		return;
	}
	switch (stage_open(stage, state, name, stage_now(stage), &o)) {
	case STAGE_OPEN_ACT:
		decide(stage, state, &o);
		leg_free(&o.leg);
		(void)close(o.fd);
		break;
	case STAGE_OPEN_AGAIN:
		stage_schedule(stage, state, name, stage_now(stage) + STAGE_AGAIN);
		break;
	case STAGE_OPEN_GONE:
		break;
	}
}

bool stage_step_is(const struct stage_opened *o, const char *text)
{
	const struct plan_step *step = o->law.step;

	return step != NULL && step->len == strlen(text) &&
	       memcmp(step->text, text, step->len) == 0;
}

struct stage_outcome stage_timed(
    struct stage *stage, enum spool_state state, struct stage_opened *o)
{
	static const char *const words[] = {"hold", "stagger", "operator", "no", NULL};
	static const char *const keys[] = {"until", "why", "reason", "door", "rule", NULL};
	int64_t until = law_until(&o->leg, o->law.step);
	int64_t due = law_due(&o->leg, o->law.step, 0);

	if (!plan_knows(o->law.step, words, keys))
		return (struct stage_outcome){
		    .action = STAGE_STOP, .why = "a wait that this version cannot end"};
	/* An ordinary wait, and no alarm: it has its order in the plan. */
	if (law_operator(o->law.step))
		return (struct stage_outcome){.action = STAGE_WAIT, .until = DUE_NEVER};
	if (until < 0)
		return (struct stage_outcome){.action = STAGE_STOP, .why = "no time that ends it"};
	if (until == 0)
		return (struct stage_outcome){.action = STAGE_PASS, .details = "ended=at-once"};
	/* A time that only a suspect clock says has come has not come. */
	if (stage_timer_frozen(stage, state) || watch_now(&stage->watch) < until)
		return (struct stage_outcome){.action = STAGE_WAIT, .until = due};
	return (struct stage_outcome){.action = STAGE_PASS, .details = "ended=due"};
}
