/*
 * Sending a message: transactions of a bounded number of recipients, each pipelined if the server
 * can (RFC 2920), and what became of every recipient. Linear in the recipients and in the content.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/remote/content.h"
#include "lib/remote/session.h"

#define NOWHERE SIZE_MAX

enum state {
	OPEN,     /* nothing is known */
	ACCEPTED, /* RCPT was */
	FULL,     /* "too many recipients": perhaps in the next transaction */
	TOLD,     /* the employer knows */
};

struct sending {
	struct remote_session *s;
	const struct remote_message *m;
	bool utf8;
	size_t most;  /* recipients of a transaction */
	size_t first; /* this transaction's: first to last - 1 */
	size_t last;
	size_t accepted;
	size_t full_from; /* since this recipient all were FULL, or NOWHERE */
	bool replied;     /* the server said something in this transaction */
	bool mail_taken;
	bool data_taken;         /* 354 */
	struct outcome mail;     /* why MAIL was not taken */
	struct outcome data;     /* why DATA was not */
	struct outcome full;     /* the first "too many" */
	unsigned char *state;    /* of each recipient */
	char sha256[DIGEST_HEX]; /* of the content as it was read, or "" */
};

/* ---- telling ---- */

/* The recipients in this state within [from, to) become TOLD. */
static void tell(
    struct sending *t, size_t from, size_t to, enum state state, const struct outcome *o)
{
	struct buf b;
	const char *before = "rcpt=";

	buf_init(&b, FRAME_OUT_MAX);
	for (size_t i = from; i < to; i++) {
		size_t run = i;

		while (run < to && t->state[run] == (unsigned char)state)
			t->state[run++] = TOLD;
		if (run == i)
			continue;
		buf_addf(&b, "%s%zu", before, i + 1);
		if (run > i + 1)
			buf_addf(&b, "-%zu", run);
		before = ",";
		i = run - 1;
	}
	if (b.len > 0) {
		buf_add_text(&b, " ");
		buf_add(&b, "", 1);
		if (buf_ok(&b))
			remote_tell(t->s, 'R', b.bytes, o);
		else
			t->s->orphan = true; /* no memory: what is not told is tried again */
	}
	buf_free(&b);
}

/* The session ended within a transaction, before its dot. */
static void tell_lost(struct sending *t, const struct outcome *o)
{
	struct outcome last = *o;

	/* A session that was lying idle may end at any moment; nobody has refused anything. */
	if (t->s->used && !t->replied && o->class == REMOTE_DEFERRED)
		last.class = REMOTE_UNTRIED;
	tell(t, t->first, t->last, OPEN, &last);
	tell(t, t->first, t->last, ACCEPTED, &last);
	tell(t, t->first, t->last, FULL, &t->full);
}

/* ---- the commands of a transaction, by number ---- */

enum { STEP_RSET, STEP_MAIL, STEP_RCPT }; /* one for each recipient, then DATA */

static size_t steps(const struct sending *t)
{
	return STEP_RCPT + (t->last - t->first) + 1;
}

static bool is_data(const struct sending *t, size_t step)
{
	return step == steps(t) - 1;
}

static size_t rcpt_of(const struct sending *t, size_t step)
{
	return t->first + step - STEP_RCPT;
}

/* Whether it must be said at all, as far as is known. */
static bool wanted(const struct sending *t, size_t step, bool known)
{
	if (step == STEP_RSET)
		return t->s->dirty;
	if (step == STEP_MAIL)
		return true;
	if (!is_data(t, step) && t->state[rcpt_of(t, step)] == TOLD)
		return false; /* it could not be said */
	if (!known)
		return true;
	return t->mail_taken && (!is_data(t, step) || t->accepted > 0);
}

static bool put(struct sending *t, size_t step, struct outcome *o)
{
	char command[COMMAND_ROOM];
	struct remote_session *s = t->s;
	size_t len;

	if (step == STEP_RSET)
		return remote_put(s, PHASE_RSET, "RSET\r\n", 6, o);
	if (is_data(t, step))
		return remote_put(s, PHASE_DATA, "DATA\r\n", 6, o);
	if (step == STEP_MAIL) {
		len = remote_write_mail(&t->m->envelope, t->m->size, t->utf8, &s->offer, command);
		return remote_put(s, PHASE_MAIL, command, len, o);
	}
	len =
	    remote_write_rcpt(&t->m->envelope.rcpt[rcpt_of(t, step)], t->utf8, &s->offer, command);
	return remote_put(s, PHASE_RCPT, command, len, o);
}

/* ---- their replies ---- */

