/* The stage: new mail is judged, after what its rules ask for has been found out, and sent on, divided or
 * refused. */
#include "lib/scan/scan.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/scan/audit.h"
#include "lib/scan/body.h"
#include "lib/scan/rules.h"
#include "lib/scan/tell.h"
#include "queue/intake.h"

#define DRAIN      (10 * CLOCK_SECOND)
#define RECORD_MAX ((size_t)4 * 1024 * 1024) /* a plan and why it is that */
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

/* Appends whole records. False, with an alarm: not now. */
static bool append(struct stage_opened *o, const struct buf *records)
{
	if (buf_ok(records) && spool_append(o->fd, o->leg.end, records->bytes, records->len))
		return true;
	LOG_ALARM("append-failed", kv("id", o->text), kv_errno(buf_ok(records) ? errno : ENOMEM));
	return false;
}

/* Appends the plan and moves the leg to its first state. False: not now. */
static bool send_on(struct stage *stage, struct stage_opened *o, const struct policy_group *g)
{
	struct leg *leg = &o->leg;
	struct buf record;
	struct law first;
	bool done;

	buf_init(&record, RECORD_MAX);
	plan_write(&record, leg->name.id, leg->name.k, g->plan.bytes, g->plan.len);
	leg_stamp_records(&record, watch_now(&stage->watch), g->records.bytes, g->records.len);
	done = append(o, &record);
	buf_free(&record);
	if (!done)
		return false;

	plan_digest(leg->name.id, leg->name.k, g->plan.bytes, g->plan.len, leg->plan.digest);
	if (!plan_parse(&leg->plan, g->plan.bytes, g->plan.len))
		die_bug("seki-scan: a plan that is none");
	first = law_first(leg, stage_now(stage));
	LOG("judged", kv("id", o->text), kv("plan", leg->plan.digest), kv_num("legs", 1),
	    kv("to", state_name(first.state)));
	return stage_move(stage, STATE_NEW, o->text, &leg->name, first.state, first.due, NULL);
}

/* "refused rule=… name=… why=… tell=… [forward=…]" */
static void add_refusal(struct buf *lines, const struct policy_refusal *refusal)
{
	buf_addf(lines, "refused rule=%s", refusal->where);
	if (refusal->rule[0] != '\0') {
		buf_add_text(lines, " name=");
		buf_add_xtext(lines, refusal->rule, strlen(refusal->rule));
	}
	buf_add_text(lines, " why=");
	buf_add_xtext(lines, refusal->why, strlen(refusal->why));
	buf_addf(lines, " tell=%s", refusal->tell_sender ? "sender" : "nobody");
	for (size_t i = 0; i < refusal->forwards; i++) {
		buf_add_text(lines, i == 0 ? " forward=" : ",");
		buf_add_xtext(lines, refusal->forward[i], strlen(refusal->forward[i]));
	}
	buf_add_text(lines, "\n");
}

/* Nobody gets it. Who is told of that is seki-hold's business, in refused/. False: not now. */
static bool refuse(struct stage *stage, struct stage_opened *o, const struct policy_judgement *j)
{
	struct buf lines, record;
	bool done;

	buf_init(&lines, RECORD_MAX);
	buf_init(&record, RECORD_MAX);
	buf_add(&lines, j->group[0].records.bytes, j->group[0].records.len);
	add_refusal(&lines, &j->refusal);
	leg_stamp_records(&record, watch_now(&stage->watch), lines.bytes, lines.len);
	record.failed = record.failed || lines.failed;
	done = append(o, &record);
	buf_free(&record);
	buf_free(&lines);
	if (!done)
		return false;
	LOG("refused", kv("id", o->text), kv("rule", j->refusal.where));
	return stage_move(
	    stage, STATE_NEW, o->text, &o->leg.name, STATE_REFUSED, DUE_NONE, "refused by a rule");
}

/* ---- judging ------------------------------------------------------------------------------ */

/*
 * A message is judged as of its acceptance, so that waiting in new/ costs nothing; one that was brought back
 * as of then, so that its hold begins anew. But a stamp that a suspect clock made, or that lies
 * ahead, would end a hold too early or never.
 */
static int64_t as_of(const struct stage *stage, const struct leg *leg)
{
	int64_t now = watch_now(&stage->watch);
	int64_t since = leg->restored > leg->accepted ? leg->restored : leg->accepted;

	return stage->watch.frozen || since > now ? now : since;
}

enum registration { REGISTERED, UNREGISTERED, REGISTRATION_UNKNOWN };

