/*
 * The known addresses, in memory, and what an unknown one looks like. An address is known when mail to
 * it was really delivered.
 *
 * An unknown address is taken for another one when
 *   - it is one edit away from a known one in the part before the @, of at least 3 bytes: a letter too
 *     many, too few, another one, or two that changed places;
 *   - its domain is one edit away from that of a known address with the same part before the @;
 *   - the same with another top-level domain (example.co.jp, example.com);
 *   - nobody is known at its domain, and somebody at one that is an edit away within a label of at
 *     least 5 bytes, or at one with another top-level domain; the part before the @ is then any.
 * Two known addresses are never taken for each other; letters are bytes.
 *
 * Each address is found by itself and by what is left when one letter is taken away: some 15 places
 * of 8 bytes, so 100,000 addresses take some 35 MB, and a question hardly longer when there are more.
 */
#ifndef SEKISHO_DB_LOOK_H
#define SEKISHO_DB_LOOK_H

#include "lib/past/past.h"

struct look;

/* NULL: no memory. */
NODISCARD struct look *look_new(void);
void look_free(struct look *look);

/* From now on it is known; one that is, stays so. False: no memory. */
NODISCARD bool look_add(struct look *look, const char *address);
void look_remove(struct look *look, const char *address);

bool look_has(const struct look *look, const char *address);
size_t look_count(const struct look *look);

/* What an address that is not known looks like: LOOK_EDIT or LOOK_TLD, and `like` names it, or
 * "@domain"; else LOOK_NONE. */
enum past_look look_find(const struct look *look, const char *address, char like[256]);

/* Whether `a` and `b` are exactly one edit apart. */
bool look_one_edit(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
