/*
 * A stage's side of queue/order.h: a few clients at once, none of which is ever waited for. A
 * client that is silent for ORDER_PATIENCE is closed.
 */
#ifndef SEKISHO_QUEUE_ORDER_DOOR_H
#define SEKISHO_QUEUE_ORDER_DOOR_H

#include <poll.h>

#include "lib/base/compat.h"
#include "queue/order.h"

#define ORDER_CLIENTS  4
#define ORDER_FDS      (1 + ORDER_CLIENTS) /* that order_door_poll may fill */
#define ORDER_PATIENCE 5                   /* seconds */

struct order_door;

/*
 * Listens on the socket of `program`, in the current directory. NULL with errno. The stage holds
 * the lock of its state: a socket that stands there was left by a dead one.
 */
NODISCARD struct order_door *order_door_open(const char *program);
void order_door_close(struct order_door *door);

/* Fills what to wait for; returns how many. */
nfds_t order_door_poll(const struct order_door *door, struct pollfd *fds);

typedef struct order_answer order_do(void *context, const struct order *order);

/* Takes who waits, reads what is there, and has each whole order done and answered. Never waits. */
void order_door_serve(struct order_door *door, order_do *carry_out, void *context);

#endif
