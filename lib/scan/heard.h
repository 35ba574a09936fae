/*
 * What an inspection has said: its facts, and whether it was an inspection at all.
 */
#ifndef SEKISHO_SCAN_HEARD_H
#define SEKISHO_SCAN_HEARD_H

#include "lib/inspect/client.h"
#include "lib/policy/facts.h"

/* Faults that say nothing about the message: it is asked about again, later. F(NAME, word) */
#define HEARD_FAULTS(F)                                                                            \
	F(UNREACHABLE, "unreachable") /* nobody is there who could inspect, or convert */          \
	F(SCRATCH, "scratch")         /* nowhere to unpack to, or no memory */                     \
	F(REFUSED, "refused")         /* the question was not understood */                        \
	F(KILLED, "killed")           /* the inspector went away before it had said a word */      \
	F(PAST, "past")               /* seki-db did not answer */

enum heard_fault {
#define F(name, word) HEARD_##name,
	HEARD_FAULTS(F)
#undef F
	    HEARD_FAULT_COUNT,
	HEARD_FINE = HEARD_FAULT_COUNT
};

struct heard {
	struct facts *facts;     /* owned; NULL: nothing was asked */
	bool told;               /* the inspector spoke of what is in the message */
	char last[FACTS_REASON]; /* the last reason why the whole could not be looked into */
	enum heard_fault fault;
	char why[256]; /* of the fault, in words; "" if there are no more */
};

/* Nothing has been said yet; what was is forgotten. False: no memory. Free with heard_free. */
NODISCARD bool heard_begin(struct heard *heard);
void heard_free(struct heard *heard);

/* Whole lines of sekisho-facts(5), from inspect_ask. */
void heard_lines(struct heard *heard, const char *lines, size_t len);

/* inspect_ask has returned that: fills `fault`. */
void heard_end(struct heard *heard, enum inspect_result result);

/* It could not be asked at all. */
void heard_failed(struct heard *heard, enum heard_fault fault, const char *why);

/* A word for the log. */
const char *heard_fault_word(enum heard_fault fault);

#endif
