/*
 * What a leg says about its own refusal: the record that a rule made, and what has been done about
 * it since. Records (queue/README.md):
 *
 *     TIME decided function=refuse … rule=WHERE name=XTEXT …
 *     TIME refused rule=WHERE [name=XTEXT] why=XTEXT tell=sender|nobody [forward=XTEXT[,XTEXT…]]
 *     TIME told notice=ID | TIME told notice=none reason=WORD
 *     TIME forwarded to=XTEXT notice=ID | TIME forwarded to=XTEXT notice=none reason=WORD
 *
 * The last `refused` counts, and of those about telling the ones behind it. The rule's name is what it
 * says, or else what a `decided` of that rule before it says. One without `tell` was not made by a
 * rule: nobody is told.
 */
#ifndef SEKISHO_NOTICE_REFUSAL_H
#define SEKISHO_NOTICE_REFUSAL_H

#include "queue/leg.h"

#define NOTICE_FORWARDS_MAX 1000 /* addresses of one refusal */

struct notice_forward {
	const char *to;
	bool done;
};

/* Texts are decoded and NUL-ended, a NUL in them is a '?'; "" where nothing is said. */
struct notice_refusal {
	const char *where; /* the rule: "must/20-temps:3" */
	const char *name;
	const char *why;
	int64_t time;                   /* microseconds */
	bool tell;                      /* the sender is to be told */
	bool told;                      /* and was, or there is nothing to tell him */
	struct notice_forward *forward; /* each address once */
	size_t forwards;

	struct buf texts; /* behind all of them */
};

enum notice_refused {
	NOTICE_REFUSED,     /* `refusal` is filled; free it */
	NOTICE_NOT_REFUSED, /* it is not, or not any more */
	NOTICE_REFUSED_ODD, /* in words that this version does not know */
	NOTICE_REFUSED_NO_MEMORY,
};

NODISCARD enum notice_refused notice_refusal_read(
    const struct leg *leg, struct notice_refusal *refusal);
void notice_refusal_free(struct notice_refusal *refusal);

/* Whether somebody is still to be told. */
bool notice_refusal_owes(const struct notice_refusal *refusal);

#endif
