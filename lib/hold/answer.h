/*
 * One request at the people's door: who asks is proved, what he may is looked up in the legs as they
 * stand now, and the answer is one JSON object (sekisho-gate(5)). By the main loop alone.
 */
#ifndef SEKISHO_HOLD_ANSWER_H
#define SEKISHO_HOLD_ANSWER_H

#include "lib/base/buf.h"
#include "lib/gate/protocol.h"

#define ANSWER_ACTS_A_TURN  ((size_t)20)              /* legs that people's acts change */
#define ANSWER_BYTES_A_TURN ((size_t)8 * 1024 * 1024) /* of mail that is copied for them */

struct firsts; /* lib/hold/firsts.h */
struct hold;
struct lines;     /* lib/hold/lines.h */
struct past_call; /* lib/past/call.h */
struct recent;    /* lib/hold/recent.h */

struct door_answer {
	struct buf text; /* with its newline; the caller frees it */
	int leg;         /* a descriptor that goes with it, to be closed; -1: none */
};

/* What of a request was done at earlier turns. */
struct answer_work;
void answer_work_free(struct answer_work *work);

/* Whether some of it was done, so that the rest is to be done whether or not somebody still wants to know. */
NODISCARD bool answer_work_begun(const struct answer_work *work);

/* Of one turn of the main loop, and the request whose turn it is. */
struct answer_turn {
	size_t acts, bytes; /* what all requests together may still do */

	bool last;                /* what is busy just now is not waited for any longer */
	struct answer_work *work; /* the request's; NULL at first; the caller frees it in the end */

	/* What was found out lately; NULL: nothing is remembered. */
	struct lines *lines;
	struct firsts *firsts;

	/* Set: it goes on when that has more to say, or is over; NULL: seki-db was not asked. */
	const struct past_call *call;

	/* Set: it goes on at the next turn, and nothing else has to happen for that. */
	bool at_once;
};

/* Answers. False: it is not done yet, and the same request is to be made again at another turn. */
NODISCARD bool answer_request(struct hold *h, struct recent *recent,
    const struct gate_request *request, struct answer_turn *turn, struct door_answer *answer);

/* For what is no request. */
void answer_wrong(struct door_answer *answer);

#endif
