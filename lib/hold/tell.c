/* Telling the sender of a refused leg, and those to whom it is forwarded; each once, by its record. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/hold/job.h"
#include "lib/notice/notice.h"
#include "lib/notice/refusal.h"

struct telling {
	struct tell_job *job;
	struct stage_opened o;
	struct notice_refusal refusal;
	char id[NAME_TEXT];
	int leg; /* to read alone */
	bool synced;
	bool written; /* a record that is not yet synced */
};

static void end(struct tell_job *job, enum tell_end how, const char *why)
{
	job->end = how;
	(void)snprintf(job->why, sizeof job->why, "%s", why);
}

static int64_t now(const struct tell_job *job)
{
	return job->now + (clock_boot() - job->boot);
}

/* ---- records ------------------------------------------------------------------------------ */

/* Appends what is owed. False: it stays owed. */
static bool append(struct telling *t)
{
	struct buf *owed = &t->job->owed;

	if (owed->len == 0)
		return true;
	if (!spool_append(t->o.fd, t->o.leg.end, owed->bytes, owed->len)) {
		LOG_ALARM("append-failed", kv("name", t->o.text), kv_errno(errno));
		end(t->job, TELL_RECORD, "append-failed");
		return false;
	}
	t->o.leg.end += (off_t)owed->len;
	buf_add(&t->o.leg.trailer_bytes, owed->bytes, owed->len);
	buf_clear(owed);
	t->written = true;
	return true;
}

/* Room for a record is there before anybody is told. */
static bool make_room(struct tell_job *job, const char *to)
{
	return buf_reserve(&job->owed, 3 * strlen(to) + 1024) != NULL;
}

/* "told", or with `to` "forwarded". */
static bool write_down(struct telling *t, const char *to, const struct notice_answer *answer)
{
	struct buf *owed = &t->job->owed;
	bool kept = answer->result == NOTICE_KEPT;
	char time[CLOCK_TEXT];

	clock_format(now(t->job), time);
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
	return append(t);
}

/* ---- asking ------------------------------------------------------------------------------- */

/*
 * Asks seki-notice. False: nothing more is done in this job. The leg is synced first: a power cut must
 * not forget why somebody was told.
 */
static bool ask(struct telling *t, const char *to)
{
	struct notice_answer answer = {.result = NOTICE_NONE, .reason = "null-sender"};

	if (!make_room(t->job, to != NULL ? to : "")) {
		buf_clear(&t->job->owed); /* nothing was in it */
		end(t->job, TELL_AGAIN, "no-memory");
		return false;
	}
	if (!t->synced && !spool_sync(t->o.fd)) {
		LOG_ALARM("sync-failed", kv("name", t->o.text), kv_errno(errno));
		end(t->job, TELL_AGAIN, "sync-failed");
		return false;
	}
	t->synced = true;

	if (to != NULL)
		notice_ask_forward(NOTICE_SOCKET, t->leg, to, t->job->patience_ms, &answer);
	else if (t->o.leg.from[0] != '\0')
		notice_ask_refused(NOTICE_SOCKET, t->leg, t->job->patience_ms, &answer);
	switch (answer.result) {
	case NOTICE_KEPT:
	case NOTICE_NONE:
		return write_down(t, to, &answer);
	case NOTICE_LATER:
		end(t->job, TELL_AGAIN, answer.reason);
		return false;
	case NOTICE_WRONG:
		break;
	}
	/* Others may still be told. */
	end(t->job, TELL_RARELY, answer.reason);
	return true;
}

static void tell_all(struct telling *t)
{
	const struct notice_refusal *refusal = &t->refusal;

	if (refusal->tell && !refusal->told && !ask(t, NULL))
		return;
	for (size_t i = 0; i < refusal->forwards; i++) {
		if (!refusal->forward[i].done && !ask(t, refusal->forward[i].to))
			return;
	}
}

/* ---- the leg ------------------------------------------------------------------------------ */

static void tell_opened(struct telling *t)
{
	struct tell_job *job = t->job;

	name_format(&t->o.leg.name, STATE_NEW, t->id); /* ID.K */
	if (!append(t))
		return;
	switch (notice_refusal_read(&t->o.leg, &t->refusal)) {
	case NOTICE_REFUSED:
		break;
	case NOTICE_REFUSED_NO_MEMORY:
		end(job, TELL_AGAIN, "no-memory");
		return;
	case NOTICE_REFUSED_ODD: /* said when it was looked at */
	case NOTICE_NOT_REFUSED:
		return;
	}

	job->age = now(job) - t->refusal.time;
	t->leg = spool_reopen_to_read(t->o.fd);
	if (t->leg < 0) {
		end(job, TELL_AGAIN, "leg-cannot-be-read");
	} else {
		tell_all(t);
		(void)close(t->leg);
	}
	if (t->written && !spool_sync(t->o.fd))
		LOG_ALARM("sync-failed", kv("name", t->o.text), kv_errno(errno));
	notice_refusal_free(&t->refusal);
}

void tell_work(struct job *base)
{
	struct tell_job *job = (struct tell_job *)base;
	struct telling t = {.job = job, .leg = -1};

	end(job, TELL_DONE, "");
	job->age = 0;
	switch (stage_open(job->stage, STATE_REFUSED, &job->name, now(job) / CLOCK_SECOND, &t.o)) {
	case STAGE_OPEN_ACT:
		tell_opened(&t);
		leg_free(&t.o.leg);
		(void)close(t.o.fd);
		break;
	case STAGE_OPEN_AGAIN:
		end(job, job->owed.len > 0 ? TELL_RECORD : TELL_AGAIN, "leg-cannot-be-read");
		break;
	case STAGE_OPEN_GONE:
		buf_clear(&job->owed);
		break;
	}
}
