/*
 * What people did lately at the door, so that whoever comes a moment later about the same mail, which has
 * left our directories meanwhile, is told who was faster. Memory alone: the leg itself says it, too.
 */
#ifndef SEKISHO_HOLD_RECENT_H
#define SEKISHO_HOLD_RECENT_H

#include "lib/gate/gate.h"
#include "lib/hold/act.h"

#define RECENT_ACTS   256
#define RECENT_PEOPLE 16 /* who are told of one of them */

struct recent_act {
	char id[ID_TEXT]; /* "": none */
	enum act_word word;
	char by[GATE_ADDRESS_MAX];
	int64_t time; /* microseconds */
	size_t people;
	unsigned char who[RECENT_PEOPLE][GATE_WHO_LEN];
};

struct recent {
	struct recent_act act[RECENT_ACTS];
	size_t at;
};

static inline void recent_note(struct recent *recent, const struct recent_act *act)
{
	recent->act[recent->at] = *act;
	recent->at = (recent->at + 1) % RECENT_ACTS;
}

/* The last one about that message of which this person is told; NULL: none. */
const struct recent_act *recent_find(
    const struct recent *recent, const char *id, const unsigned char who[GATE_WHO_LEN]);

#endif
