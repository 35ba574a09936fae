/* The certificates of etc/tls/ and what all connections share. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/smtp/tls_config.h"

#define FILE_MAX      ((off_t)1024 * 1024)
#define FILE_NAME_MAX 100 /* of NAME */
#define CHAIN_MAX     16
#define SOON          ((int64_t)14 * 24 * 3600)
#define TICKET_BYTES  80 /* a name, a key for the cipher, a key for the digest */
#define SESSIONS_OF   "sekisho"

/* ECDHE alone, AEAD alone: what every mail program of the last ten years speaks. */
#define CIPHERS_12 "ECDHE+AESGCM:ECDHE+CHACHA20"
#define GROUPS     "X25519:P-256:P-384"

static bool blame(struct conf_fault *fault, const char *file, const char *what)
{
	(void)snprintf(fault->file, sizeof fault->file, "%.*s", (int)sizeof fault->file - 1, file);
	return conf_blame(fault, 0, 0, "%s", what);
}

/* ---- files ---- */

/*
 * A file of etc/tls/ as a memory BIO; NULL after a blame. Links are followed (certificates are
 * often kept so); a pipe or a device would make us wait.
 */
static BIO *open_file(int dir, const char *name, const char shown[TLS_FILE_MAX], bool secret,
    struct conf_fault *fault)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	FILE *file = NULL;
	BIO *bio = NULL;

	if (fd < 0 || fstat(fd, &st) != 0) {
		(void)blame(fault, shown, strerrordesc_np(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		(void)blame(fault, shown, "this is no file of a certificate or key");
		goto out;
	}
	if (secret && (st.st_mode & S_IRWXO) != 0) {
		(void)blame(fault, shown, "a key that everybody can read is none: chmod 0640");
		goto out;
	}
	file = fdopen(fd, "r");
	if (file != NULL)
		fd = -1; /* the stream has it now */
	if (file != NULL && secret)
		(void)setvbuf(file, NULL, _IONBF, 0); /* no copy of a key stays behind */
	bio = file != NULL ? BIO_new_fp(file, BIO_CLOSE) : NULL;
	if (bio == NULL)
		(void)blame(fault, shown, "no memory");
	if (bio == NULL && file != NULL)
		(void)fclose(file);
out:
	if (fd >= 0)
		close(fd);
	return bio;
}

/* No file of ours has a pass phrase: nobody is there to type it. */
static int no_phrase(char *buf, int size, int rwflag, void *u)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)u;
	return -1;
}

static bool read_chain(BIO *bio, struct certificate *c)
{
	X509 *next;

	c->leaf = PEM_read_bio_X509(bio, NULL, no_phrase, NULL);
	c->chain = sk_X509_new_null();
	if (c->leaf == NULL || c->chain == NULL)
		return false;
	while (sk_X509_num(c->chain) < CHAIN_MAX &&
	       (next = PEM_read_bio_X509(bio, NULL, no_phrase, NULL)) != NULL) {
		if (sk_X509_push(c->chain, next) <= 0) {
			X509_free(next);
			return false;
		}
	}
	ERR_clear_error(); /* the end of the file is one to PEM_read */
	return true;
}

static bool read_pair(int dir, const char *base, struct certificate *c, struct conf_fault *fault)
{
	char name[TLS_FILE_MAX], shown[TLS_FILE_MAX];
	BIO *bio;
	bool fine;

	(void)snprintf(c->file, sizeof c->file, "etc/tls/%s.crt", base);
	(void)snprintf(name, sizeof name, "%s.crt", base);
	bio = open_file(dir, name, c->file, false, fault);
	if (bio == NULL)
		return false;
	fine = read_chain(bio, c);
	BIO_free(bio);
	if (!fine)
		return blame(fault, c->file, "this is no certificate in PEM");

	(void)snprintf(name, sizeof name, "%s.key", base);
	(void)snprintf(shown, sizeof shown, "etc/tls/%s.key", base);
	bio = open_file(dir, name, shown, true, fault);
	if (bio == NULL)
		return false;
	c->key = PEM_read_bio_PrivateKey(bio, NULL, no_phrase, NULL);
	BIO_free(bio);
	if (c->key == NULL)
		return blame(fault, shown, "this is no private key in PEM without a pass phrase");
	if (X509_check_private_key(c->leaf, c->key) != 1)
		return blame(fault, shown, "this key is not that of the certificate beside it");
	return true;
}

/* "NAME" of "NAME.crt", or false. */
static bool base_of(const char *name, char base[FILE_NAME_MAX])
{
	size_t len = strlen(name);

	if (name[0] == '.' || len < 5 || len - 4 >= FILE_NAME_MAX ||
	    strcmp(name + len - 4, ".crt") != 0)
		return false;
	memcpy(base, name, len - 4);
	base[len - 4] = '\0';
	return true;
}

