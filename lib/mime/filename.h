/*
 * The name of an attachment, made canonical: one name for rules, pages and archives, whatever a
 * sender wrote (RFC 2183 section 2.3 warns of the rest). What was odd about it is marked.
 */
#ifndef SEKISHO_MIME_FILENAME_H
#define SEKISHO_MIME_FILENAME_H

#include "lib/base/compat.h"
#include "lib/text/norm.h"

#define FILENAME_MAX_BYTES ((size_t)255)
#define FILENAME_READ_MAX  ((size_t)4096) /* bytes of a name that are looked at */

/* M(NAME, word in marks=) */
#define FILENAME_MARKS(M)                                                                          \
	M(DIRECTION, "direction") /* marks of writing direction (RTLO) were taken out */           \
	M(UNSEEN, "unseen")       /* other letters that nobody sees were */                        \
	M(CONTROL, "control")     /* control characters were, NUL among them */                    \
	M(INVALID, "invalid")     /* bytes that are no UTF-8 became U+FFFD */                      \
	M(PATH, "path")           /* folders or a drive stood before it, and were taken away */    \
	M(WIDTH, "width")         /* ASCII letters, dots or slashes in full width */               \
	M(MIXED,                                                                                   \
	    "mixed") /* a word mixes Latin with letters of another script that look like it */     \
	M(FORBIDDEN, "forbidden") /* < > : " | ? * became _ */                                     \
	M(RESERVED, "reserved") /* CON, NUL, COM1 …: got a _ in front, as a leading "-" does */  \
	M(TAIL, "tail")         /* dots or blanks at the end, which Windows drops */               \
	M(LONG, "long")         /* it was cut, its extension kept */                               \
	M(DOUBLE,                                                                                  \
	    "double") /* before that of a program or of another kind stands one of what people read: x.pdf.exe */

enum filename_mark {
#define M(name, word) FILENAME_##name,
	FILENAME_MARKS(M)
#undef M
	    FILENAME_MARK_COUNT
};

struct filename {
	char text[FILENAME_MAX_BYTES + 1];       /* UTF-8; "" if nothing is left: nameless */
	char folded[3 * FILENAME_MAX_BYTES + 1]; /* what rules compare: normalised, case folded */
	char extension[32];                      /* of folded: ".tar.gz"; "" if there is none */
	unsigned marks;                          /* 1 << enum filename_mark */
};

/* Never fails: what cannot be kept is taken out and marked. `name` is UTF-8, or meant to be. */
void filename_canonical(
    const struct norm_tables *tables, const char *name, size_t len, struct filename *filename);

/*
 * Whether the folders before a name lead out of where it is put: a root, a drive, a server, "..". In
 * archives those that do not are ordinary.
 */
NODISCARD bool filename_leads_out(const char *name, size_t len);

const char *filename_mark_word(enum filename_mark mark);

#endif
