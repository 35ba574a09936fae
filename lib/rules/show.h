/*
 * A condition as sekisho-policy(5) writes it, in one way: what means the same is shown the same, but
 * for the order within lists. So conditions can be compared, and read again.
 */
#ifndef SEKISHO_RULES_SHOW_H
#define SEKISHO_RULES_SHOW_H

#include "lib/base/buf.h"
#include "lib/rules/rule.h"

/* "unless to not partner, external"; without "unless" if `bare`. */
void rule_condition_show(const struct rule_condition *condition, bool bare, struct buf *out);

/* One of a list of people: "group sales", "first-time for site". */
void rule_who_show(const struct rule_who *who, struct buf *out);

#endif