static bool read_all(struct tls_config *t, int dir, struct conf_fault *fault)
{
	int copy = fcntl(dir, F_DUPFD_CLOEXEC, 3);
	DIR *list = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *e;
	char base[FILE_NAME_MAX];
	bool fine = true;

	if (list == NULL) {
		if (copy >= 0)
			close(copy);
		return blame(fault, "etc/tls", strerrordesc_np(errno));
	}
	while (fine && (e = readdir(list)) != NULL) {
		if (!base_of(e->d_name, base))
			continue;
		if (t->n == TLS_CERTIFICATES_MAX) {
			fine = blame(fault, "etc/tls", "more certificates than can be kept");
			break;
		}
		fine = read_pair(dir, base, &t->certificate[t->n], fault);
		if (strcmp(base, "default") == 0)
			t->fallback = &t->certificate[t->n];
		t->n++;
	}
	closedir(list);
	return fine;
}

/* ---- what all connections share ---- */

static const struct certificate *certificate_for(const struct tls_config *t, const char *host)
{
	if (host == NULL)
		return t->fallback;
	for (size_t i = 0; i < t->n; i++) {
		if (X509_check_host(t->certificate[i].leaf, host, 0, 0, NULL) == 1)
			return &t->certificate[i];
	}
	return t->fallback;
}

/* OpenSSL asks for the certificate when it has seen which host the client wants. */
static int give_certificate(SSL *ssl, void *context)
{
	const struct tls_config *t = context;
	const struct certificate *c =
	    certificate_for(t, SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));

	return SSL_use_cert_and_key(ssl, c->leaf, c->key, c->chain, 1);
}

bool tls_new_tickets(struct tls_config *t)
{
	unsigned char key[TICKET_BYTES];
	bool fine = RAND_bytes(key, sizeof key) == 1 &&
		    SSL_CTX_set_tlsext_ticket_keys(t->ssl, key, sizeof key) == 1;

	OPENSSL_cleanse(key, sizeof key);
	return fine;
}

static bool set_tickets(struct tls_config *t, const struct settings *s)
{
	static const unsigned char of[] = SESSIONS_OF;
	long seconds = (long)(s->tls_tickets / CLOCK_SECOND);

	(void)SSL_CTX_set_session_cache_mode(t->ssl, SSL_SESS_CACHE_OFF);
	if (seconds == 0) {
		SSL_CTX_set_options(t->ssl, SSL_OP_NO_TICKET);
		return SSL_CTX_set_num_tickets(t->ssl, 0) == 1;
	}
	(void)SSL_CTX_set_timeout(t->ssl, seconds);
	return SSL_CTX_set_num_tickets(t->ssl, 1) == 1 &&
	       SSL_CTX_set_session_id_context(t->ssl, of, sizeof of - 1) == 1 && tls_new_tickets(t);
}

/* The certificates of clients are looked at by tls_source: a handshake never fails for one. */
static int never_mind(int fine, X509_STORE_CTX *context)
{
	(void)fine;
	(void)context;
	return 1;
}

