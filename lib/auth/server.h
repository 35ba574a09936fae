/* The work of seki-auth(8): questions on a Unix socket, answered with the help of back ends. */
#ifndef SEKISHO_AUTH_SERVER_H
#define SEKISHO_AUTH_SERVER_H

#include "lib/auth/config.h"

/*
 * Makes the socket; one that a predecessor left is removed. Who may connect is decided by the mode
 * of its directory. Returns the descriptor, or -1 with errno.
 */
NODISCARD int auth_listen(const char *path);

/* No core file, nobody looks into the memory, enough descriptors. Ends the program if it cannot. */
void auth_harden(const struct settings *settings);

/*
 * Answers questions until SIGTERM. Calls `ready` when the first can be heard. Owns the listener and
 * the configuration.
 */
void auth_serve(int listener, struct auth_config *config, void (*ready)(void));

#endif
