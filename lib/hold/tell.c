/* Telling of a leg: what every such job does, and of a refused leg who is told. Each once, by its record. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/hold/job.h"
#include "lib/notice/notice.h"
#include "lib/notice/refusal.h"

void tell_end(struct tell_job *job, enum tell_end how, const char *why)
{
	job->end = how;
	(void)snprintf(job->why, sizeof job->why, "%s", why);
}

int64_t tell_now(const struct tell_job *job)
{
	return job->now + (clock_boot() - job->boot);
}

/* ---- records ------------------------------------------------------------------------------ */

bool tell_append(struct telling *t)
{
	struct buf *owed = &t->job->owed;

	if (owed->len == 0)
		return true;
	if (!spool_append(t->o.fd, t->o.leg.end, owed->bytes, owed->len)) {
		LOG_ALARM("append-failed", kv("name", t->o.text), kv_errno(errno));
		tell_end(t->job, TELL_RECORD, "append-failed");
		return false;
	}
	t->o.leg.end += (off_t)owed->len;
	buf_add(&t->o.leg.trailer_bytes, owed->bytes, owed->len);
	buf_clear(owed);
	t->written = true;
	return true;
}

bool tell_room(struct telling *t, const char *to)
{
	if (buf_reserve(&t->job->owed, 3 * strlen(to) + 1024) != NULL)
		return true;
	buf_clear(&t->job->owed); /* nothing was in it */
	tell_end(t->job, TELL_AGAIN, "no-memory");
	return false;
}

bool tell_sync(struct telling *t)
{
	if (!t->synced && !spool_sync(t->o.fd)) {
		LOG_ALARM("sync-failed", kv("name", t->o.text), kv_errno(errno));
		tell_end(t->job, TELL_AGAIN, "sync-failed");
		return false;
	}
	t->synced = true;
	return true;
}

bool tell_reopen(struct telling *t)
{
	t->leg = spool_reopen_to_read(t->o.fd);
	if (t->leg < 0)
		tell_end(t->job, TELL_AGAIN, "leg-cannot-be-read");
	return t->leg >= 0;
}

/* ---- refused mail ------------------------------------------------------------------------- */

/* "told", or with `to` "forwarded". */
static bool write_down(struct telling *t, const char *to, const struct notice_answer *answer)
{
	struct buf *owed = &t->job->owed;
	bool kept = answer->result == NOTICE_KEPT;
	char time[CLOCK_TEXT];

	clock_format(tell_now(t->job), time);
	buf_addf(owed, "%s %s", time, to != NULL ? "forwarded to=" : "told");
	if (to != NULL)
		buf_add_xtext(owed, to, strlen(to));
	buf_addf(owed, " notice=%s", kept ? answer->id : "none");
	if (!kept) {
		buf_add_text(owed, " reason=");
		buf_add_xtext(owed, answer->reason, strlen(answer->reason));
	}
	buf_add_text(owed, "\n");
	if (to != NULL)
		LOG("forwarded", kv("id", t->id), kv("to", to),
		    kv("notice", kept ? answer->id : "none"));
	else
		LOG("told", kv("id", t->id), kv("notice", kept ? answer->id : "none"),
		    kv("why", answer->reason));
	return tell_append(t);
}

/* Asks seki-notice. False: nothing more is done in this job. */
static bool ask(struct telling *t, const char *to)
{
	struct notice_answer answer = {.result = NOTICE_NONE, .reason = "null-sender"};

	if (!tell_room(t, to != NULL ? to : "") || !tell_sync(t))
		return false;
	if (to != NULL)
		notice_ask_forward(NOTICE_SOCKET, t->leg, to, t->job->patience_ms, &answer);
	else if (t->o.leg.from[0] != '\0')
		notice_ask_refused(NOTICE_SOCKET, t->leg, t->job->patience_ms, &answer);
	switch (answer.result) {
	case NOTICE_KEPT:
	case NOTICE_NONE:
		return write_down(t, to, &answer);
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

static void tell_all(struct telling *t, const struct notice_refusal *refusal)
{
	if (refusal->tell && !refusal->told && !ask(t, NULL))
		return;
	for (size_t i = 0; i < refusal->forwards; i++) {
		if (!refusal->forward[i].done && !ask(t, refusal->forward[i].to))
			return;
	}
}

static void tell_refused(struct telling *t)
{
	struct notice_refusal refusal;

	switch (notice_refusal_read(&t->o.leg, &refusal)) {
	case NOTICE_REFUSED:
		break;
	case NOTICE_REFUSED_NO_MEMORY:
		tell_end(t->job, TELL_AGAIN, "no-memory");
		return;
	case NOTICE_REFUSED_ODD: /* said when it was looked at */
	case NOTICE_NOT_REFUSED:
		return;
	}
	t->job->age = tell_now(t->job) - refusal.time;
	if (tell_reopen(t))
		tell_all(t, &refusal);
	notice_refusal_free(&refusal);
}

/* ---- the leg ------------------------------------------------------------------------------ */

static void tell_opened(struct telling *t)
{
	name_format(&t->o.leg.name, STATE_NEW, t->id); /* ID.K */
	if (!tell_append(t))
		return;
	if (t->job->state == STATE_REFUSED)
		tell_refused(t);
	else
		tell_held(t);
	if (t->leg >= 0)
		(void)close(t->leg);
	if (t->written && !spool_sync(t->o.fd))
		LOG_ALARM("sync-failed", kv("name", t->o.text), kv_errno(errno));
}

void tell_work(struct job *base)
{
	struct tell_job *job = (struct tell_job *)base;
	struct telling t = {.job = job, .leg = -1};

	tell_end(job, TELL_DONE, "");
	job->age = 0;
	job->next_time = 0;
	switch (
	    stage_open(job->stage, job->state, &job->name, tell_now(job) / CLOCK_SECOND, &t.o)) {
	case STAGE_OPEN_ACT:
		tell_opened(&t);
		leg_free(&t.o.leg);
		(void)close(t.o.fd);
		break;
	case STAGE_OPEN_AGAIN:
		tell_end(job, job->owed.len > 0 ? TELL_RECORD : TELL_AGAIN, "leg-cannot-be-read");
		break;
	case STAGE_OPEN_GONE:
		buf_clear(&job->owed);
		break;
	}
}
