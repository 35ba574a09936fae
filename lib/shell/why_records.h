/* What the records of a leg say about its judgement. Internal to seki why. */
#ifndef SEKISHO_SHELL_WHY_RECORDS_H
#define SEKISHO_SHELL_WHY_RECORDS_H

#include "queue/leg.h"

#define WHY_DECISIONS_MAX ((size_t)100000)

/* Decoded, NUL-ended; one decision of some recipients. */
struct why_decision {
	char *function, *outcome, *where, *rule, *evidence;
	char *rcpt; /* "1,3-5"; NULL: all */
	bool shadow, watch;
};

struct why_records {
	int64_t judged; /* when; 0: no judgement is recorded */
	char *rules, *org;
	bool watch;
	struct why_decision *decision; /* of the last judgement */
	size_t n, room;
	struct leg_record refused; /* text NULL: there is none */
	struct leg_record told;    /* behind it: what became of the notice to the sender */
	struct leg_record discarded;
	bool failed; /* no memory, or more decisions than are kept */
};

/* Reads them all. Free with why_records_free. `leg` must outlive it. */
void why_records_read(struct why_records *w, const struct leg *leg);
void why_records_free(struct why_records *w);

/* Whether it is about recipient `number`, from 1. */
bool why_concerns(const struct why_decision *decision, size_t number);

/* The value of `key` in a record, decoded and NUL-ended; "" if it is not there. NULL: no memory. Freed by
 * the caller. */
char *why_value(const struct leg_record *record, const char *key);

/* Calls for each record of `word` in the trailer, in order. */
typedef void why_see(void *context, const struct leg_record *record);
void why_each(const struct leg *leg, const char *word, why_see *see, void *context);

#endif
