/* The stage: new mail is inspected if that is wished, judged, and sent on or divided. */
#include "lib/scan/scan.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "queue/intake.h"

#define DRAIN      (10 * CLOCK_SECOND)
#define RECORD_MAX ((size_t)65536)
#define WAKE_LEGS  64 /* of those that wait are looked at before events are seen to again */

static const enum spool_state states[] = {STATE_NEW, STATE_BAD};
static const struct stage_outcome taken = {.action = STAGE_TAKEN};
static const struct stage_outcome again_later = {.action = STAGE_AGAIN_LATER};

static bool in_hand(struct stage *stage, const struct leg_name *name)
{
	const struct scan *scan = stage->context;

	return jobs_have(&scan->jobs, name);
}

/* ---- places ------------------------------------------------------------------------------- */

/* Whether a job could be begun now. */
static bool may_begin(const struct stage *stage, enum job_kind kind)
{
	const struct scan *scan = stage->context;

	return jobs_place(&scan->jobs, kind, (size_t)stage->settings.inspectors) &&
	       (kind == JOB_DIVISION || faults_left(&scan->faults, clock_boot()) == 0);
}

/* The end of a job, or of a pause, has it looked at again. */
static struct stage_outcome wait_for_place(
    struct stage *stage, enum job_kind kind, const struct leg_name *name)
{
	struct scan *scan = stage->context;

	return timetable_add(&scan->waiting[kind], name, stage_now(stage)) ? taken : again_later;
}

/* Those that wait the longest go first. */
static void wake(struct stage *stage, enum job_kind kind)
{
	struct scan *scan = stage->context;
	struct leg_name name;

	for (size_t i = 0;
	     i < WAKE_LEGS && may_begin(stage, kind) && timetable_pop(&scan->waiting[kind], &name);
	     i++)
		stage_look(stage, STATE_NEW, &name);
}

/* The next sweep sees all of them. */
static void sweeping(struct stage *stage)
{
	struct scan *scan = stage->context;

	for (size_t kind = 0; kind < JOB_KINDS; kind++)
		timetable_clear(&scan->waiting[kind]);
}

static void later(struct stage *stage, const struct leg_name *name, int64_t seconds)
{
	stage_schedule(stage, STATE_NEW, name, stage_now(stage) + seconds);
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

/*
 * A message is judged as of its acceptance, so that waiting in new/ costs nothing. But a stamp that
 * a suspect clock made, or that lies ahead, would end a hold too early or never.
 */
static bool judge(const struct stage *stage, const struct leg *leg,
    const struct policy_facts *facts, struct policy_judgement *j)
{
	int64_t now = watch_now(&stage->watch);
	bool doubtful = stage->watch.frozen || leg->accepted > now;

	return policy_judge(&stage->settings, leg, facts, doubtful ? now : leg->accepted, j);
}

/* ---- a division --------------------------------------------------------------------------- */

/* In a thread. */
static void divide(struct job *d)
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

/* Gives the judgement to a job that is to divide. */
static void hand_over(struct stage *stage, struct job *job, struct policy_judgement *j)
{
	job->judgement = *j;
	job->now = watch_now(&stage->watch);
	*j = (struct policy_judgement){.groups = 0};
}

/* Gives the opened leg to a thread, or has it wait for one. */
static struct stage_outcome start_division(
    struct stage *stage, struct stage_opened *o, struct policy_judgement *j)
{
	struct scan *scan = stage->context;
	struct job *job;

	if (!may_begin(stage, JOB_DIVISION))
		return wait_for_place(stage, JOB_DIVISION, &o->leg.name);
	job = job_new(stage, o, JOB_DIVISION);
	if (job == NULL)
		return again_later;
	hand_over(stage, job, j);
	jobs_begin(&scan->jobs, job);
	return taken;
}

static void end_division(struct stage *stage, struct job *d)
{
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
		later(stage, &d->opened.leg.name, STAGE_AGAIN);
		break;
	case SPLIT_UNFINISHED:
		/* The next start ends it, under the lock and before anything else. */
		die_environ("a division that could not be ended");
	}
}

/* ---- an inspection ------------------------------------------------------------------------ */

static struct stage_outcome start_inspection(struct stage *stage, struct stage_opened *o)
{
	struct scan *scan = stage->context;
	struct job *job;

