/*
 * A bounded memory: values of one size by key. When it is full, what was touched longest ago is
 * forgotten for what is new. Finding, making and forgetting take the same time however much is
 * there.
 *
 * A key is a digest under a secret (memo_key): nobody outside can choose keys that fall together,
 * and no login or address stands in memory as itself.
 */
#ifndef SEKISHO_AUTH_MEMO_H
#define SEKISHO_AUTH_MEMO_H

#include "lib/base/compat.h"

#define MEMO_KEY    16
#define MEMO_SECRET 32

struct memo_link; /* one entry without its value */

struct memo {
	size_t capacity;
	size_t used;
	size_t value_size;
	uint32_t mask; /* buckets - 1 */
	uint32_t newest, oldest;
	uint32_t *bucket;
	struct memo_link *link;
	unsigned char *value;
};

/* Room for `capacity` values, taken from the system as they come. False without memory. */
NODISCARD bool memo_init(struct memo *m, size_t capacity, size_t value_size);
void memo_free(struct memo *m);

/* Forgets everything. */
void memo_clear(struct memo *m);

/* The value, or NULL. Does not count as a touch. Good until the next memo_take or memo_clear. */
void *memo_find(const struct memo *m, const unsigned char key[MEMO_KEY]);

/* The value, made of zeros if it is not there; touched. Never NULL. */
void *memo_take(struct memo *m, const unsigned char key[MEMO_KEY]);

/* The key of `len` bytes; `kind` keeps keys of different kinds apart. */
void memo_key(const unsigned char secret[MEMO_SECRET], char kind, const void *bytes, size_t len,
    unsigned char key[MEMO_KEY]);

#endif
