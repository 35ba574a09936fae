/*
 * What a process that reads strangers' bytes gives up for good, before it reads the first of them.
 * Ask for no new privileges (PR_SET_NO_NEW_PRIVS) first.
 */
#ifndef SEKISHO_BASE_CONFINE_H
#define SEKISHO_BASE_CONFINE_H

#include "lib/base/compat.h"

/*
 * Landlock: no path can be opened, made or removed, no TCP port bound or connected, no process
 * outside signalled, no abstract socket reached. A Unix socket with a path can still be connected.
 * `readable`, a descriptor of a directory or -1, names what may still be read. True if it holds, or
 * if this kernel has no Landlock; false with errno.
 */
NODISCARD bool confine_files(int readable);

/* A system call that is still allowed. */
struct confine_call {
	long number;    /* SYS_… */
	bool has_first; /* only if its first argument is `first` */
	uint32_t first;
};

#define CONFINE_CALLS_MAX 48 /* so that a filter's longest jump stays below 256 */

enum confine_otherwise {
	CONFINE_KILL,  /* any other call ends the process */
	CONFINE_EPERM, /* any other call fails */
};

/*
 * seccomp: no system call but these. True if it holds, or on a machine whose calls are not known
 * here; false with errno.
 */
NODISCARD bool confine_calls(
    const struct confine_call *calls, size_t n, enum confine_otherwise otherwise);

#endif
