/* Carrying out a person's order on a leg (queue/README.md section 4, "a person"). */
#ifndef SEKISHO_QUEUE_ORDER_LEG_H
#define SEKISHO_QUEUE_ORDER_LEG_H

#include "queue/order.h"
#include "queue/stage.h"

/*
 * Appends the record, renames the leg (the commit), syncs it once, and says what is to be answered.
 * By the stage's main loop, which is the only one that moves its legs; it is the caller's to do
 * that for one order after another. A suspect clock stops no person.
 */
struct order_answer order_carry_out(struct stage *stage, const struct order *order);

#endif
