#include "lib/remote/conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"

void conn_init(struct conn *c, struct ssl_ctx_st *tls, int employer, int64_t deadline)
{
	c->fd = -1;
	c->employer = employer;
	c->deadline = deadline;
	c->ssl = NULL;
	c->tls = tls;
	c->broken = true;
	c->error = 0;
	c->wants = 0;
	c->start = c->end = c->out_start = c->out_end = 0;
}

static int64_t until_ms(int64_t patience_ms)
{
	return clock_boot() + patience_ms * 1000;
}

/* ---- waiting ---- */

static enum conn_status conn_wait(const struct conn *c, short events, int64_t until)
{
	for (;;) {
		/* An end of a socket pair whose other end is closed says POLLHUP unasked. */
		struct pollfd p[2] = {
		    {.fd = c->fd, .events = events}, {.fd = c->employer, .events = 0}};
		int64_t first = until < c->deadline ? until : c->deadline;
		int64_t ms = (first - clock_boot() + 999) / 1000;

		if (ms <= 0)
			return c->deadline <= until ? CONN_LATE : CONN_SILENT;
		if (poll(p, COUNT_OF(p), clock_patience(ms > 3600000 ? 3600000 : (int)ms)) < 0 &&
		    errno != EINTR)
			return CONN_CLOSED;
		if (p[1].revents != 0)
			return CONN_ORPHAN;
		if (p[0].revents != 0)
			return CONN_OK;
	}
}

static enum conn_status broke(struct conn *c, int error)
{
	c->broken = true;
	c->error = error;
	return CONN_CLOSED;
}

/* ---- connecting ---- */

static socklen_t fill_address(const struct remote_peer *peer, struct sockaddr_storage *storage)
{
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(peer->port)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(peer->port)};

	if (inet_pton(AF_INET, peer->address, &four.sin_addr) == 1) {
		memcpy(storage, &four, sizeof four);
		return sizeof four;
	}
	if (inet_pton(AF_INET6, peer->address, &six.sin6_addr) != 1)
		die_bug("an address that was none");
	memcpy(storage, &six, sizeof six);
	return sizeof six;
}

enum conn_status conn_open(struct conn *c, const struct remote_peer *peer, int64_t patience_ms)
{
	struct sockaddr_storage storage;
	socklen_t len = fill_address(peer, &storage);
	enum conn_status status;
	socklen_t error_len = sizeof(int);
	int error = 0;
	const int yes = 1;

	c->error = 0;
	c->fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		return broke(c, errno);
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	if (connect(c->fd, (const struct sockaddr *)&storage, len) != 0) {
		if (errno != EINPROGRESS)
			return broke(c, errno);
		status = conn_wait(c, POLLOUT, until_ms(patience_ms));
		if (status != CONN_OK)
			return status;
		if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &error_len) != 0)
			error = errno;
		if (error != 0)
			return broke(c, error);
	}
	c->broken = false;
	return CONN_OK;
}

void conn_close(struct conn *c)
{
	SSL_free(c->ssl);
	if (c->fd >= 0)
		(void)close(c->fd);
	c->ssl = NULL;
	c->fd = -1;
	c->broken = true;
	c->wants = 0;
	c->start = c->end = c->out_start = c->out_end = 0;
}

/* ---- TLS ---- */

/* After a call that returned `n`: what it waits for; 0 if nothing will help. */
static short waits_for(const struct conn *c, int n)
{
	switch (SSL_get_error(c->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		return POLLIN;
	case SSL_ERROR_WANT_WRITE:
		return POLLOUT;
	default:
		return 0;
	}
}

/*
 * The alternative to a weak TLS is none at all, for the mail is sent in the clear then (RFC 7435):
 * whatever the server can do is welcome.
 */
struct ssl_ctx_st *conn_tls_new(void)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

	if (tls == NULL)
		return NULL;
	SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL);
	(void)SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION);
	(void)SSL_CTX_set_mode(
	    tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	(void)SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(tls, 1); /* a record in one read, not in two */
	if (SSL_CTX_set_min_proto_version(tls, TLS1_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(tls, "DEFAULT:@SECLEVEL=0") != 1) {
		SSL_CTX_free(tls);
		return NULL;
	}
	return tls;
}

static bool prepare_tls(struct conn *c, const char *name)
{
	char host[REMOTE_NAME_MAX + 1];
	struct in6_addr raw;

	c->ssl = SSL_new(c->tls);
	if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1)
		return false;
	if (name[0] == '\0' || inet_pton(AF_INET, name, &raw) == 1 ||
	    inet_pton(AF_INET6, name, &raw) == 1)
		return true;
	(void)snprintf(host, sizeof host, "%s", name);
	return SSL_set_tlsext_host_name(c->ssl, host) == 1;
}

enum conn_status conn_start_tls(
    struct conn *c, const char *name, int64_t patience_ms, const char **why)
{
	int64_t until = until_ms(patience_ms);

	c->start = c->end = 0;
	*why = "no TLS in time";
	ERR_clear_error();
	if (!prepare_tls(c, name)) {
		*why = "TLS cannot be prepared";
		return broke(c, 0);
	}
	for (;;) {
		enum conn_status status;
		short events;
		int n;

		ERR_clear_error();
		n = SSL_connect(c->ssl);
		if (n == 1)
			return CONN_OK;
		events = waits_for(c, n);
		if (events == 0) {
			const char *text = ERR_reason_error_string(ERR_peek_last_error());

			*why = text != NULL ? text : "the connection was lost";
			return broke(c, 0);
		}
		status = conn_wait(c, events, until);
		if (status != CONN_OK)
			return status;
	}
}

