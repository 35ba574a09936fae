/* What the two halves of address.h know of each other: fields, and one address. */
#ifndef SEKISHO_MIME_ADDRESS_INSIDE_H
#define SEKISHO_MIME_ADDRESS_INSIDE_H

#include "lib/base/buf.h"
#include "lib/mime/address.h"

/* atext of RFC 5322 section 3.2.3 with RFC 6532, and the dot. */
NODISCARD bool address_atom(char c);

/*
 * The letters of ISO-2022-JP from an escape at `text` to the next one, that to ASCII included; 0 if
 * there is none, or a blank before it. Their bytes look like quotes, '@' and brackets.
 */
NODISCARD size_t address_jis(const char *text, size_t len);

/* The last '@' outside of quotes, or `len`; counts them all. */
NODISCARD size_t address_find_at(const char *text, size_t len, size_t *count);

/* Where whole letters end in what was cut to `len` bytes. */
NODISCARD size_t address_whole(const char *text, size_t len);

/*
 * Writes "local@domain" without blanks and comments as it would stand in an envelope, and returns
 * where its domain begins in `text`, or its length if there is none. Adds to `flags`. `plain` is used
 * for what lies between.
 */
size_t address_canonical(const char *spec, size_t len, struct buf *plain,
    char text[ADDRESS_TEXT_MAX + 1], unsigned *flags);

#endif
