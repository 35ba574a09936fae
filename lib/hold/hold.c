/* The stage: its decisions, and who is still to be told of what was refused. */
#include "lib/hold/hold.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/hold/job.h"
#include "lib/notice/refusal.h"
#include "queue/pool.h"

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

struct hold {
	struct stage *stage;
	struct pool *pool;
	struct tell_job *jobs;
	size_t n_jobs;
	struct timetable
	    owed; /* legs of refused/ that owe something, by the boot clock's seconds */
	struct weekly_job weekly;
	int64_t complained; /* boot clock; 0: never */
};

static const enum spool_state states[] = {STATE_APPROVE, STATE_HOLD, STATE_TRASH, STATE_REFUSED};

static int64_t boot_seconds(void)
{
	return clock_boot() / CLOCK_SECOND;
}

static void look_again(struct hold *h, const struct leg_name *name, int64_t seconds)
{
	if (!timetable_add(&h->owed, name, boot_seconds() + seconds))
		die_environ("memory for the timetable");
}

/* ---- decisions ---------------------------------------------------------------------------- */

static struct stage_outcome refused(struct hold *h, const struct leg *leg)
{
	struct stage_outcome keep = {.action = STAGE_KEEP};
	struct notice_refusal refusal;

	switch (notice_refusal_read(leg, &refusal)) {
	case NOTICE_REFUSED:
		if (notice_refusal_owes(&refusal))
			look_again(h, &leg->name, 0);
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
	if (opened->law.step == NULL) /* trash/: where it belongs */
		return (struct stage_outcome){.action = STAGE_KEEP};
	return hold_step(stage, state, opened);
}

/* ---- jobs --------------------------------------------------------------------------------- */

static void work(void *job)
{
	struct job *j = job;

	j->work(j);
}

static void put(struct hold *h, struct job *job)
{
	job->working = true;
	pool_put(h->pool, job);
}

static bool in_hand(struct stage *stage, const struct leg_name *name)
{
	const struct hold *h = stage->context;

	for (const struct tell_job *job = h->jobs; job != NULL; job = job->next) {
		if (name_same_leg(&job->name, name))
			return true;
	}
	return false;
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

/* One alarm tells of all of them, and not too often. */
static void complain(struct hold *h, const struct tell_job *job)
{
	char id[NAME_TEXT];

	if (h->complained != 0 && clock_boot() - h->complained < COMPLAIN)
		return;
	h->complained = clock_boot();
	name_format(&job->name, STATE_NEW, id);
	LOG_ALARM("notice-failed", kv("id", id), kv("why", job->why),
	    kv_num("owed", (int64_t)(h->owed.n + h->n_jobs)));
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
		break;
	case TELL_AGAIN:
	case TELL_RARELY:
		complain(h, job);
		look_again(h, &job->name, pause_of(job));
		break;
	case TELL_RECORD: /* it keeps what it owes, and its leg */
		job->rest_until = clock_boot() + STAGE_AGAIN * CLOCK_SECOND;
		return;
	}
	forget(h, job);
}

static void give_out(struct hold *h, struct tell_job *job)
{
	job->now = watch_now(&h->stage->watch);
	job->boot = clock_boot();
	job->patience_ms = (int)(h->stage->settings.notice_time / 1000) + 5000;
	job->rest_until = 0;
	put(h, &job->job);
}

static void begin(struct hold *h, const struct leg_name *name)
{
	struct tell_job *job = calloc(1, sizeof *job);

	if (job == NULL) {
		look_again(h, name, STAGE_AGAIN);
		return;
	}
	job->job = (struct job){.work = tell_work, .done = told};
	job->stage = h->stage;
	job->name = *name;
	job->name.due = DUE_NONE;
	buf_init(&job->owed, SIZE_MAX);
	job->next = h->jobs;
	h->jobs = job;
	h->n_jobs++;
	give_out(h, job);
}

static void start_resting(struct hold *h)
{
	for (struct tell_job *job = h->jobs; job != NULL; job = job->next) {
		if (!job->job.working && job->rest_until <= clock_boot() && pool_free(h->pool) > 0)
			give_out(h, job);
	}
}

static void start_owed(struct hold *h)
{
	struct leg_name name;

	while (h->n_jobs < JOBS_MAX && pool_free(h->pool) > 0 &&
	       timetable_next(&h->owed) <= boot_seconds() && timetable_pop(&h->owed, &name)) {
		if (in_hand(h->stage, &name)) /* the job sees what there is to do */
			continue;
		begin(h, &name);
	}
}

/* ---- the weekly report -------------------------------------------------------------------- */

static void reported(void *context, struct job *base)
{
	struct weekly_job *weekly = (struct weekly_job *)base;

	(void)context;
	weekly->next = clock_boot() + (weekly->failed ? WEEKLY_AGAIN : WEEKLY_EVERY);
}

/* ---- the stage ---------------------------------------------------------------------------- */

static void start(struct stage *stage)
{
	struct hold *h = stage->context;

	h->stage = stage;
	h->weekly.job = (struct job){.work = weekly_work, .done = reported};
	h->pool = pool_start(THREADS, work);
	if (h->pool == NULL)
		die_environ("threads");
}

static void turn(struct stage *stage)
{
	struct hold *h = stage->context;
	struct job *job;

	while ((job = pool_done(h->pool)) != NULL) {
		job->working = false;
		job->done(h, job);
	}
	start_resting(h);
	start_owed(h);
	if (pool_free(h->pool) > 0 && weekly_due(&h->weekly, &stage->settings, clock_boot()))
		put(h, &h->weekly.job);
}

/* What has just become owed is not to wait for the next round second. */
static int nap(const struct stage *stage)
{
	const struct hold *h = stage->context;
	bool due = timetable_next(&h->owed) <= boot_seconds();

	return due && h->n_jobs < JOBS_MAX && pool_free(h->pool) > 0 ? 0 : -1;
}

static int wake_fd(struct stage *stage)
{
	const struct hold *h = stage->context;

	return pool_fd(h->pool);
}

/* An operator wants it now. */
static void ask_at_once(struct stage *stage)
{
	struct hold *h = stage->context;
	struct timetable owed = h->owed;
	struct leg_name name;

	timetable_init(&h->owed);
	while (timetable_pop(&owed, &name))
		look_again(h, &name, 0);
	timetable_clear(&owed);
}

static void drain(struct stage *stage)
{
	const struct hold *h = stage->context;

	if (!pool_drain(h->pool, DRAIN_SECONDS))
		LOG("not-drained", kv_num("legs", (int64_t)h->n_jobs));
}

static const struct stage_order orders[] = {
    {ORDER_RELEASE, STATE_HOLD, NULL},
    {ORDER_RELEASE, STATE_APPROVE, "it waits for an approval, which a release is not"},
    {ORDER_DISCARD, STATE_HOLD, NULL},
    {ORDER_DISCARD, STATE_APPROVE, NULL},
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
    .alarm = ask_at_once,
    .drain = drain,
    .wake_fd = wake_fd,
    .orders = orders,
    .n_orders = COUNT_OF(orders),
};

int hold_main(void)
{
	static struct hold hold; /* as long as its threads */

	timetable_init(&hold.owed);
	return stage_main(&role, &hold);
}
