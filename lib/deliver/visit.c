/* The life of a visit: opening, and how it comes to its end. */
#include "lib/deliver/visit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/deliver/empty.h"
#include "queue/digest.h"

struct visit *visit_new(struct stage *stage, const struct leg_name *name)
{
	struct visit *v = calloc(1, sizeof *v);

	if (v == NULL)
		return NULL;
	v->stage = stage;
	v->name = *name;
	v->content = -1;
	v->tell_again = VISIT_TELL_AGAIN;
	results_init(&v->results);
	results_init(&v->taken);
	buf_init(&v->owed, LEG_RECORDS_MAX);
	buf_init(&v->said, LEG_RECORDS_MAX);
	buf_init(&v->past, LEG_RECORDS_MAX);
	return v;
}

/* ---- results ------------------------------------------------------------------------------ */

void results_init(struct results *list)
{
	list->first = NULL;
	list->end = &list->first;
}

void results_move(struct results *to, struct results *from)
{
	if (from->first == NULL)
		return;
	*to->end = from->first;
	to->end = from->end;
	results_init(from);
}

void results_move_urgent(struct results *to, struct results *from)
{
	struct results rest;

	results_init(&rest);
	while (from->first != NULL) {
		struct result *r = from->first;
		bool urgent = r->class == REMOTE_DELIVERED || r->class == REMOTE_UNKNOWN;
		struct results *list = urgent ? to : &rest;

		from->first = r->next;
		r->next = NULL;
		*list->end = r;
		list->end = &r->next;
	}
	results_init(from);
	results_move(from, &rest);
}

void results_free(struct results *list)
{
	while (list->first != NULL) {
		struct result *next = list->first->next;

		while (list->first->more != NULL) {
			struct result *more = list->first->more;

			list->first->more = more->more;
			free(more);
		}
		free(list->first);
		list->first = next;
	}
	results_init(list);
}

bool results_add(struct results *list, const struct batch *batch, const size_t *rcpt, size_t rcpts,
    const struct verdict *verdict, const char *host, const char *tls, bool dsn)
{
	size_t host_len = strlen(host) + 1, tls_len = strlen(tls) + 1;
	size_t reply_len = strlen(verdict->reply) + 1, numbers = rcpts * sizeof *rcpt;
	struct result *r = malloc(sizeof *r + numbers + host_len + tls_len + reply_len);
	char *text;

	if (r == NULL)
		return false;
	*r = (struct result){.rcpt = (size_t *)(r + 1),
	    .rcpts = rcpts,
	    .class = verdict->class,
	    .phase = verdict->phase,
	    .batch = batch,
	    .sent = "-",
	    .dsn = dsn,
	    .damaged = verdict->phase == PHASE_CONTENT && verdict->code == 0 &&
		       strcmp(verdict->status, "4.3.0") == 0};
	memcpy(r->status, verdict->status, sizeof r->status);
	memcpy(r->rcpt, rcpt, numbers);
	text = (char *)r->rcpt + numbers;
	r->host = memcpy(text, host, host_len);
	r->tls = memcpy(text + host_len, tls, tls_len);
	r->reply = memcpy(text + host_len + tls_len, verdict->reply, reply_len);
	*list->end = r;
	list->end = &r->next;
	return true;
}

/* ---- a visit ------------------------------------------------------------------------------ */

void visit_free(struct visit *v)
{
	for (size_t i = 0; i < v->batches; i++) {
		free(v->batch[i].key);
		free(v->batch[i].domain);
		free(v->batch[i].rcpt);
		free(v->batch[i].answered);
	}
	free(v->batch);
	results_free(&v->results);
	results_free(&v->taken);
	free(v->late);
	free(v->scratch);
	buf_free(&v->owed);
	buf_free(&v->said);
	buf_free(&v->past);
	if (v->opened) {
		leg_free(&v->o.leg);
		(void)close(v->o.fd);
	}
	if (v->content >= 0)
		(void)close(v->content);
	free(v);
}

void visit_id(const struct visit *v, char id[NAME_TEXT])
{
	name_format(&v->name, STATE_SENT, id);
}

int64_t visit_now(const struct visit *v)
{
	return v->now + (clock_boot() - v->boot);
}

/* ---- the end ------------------------------------------------------------------------------ */

/*
 * The earliest moment, seconds, at which something is to be done; 0: nobody waits for a time. Who is
 * frozen, or waits for room, has none.
 */
static int64_t next_due(const struct visit *v)
{
	const struct leg *leg = &v->o.leg;
	int64_t now = visit_now(v) / CLOCK_SECOND, due = 0;

	for (size_t i = 0; i < leg->rcpts; i++) {
		const struct leg_rcpt *rcpt = &leg->rcpt[i];
		int64_t at;

		if (rcpt->fate == RCPT_OPEN)
			at = (rcpt->retry + CLOCK_SECOND - 1) / CLOCK_SECOND;
		else if (rcpt->owed)
			at = now + v->tell_again;
		else
			continue;
		if (at <= now && v->left_as != VISIT_ONGOING)
			continue;
		if (at <= now)
			at = now + STAGE_AGAIN;
		if (due == 0 || at < due)
			due = at;
	}
	return due;
}

/* Recipients are left: the leg's name says when it is looked at next. */
static enum visit_end put_off(struct visit *v)
{
	struct stage_opened *o = &v->o;
	int64_t due = next_due(v);

