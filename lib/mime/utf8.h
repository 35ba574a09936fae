/* UTF-8 (RFC 3629), one letter at a time. */
#ifndef SEKISHO_MIME_UTF8_H
#define SEKISHO_MIME_UTF8_H

#include "lib/base/compat.h"

/*
 * The bytes of the letter at `text`, of which `len` > 0 are there, and its code point. 0 if it is
 * none: an overlong form, a surrogate, one beyond U+10FFFF, or cut off.
 */
NODISCARD size_t utf8_step(const char *text, size_t len, uint32_t *point);

/*
 * Whether a reader does not see it, or takes it for a blank: blanks beyond ASCII, soft hyphens,
 * joiners, marks of direction, separators of lines. In an address it only deceives.
 */
NODISCARD bool utf8_unseen(uint32_t point);

#endif
