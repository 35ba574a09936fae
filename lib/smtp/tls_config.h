/* What tls_config.c and tls.c know of each other. Everybody else includes tls.h. */
#ifndef SEKISHO_SMTP_TLS_CONFIG_H
#define SEKISHO_SMTP_TLS_CONFIG_H

#include <openssl/ssl.h>

#include "lib/smtp/tls.h"

struct certificate {
	X509 *leaf;
	EVP_PKEY *key;
	STACK_OF(X509) * chain;
	char file[TLS_FILE_MAX];
};

struct tls_config {
	SSL_CTX *ssl;
	const struct certificate *fallback;
	size_t n;
	struct certificate certificate[TLS_CERTIFICATES_MAX];
};

#endif