void conn_end_tls(struct conn *c)
{
	ERR_clear_error();
	if (c->ssl != NULL && !c->broken)
		(void)SSL_shutdown(c->ssl);
}

const char *conn_tls_version(const struct conn *c)
{
	return c->ssl != NULL ? SSL_get_version(c->ssl) : "-";
}

const char *conn_tls_cipher(const struct conn *c)
{
	const SSL_CIPHER *cipher = c->ssl != NULL ? SSL_get_current_cipher(c->ssl) : NULL;

	return cipher != NULL ? SSL_CIPHER_standard_name(cipher) : "-";
}

/* ---- bytes; none of these waits: 0 says that there is nothing now ---- */

static ssize_t tls_failed(struct conn *c, int n)
{
	c->wants = waits_for(c, n);
	if (c->wants == 0)
		(void)broke(c, 0);
	return 0;
}

static ssize_t read_some(struct conn *c, char *bytes, size_t room)
{
	ssize_t n;
	size_t got;
	int done;

	if (c->ssl != NULL) {
		ERR_clear_error();
		done = SSL_read_ex(c->ssl, bytes, room, &got);
		return done == 1 ? (ssize_t)got : tls_failed(c, done);
	}
	n = recv(c->fd, bytes, room, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		(void)broke(c, n == 0 ? 0 : errno);
	return n > 0 ? n : 0;
}

/* Reads what is there, if there is room for it. */
static void read_ahead(struct conn *c)
{
	ssize_t n;

	if (c->start == c->end)
		c->start = c->end = 0;
	if (c->end == CONN_BUFFER && c->start > 0) {
		memmove(c->in, c->in + c->start, c->end - c->start);
		c->end -= c->start;
		c->start = 0;
	}
	if (c->broken || c->end == CONN_BUFFER)
		return;
	n = read_some(c, c->in + c->end, CONN_BUFFER - c->end);
	c->end += (size_t)n;
}

static ssize_t write_some(struct conn *c, const char *bytes, size_t len)
{
	ssize_t n;
	size_t put;
	int done;

	if (c->ssl != NULL) {
		ERR_clear_error();
		done = SSL_write_ex(c->ssl, bytes, len, &put);
		return done == 1 ? (ssize_t)put : tls_failed(c, done);
	}
	n = send(c->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		int error = errno;

		read_ahead(c); /* its last words, if the kernel still has them */
		(void)broke(c, error);
	}
	return n > 0 ? n : 0;
}

/* ---- output ---- */

enum conn_status conn_flush(struct conn *c, int64_t patience_ms)
{
	int64_t until = 0;

	while (c->out_start < c->out_end) {
		ssize_t n;
		short events = POLLOUT;
		enum conn_status status;

		if (c->broken)
			return CONN_CLOSED;
		c->wants = 0;
		n = write_some(c, c->out + c->out_start, c->out_end - c->out_start);
		c->out_start += (size_t)n;
		if (n > 0 || c->broken)
			continue;
		if (c->wants != 0)
			events = c->wants;
		read_ahead(c);
		if (c->end < CONN_BUFFER)
			events |= POLLIN;
		if (until == 0)
			until = until_ms(patience_ms);
		status = c->broken ? CONN_CLOSED : conn_wait(c, events, until);
		if (status != CONN_OK)
			return status;
	}
	c->out_start = c->out_end = 0;
	return CONN_OK;
}

enum conn_status conn_put(struct conn *c, const char *bytes, size_t len, int64_t patience_ms)
{
	while (len > 0) {
		size_t room = CONN_BUFFER - c->out_end;
		size_t n = len < room ? len : room;

		memcpy(c->out + c->out_end, bytes, n);
		c->out_end += n;
		bytes += n;
		len -= n;
		if (len > 0) {
			enum conn_status status = conn_flush(c, patience_ms);

			if (status != CONN_OK)
				return status;
		}
	}
	return CONN_OK;
}

/* ---- input ---- */

enum conn_status conn_fill(struct conn *c, int64_t until)
{
	size_t before = c->end - c->start;
	bool look = c->ssl != NULL && SSL_has_pending(c->ssl) == 1;

	c->wants = 0;
	for (;;) {
		/* An answer is hardly ever there before it is waited for. */
		enum conn_status status = CONN_OK;

		if (!look && !c->broken)
			status = conn_wait(c, c->wants != 0 ? c->wants : POLLIN, until);
		if (status != CONN_OK)
			return status;
		look = false;
		c->wants = 0;
		read_ahead(c);
		if (c->end - c->start > before)
			return CONN_OK;
		if (c->broken)
			return CONN_CLOSED;
	}
}

bool conn_holds(const struct conn *c)
{
	return c->start < c->end || (c->ssl != NULL && SSL_has_pending(c->ssl) == 1);
}

bool conn_spoke(struct conn *c)
{
	if (c->start == c->end)
		read_ahead(c);
	return c->broken || c->start < c->end;
}
