/*
 * What has been decided about mail that leaves: told once, without a promise. The mail is on its way, and
 * stands in no directory of ours; what is not told here shows in the person's list.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/hold/actors.h"
#include "lib/hold/inside.h"

void result_free(struct result_job *job)
{
	for (size_t i = 0; i < job->letters; i++)
		letter_free(&job->letter[i]);
	free(job->letter);
	if (job->leg >= 0)
		(void)close(job->leg);
	free(job);
}

void result_work(struct job *base)
{
	struct result_job *job = (struct result_job *)base;

	for (size_t i = 0; i < job->letters; i++) {
		struct letter *letter = &job->letter[i];
		struct notice_answer answer;
		bool kept;

		letter_ask(letter, job->leg, job->patience_ms, &answer);
		kept = answer.result == NOTICE_KEPT;
		LOG(kept ? "noticed" : "not-noticed", kv("id", job->id),
		    kv("what", letter->gate.template), kv("to", letter->to),
		    kv("notice", kept ? answer.id : "none"), kv("why", kept ? "" : answer.reason));
	}
}

/* ---- making one --------------------------------------------------------------------------- */

struct making {
	struct hold *h;
	struct result_job *job;
	const struct leg *leg;
	const char *what, *by, *comment;
	bool failed;
};

static struct letter *add_letter(
    struct making *m, const char *template, const char *to, bool english)
{
	struct result_job *job = m->job;
	struct letter *grown = reallocarray(job->letter, job->letters + 1, sizeof *grown);

	if (grown == NULL) {
		m->failed = true;
		return NULL;
	}
	job->letter = grown;
	grown = &job->letter[job->letters++];
	letter_begin(grown, template, to, english);
	return grown;
}

static void fill(struct making *m, struct letter *letter, const char *address, unsigned right)
{
	bool person = m->by != NULL && strchr(m->by, '@') != NULL;
	char url[NOTICE_URL_MAX];

	notice_url(
	    m->h->view, m->leg, address, GATE_READ | right, watch_now(&m->h->stage->watch), url);
	letter_add(letter, "url", url);
	letter_add(letter, "sender", m->leg->from);
	letter_add(letter, "by",
	    person                 ? m->by
	    : letter->gate.english ? "the administrator of the mail gateway"
				   : "メールゲートウェイの管理者");
}

static bool add_asked(void *context, const char *address, enum approval_right right)
{
	struct making *m = context;
	struct letter *letter;

	(void)right;
	if (!notices_to(m->h->view, address))
		return true;
	letter = add_letter(m, "urgent", address, notices_english(m->h->view, address));
	if (letter == NULL)
		return false;
	letter->gate.attach = ATTACH_MAIL;
	fill(m, letter, address, GATE_APPROVER);
	letter_add(letter, "reason", m->comment != NULL ? m->comment : "");
	return true;
}

/* Those who would have been asked. */
static void to_asked(struct making *m)
{
	const struct plan_step *step = plan_find(&m->leg->plan, WORD_APPROVE);
	const struct approval_place place = {.org = m->h->view->org,
	    .absences = m->h->absences,
	    .now = watch_now(&m->h->stage->watch)};
	struct approval approval;

	if (step == NULL || place.org == NULL ||
	    approval_read(m->leg, step, &approval) != APPROVAL_READ)
		return;
	approval_each_asked(&place, m->leg, &approval, add_asked, m);
	approval_free(&approval);
}

static bool wants_silence(const struct hold *h, const struct stage_opened *o)
{
	struct hold_plan_step step;

	if (o->law.step == NULL)
		return false;
	step = hold_plan_step(o->law.step, o->leg.amended_until);
	return step.notice == NOTICE_NEVER ||
	       (step.notice == NOTICE_UNSAID && h->view->settings.hold_notice == HOLD_NOTICE_NEVER);
}

/* A step of its plan that still waits; NULL: it goes on by itself. */
static const struct plan_step *waits_at(const struct leg *leg)
{
	const struct plan_step *step = plan_open_step(&leg->plan);

	return step != NULL && (step->word == WORD_HOLD || step->word == WORD_APPROVE) ? step
										       : NULL;
}

