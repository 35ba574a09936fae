/* Between the files that answer a request. Internal to them. */
#ifndef SEKISHO_HOLD_ANSWERING_H
#define SEKISHO_HOLD_ANSWERING_H

#include "lib/hold/answer.h"
#include "lib/hold/firsts.h"
#include "lib/hold/recent.h"
#include "lib/hold/show.h"
#include "queue/digest.h"

struct act_work;
struct body_work;
struct firsts_work;
struct sent_work;

/* What is kept of a request from turn to turn. */
struct answer_work {
	int64_t begun; /* the time that its credential is held against */
	char address[ORG_ADDRESS_MAX];
	struct act_work *act;       /* answer_act.c */
	struct body_work *body;     /* answer_body.c */
	struct firsts_work *firsts; /* firsts.c */
	struct sent_work *sent;     /* answer_sent.c */
};

struct answering {
	struct hold *h;
	struct recent *recent;
	const struct gate_request *request;
	struct answer_turn *turn;
	struct answer_work *work;
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

/* What an act needs beside a capability: the setting link-asks. With a session nothing. */
enum link_asks { LINK_ASKS_NOTHING, LINK_ASKS_PIN, LINK_ASKS_LOGIN };
enum link_asks answer_asks(const struct answering *a);
const char *answer_asks_word(const struct answering *a); /* "nothing", "pin", "login" */

/* Whether the credential is enough to act with, and its proof, where it needs one, is good. False: it was answered. */
NODISCARD bool answer_may_act(struct answering *a);

/* Takes the message that is asked about. False: it was answered. */
NODISCARD bool answer_take_id(struct answering *a);

/* ---- the legs of a message: answer_legs.c ---- */

/* Why no leg was dealt with. */
struct passed {
	size_t outdated; /* legs whose capability is of an earlier life of the message */
	size_t strange;  /* legs to which he is nothing */
	size_t unread;   /* legs that could not be read just now */
};

/* A leg that was opened, and was his. */
struct walked {
	struct leg_place place;
	char sha256[LEG_DIGEST_LEN + 1]; /* of its content; "": it was not opened */
};

/*
 * Over the legs of a message and of its copies, which belong to it as long as they are of the same sender: its
 * own first, and then by their names, so that the same legs come in the same order.
 */
struct walk {
	struct answering *a;
	const char *only; /* ID.K: the others are not opened; NULL: all */
	struct leg_places places;
	size_t at; /* of the places: the next one */
	char from[ORG_ADDRESS_MAX];
	bool known; /* `from` is */
	struct passed passed;
	struct walked leg[SHOW_LEGS_MAX];
	size_t legs;
};

/* Finds its legs. False: it was answered. */
NODISCARD bool walk_begin(struct walk *w, struct answering *a);
void walk_end(struct walk *w);

/* Opens one of them, if it is there and his; `place` becomes where it stands now. The caller closes it by
 * asked_leg_close. */
NODISCARD bool walk_open(
    struct walk *w, struct leg_place *place, struct asked_leg *leg, struct asker_role *role);

/* Opens the next one, and notes it in `leg`. False: there is none, or SHOW_LEGS_MAX were opened. */
NODISCARD bool walk_next(struct walk *w, struct asked_leg *leg, struct asker_role *role);

/* The proof that somebody has seen all that was walked over: a digest of the legs and their content. False:
 * no memory. */
NODISCARD bool walk_shown(const struct walk *w, char hex[DIGEST_HEX]);

/* Whether the leg is of another message of the group. */
bool walk_is_copy(const struct answering *a, const struct leg_place *place);

/* For a message of which no leg was dealt with: it has left, or is not his. */
void answer_gone(struct answering *a, const struct passed *passed);

/* "ja", "en": whether the page is to be in English. */
bool answer_in_english(const struct answering *a);

/* ---- verbs ---- */

/* False: it goes on at another turn. */
NODISCARD bool answer_act(struct answering *a);
void act_work_free(struct act_work *work);
NODISCARD bool act_work_begun(const struct act_work *work);

/* The same. */
NODISCARD bool answer_body(struct answering *a);
void body_work_free(struct body_work *work);

/* list state=sent; the same. */
NODISCARD bool answer_sent(struct answering *a);
void sent_work_free(struct sent_work *work);

/* Says of each recipient in the legs of the answer whether the sender has written to it before; the same. */
NODISCARD bool firsts_fill(struct answering *a);
void firsts_work_free(struct firsts_work *work);

void answer_absent(struct answering *a);
void answer_review(struct answering *a);

#endif
