/*
 * PINs: numbers by which people prove, beside the link of a notice, that they are no machine. A file for each person
 * (lib/login/record.h) in lib/login/pins/, named by the SHA-256 of his address; of the PIN it has a slow hash alone.
 * What is done with them costs some 30 ms, and is done elsewhere: lib/login/hasher.h.
 *
 * Nothing here is called by two threads.
 */
#ifndef SEKISHO_LOGIN_PINS_H
#define SEKISHO_LOGIN_PINS_H

#include "lib/login/record.h"

#define PINS_DIGITS_MIN ((size_t)4)
#define PINS_DIGITS_MAX ((size_t)12)
#define PINS_TRIES      5 /* wrong ones in an hour, and no more is checked; kept in memory alone */

struct pins;

/*
 * Reads what is in the directory `dir` (its descriptor, owned from now on); damaged files are put aside with an
 * alarm. NULL with errno.
 */
NODISCARD struct pins *pins_open(int dir);
void pins_close(struct pins *pins);

/* 4 to 12 digits. */
NODISCARD bool pins_fits(const char *pin);

/* The hash of a person's PIN; NULL: he has none. Good until the next change. */
const char *pins_of(const struct pins *pins, const char *address);

/* The person with this pseudonym (gate_who) who has a PIN; NULL: there is none. `*hash` as before. */
const char *pins_whose(const struct pins *pins, const struct gate_key *key,
    const unsigned char who[GATE_WHO_LEN], const char **hash);

/* Durably. False with errno: it is as it was, or, if that is not known, the new one. */
NODISCARD bool pins_set(struct pins *pins, const char *address, const char *hash);
NODISCARD bool pins_remove(struct pins *pins, const char *address);

/* Whether one more may be tried for this pseudonym; `now` is clock_boot(). */
NODISCARD bool pins_may(
    const struct pins *pins, const unsigned char who[GATE_WHO_LEN], int64_t now);

/* One was wrong. True: with it the cap was reached. */
NODISCARD bool pins_wrong(struct pins *pins, const unsigned char who[GATE_WHO_LEN], int64_t now);

#endif