/* When it goes out, or is thrown away. */
static void add_times(struct making *m, const struct stage_opened *o, struct letter *letter)
{
	const struct hold *h = m->h;
	const struct plan_step *open = waits_at(m->leg);
	int64_t now = watch_now(&h->stage->watch), discard = 0;
	char text[CLOCK_TEXT];

	if (o->law.step == NULL)
		return;
	if (open != NULL && open->word == WORD_HOLD) {
		struct hold_plan_step step = hold_plan_step(open, m->leg->amended_until);

		if (step.discard)
			discard = hold_times(&h->view->settings, h->view->org, m->leg, &step, NULL)
				      .discard;
	}
	if (discard > 0) {
		clock_format(discard, text);
		letter_add(letter, "discard", text);
		return;
	}
	now = notices_leaves(h->view, o, now);
	if (now > 0) {
		clock_format(now, text);
		letter_add(letter, "until", text);
	}
}

/* Whether the hold has ended for the sender, or another one follows that time does not end. */
static bool still_held(const struct making *m, const struct stage_opened *o)
{
	return waits_at(m->leg) != NULL &&
	       notices_leaves(m->h->view, o, watch_now(&m->h->stage->watch)) == 0;
}

/* Of a hold that he was never told of nobody need tell him that it ends. */
static bool knows_of_hold(const struct hold *h, const struct stage_opened *o)
{
	struct leg_record record;
	size_t at = 0, len = 0;
	bool knows = false;

	if (o->law.step != NULL &&
	    hold_plan_step(o->law.step, o->leg.amended_until).notice == NOTICE_DIGEST)
		return true;
	while (leg_next_record(&o->leg, &at, &record)) {
		const char *what = leg_record_value(&record, "what", &len);

		if (leg_record_is(&record, "restored"))
			knows = false;
		knows |= leg_record_is(&record, "noticed") && what != NULL && len == 4 &&
			 memcmp(what, "hold", 4) == 0;
	}
	return knows || h->view->settings.hold_notice == HOLD_NOTICE_DIGEST;
}

/* Whether what was done is no news to the sender, or not the whole of it. */
static bool no_news(const struct making *m, const struct stage_opened *o)
{
	bool released = strcmp(m->what, "released") == 0;

	if (m->by != NULL && actor_is_sender(m->h->view->org, m->leg, m->by))
		return true;
	if (released && still_held(m, o))
		return true;
	return (released || strcmp(m->what, "extended") == 0) && !knows_of_hold(m->h, o);
}

static void to_sender(struct making *m, const struct stage_opened *o)
{
	char sender[ORG_ADDRESS_MAX];
	struct letter *letter;

	if (!notices_sender(m->h->view, m->leg, sender) || wants_silence(m->h, o) || no_news(m, o))
		return;
	letter = add_letter(m, "result", sender, notices_english(m->h->view, sender));
	if (letter == NULL)
		return;
	fill(m, letter, sender, GATE_SENDER);
	letter_add(letter, m->what, "yes");
	if (strcmp(m->what, "approved") == 0 || strcmp(m->what, "released") == 0 ||
	    strcmp(m->what, "extended") == 0)
		add_times(m, o, letter);
	letter_add(letter, "comment", m->comment != NULL ? m->comment : "");
}

static void put_last(struct hold *h, struct result_job *job)
{
	job->next = NULL;
	*h->results_end = job;
	h->results_end = &job->next;
	h->n_results++;
}

void hold_tell_result(struct hold *h, const struct stage_opened *opened, const char *what,
    const char *by, const char *comment)
{
	struct making m = {.h = h, .leg = &opened->leg, .what = what, .by = by, .comment = comment};

	if (h->n_results >= RESULTS_MAX || !notices_of_people(m.leg) ||
	    (m.job = calloc(1, sizeof *m.job)) == NULL)
		return;
	m.job->job.work = result_work;
	m.job->leg = spool_reopen_to_read(opened->fd);
	m.job->patience_ms = (int)(h->stage->settings.notice_time / 1000) + 5000;
	name_format(&m.leg->name, STATE_NEW, m.job->id);
	if (strcmp(what, "urgent") == 0)
		to_asked(&m);
	else
		to_sender(&m, opened);
	for (size_t i = 0; i < m.job->letters; i++)
		m.failed |= m.job->letter[i].failed;
	if (m.job->letters == 0 || m.failed || m.job->leg < 0)
		result_free(m.job);
	else
		put_last(h, m.job);
}
