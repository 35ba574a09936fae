/*
 * Encoded words (RFC 2047, with the language of RFC 2231 section 5) in a header field's body, read as
 * mail programs read them: anywhere, with blanks inside, over-long, with padding missing, next to each
 * other without a blank. Words of one charset that stand next to each other are decoded to bytes,
 * joined, and converted then: a letter may be split between them, and no padding ends the text.
 * Everything between them stays; bytes beyond ASCII are converted by a guess at their charset.
 */
#ifndef SEKISHO_MIME_WORD_H
#define SEKISHO_MIME_WORD_H

#include "lib/base/buf.h"

enum word_flag {
	WORD_SEEN = 1,    /* there is an encoded word */
	WORD_HALF = 2,    /* something begins like one and is none: it stands as it is */
	WORD_RAW = 4,     /* bytes beyond ASCII or escapes of ISO-2022-JP outside of words */
	WORD_CHARSET = 8, /* a charset that is not known */
	WORD_MIXED = 16,  /* words of more than one charset */
	WORD_SLOPPY =
	    32, /* a word against the grammar: blanks inside, base64 with junk, and so on */
	WORD_CONTROL = 64, /* a decoded NUL, CR or LF: they are in the text */
};

/*
 * Appends the body's text in UTF-8 to `out`, without the line ends of folds. `flags` (NULL: not
 * wanted) gets what was seen. Linear in `len`. False: no memory, or no room in `out` for all of it:
 * the beginning is there.
 */
NODISCARD bool word_decode(const char *body, size_t len, struct buf *out, unsigned *flags);

#endif
