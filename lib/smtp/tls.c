/* One connection's TLS: handshake, stream, and what the client's certificate proves. */
#include "lib/smtp/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdlib.h>

#include "lib/smtp/tls_config.h"

struct tls {
	SSL *ssl;
	int fd;
	short wants; /* what the last call waits for, or 0: what the caller asks for */
};

struct tls *tls_new(const struct tls_config *config, int fd, bool ask)
{
	struct tls *t = calloc(1, sizeof *t);
	int flags = fcntl(fd, F_GETFL);

	if (t == NULL || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
		goto fail;
	t->fd = fd;
	t->ssl = SSL_new(config->ssl);
	if (t->ssl == NULL || SSL_set_fd(t->ssl, fd) != 1)
		goto fail;
	if (ask)
		SSL_set_verify(t->ssl, SSL_VERIFY_PEER, SSL_CTX_get_verify_callback(config->ssl));
	return t;
fail:
	tls_free(t);
	return NULL;
}

void tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	free(t);
}

/* The reason of the last error, in OpenSSL's words. */
static const char *reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text != NULL ? text : "the connection was lost";
}

/* After a call that returned `n`: what it waits for, or 0 if it waits for nothing. */
static short waits_for(const struct tls *t, int n)
{
	switch (SSL_get_error(t->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		return POLLIN;
	case SSL_ERROR_WANT_WRITE:
		return POLLOUT;
	default:
		return 0;
	}
}

enum tls_step tls_handshake(struct tls *t, short *events, const char **why)
{
	int n;

	ERR_clear_error();
	n = SSL_accept(t->ssl);
	if (n == 1)
		return TLS_DONE;
	*events = waits_for(t, n);
	if (*events != 0)
		return TLS_AGAIN;
	*why = reason();
	return TLS_FAILED;
}

/* ---- the stream ---- */

/* -1 with EAGAIN, 0 at a proper end, -1 otherwise. */
static ssize_t no_bytes(struct tls *t, int n)
{
	t->wants = waits_for(t, n);
	if (t->wants == 0 && SSL_get_error(t->ssl, n) == SSL_ERROR_ZERO_RETURN)
		return 0;
	errno = t->wants != 0 ? EAGAIN : EPROTO;
	return -1;
}

static ssize_t stream_read(void *context, char *bytes, size_t room)
{
	struct tls *t = context;
	size_t got;
	int n;

	ERR_clear_error();
	n = SSL_read_ex(t->ssl, bytes, room, &got);
	if (n != 1)
		return no_bytes(t, n);
	t->wants = 0;
	return (ssize_t)got;
}

static ssize_t stream_write(void *context, const char *bytes, size_t len)
{
	struct tls *t = context;
	size_t put;
	int n;

	ERR_clear_error();
	n = SSL_write_ex(t->ssl, bytes, len, &put);
	if (n != 1)
		return no_bytes(t, n);
	t->wants = 0;
	return (ssize_t)put;
}

static bool stream_pending(void *context)
{
	struct tls *t = context;
	char byte;
	size_t got;
	int n;

	ERR_clear_error();
	n = SSL_peek_ex(t->ssl, &byte, 1, &got);
	return n == 1 || waits_for(t, n) == 0;
}

static bool stream_buffered(void *context)
{
	const struct tls *t = context;

	return SSL_has_pending(t->ssl) == 1;
}

static short stream_wants(void *context, short otherwise)
{
	const struct tls *t = context;

	return t->wants != 0 ? t->wants : otherwise;
}

static void stream_finish(void *context)
{
	struct tls *t = context;

	ERR_clear_error();
	(void)SSL_shutdown(t->ssl);
}

struct stream tls_stream(struct tls *t)
{
	return (struct stream){.read = stream_read,
	    .write = stream_write,
	    .pending = stream_pending,
	    .buffered = stream_buffered,
	    .wants = stream_wants,
	    .finish = stream_finish,
	    .context = t,
	    .fd = t->fd};
}

/* ---- what is known of it ---- */

const char *tls_version(const struct tls *t)
{
	return SSL_get_version(t->ssl);
}

const char *tls_cipher(const struct tls *t)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(t->ssl);

	return cipher != NULL ? SSL_CIPHER_standard_name(cipher) : "";
}

bool tls_resumed(const struct tls *t)
{
	return SSL_session_reused(t->ssl) == 1;
}

static bool bears_name(void *context, const char *name)
{
	return X509_check_host(context, name, 0,
		   X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
		   NULL) == 1;
}

const struct relay_source *tls_source(const struct tls *t, const struct relay *relay)
{
	X509 *peer = SSL_get0_peer_certificate(t->ssl);
	unsigned char sha256[EVP_MAX_MD_SIZE];
	bool verified = SSL_get_verify_result(t->ssl) == X509_V_OK;
	unsigned len = 0;

	/* A resumed session was verified when it began. */
	if (peer != NULL && X509_cmp_current_time(X509_get0_notAfter(peer)) <= 0)
		verified = false;
	if (peer == NULL || X509_digest(peer, EVP_sha256(), sha256, &len) != 1 || len != 32)
		return NULL;
	return relay_find_certificate(relay, sha256, verified ? bears_name : NULL, peer);
}
