/* How often people have changed their rules within an hour; in memory that all processes of the service share. */
#ifndef SEKISHO_MINE_OFTEN_H
#define SEKISHO_MINE_OFTEN_H

#include "lib/base/compat.h"

#include <stddef.h>
#include <stdint.h>

#define OFTEN_MOST ((size_t)10000) /* changes that are remembered: as many as settings can allow */

struct often {
	struct {
		int64_t at;   /* boot clock; 0: free */
		uint64_t who; /* of a digest of the address */
	} change[OFTEN_MOST];
	size_t next; /* the oldest one's place */
};

/* Shared by the processes that are made later. NULL with errno. It is never freed. */
struct often *often_new(void);

/*
 * Whether `who` may change once more at `now` (boot clock): fewer than `most` of his and fewer than `most_all` of
 * all people's changes are within the hour before. If so, this one is counted. The lock of lib/compiled must be
 * held.
 */
NODISCARD bool often_count(
    struct often *often, const char *who, int64_t now, size_t most, size_t most_all);

#endif