	if (!may_begin(stage, JOB_INSPECTION))
		return wait_for_place(stage, JOB_INSPECTION, &o->leg.name);
	job = job_new(stage, o, JOB_INSPECTION);
	if (job == NULL)
		return again_later;
	job->desk = scan->desk;
	jobs_begin(&scan->jobs, job);
	return taken;
}

/*
 * The facts of a job's leg are known: it is sent on, or divided with the facts that it has. While
 * there is no place the job is kept, so that nothing is inspected twice; it counts as an
 * inspection for as long, which bounds how many there can be.
 */
static void settle(struct stage *stage, struct job *job)
{
	struct scan *scan = stage->context;
	struct policy_judgement j = {.groups = 0};
	bool done = false;

	if (!judge(stage, &job->opened.leg, &job->heard.facts, &j)) {
		LOG_ALARM("judging-failed", kv("id", job->opened.text), kv_errno(ENOMEM));
	} else if (j.groups > 1) {
		job->kept = !may_begin(stage, JOB_DIVISION);
		if (!job->kept) {
			hand_over(stage, job, &j);
			jobs_go_on(&scan->jobs, job);
		}
		policy_judgement_free(&j);
		return;
	} else {
		done = send_on(stage, &job->opened, &j.group[0].plan);
	}
	policy_judgement_free(&j);
	if (!done)
		later(stage, &job->opened.leg.name, STAGE_AGAIN);
	jobs_end(&scan->jobs, job);
}

/* Once a minute: every message would say the same. */
static void tell_fault(struct scan *scan, const struct job *job)
{
	const struct heard *heard = &job->heard;

	if (!faults_tell(&scan->faults, heard->fault, clock_boot()))
		return;
	if (heard->fault == HEARD_UNREACHABLE)
		LOG_ALARM("not-there", kv("program", "seki-inspect or seki-convert"));
	else
		LOG_ALARM("inspection-failed", kv("id", job->opened.text),
		    kv("reason", heard_fault_word(heard->fault)), kv("why", heard->why));
}

/*
 * Whether the fault is to be waited out: the leg is asked about again. One whose inspector is
 * killed time and again has done that itself, and a person is to look at it.
 */
static bool wait_out(struct stage *stage, struct job *job)
{
	struct scan *scan = stage->context;
	const struct leg_name *name = &job->opened.leg.name;
	const struct heard *heard = &job->heard;

	if (heard->fault == HEARD_FINE)
		return false;
	tell_fault(scan, job);
	if (heard->fault == HEARD_KILLED && faults_leg_killed(&scan->faults, name) >= FAULTS_KILLED)
		return false;
	/* What one leg alone met, such as a converter that is missing, stops no other. */
	if (heard->fault == HEARD_KILLED || heard->told) {
		later(stage, name, faults_leg_pause(&scan->faults, name) / CLOCK_SECOND);
		return true;
	}
	faults_pause(&scan->faults, clock_boot());
	if (wait_for_place(stage, JOB_INSPECTION, name).action != STAGE_TAKEN)
		later(stage, name, STAGE_AGAIN);
	return true;
}

static void log_facts(const struct job *job)
{
	const struct policy_facts *facts = &job->heard.facts;

	if (facts->virus)
		LOG("virus-found", kv("id", job->opened.text), kv("name", job->heard.virus));
	if (facts->uninspectable)
		LOG("uninspectable", kv("id", job->opened.text), kv("reason", facts->reason));
	if (facts->ambiguous)
		LOG("ambiguous", kv("id", job->opened.text), kv("reason", facts->ambiguity));
}

static void end_inspection(struct stage *stage, struct job *job)
{
	struct scan *scan = stage->context;

	if (wait_out(stage, job)) {
		jobs_end(&scan->jobs, job);
		return;
	}
	if (job->heard.fault == HEARD_FINE)
		faults_over(&scan->faults);
	faults_leg_over(&scan->faults, &job->opened.leg.name);
	log_facts(job);
	settle(stage, job);
}

/* ---- the role ----------------------------------------------------------------------------- */

static struct stage_outcome decide(
    struct stage *stage, enum spool_state state, struct stage_opened *o)
{
	static const struct policy_facts none;
	struct stage_outcome outcome = again_later;
	struct policy_judgement j;

