/* The visits that are under way: how each begins, goes from task to task, and ends. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/deliver/engine.h"

#define CLOSE_MANY 128 /* visits that are enough to be closed at once */

/* ---- visits ------------------------------------------------------------------------------- */

struct visit **visits_chain(struct engine *e, const struct leg_name *name)
{
	/* The end of an id is random. */
	unsigned hash = 0;

	for (size_t i = ID_LEN - 8; i < ID_LEN; i++)
		hash = hash * 31 + (unsigned char)name->id[i];
	return &e->visit[hash % VISIT_CHAINS];
}

bool visits_have(struct engine *e, const struct leg_name *name)
{
	for (const struct visit *v = *visits_chain(e, name); v != NULL; v = v->chain) {
		if (name_same_leg(&v->name, name))
			return true;
	}
	return false;
}

/* Has a thread do a task; later, if all of them have enough to do. */
static void start_task(struct engine *e, struct visit *v, enum visit_task task)
{
	struct pool *pool = task == TASK_TELL ? e->tell : e->pool;
	struct visits *ready = task == TASK_TELL ? &e->ready_tell : &e->ready;

	v->task = task;
	v->working = true;
	if (task == TASK_RECORD) {
		results_move_urgent(&v->taken, &v->results);
		v->urgent = false;
	}
	if (pool_free(pool) > 0) {
		pool_put(pool, v);
		return;
	}
	v->next = NULL;
	*ready->end = v;
	ready->end = &v->next;
}

/* Those who waited for a thread. Notifications, which may take long, keep nothing else waiting. */
static void start_ready_of(struct visits *ready, struct pool *pool)
{
	while (ready->first != NULL && pool_free(pool) > 0) {
		struct visit *v = ready->first;

		ready->first = v->next;
		if (ready->first == NULL)
			ready->end = &ready->first;
		pool_put(pool, v);
	}
}

void visits_start_ready(struct engine *e)
{
	start_ready_of(&e->ready, e->pool);
	start_ready_of(&e->ready_tell, e->tell);
}

static void park(struct engine *e, const struct leg_name *name)
{
	if (!timetable_add(&e->parked, name, DUE_NEVER))
		die_environ("memory for the timetable");
}

void flushes_leave(struct flushes *f)
{
	if (f != NULL && --f->users == 0)
		free(f);
}

/* Whether an operator has asked for everything to be tried while this was under way. */
static bool flushed_since(const struct engine *e, const struct visit *v)
{
	return v->flushes != e->flushes;
}

/* It has another name, which the operator's word has not met. */
static void put_off_anew(struct engine *e, const struct visit *v)
{
	struct leg_name name = v->name;

	name.due = v->due;
	stage_schedule(e->stage, STATE_DELIVER, &name, stage_now(e->stage));
}

/* Some recipients wait for an operator or for room, and others for their time. */
static void await_others(struct engine *e, const struct visit *v)
{
	if (v->due > 0)
		stage_schedule(e->stage, STATE_DELIVER, &v->name, v->due);
}

