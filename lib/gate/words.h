/*
 * The words of a request at a program's door: sekisho-gate(5), sekisho-login(5). One line, whose words are parted by
 * exactly one blank: what the door wants in front, a verb, and KEY=XTEXT for some of the verb's keys, none twice.
 *
 * The reader is strict, as whoever reaches the socket may be broken into: what it does not know is no request. Pure.
 */
#ifndef SEKISHO_GATE_WORDS_H
#define SEKISHO_GATE_WORDS_H

#include "lib/base/compat.h"

#define WORDS_KEYS_MAX 24 /* of one verb */

/* One verb of a door; after the last key stands NULL. */
struct words_verb {
	const char *name;
	const char *key[WORDS_KEYS_MAX + 1];
};

struct words_pair {
	const char *key;   /* of the verb's table; NUL-ended */
	const char *value; /* decoded, NUL-ended; holds no NUL, and is UTF-8 */
};

/*
 * Copies the line, `len` bytes of anything without its newline, into `text`, which has `room` bytes and is what all
 * else points into. NULL: it does not fit, or it is not printable ASCII; else where words_next begins.
 */
NODISCARD char *words_begin(const char *line, size_t len, char *text, size_t room);

/* The next word, NUL-ended in its place; `*at` is NULL behind the last one. NULL: there is none, or it is empty. */
char *words_next(char **at);

/* Which verb of `verbs` a word is, which may be NULL; `n` if it is none. */
size_t words_verb(const char *word, const struct words_verb *verbs, size_t n);

/* All that is left, as pairs of this verb; at most `room`. False: it is no request; `*n` are good all the same. */
NODISCARD bool words_pairs(
    char **at, const struct words_verb *verb, struct words_pair *pairs, size_t room, size_t *n);

/* The value of `key`, decoded; NULL if it was not said. */
const char *words_value(const struct words_pair *pairs, size_t n, const char *key);

/* Whether the bytes are UTF-8 (RFC 3629) without a NUL. */
NODISCARD bool gate_is_text(const char *text, size_t len);

#endif
