/* The stage: its loop, its jobs, and whom they tell. */
#include "lib/hold/hold.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/base/zone.h"
#include "lib/hold/act.h"
#include "lib/hold/door.h"
#include "lib/hold/inside.h"
#include "lib/notice/refusal.h"

#define PROGRAM       "seki-hold"
#define THREADS       3
#define JOBS_MAX      64 /* with those whose records could not be written */
#define DRAIN_SECONDS 10
#define COMPLAIN      (60 * CLOCK_SECOND)

/* Until somebody is asked again, in seconds: a part of what the leg has waited already. */
#define AGAIN_SOONEST 5
#define AGAIN_LATEST  300
#define AGAIN_PART    4
#define AGAIN_RARELY  3600
#define AGAIN_COPY    1

static const enum spool_state states[] = {STATE_APPROVE, STATE_HOLD, STATE_TRASH, STATE_REFUSED};

/* ---- decisions ---------------------------------------------------------------------------- */

static struct stage_outcome refused(struct hold *h, const struct leg *leg)
{
	struct stage_outcome keep = {.action = STAGE_KEEP};
	struct notice_refusal refusal;

	switch (notice_refusal_read(leg, &refusal)) {
	case NOTICE_REFUSED:
		if (notice_refusal_owes(&refusal))
			hold_owes(h, STATE_REFUSED, &leg->name, 0);
		notice_refusal_free(&refusal);
		break;
	case NOTICE_NOT_REFUSED:
		break;
	case NOTICE_REFUSED_ODD:
		return (struct stage_outcome){
		    .action = STAGE_STOP, .why = "a refusal that this version cannot tell of"};
	case NOTICE_REFUSED_NO_MEMORY:
		return (struct stage_outcome){.action = STAGE_AGAIN_LATER};
	}
	return keep;
}

static struct stage_outcome decide(
    struct stage *stage, enum spool_state state, struct stage_opened *opened)
{
	if (state == STATE_REFUSED)
		return refused(stage->context, &opened->leg);
	return hold_decide(stage, state, opened);
}

/* ---- jobs --------------------------------------------------------------------------------- */

static void work(void *job)
{
	struct job *j = job;

	j->work(j);
}

static bool may_put(const struct hold *h)
{
	return !h->turn_zone && pool_free(h->pool) > 0;
}

/* While it works it has the view of now, whatever is taken meanwhile. */
static void put(struct hold *h, struct job *job)
{
	job->working = true;
	job->view = h->view;
	h->view->refs++;
	h->working++;
	pool_put(h->pool, job);
}

static struct tell_job *job_of(const struct hold *h, const struct leg_name *name)
{
	for (struct tell_job *job = h->jobs; job != NULL; job = job->next) {
		if (name_same_leg(&job->name, name))
			return job;
	}
	return NULL;
}

/* Whoever asks wants the leg: the job ends soon, and then it is looked at. */
static bool in_hand(struct stage *stage, const struct leg_name *name)
{
	const struct hold *h = stage->context;
	struct tell_job *job = job_of(h, name);

	if (job == NULL)
		return false;
	job->wanted = true;
	job->wanted_name = *name;
	atomic_store(&job->wanted_now, true);
	return true;
}

static void forget(struct hold *h, struct tell_job *job)
{
	struct tell_job **at = &h->jobs;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	h->n_jobs--;
	buf_free(&job->owed);
	free(job);
}

static size_t owed_legs(const struct hold *h)
{
	size_t n = h->n_jobs;

	for (size_t i = 0; i < COUNT_OF(states); i++)
		n += h->owed[states[i]].n;
	return n;
}

/* One alarm tells of all of them, and not too often. */
static void complain(struct hold *h, const struct tell_job *job)
{
	char id[NAME_TEXT];

	if (h->complained != 0 && clock_boot() - h->complained < COMPLAIN)
		return;
	h->complained = clock_boot();
	name_format(&job->name, STATE_NEW, id);
	LOG_ALARM("notice-failed", kv("id", id), kv("why", job->why),
	    kv_num("owed", (int64_t)owed_legs(h)));
}

