#include "lib/deliver/job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/hex.h"
#include "lib/base/log.h"
#include "lib/deliver/empty.h"
#include "lib/net/net.h"

/*
 * A restored backup or a copy made by hand: the same leg has come to an end already. False: it
 * cannot be said (errno).
 */
static bool ended_elsewhere(const struct spool *spool, const struct leg_name *name, bool *ended)
{
	static const enum spool_state ends[] = {STATE_SENT, STATE_TRASH, STATE_REFUSED};
	char text[NAME_TEXT];

	*ended = false;
	name_format(name, STATE_SENT, text);
	for (size_t i = 0; i < COUNT_OF(ends) && !*ended; i++) {
		if (!spool_has(spool, ends[i], text, ended))
			return false;
	}
	return true;
}

/* The open recipients that nobody has frozen. Returns how many; `*frozen`: some are. */
static size_t choose(struct delivery *d, const struct leg *leg, size_t *rcpt, bool *frozen)
{
	size_t n = 0;

	*frozen = !gate_refresh(d->gate);
	if (*frozen)
		return 0;
	for (size_t i = 0; i < leg->rcpts; i++) {
		if (leg->rcpt[i].fate != RCPT_OPEN)
			continue;
		if (gate_holds(d->gate, leg, i))
			*frozen = true;
		else
			rcpt[n++] = i;
	}
	return n;
}

static void add_rcpts(struct buf *out, const size_t *rcpt, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t last = i;

		while (last + 1 < n && rcpt[last + 1] == rcpt[last] + 1)
			last++;
		buf_addf(out, "%s%zu", i == 0 ? " rcpt=" : ",", rcpt[i] + 1);
		if (last > i)
			buf_addf(out, "-%zu", rcpt[last] + 1);
		i = last;
	}
}

static int64_t believed_now(const struct delivery *d)
{
	return d->now + (clock_boot() - d->boot);
}

static void write_record(struct buf *out, const struct delivery *d, const struct leg *leg,
    const char *word, const size_t *rcpt, size_t n, int64_t until, const struct net_report *report)
{
	char time[CLOCK_TEXT];

	clock_format(believed_now(d), time);
	buf_addf(out, "%s %s plan=%s", time, word, leg->plan.digest);
	add_rcpts(out, rcpt, n);
	if (until > 0) {
		clock_format(until, time);
		buf_addf(out, " until=%s", time);
	}
	buf_addf(out, " host=%s reply=", report->host);
	buf_add_xtext(out, report->reply, strlen(report->reply));
	buf_add_text(out, "\n");
}

static bool append(struct stage_opened *o, const struct buf *record)
{
	if (buf_ok(record) && spool_append(o->fd, o->leg.end, record->bytes, record->len)) {
		o->leg.end += (off_t)record->len;
		return true;
	}
	LOG_ALARM("append-failed", kv("name", o->text), kv_errno(errno));
	return false;
}

static void log_delivery(
    const char *event, const struct stage_opened *o, size_t n, const struct net_report *report)
{
	char id[NAME_TEXT];

	name_format(&o->leg.name, STATE_SENT, id);
	LOG(event, kv("id", id), kv_num("rcpts", (int64_t)n), kv("host", report->host),
	    kv("reply", report->reply), kv("sha256", o->leg.sha256));
}

/* ---- what follows a try ------------------------------------------------------------------- */

/* What ends a leg: rename to sent/, one fsync, and then its body is given back. */
static enum delivery_end close_leg(struct delivery *d, struct stage_opened *o)
{
	if (!stage_move(d->stage, STATE_DELIVER, o->text, &o->leg.name, STATE_SENT, DUE_NONE, NULL))
		return DELIVERY_AGAIN; /* the record is there: nothing is sent again */
	if (!spool_sync(o->fd))
		LOG_ALARM("possible-duplicate", kv("name", o->text), kv_errno(errno));
	else if (!empty_sent(o, believed_now(d)))
		return DELIVERY_LEFT;
	return DELIVERY_GONE;
}

/* Writes down what was sent. If that fails the record is owed, and is all that is tried again. */
static enum delivery_end finish(struct delivery *d, struct stage_opened *o, const size_t *rcpt,
    size_t n, const struct net_report *report)
{
	enum delivery_end end = DELIVERY_FROZEN; /* if recipients are left, somebody froze them */

	write_record(&d->owed, d, &o->leg, "delivered", rcpt, n, 0, report);
	if (!append(o, &d->owed)) {
		LOG_ALARM("possible-duplicate", kv("name", o->text),
		    kv("unless", "its record can be written"));
		return DELIVERY_OWED;
	}
	buf_clear(&d->owed);

	for (size_t i = 0; i < n; i++)
		o->leg.rcpt[rcpt[i]].fate = RCPT_DELIVERED;
	if (leg_open_rcpts(&o->leg) == 0)
		end = close_leg(d, o);
	else if (!spool_sync(o->fd))
		LOG_ALARM("possible-duplicate", kv("name", o->text), kv_errno(errno));
	log_delivery("delivered", o, n, report);
	return end;
}

