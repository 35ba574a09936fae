/*
 * A message's id: 128 bits, written as 32 lower-case hex digits. The first 48 bits are the wall
 * clock's milliseconds, so that ids sort by time; 80 bits are random, so that an id is unique even
 * where the clock is wrong, cannot be guessed, and is never used again.
 */
#ifndef SEKISHO_QUEUE_ID_H
#define SEKISHO_QUEUE_ID_H

#include "lib/base/compat.h"

#define ID_LEN  32
#define ID_TEXT (ID_LEN + 1)

/* Makes a new id. Returns false if the system gives no random bytes. */
NODISCARD bool id_make(int64_t wall, char id[ID_TEXT]);

/* Whether the first ID_LEN bytes are an id. */
NODISCARD bool id_valid(const char *text, size_t len);

/* The time in a valid id, microseconds since 1970. */
int64_t id_time(const char id[ID_TEXT]);

#endif
