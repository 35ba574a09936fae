/* The work of seki-resolve(8): questions on a Unix socket, answered by look-ups in the DNS. */
#ifndef SEKISHO_RESOLVE_SERVER_H
#define SEKISHO_RESOLVE_SERVER_H

#include "lib/base/settings.h"
#include "lib/resolve/lookup.h"

#define RESOLVE_CLIENTS_MAX ((size_t)1024) /* the largest resolve-clients */

struct resolve_bounds {
	int64_t time;     /* microseconds of one question */
	size_t clients;   /* connections at once, at most RESOLVE_CLIENTS_MAX; others wait */
	size_t questions; /* worked on at once; others wait */
};

/* What etc/settings says. */
struct resolve_config {
	struct settings settings;
	struct resolver_options options; /* its words stand in `settings` */
	struct resolve_bounds bounds;
};

/* NULL: `fault` says what is wrong. Free with free(). */
NODISCARD struct resolve_config *resolve_config_read(char *fault, size_t room);

/* No core file, nobody looks into the memory, no new privileges. Ends the program if it cannot. */
void resolve_harden(void);

/* Blocks the signals that the server takes by a descriptor, which is returned. */
NODISCARD int resolve_signals(void);

/*
 * Makes the socket; one that a predecessor left is removed. Who may connect is decided by the mode
 * of its directory. Returns the descriptor, or -1 with errno.
 */
NODISCARD int resolve_listen(const char *path);

/*
 * Gives up what is not needed: no file can be made, removed or written to but run/taken/seki-resolve,
 * no program started, no port of TCP listened on. Before resolver_open: its thread inherits that.
 * Ends the program if it cannot; where the kernel has no Landlock, or less of it, the rest holds.
 */
void resolve_confine(void);

/*
 * Answers questions until SIGTERM. Calls `ready` when the first can be heard. Owns the descriptors
 * and the resolver. At SIGHUP it reads the configuration again and, if that is good, goes on with a
 * resolver that knows nothing yet, also with the questions that it is working on.
 */
void resolve_serve(int listener, int signals, struct resolver *resolver,
    const struct resolve_bounds *bounds, void (*ready)(void));

#endif
