/*
 * PINs: numbers by which people prove, beside the link of a notice, that they are no machine. A file for each person
 * (lib/login/record.h) in lib/login/pins/, named by the SHA-256 of his address; of the PIN it has a slow hash alone.
 * What is done with them costs some 30 ms, and is done elsewhere: lib/login/hasher.h.
 *
 * Nothing here is called by two threads.
 */
#ifndef SEKISHO_LOGIN_PINS_H
#define SEKISHO_LOGIN_PINS_H

#include "lib/base/clock.h"
#include "lib/login/record.h"

#define PINS_DIGITS_MIN ((size_t)4)
#define PINS_DIGITS_MAX ((size_t)12)
#define PINS_TRIES      5 /* wrong ones in an hour, and no more is checked; kept in memory alone */
#define PINS_WORN       20 /* wrong ones, and no more is checked until its person logs in; on the disk */
#define PINS_WEEK       (7 * 86400 * CLOCK_SECOND) /* without a wrong one, and they are forgotten */

struct pins;

/*
 * Reads what is in the directory `dir` (its descriptor, owned from now on); damaged files are put aside with an
 * alarm. NULL with errno.
 */
NODISCARD struct pins *pins_open(int dir);
void pins_close(struct pins *pins);

/* 4 to 12 digits. */
NODISCARD bool pins_fits(const char *pin);

/* One that is tried first: the same digit all along, or digits that run up or down, as 7890 and 3210. */
NODISCARD bool pins_weak(const char *pin);

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

/* Whether so many of this person were wrong that he has to log in first. */
NODISCARD bool pins_worn(const struct pins *pins, const char *address);

/* One of his was wrong; `wall` is clock_wall(). False with errno: it counts, but not after a restart. */
NODISCARD bool pins_wear(struct pins *pins, const char *address, int64_t wall);

/* He has logged in. False with errno: they count again after a restart. */
NODISCARD bool pins_forgive(struct pins *pins, const char *address);

#endif
