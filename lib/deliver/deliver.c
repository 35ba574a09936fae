#include "lib/deliver/deliver.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/deliver/empty.h"
#include "lib/deliver/gate.h"
#include "lib/deliver/job.h"
#include "queue/pool.h"

#define DRAIN_SECONDS 10
#define GATHER_MS     10

static const enum spool_state states[] = {STATE_DELIVER, STATE_SENT};

struct engine {
	struct pool *pool;
	struct gate *gate;
	struct delivery **running; /* one slot for each job that the pool can hold */
	size_t slots;
	struct timetable parked; /* frozen by an operator */
	unsigned freezes;        /* how often what is frozen has changed */
};

static bool is_running(const struct engine *e, const struct leg_name *name)
{
	for (size_t i = 0; i < e->slots; i++) {
		if (e->running[i] != NULL && name_same_leg(&e->running[i]->name, name))
			return true;
	}
	return false;
}

/* Takes a due leg into a job; false while the pool has enough to do. */
static bool take(struct stage *stage, enum spool_state state, const struct leg_name *name)
{
	struct engine *e = stage->context;
	struct delivery *d;
	size_t i = 0;

	(void)state;
	if (is_running(e, name)) {
		/* The job in hand may have another name of it: look again when it has ended. */
		stage_schedule(stage, STATE_DELIVER, name, stage_now(stage) + 1);
		return true;
	}
	while (i < e->slots && e->running[i] != NULL)
		i++;
	if (pool_free(e->pool) == 0 || i == e->slots)
		return false;
	d = malloc(sizeof *d);
	if (d == NULL)
		return false;

	*d = (struct delivery){.stage = stage,
	    .gate = e->gate,
	    .name = *name,
	    .now = watch_now(&stage->watch),
	    .boot = clock_boot(),
	    .retry_first = stage->settings.retry_first,
	    .retry_longest = stage->settings.retry_longest};
	memcpy(d->route, stage->settings.route, sizeof d->route);
	d->freezes = e->freezes;
	buf_init(&d->owed, DELIVERY_RECORD_MAX);
	e->running[i] = d;
	pool_put(e->pool, d);
	return true;
}

static void park(struct engine *e, const struct leg_name *name)
{
	if (!timetable_add(&e->parked, name, DUE_NEVER))
		die_environ("memory for the timetable");
}

/* Brings the parked legs back when the operator has said something new. */
static void unpark(struct stage *stage)
{
	struct engine *e = stage->context;
	struct leg_name name;

	if (!gate_changed(e->gate))
		return;
	e->freezes++;
	while (timetable_pop(&e->parked, &name))
		stage_schedule(stage, STATE_DELIVER, &name, stage_now(stage));
}

/* Jobs whose record is owed rest in their slots; nothing else may touch their legs meanwhile. */
static void run_again(struct stage *stage)
{
	struct engine *e = stage->context;

	for (size_t i = 0; i < e->slots; i++) {
		struct delivery *d = e->running[i];

		if (d != NULL && d->rest_until != 0 && d->rest_until <= stage_now(stage) &&
		    pool_free(e->pool) > 0) {
			d->rest_until = 0;
			pool_put(e->pool, d);
		}
	}
}

static void ended(struct stage *stage, struct delivery *d)
{
	struct engine *e = stage->context;

	if (d->end == DELIVERY_OWED) {
		d->rest_until = stage_now(stage) + STAGE_AGAIN;
		return;
	}
	for (size_t i = 0; i < e->slots; i++) {
		if (e->running[i] == d)
			e->running[i] = NULL;
	}
	/* If the operator has spoken since it began, it may have seen what no longer holds. */
	if (d->end == DELIVERY_FROZEN && d->freezes == e->freezes)
		park(e, &d->name);
	else if (d->end == DELIVERY_FROZEN)
		stage_schedule(stage, STATE_DELIVER, &d->name, stage_now(stage));
	else if (d->end == DELIVERY_AGAIN)
		stage_schedule(stage, STATE_DELIVER, &d->name, stage_now(stage) + STAGE_AGAIN);
	else if (d->end == DELIVERY_LEFT)
		stage_schedule(stage, STATE_SENT, &d->name, stage_now(stage));
	delivery_free(d);
}

