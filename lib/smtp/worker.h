/*
 * A session's process, and how it talks with its parent over a pair of sequenced-packet sockets:
 *
 *   child -> parent   WORKER_IDLE: the session has ended; I wait, and do nothing before you speak
 *                     WORKER_PROVEN: it is known who this is, he is no stranger any more (the
 *                     parent may look for it only when he needs to know)
 *                     WORKER_SOURCE and a struct ip: this is whom the proxy speaks for. May he?
 *   parent -> child   WORKER_MAY or WORKER_MAY_NOT, to the last
 *                     a struct arrival with its connection (SCM_RIGHTS): serve this one too
 *                     or the end of the socket: go; if in a session, when no message is half sent
 *
 * The child never goes by itself while it is idle, so a connection handed to it is never lost.
 */
#ifndef SEKISHO_SMTP_WORKER_H
#define SEKISHO_SMTP_WORKER_H

#include "lib/smtp/session.h"

#define WORKER_IDLE    'I'
#define WORKER_PROVEN  'P'
#define WORKER_SOURCE  'S'
#define WORKER_MAY     'Y'
#define WORKER_MAY_NOT 'N'

/* Serves `fd`, and then, if `keep`, whatever the parent hands over; then exits. */
NORETURN void worker_run(const struct smtp_config *config, int control, int fd,
    const struct arrival *arrival, bool keep);

/* Hands a connection to an idle child. False: it is not there any more (errno). */
NODISCARD bool worker_hand(int control, int fd, const struct arrival *arrival);

/* Asks the parent whether a client behind a proxy may be served. */
NODISCARD bool worker_may(int control, const struct ip *source);

#endif
