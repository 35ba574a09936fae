/* The stage: new mail is inspected if that is wished, judged, and sent on or divided. */
#include "lib/scan/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "queue/intake.h"

#define DRAIN_SECONDS 10
#define RECORD_MAX    ((size_t)65536)

static const enum spool_state states[] = {STATE_NEW, STATE_BAD};

static bool in_hand(struct stage *stage, const struct leg_name *name)
{
	const struct scan *scan = stage->context;

	for (size_t i = 0; i < COUNT_OF(scan->running); i++) {
		if (scan->running[i] != NULL &&
		    name_same_leg(&scan->running[i]->opened.leg.name, name))
			return true;
	}
	return false;
}

/* ---- jobs --------------------------------------------------------------------------------- */

static size_t *running_of(struct scan *scan, const struct scan_job *job)
{
	return job->kind == JOB_DIVISION ? &scan->divisions : &scan->inspections;
}

static void job_free(struct scan_job *job)
{
	policy_judgement_free(&job->judgement);
	leg_free(&job->opened.leg);
	(void)close(job->opened.fd);
	free(job);
}

/* Whether a job of the kind could be begun now. */
static bool has_place(const struct stage *stage, const struct scan *scan, bool division)
{
	/* As many wait as are worked on, so that no thread waits for the loop. */
	if (division)
		return scan->divisions < 2 * SCAN_DIVISIONS;
	return scan->inspections < 2 * (size_t)stage->settings.inspectors &&
	       scan->inspections < scan->inspection_places;
}

/* Takes the opened leg over: the stage's own copy is emptied. NULL: not now. */
static struct scan_job *new_job(struct stage *stage, struct stage_opened *o)
{
	struct scan_job *job = calloc(1, sizeof *job);

	if (job == NULL)
		return NULL;
	job->stage = stage;
	job->now = watch_now(&stage->watch);
	job->opened = *o;
	job->opened.fd = dup(o->fd);
	buf_init(&o->leg.head_bytes, 0);
	buf_init(&o->leg.trailer_bytes, 0);
	o->leg.rcpt = NULL;
	if (job->opened.fd >= 0)
		return job;
	job_free(job);
	return NULL;
}

static struct stage_outcome begin(struct stage *stage, struct scan_job *job)
{
	struct scan *scan = stage->context;
	size_t i = 0;

	while (scan->running[i] != NULL)
		i++;
	scan->running[i] = job;
	++*running_of(scan, job);
	pool_put(scan->pool, job);
	return (struct stage_outcome){.action = STAGE_TAKEN};
}

/* ---- one leg ------------------------------------------------------------------------------ */

/* Appends the plan and moves the leg to its first state. False: not now. */
static bool send_on(struct stage *stage, struct stage_opened *o, const struct buf *lines)
{
	struct leg *leg = &o->leg;
	struct buf record;
	struct law first;
	bool done;

	buf_init(&record, RECORD_MAX);
	plan_write(&record, leg->name.id, leg->name.k, lines->bytes, lines->len);
	done = buf_ok(&record) && spool_append(o->fd, leg->end, record.bytes, record.len);
	buf_free(&record);
	if (!done) {
		LOG_ALARM("append-failed", kv("id", o->text), kv_errno(errno));
		return false;
	}

	plan_digest(leg->name.id, leg->name.k, lines->bytes, lines->len, leg->plan.digest);
	if (!plan_parse(&leg->plan, lines->bytes, lines->len))
		die_bug("seki-scan: a plan that is none");
	first = law_first(leg, stage_now(stage));
	LOG("judged", kv("id", o->text), kv("plan", leg->plan.digest), kv_num("legs", 1),
	    kv("to", state_name(first.state)));
	return stage_move(stage, STATE_NEW, o->text, &leg->name, first.state, first.due, NULL);
}

/* ---- a division --------------------------------------------------------------------------- */

