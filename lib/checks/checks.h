/*
 * The self-check: what a sender is to look at before his mail leaves. seki-scan finds out which of eight
 * facts hold and writes them into the leg as records `check` (sekisho-leg(5)); here they become
 * sentences, for notices, for the shell and for pages.
 *
 * A value is a list of xtext, with commas between its items; a comma within an item becomes U+FF0C.
 * Behind ten items "+N" (written +2BN) stands for N more. A record without rcpt= is about all recipients
 * of its leg.
 */
#ifndef SEKISHO_CHECKS_CHECKS_H
#define SEKISHO_CHECKS_CHECKS_H

#include "lib/base/buf.h"
#include "lib/base/compat.h"

/* In the order in which they are told. X(NAME, word) */
#define CHECK_FACTS(X)                                                                             \
	X(FIRST_TIME, "first-time")                                                                \
	X(LOOKALIKE, "lookalike")                                                                  \
	X(COMPANIES, "companies")                                                                  \
	X(GREETING, "greeting")                                                                    \
	X(MISSING_FILE, "missing-file")                                                            \
	X(FILES, "files")                                                                          \
	X(VISIBLE, "visible")                                                                      \
	X(PERSONAL, "personal")                                                                    \
	X(UNKNOWN, "unknown") /* nobody could look: the sender has to */

#define X(name, word) CHECK_##name,
enum check_fact { CHECK_FACTS(X) CHECK_COUNT };
#undef X

#define CHECKS_MOST      5             /* that are told of one leg: more nobody reads */
#define CHECK_ITEMS_MAX  10            /* of a value; the rest is a number */
#define CHECK_ITEM_MAX   ((size_t)120) /* bytes of an item before it is escaped */
#define CHECK_LEAST_SEEN 10 /* values of a kind that many letters have are told from here on */

/* "first-time"; never NULL. */
const char *check_fact_word(enum check_fact fact);

/* The fact of a word of a record; CHECK_COUNT if it is none (a later version's). */
enum check_fact check_fact_find(const char *word, size_t len);

/*
 * Writing a value: adds an item behind those that are there, whole letters, cut at CHECK_ITEM_MAX;
 * `*n` counts them, and those beyond CHECK_ITEMS_MAX are only counted. Then check_value_end tells how
 * many were left out.
 */
void check_value_add(struct buf *value, size_t *n, const char *text);
void check_value_end(struct buf *value, size_t n);

/*
 * Appends the sentence of a fact, plain UTF-8 without a newline, in English or in Japanese. `value` is
 * as it stands in the record, or NULL; `rcpt` are the addresses of the recipients that the record names,
 * for first-time and lookalike. What cannot be read of a value is left out.
 */
void check_sentence(struct buf *out, bool english, enum check_fact fact, const char *value,
    size_t len, const char *const *rcpt, size_t rcpts);

#endif
