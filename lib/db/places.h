/*
 * A table of numbers by the hash of what they are found by; a key may have many. What is found may be
 * something else with an equal hash: the caller looks at it. Internal to lib/db.
 */
#ifndef SEKISHO_DB_PLACES_H
#define SEKISHO_DB_PLACES_H

#include "lib/base/compat.h"

struct place {
	uint32_t tag;    /* other bits of the hash */
	uint32_t number; /* from 1; 0: a free place */
};

struct places {
	struct place *place;
	size_t room; /* a power of two, or 0 */
	size_t used;
};

NODISCARD bool places_add(struct places *p, uint64_t hash, uint32_t number);
void places_clear(struct places *p); /* frees its memory */

/* Each number of the hash in turn: begin with *at = 0; 0 ends. */
uint32_t places_next(const struct places *p, uint64_t hash, size_t *at);

#endif
