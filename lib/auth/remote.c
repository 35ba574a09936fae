#include "lib/auth/remote.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define PROTOCOLS_OLDEST TLS1_2_VERSION

struct remote {
	struct wire wire; /* first: the wire's functions find the rest behind it */
	int fd;
	SSL_CTX *context;
	SSL *ssl;
	char host[REMOTE_HOST_MAX + 1];
};

static struct remote *of(struct wire *w)
{
	return (struct remote *)(void *)w;
}

struct wire *remote_wire(struct remote *r)
{
	return &r->wire;
}

/* ---- words ---- */

static bool is_port(const char *text)
{
	size_t len = strlen(text);

	return len >= 1 && len <= 5 && strspn(text, "0123456789") == len && atoi(text) >= 1 &&
	       atoi(text) <= 65535;
}

/* HOST, HOST:PORT, [V6] or [V6]:PORT. */
static bool read_server(const char *text, struct remote_words *words)
{
	bool bracket = text[0] == '[';
	const char *start = text + (bracket ? 1 : 0);
	size_t len = strcspn(start, bracket ? "]" : ":");
	const char *rest = start + len;

	if (bracket && *rest++ != ']')
		return false;
	if (len < 1 || len > REMOTE_HOST_MAX || start[0] == '-')
		return false;
	memcpy(words->host, start, len);
	words->host[len] = '\0';
	if (*rest == '\0')
		return true;
	if (*rest != ':' || !is_port(rest + 1))
		return false;
	memcpy(words->port, rest + 1, strlen(rest + 1) + 1);
	return true;
}

bool remote_words(
    char **argv, const char *implicit_port, const char *explicit_port, struct remote_words *words)
{
	const char *port;

	*words = (struct remote_words){0};
	for (argv++; *argv != NULL && strncmp(*argv, "--", 2) == 0; argv++) {
		if (strcmp(*argv, "--starttls") == 0) {
			words->starttls = true;
		} else if (strcmp(*argv, "--ca") == 0 && argv[1] != NULL) {
			words->ca = *++argv;
		} else {
			return false;
		}
	}
	port = words->starttls ? explicit_port : implicit_port;
	memcpy(words->port, port, strlen(port) + 1);
	if (*argv == NULL || !read_server(*argv, words))
		return false;
	words->program = argv + 1;
	return true;
}

/* ---- bytes ---- */

