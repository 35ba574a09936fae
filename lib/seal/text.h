/* A text as it is put into a part: in its charset, or as HTML. Internal to lib/seal. */
#ifndef SEKISHO_SEAL_TEXT_H
#define SEKISHO_SEAL_TEXT_H

#include "lib/base/buf.h"
#include "lib/seal/seal.h"

enum text_kind {
	TEXT_ASCII, /* or none given */
	TEXT_UTF8,
	TEXT_JIS,   /* ISO-2022-JP: letters between escapes */
	TEXT_OTHER, /* ASCII is ASCII in it */
	TEXT_WIDE,  /* ASCII is not: nothing can be put into it */
	TEXT_UNKNOWN,
};

/* What is known of a part's charset by its label. */
enum text_kind text_kind_of(const char *label);

/*
 * Adds the text (UTF-8, lines end in LF) to `out` in the charset `label`; lines end in CRLF, without
 * blanks at their ends. `flowed`: as RFC 3676 wants lines that begin with a blank or '>'. False with
 * errno: EILSEQ, the charset cannot hold it; ENOMEM.
 */
NODISCARD bool text_plain(const struct seal_tables *tables, const struct buf *text,
    const char *label, bool flowed, struct buf *out);

/* The same as HTML of ASCII alone, whatever the charset. False: no memory. */
NODISCARD bool text_html(const struct buf *text, struct buf *out);

/* Whether there are only ASCII bytes; whether a line is longer than RFC 5322 allows. */
bool text_is_ascii(const struct buf *bytes);
bool text_is_long(const struct buf *bytes);

#endif
