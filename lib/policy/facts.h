/*
 * The facts of one message, as seki-inspect told them (sekisho-facts(5)), ready to be asked by rules.
 * Bounded; what does not fit makes everything that was asked unknown.
 */
#ifndef SEKISHO_POLICY_FACTS_H
#define SEKISHO_POLICY_FACTS_H

#include "lib/base/compat.h"
#include "lib/detect/hits.h"

#define FACTS_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define FACTS_REASON    ((size_t)64) /* a word of sekisho-facts(5), xtext, with its NUL */

struct facts;

/* NULL: no memory. */
NODISCARD struct facts *facts_new(void);
void facts_free(struct facts *facts);

/* Whole lines, as inspect_ask gives them. */
void facts_lines(struct facts *facts, const char *lines, size_t len);

/* All were told: false means that some may be missing (as the `uninspectable part=0` among them says). */
void facts_end(struct facts *facts, bool complete);

/* What the seki-scan(8) log and the operator's hold need; "" if there is none. */
struct facts_against {
	bool virus, uninspectable, ambiguous;
	char virus_name[FACTS_REASON], reason[FACTS_REASON], ambiguity[FACTS_REASON];
};
const struct facts_against *facts_against(const struct facts *facts);

#endif
