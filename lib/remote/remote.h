/*
 * seki-remote: SMTP sessions, each with one destination, as their employers order
 * (lib/remote/protocol.h).
 */
#ifndef SEKISHO_REMOTE_REMOTE_H
#define SEKISHO_REMOTE_REMOTE_H

#include "lib/base/compat.h"
#include "lib/base/settings.h"

#define REMOTE_SOCKET         "run/remote/socket"
#define REMOTE_SESSIONS_SPARE 20 /* those that end while their successors begin */

struct ssl_ctx_st;

/*
 * Sets OpenSSL up, as far as that can be done before a session, so that a process that is forked
 * from this one has it for nothing. Returns what remote_serve takes; dies if it cannot.
 */
NODISCARD struct ssl_ctx_st *remote_prepare(void);

/*
 * Gives up what is not needed: no file can be opened, made or grown, no other process made,
 * signalled or traced, no port listened on; only descriptors that are there or come, and outgoing
 * connections. Where the kernel has no Landlock, or less of it, the rest holds.
 */
void remote_confine(void);

/* Serves the employer at `socket` until the session is over. Returns the exit code. */
NODISCARD int remote_serve(int socket, struct ssl_ctx_st *tls);

/* ---- the service, which makes a process for each employer ---- */

/*
 * Makes a process for each connection to `listener`, deliver-sessions-all and
 * REMOTE_SESSIONS_SPARE at once, until SIGTERM. Calls `ready` when the first can be made. In such a
 * process it does not return.
 */
void remote_run(int listener, int signals, struct settings *settings, struct ssl_ctx_st *tls,
    void (*ready)(void));

#endif
