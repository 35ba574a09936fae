/* The stage: which legs are visited when, and what follows a visit. */
#include "lib/deliver/deliver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/base/reload.h"
#include "lib/deliver/empty.h"
#include "lib/deliver/engine.h"

#define PROGRAM       "seki-deliver"
#define DRAIN_SECONDS 10
#define GATHER_MS     10
#define EVENTS        64
#define TICK          (CLOCK_SECOND / 2)
#define TELLERS       2
#define LATE          15 /* seconds behind its time from which on a leg is not new mail any more */
#define FILES_SPARE   64
#define LANE          4 /* such legs, and those of backlogs, that are opened at once */
#define COMPLAIN      (60 * CLOCK_SECOND)

static const enum spool_state states[] = {STATE_DELIVER, STATE_SENT};

/* ---- visits ------------------------------------------------------------------------------- */

static struct visit **chain_of(struct engine *e, const struct leg_name *name)
{
	/* The end of an id is random. */
	unsigned hash = 0;

	for (size_t i = ID_LEN - 8; i < ID_LEN; i++)
		hash = hash * 31 + (unsigned char)name->id[i];
	return &e->visit[hash % VISIT_CHAINS];
}

static bool is_running(struct engine *e, const struct leg_name *name)
{
	for (const struct visit *v = *chain_of(e, name); v != NULL; v = v->chain) {
		if (name_same_leg(&v->name, name))
			return true;
	}
	return false;
}

/* Has a thread do a task; later, if all of them have enough to do. */
static void start_task(struct engine *e, struct visit *v, enum visit_task task)
{
	struct pool *pool = task == TASK_TELL ? e->tell : e->pool;

	v->task = task;
	v->working = true;
	if (task == TASK_RECORD || task == TASK_CLOSE)
		results_move(&v->taken, &v->results);
	if (pool_free(pool) > 0) {
		pool_put(pool, v);
		return;
	}
	v->next = NULL;
	*e->ready_end = v;
	e->ready_end = &v->next;
}

/* Those who waited for a thread. */
static void start_ready(struct engine *e)
{
	struct visit **at = &e->ready;

	while (*at != NULL) {
		struct visit *v = *at;
		struct pool *pool = v->task == TASK_TELL ? e->tell : e->pool;

		if (pool_free(pool) == 0) {
			at = &v->next;
			continue;
		}
		*at = v->next;
		pool_put(pool, v);
	}
	e->ready_end = at;
}

static void park(struct engine *e, const struct leg_name *name)
{
	if (!timetable_add(&e->parked, name, DUE_NEVER))
		die_environ("memory for the timetable");
}

static void end_visit(struct engine *e, struct visit *v)
{
	struct visit **at = chain_of(e, &v->name);
	struct stage *stage = e->stage;
	int64_t now = stage_now(stage);

	while (*at != v)
		at = &(*at)->chain;
	*at = v->chain;
	e->visits--;
	switch (v->end) {
	case VISIT_ONGOING:
	case VISIT_GONE:
		break;
	case VISIT_LEFT:
		stage_schedule(stage, STATE_SENT, &v->name, now);
		break;
	case VISIT_FROZEN:
		/* If the operator has spoken since it began, it may have seen what no longer holds. */
		if (v->freezes == e->freezes)
			park(e, &v->name);
		else
			stage_schedule(stage, STATE_DELIVER, &v->name, now);
		break;
	case VISIT_FULL:
		if (v->full != NULL)
			destination_keep(e, v->full, &v->name);
		else
			stage_schedule(stage, STATE_DELIVER, &v->name, now + STAGE_AGAIN);
		break;
	case VISIT_WAIT:
		stage_schedule(stage, STATE_DELIVER, &v->name, v->due);
		break;
	case VISIT_AGAIN:
		stage_schedule(stage, STATE_DELIVER, &v->name, now + STAGE_AGAIN);
		break;
	}
	if (v->full != NULL)
		v->full->holds--;
	routing_leave(v->routing);
	visit_free(v);
}