	if (state != STATE_NEW)
		return (struct stage_outcome){.action = STAGE_KEEP};
	if (stage->settings.plan_facts == PLAN_FACTS_YES && !intake_is_own(o->leg.client))
		return start_inspection(stage, o);
	if (!judge(stage, &o->leg, &none, &j))
		return again_later;
	if (j.groups > 1)
		outcome = start_division(stage, o, &j);
	else if (send_on(stage, o, &j.group[0].plan))
		outcome = taken;
	policy_judgement_free(&j);
	return outcome;
}

/* A thread. */
static void work(void *context)
{
	struct job *job = context;

	if (job->kind == JOB_DIVISION)
		divide(job);
	else
		desk_inspect(job->desk, &job->opened, &job->heard);
}

static void turn(struct stage *stage)
{
	struct scan *scan = stage->context;
	struct job *job;

	while ((job = jobs_done(&scan->jobs)) != NULL) {
		if (job->kind == JOB_INSPECTION) {
			end_inspection(stage, job);
			continue;
		}
		end_division(stage, job);
		jobs_end(&scan->jobs, job);
	}
	while (may_begin(stage, JOB_DIVISION) && (job = jobs_kept(&scan->jobs)) != NULL)
		settle(stage, job);
	wake(stage, JOB_DIVISION);
	wake(stage, JOB_INSPECTION);
}

/* Until those that wait can go on: at once, at the end of a pause; else a job's end wakes us. */
static int nap(const struct stage *stage)
{
	const struct scan *scan = stage->context;
	int64_t pause = faults_left(&scan->faults, clock_boot());

	for (size_t kind = 0; kind < JOB_KINDS; kind++) {
		if (scan->waiting[kind].n > 0 && may_begin(stage, (enum job_kind)kind))
			return 0;
	}
	if (scan->waiting[JOB_INSPECTION].n > 0 && pause > 0)
		return (int)(pause / 1000) + 1;
	return -1;
}

static void start(struct stage *stage)
{
	struct scan *scan = stage->context;
	size_t inspectors = (size_t)stage->settings.inspectors;

	scan->desk = desk_new(inspectors);
	if (scan->desk == NULL)
		die_environ("memory");
	desk_settings(scan->desk, &stage->settings);
	if (!jobs_start(&scan->jobs, inspectors, work))
		die_environ("threads");
}

static bool reload(struct stage *stage, const struct settings *fresh, char *text, size_t room)
{
	struct scan *scan = stage->context;

	(void)text;
	(void)room;
	desk_settings(scan->desk, fresh);
	/* What was wrong may have been mended. */
	faults_over(&scan->faults);
	return true;
}

/*
 * Divisions may end: what has not ended by then the next start ends, or undoes. Inspections are
 * left: they have changed nothing, and their legs stand in new/.
 */
static void drain(struct stage *stage)
{
	struct scan *scan = stage->context;
	int64_t until = clock_boot() + DRAIN;
	struct job *job;

	while (scan->jobs.n[JOB_DIVISION] > 0) {
		int64_t left = until - clock_boot();
		struct pollfd p = {.fd = pool_fd(scan->jobs.pool), .events = POLLIN};

		while ((job = jobs_done(&scan->jobs)) != NULL) {
			if (job->kind == JOB_DIVISION)
				end_division(stage, job);
			jobs_end(&scan->jobs, job);
		}
		if (left <= 0)
			break;
		if (scan->jobs.n[JOB_DIVISION] > 0)
			(void)poll(&p, 1, clock_patience((int)(left / 1000) + 1));
	}
	if (scan->jobs.n[JOB_DIVISION] > 0)
		LOG("division-interrupted", kv("program", "seki-scan"));
}

static int wake_fd(struct stage *stage)
{
	const struct scan *scan = stage->context;

	return pool_fd(scan->jobs.pool);
}

static const struct stage_role role = {
    .program = "seki-scan",
    .states = states,
    .n_states = COUNT_OF(states),
    .split_of = "scan",
    .decide = decide,
    .in_hand = in_hand,
    .nap = nap,
    .start = start,
    .reload = reload,
    .sweeping = sweeping,
    .turn = turn,
    .drain = drain,
    .wake_fd = wake_fd,
};

int scan_main(struct scan *scan)
{
	for (size_t kind = 0; kind < JOB_KINDS; kind++)
		timetable_init(&scan->waiting[kind]);
	return stage_main(&role, scan);
}
