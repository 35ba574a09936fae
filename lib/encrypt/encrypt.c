/* The stage: its decisions, and the jobs that carry them out. */
#include "lib/encrypt/encrypt.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/base/zone.h"
#include "lib/encrypt/job.h"
#include "lib/encrypt/steps.h"
#include "queue/pool.h"

#define PROGRAM       "seki-encrypt"
#define DRAIN_SECONDS 10
#define COMPLAIN      (60 * CLOCK_SECOND)
#define AGAIN_SOONEST 2 /* seconds until a leg is tried again; each further time twice as long */
#define AGAIN_LATEST  60

struct encrypt {
	struct stage *stage;
	struct pool *pool;
	struct job *jobs;
	size_t n_jobs;
	struct timetable todo;      /* legs to be changed, by the boot clock's seconds */
	const struct job *stopping; /* the leg that is being stopped just now, or NULL */
	int64_t complained;         /* boot clock; 0: never */
	size_t failed;              /* jobs, one after another */
};

static const enum spool_state states[] = {STATE_ENCRYPT};

static int64_t boot_seconds(void)
{
	return clock_boot() / CLOCK_SECOND;
}

static void look_at(struct encrypt *e, const struct leg_name *name, int64_t seconds)
{
	if (!timetable_add(&e->todo, name, boot_seconds() + seconds))
		die_environ("memory for the timetable");
}

/* ---- decisions ---------------------------------------------------------------------------- */

static struct stage_outcome decide(
    struct stage *stage, enum spool_state state, struct stage_opened *opened)
{
	struct encrypt *e = stage->context;
	const struct leg *leg = &opened->leg;
	enum step_word word = STEP_KEEP;

	(void)state;
	if (e->stopping != NULL)
		return (struct stage_outcome){.action = STAGE_STOP, .why = e->stopping->why};
	if (opened->law.step != NULL)
		word = step_read(opened->law.step).word;
	if (word == STEP_OTHER)
		return (struct stage_outcome){
		    .action = STAGE_STOP, .why = "a sealing that this version cannot do"};
	if (word == STEP_KEEP && leg->removals == 0)
		return (struct stage_outcome){.action = STAGE_PASS, .details = "by=nobody"};
	look_at(e, &leg->name, 0);
	return (struct stage_outcome){.action = STAGE_TAKEN};
}

/* ---- jobs --------------------------------------------------------------------------------- */

static bool in_hand(struct stage *stage, const struct leg_name *name)
{
	const struct encrypt *e = stage->context;

	for (const struct job *job = e->jobs; job != NULL; job = job->next) {
		if (name_same_leg(&job->name, name))
			return true;
	}
	return false;
}

static void begin(struct encrypt *e, const struct leg_name *name)
{
	struct job *job = calloc(1, sizeof *job);

	if (job == NULL) {
		look_at(e, name, STAGE_AGAIN);
		return;
	}
	job->stage = e->stage;
	job->name = *name;
	job->now = watch_now(&e->stage->watch);
	job->boot = clock_boot();
	job->patience = e->stage->settings.seal_time;
	job->etc = e->stage->etc;
	job->next = e->jobs;
	e->jobs = job;
	e->n_jobs++;
	pool_put(e->pool, job);
}

static void forget(struct encrypt *e, const struct job *job)
{
	struct job **at = &e->jobs;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	e->n_jobs--;
}

static void start_some(struct encrypt *e)
{
	struct leg_name name;

	while (pool_free(e->pool) > 0 && timetable_next(&e->todo) <= boot_seconds() &&
	       timetable_pop(&e->todo, &name)) {
		if (!in_hand(e->stage, &name))
			begin(e, &name);
	}
}

/* One alarm tells of all of them, and not too often. */
static void complain(struct encrypt *e, const struct job *job)
{
	char id[NAME_TEXT];

	if (e->complained != 0 && clock_boot() - e->complained < COMPLAIN)
		return;
	e->complained = clock_boot();
	name_format(&job->name, STATE_NEW, id);
	LOG_ALARM("sealing-failed", kv("id", id), kv("why", job->why), kv("said", job->word),
	    kv_num("waiting", (int64_t)(e->todo.n + e->n_jobs)));
}

