/* What comes before the first command: a proxy's word for the client, and TLS. */
#include <poll.h>
#include <sys/socket.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/smtp/session.h"
#include "lib/smtp/worker.h"

#define PROXY_FIXED ((size_t)16) /* bytes of a PROXY header before its addresses */

/* ---- PROXY ---- */

/*
 * Reads `want` bytes and none beyond: what stands behind the header may belong to a handshake. No
 * reply is due, so the plain socket is read.
 */
static bool read_exactly(struct session *s, char *bytes, size_t want)
{
	size_t have = 0;

	while (have < want) {
		ssize_t n = s->io.stream.read(s->io.stream.context, bytes + have, want - have);

		if (n > 0)
			have += (size_t)n;
		else if (n == 0 || io_await(&s->io, POLLIN) != IO_OK)
			return false;
	}
	return true;
}

/* The client's address and port instead of the proxy's. */
static bool read_proxy(struct session *s)
{
	char header[PROXY_HEADER_MAX];
	size_t len, used;

	if (!read_exactly(s, header, PROXY_FIXED))
		return false;
	len = PROXY_FIXED + (size_t)(unsigned char)header[14] * 256 + (unsigned char)header[15];
	if (len > sizeof header || proxy_read(header, PROXY_FIXED, &used, &s->peer) == PROXY_BAD)
		return false;
	if (!read_exactly(s, header + PROXY_FIXED, len - PROXY_FIXED))
		return false;
	switch (proxy_read(header, len, &used, &s->peer)) {
	case PROXY_PEER:
	case PROXY_LOCAL:
		return true;
	case PROXY_MORE:
	case PROXY_BAD:
		break;
	}
	return false;
}

static bool open_proxied(struct session *s)
{
	int64_t deadline = s->io.deadline;
	bool fine;

	s->io.deadline = clock_boot() + s->config->settings.proxy_time;
	fine = read_proxy(s);
	s->io.deadline = deadline;
	if (!fine) {
		LOG("proxy-header", kv("peer", s->peer_text), kv("what", "none, or malformed"));
		return false;
	}
	ip_text(&s->peer.ip, s->peer_text);
	if (worker_may(s->desk->control, &s->peer.ip))
		return true;
	if (s->service == SMTP_SUBMISSIONS)
		return false; /* who expects TLS would not understand it */
	if (session_say(s, "421 4.7.0 too many connections, try again later") == NEXT_COMMAND)
		io_linger(&s->io);
	return false;
}

/* ---- TLS ---- */

static bool handshake(struct session *s)
{
	for (;;) {
		const char *why = "no word for too long";
		short events = POLLIN;
		enum tls_step step = tls_handshake(s->tls, &events, &why);

		if (step == TLS_DONE)
			return true;
		if (step == TLS_AGAIN && io_await(&s->io, events) == IO_OK)
			continue;
		LOG("tls-failed", kv("peer", s->peer_text), kv("why", why));
		return false;
	}
}

bool session_start_tls(struct session *s)
{
	const struct relay_source *source;
	bool ask = s->service == SMTP_RELAY && relay_has_certificates(&s->config->relay);

	s->tls = tls_new(s->config->tls, s->io.stream.fd, ask);
	if (s->tls == NULL || !handshake(s))
		return false;
	s->io.stream = tls_stream(s->tls);
	source = ask ? tls_source(s->tls, &s->config->relay) : NULL;
	if (source != NULL) {
		s->source = source;
		session_proven(s);
	}
	return true;
}

/* ---- the whole ---- */

bool session_open(struct session *s, const struct arrival *arrival)
{
	ip_text(&s->peer.ip, s->peer_text);
	if (arrival->proxied && !open_proxied(s))
		return false;
	if (s->service == SMTP_RELAY)
		s->source = relay_find(&s->config->relay, &s->peer.ip);
	if (s->source != NULL && arrival->proxied)
		session_proven(s);
	s->proven = s->source != NULL; /* the parent has seen the address, too */
	session_reset(s);
	if (s->service != SMTP_SUBMISSIONS)
		return true;
	if (s->config->tls == NULL) {
		LOG("tls-failed", kv("peer", s->peer_text), kv("why", "there is no certificate"));
		return false;
	}
	return session_start_tls(s);
}
