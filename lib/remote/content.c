#include "lib/remote/content.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/remote/stuff.h"

struct stream_out {
	struct remote_session *s;
	struct outcome *o;
};

/* A server that breaks off has often said why. */
static bool broken_off(struct remote_session *s, enum conn_status status, struct outcome *o)
{
	const struct conn *c = &s->conn;
	struct reply reply;
	size_t used;

	reply_init(&reply, (size_t)s->order->limits.reply, NULL, NULL);
	if (status != CONN_CLOSED ||
	    reply_feed(&reply, c->in + c->start, c->end - c->start, &used) != REPLY_DONE ||
	    reply.code < 400)
		return remote_lost(s, PHASE_CONTENT, status, o);
	outcome_of_reply(o, PHASE_CONTENT, &reply);
	remote_end(s, o);
	return false;
}

static bool put(void *context, const char *bytes, size_t len)
{
	struct stream_out *out = context;
	enum conn_status status = conn_put(&out->s->conn, bytes, len, out->s->order->limits.block);

	return status == CONN_OK || broken_off(out->s, status, out->o);
}

/* A fault of ours: the server gets no dot, so it has no message. */
static bool faulty(
    struct remote_session *s, const struct remote_message *m, const char *why, struct outcome *o)
{
	LOG_ALARM("content-faulty", kv("why", why), kv("expected", m->sha256),
	    kv("peer", s->peer->address));
	outcome_own(o, REMOTE_DEFERRED, PHASE_CONTENT, "4.3.0", why);
	remote_end(s, o);
	return false;
}

/* A reply before the dot is none to the dot, whatever it says. */
static bool interrupted(struct remote_session *s, struct outcome *o)
{
	struct reply reply;

	/* What is unsent is of no use any more, and must not be waited for. */
	s->conn.out_start = s->conn.out_end = 0;
	if (!remote_reply(s, PHASE_CONTENT, s->order->limits.data, NULL, NULL, &reply, o))
		return false;
	outcome_of_reply(o, PHASE_CONTENT, &reply);
	if (reply.code < 400)
		outcome_own(o, REMOTE_DEFERRED, PHASE_CONTENT, "4.5.0",
		    "the server answered before the message was there");
	remote_end(s, o);
	return false;
}

/* The disk failed: that says nothing about the message. */
static bool unread(struct remote_session *s, int error, struct outcome *o)
{
	LOG_ALARM("content-unread", kv("peer", s->peer->address), kv_errno(error));
	outcome_own(
	    o, REMOTE_DEFERRED, PHASE_LOCAL, "4.3.0", "the message cannot be read just now");
	remote_end(s, o);
	return false;
}

/* Reads, digests and sends; true if everything is on its way but the dot. */
static bool stream(struct remote_session *s, const struct remote_message *m, struct digest *d,
    char sha256[DIGEST_HEX], struct outcome *o)
{
	struct stream_out out = {.s = s, .o = o};
	enum stuff_status status = STUFF_OK;
	off_t at = m->offset;
	uint64_t left = m->size;
	struct stuff stuff;

	stuff_init(&stuff, put, &out);
	while (left > 0 && status == STUFF_OK) {
		size_t room = left < sizeof s->file ? (size_t)left : sizeof s->file;
		ssize_t n = pread(m->fd, s->file, room, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return unread(s, errno, o);
		if (n == 0)
			return faulty(s, m, "the file is too short", o);
		digest_add(d, s->file, (size_t)n);
		at += n;
		left -= (uint64_t)n;
		if (s->conn.start < s->conn.end)
			return interrupted(s, o);
		status = stuff_feed(&stuff, s->file, (size_t)n);
	}
	if (status == STUFF_OK)
		status = stuff_end(&stuff);
	if (status == STUFF_STOP)
		return false;
	if (status == STUFF_BARE)
		return faulty(s, m, "a CR or LF stands alone", o);

	digest_end(d, sha256);
	if (strcmp(sha256, m->sha256) != 0)
		return faulty(s, m, "the digest is wrong", o);
	return true;
}

/* Behind the dot nothing is certain until the reply is read. */
static void end(struct remote_session *s, const struct remote_message *m, struct outcome *o)
{
	struct reply reply;
	struct outcome why;
	enum conn_status status;

	if (conn_spoke(&s->conn)) {
		(void)interrupted(s, o);
		return;
	}
	status = conn_put(&s->conn, ".\r\n", 3, s->order->limits.block);
	if (status == CONN_OK)
		status = conn_flush(&s->conn, s->order->limits.block);
	if (status != CONN_OK && s->conn.out_start < s->conn.out_end) {
		(void)broken_off(s, status, o);
		return;
	}

	if (remote_reply(s, PHASE_DOT, s->order->limits.dot, NULL, NULL, &reply, &why)) {
		outcome_of_reply(o, PHASE_DOT, &reply);
		if (reply.code / 100 != 3) {
			(void)remote_dismissed(s, PHASE_DOT, &reply);
			return;
		}
		why = *o;
		remote_end(s, &why);
	}
	*o = why;
	o->class = REMOTE_UNKNOWN;
	LOG("possible-duplicate", kv("peer", s->peer->address), kv("why", why.text),
	    kv("sha256", m->sha256));
}

void content_send(struct remote_session *s, const struct remote_message *m, char sha256[DIGEST_HEX],
    struct outcome *o)
{
	struct digest *d = digest_new();

	remote_flush(s); /* what was refused may be known while a large message is sent */
	sha256[0] = '\0';
	if (d == NULL) {
		outcome_own(o, REMOTE_DEFERRED, PHASE_CONTENT, "4.3.0", "no memory");
		remote_end(s, o);
		return;
	}
	if (stream(s, m, d, sha256, o))
		end(s, m, o);
	digest_free(d);
}
