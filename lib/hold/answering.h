/* Between the files that answer a request. Internal to them. */
#ifndef SEKISHO_HOLD_ANSWERING_H
#define SEKISHO_HOLD_ANSWERING_H

#include "lib/hold/answer.h"
#include "lib/hold/recent.h"
#include "lib/hold/show.h"

struct answering {
	struct hold *h;
	struct recent *recent;
	const struct gate_request *request;
	bool last; /* what is busy is not waited for any longer */
	struct asker asker;
	char id[ID_TEXT]; /* of the message; "" */
	json_t *json;
	int leg; /* to be sent with the answer; -1 */
};

/* Sets a value that is the object's from now on; one that could not be made is left out. */
void answer_set(json_t *object, const char *key, json_t *value);
json_t *answer_text(const char *nul_ended);

/* The result; `code` is for programs, `why` for people who read English. Either may be NULL. */
void answer_say(struct answering *a, const char *result, const char *code, const char *why);

/* The same for who is turned away: that is logged, and never what he showed. */
void answer_refuse(struct answering *a, const char *result, const char *code, const char *why);

/* Writes a value as xtext. False: it does not fit. */
NODISCARD bool answer_xtext(const char *value, char *to, size_t room);

/* ---- the legs of a message ---- */

/* Why no leg was dealt with. */
struct passed {
	size_t outdated; /* legs whose capability is of an earlier life of the message */
	size_t strange;  /* legs to which he is nothing */
};

/* Copies of a message belong to it as long as they are of the same sender. */
struct walk {
	struct answering *a;
	struct leg_places places;
	char from[ORG_ADDRESS_MAX];
	bool known; /* `from` is */
	struct passed passed;
};

/* Takes the message that is asked about. False: it was answered. */
NODISCARD bool answer_take_id(struct answering *a);

/* Finds its legs. False: it was answered. */
NODISCARD bool walk_begin(struct walk *w, struct answering *a);
void walk_end(struct walk *w);

/* Opens one of them, if it is there and his. The caller closes it by asked_leg_close. */
NODISCARD bool walk_open(
    struct walk *w, const struct leg_place *place, struct asked_leg *leg, struct asker_role *role);

/* For a message of which no leg was dealt with: it has left, or is not his. */
void answer_gone(struct answering *a, const struct passed *passed);

/* ---- verbs ---- */

/* False: a leg is in hand, and nothing was done. */
NODISCARD bool answer_act(struct answering *a);
void answer_absent(struct answering *a);
void answer_review(struct answering *a);

#endif
