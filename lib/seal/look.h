/* What a decoded text is like, found in one pass. Internal to lib/seal. */
#ifndef SEKISHO_SEAL_LOOK_H
#define SEKISHO_SEAL_LOOK_H

#include "lib/base/source.h"
#include "lib/mime/scan.h"

struct text_look {
	bool eightbit;  /* bytes beyond ASCII */
	bool escapes;   /* ESC */
	bool nul;       /* a NUL byte: UTF-16, or no text at all */
	bool pgp;       /* a line that begins a message of PGP */
	bool line_open; /* its last line has no end */
	bool jis_open;  /* its end is not in ASCII (ISO-2022-JP) */
	bool odd;       /* its encoding is not what it says: nothing can be encoded again */
	uint64_t size;  /* decoded */

	/* HTML: where a text goes in front and at the end. */
	uint64_t top, end;
};

/* Reads a part's body. False: it could not be read (errno). */
NODISCARD bool text_look(
    const struct source *content, const struct mime_part *part, bool html, struct text_look *look);

#endif