/* Gives each batch of an opened leg to its destination. */
static void give_batches(struct engine *e, struct visit *v)
{
	for (size_t i = 0; i < v->batches; i++) {
		if (!v->batch[i].local && !destination_put(e, &v->batch[i], &v->full) &&
		    v->left_as == VISIT_ONGOING)
			v->left_as = VISIT_FULL;
	}
	v->begun = true;
}

void engine_step(struct engine *e, struct visit *v)
{
	if (v->working || !v->begun)
		return;
	if (v->end != VISIT_ONGOING) {
		end_visit(e, v);
	} else if (v->owed.len > 0) {
		v->rest_until = clock_boot() + STAGE_AGAIN * CLOCK_SECOND;
	} else if (v->running > 0) {
		if (v->results.first != NULL || v->locals)
			start_task(e, v, TASK_RECORD);
	} else if (v->task == TASK_CLOSE && v->tell && !v->tell_failed) {
		start_task(e, v, TASK_TELL);
	} else {
		start_task(e, v, TASK_CLOSE);
	}
}

static void task_done(struct engine *e, struct visit *v)
{
	v->working = false;
	if (v->task == TASK_OPEN) {
		e->late_visits -= v->late_lane;
		v->late_lane = false;
		if (v->end == VISIT_ONGOING)
			give_batches(e, v);
		v->begun = true;
	}
	engine_step(e, v);
}

/* Begins a visit. False: not now. */
static bool begin(struct engine *e, const struct leg_name *name, bool lane)
{
	struct stage *stage = e->stage;
	struct visit *v, **chain;

	if (is_running(e, name)) {
		/* The visit in hand may have another name of it: look again when it has ended. */
		stage_schedule(stage, STATE_DELIVER, name, stage_now(stage) + 1);
		return true;
	}
	if (e->ready != NULL || pool_free(e->pool) == 0 || e->visits >= e->most_visits ||
	    (lane && e->late_visits >= LANE))
		return false;
	v = visit_new(stage, name);
	if (v == NULL)
		return false;
	v->gate = e->gate;
	v->routing = routing_use(e->routing);
	v->freezes = e->freezes;
	v->clock_frozen = stage->watch.frozen;
	v->now = watch_now(&stage->watch);
	v->boot = clock_boot();
	v->flushed = e->flush.at;
	memcpy(v->domain, e->flush.domain, sizeof v->domain);
	v->late_lane = lane;
	e->late_visits += lane;
	chain = chain_of(e, name);
	v->chain = *chain;
	*chain = v;
	e->visits++;
	if (lane) {
		start_task(e, v, TASK_OPEN);
	} else {
		/* It has just been written, and reading it waits for no disk. */
		visit_run(v);
		task_done(e, v);
	}
	return true;
}

/* Visits whose records are owed rest; nothing else may touch their legs meanwhile. */
static void run_again(struct engine *e)
{
	for (size_t i = 0; i < VISIT_CHAINS; i++) {
		for (struct visit *v = e->visit[i]; v != NULL; v = v->chain) {
			if (v->working || v->rest_until == 0 || v->rest_until > clock_boot())
				continue;
			v->rest_until = 0;
			start_task(e, v, v->running > 0 ? TASK_RECORD : TASK_CLOSE);
		}
	}
}

/* ---- what waits in memory ----------------------------------------------------------------- */

/* Takes a due leg; false while there is enough to do. */
static bool take(struct stage *stage, enum spool_state state, const struct leg_name *name)
{
	struct engine *e = stage->context;

	(void)state;
	/* After an outage what is long due must not keep new mail waiting. */
	if (name->due < stage_now(stage) - LATE) {
		if (!timetable_add(&e->late, name, name->due))
			die_environ("memory for the timetable");
		return true;
	}
	return begin(e, name, false);
}

static void take_late(struct engine *e)
{
	struct leg_name name;

	while (e->late_visits < LANE && timetable_pop(&e->late, &name)) {
		if (begin(e, &name, true))
			continue;
		if (!timetable_add(&e->late, &name, name.due))
			die_environ("memory for the timetable");
		return;
	}
}

