/*
 * Passwords that were right a short while ago, so that a mail program that connects every minute
 * does not ask a distant server each time. What is kept is no password but an HMAC-SHA256 of login,
 * password and back end under a key that only this process has. One password a login; a wrong one
 * changes nothing.
 */
#ifndef SEKISHO_AUTH_CACHE_H
#define SEKISHO_AUTH_CACHE_H

#include "lib/base/compat.h"

#define CACHE_STAMP 32 /* a digest of everything about the back end that decides */
#define CACHE_MAC   32

struct cache;

/* Remembers `entries` logins. NULL without memory or randomness. */
NODISCARD struct cache *cache_new(size_t entries);
void cache_free(struct cache *c);

/* Forgets everything, and makes a new key: no mac of before is good any more. */
NODISCARD bool cache_clear(struct cache *c);

/* The mac of a login (at most AUTH_LOGIN_MAX) and its password (at most AUTH_PASSWORD_MAX). */
void cache_mac(const struct cache *c, const unsigned char stamp[CACHE_STAMP], const char *login,
    const char *password, unsigned char mac[CACHE_MAC]);

/* Whether this login's password was right, and is to be believed still at `now`. */
NODISCARD bool cache_has(
    const struct cache *c, int64_t now, const char *login, const unsigned char mac[CACHE_MAC]);

/* It was right; believed until then. */
void cache_put(
    struct cache *c, int64_t until, const char *login, const unsigned char mac[CACHE_MAC]);

#endif
