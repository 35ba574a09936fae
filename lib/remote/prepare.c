#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "lib/base/die.h"
#include "lib/remote/conn.h"
#include "lib/remote/remote.h"
#include "queue/digest.h"

/*
 * The first greeting of TLS is what a client says unasked. Making one, for nobody, has OpenSSL look
 * up whatever a handshake needs, and seeds its random numbers; a process that is forked later seeds
 * its own.
 */
static bool rehearse(struct ssl_ctx_st *tls)
{
	SSL *ssl = SSL_new(tls);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	bool good = ssl != NULL && in != NULL && out != NULL;

	if (good) {
		SSL_set_bio(ssl, in, out); /* owns them */
		good = SSL_connect(ssl) < 0 && BIO_ctrl_pending(out) > 0;
	} else {
		BIO_free(in);
		BIO_free(out);
	}
	SSL_free(ssl);
	ERR_clear_error();
	return good;
}

static bool rehearse_digest(void)
{
	struct digest *d = digest_new();
	char hex[DIGEST_HEX];

	if (d == NULL)
		return false;
	digest_add(d, "", 0);
	digest_end(d, hex);
	digest_free(d);
	return true;
}

struct ssl_ctx_st *remote_prepare(void)
{
	/* A session can read no file, and the system's openssl.cnf means other programs. */
	const uint64_t how = OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS |
			     OPENSSL_INIT_LOAD_SSL_STRINGS;
	struct ssl_ctx_st *tls = NULL;

	if (OPENSSL_init_ssl(how, NULL) == 1)
		tls = conn_tls_new();
	if (tls == NULL || !rehearse(tls) || !rehearse_digest())
		die_environ("OpenSSL");
	return tls;
}
