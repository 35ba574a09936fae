#include "lib/auth/cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "lib/auth/ask.h"
#include "lib/auth/memo.h"
#include "lib/base/die.h"

struct right {
	int64_t until;
	unsigned char mac[CACHE_MAC];
};

struct cache {
	unsigned char secret[MEMO_SECRET];
	struct memo rights;
};

struct cache *cache_new(size_t entries)
{
	struct cache *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	if (memo_init(&c->rights, entries, sizeof(struct right)) && cache_clear(c))
		return c;
	cache_free(c);
	return NULL;
}

void cache_free(struct cache *c)
{
	if (c == NULL)
		return;
	memo_free(&c->rights);
	explicit_bzero(c->secret, sizeof c->secret);
	free(c);
}

bool cache_clear(struct cache *c)
{
	memo_clear(&c->rights);
	return getrandom(c->secret, sizeof c->secret, 0) == (ssize_t)sizeof c->secret;
}

void cache_mac(const struct cache *c, const unsigned char stamp[CACHE_STAMP], const char *login,
    const char *password, unsigned char mac[CACHE_MAC])
{
	unsigned char input[1 + CACHE_STAMP + AUTH_LOGIN_MAX + 1 + AUTH_PASSWORD_MAX];
	size_t login_len = strnlen(login, AUTH_LOGIN_MAX);
	size_t password_len = strnlen(password, AUTH_PASSWORD_MAX);
	size_t at = 0;
	unsigned len = 0;

	/* The NUL between login and password: no two pairs look alike. */
	input[at++] = 'm';
	memcpy(input + at, stamp, CACHE_STAMP);
	at += CACHE_STAMP;
	memcpy(input + at, login, login_len);
	at += login_len;
	input[at++] = '\0';
	memcpy(input + at, password, password_len);
	at += password_len;

	if (HMAC(EVP_sha256(), c->secret, MEMO_SECRET, input, at, mac, &len) == NULL ||
	    len != CACHE_MAC)
		die_environ("computing a digest");
	explicit_bzero(input, sizeof input);
}

static void key_of(const struct cache *c, const char *login, unsigned char key[MEMO_KEY])
{
	memo_key(c->secret, 'l', login, strnlen(login, AUTH_LOGIN_MAX), key);
}

bool cache_has(
    const struct cache *c, int64_t now, const char *login, const unsigned char mac[CACHE_MAC])
{
	unsigned char key[MEMO_KEY];
	const struct right *right;

	key_of(c, login, key);
	right = memo_find(&c->rights, key);
	return right != NULL && now < right->until &&
	       CRYPTO_memcmp(right->mac, mac, CACHE_MAC) == 0;
}

void cache_put(
    struct cache *c, int64_t until, const char *login, const unsigned char mac[CACHE_MAC])
{
	unsigned char key[MEMO_KEY];
	struct right *right;

	key_of(c, login, key);
	right = memo_take(&c->rights, key);
	right->until = until;
	memcpy(right->mac, mac, CACHE_MAC);
}
