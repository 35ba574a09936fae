/*
 * How risky a mail that waits is, by what its records say and whom it goes to: so that who has many to look at
 * looks at these first. It decides nothing.
 */
#ifndef SEKISHO_HOLD_RISK_H
#define SEKISHO_HOLD_RISK_H

#include "lib/org/org.h"
#include "queue/leg.h"

#define RISK_MANY 10 /* recipients outside beyond which there are many */

struct risk {
	size_t outside; /* open recipients of other companies */
	size_t first;   /* of all: never written to before, as the self-check says */
	size_t files;   /* attachments */
	size_t checks;  /* what the sender should look at */
	/* 0: it stays inside; 1: it goes outside; 2: there, to somebody new, to many, with something missing or
	 * personal in it, or nobody could look; 3: it may go to the wrong one. */
	unsigned level;
};

/* `org` may be NULL: then everybody is outside. */
struct risk risk_of(const struct org *org, const struct leg *leg);

#endif