static bool set_up(struct tls_config *t, const struct settings *s)
{
	int oldest = s->tls_minimum == TLS_MINIMUM_13 ? TLS1_3_VERSION : TLS1_2_VERSION;

	t->ssl = SSL_CTX_new(TLS_server_method());
	if (t->ssl == NULL || SSL_CTX_set_min_proto_version(t->ssl, oldest) != 1 ||
	    SSL_CTX_set_cipher_list(t->ssl, CIPHERS_12) != 1 ||
	    SSL_CTX_set1_groups_list(t->ssl, GROUPS) != 1)
		return false;
	SSL_CTX_set_options(t->ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
					SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_IGNORE_UNEXPECTED_EOF);
	(void)SSL_CTX_set_mode(t->ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
					   SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	(void)SSL_CTX_set_dh_auto(t->ssl, 0);
	SSL_CTX_set_read_ahead(t->ssl, 1); /* a record in one read instead of two */
	SSL_CTX_set_verify(t->ssl, SSL_VERIFY_NONE, never_mind);
	SSL_CTX_set_cert_cb(t->ssl, give_certificate, t);
	return set_tickets(t, s);
}

/*
 * Whom to believe about relay sources that go by name. Authorities no longer sign for clients as a
 * use of its own, so a server's certificate is as good.
 */
static bool set_authorities(struct tls_config *t, const struct settings *s,
    const struct relay *relay, struct conf_fault *fault)
{
	if (!relay_has_certificate_names(relay))
		return true;
	(void)X509_VERIFY_PARAM_set_purpose(SSL_CTX_get0_param(t->ssl), X509_PURPOSE_ANY);
	if (SSL_CTX_load_verify_file(t->ssl, s->tls_client_ca) == 1)
		return true;
	return blame(
	    fault, "etc/settings", "tls-client-ca: this file holds no certificates in PEM");
}

/* One handshake of `server` with `client` in memory, a byte each way, and the end. */
static void shake(SSL *server, SSL *client)
{
	BIO *a = NULL, *b = NULL;
	bool done[2] = {false, false};
	char byte;

	if (BIO_new_bio_pair(&a, 0, &b, 0) != 1)
		return;
	SSL_set_bio(server, a, a);
	SSL_set_bio(client, b, b);
	for (int i = 0; i < 16 && !(done[0] && done[1]); i++) {
		done[0] = done[0] || SSL_connect(client) == 1;
		done[1] = done[1] || SSL_accept(server) == 1;
	}
	(void)SSL_write(client, "x", 1);
	(void)SSL_read(server, &byte, 1);
	(void)SSL_write(server, "x", 1);
	(void)SSL_read(client, &byte, 1); /* and the ticket before it */
	(void)SSL_shutdown(server);
	(void)SSL_shutdown(client);
}

/*
 * What OpenSSL finds and builds at its first handshakes (full, resumed, TLS 1.2), every process
 * that is forked later would find and build again.
 */
static void warm_up(struct tls_config *t)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL_SESSION *session = NULL;

	for (int i = 0; context != NULL && i < 3; i++) {
		SSL *server = SSL_new(t->ssl), *client = SSL_new(context);

		if (server != NULL && client != NULL) {
			if (session != NULL && i == 1)
				(void)SSL_set_session(client, session);
			if (i == 2)
				(void)SSL_set_max_proto_version(client, TLS1_2_VERSION);
			shake(server, client);
			SSL_SESSION_free(session);
			session = SSL_get1_session(client);
		}
		SSL_free(server);
		SSL_free(client);
	}
	SSL_SESSION_free(session);
	SSL_CTX_free(context);
	ERR_clear_error();
}

bool tls_config_read(int etc, const struct settings *settings, const struct relay *relay,
    struct tls_config **config, struct conf_fault *fault)
{
	int dir = openat(etc, "tls", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct tls_config *t = NULL;

	*config = NULL;
	if (dir < 0 && errno == ENOENT)
		return true;
	if (dir < 0)
		return blame(fault, "etc/tls", strerrordesc_np(errno));
	t = calloc(1, sizeof *t);
	if (t == NULL) {
		(void)blame(fault, "etc/tls", "no memory");
		goto fail;
	}
	if (!read_all(t, dir, fault))
		goto fail;
	if (t->n == 0) {
		tls_config_free(t);
		close(dir);
		return true;
	}
	if (t->fallback == NULL) {
		(void)blame(fault, "etc/tls/default.crt",
		    "a certificate for clients that name no host is missing");
		goto fail;
	}
	if (!set_up(t, settings)) {
		(void)blame(fault, "etc/tls", "the TLS library cannot be set up");
		goto fail;
	}
	if (!set_authorities(t, settings, relay, fault))
		goto fail;
	close(dir);
	warm_up(t);
	*config = t;
	return true;
fail:
	close(dir);
	tls_config_free(t);
	ERR_clear_error();
	return false;
}

void tls_config_free(struct tls_config *t)
{
	if (t == NULL)
		return;
	SSL_CTX_free(t->ssl);
	for (size_t i = 0; i < COUNT_OF(t->certificate); i++) {
		X509_free(t->certificate[i].leaf);
		EVP_PKEY_free(t->certificate[i].key);
		sk_X509_pop_free(t->certificate[i].chain, X509_free);
	}
	free(t);
}

void tls_look(const struct tls_config *t, tls_see *see, void *context)
{
	time_t now = (time_t)(clock_wall() / CLOCK_SECOND);
	ASN1_TIME *today = ASN1_TIME_set(NULL, now);

	for (size_t i = 0; today != NULL && i < t->n; i++) {
		const struct certificate *c = &t->certificate[i];
		bool early = ASN1_TIME_compare(X509_get0_notBefore(c->leaf), today) > 0;
		int days = 0, seconds = 0;
		int64_t left;

		if (ASN1_TIME_diff(&days, &seconds, today, X509_get0_notAfter(c->leaf)) != 1)
			continue;
		left = (int64_t)days * 24 * 3600 + seconds;
		if (early || left < SOON)
			see(context, c->file, left, early);
	}
	ASN1_TIME_free(today);
}
