/* DATA's content, from the file to the server's reply to the final dot. */
#ifndef SEKISHO_REMOTE_CONTENT_H
#define SEKISHO_REMOTE_CONTENT_H

#include "lib/remote/session.h"
#include "queue/digest.h"

/*
 * Streams the content behind 354, the final dot only if its digest is right (law 4 of the spool),
 * and waits for what the server says. `o` is the outcome for the recipients that were accepted.
 * Unless the session goes on, it has ended. `sha256` is what was read, if all of it was.
 */
void content_send(struct remote_session *s, const struct remote_message *m, char sha256[DIGEST_HEX],
    struct outcome *o);

#endif
