/*
 * The people's door of seki-hold(8): the socket of sekisho-gate(5). A few clients at once, one request
 * each, none of which is ever waited for: what a client has not sent, or not taken, costs him alone.
 *
 * By the main loop alone.
 */
#ifndef SEKISHO_HOLD_DOOR_H
#define SEKISHO_HOLD_DOOR_H

#include "lib/base/compat.h"

#define DOOR_CLIENTS  64
#define DOOR_PATIENCE 10 /* seconds: a client that has then not sent or taken all is closed */

struct hold;
struct gate_door;

/*
 * Listens on GATE_SOCKET, in the current directory; `h` must outlive it. NULL with errno: ENOKEY if there
 * is no key, without which nobody can prove who he is. The stage
 * holds the locks of its states: a socket that stands there was left by a dead one.
 */
NODISCARD struct gate_door *door_open(struct hold *h);
void door_close(struct gate_door *door);

/* A descriptor that can be read while there is something for door_serve to do. It stays the same. */
int door_fd(const struct gate_door *door);

/*
 * Takes who waits, reads what is there, has some whole requests answered, and writes what can be written.
 * Never waits. To be called at each turn, and at least once a second.
 */
void door_serve(struct gate_door *door);

#endif