static int64_t pause_of(const struct tell_job *job)
{
	int64_t part = job->age / CLOCK_SECOND / AGAIN_PART;

	if (job->end == TELL_RARELY)
		return AGAIN_RARELY;
	return part < AGAIN_SOONEST ? AGAIN_SOONEST : part > AGAIN_LATEST ? AGAIN_LATEST : part;
}

static void told(void *context, struct job *base)
{
	struct tell_job *job = (struct tell_job *)base;
	struct hold *h = context;

	switch (job->end) {
	case TELL_DONE:
		if (job->next_time > 0)
			hold_owes_at(h, job->state, &job->name, job->next_time);
		break;
	case TELL_AGAIN:
	case TELL_RARELY:
		complain(h, job);
		hold_owes(h, job->state, &job->name, pause_of(job));
		break;
	case TELL_COPY:
		hold_owes(h, job->state, &job->name, AGAIN_COPY);
		break;
	case TELL_RECORD: /* it keeps what it owes, and its leg */
		job->rest_until = clock_boot() + STAGE_AGAIN * CLOCK_SECOND;
		return;
	}
	/* Its time may have come meanwhile: no mail is late for a notice. */
	if (job->wanted)
		stage_schedule(h->stage, job->state, &job->wanted_name, stage_now(h->stage));
	forget(h, job);
}

static void give_out(struct hold *h, struct tell_job *job)
{
	job->now = watch_now(&h->stage->watch);
	job->boot = clock_boot();
	job->frozen = h->stage->watch.frozen;
	job->patience_ms = (int)(h->stage->settings.notice_time / 1000) + 5000;
	job->rest_until = 0;
	put(h, &job->job);
}

static void begin(struct hold *h, enum spool_state state, const struct leg_name *name)
{
	struct tell_job *job = calloc(1, sizeof *job);

	if (job == NULL) {
		hold_owes(h, state, name, STAGE_AGAIN);
		return;
	}
	job->job = (struct job){.work = tell_work, .done = told};
	job->stage = h->stage;
	job->state = state;
	job->name = *name;
	job->absences = h->absences;
	job->copies = h->copies;
	buf_init(&job->owed, SIZE_MAX);
	job->next = h->jobs;
	h->jobs = job;
	h->n_jobs++;
	give_out(h, job);
}

static void start_resting(struct hold *h)
{
	for (struct tell_job *job = h->jobs; job != NULL; job = job->next) {
		if (!job->job.working && job->rest_until <= clock_boot() && may_put(h))
			give_out(h, job);
	}
}

/* The table whose turn it is: the one that has waited longest. */
static enum spool_state first_owed(const struct hold *h, int64_t *when)
{
	enum spool_state first = states[0];

	for (size_t i = 1; i < COUNT_OF(states); i++) {
		if (timetable_next(&h->owed[states[i]]) < timetable_next(&h->owed[first]))
			first = states[i];
	}
	*when = timetable_next(&h->owed[first]);
	return first;
}

static bool owed_now(const struct hold *h)
{
	int64_t when;

	(void)first_owed(h, &when);
	return h->n_jobs < JOBS_MAX && may_put(h) && when <= clock_boot() / CLOCK_SECOND;
}

static void start_owed(struct hold *h)
{
	struct tell_job *job;
	struct leg_name name;
	int64_t when;

	while (owed_now(h)) {
		enum spool_state state = first_owed(h, &when);

		if (!timetable_pop(&h->owed[state], &name))
			return;
		job = job_of(h, &name);
		if (job == NULL)
			begin(h, state, &name);
		else if (job->name.due != name.due) /* renamed since: the job may not find it */
			hold_owes(h, state, &name, AGAIN_COPY);
		/* Else the job sees what there is to do. */
	}
}

/* ---- other jobs --------------------------------------------------------------------------- */

static void reported(void *context, struct job *base)
{
	struct weekly_job *weekly = (struct weekly_job *)base;

	(void)context;
	weekly->next = clock_boot() + (weekly->failed ? WEEKLY_AGAIN : WEEKLY_EVERY);
}

