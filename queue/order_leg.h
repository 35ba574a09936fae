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

/*
 * What a role that carries out orders itself (stage_role.obey) is made of. `o` is opened, its law is
 * known, and the audit has been told. Each answers for the caller; the leg may have moved.
 */

/* Closes the step at which the leg stands, with these arguments of the closing record, and moves it on. */
struct order_answer order_close(
    struct stage *stage, const struct order *order, struct stage_opened *o, const char *details);

/* Appends `record` (a word and its arguments), which binds, and moves the leg to where that says: trash/,
 * or new/ for one that is brought back. */
struct order_answer order_bind(struct stage *stage, const struct order *order,
    struct stage_opened *o, const char *record, enum spool_state to);

/* The same with records that leave the leg where it is, to be looked at next at `due`, seconds. */
struct order_answer order_stay(struct stage *stage, const struct order *order,
    struct stage_opened *o, const char *const *record, size_t records, int64_t due);

/* "no", with a sentence of printable ASCII. */
struct order_answer order_no(const char *why);

/*
 * Tells the audit, durably, what is about to be done: `what`, the leg, who and why. False: it cannot be
 * told, and nothing may be done.
 */
NODISCARD bool order_audit(
    struct stage *stage, const struct order *order, const struct leg *leg, const char *what);

#endif
