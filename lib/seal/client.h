/* Asking seki-seal(8), over lib/inspect/packet.h: 'T' lines of lib/seal/order.h, any number; 'S'
 * "OFFSET SIZE" with two descriptors, the content to be read and the empty file to be written; and its
 * answer, 'E' "done SIZE removed=N inserted=WORD", "later WORD" or "no WORD". */
#ifndef SEKISHO_SEAL_CLIENT_H
#define SEKISHO_SEAL_CLIENT_H

#include "lib/seal/seal.h"

/*
 * Has the content changed into the empty file `output`, within `patience` microseconds. `content->fd`
 * must be open for reading alone. Whatever happens, `result` says it; SEAL_DONE only if `output` has
 * as many bytes as were told.
 */
void seal_ask(const char *path, const struct source *content, int output, const struct buf *lines,
    int64_t patience, struct seal_result *result);

/* The answer as it is sent, and back. */
void seal_answer_write(const struct seal_result *result, struct buf *out);
NODISCARD bool seal_answer_read(const char *text, struct seal_result *result);

#endif