static void reminded(void *context, struct job *base)
{
	(void)context;
	(void)base;
}

static void result_told(void *context, struct job *base)
{
	(void)context;
	result_free((struct result_job *)base);
}

static void start_results(struct hold *h)
{
	while (h->results != NULL && may_put(h)) {
		struct result_job *job = h->results;

		h->results = job->next;
		if (h->results == NULL)
			h->results_end = &h->results;
		h->n_results--;
		job->job.done = result_told;
		put(h, &job->job);
	}
}

static void start_others(struct hold *h)
{
	struct stage *stage = h->stage;

	start_results(h);
	if (may_put(h) && weekly_due(&h->weekly, &stage->settings, clock_boot()))
		put(h, &h->weekly.job);
	if (may_put(h) &&
	    remind_due(&h->remind, h->view, watch_now(&stage->watch), stage->watch.frozen))
		put(h, &h->remind.job);
}

static void take_done(struct hold *h)
{
	struct job *job;

	while ((job = pool_done(h->pool)) != NULL) {
		struct hold_view *view = job->view;

		job->working = false;
		job->view = NULL;
		h->working--;
		job->done(h, job); /* which may free it */
		hold_view_release(view);
	}
}

/* ---- the stage ---------------------------------------------------------------------------- */

static void watch_fd(const struct hold *h, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(h->wake, EPOLL_CTL_ADD, fd, &event) != 0)
		die_environ("epoll");
}

static void open_absences(struct hold *h)
{
	h->absences = absences_read();
	if (h->absences == NULL && errno == EPROTO) {
		LOG_ALARM("absences-unread", kv("file", "lib/hold/absences"));
		h->absences = absences_none();
	}
	if (h->absences == NULL)
		die_environ("lib/hold/absences");
	h->absences_serial = UINT64_MAX; /* those of now are looked at once */
}

static void take_key(struct hold *h)
{
	h->keyed = gate_key_read(true, &h->key);
	if (!h->keyed)
		LOG_ALARM("no-key", kv("file", GATE_KEY_FILE), kv_errno(errno));
}

/* Nobody is let in without a key: then everybody could be anybody. */
static void open_door(struct hold *h)
{
	if (!h->keyed)
		return;
	h->door = door_open(h);
	if (h->door == NULL)
		LOG_ALARM("no-door", kv_errno(errno));
}

static void open_people(struct hold *h)
{
	open_absences(h);
	take_key(h);
	h->index = index_new();
	h->copies = copies_new();
	if (h->index == NULL || h->copies == NULL || !hold_take_view(h, &h->stage->settings) ||
	    !zone_set(h->stage->settings.time_zone))
		die_environ("memory");
	open_door(h);
}

static void start(struct stage *stage)
{
	struct hold *h = stage->context;

	h->stage = stage;
	h->results_end = &h->results;
	h->weekly.job = (struct job){.work = weekly_work, .done = reported};
	h->remind.job = (struct job){.work = remind_work, .done = reminded};
	h->remind.stage = stage;
	open_people(h);
	h->remind.absences = h->absences;
	h->pool = pool_start(THREADS, work);
	if (h->pool == NULL)
		die_environ("threads");
	h->wake = epoll_create1(EPOLL_CLOEXEC);
	if (h->wake < 0)
		die_environ("epoll");
	watch_fd(h, pool_fd(h->pool));
	if (h->door != NULL)
		watch_fd(h, door_fd(h->door));
}

/* No job may tell the time while the zone changes: they all end first. */
static void turn_zone(struct hold *h)
{
	if (!h->turn_zone || h->working > 0)
		return;
	if (!zone_set(h->stage->settings.time_zone))
		die_environ("memory");
	h->turn_zone = false;
}

/* When the background is through with what it has. */
static void look_at_all(struct hold *h)
{
	struct stage *stage = h->stage;

	for (size_t i = 0; i < COUNT_OF(states); i++) {
		if (stage->background[states[i]].n > 0)
			return;
	}
	stage->overflow |= h->look_at_all;
	h->look_at_all = false;
}

