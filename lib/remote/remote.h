/*
 * seki-remote: an SMTP session with one destination, as its employer orders (lib/remote/protocol.h).
 */
#ifndef SEKISHO_REMOTE_REMOTE_H
#define SEKISHO_REMOTE_REMOTE_H

#include "lib/base/compat.h"

/*
 * Gives up what is not needed: no file can be opened, made or grown, no other process made,
 * signalled or traced, no port listened on; only descriptors that are there or come, and outgoing
 * connections. Where the kernel has no Landlock, or less of it, the rest holds.
 */
void remote_confine(void);

/* Serves the employer at `socket` until the session is over. Returns the exit code. */
NODISCARD int remote_serve(int socket);

#endif