/* Whether the sender is somebody; `enrolled` is what seki-db said, or -1. */
static enum registration registration(
    const struct stage *stage, const struct leg *leg, int enrolled)
{
	const struct scan *scan = stage->context;
	char sender[ORG_ADDRESS_MAX];
	struct org_person person;

	if (intake_is_own(leg->client) || leg->from[0] == '\0')
		return REGISTERED;
	if (org_normal(leg->from, sender) && org_person(scan->policy->org, sender, &person))
		return REGISTERED;
	if (stage->settings.unknown_senders == UNKNOWN_RELAY)
		return UNREGISTERED;
	if (enrolled < 0)
		return REGISTRATION_UNKNOWN;
	return enrolled > 0 ? REGISTERED : UNREGISTERED;
}

/* While everybody pauses, mail that waits anyway is not kept from its place for what it would be told. */
static unsigned checks_of(const struct scan *scan, const struct job *job)
{
	unsigned checks = job != NULL ? job->checks : POLICY_CHECK_ALL;
	bool inspected = job != NULL && job->heard.facts != NULL;

	return inspected || faults_left(&scan->faults, clock_boot()) == 0
		   ? checks
		   : checks & ~POLICY_CHECK_FACTS;
}

static struct policy_case case_of(
    const struct stage *stage, const struct stage_opened *o, const struct job *job)
{
	const struct scan *scan = stage->context;
	int enrolled = job != NULL ? job->enrolled : -1;

	return (struct policy_case){.settings = &stage->settings,
	    .policy = scan->policy,
	    .leg = &o->leg,
	    .facts = job != NULL ? job->heard.facts : NULL,
	    .added = scan->policy->rules > 0 ? leg_received(o->fd, &o->leg) : 0,
	    .past = job != NULL ? job->past : NULL,
	    .since = as_of(stage, &o->leg),
	    .unregistered = registration(stage, &o->leg, enrolled) != REGISTERED,
	    .checks = checks_of(scan, job),
	    .past_nameless = job != NULL && job->nameless,
	    .body = job != NULL && job->body[0] != '\0' ? job->body : NULL};
}

/*
 * Judges a leg with what the job, or nobody yet, has found out. Returns what is still wanted, as
 * 1 << enum job_want, or 0 with `j` and `*verdict` filled.
 */
static unsigned judge(const struct stage *stage, const struct stage_opened *o,
    const struct job *job, struct policy_judgement *j, enum policy_verdict *verdict)
{
	struct policy_case c = case_of(stage, o, job);
	unsigned wanted = 0;

	*j = (struct policy_judgement){.groups = 0};
	if (stage->settings.plan_facts == PLAN_FACTS_YES && !intake_is_own(o->leg.client) &&
	    c.facts == NULL)
		wanted |= 1U << JOB_FACTS;
	if (registration(stage, &o->leg, job != NULL ? job->enrolled : -1) == REGISTRATION_UNKNOWN)
		wanted |= 1U << JOB_ENROLLED;
	if (wanted != 0)
		return wanted;

	*verdict = policy_judge(&c, j);
	switch (*verdict) {
	case POLICY_NEEDS_FACTS:
		return 1U << JOB_FACTS;
	case POLICY_NEEDS_PAST:
		return 1U << JOB_PAST;
	case POLICY_NEEDS_BODY:
		return 1U << JOB_BODY;
	case POLICY_JUDGED:
	case POLICY_FAILED:
		break;
	}
	return 0;
}

