/* Making a value harmless for the place in a page where it stands; and what is text at all. */
#ifndef SEKISHO_WEB_ESCAPE_H
#define SEKISHO_WEB_ESCAPE_H

#include "lib/base/buf.h"

/*
 * Text between tags, and within double quotes: & < > " ' become references. Control characters other than tab and
 * newline, marks that turn the direction of a line (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069),
 * and what is no UTF-8 become U+FFFD, which is seen; a CR before a newline goes.
 */
void escape_text(struct buf *out, const char *text, size_t len);

/* A part of a URL (RFC 3986): all but unreserved characters become %XX. */
void escape_part(struct buf *out, const char *text, size_t len);

/*
 * A whole URL, for an attribute: one of our own paths ("/" and then neither "/" nor "\"), "https://" or "http://";
 * anything else, and one with a blank, a control character or a "\", is left out. What is not ASCII becomes %XX.
 */
void escape_url(struct buf *out, const char *text, size_t len);

/* Whether it is UTF-8 (RFC 3629) without NUL. */
NODISCARD bool escape_is_text(const char *text, size_t len);

#endif
