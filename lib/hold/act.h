/*
 * What people do to legs in approve/, hold/ and trash/: one function for the operator's order and for a
 * person at the socket of lib/gate, so that both obey one table (seki-hold(8), "States and events").
 *
 * By the main loop alone. The audit is told, durably, before anything is done; the answer says what became
 * of it after the sync.
 */
#ifndef SEKISHO_HOLD_ACT_H
#define SEKISHO_HOLD_ACT_H

#include "queue/order_leg.h"

#define ACT_EXTENSIONS_MAX ((size_t)100) /* of one leg */

/* Bytes below the setting trailer-max, at most a quarter of it, in which a leg is only thrown away. */
#define ACT_ROOM_KEPT ((int64_t)65536)

enum act_word {
	ACT_RELEASE, /* send now: the hold ends; also "I have confirmed it" */
	ACT_CHECK,   /* the same, with every entry of the self-check confirmed */
	ACT_DISCARD,
	ACT_RESTORE,
	ACT_REMOVE, /* one recipient */
	ACT_EXTEND,
	ACT_APPROVE,
	ACT_REJECT, /* to trash/, a draft to the sender, with the comment */
	ACT_RETURN, /* the same, in a kinder word: to be corrected */
	ACT_URGENT, /* the sender sends what needs an approval; reviewed later */
	ACT_COUNT
};

/* "release", "check" …; ACT_COUNT: none is called that. */
const char *act_name(enum act_word word);
enum act_word act_called(const char *name);

struct act {
	enum act_word word;
	const char *who; /* normal form; NULL: an operator, who may do everything */
	struct order
	    order; /* state, name, by, via, reason, until, rcpt; `word` counts for nothing */
	const char *checked; /* ACT_CHECK: facts, parted by ','; "" */
};

struct hold;

/*
 * Until when, at most, the end of a leg's hold can be put off: the setting hold-longest, counted from its acceptance,
 * or from when it was brought back. Microseconds.
 */
int64_t act_longest(const struct hold *h, const struct leg *leg);

/* Does it to the one leg that act->order names. */
struct order_answer act_on_leg(struct hold *h, const struct act *act);

/* Whether `who` could do it now, as the page of a message asks: nothing is done. False with the reason in `no`. */
NODISCARD bool act_possible(
    struct hold *h, const struct act *act, struct stage_opened *opened, struct order_answer *no);

/* stage_role.obey: an operator's order. */
struct order_answer act_obey(
    struct stage *stage, const struct order *order, struct stage_opened *opened);

#endif