static void turn(struct stage *stage)
{
	struct engine *e = stage->context;
	struct delivery *d;

	unpark(stage);
	run_again(stage);
	while ((d = pool_done(e->pool)) != NULL)
		ended(stage, d);
}

/* The sweep sees the parked legs too: they come back as due, and are parked again. */
static void sweeping(struct stage *stage)
{
	struct engine *e = stage->context;

	timetable_clear(&e->parked);
}

/* An operator asks for everything to be tried now: seki flush. */
static void flush(struct stage *stage)
{
	struct timetable due = stage->due[STATE_DELIVER];
	struct leg_name name;

	LOG("flush", kv_num("legs", (int64_t)due.n));
	timetable_init(&stage->due[STATE_DELIVER]);
	while (timetable_pop(&due, &name))
		stage_schedule(stage, STATE_DELIVER, &name,
		    name.due == DUE_NEVER ? DUE_NEVER : stage_now(stage));
	timetable_clear(&due);
}

static struct stage_outcome decide(
    struct stage *stage, enum spool_state state, struct stage_opened *o)
{
	/* Its end may never have been synced: the body is given up only after that. */
	if (state == STATE_SENT && !o->leg.emptied &&
	    (is_running(stage->context, &o->leg.name) ||
		!(spool_sync(o->fd) && empty_sent(o, watch_now(&stage->watch)))))
		return (struct stage_outcome){.action = STAGE_AGAIN_LATER};
	return (struct stage_outcome){.action = STAGE_KEEP};
}

static void start(struct stage *stage)
{
	struct engine *e = stage->context;

	e->gate = gate_open();
	if (e->gate == NULL)
		die_environ("lib/");
	e->pool = pool_start((size_t)stage->settings.deliver_workers, delivery_run);
	if (e->pool == NULL)
		die_environ("threads or memory");
	e->slots = pool_free(e->pool);
	e->running = calloc(e->slots, sizeof(struct delivery *));
	if (e->running == NULL)
		die_environ("memory");
}

static void drain(struct stage *stage)
{
	struct engine *e = stage->context;

	if (!pool_drain(e->pool, DRAIN_SECONDS))
		LOG_ALARM("delivery-interrupted", kv("program", "seki-deliver"));
}

static int wake_fd(struct stage *stage)
{
	const struct engine *e = stage->context;

	return pool_fd(e->pool);
}

static bool in_hand(struct stage *stage, const struct leg_name *name)
{
	return is_running(stage->context, name);
}

static bool at_rest(struct stage *stage)
{
	const struct engine *e = stage->context;

	return pool_free(e->pool) == e->slots;
}

/* Mail of a stolen login, for one: frozen, and then thrown away. */
static const struct stage_order orders[] = {
    {ORDER_DISCARD, STATE_DELIVER, NULL},
    {ORDER_RELEASE, STATE_DELIVER, "nothing holds it: it waits for its delivery"},
};

static const struct stage_role role = {
    .program = "seki-deliver",
    .states = states,
    .n_states = COUNT_OF(states),
    .split_of = "deliver",
    .decide = decide,
    .in_hand = in_hand,
    .take = take,
    .gather_ms = GATHER_MS,
    .at_rest = at_rest,
    .start = start,
    .turn = turn,
    .sweeping = sweeping,
    .alarm = flush,
    .drain = drain,
    .wake_fd = wake_fd,
    .orders = orders,
    .n_orders = COUNT_OF(orders),
};

int deliver_main(void)
{
	struct engine engine = {.gate = NULL};

	timetable_init(&engine.parked);
	return stage_main(&role, &engine);
}
