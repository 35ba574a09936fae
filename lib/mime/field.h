/*
 * The header of a message, field by field, as byte ranges (RFC 5322 section 2.2). Nothing is copied
 * and nothing is changed. Lines end in CRLF. What a mail program might show as a field is one here,
 * too: blanks before the colon, a name in any case; what is no field and no continuation is told.
 */
#ifndef SEKISHO_MIME_FIELD_H
#define SEKISHO_MIME_FIELD_H

#include "lib/base/compat.h"

struct field {
	const char *name; /* without the colon and the blanks before it; len 0: no field */
	size_t name_len;
	const char *body; /* behind the colon, folds included, without the last CRLF */
	size_t body_len;
	size_t start; /* the whole field, its last CRLF included, as a range of the header */
	size_t end;
};

/*
 * The next field of a header of `len` bytes from `*at` on, which is moved behind it. False at the
 * empty line that ends the header, or at its last byte. A line that is neither a field nor a
 * continuation is given as one with name_len 0 and the whole line as its body.
 */
NODISCARD bool field_next(const char *header, size_t len, size_t *at, struct field *field);

/* Whether the field has this name, ASCII letters of either case being the same. */
NODISCARD bool field_is(const struct field *field, const char *name);

/*
 * The end of the header in the first `len` bytes of a message: the offset behind the empty line
 * that ends it, or 0 if that is not there yet. A message that begins with CRLF has an empty header
 * (2). Call it again with more bytes and the same `*state` (0 at first): no byte is seen twice.
 */
size_t header_end(const char *bytes, size_t len, size_t *state);

#endif