static int64_t pause_of(struct encrypt *e)
{
	int64_t pause = AGAIN_SOONEST;

	for (size_t i = 1; i < e->failed && pause < AGAIN_LATEST; i++)
		pause *= 2;
	return pause < AGAIN_LATEST ? pause : AGAIN_LATEST;
}

static void finished(struct encrypt *e, struct job *job)
{
	forget(e, job);
	switch (job->end) {
	case JOB_DONE:
		e->failed = 0;
		stage_look(e->stage, STATE_ENCRYPT, &job->name);
		break;
	case JOB_AGAIN:
		e->failed++;
		complain(e, job);
		look_at(e, &job->name, pause_of(e));
		break;
	case JOB_STOP:
		e->stopping = job;
		stage_look(e->stage, STATE_ENCRYPT, &job->name);
		e->stopping = NULL;
		break;
	}
	free(job);
}

/* ---- the stage ---------------------------------------------------------------------------- */

static void start(struct stage *stage)
{
	struct encrypt *e = stage->context;

	e->stage = stage;
	if (!zone_set(stage->settings.time_zone))
		die_environ("memory for the time zone");
	e->pool = pool_start((size_t)stage->settings.sealers, job_work);
	if (e->pool == NULL)
		die_environ("threads");
}

/* Threads read the time zone: another one is taken by a new start, which the supervisor sees to. */
static bool reload(struct stage *stage, const struct settings *fresh, char *text, size_t room)
{
	(void)text;
	(void)room;
	if (strcmp(stage->settings.time_zone, fresh->time_zone) != 0)
		stage->draining = true;
	return true;
}

static void turn(struct stage *stage)
{
	struct encrypt *e = stage->context;
	struct job *job;

	while ((job = pool_done(e->pool)) != NULL)
		finished(e, job);
	start_some(e);
}

/* What has just come is not to wait for the next round second. */
static int nap(const struct stage *stage)
{
	const struct encrypt *e = stage->context;

	return timetable_next(&e->todo) <= boot_seconds() && pool_free(e->pool) > 0 ? 0 : -1;
}

static int wake_fd(struct stage *stage)
{
	const struct encrypt *e = stage->context;

	return pool_fd(e->pool);
}

/* An operator wants it now. */
static void now_all(struct stage *stage)
{
	struct encrypt *e = stage->context;
	struct timetable todo = e->todo;
	struct leg_name name;

	e->failed = 0;
	timetable_init(&e->todo);
	while (timetable_pop(&todo, &name))
		look_at(e, &name, 0);
	timetable_clear(&todo);
}

/* Every leg is seen again, and comes back from decide(). */
static void forget_todo(struct stage *stage)
{
	struct encrypt *e = stage->context;

	timetable_clear(&e->todo);
	timetable_init(&e->todo);
}

static void drain(struct stage *stage)
{
	const struct encrypt *e = stage->context;

	if (!pool_drain(e->pool, DRAIN_SECONDS))
		LOG("not-drained", kv_num("legs", (int64_t)e->n_jobs));
}

static const struct stage_order orders[] = {
    {ORDER_DISCARD, STATE_ENCRYPT, NULL},
};

static const struct stage_role role = {
    .program = PROGRAM,
    .states = states,
    .n_states = COUNT_OF(states),
    .split_of = "encrypt",
    .decide = decide,
    .in_hand = in_hand,
    .nap = nap,
    .start = start,
    .reload = reload,
    .turn = turn,
    .sweeping = forget_todo,
    .alarm = now_all,
    .drain = drain,
    .wake_fd = wake_fd,
    .orders = orders,
    .n_orders = COUNT_OF(orders),
};

int encrypt_main(void)
{
	static struct encrypt encrypt; /* as long as its threads */

	timetable_init(&encrypt.todo);
	return stage_main(&role, &encrypt);
}