/* RFC 5321 section 4.5.3.1.10. A full mailbox has the same code, but another status. */
static bool too_many(const struct sending *t, const struct reply *r)
{
	if (t->accepted == 0)
		return false;
	return r->code == 452 && (r->status[0] == '\0' || strcmp(r->status, "4.5.3") == 0);
}

static void rcpt_replied(struct sending *t, size_t i, const struct reply *reply)
{
	struct outcome o;

	if (!t->mail_taken)
		return; /* what is said of MAIL counts */
	outcome_of_reply(&o, PHASE_RCPT, reply);
	if (o.class == REMOTE_DELIVERED) {
		t->state[i] = ACCEPTED;
		t->accepted++;
	} else if (too_many(t, reply)) {
		t->state[i] = FULL;
		if (t->full_from == NOWHERE) {
			t->full_from = i;
			t->full = o;
		}
		return;
	} else {
		tell(t, i, i + 1, OPEN, &o);
	}
	if (t->full_from == NOWHERE)
		return;
	/* It is not the number: those before were refused for themselves. */
	tell(t, t->full_from, i, FULL, &t->full);
	t->full_from = NOWHERE;
}

static void data_replied(struct sending *t, const struct reply *reply)
{
	t->data_taken = reply->code == 354;
	outcome_of_reply(&t->data, PHASE_DATA, reply);
	if (t->data.class == REMOTE_DELIVERED) {
		t->data.class = REMOTE_DEFERRED; /* 2yz to DATA is nonsense */
		memcpy(t->data.status, "4.5.0", 6);
	}
}

static void replied(struct sending *t, size_t step, const struct reply *reply)
{
	if (step == STEP_RSET) {
		t->s->dirty = false;
	} else if (step == STEP_MAIL) {
		t->mail_taken = reply->code / 100 == 2;
		outcome_of_reply(&t->mail, PHASE_MAIL, reply);
		t->s->dirty = true;
	} else if (is_data(t, step)) {
		data_replied(t, reply);
	} else {
		rcpt_replied(t, rcpt_of(t, step), reply);
	}
}

static bool take(struct sending *t, size_t step, struct outcome *o)
{
	const struct remote_limits *l = &t->s->order->limits;
	struct reply reply;
	enum remote_phase phase = is_data(t, step)    ? PHASE_DATA
				  : step == STEP_RSET ? PHASE_RSET
				  : step == STEP_MAIL ? PHASE_MAIL
						      : PHASE_RCPT;
	int64_t patience = phase == PHASE_DATA ? l->data : phase == PHASE_RCPT ? l->rcpt : l->mail;

	if (!remote_reply(t->s, phase, patience, NULL, NULL, &reply, o))
		return false;
	if (remote_dismissed(t->s, phase, &reply)) {
		outcome_of_reply(o, phase, &reply);
		return false;
	}
	if (phase == PHASE_RSET && reply.code / 100 != 2) {
		/* Whether the last transaction is over cannot be known. */
		outcome_of_reply(o, phase, &reply);
		o->class = REMOTE_UNTRIED;
		remote_end(t->s, o);
		return false;
	}
	t->replied = true;
	replied(t, step, &reply);
	return true;
}

/* RSET if need be, MAIL, RCPT…, DATA. False: the session has ended. */
static bool envelope(struct sending *t, struct outcome *o)
{
	size_t n = steps(t);
	bool pipelining = t->s->offer.pipelining;

	for (size_t i = 0; pipelining && i < n; i++) {
		if (wanted(t, i, false) && !put(t, i, o))
			return false;
	}
	/* dirty changes under way: whether RSET was said is decided once. */
	for (size_t i = t->s->dirty ? 0 : 1; i < n; i++) {
		if (!wanted(t, i, !pipelining))
			continue;
		if ((!pipelining && !put(t, i, o)) || !take(t, i, o))
			return false;
	}
	return true;
}

/* ---- a transaction ---- */

/* 354 without recipients: an end at once (RFC 2920 section 3.1). Its reply means nothing. */
static bool empty_data(struct sending *t, struct outcome *o)
{
	struct reply reply;

	return remote_put(t->s, PHASE_DOT, ".\r\n", 3, o) &&
	       remote_reply(t->s, PHASE_DOT, t->s->order->limits.dot, NULL, NULL, &reply, o) &&
	       !remote_dismissed(t->s, PHASE_DOT, &reply);
}

