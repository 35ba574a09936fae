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
#define FILES_SPARE   64
#define QUIET         (CLOCK_SECOND / 5)  /* without new mail */
#define NEW_FOR       (60 * CLOCK_SECOND) /* since it was accepted */
#define NAP_MS        20
#define COMPLAIN      (60 * CLOCK_SECOND)

static const enum spool_state states[] = {STATE_DELIVER, STATE_SENT};

/* ---- what waits in memory ----------------------------------------------------------------- */

/* Where a leg waits that has just come. What was held may come all at once, when its time is over. */
static struct timetable *waiting_room(struct engine *e, const struct leg_name *name)
{
	return id_time(name->id) + NEW_FOR < watch_now(&e->stage->watch) ? &e->held : &e->fresh;
}

/* Takes a due leg over. */
static bool take(
    struct stage *stage, enum spool_state state, const struct leg_name *name, bool fresh)
{
	struct engine *e = stage->context;
	struct timetable *room = fresh ? waiting_room(e, name) : &e->late;

	(void)state;
	if (fresh && e->fresh.n == 0 && (room == &e->fresh || e->held.n == 0) &&
	    visits_begin(e, name, false))
		return true;
	if (!timetable_add(room, name, name->due))
		die_environ("memory for the timetable");
	return true;
}

/* Begins what waits in `t`, as long as there is room. */
static bool take_from(struct engine *e, struct timetable *t, bool lane)
{
	struct leg_name name;

	if (!timetable_pop(t, &name))
		return false;
	if (visits_begin(e, &name, lane))
		return true;
	if (!timetable_add(t, &name, name.due))
		die_environ("memory for the timetable");
	return false;
}

/*
 * What a retry, a sweep or a start brings, and what waits for a busy destination, may be very much: as
 * long as new mail comes it gets a fraction of the visits, and all of them otherwise.
 */
static bool lane_open(const struct engine *e)
{
	return e->late_visits < LANE &&
	       (e->allowance >= PACE || clock_boot() - e->fresh_at > QUIET);
}

static void lane_used(struct engine *e)
{
	if (e->allowance >= PACE)
		e->allowance -= PACE;
}

static void take_late(struct engine *e)
{
	while (lane_open(e) && take_from(e, &e->late, true))
		lane_used(e);
}

static void take_backlogs(struct engine *e)
{
	struct destination *next;

	for (struct destination *d = e->hungry; d != NULL && lane_open(e); d = next) {
		next = d->hungry_next;
		if (destination_has_room(e, d) && take_from(e, &d->backlog, true))
			lane_used(e);
		if (d->backlog.n == 0)
			destination_sated(e, d);
	}
}

/* New mail and what was held take turns, as long as there is room. */
static void take_fresh(struct engine *e)
{
	bool took;

	do {
		struct timetable *first = e->held_next ? &e->held : &e->fresh;

		took = take_from(e, first, false);
		if (took)
			e->held_next = !e->held_next;
		else
			took = take_from(e, e->held_next ? &e->fresh : &e->held, false);
	} while (took);
}

static void take_waiting(struct engine *e)
{
	size_t fresh = e->fresh.n + e->held.n;

	take_fresh(e);
	if (fresh > 0)
		e->fresh_at = clock_boot();
	take_backlogs(e);
	take_late(e);
}

/* The lane is looked at again soon, although nothing may happen until then. */
static int nap(const struct stage *stage)
{
	const struct engine *e = stage->context;

	if (e->closing.first != NULL && e->closers < CLOSERS)
		return CLOSE_WAIT / (CLOCK_SECOND / 1000) + 1;
	return e->late.n > 0 || e->hungry != NULL ? NAP_MS : -1;
}

/* ---- the role ----------------------------------------------------------------------------- */

