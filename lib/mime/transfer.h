/*
 * Content transfer encodings (RFC 2045 section 6) undone piece by piece, as mail programs do it: what
 * the grammar forbids is read all the same, so that nothing is hidden by it, and told.
 */
#ifndef SEKISHO_MIME_TRANSFER_H
#define SEKISHO_MIME_TRANSFER_H

#include "lib/base/sink.h"
#include "lib/base/source.h"

enum transfer {
	TRANSFER_7BIT, /* the first three are the bytes as they are */
	TRANSFER_8BIT,
	TRANSFER_BINARY,
	TRANSFER_BASE64,
	TRANSFER_QUOTED,  /* quoted-printable */
	TRANSFER_UNKNOWN, /* any other word, x-uuencode too: the bytes as they are (uu.h finds it) */
};

enum transfer_flag {
	TRANSFER_JUNK = 1,     /* letters that are not base64's, skipped (blanks are no junk) */
	TRANSFER_BEHIND = 2,   /* base64 goes on behind its padding, and was decoded there, too */
	TRANSFER_CUT = 4,      /* base64 ends within a group: its padding is missing, or a letter */
	TRANSFER_ESCAPE = 8,   /* '=' that begins no escape, given as it stands */
	TRANSFER_BARE_CR = 16, /* a soft line break that ends in CR alone */
};

#define TRANSFER_PIECE 4096 /* decoded bytes given to the sink at once, at most */
#define TRANSFER_HELD  256  /* blanks that may end a quoted-printable line; a longer run is text */

/* A decoder; the caller's memory, nothing to free. Its fields are its own, but for the last two. */
struct transfer_reader {
	enum transfer encoding;
	struct sink out;
	uint32_t group;   /* bits of base64 */
	unsigned letters; /* in the group */
	bool padded;      /* the padding was there */
	unsigned state;   /* of quoted-printable */
	char high;        /* the first letter of an escape */
	size_t held;      /* blanks kept back */
	size_t used;      /* of `piece` */
	char blanks[TRANSFER_HELD];
	char piece[TRANSFER_PIECE];
	unsigned flags; /* of enum transfer_flag, so far */
	uint64_t size;  /* decoded bytes, so far */
};

/* The encoding that a Content-Transfer-Encoding names (comments and blanks taken out), any case. */
enum transfer transfer_named(const char *word, size_t len);

/* "7bit", "base64" …; "unknown". */
const char *transfer_word(enum transfer encoding);

void transfer_open(struct transfer_reader *r, enum transfer encoding, struct sink out);

/* More encoded bytes. False: the sink wants no more. */
NODISCARD bool transfer_feed(struct transfer_reader *r, const char *bytes, size_t len);

/* The encoded bytes end here: what was kept back goes out. False: the sink wanted no more. */
NODISCARD bool transfer_end(struct transfer_reader *r);

/*
 * All of a source, in windows of 64 KB, to the end of `r`, which is opened by it. False: it could not
 * be read (errno), or the sink wanted no more (errno 0).
 */
NODISCARD bool transfer_source(struct transfer_reader *r, enum transfer encoding,
    const struct source *source, struct sink out);

/*
 * The base64 of a short text (an encoded word …) at once: at most `len` bytes, whose number is
 * returned. `into` may be `from`. `flags` (not NULL) gets more of enum transfer_flag.
 */
size_t transfer_base64(const char *from, size_t len, char *into, unsigned *flags);

#endif
