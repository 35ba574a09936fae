/*
 * A service that gives each connection a process of its own, and that never reads what comes over
 * them: it accepts, forks, reaps, takes its configuration anew at SIGHUP, and ends at SIGTERM.
 */
#ifndef SEKISHO_BASE_FORKS_H
#define SEKISHO_BASE_FORKS_H

#include "lib/base/compat.h"
#include "lib/base/settings.h"

struct forks {
	const char *program; /* "seki-remote" */
	int listener;        /* of local_listen */
	int signals;         /* of local_signals */
	void *context;
	size_t most; /* processes at once; connections beyond are turned away, with an alarm */

	/* In the child, with nothing open but standard error and its socket. Must not return. */
	void (*serve)(void *context, int socket);

	/* The configuration is to be read again; may set `most`. False with `fault` filled. */
	bool (*reload)(struct forks *forks, char *fault, size_t room);

	/* Told once, when connections are accepted. */
	void (*ready)(void);
};

/* Serves until SIGTERM. The processes that are running then are left to end by themselves. */
void forks_run(struct forks *forks);

/* No dump of memory, no core file, no new privileges. Dies if that fails. */
void forks_harden(void);

/*
 * A process that root started by hand becomes `user`, or nobody where there is no such user; any other
 * stays who it is. Dies if that fails.
 */
void forks_drop_root(const char *user);

/* Reads etc/settings. False with `fault` filled. */
NODISCARD bool forks_settings(struct settings *settings, char *fault, size_t room);

#endif