static void turn(struct stage *stage)
{
	struct hold *h = stage->context;

	take_done(h);
	turn_zone(h);
	hold_look_at_compiled(h);
	hold_look_at_absences(h);
	if (h->look_at_all)
		look_at_all(h);
	if (h->door != NULL)
		door_serve(h->door);
	start_resting(h);
	start_owed(h);
	start_others(h);
}

/* What has just become owed is not to wait for the next round second. */
static int nap(const struct stage *stage)
{
	const struct hold *h = stage->context;

	return owed_now(h) || (h->results != NULL && may_put(h)) ? 0 : -1;
}

static int wake_fd(struct stage *stage)
{
	const struct hold *h = stage->context;

	return h->wake;
}

static bool reload(struct stage *stage, const struct settings *fresh, char *text, size_t room)
{
	struct hold *h = stage->context;

	if (!h->keyed)
		take_key(h);
	if (!hold_take_view(h, fresh)) {
		(void)snprintf(text, room, "no memory");
		return false;
	}
	h->turn_zone |= strcmp(stage->settings.time_zone, fresh->time_zone) != 0;
	if (h->door == NULL) {
		open_door(h);
		if (h->door != NULL)
			watch_fd(h, door_fd(h->door));
	}
	return true;
}

/* An operator wants it now. */
static void ask_at_once(struct stage *stage)
{
	struct hold *h = stage->context;

	for (size_t i = 0; i < COUNT_OF(states); i++) {
		struct timetable owed = h->owed[states[i]];
		struct leg_name name;

		timetable_init(&h->owed[states[i]]);
		while (timetable_pop(&owed, &name))
			hold_owes(h, states[i], &name, 0);
		timetable_clear(&owed);
	}
	h->remind.next = 0;
}

static void drain(struct stage *stage)
{
	struct hold *h = stage->context;

	atomic_store(&h->remind.stop, true);
	if (!pool_drain(h->pool, DRAIN_SECONDS))
		LOG("not-drained", kv_num("legs", (int64_t)h->n_jobs));
}

static const struct stage_order orders[] = {
    {ORDER_RELEASE, STATE_HOLD, NULL},
    {ORDER_RELEASE, STATE_APPROVE, "it waits for an approval, which a release is not"},
    {ORDER_RELEASE, STATE_TRASH, "it was thrown away: restore it, and it is judged anew"},
    {ORDER_DISCARD, STATE_HOLD, NULL},
    {ORDER_DISCARD, STATE_APPROVE, NULL},
    {ORDER_DISCARD, STATE_TRASH, "it was thrown away already"},
    {ORDER_RESTORE, STATE_TRASH, NULL},
    {ORDER_RESTORE, STATE_REFUSED, "a rule refused it, and its sender was told so"},
    {ORDER_APPROVE, STATE_APPROVE, NULL},
    {ORDER_APPROVE, STATE_HOLD, "it waits for no approval"},
    {ORDER_REJECT, STATE_APPROVE, NULL},
    {ORDER_REJECT, STATE_HOLD, "it waits for no approval: discard it"},
    {ORDER_EXTEND, STATE_HOLD, NULL},
    {ORDER_EXTEND, STATE_APPROVE, "it waits for an approval, and for no time"},
    {ORDER_REMOVE, STATE_APPROVE, NULL},
    {ORDER_REMOVE, STATE_HOLD, NULL},
};

static const struct stage_role role = {
    .program = PROGRAM,
    .states = states,
    .n_states = COUNT_OF(states),
    .split_of = "hold",
    .decide = decide,
    .in_hand = in_hand,
    .nap = nap,
    .start = start,
    .turn = turn,
    .reload = reload,
    .alarm = ask_at_once,
    .drain = drain,
    .wake_fd = wake_fd,
    .orders = orders,
    .n_orders = COUNT_OF(orders),
    .obey = act_obey,
};

int hold_main(void)
{
	static struct hold hold; /* as long as its threads */

	for (size_t i = 0; i < COUNT_OF(states); i++)
		timetable_init(&hold.owed[states[i]]);
	return stage_main(&role, &hold);
}
