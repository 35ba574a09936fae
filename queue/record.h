/*
 * The records of a trailer, one line each but for a plan: how they are told apart, and which of
 * them end it. Internal to queue/; leg.c is its only reader.
 */
#ifndef SEKISHO_QUEUE_RECORD_H
#define SEKISHO_QUEUE_RECORD_H

#include "queue/leg.h"

/*
 * Reads the trailer in leg->trailer_bytes (as much of it as was read), sets plan, verdict, fates,
 * and cuts trailer_bytes to its whole records; sets leg->end. False with a literal reason: a whole
 * record stands behind damage.
 */
NODISCARD bool record_read_all(struct leg *leg, const char **why);

/* The longest prefix of `bytes` that is whole records; what follows is damage. */
size_t record_whole(const char *bytes, size_t len);

#endif
