/* Between the files that find what is odd about rules: warnings*.c. */
#ifndef SEKISHO_POLICY_WARNINGS_INSIDE_H
#define SEKISHO_POLICY_WARNINGS_INSIDE_H

#include "lib/rules/rule.h"

/*
 * Whether `b` surely holds whenever `a` does: never said where it is not so, whatever mail comes. What
 * `unless` makes of them is the caller's.
 */
NODISCARD bool condition_implies(const struct rule_condition *a, const struct rule_condition *b);

/* Whether they surely never hold together. */
NODISCARD bool conditions_exclude(const struct rule_condition *a, const struct rule_condition *b);

/* Whether whatever matches `a` matches `b`. */
NODISCARD bool rule_implies(const struct rule *a, const struct rule *b);

/* ---- what conditions are about: warnings_sets.c ---- */

/* Numbers that fulfil a comparison: from `low` to `high`. Empty: low > high. */
struct range {
	uint64_t low, high;
};
struct range range_of(const struct rule_count *count);
NODISCARD bool range_within(struct range a, struct range b);
NODISCARD bool range_apart(struct range a, struct range b);

/* Whether whoever is meant by `a` is meant by `b`; whether nobody is meant by both. */
NODISCARD bool who_within(const struct rule_who *a, const struct rule_who *b);
NODISCARD bool who_apart(const struct rule_who *a, const struct rule_who *b);

NODISCARD bool file_within(const struct rule_condition *a, const struct rule_condition *b);
NODISCARD bool times_within(const struct rule_condition *a, const struct rule_condition *b);
NODISCARD bool times_apart(const struct rule_condition *a, const struct rule_condition *b);

#endif
