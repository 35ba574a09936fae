/*
 * A leg whose content has become another (queue/README.md section 4, "seal"): a new file takes the old
 * one's place by one rename, with the same head lines, the records of the old one, and new ones.
 */
#ifndef SEKISHO_QUEUE_RESEAL_H
#define SEKISHO_QUEUE_RESEAL_H

#include "queue/stage.h"

struct reseal {
	int content;         /* a file whose bytes from 0 on are the new content */
	uint64_t size;       /* of it */
	const char *records; /* lines without a time, behind the old ones */
	size_t records_len;
};

enum reseal_result {
	RESEAL_DONE,     /* the new file stands in the old one's place, durably */
	RESEAL_FAILED,   /* the system failed (errno): nothing has changed, try again */
	RESEAL_TOO_LONG, /* the trailer would be longer than trailer-max: only an operator */
	RESEAL_DAMAGED,  /* the old content is not what its digest says: only an operator */
};

/* An unnamed file of this stage, for a new content. The caller closes it. -1 with errno. */
NODISCARD int reseal_scratch(const struct stage *stage);

/*
 * Writes the leg `o`, found in `state`, anew. Blocks as long as the copying takes: call it from a job
 * that has the leg in hand. On RESEAL_DONE `o` is of a file that has no name any more.
 */
NODISCARD enum reseal_result reseal_leg(struct stage *stage, enum spool_state state,
    struct stage_opened *o, const struct reseal *reseal, int64_t now);

#endif