static void end_visit(struct engine *e, struct visit *v)
{
	struct visit **at = visits_chain(e, &v->name);
	struct stage *stage = e->stage;
	int64_t now = stage_now(stage);

	while (*at != v)
		at = &(*at)->chain;
	*at = v->chain;
	e->visits--;
	e->rcpts -= v->opened ? v->o.leg.rcpts : 0;
	switch (v->end) {
	case VISIT_ONGOING:
		break;
	case VISIT_GONE:
		if (flushed_since(e, v) && v->due > 0)
			put_off_anew(e, v);
		break;
	case VISIT_LEFT:
		stage_schedule(stage, STATE_SENT, &v->name, now);
		break;
	case VISIT_FROZEN:
		await_others(e, v);
		if (v->full != NULL)
			destination_keep(e, v->full, &v->name);
		/* If the operator has spoken since it began, it may have seen what no longer holds. */
		if (v->freezes == e->freezes)
			park(e, &v->name);
		else
			stage_schedule(stage, STATE_DELIVER, &v->name, now);
		break;
	case VISIT_FULL:
		await_others(e, v);
		if (v->full != NULL)
			destination_keep(e, v->full, &v->name);
		else
			stage_schedule(stage, STATE_DELIVER, &v->name, now + STAGE_AGAIN);
		break;
	case VISIT_WAIT:
		stage_schedule(stage, STATE_DELIVER, &v->name, flushed_since(e, v) ? now : v->due);
		break;
	case VISIT_AGAIN:
		stage_schedule(stage, STATE_DELIVER, &v->name, now + STAGE_AGAIN);
		break;
	}
	if (v->full != NULL)
		v->full->holds--;
	flushes_leave(v->flushes);
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

/* Records that could not be written: nothing else is done with the leg before they are. */
static bool is_owed(struct visit *v)
{
	if (v->owed.len == 0)
		return false;
	v->rest_until = clock_boot() + STAGE_AGAIN * CLOCK_SECOND;
	return true;
}

/* What is left of it is a sync: several visits are closed together. */
static void close_soon(struct engine *e, struct visit *v)
{
	v->task = TASK_CLOSE;
	v->working = true;
	v->next = NULL;
	if (e->closing.first == NULL)
		e->closing_since = clock_boot();
	*e->closing.end = v;
	e->closing.end = &v->next;
	e->n_closing++;
}

void visits_start_closing(struct engine *e)
{
	struct visit *first = e->closing.first;

	if (first == NULL || e->closers >= CLOSERS || pool_free(e->pool) == 0 ||
	    (e->n_closing < CLOSE_MANY && clock_boot() - e->closing_since < CLOSE_WAIT &&
		!e->draining))
		return;
	e->closing.first = NULL;
	e->closing.end = &e->closing.first;
	e->n_closing = 0;
	e->closers++;
	pool_put(e->pool, first);
}

void engine_step(struct engine *e, struct visit *v)
{
	if (v->working || !v->begun)
		return;
	if (v->end != VISIT_ONGOING) {
		end_visit(e, v);
		return;
	}
	if (is_owed(v))
		return;
	if (v->locals) {
		start_task(e, v, TASK_LOCAL);
		return;
	}
	if (v->running > 0) {
		/* What failed for now can wait: then it is one record, and not many. */
		if (v->urgent || v->taken.first != NULL)
			start_task(e, v, TASK_RECORD);
		return;
	}
	results_move(&v->taken, &v->results);
	if (!visit_record(v)) {
		(void)is_owed(v);
		return;
	}
	/* What waits for a notification must not fill the place of what is to be sent. */
	if (v->tell && e->telling >= e->most_visits / 4)
		v->tell_failed = true;
	if (v->tell && !v->tell_failed) {
		e->telling++;
		start_task(e, v, TASK_TELL);
		return;
	}
	if (!v->damaged)
		visit_move_on(v);
	if (v->damaged || v->sync)
		close_soon(e, v);
	else
		end_visit(e, v);
}

void visit_done(struct engine *e, struct visit *v)
{
	v->working = false;
	e->telling -= v->task == TASK_TELL;
	if (v->task == TASK_OPEN) {
		e->late_visits -= v->late_lane;
		v->late_lane = false;
		e->rcpts += v->opened ? v->o.leg.rcpts : 0;
		if (v->end == VISIT_ONGOING)
			give_batches(e, v);
		v->begun = true;
	}
	engine_step(e, v);
}

/* Brings the parked legs back when the operator has said something new. */
void visits_unpark(struct engine *e)
{
	struct leg_name name;

	if (!gate_changed(e->gate))
		return;
	e->freezes++;
	while (timetable_pop(&e->parked, &name))
		stage_schedule(e->stage, STATE_DELIVER, &name, stage_now(e->stage));
}

static void lane_earns(struct engine *e, int64_t legs)
{
	e->allowance += legs;
	if (e->allowance > PACE * LANE)
		e->allowance = PACE * LANE;
}

/* Begins a visit. False: not now. */
bool visits_begin(struct engine *e, const struct leg_name *name, bool lane)
{
	struct stage *stage = e->stage;
	struct visit *v, **chain;

	if (visits_have(e, name)) {
		/* The visit in hand may have another name of it: look again when it has ended. */
		stage_schedule(stage, STATE_DELIVER, name, stage_now(stage) + 1);
		return true;
	}
	if (e->rcpts >= (size_t)e->routing->settings.deliver_recipients_all ||
	    e->ready.first != NULL || pool_free(e->pool) == 0 || e->visits >= e->most_visits ||
	    (lane && e->late_visits >= LANE))
		return false;
	/* The red button comes before everything: it may have been pressed since this turn began. */
	visits_unpark(e);
	v = visit_new(stage, name);
	if (v == NULL)
		return false;
	v->gate = e->gate;
	v->routing = routing_use(e->routing);
	v->known = e->known;
	v->freezes = e->freezes;
	v->clock_frozen = stage->watch.frozen;
	v->now = watch_now(&stage->watch);
	v->boot = clock_boot();
	v->flushes = e->flushes;
	if (v->flushes != NULL)
		v->flushes->users++;
	v->late_lane = lane;
	e->late_visits += lane;
	chain = visits_chain(e, name);
	v->chain = *chain;
	*chain = v;
	e->visits++;
	if (lane) {
		start_task(e, v, TASK_OPEN);
	} else {
		e->fresh_at = clock_boot();
		lane_earns(e, 1);
		/* It has just been written, and reading it waits for no disk. */
		visit_run(v);
		visit_done(e, v);
	}
	return true;
}

/* Visits whose records are owed rest; nothing else may touch their legs meanwhile. */
void visits_run_again(struct engine *e)
{
	for (size_t i = 0; i < VISIT_CHAINS; i++) {
		struct visit *next;

		for (struct visit *v = e->visit[i]; v != NULL; v = next) {
			next = v->chain;
			if (v->working || v->rest_until == 0 || v->rest_until > clock_boot())
				continue;
			v->rest_until = 0;
			if (visit_append(v))
				engine_step(e, v);
			else
				(void)is_owed(v);
		}
	}
}