void engine_watch(struct engine *e, int fd, uint32_t events, struct watcher *watcher)
{
	struct epoll_event event = {events, {.ptr = watcher}};

	if (epoll_ctl(e->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		die_environ("epoll");
}

void engine_complain(struct engine *e, bool resolver, const char *why)
{
	int64_t *last = &e->complained[resolver];

	if (*last != 0 && clock_boot() - *last < COMPLAIN)
		return;
	*last = clock_boot();
	LOG_ALARM(
	    "not-there", kv("program", resolver ? "seki-resolve" : "seki-remote"), kv("why", why));
}

static void visits_done(struct engine *e, void *owner, uint32_t events)
{
	struct pool *pool = owner;
	struct visit *v;

	(void)events;
	while ((v = pool_done(pool)) != NULL) {
		struct visit *next;

		e->closers -= v->task == TASK_CLOSE;
		for (; v != NULL; v = next) {
			next = v->task == TASK_CLOSE ? v->next : NULL;
			visit_done(e, v);
		}
	}
}

static void tick(struct engine *e)
{
	if (clock_boot() - e->ticked < TICK)
		return;
	e->ticked = clock_boot();
	visits_run_again(e);
	sessions_tick(e);
	lookups_tick(e);
	destinations_work(e);
	destinations_trim(e);
}

/* The newest first; of too many the oldest, which was long ago, is forgotten. */
static void add_flush(struct engine *e, int64_t at, const char *domain)
{
	struct flushes *fresh = calloc(1, sizeof *fresh);

	if (fresh == NULL)
		die_environ("memory for a flush");
	fresh->users = 1;
	fresh->n = 1;
	fresh->flush[0].at = at;
	(void)snprintf(fresh->flush[0].domain, sizeof fresh->flush[0].domain, "%s", domain);
	for (size_t i = 0; e->flushes != NULL && i < e->flushes->n && fresh->n < FLUSHES_MAX; i++)
		fresh->flush[fresh->n++] = e->flushes->flush[i];
	flushes_leave(e->flushes);
	e->flushes = fresh;
}

/* Everything is looked at, and who of it was tried before now is due. */
static size_t look_at_all(struct stage *stage, const char *domain)
{
	struct engine *e = stage->context;
	struct timetable due = stage->due[STATE_DELIVER];
	struct leg_name name;
	size_t legs = due.n;

	add_flush(e, watch_now(&stage->watch), domain != NULL ? domain : "");
	destinations_revive(e, domain);
	timetable_init(&stage->due[STATE_DELIVER]);
	while (timetable_pop(&due, &name))
		stage_schedule(stage, STATE_DELIVER, &name,
		    name.due == DUE_NEVER ? DUE_NEVER : stage_now(stage));
	timetable_clear(&due);
	LOG("flush", kv_num("legs", (int64_t)legs), kv("domain", domain != NULL ? domain : "-"));
	return legs;
}

static void turn(struct stage *stage)
{
	struct engine *e = stage->context;
	struct epoll_event event[EVENTS];
	int n = epoll_wait(e->epoll, event, EVENTS, 0);

	visits_unpark(e);
	for (int i = 0; i < n; i++) {
		struct watcher *w = event[i].data.ptr;

		w->ready(e, w->owner, event[i].events);
	}
	if (e->flush_wanted) {
		e->flush_wanted = false;
		(void)look_at_all(stage, NULL);
	}
	visits_start_ready(e);
	tick(e);
	visits_start_closing(e);
	take_waiting(e);
	sessions_bury(e);
}

/* The sweep sees every leg anew: what is remembered beside the timetable comes back as due. */
static void sweeping(struct stage *stage)
{
	struct engine *e = stage->context;

	timetable_clear(&e->parked);
	timetable_clear(&e->fresh);
	timetable_clear(&e->held);
	timetable_clear(&e->late);
	destinations_forget(e);
}

/* An operator asks for everything to be tried now: seki flush. */
static void flush_all(struct stage *stage)
{
	struct engine *e = stage->context;

	/* Names that have just been given are read first: they are to be met as well. */
	e->flush_wanted = true;
}

static struct stage_outcome decide(
    struct stage *stage, enum spool_state state, struct stage_opened *o)
{
	/* Its end may never have been synced: the body is given up only after that. */
	if (state == STATE_SENT && !o->leg.emptied &&
	    (visits_have(stage->context, &o->leg.name) ||
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
	e->known = known_open(stage->settings.tray_max);
	if (e->known == NULL)
		die_environ("memory");
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
	known_bound(e->known, fresh->tray_max);
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
		int n;

		visits_run_again(e);
		visits_start_ready(e);
		visits_start_closing(e);
		n = epoll_wait(e->epoll, event, EVENTS, 100);
		for (int i = 0; i < n; i++) {
			struct watcher *w = event[i].data.ptr;

			w->ready(e, w->owner, event[i].events);
		}
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
	return visits_have(stage->context, name);
}

/* A person wants a leg that only waits for a session: it is put back. */
static void let_go(struct stage *stage, const struct leg_name *name)
{
	struct engine *e = stage->context;

	for (struct visit *v = *visits_chain(e, name); v != NULL; v = v->chain) {
		if (name_same_leg(&v->name, name)) {
			destinations_withdraw(e, v);
			return;
		}
	}
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
    .let_go = let_go,
    .take = take,
    .nap = nap,
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
	timetable_init(&engine.fresh);
	timetable_init(&engine.held);
	timetable_init(&engine.late);
	engine.busy_end = &engine.busy;
	engine.ready.end = &engine.ready.first;
	engine.ready_tell.end = &engine.ready_tell.first;
	engine.closing.end = &engine.closing.first;
	return stage_main(&role, &engine);
}
