/*
 * Giving everything up: what a process does before it looks at bytes that strangers wrote.
 */
#ifndef SEKISHO_SHELL_JAIL_H
#define SEKISHO_SHELL_JAIL_H

#include "lib/base/compat.h"

#define JAIL_FD 3 /* the one descriptor that is left */

/* Who the process is to be; `change` false: it is nobody special and stays who it is. */
struct jail_user {
	bool change;
	uid_t uid;
	gid_t gid;
};

/*
 * For a single-threaded child just forked. Closes every descriptor but `fd`, which becomes
 * JAIL_FD; becomes the user, for good; may then open nothing, connect nowhere, start nothing,
 * write no file, and call little but pread and the socket calls on what it is given. False with
 * errno if a part of this failed: the child must end.
 */
NODISCARD bool jail_enter(const struct jail_user *user, int fd);

#endif