static bool await(const struct remote *r, short events, int patience_ms)
{
	struct pollfd p = {.fd = r->fd, .events = events};
	int n;

	do
		n = poll(&p, 1, patience_ms);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

/* After a call of OpenSSL that did not do its work: waits for what it needs. */
static bool await_tls(const struct remote *r, int result)
{
	switch (SSL_get_error(r->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return await(r, POLLIN, REMOTE_SILENCE_MS);
	case SSL_ERROR_WANT_WRITE:
		return await(r, POLLOUT, REMOTE_SILENCE_MS);
	default:
		return false;
	}
}

static size_t get_tls(struct remote *r, char *bytes, size_t room)
{
	for (;;) {
		int n = SSL_read(r->ssl, bytes, (int)room);

		if (n > 0)
			return (size_t)n;
		if (!await_tls(r, n))
			return 0;
	}
}

static size_t get(struct wire *w, char *bytes, size_t room)
{
	struct remote *r = of(w);
	ssize_t n;

	if (r->ssl != NULL)
		return get_tls(r, bytes, room);
	do {
		if (!await(r, POLLIN, REMOTE_SILENCE_MS))
			return 0;
		n = recv(r->fd, bytes, room, 0);
	} while (n < 0 && (errno == EAGAIN || errno == EINTR));
	return n > 0 ? (size_t)n : 0;
}

static bool put(struct wire *w, const char *bytes, size_t len)
{
	struct remote *r = of(w);

	while (len > 0) {
		ssize_t n;

		if (r->ssl != NULL) {
			n = SSL_write(r->ssl, bytes, (int)len);
			if (n <= 0 && !await_tls(r, (int)n))
				return false;
		} else {
			n = send(r->fd, bytes, len, MSG_NOSIGNAL);
			if (n < 0 && (errno != EAGAIN || !await(r, POLLOUT, REMOTE_SILENCE_MS)))
				return false;
		}
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* ---- TLS ---- */

/* The name that the certificate must have, and that the server is told. */
static bool name_server(struct remote *r)
{
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET, r->host, &four) == 1 || inet_pton(AF_INET6, r->host, &six) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(r->ssl), r->host) == 1;
	SSL_set_hostflags(r->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(r->ssl, r->host) == 1 &&
	       SSL_set_tlsext_host_name(r->ssl, r->host) == 1;
}

static bool start_tls(struct wire *w)
{
	struct remote *r = of(w);
	SSL *ssl = SSL_new(r->context);
	int n;

	if (ssl == NULL)
		return false;
	r->ssl = ssl;
	if (!name_server(r) || SSL_set_fd(ssl, r->fd) != 1)
		return wire_fail(w, "no memory for TLS");
	while ((n = SSL_connect(ssl)) != 1) {
		long verdict = SSL_get_verify_result(ssl);

		if (verdict != X509_V_OK)
			return wire_fail(w, X509_verify_cert_error_string(verdict));
		if (!await_tls(r, n))
			return wire_fail(w, "the server does not begin TLS");
	}
	return true;
}

static SSL_CTX *make_context(const char *ca)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (context == NULL)
		return NULL;
	/* VERIFY_PEER: a handshake with a certificate that is not good fails. */
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_set_min_proto_version(context, PROTOCOLS_OLDEST) == 1 &&
	    (ca != NULL ? SSL_CTX_load_verify_file(context, ca)
			: SSL_CTX_set_default_verify_paths(context)) == 1)
		return context;
	SSL_CTX_free(context);
	return NULL;
}

/* ---- connecting ---- */

static bool connected(struct remote *r, const struct addrinfo *a)
{
	socklen_t len = sizeof(int);
	int error = 0;

	r->fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r->fd < 0)
		return false;
	if (connect(r->fd, a->ai_addr, a->ai_addrlen) == 0 ||
	    (errno == EINPROGRESS && await(r, POLLOUT, REMOTE_CONNECT_MS) &&
		getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0))
		return true;
	(void)close(r->fd);
	r->fd = -1;
	return false;
}

static const char *connect_to(struct remote *r, const struct remote_words *words)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	int error = getaddrinfo(words->host, words->port, &hints, &list);
	const struct addrinfo *a;

	if (error != 0)
		return gai_strerror(error);
	for (a = list; a != NULL && !connected(r, a);)
		a = a->ai_next;
	freeaddrinfo(list);
	return a != NULL ? NULL : "the server cannot be reached";
}

struct remote *remote_open(const struct remote_words *words, const char **why)
{
	struct remote *r = calloc(1, sizeof *r);

	*why = "no memory";
	if (r == NULL)
		return NULL;
	r->fd = -1;
	r->wire.get = get;
	r->wire.put = put;
	r->wire.start_tls = start_tls;
	memcpy(r->host, words->host, sizeof r->host);

	/* Where nobody else does: a name server that never answers is not waited for longer. */
	(void)alarm(REMOTE_SECONDS);
	(void)signal(SIGPIPE, SIG_IGN); /* a server that has gone is an error like others */
	r->context = make_context(words->ca);
	*why = r->context == NULL ? "the file of authorities cannot be read" : connect_to(r, words);
	if (*why == NULL && !words->starttls && !start_tls(&r->wire))
		*why = r->wire.why != NULL ? r->wire.why : "no TLS";
	if (*why == NULL)
		return r;
	remote_close(r);
	return NULL;
}

void remote_close(struct remote *r)
{
	if (r->ssl != NULL)
		(void)SSL_shutdown(r->ssl);
	SSL_free(r->ssl);
	SSL_CTX_free(r->context);
	if (r->fd >= 0)
		(void)close(r->fd);
	free(r);
}
