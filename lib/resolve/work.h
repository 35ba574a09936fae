/* One question that is being worked on: its look-ups, and the answer that becomes of them. */
#ifndef SEKISHO_RESOLVE_WORK_H
#define SEKISHO_RESOLVE_WORK_H

#include "lib/resolve/lookup.h"

#define WORK_LOOKUPS_MAX ((size_t)8) /* of one question at once */

struct work;

/* Everything that a question needs from outside; outlives it. */
struct work_tools {
	struct resolver *resolver;
	struct chance chance;
};

/* NULL: no memory. Begins nothing yet. */
NODISCARD struct work *work_new(
    const struct work_tools *tools, enum resolve_kind kind, const char *name);
void work_free(struct work *w);

/* Begins what look-ups may begin now. True when the answer is there. */
NODISCARD bool work_go_on(struct work *w);

/* Begins anew, unless the answer is there: with the resolver that the tools have now. */
void work_restart(struct work *w);

/* No more time: makes the answer of what is known. A host that was not reached waits. */
void work_expire(struct work *w);

/* Gives up: RESOLVE_LATER with this reason. */
void work_abandon(struct work *w, enum resolve_reason reason);

/* The answer, when it is there. */
const struct resolve_answer *work_answer(const struct work *w);

#endif