static void take_backlogs(struct engine *e)
{
	struct destination *next;

	for (struct destination *d = e->hungry; d != NULL && e->late_visits < LANE; d = next) {
		struct leg_name name;

		next = d->hungry_next;
		if (destination_has_room(e, d) && timetable_pop(&d->backlog, &name) &&
		    !begin(e, &name, true))
			destination_keep(e, d, &name);
		if (d->backlog.n == 0)
			destination_sated(e, d);
	}
}

/* Brings the parked legs back when the operator has said something new. */
static void unpark(struct engine *e)
{
	struct leg_name name;

	if (!gate_changed(e->gate))
		return;
	e->freezes++;
	while (timetable_pop(&e->parked, &name))
		stage_schedule(e->stage, STATE_DELIVER, &name, stage_now(e->stage));
}

/* ---- the role ----------------------------------------------------------------------------- */

void engine_watch(struct engine *e, int fd, uint32_t events, struct watcher *watcher)
{
	struct epoll_event event = {events, {.ptr = watcher}};

	if (epoll_ctl(e->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		die_environ("epoll");
}

void engine_complain(struct engine *e, const char *program, const char *why)
{
	if (e->complained != 0 && clock_boot() - e->complained < COMPLAIN)
		return;
	e->complained = clock_boot();
	LOG_ALARM("not-there", kv("program", program), kv("why", why));
}

static void visits_done(struct engine *e, void *owner, uint32_t events)
{
	struct pool *pool = owner;
	struct visit *v;

	(void)events;
	while ((v = pool_done(pool)) != NULL)
		task_done(e, v);
}

static void tick(struct engine *e)
{
	if (clock_boot() - e->ticked < TICK)
		return;
	e->ticked = clock_boot();
	run_again(e);
	sessions_tick(e);
	lookups_tick(e);
	destinations_work(e);
	destinations_trim(e);
}

static void turn(struct stage *stage)
{
	struct engine *e = stage->context;
	struct epoll_event event[EVENTS];
	int n = epoll_wait(e->epoll, event, EVENTS, 0);

	unpark(e);
	for (int i = 0; i < n; i++) {
		struct watcher *w = event[i].data.ptr;

		w->ready(e, w->owner, event[i].events);
	}
	start_ready(e);
	tick(e);
	take_backlogs(e);
	take_late(e);
	sessions_bury(e);
}

/* The sweep sees every leg anew: what is remembered beside the timetable comes back as due. */
static void sweeping(struct stage *stage)
{
	struct engine *e = stage->context;

	timetable_clear(&e->parked);
	timetable_clear(&e->late);
	destinations_forget(e);
}

/* Everything is looked at, and who of it was tried before now is due. */
static size_t look_at_all(struct stage *stage, const char *domain)
{
	struct engine *e = stage->context;
	struct timetable due = stage->due[STATE_DELIVER];
	struct leg_name name;
	size_t legs = due.n;

	e->flush.at = watch_now(&stage->watch);
	(void)snprintf(e->flush.domain, sizeof e->flush.domain, "%s", domain != NULL ? domain : "");
	destinations_revive(e, domain);
	timetable_init(&stage->due[STATE_DELIVER]);
	while (timetable_pop(&due, &name))
		stage_schedule(stage, STATE_DELIVER, &name,
		    name.due == DUE_NEVER ? DUE_NEVER : stage_now(stage));
	timetable_clear(&due);
	LOG("flush", kv_num("legs", (int64_t)legs), kv("domain", domain != NULL ? domain : "-"));
	return legs;
}

/* An operator asks for everything to be tried now: seki flush. */
static void flush_all(struct stage *stage)
{
	(void)look_at_all(stage, NULL);
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

/* A visit has two descriptors of its leg, a session one: as many as there may be at once. */
static void raise_files(struct engine *e)
{
	const struct settings *s = &e->routing->settings;
	size_t sessions = (size_t)s->deliver_sessions_all, most = (size_t)s->deliver_legs;
	struct rlimit limit;

	e->most_visits = most;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		die_environ("the limit of descriptors");
	if (limit.rlim_cur < 2 * most + sessions + FILES_SPARE) {
		limit.rlim_cur = 2 * most + sessions + FILES_SPARE;
		if (limit.rlim_cur > limit.rlim_max)
			limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
			die_environ("the limit of descriptors");
	}
	if (limit.rlim_cur < 2 * most + sessions + FILES_SPARE)
		e->most_visits = limit.rlim_cur > sessions + 2 * FILES_SPARE
				     ? (limit.rlim_cur - sessions - FILES_SPARE) / 2
				     : 1;
}

static struct pool *open_pool(struct engine *e, size_t threads, struct watcher *done)
{
	struct pool *pool = pool_start(threads, visit_run);

	if (pool == NULL)
		die_environ("threads or memory");
	*done = (struct watcher){.ready = visits_done, .owner = pool};
	engine_watch(e, pool_fd(pool), EPOLLIN, done);
	return pool;
}

static void start(struct stage *stage)
{
	struct engine *e = stage->context;
	struct conf_fault fault;
	char text[512];

	e->stage = stage;
	e->routing = routing_read(stage->etc, &stage->settings, &fault);
	if (e->routing == NULL) {
		conf_fault_show(&fault, text, sizeof text);
		reload_answer(PROGRAM, false, text);
		die_config(text);
	}
	raise_files(e);
	e->gate = gate_open();
	if (e->gate == NULL)
		die_environ("lib/");
	e->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (e->epoll < 0)
		die_environ("epoll");
	e->pool = open_pool(e, (size_t)stage->settings.deliver_workers, &e->pool_done);
	e->tell = open_pool(e, TELLERS, &e->tell_done);
	e->lookups = lookups_new(e);
	if (e->lookups == NULL)
		die_environ("memory");
}

/* Settings and routes are taken together, or not at all. */
static bool reload(struct stage *stage, const struct settings *fresh, char *text, size_t room)
{
	struct engine *e = stage->context;
	struct conf_fault fault;
	struct routing *routing = routing_read(stage->etc, fresh, &fault);

	if (routing == NULL) {
		conf_fault_show(&fault, text, room);
		return false;
	}
	routing_leave(e->routing);
	e->routing = routing;
	raise_files(e);
	return true;
}

static void drain(struct stage *stage)
{
	struct engine *e = stage->context;
	int64_t end = clock_boot() + DRAIN_SECONDS * CLOCK_SECOND;

	e->draining = true;
	destinations_give_up(e);
	while (e->visits > 0 && clock_boot() < end) {
		struct epoll_event event[EVENTS];
		int n = epoll_wait(e->epoll, event, EVENTS, 100);

		for (int i = 0; i < n; i++) {
			struct watcher *w = event[i].data.ptr;

			w->ready(e, w->owner, event[i].events);
		}
		start_ready(e);
		sessions_bury(e);
	}
	if (e->visits > 0)
		LOG_ALARM("delivery-interrupted", kv("program", PROGRAM),
		    kv_num("legs", (int64_t)e->visits));
}

static int wake_fd(struct stage *stage)
{
	const struct engine *e = stage->context;

	return e->epoll;
}

static bool in_hand(struct stage *stage, const struct leg_name *name)
{
	return is_running(stage->context, name);
}

static bool at_rest(struct stage *stage)
{
	const struct engine *e = stage->context;

	return e->visits == 0;
}

/* Mail of a stolen login, for one: frozen, and then thrown away. */
static const struct stage_order orders[] = {
    {ORDER_DISCARD, STATE_DELIVER, NULL},
    {ORDER_BOUNCE, STATE_DELIVER, NULL},
    {ORDER_RELEASE, STATE_DELIVER, "nothing holds it: it waits for its delivery"},
};

static const struct stage_role role = {
    .program = PROGRAM,
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
    .reload = reload,
    .sweeping = sweeping,
    .alarm = flush_all,
    .flush = look_at_all,
    .drain = drain,
    .wake_fd = wake_fd,
    .orders = orders,
    .n_orders = COUNT_OF(orders),
};

int deliver_main(void)
{
	struct engine engine = {.stage = NULL};

	timetable_init(&engine.parked);
	timetable_init(&engine.late);
	engine.ready_end = &engine.ready;
	return stage_main(&role, &engine);
}
