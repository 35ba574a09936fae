/*
 * The other legs of a message that wait, too: an address that a person takes away is to leave in the header
 * of none of them (N12). They are found by their names, and copies of the same message by the index.
 */
#ifndef SEKISHO_HOLD_SIBLINGS_H
#define SEKISHO_HOLD_SIBLINGS_H

#include "lib/hold/inside.h"
#include "queue/order_leg.h"

/* Whether a job has one of them in hand: then the order has to wait. A directory that cannot be read is
 * one that is looked at later. */
NODISCARD bool siblings_busy(struct hold *h, const struct leg_name *name);

/*
 * Appends `removed` for the recipient of `order` to each of them, of the same sender, whose recipient he is
 * not; the audit is told. False, with an alarm: one of them could not be written, and its header still names
 * him.
 */
NODISCARD bool siblings_remove(
    struct hold *h, const struct order *order, const struct leg *removed_from);

#endif
