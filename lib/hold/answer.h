/*
 * One request at the people's door: who asks is proved, what he may is looked up in the legs as they
 * stand now, and the answer is one JSON object (sekisho-gate(5)). By the main loop alone.
 */
#ifndef SEKISHO_HOLD_ANSWER_H
#define SEKISHO_HOLD_ANSWER_H

#include "lib/base/buf.h"
#include "lib/gate/protocol.h"

struct hold;
struct recent; /* lib/hold/recent.h */

struct door_answer {
	struct buf text; /* with its newline; the caller frees it */
	int leg;         /* a descriptor that goes with it, to be closed; -1: none */
};

/*
 * Answers. `last`: what is busy just now is not waited for any longer. False: a leg is in hand, and the
 * same request is to be made again a moment later; nothing has been done.
 */
NODISCARD bool answer_request(struct hold *h, struct recent *recent,
    const struct gate_request *request, bool last, struct door_answer *answer);

/* For what is no request. */
void answer_wrong(struct door_answer *answer);

#endif
