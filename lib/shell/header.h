/*
 * Looking for words in a mail's own header: bytes that strangers wrote. Runs only in the child
 * without privileges (lib/shell/reader.h); allocates nothing and knows no file.
 */
#ifndef SEKISHO_SHELL_HEADER_H
#define SEKISHO_SHELL_HEADER_H

#include "lib/base/compat.h"

#define HEADER_MAX ((size_t)256 * 1024) /* what lies behind it is not searched */

/* What can be asked for; bits of a mask. */
enum header_field {
	HEADER_FROM,       /* From: or Sender: */
	HEADER_TO,         /* To:, Cc: or Bcc: */
	HEADER_SUBJECT,    /* Subject: */
	HEADER_MESSAGE_ID, /* Message-ID: */
};

#define HEADER_FIELDS 4
#define HEADER_BIT(f) (1u << (unsigned)(f))
#define HEADER_CUT    0x40u /* the header is longer than HEADER_MAX */

struct header_query {
	const char *text[HEADER_FIELDS]; /* what to find, ASCII letters small; NULL: not asked */
};

/* Makes the ASCII letters of `text` small, in place. */
void header_fold(char *text, size_t len);

/*
 * Which of the asked texts stand in a field of theirs, as HEADER_BITs. A field is unfolded: its
 * line ends go, the blanks stay. ASCII case does not count. `scratch` has room for `len` bytes.
 */
unsigned header_match(
    const struct header_query *query, const char *bytes, size_t len, char *scratch);

#endif
