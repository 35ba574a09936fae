/* Asking at the people's door of seki-hold(8): by the web program, seki(1) and tests. */
#ifndef SEKISHO_GATE_CLIENT_H
#define SEKISHO_GATE_CLIENT_H

#include "lib/base/buf.h"
#include "lib/gate/protocol.h"

/*
 * Sends `request` (gate_request_end has ended it) to the socket at `path` and appends the whole answer,
 * without its newline, to `answer`, whose bound should be GATE_ANSWER_MAX. `patience`: microseconds for
 * all of it. `*leg` is the descriptor that came with the answer, to read alone, or -1; the caller closes
 * it. False with errno: nobody is there, no answer came in time (ETIMEDOUT) or none that is whole
 * (EPROTO); then nobody knows whether the request was carried out.
 */
NODISCARD bool gate_ask(
    const char *path, const struct buf *request, int64_t patience, struct buf *answer, int *leg);

#endif