/* What could not be said is told; true if something is left to say. */
static bool sayable(struct sending *t)
{
	char command[COMMAND_ROOM];
	struct outcome o;
	size_t left = 0;

	outcome_own(
	    &o, REMOTE_REFUSED, PHASE_LOCAL, "5.1.3", "this address cannot be said in SMTP");
	for (size_t i = t->first; i < t->last; i++) {
		if (remote_write_rcpt(&t->m->envelope.rcpt[i], t->utf8, &t->s->offer, command) > 0)
			left++;
		else
			tell(t, i, i + 1, OPEN, &o);
	}
	return left > 0;
}

/* Where the next transaction begins. */
static size_t next_first(struct sending *t)
{
	if (t->full_from == NOWHERE || !t->s->open)
		return t->last;
	t->most = t->full_from - t->first; /* at least the one that was accepted */
	for (size_t i = t->full_from; i < t->last; i++)
		t->state[i] = OPEN;
	return t->full_from;
}

static size_t transaction(struct sending *t)
{
	struct outcome o;

	t->accepted = 0;
	t->full_from = NOWHERE;
	t->replied = t->mail_taken = t->data_taken = false;
	if (!sayable(t))
		return t->last;
	if (!envelope(t, &o)) {
		tell_lost(t, &o);
		return t->last;
	}
	if (!t->mail_taken)
		tell(t, t->first, t->last, OPEN, &t->mail);
	if (t->accepted > 0 && t->data_taken) {
		content_send(t->s, t->m, t->sha256, &o);
		tell(t, t->first, t->last, ACCEPTED, &o);
		t->s->dirty = false; /* every reply to the dot ends the transaction */
	} else if (t->accepted > 0) {
		tell(t, t->first, t->last, ACCEPTED, &t->data);
	} else if (t->data_taken && !empty_data(t, &o)) {
		t->s->open = false; /* nobody was hurt: everybody has been told */
	}
	if (!t->s->open)
		tell(t, t->first, t->last, FULL, &t->full);
	return next_first(t);
}

/* ---- a message ---- */

/* What need not be tried, for it cannot succeed here. */
static bool impossible(const struct sending *t, struct outcome *o)
{
	const struct offer *offer = &t->s->offer;
	char command[COMMAND_ROOM];

	if (t->utf8 && !offer->utf8)
		outcome_own(o, REMOTE_REFUSED, PHASE_LOCAL, "5.6.7",
		    "the server does not take internationalized mail (SMTPUTF8)");
	else if (offer->size_max > 0 && t->m->size > offer->size_max)
		outcome_own(o, REMOTE_REFUSED, PHASE_LOCAL, "5.3.4",
		    "the message is larger than the server takes (SIZE)");
	else if (t->s->order->eightbit_bounce && !offer->eightbit &&
		 remote_is_eightbit(&t->m->envelope))
		outcome_own(o, REMOTE_REFUSED, PHASE_LOCAL, "5.6.3",
		    "the server does not take 8-bit mail (8BITMIME)");
	else if (remote_write_mail(&t->m->envelope, t->m->size, t->utf8, offer, command) == 0)
		outcome_own(o, REMOTE_REFUSED, PHASE_LOCAL, "5.1.7",
		    "the sender's address cannot be said in SMTP");
	else
		return false;
	return true;
}

static void send_all(struct sending *t)
{
	size_t rcpts = t->m->envelope.rcpts;
	struct outcome o = t->s->end;

	if (t->s->open && impossible(t, &o)) {
		tell(t, 0, rcpts, OPEN, &o);
		return;
	}
	for (size_t at = 0; at < rcpts && t->s->open && !t->s->orphan;) {
		t->first = at;
		t->last = rcpts - at < t->most ? rcpts : at + t->most;
		at = transaction(t);
		t->s->used = true;
		o = t->s->end;
	}
	o.class = REMOTE_UNTRIED;
	tell(t, 0, rcpts, OPEN, &o);
}

void remote_send(struct remote_session *s, const struct remote_message *m)
{
	struct sending t = {.s = s, .m = m, .most = (size_t)s->order->limits.recipients};
	struct buf b;

	t.state = calloc(m->envelope.rcpts, 1);
	if (t.state == NULL) { /* what is not told is tried again */
		s->orphan = true;
		return;
	}
	t.utf8 = remote_needs_utf8(&m->envelope);
	send_all(&t);

	buf_init(&b, 128);
	buf_addf(&b, "sha256=%s", t.sha256[0] != '\0' ? t.sha256 : "-");
	if (buf_ok(&b))
		frame_write(&s->results, 'D', b.bytes, b.len);
	else
		s->orphan = true;
	buf_free(&b);
	if (s->open) /* else why it ended goes with it */
		remote_flush(s);
	free(t.state);
}
