/*
 * The freeze gate: whether an operator, or a quota, keeps mail from being delivered for now. It
 * asks lib/freeze and lib/quota/freeze. Internal to lib/deliver.
 */
#ifndef SEKISHO_DELIVER_GATE_H
#define SEKISHO_DELIVER_GATE_H

#include "queue/freeze.h"

struct gate;

/* Opens lib/ of the instance in the current directory. NULL with errno. It lives as long as the
 * process. */
NODISCARD struct gate *gate_open(void);

/*
 * For the main loop: whether a file is another than at the last call. Says in the log if
 * everything is frozen by a bad one.
 */
NODISCARD bool gate_changed(struct gate *gate);

/* For any thread: reads what has changed. False: everything is frozen. */
NODISCARD bool gate_refresh(struct gate *gate);

/* For any thread: whether this recipient (index from 0) of the leg must not be delivered now. */
NODISCARD bool gate_holds(const struct gate *gate, const struct leg *leg, size_t rcpt);

#endif
