/*
 * Whether a text was read at all: letters that its charset does not have, or a charset that nobody
 * here knows, leave something that no detector can find anything in. Such a text is told
 * (`uninspectable reason=charset`).
 */
#ifndef SEKISHO_INSPECT_UNCLEAR_H
#define SEKISHO_INSPECT_UNCLEAR_H

#include "lib/base/source.h"
#include "lib/text/charset.h"

/* Whether so little failed of a text in UTF-8 that a letter was cut, rather than that it is another. */
NODISCARD bool charset_bruised(const struct charset *c, uint64_t letters);

/* A conversion that has ended, of text labelled `label` ("" none), which gave so many letters. */
NODISCARD bool charset_unclear(const char *label, const struct charset *c, uint64_t letters);

/* The same of a short text that was decoded elsewhere: by the replacement characters in it. */
NODISCARD bool text_unclear(const char *utf8, size_t len);

/*
 * The same of a short text with a label, or several, that were not known: it must be ASCII to be
 * clear, for what it was taken for is a guess.
 */
NODISCARD bool text_guessed(const char *utf8, size_t len);

/* Whether the label is not known, and the file's beginning no ASCII and no UTF-8. */
NODISCARD bool file_unclear(const char *label, const struct source *file);

/* Letters in a piece of UTF-8. */
uint64_t letters_in(const char *utf8, size_t len);

#endif