	v->due = due;
	if (v->left_as != VISIT_ONGOING)
		return v->left_as; /* it stays as it is */
	if (due == v->name.due)
		return VISIT_WAIT;
	return stage_move(v->stage, STATE_DELIVER, o->text, &o->leg.name, STATE_DELIVER, due, NULL)
		   ? VISIT_GONE /* the new name comes back as an event */
		   : VISIT_AGAIN;
}

/* A session says so, and is not believed: everybody else's mail in the leg would wait as well. */
static bool is_damaged(const struct visit *v)
{
	const struct leg *leg = &v->o.leg;
	struct digest *d = digest_new();
	char bytes[16384], hex[DIGEST_HEX] = "";
	off_t at = leg->content, end = leg->content + (off_t)leg->size;
	bool fine = d != NULL;

	while (fine && at < end) {
		size_t want = end - at < (off_t)sizeof bytes ? (size_t)(end - at) : sizeof bytes;
		ssize_t n = pread(v->o.fd, bytes, want, at);

		fine = n > 0;
		if (fine)
			digest_add(d, bytes, (size_t)n);
		at += fine ? n : 0;
	}
	if (fine)
		digest_end(d, hex);
	digest_free(d);
	return fine && strcmp(hex, leg->sha256) != 0;
}

void visit_move_on(struct visit *v)
{
	struct stage_opened *o = &v->o;

	if (leg_open_rcpts(&o->leg) > 0) {
		v->end = put_off(v);
	} else if (stage_move(v->stage, STATE_DELIVER, o->text, &o->leg.name, STATE_SENT, DUE_NONE,
		       NULL)) {
		v->finished = v->sync = true;
		v->end = VISIT_GONE;
	} else {
		v->end = VISIT_AGAIN; /* the record is there: nothing is sent again */
	}
}

static void check(struct visit *v)
{
	if (is_damaged(v)) {
		stage_quarantine(v->stage, STATE_DELIVER, v->o.text, "content digest");
		v->end = VISIT_GONE;
	} else {
		visit_move_on(v);
	}
}

static void sync_leg(struct visit *v)
{
	if (!v->sync)
		return;
	v->sync = false;
	if (!spool_sync(v->o.fd)) {
		LOG_ALARM("possible-duplicate", kv("name", v->o.text), kv_errno(errno));
		v->finished = false; /* its body is given up only after that */
	}
}

/*
 * Several at once, step by step: the disk writes their pages side by side, and one commit of its
 * journal serves all of them, instead of one each that new mail has to wait behind.
 */
static void close_all(struct visit *first)
{
	for (struct visit *v = first; v != NULL; v = v->next) {
		if (v->damaged)
			check(v);
	}
	for (struct visit *v = first; v != NULL && first->next != NULL; v = v->next) {
		if (v->sync)
			spool_sync_soon(v->o.fd);
	}
	for (struct visit *v = first; v != NULL; v = v->next)
		sync_leg(v);
	for (struct visit *v = first; v != NULL; v = v->next) {
		if (v->finished && !empty_sent(&v->o, visit_now(v)))
			v->end = VISIT_LEFT;
	}
}

/* Another batch of the leg is still under way. */
static void record(struct visit *v)
{
	if (visit_record(v))
		sync_leg(v);
}

/* ---- the beginning ------------------------------------------------------------------------ */

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

/* Opens and proves the leg. False: v->end says what came of it. */
static bool open_leg(struct visit *v)
{
	bool ended;

	switch (stage_open(v->stage, STATE_DELIVER, &v->name, v->now / CLOCK_SECOND, &v->o)) {
	case STAGE_OPEN_GONE:
		v->end = VISIT_LEFT; /* the law may have moved it to sent/ */
		return false;
	case STAGE_OPEN_AGAIN:
		v->end = VISIT_AGAIN;
		return false;
	case STAGE_OPEN_ACT:
		break;
	}
	v->opened = true;
	if (!ended_elsewhere(&v->stage->spool, &v->name, &ended)) {
		LOG_ALARM("lookup-failed", kv("name", v->o.text), kv_errno(errno));
		v->end = VISIT_AGAIN;
	} else if (ended) {
		stage_quarantine(v->stage, STATE_DELIVER, v->o.text, "second copy");
		v->end = VISIT_GONE;
	}
	return v->end == VISIT_ONGOING;
}

static bool owes(const struct leg *leg)
{
	bool any = false;

	for (size_t i = 0; i < leg->rcpts; i++)
		any |= leg->rcpt[i].owed;
	return any;
}

static void open_visit(struct visit *v)
{
	if (!open_leg(v))
		return;
	v->tell = owes(&v->o.leg);
	v->content = spool_reopen_to_read(v->o.fd);
	v->scratch = reallocarray(NULL, v->o.leg.rcpts, 3 * sizeof *v->scratch);
	if (v->content < 0 || v->scratch == NULL || !visit_plan(v)) {
		LOG_ALARM("open-failed", kv("name", v->o.text), kv_errno(errno));
		v->end = VISIT_AGAIN;
		return;
	}
	/* Nobody is due, and nobody is to be told. */
	if (v->batches == 0 && v->results.first == NULL && !v->tell) {
		v->end = v->left_as != VISIT_ONGOING ? v->left_as : VISIT_WAIT;
		v->due = next_due(v);
	}
}

void visit_run(void *visit)
{
	struct visit *v = visit;

	switch (v->task) {
	case TASK_OPEN:
		open_visit(v);
		break;
	case TASK_RECORD:
		record(v);
		break;
	case TASK_LOCAL:
		visit_local(v);
		break;
	case TASK_CLOSE:
		close_all(v);
		break;
	case TASK_TELL:
		visit_tell(v);
		break;
	}
}
