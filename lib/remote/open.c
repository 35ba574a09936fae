/* How a session is opened: address after address, greeting, EHLO, STARTTLS, AUTH. */
#include <stdio.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/remote/session.h"

/* ---- EHLO ---- */

static void take_offer(void *context, const char *text, size_t len, bool first)
{
	if (!first)
		offer_read(context, text, len);
}

static bool say_hello(
    struct remote_session *s, const char *verb, struct reply *reply, struct outcome *o)
{
	int n = snprintf(s->hello, sizeof s->hello, "%s %s\r\n", verb, s->order->helo);

	s->offer = (struct offer){0};
	return remote_put(s, PHASE_HELO, s->hello, (size_t)n, o) &&
	       remote_reply(s, PHASE_HELO, s->order->limits.helo, take_offer, &s->offer, reply, o);
}

/* A reply that ends the attempt. Says QUIT unless the server has ended the session itself. */
static bool turned_away(
    struct remote_session *s, enum remote_phase phase, const struct reply *reply, struct outcome *o)
{
	outcome_of_reply(o, phase, reply);
	if (o->class == REMOTE_DELIVERED) { /* 2yz where something else belongs */
		o->class = REMOTE_DEFERRED;
		(void)snprintf(o->status, sizeof o->status, "4.5.0");
	}
	if (reply->code != 421)
		remote_quit(s);
	remote_end(s, o);
	return false;
}

static bool hello(struct remote_session *s, struct outcome *o)
{
	struct reply reply;

	if (!say_hello(s, "EHLO", &reply, o))
		return false;
	/* A server that does not know EHLO says so (RFC 5321 section 4.1.1.1). */
	if (reply.code / 100 == 5 && !say_hello(s, "HELO", &reply, o))
		return false;
	if (strncmp(s->hello, "HELO", 4) == 0)
		s->offer = (struct offer){0};
	return reply.code == 250 || turned_away(s, PHASE_HELO, &reply, o);
}

static bool greet(struct remote_session *s, struct outcome *o)
{
	enum conn_status status = conn_open(&s->conn, s->peer, s->order->limits.connect);
	struct reply reply;

	if (status != CONN_OK) {
		s->orphan = s->orphan || status == CONN_ORPHAN;
		outcome_of_conn(o, PHASE_CONNECT, status, s->conn.error);
		remote_end(s, o);
		return false;
	}
	s->open = true;
	if (!remote_reply(s, PHASE_GREETING, s->order->limits.greeting, NULL, NULL, &reply, o))
		return false;
	return reply.code == 220 ? hello(s, o) : turned_away(s, PHASE_GREETING, &reply, o);
}

/* ---- STARTTLS ---- */

enum tls_result {
	TLS_ON,
	TLS_OFF,    /* not offered, or not taken: the session goes on in the clear */
	TLS_BROKEN, /* the connection is lost; another one may do without */
};

static enum tls_result start_tls(struct remote_session *s, struct outcome *o)
{
	static const char command[] = "STARTTLS\r\n";
	const char *why;
	struct reply reply;
	enum conn_status status;

	if (s->order->tls == REMOTE_TLS_NONE || !s->offer.starttls)
		return TLS_OFF;
	if (!remote_put(s, PHASE_STARTTLS, command, sizeof command - 1, o) ||
	    !remote_reply(s, PHASE_STARTTLS, s->order->limits.starttls, NULL, NULL, &reply, o))
		return TLS_BROKEN;
	if (reply.code == 421) {
		(void)turned_away(s, PHASE_STARTTLS, &reply, o);
		return TLS_BROKEN;
	}
	if (reply.code != 220)
		return TLS_OFF;
	status = conn_start_tls(&s->conn, s->peer->name, s->order->limits.starttls, &why);
	if (status == CONN_OK)
		return TLS_ON;
	s->orphan = s->orphan || status == CONN_ORPHAN;
	outcome_own(o, REMOTE_DEFERRED, PHASE_STARTTLS, "4.7.0", why);
	remote_end(s, o);
	return TLS_BROKEN;
}

/* ---- one address ---- */

static void tell_attempt(struct remote_session *s, const struct outcome *o)
{
	char before[128];

	(void)snprintf(
	    before, sizeof before, "peer=%s port=%u ", s->peer->address, (unsigned)s->peer->port);
	remote_tell(s, 'A', before, o);
	remote_flush(s);
}

static bool over(const struct remote_session *s)
{
	return s->orphan || clock_boot() >= s->conn.deadline;
}

/* Whether this peer took us. Otherwise it was told why not. `final`: no other need be tried. */
static bool open_peer(struct remote_session *s, struct outcome *o, bool *final)
{
	enum tls_result tls = TLS_OFF;

	*final = false;
	if (!greet(s, o))
		goto fail;
	tls = start_tls(s, o);
	if (tls == TLS_BROKEN && !over(s)) {
		/* Opportunistic: once more, in the clear. */
		tell_attempt(s, o);
		if (!greet(s, o))
			goto fail;
	} else if (tls == TLS_BROKEN) {
		goto fail;
	}
	/* What was offered before TLS is not believed. */
	if (tls == TLS_ON && !hello(s, o))
		goto fail;
	/* Whoever refuses a password once must not be asked again and again. */
	if (s->order->login != NULL && !remote_log_in(s, o)) {
		*final = true;
		goto fail;
	}
	return true;
fail:
	tell_attempt(s, o);
	return false;
}

bool remote_open_any(struct remote_session *s)
{
	struct outcome o = {0}, worst = {0};
	bool final = false;

	for (size_t i = 0; i < s->order->peers && !final && !over(s); i++) {
		s->peer = &s->order->peer[i];
		if (open_peer(s, &o, &final))
			return true;
		/* Where one server can be asked again, nothing is refused for good. */
		if (i == 0 || final || o.class == REMOTE_DEFERRED || worst.class != REMOTE_DEFERRED)
			worst = o;
	}
	if (s->peer == NULL)
		outcome_of_conn(&worst, PHASE_CONNECT, CONN_LATE, 0);
	remote_end(s, &worst);
	return false;
}
