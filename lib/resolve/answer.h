/* Questions and answers as they stand on the wire (lib/resolve/ask.h). Pure: bytes in, bytes out. */
#ifndef SEKISHO_RESOLVE_ANSWER_H
#define SEKISHO_RESOLVE_ANSWER_H

#include "lib/base/buf.h"
#include "lib/resolve/ask.h"

/* Adds the answer to `out`, whose bound must leave room for RESOLVE_ANSWER_MAX. */
void answer_write(const struct resolve_answer *answer, struct buf *out);

/* Reads a line of `len` bytes, without its LF. False if it is not exactly one question. */
NODISCARD bool question_line(
    const char *line, size_t len, enum resolve_kind *kind, char name[RESOLVE_NAME_MAX + 1]);

#endif
