/*
 * What an inspection has said, as far as judging needs it: the facts that hold a message, and
 * whether it was an inspection at all.
 */
#ifndef SEKISHO_SCAN_HEARD_H
#define SEKISHO_SCAN_HEARD_H

#include "lib/inspect/client.h"
#include "lib/policy/policy.h"

/* Faults that say nothing about the message: it is asked about again, later. F(NAME, word) */
#define HEARD_FAULTS(F)                                                                            \
	F(UNREACHABLE, "unreachable") /* nobody is there who could inspect, or convert */          \
	F(SCRATCH, "scratch")         /* nowhere to unpack to, or no memory */                     \
	F(REFUSED, "refused")         /* the question was not understood */                        \
	F(KILLED, "killed")           /* the inspector went away before it had said a word */

enum heard_fault {
#define F(name, word) HEARD_##name,
	HEARD_FAULTS(F)
#undef F
	    HEARD_FAULT_COUNT,
	HEARD_FINE = HEARD_FAULT_COUNT
};

struct heard {
	struct policy_facts facts;
	char virus[POLICY_REASON]; /* its name, xtext; "" if none was found */
	bool told;                 /* the inspector spoke of what is in the message */
	char last[POLICY_REASON];  /* the last reason why the whole could not be looked into */
	enum heard_fault fault;
	char why[256]; /* of the fault, in words; "" if there are no more */
};

/* Nothing has been said yet. */
void heard_begin(struct heard *heard);

/* Whole lines of sekisho-facts(5), from inspect_ask. */
void heard_lines(struct heard *heard, const char *lines, size_t len);

/* inspect_ask has returned that: fills `fault`. */
void heard_end(struct heard *heard, enum inspect_result result);

/* It could not be asked at all. */
void heard_failed(struct heard *heard, enum heard_fault fault, const char *why);

/* A word for the log. */
const char *heard_fault_word(enum heard_fault fault);

#endif
