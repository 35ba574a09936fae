/* What the daemons of one machine have in common: the socket at which one listens to others, and
 * signals as a descriptor. */
#ifndef SEKISHO_BASE_LOCAL_H
#define SEKISHO_BASE_LOCAL_H

#include <sys/types.h>

#include "lib/base/compat.h"

/*
 * A listening Unix stream socket at `path`, non-blocking. One that a predecessor left is taken away:
 * the caller knows that he is dead (a lock, or the supervisor, says so). Everybody may connect who
 * can reach it: that is decided by the mode of its directory. -1 with errno.
 */
NODISCARD int local_listen(const char *path, int backlog);

/* The same, a SOCK_SEQPACKET one. */
NODISCARD int local_listen_packets(const char *path, int backlog);

#define LOCAL_FD 3 /* where a program that is started for oneself finds its employer */

/* Connects to such a socket of packets. -1 with errno. */
NODISCARD int local_connect_packets(const char *path);

/* Whether descriptor LOCAL_FD is such a socket: somebody started us for himself. */
NODISCARD bool local_has_employer(void);

/*
 * Starts `program` with -s for oneself, with one end of a pair of sockets of packets as its descriptor
 * LOCAL_FD and nothing in its environment. Returns the other end, `*pid` its process, which ends when
 * that is closed; the caller waits for it. -1 with errno.
 */
NODISCARD int local_start(const char *program, pid_t *pid);

/*
 * Whether the peer of a connection is root, the caller's own user, or `user` ((uid_t)-1: nobody); `*uid`, which may be
 * NULL: who it is, (uid_t)-1 if that cannot be known. The mode of a socket's directory lets in only these: it is asked
 * again.
 */
NODISCARD bool local_peer_may(int fd, uid_t user, uid_t *uid);

/*
 * Connects the Unix stream socket `fd` to `path` and sends the bytes; a full backlog or socket is
 * waited for as long as `patience` microseconds. False: not all was sent (errno, or the path is too
 * long).
 */
NODISCARD bool local_send(
    int fd, const char *path, const char *bytes, size_t len, int64_t patience);

/*
 * SIGCHLD, SIGHUP, SIGTERM and SIGINT, blocked, as a signalfd(2) that does not wait; SIGPIPE is
 * ignored. Dies if that fails.
 */
int local_signals(void);

#endif
