#include "queue/digest.h"

#include <openssl/evp.h>

#include "lib/base/die.h"
#include "lib/base/hex.h"

/*
 * OpenSSL's digest calls fail only for want of memory or of the algorithm: there is nothing that a
 * caller could do with that but die and be restarted, so they are not passed on.
 */

static EVP_MD_CTX *evp(struct digest *d)
{
	return (EVP_MD_CTX *)(void *)d;
}

struct digest *digest_new(void)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(ctx);
		ctx = NULL;
	}
	return (struct digest *)(void *)ctx;
}

void digest_free(struct digest *d)
{
	EVP_MD_CTX_free(evp(d));
}

void digest_restart(struct digest *d)
{
	if (EVP_DigestInit_ex(evp(d), NULL, NULL) != 1)
		die_environ("sha256");
}

void digest_add(struct digest *d, const void *bytes, size_t len)
{
	if (EVP_DigestUpdate(evp(d), bytes, len) != 1)
		die_environ("sha256");
}

void digest_end(struct digest *d, char hex[DIGEST_HEX])
{
	unsigned char raw[EVP_MAX_MD_SIZE];

	if (EVP_DigestFinal_ex(evp(d), raw, NULL) != 1)
		die_environ("sha256");
	hex_encode(raw, 32, hex);
}

void digest_of(const void *bytes, size_t len, char hex[DIGEST_HEX])
{
	unsigned char raw[EVP_MAX_MD_SIZE];

	if (EVP_Digest(bytes, len, raw, NULL, EVP_sha256(), NULL) != 1)
		die_environ("sha256");
	hex_encode(raw, 32, hex);
}
