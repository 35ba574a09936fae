/* Writing a message in its parts. Internal to lib/dsn. */
#ifndef SEKISHO_DSN_OUT_H
#define SEKISHO_DSN_OUT_H

#include "lib/dsn/dsn.h"
#include "lib/dsn/jis.h"

struct out {
	dsn_put *put;
	void *context;
	bool stopped; /* `put` said so: nothing more is given to it */
	size_t used;
	char bytes[4096];

	/* Quoted-printable: what is not yet known how to be written, and the place in the line. */
	int held; /* a byte, or -1 */
	size_t column;
};

void out_bytes(struct out *out, const char *bytes, size_t len);
void out_text(struct out *out, const char *text);

/* Of our own texts and numbers, at most 1,000 bytes. */
void outf(struct out *out, const char *format, ...) PRINTF_LIKE(2, 3);

/* Gives away what is still here. */
void out_flush(struct out *out);

/* At most `most` bytes: printable ASCII as it is, blanks as one, everything else as '?'. */
void out_clean(struct out *out, const char *text, size_t most);

/* The same for a long text behind `column` bytes of a field: folded at blanks, and at line ends. */
void out_folded(struct out *out, const char *text, size_t most, size_t column);

/* Base64, in lines. */
void out_base64(struct out *out, const char *bytes, size_t len);

/*
 * Encoded words (RFC 2047) behind `column` bytes of a field: of UTF-8, or by `jis`, if it is given, of
 * ISO-2022-JP, which must have every letter. No line is longer than 76 bytes.
 */
void out_words(struct out *out, const char *text, size_t column, struct letter_jis *jis);

/* Quoted-printable: any number of pieces, and then the end. */
void out_quoted(struct out *out, const char *bytes, size_t len);
void out_quoted_end(struct out *out);

/* "Mon, 23 Nov 2026 01:02:03 +0000" */
void out_date(struct out *out, int64_t wall);

#endif
