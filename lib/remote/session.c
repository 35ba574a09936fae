#include "lib/remote/session.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"

#define QUIT_MS 1000

/* ---- outcomes ---- */

void outcome_of_reply(struct outcome *o, enum remote_phase phase, const struct reply *reply)
{
	int class = reply->code / 100;

	*o = (struct outcome){.class = class == 2   ? REMOTE_DELIVERED
				       : class == 5 ? REMOTE_REFUSED
						    : REMOTE_DEFERRED,
	    .phase = phase,
	    .code = reply->code,
	    .text_len = reply->text_len};
	(void)snprintf(o->status, sizeof o->status, "%s",
	    reply->status[0] != '\0' ? reply->status
	    : class == 2             ? "2.0.0"
	    : class == 5             ? "5.0.0"
				     : "4.0.0");
	memcpy(o->text, reply->text, reply->text_len + 1);
}

void outcome_own(struct outcome *o, enum remote_class class, enum remote_phase phase,
    const char *status, const char *text)
{
	*o = (struct outcome){.class = class, .phase = phase};
	(void)snprintf(o->status, sizeof o->status, "%s", status);
	(void)snprintf(o->text, sizeof o->text, "%s", text);
	o->text_len = strlen(o->text);
}

void outcome_of_conn(struct outcome *o, enum remote_phase phase, enum conn_status status, int error)
{
	const char *text = error != 0 ? strerrordesc_np(error) : NULL;
	const char *code = phase == PHASE_CONNECT ? "4.4.1" : "4.4.2";

	switch (status) {
	case CONN_SILENT:
		text = phase == PHASE_CONNECT ? "no connection in time" : "no answer in time";
		break;
	case CONN_LATE:
		text = "the time of the whole session is over";
		break;
	case CONN_ORPHAN:
		text = "nobody waits for the result any more";
		break;
	case CONN_OK:
	case CONN_CLOSED:
		break;
	}
	outcome_own(
	    o, REMOTE_DEFERRED, phase, code, text != NULL ? text : "the connection was closed");
}

void remote_tell(struct remote_session *s, char type, const char *before, const struct outcome *o)
{
	struct buf b;

	buf_init(&b, FRAME_OUT_MAX);
	buf_addf(&b, "%s%s phase=%s code=%03d status=%s reply=", before,
	    remote_class_word(o->class), remote_phase_word(o->phase), o->code, o->status);
	buf_add_xtext(&b, o->text, o->text_len);
	if (buf_ok(&b))
		frame_write(&s->results, type, b.bytes, b.len);
	else
		s->orphan = true; /* no memory: what is not told is tried again */
	buf_free(&b);
}

void remote_flush(struct remote_session *s)
{
	frames_out_flush(&s->results);
	if (s->results.gone)
		s->orphan = true;
}

/* ---- talking ---- */

void remote_end(struct remote_session *s, const struct outcome *why)
{
	s->open = false;
	s->end = *why;
	conn_close(&s->conn);
}

bool remote_lost(
    struct remote_session *s, enum remote_phase phase, enum conn_status status, struct outcome *o)
{
	if (status == CONN_ORPHAN)
		s->orphan = true;
	outcome_of_conn(o, phase, status, s->conn.error);
	remote_end(s, o);
	return false;
}

bool remote_put(struct remote_session *s, enum remote_phase phase, const char *text, size_t len,
    struct outcome *o)
{
	enum conn_status status = conn_put(&s->conn, text, len, s->order->limits.block);

	return status == CONN_OK || remote_lost(s, phase, status, o);
}

static bool nonsense(
    struct remote_session *s, enum remote_phase phase, enum reply_status status, struct outcome *o)
{
	outcome_own(o, REMOTE_DEFERRED, phase, "4.5.0",
	    status == REPLY_TOO_LONG ? "the server's reply has no end"
				     : "the server sent what is no reply");
	remote_end(s, o);
	return false;
}

bool remote_reply(struct remote_session *s, enum remote_phase phase, int64_t patience_ms,
    reply_line *show, void *context, struct reply *reply, struct outcome *o)
{
	enum conn_status status = conn_flush(&s->conn, s->order->limits.block);
	int64_t until = clock_boot() + patience_ms * 1000;

	reply_init(reply, (size_t)s->order->limits.reply, show, context);
	while (status == CONN_OK) {
		struct conn *c = &s->conn;
		size_t used;
		enum reply_status got =
		    reply_feed(reply, c->in + c->start, c->end - c->start, &used);

		c->start += used;
		if (got == REPLY_DONE)
			return true;
		if (got != REPLY_MORE)
			return nonsense(s, phase, got, o);
		remote_flush(s);
		status = conn_fill(c, until);
	}
	return remote_lost(s, phase, status, o);
}

bool remote_dismissed(struct remote_session *s, enum remote_phase phase, const struct reply *reply)
{
	struct outcome o;

	if (reply->code != 421)
		return false;
	outcome_of_reply(&o, phase, reply);
	remote_end(s, &o);
	return true;
}

void remote_quit(struct remote_session *s)
{
	s->conn.employer = -1; /* whoever has gone need not wait for this */
	if (s->open && conn_put(&s->conn, "QUIT\r\n", 6, QUIT_MS) == CONN_OK &&
	    conn_flush(&s->conn, QUIT_MS) == CONN_OK)
		conn_end_tls(&s->conn);
	s->open = false;
	conn_close(&s->conn);
	s->conn.employer = s->orders.socket;
}