static void divide(struct scan_job *d)
{
	size_t n = d->judgement.groups;
	struct split_child *child = reallocarray(NULL, n, sizeof *child);

	d->result = SPLIT_FAILED;
	d->error = ENOMEM;
	if (child == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		const struct policy_group *g = &d->judgement.group[i];

		child[i] = (struct split_child){g->rcpt, g->rcpts, g->plan.bytes, g->plan.len};
	}
	d->result = split_leg(d->stage, STATE_NEW, &d->opened, child, n, d->now);
	d->error = errno;
	free(child);
}

/* Gives the opened leg to the pool. */
static struct stage_outcome start_division(
    struct stage *stage, struct stage_opened *o, struct policy_judgement *j)
{
	struct scan *scan = stage->context;
	struct scan_job *job = has_place(stage, scan, true) ? new_job(stage, o) : NULL;

	if (job == NULL)
		return (struct stage_outcome){.action = STAGE_AGAIN_LATER};
	job->kind = JOB_DIVISION;
	job->judgement = *j;
	*j = (struct policy_judgement){.groups = 0};
	return begin(stage, job);
}

static void end_division(struct stage *stage, struct scan_job *d)
{
	const struct leg_name *name = &d->opened.leg.name;

	switch (d->result) {
	case SPLIT_DONE:
		LOG("judged", kv("id", d->opened.text),
		    kv_num("legs", (int64_t)d->judgement.groups));
		break;
	case SPLIT_TOO_MANY:
		LOG_ALARM("stopped", kv("id", d->opened.text), kv("state", "new"),
		    kv("why", "more legs than legs-max or split-max allow"),
		    kv_num("legs", (int64_t)d->judgement.groups));
		break;
	case SPLIT_FAILED:
		LOG_ALARM("division-failed", kv("id", d->opened.text), kv_errno(d->error));
		stage_schedule(stage, STATE_NEW, name, stage_now(stage) + STAGE_AGAIN);
		break;
	case SPLIT_UNFINISHED:
		/* The next start ends it, under the lock and before anything else. */
		die_environ("a division that could not be ended");
	}
}

/* ---- judging ------------------------------------------------------------------------------ */

/*
 * A message is judged as of its acceptance, so that waiting in new/ costs nothing. But a stamp that
 * a suspect clock made, or that lies ahead, would end a hold too early or never.
 */
static int64_t judged_as_of(const struct stage *stage, const struct leg *leg)
{
	int64_t now = watch_now(&stage->watch);

	return stage->watch.frozen || leg->accepted > now ? now : leg->accepted;
}

/* What is known of the message is known: a plan, and its legs. */
static struct stage_outcome judge(
    struct stage *stage, struct stage_opened *o, const struct policy_facts *facts)
{
	struct stage_outcome outcome = {.action = STAGE_AGAIN_LATER};
	struct policy_judgement j;

	if (!policy_judge(&stage->settings, &o->leg, facts, judged_as_of(stage, &o->leg), &j))
		return outcome;
	if (j.groups > 1)
		outcome = start_division(stage, o, &j);
	else if (send_on(stage, o, &j.group[0].plan))
		outcome.action = STAGE_TAKEN;
	policy_judgement_free(&j);
	return outcome;
}

static struct stage_outcome start_inspection(struct stage *stage, struct stage_opened *o)
{
	struct scan *scan = stage->context;
	struct scan_job *job = has_place(stage, scan, false) ? new_job(stage, o) : NULL;

	if (job == NULL)
		return (struct stage_outcome){.action = STAGE_AGAIN_LATER};
	job->kind = JOB_INSPECTION;
	job->desk = scan->desk;
	return begin(stage, job);
}

/* Once a minute: every message would say the same. */
static void tell_nobody_there(struct stage *stage)
{
	struct scan *scan = stage->context;
	int64_t now = clock_boot();

	if (scan->told_at != 0 && now - scan->told_at < 60 * CLOCK_SECOND)
		return;
	scan->told_at = now;
	LOG_ALARM("not-there", kv("program", "seki-inspect or seki-convert"));
}

