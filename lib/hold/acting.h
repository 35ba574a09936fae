/* An act that is looked into: between act.c and act_may.c. */
#ifndef SEKISHO_HOLD_ACTING_H
#define SEKISHO_HOLD_ACTING_H

#include "lib/hold/act.h"
#include "lib/hold/reasons.h"
#include "lib/hold/reviews.h"
#include "lib/hold/waiting.h"

struct acting {
	struct hold *h;
	const struct act *act;
	struct order order; /* with who does it in `by` */
	struct stage_opened *o;
	bool is_operator;
	bool asking; /* nothing is going to be done: what a person still has to say is not missed */
	char who[ORG_ADDRESS_MAX]; /* the person's own address; "" for an operator */

	bool waits;       /* `w` is filled: it stands at a step of approve/ or hold/ */
	struct waiting w; /* freed by acting_free */
	bool sender;
	enum approval_right right;
	char for_whom[ORG_ADDRESS_MAX];

	struct order_answer no; /* why it may not be done */
};

/* Fills all but act, order, o, is_operator and asking. False with `no`. Free with acting_free in any case. */
NODISCARD bool acting_read(struct acting *a);
void acting_free(struct acting *a);

/* Whether the table lets him do it to the leg as it stands. False with `no`. Changes nothing. */
NODISCARD bool act_may(struct acting *a);

/* Whether that recipient, still open, is meant by `address`, decoded. */
NODISCARD bool acting_meant(const struct leg_rcpt *rcpt, const char *address);

/* order.rcpt decoded. False: it is none. */
NODISCARD bool acting_rcpt(const struct order *order, char address[ORDER_RCPT_MAX + 1]);

/* Each fact of the leg's self-check, xtext words, once; "recipients" if there is none. False from `see` stops. */
typedef bool fact_see(void *context, const char *fact, size_t len);
void acting_each_fact(const struct leg *leg, fact_see *see, void *context);

#endif