static void tell(const struct stage *stage, const struct stage_opened *o, const struct job *job,
    const struct policy_judgement *j)
{
	struct policy_case c = case_of(stage, o, job);

	tell_judged(stage->context, &c, j);
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
	if (!scan_audit(d->stage->audit, &d->opened.leg, &d->judgement)) {
		d->error = errno;
		free(child);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const struct policy_group *g = &d->judgement.group[i];

		child[i] = (struct split_child){g->rcpt, g->rcpts, g->plan.bytes, g->plan.len,
		    g->records.bytes, g->records.len};
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

/* Fills in what a job is to find out. False: no memory. */
static bool prepare(const struct stage *stage, struct job *job, unsigned wanted)
{
	const struct scan *scan = stage->context;
	const struct leg *leg = &job->opened.leg;
	struct policy_case c = case_of(stage, &job->opened, job);

	job->desk = scan->desk;
	job->rules = scan->serial;
	job->wanted = wanted;
	job->patience = stage->settings.past_time;
	if ((wanted & 1U << JOB_ENROLLED) != 0)
		job->enrol = org_normal(leg->from, job->sender) &&
			     stage->settings.unknown_senders == UNKNOWN_ENROL &&
			     org_class(scan->policy->org, job->sender) == CLASS_INTERNAL;
	if ((wanted & 1U << JOB_PAST) == 0)
		return true;
	past_question_free(&job->question);
	past_free(job->past);
	job->past = NULL;
	job->nameless = job->heard.facts == NULL;
	return policy_past_question(&c, &job->question);
}

static struct stage_outcome start_inspection(
    struct stage *stage, struct stage_opened *o, unsigned wanted)
{
	struct scan *scan = stage->context;
	bool inspects = (wanted & 1U << JOB_FACTS) != 0;
	struct job *job;

	/* The pause is for those who inspect: the past, and the mail itself, can be asked meanwhile. */
	if (inspects ? !may_begin(stage, JOB_INSPECTION)
		     : !jobs_place(&scan->jobs, JOB_INSPECTION, (size_t)stage->settings.inspectors))
		return wait_for_place(stage, JOB_INSPECTION, &o->leg.name);
	job = job_new(stage, o, JOB_INSPECTION);
	if (job == NULL)
		return again_later;
	if (!prepare(stage, job, wanted)) {
		later(stage, &job->opened.leg.name, STAGE_AGAIN);
		job_free(job);
		return taken;
	}
	jobs_begin(&scan->jobs, job);
	return taken;
}

/* A thread. What fails is nobody's fault who wrote the mail: it is asked again. */
static void find_out(struct job *job)
{
	job->heard.fault = HEARD_FINE;
	if ((job->wanted & 1U << JOB_FACTS) != 0)
		desk_inspect(job->desk, &job->opened, &job->heard);
	if (job->heard.fault == HEARD_FINE && (job->wanted & 1U << JOB_ENROLLED) != 0) {
		job->enrolled = past_enrolled(job->sender, job->enrol, job->patience);
		if (job->enrolled < 0)
			heard_failed(&job->heard, HEARD_PAST, strerrordesc_np(errno));
	}
	if (job->heard.fault == HEARD_FINE && (job->wanted & 1U << JOB_PAST) != 0) {
		job->past = past_ask(&job->question, job->patience);
		if (job->past == NULL)
			heard_failed(&job->heard, HEARD_PAST, strerrordesc_np(errno));
	}
	if ((job->wanted & 1U << JOB_BODY) != 0 &&
	    !body_digest(job->opened.fd, &job->opened.leg, job->body)) {
		job->body[0] = '\0';
		job->checks &= ~POLICY_CHECK_BODY;
	}
}

/* Judged: what becomes of it. False: nothing yet, look again later. */
static bool carry_out(struct stage *stage, struct stage_opened *o, const struct policy_judgement *j)
{
	if (!scan_audit(stage->audit, &o->leg, j))
		return false;
	return j->refusal.refused ? refuse(stage, o, j) : send_on(stage, o, &j->group[0]);
}

/*
 * What a job was to find out is known: its leg is sent on, or divided with the facts that it has. While
 * there is no place the job is kept, so that nothing is inspected twice; it counts as an
 * inspection for as long, which bounds how many there can be.
 */
static void settle(struct stage *stage, struct job *job)
{
	struct scan *scan = stage->context;
	const struct leg *leg = &job->opened.leg;
	struct policy_judgement j;
	enum policy_verdict verdict = POLICY_FAILED;
	unsigned wanted;
	bool done = false;

	rules_look(stage);
	if (job->rules != scan->serial) {
		/* What was found out answers the questions of other rules. */
		later(stage, &leg->name, 0);
		jobs_end(&scan->jobs, job);
		return;
	}
	wanted = judge(stage, &job->opened, job, &j, &verdict);
	/* By names the past may be asked for once more. */
	if (wanted == 1U << JOB_PAST && job->nameless)
		job->found &= ~wanted;
	if (wanted != 0 && (wanted & job->found) == 0 && prepare(stage, job, wanted)) {
		policy_judgement_free(&j);
		jobs_again(&scan->jobs, job);
		return;
	}
	if (wanted != 0 || verdict != POLICY_JUDGED) {
		LOG_ALARM("judging-failed", kv("id", job->opened.text), kv_errno(ENOMEM));
	} else if (j.groups > 1 && !j.refusal.refused) {
		job->kept = !may_begin(stage, JOB_DIVISION);
		if (!job->kept) {
			tell(stage, &job->opened, job, &j);
			hand_over(stage, job, &j);
			jobs_go_on(&scan->jobs, job);
		}
		policy_judgement_free(&j);
		return;
	} else {
		done = carry_out(stage, &job->opened, &j);
		if (done)
			tell(stage, &job->opened, job, &j);
	}
	policy_judgement_free(&j);
	if (!done)
		later(stage, &leg->name, STAGE_AGAIN);
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
	else if (heard->fault == HEARD_PAST)
		LOG_ALARM("not-there", kv("program", "seki-db"), kv("why", heard->why));
	else
		LOG_ALARM("inspection-failed", kv("id", job->opened.text),
		    kv("reason", heard_fault_word(heard->fault)), kv("why", heard->why));
}

/*
 * Whether what could not be found out was for the sender's checks alone: then the mail, which waits anyway,
 * goes to its place without, and its sender is told that nobody looked.
 */
static bool go_without(struct stage *stage, struct job *job)
{
	static const unsigned may[] = {
	    [JOB_FACTS] = POLICY_CHECK_FACTS, [JOB_PAST] = POLICY_CHECK_PAST};
	struct facts *facts = job->heard.facts;
	unsigned checks = job->checks, wanted = job->wanted;
	enum policy_verdict verdict = POLICY_FAILED;
	struct policy_judgement j;

	if (job->heard.fault == HEARD_KILLED)
		return false;
	for (unsigned want = 0; want < COUNT_OF(may); want++) {
		if (job->wanted == 1U << want)
			job->checks &= ~may[want];
	}
	if (job->checks == checks)
		return false;
	if (job->wanted == 1U << JOB_FACTS)
		job->heard.facts = NULL;
	wanted &= judge(stage, &job->opened, job, &j, &verdict);
	policy_judgement_free(&j);
	if (wanted == 0) {
		if (job->heard.facts == NULL)
			facts_free(facts);
		return true;
	}
	job->heard.facts = facts;
	job->checks = checks;
	return false;
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
	if (go_without(stage, job)) {
		if (heard->fault == HEARD_UNREACHABLE && !heard->told)
			faults_pause(&scan->faults, clock_boot());
		return false;
	}
	if (heard->fault == HEARD_KILLED && faults_leg_killed(&scan->faults, name) >= FAULTS_KILLED)
		return false;
	/* What one leg alone met, such as a converter that is missing, stops no other. */
	if (heard->fault == HEARD_KILLED || heard->fault == HEARD_PAST || heard->told) {
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
	const struct facts_against *against = facts_against(job->heard.facts);

	if (against->virus)
		LOG("virus-found", kv("id", job->opened.text), kv("name", against->virus_name));
	if (against->uninspectable)
		LOG("uninspectable", kv("id", job->opened.text), kv("reason", against->reason));
	if (against->ambiguous)
		LOG("ambiguous", kv("id", job->opened.text), kv("reason", against->ambiguity));
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
	job->found |= job->wanted;
	if ((job->wanted & 1U << JOB_FACTS) != 0 && job->heard.facts != NULL)
		log_facts(job);
	settle(stage, job);
}

/* ---- the role ----------------------------------------------------------------------------- */

static struct stage_outcome decide(
    struct stage *stage, enum spool_state state, struct stage_opened *o)
{
	struct stage_outcome outcome = again_later;
	enum policy_verdict verdict = POLICY_FAILED;
	struct policy_judgement j;
	unsigned wanted;

	if (state != STATE_NEW)
		return (struct stage_outcome){.action = STAGE_KEEP};
	rules_look(stage);
	wanted = judge(stage, o, NULL, &j, &verdict);
	if (wanted != 0) {
		policy_judgement_free(&j);
		return start_inspection(stage, o, wanted);
	}
	if (verdict != POLICY_JUDGED) {
		LOG_ALARM("judging-failed", kv("id", o->text), kv_errno(ENOMEM));
	} else if (j.groups > 1 && !j.refusal.refused) {
		if (may_begin(stage, JOB_DIVISION))
			tell(stage, o, NULL, &j);
		outcome = start_division(stage, o, &j);
	} else if (carry_out(stage, o, &j)) {
		tell(stage, o, NULL, &j);
		outcome = taken;
	}
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
		find_out(job);
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

	rules_open(stage);
	scan->tray = tray_open("seki-scan");
	scan->desk = desk_new(inspectors);
	if (scan->tray == NULL || scan->desk == NULL ||
	    !desk_settings(scan->desk, &stage->settings, scan->policy))
		die_environ("memory");
	if (!jobs_start(&scan->jobs, inspectors, work))
		die_environ("threads");
}

/* All of the new rules and settings, or none of them. */
static bool reload(struct stage *stage, const struct settings *fresh, char *text, size_t room)
{
	struct scan *scan = stage->context;

	if (!rules_take(scan, fresh, true, text, room))
		return false;
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
