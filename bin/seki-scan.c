/* seki-scan: judges what has been accepted and sends it on its way. See seki-scan(8). */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/policy/policy.h"
#include "queue/pool.h"
#include "queue/split.h"
#include "queue/stage.h"

#define DIVISIONS     2 /* beside the work for other mail */
#define DRAIN_SECONDS 10
#define RECORD_MAX    ((size_t)65536)

static const enum spool_state states[] = {STATE_NEW, STATE_BAD};

/* A division that is being made by the pool. */
struct division {
	struct stage *stage;
	struct stage_opened opened; /* owned */
	struct policy_judgement judgement;
	int64_t now;
	enum split_result result;
	int error;
};

struct scan {
	struct pool *pool;
	struct division *running[2 * DIVISIONS];
};

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

static void divide(void *job)
{
	struct division *d = job;
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

static void division_free(struct division *d)
{
	policy_judgement_free(&d->judgement);
	leg_free(&d->opened.leg);
	(void)close(d->opened.fd);
	free(d);
}

/* Gives the opened leg to the pool. The stage's own copy is emptied: the job owns it now. */
static struct stage_outcome start_division(
    struct stage *stage, struct stage_opened *o, struct policy_judgement *j)
{
	struct scan *scan = stage->context;
	struct division *d = pool_free(scan->pool) > 0 ? malloc(sizeof *d) : NULL;
	size_t i = 0;

	if (d == NULL)
		return (struct stage_outcome){.action = STAGE_AGAIN_LATER};
	*d = (struct division){.stage = stage, .judgement = *j, .now = watch_now(&stage->watch)};
	d->opened = *o;
	d->opened.fd = dup(o->fd);
	buf_init(&o->leg.head_bytes, 0);
	buf_init(&o->leg.trailer_bytes, 0);
	o->leg.rcpt = NULL;
	*j = (struct policy_judgement){.groups = 0};
	if (d->opened.fd < 0) {
		division_free(d);
		return (struct stage_outcome){.action = STAGE_AGAIN_LATER};
	}

	while (scan->running[i] != NULL)
		i++;
	scan->running[i] = d;
	pool_put(scan->pool, d);
	return (struct stage_outcome){.action = STAGE_TAKEN};
}

static void end_division(struct stage *stage, struct division *d)
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

static void turn(struct stage *stage)
{
	struct scan *scan = stage->context;
	struct division *d;

	while ((d = pool_done(scan->pool)) != NULL) {
		for (size_t i = 0; i < COUNT_OF(scan->running); i++) {
			if (scan->running[i] == d)
				scan->running[i] = NULL;
		}
		end_division(stage, d);
		division_free(d);
	}
}

/* ---- the role ----------------------------------------------------------------------------- */

/*
 * A message is judged as of its acceptance, so that waiting in new/ costs nothing. But a stamp that
 * a suspect clock made, or that lies ahead, would end a hold too early or never.
 */
static int64_t judged_as_of(const struct stage *stage, const struct leg *leg)
{
	int64_t now = watch_now(&stage->watch);

	return stage->watch.frozen || leg->accepted > now ? now : leg->accepted;
}

static struct stage_outcome decide(
    struct stage *stage, enum spool_state state, struct stage_opened *o)
{
	struct stage_outcome outcome = {.action = STAGE_AGAIN_LATER};
	struct policy_judgement j;

	if (state != STATE_NEW)
		return (struct stage_outcome){.action = STAGE_KEEP};
	if (!policy_judge(&stage->settings, &o->leg, judged_as_of(stage, &o->leg), &j))
		return outcome;

	if (j.groups > 1)
		outcome = start_division(stage, o, &j);
	else if (send_on(stage, o, &j.group[0].plan))
		outcome.action = STAGE_TAKEN;
	policy_judgement_free(&j);
	return outcome;
}

static void start(struct stage *stage)
{
	struct scan *scan = stage->context;

	scan->pool = pool_start(DIVISIONS, divide);
	if (scan->pool == NULL)
		die_environ("threads");
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
    .start = start,
    .turn = turn,
    .drain = drain,
    .wake_fd = wake_fd,
};

int main(void)
{
	struct scan scan = {.pool = NULL};

	return stage_main(&role, &scan);
}