/* A record that is owed is written; what it means is then seen by whoever looks at the leg next. */
static enum delivery_end pay(struct delivery *d, struct stage_opened *o)
{
	if (!append(o, &d->owed))
		return DELIVERY_OWED;
	buf_clear(&d->owed);
	if (!spool_sync(o->fd))
		LOG_ALARM("possible-duplicate", kv("name", o->text), kv_errno(errno));
	LOG("delivered", kv("id", o->text), kv("reply", "written down late"));
	return DELIVERY_AGAIN;
}

/* The wait before the next try: doubled each time, and never all at once after an outage. */
static int64_t next_try(const struct delivery *d, unsigned tries)
{
	int64_t wait = d->retry_first;
	int64_t spread = hex_digit(d->name.id[ID_LEN - 1]); /* 0 to 15, another for each message */

	for (unsigned i = 0; i < tries && wait < d->retry_longest; i++)
		wait *= 2;
	if (wait > d->retry_longest)
		wait = d->retry_longest;
	return believed_now(d) + wait - wait / 8 + wait / 4 * spread / 16;
}

static enum delivery_end defer(struct delivery *d, struct stage_opened *o, const size_t *rcpt,
    size_t n, const struct net_report *report)
{
	int64_t until = next_try(d, o->leg.rcpt[rcpt[0]].tries);
	struct buf record;
	bool done;

	buf_init(&record, DELIVERY_RECORD_MAX);
	write_record(&record, d, &o->leg, "deferred", rcpt, n, until, report);
	done = append(o, &record);
	buf_free(&record);
	log_delivery("deferred", o, n, report);
	if (!done || !stage_move(d->stage, STATE_DELIVER, o->text, &o->leg.name, STATE_DELIVER,
			 until / CLOCK_SECOND + 1, NULL))
		return DELIVERY_AGAIN;
	return DELIVERY_GONE; /* the new name comes back as an event */
}

static enum delivery_end send(struct delivery *d, struct stage_opened *o)
{
	size_t *rcpt = reallocarray(NULL, o->leg.rcpts, sizeof *rcpt), n = 0;
	enum delivery_end end = DELIVERY_AGAIN;
	struct net_report report;
	bool frozen = false;

	if (rcpt == NULL)
		return DELIVERY_AGAIN;
	n = choose(d, &o->leg, rcpt, &frozen);
	if (n == 0) {
		end = DELIVERY_FROZEN;
		goto out;
	}

	report = net_send(d->route, o->fd, &o->leg, rcpt, n);
	switch (report.result) {
	case NET_SENT:
		end = finish(d, o, rcpt, n, &report);
		break;
	case NET_LATER:
		end = defer(d, o, rcpt, n, &report);
		break;
	case NET_DAMAGED:
		stage_quarantine(d->stage, STATE_DELIVER, o->text, "content digest");
		end = DELIVERY_GONE;
		break;
	}
out:
	free(rcpt);
	return end;
}

void delivery_free(struct delivery *d)
{
	buf_free(&d->owed);
	free(d);
}

void delivery_run(void *job)
{
	struct delivery *d = job;
	bool ended;
	struct stage_opened o;

	switch (stage_open(d->stage, STATE_DELIVER, &d->name, d->now / CLOCK_SECOND, &o)) {
	case STAGE_OPEN_GONE:
		d->end = DELIVERY_LEFT; /* the law may have moved it to sent/ */
		return;
	case STAGE_OPEN_AGAIN:
		d->end = d->owed.len > 0 ? DELIVERY_OWED : DELIVERY_AGAIN;
		return;
	case STAGE_OPEN_ACT:
		break;
	}

	if (d->owed.len > 0) {
		d->end = pay(d, &o);
	} else if (!ended_elsewhere(&d->stage->spool, &d->name, &ended)) {
		LOG_ALARM("lookup-failed", kv("name", o.text), kv_errno(errno));
		d->end = DELIVERY_AGAIN;
	} else if (ended) {
		stage_quarantine(d->stage, STATE_DELIVER, o.text, "second copy");
		d->end = DELIVERY_GONE;
	} else {
		d->end = send(d, &o);
	}
	leg_free(&o.leg);
	(void)close(o.fd);
}
