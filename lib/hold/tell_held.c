/* Telling of a leg that waits or was thrown away: what it owes (notices.h), each once, by its records. */
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/hold/job.h"
#include "lib/hold/notices.h"

#define PATIENCE_LEAST 500 /* milliseconds */

/* Appends the record. False: it stays owed. */
static bool write_down(
    struct telling *t, const struct notice_owed *owed, const struct notice_answer *answer)
{
	struct buf *out = &t->job->owed;
	bool kept = answer->result == NOTICE_KEPT;
	char time[CLOCK_TEXT];

	clock_format(tell_now(t->job), time);
	buf_addf(out, "%s noticed what=%s", time, notice_what_name(owed->what));
	if (owed->step > 0)
		buf_addf(out, " step=%zu", owed->step);
	buf_add_text(out, " to=");
	buf_add_xtext(out, owed->to, strlen(owed->to));
	buf_addf(out, " notice=%s", kept ? answer->id : "none");
	if (!kept) {
		buf_add_text(out, " reason=");
		buf_add_xtext(out, answer->reason, strlen(answer->reason));
	}
	buf_add_text(out, "\n");
	LOG("noticed", kv("id", t->id), kv("what", notice_what_name(owed->what)),
	    kv("to", owed->to), kv("notice", kept ? answer->id : "none"),
	    kv("why", kept ? "" : answer->reason));
	return tell_append(t);
}

/* No longer than until it leaves: no mail is late for a notice about it. */
static int patience(const struct telling *t, const struct notices *notices)
{
	int64_t left = (notices->times.pass - tell_now(t->job)) / 1000;

	if (notices->times.pass == 0 || left > t->job->patience_ms)
		return t->job->patience_ms;
	return left < PATIENCE_LEAST ? PATIENCE_LEAST : (int)left;
}

/* Asks seki-notice. False: no memory. */
static bool ask(struct telling *t, const struct notices *notices, const struct notice_owed *owed,
    struct notice_answer *answer)
{
	struct letter letter;
	bool made = letter_of(
	    t->job->job.view, t->job->absences, &t->o, notices, owed, tell_now(t->job), &letter);

	if (made)
		letter_ask(&letter, t->leg, patience(t, notices), answer);
	letter_free(&letter);
	return made;
}

/* Whether another copy stands for this one. */
static enum copies_answer ask_copies(
    struct telling *t, const struct notices *notices, const struct notice_owed *owed)
{
	if (t->job->copies == NULL || notices->group == 0 || owed->none != NULL)
		return COPIES_FIRST;
	return copies_ask(t->job->copies, t->job->state, &t->o.leg, notices->group, owed);
}

static void settle_copies(struct telling *t, bool told)
{
	if (t->job->copies == NULL)
		return;
	if (told)
		copies_done(t->job->copies, &t->o.leg);
	else
		copies_failed(t->job->copies, &t->o.leg);
}

/* One notice. False: nothing more is done in this job. */
static bool tell_one(
    struct telling *t, const struct notices *notices, const struct notice_owed *owed)
{
	struct notice_answer answer = {.result = NOTICE_NONE};

	if (!tell_room(t, owed->to))
		return false;
	switch (ask_copies(t, notices, owed)) {
	case COPIES_FIRST:
		break;
	case COPIES_COPY:
		(void)snprintf(answer.reason, sizeof answer.reason, "copy");
		return tell_sync(t) && write_down(t, owed, &answer);
	case COPIES_BUSY:
		tell_end(t->job, TELL_COPY, "copy");
		return true;
	}

	if (owed->none != NULL) {
		(void)snprintf(answer.reason, sizeof answer.reason, "%s", owed->none);
	} else if (!tell_sync(t)) {
		settle_copies(t, false);
		return false;
	} else if (!ask(t, notices, owed, &answer)) {
		settle_copies(t, false);
		tell_end(t->job, TELL_AGAIN, "no-memory");
		return false;
	}
	settle_copies(t, answer.result == NOTICE_KEPT);
	switch (answer.result) {
	case NOTICE_KEPT:
	case NOTICE_NONE:
		return write_down(t, owed, &answer);
	case NOTICE_LATER:
		tell_end(t->job, TELL_AGAIN, answer.reason);
		return false;
	case NOTICE_WRONG:
		break;
	}
	/* Others may still be told. */
	tell_end(t->job, TELL_RARELY, answer.reason);
	return true;
}

/* Whether its time has come meanwhile: then it is the main loop's, and owes nothing. */
static bool over(const struct telling *t, const struct notices *notices)
{
	return !t->job->frozen && notices_over(t->job->job.view, notices, tell_now(t->job));
}

void tell_held(struct telling *t)
{
	struct tell_job *job = t->job;
	struct notices notices;

	if (notices_of(job->job.view, job->absences, job->state, &t->o, tell_now(job), job->frozen,
		&notices) != NOTICES_READ) {
		tell_end(job, TELL_AGAIN, "no-memory");
		return;
	}
	job->age = tell_now(job) - notices.since;
	job->next_time = notices.more ? tell_now(job) : notices.next;
	if (notices.n > 0 && tell_reopen(t)) {
		for (size_t i = 0; i < notices.n && !over(t, &notices); i++) {
			if (atomic_load(&job->wanted_now)) {
				tell_end(job, TELL_COPY, "wanted"); /* the rest a moment later */
				break;
			}
			if (!tell_one(t, &notices, &notices.owed[i]))
				break;
		}
	}
	notices_free(&notices);
}
