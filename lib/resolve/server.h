/* The work of seki-resolve(8): questions on a Unix socket, answered by look-ups in the DNS. */
#ifndef SEKISHO_RESOLVE_SERVER_H
#define SEKISHO_RESOLVE_SERVER_H

#include "lib/resolve/lookup.h"

#define RESOLVE_CLIENTS_MAX ((size_t)1024)

struct resolve_bounds {
	int64_t time;     /* microseconds of one question */
	size_t clients;   /* connections at once, at most RESOLVE_CLIENTS_MAX; others wait */
	size_t questions; /* worked on at once; others wait */
};

/*
 * Makes the socket; one that a predecessor left is removed. Who may connect is decided by the mode
 * of its directory. Returns the descriptor, or -1 with errno.
 */
NODISCARD int resolve_listen(const char *path);

/* No core file, nobody looks into the memory, no new privileges. Ends the program if it cannot. */
void resolve_harden(void);

/* Blocks the signals that the server takes by a descriptor, which is returned. */
NODISCARD int resolve_signals(void);

/*
 * Answers questions until SIGTERM. Calls `ready` when the first can be heard. Owns the descriptors;
 * the resolver ends with the program.
 */
void resolve_serve(int listener, int signals, struct resolver *resolver,
    const struct resolve_bounds *bounds, void (*ready)(void));

#endif
