/*
 * Who is away: lib/hold/absences, kept by seki-hold, one line for each absence:
 *
 *   ADDRESS FROM UNTIL by=XTEXT       ADDRESS in xtext; TIMEs; FROM <= now < UNTIL is absent
 *
 * Read at the start, written as a whole (queue/state_file.h) at each change. Deputies stand in
 * etc/people. Any thread may ask; only the main loop changes them.
 */
#ifndef SEKISHO_HOLD_ABSENCES_H
#define SEKISHO_HOLD_ABSENCES_H

#include "lib/base/compat.h"

#define ABSENCES_MAX  100000 /* of all */
#define ABSENCES_EACH 20     /* of one address, once those that meet have been made one */

struct absences;

struct absence {
	const char *address; /* normal form */
	int64_t from, until; /* microseconds */
	const char *by;      /* who said so */
};

/* NULL with errno; a file that cannot be understood is EPROTO: nobody is absent then, with an alarm. */
NODISCARD struct absences *absences_read(void);

/* Nobody; what could not be understood is kept as lib/hold/absences.bad. NULL: no memory. */
NODISCARD struct absences *absences_none(void);
void absences_free(struct absences *absences);

NODISCARD bool absent(const struct absences *absences, const char *address, int64_t now);

/*
 * Adds one, or takes all of an address away (until == 0), durably; those of an address that meet become one,
 * and those that are over are forgotten. Where that changes nothing nothing is written. False with errno:
 * nothing has changed (EINVAL: the address, or the times, are none, or are over; EDQUOT: the address would
 * have more than ABSENCES_EACH; EFBIG: ABSENCES_MAX).
 */
NODISCARD bool absences_set(struct absences *absences, const struct absence *absence, int64_t now);

/* Another number after each change. */
uint64_t absences_serial(const struct absences *absences);

/* When the next absence begins, microseconds; 0: none does. */
int64_t absences_next(const struct absences *absences, int64_t now);

/* Calls for each, until `see` says false; it must not change them. */
typedef bool absences_see(void *context, const struct absence *absence);
void absences_each(const struct absences *absences, absences_see *see, void *context);

#endif
