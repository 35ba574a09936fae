/* What list has to say of a leg beside its line, by the state in which it stands. Internal to lib/shell/. */
#ifndef SEKISHO_SHELL_WAITING_H
#define SEKISHO_SHELL_WAITING_H

#include "lib/shell/legs.h"

/*
 * approve/: whom the step asks now, how many of them have said yes, and how many are wanted.
 * hold/:    how the hold ends that is open: "sent" or "discarded" by itself, or by whom.
 * trash/:   why it is there, by whom, and when it is removed for good.
 */
#define WAITING_APPROVE_HEADING "\tASKED\tYES"
#define WAITING_HOLD_HEADING    "\tENDS"
#define WAITING_TRASH_HEADING   "\tWHY\tBY\tREMOVED"

/* The fields of a state's lines; of another state there are none. `f` may be NULL, or not read. */
void waiting_fields(
    struct out *o, const struct instance *in, enum spool_state state, const struct found *f);

/* When the open hold of a leg ends by itself, in microseconds; 0: by no time. */
int64_t waiting_until(const struct leg *leg);

#endif