/* The facts are there. If the leg cannot be sent on just now it is inspected once more, later. */
static void end_inspection(struct stage *stage, struct scan_job *job)
{
	struct stage_outcome outcome = {.action = STAGE_AGAIN_LATER};

	/* That says nothing about this message: it waits until somebody is there to ask. */
	if (strcmp(job->facts.reason, "unreachable") == 0) {
		tell_nobody_there(stage);
		stage_schedule(
		    stage, STATE_NEW, &job->opened.leg.name, stage_now(stage) + STAGE_AGAIN);
		return;
	}
	if (job->facts.uninspectable)
		LOG("uninspectable", kv("id", job->opened.text), kv("reason", job->facts.reason));
	outcome = judge(stage, &job->opened, &job->facts);
	if (outcome.action != STAGE_TAKEN)
		stage_schedule(
		    stage, STATE_NEW, &job->opened.leg.name, stage_now(stage) + STAGE_AGAIN);
}

static struct stage_outcome decide(
    struct stage *stage, enum spool_state state, struct stage_opened *o)
{
	static const struct policy_facts none;

	if (state != STATE_NEW)
		return (struct stage_outcome){.action = STAGE_KEEP};
	if (stage->settings.plan_facts == PLAN_FACTS_YES && !intake_is_own(o->leg.client))
		return start_inspection(stage, o);
	return judge(stage, o, &none);
}

/* ---- the role ----------------------------------------------------------------------------- */

static void work(void *context)
{
	struct scan_job *job = context;

	if (job->kind == JOB_DIVISION)
		divide(job);
	else
		desk_inspect(job->desk, job);
}

/* While every inspector is busy legs wait unread: the end of an inspection wakes us. */
static bool take(
    struct stage *stage, enum spool_state state, const struct leg_name *name, bool fresh)
{
	(void)fresh;
	if (state == STATE_NEW && stage->settings.plan_facts == PLAN_FACTS_YES &&
	    !has_place(stage, stage->context, false))
		return false;
	stage_look(stage, state, name);
	return true;
}

static void turn(struct stage *stage)
{
	struct scan *scan = stage->context;
	struct scan_job *job;

	while ((job = pool_done(scan->pool)) != NULL) {
		for (size_t i = 0; i < COUNT_OF(scan->running); i++) {
			if (scan->running[i] == job)
				scan->running[i] = NULL;
		}
		--*running_of(scan, job);
		if (job->kind == JOB_DIVISION)
			end_division(stage, job);
		else
			end_inspection(stage, job);
		job_free(job);
	}
}

static void start(struct stage *stage)
{
	struct scan *scan = stage->context;
	size_t inspectors = (size_t)stage->settings.inspectors;

	scan->inspection_places = 2 * inspectors;
	scan->desk = desk_new(inspectors);
	if (scan->desk == NULL)
		die_environ("memory");
	desk_settings(scan->desk, &stage->settings);
	scan->pool = pool_start(SCAN_DIVISIONS + inspectors, work);
	if (scan->pool == NULL)
		die_environ("threads");
}

static bool reload(struct stage *stage, const struct settings *fresh, char *text, size_t room)
{
	struct scan *scan = stage->context;

	(void)text;
	(void)room;
	desk_settings(scan->desk, fresh);
	return true;
}

static void drain(struct stage *stage)
{
	struct scan *scan = stage->context;

	/* What is not ended by then the next start ends, or undoes. */
	if (!pool_drain(scan->pool, DRAIN_SECONDS))
		LOG("division-interrupted", kv("program", "seki-scan"));
}

static int wake_fd(struct stage *stage)
{
	const struct scan *scan = stage->context;

	return pool_fd(scan->pool);
}

static const struct stage_role role = {
    .program = "seki-scan",
    .states = states,
    .n_states = COUNT_OF(states),
    .split_of = "scan",
    .decide = decide,
    .in_hand = in_hand,
    .take = take,
    .start = start,
    .reload = reload,
    .turn = turn,
    .drain = drain,
    .wake_fd = wake_fd,
};

int scan_main(struct scan *scan)
{
	return stage_main(&role, scan);
}
