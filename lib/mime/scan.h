/*
 * The parts of a message (RFC 2045, 2046) as byte ranges of it, so that one of them can be taken out
 * or replaced with every other byte staying as it is. The message is read once, line by line, through
 * a window; memory depends on the number of parts alone.
 *
 * Mail programs differ in how they read a message that is not well made. Whatever could be read in two
 * ways is told (a flag of the part), and both readings are there:
 * - Boundaries. If a multipart names several, each counts, and so does a line that has more behind the
 *   boundary than it should, a delimiter behind a bare CR, and one behind the close delimiter. Such a
 *   line begins a part, but does not end the one that is open, when another reading goes on with it:
 *   the two overlap.
 * - Where a header ends. A line of a header that is no field, or of blanks only, ends it for some. The
 *   part is there twice then: as if it was skipped, and (MIME_ALTERNATIVE) as if the body began there.
 * - The type. A part with two of them is descended into if one says so (MIME_LEAF_TOO: its body is to
 *   be looked at as a whole, too). A multipart without a usable boundary, or one whose body is encoded,
 *   is such a part.
 * Parts that overlap each other are bounded (MIME_TOO_AMBIGUOUS). Lines end in CRLF, LF or CR.
 */
#ifndef SEKISHO_MIME_SCAN_H
#define SEKISHO_MIME_SCAN_H

#include "lib/base/buf.h"
#include "lib/base/source.h"
#include "lib/mime/param.h"
#include "lib/mime/transfer.h"

#define MIME_NONE         UINT32_MAX /* no such part */
#define MIME_PATH_MAX     4096       /* a path in text, its NUL included */
#define MIME_LINE_MAX     2048       /* of a longer line only so much is looked at as a delimiter */
#define MIME_BOUNDARY_MAX 1000       /* bytes of a boundary; a longer one is none */
#define MIME_BOUNDARIES   4          /* boundaries of one multipart that count */
#define MIME_OVERLAPS     8          /* readings that may be open at a time beside the first */
#define MIME_FORKS        32         /* parts of a message that are there twice */
#define MIME_TYPE_MAX     64         /* bytes of a type, a subtype, a disposition */
#define MIME_PARAM_MAX    512        /* bytes of a parameter's value, cut */
#define MIME_TEXT_MAX     1024       /* bytes of a name, Content-ID, Content-Description, cut */

/* Limits that were reached; what was scanned until then is there. */
enum mime_limit {
	MIME_TOO_DEEP = 1,    /* a part that is deeper was not descended into */
	MIME_TOO_MANY = 2,    /* parts: the rest was not looked at */
	MIME_HEADER_LONG = 4, /* of a header only the first bytes were looked at */
	MIME_TOO_AMBIGUOUS =
	    8, /* MIME_OVERLAPS, MIME_FORKS, MIME_BOUNDARIES: one reading was left out */
	MIME_TEXT_FULL = 16, /* names and parameters of some parts were left out, or were cut */
};

/* X(name, word, ambiguous, what): flags of a part. */
#define MIME_FLAGS(X)                                                                              \
	X(TWO_TYPES, "two-types", 1, "Content-Type twice")                                         \
	X(TWO_ENCODINGS, "two-encodings", 1, "Content-Transfer-Encoding twice")                    \
	X(TWO_DISPOSITIONS, "two-dispositions", 1, "Content-Disposition twice")                    \
	X(TWO_PARAMETERS, "two-parameters", 1, "a parameter twice")                                \
	X(COMMENT, "comment", 1, "a comment within a structured field")                            \
	X(PARAMETERS, "parameters", 1, "parameters against the grammar: quotes, semicolons")       \
	X(NAMES, "names", 1, "several names of the file, or several ways to read one")             \
	X(TYPE, "type", 1, "a Content-Type without a type")                                        \
	X(ENCODING, "encoding", 1, "a Content-Transfer-Encoding that is not known")                \
	X(BOUNDARIES, "boundaries", 1, "several boundaries, or several ways to read one")          \
	X(BOUNDARY_PIECES, "boundary-pieces", 1, "a boundary by RFC 2231")                         \
	X(BOUNDARY_WORD, "boundary-word", 1, "a boundary with an encoded word")                    \
	X(BOUNDARY_BLANK, "boundary-blank", 1, "blanks behind a boundary, in the field or a line") \
	X(BOUNDARY_PREFIX, "boundary-prefix", 1, "a boundary that begins with another one")        \
	X(BOUNDARY_SAME, "boundary-same", 1, "a boundary that is one of a part around it")         \
	X(BOUNDARY_MISSING, "boundary-missing", 1, "a multipart without one, or an empty one")     \
	X(BOUNDARY_LONG, "boundary-long", 1, "a boundary of more than 70 letters")                 \
	X(BOUNDARY_TEXT, "boundary-text", 1, "a line with more than the boundary")                 \
	X(CLOSE_MISSING, "close-missing", 1, "a multipart without its close delimiter")            \
	X(CLOSE_BEHIND, "close-behind", 1, "parts behind the close delimiter")                     \
	X(EPILOGUE, "epilogue", 1, "text behind the close delimiter")                              \
	X(BARE_CR, "bare-cr", 1, "a line of a header, or a delimiter, that ends in CR alone")      \
	X(MIXED_ENDS, "mixed-ends", 1, "lines of headers that end in LF, and others in CRLF")      \
	X(HEADER_OPEN, "header-open", 1, "a header without an empty line behind it")               \
	X(HEADER_LINE, "header-line", 1, "a line of a header that is no field")                    \
	X(HEADER_BLANK, "header-blank", 1, "blanks before a colon, or a line of blanks")           \
	X(NUL, "nul", 1, "a NUL byte in a header")                                                 \
	X(ENCODED_MULTIPART, "encoded-multipart", 1, "a multipart with an encoding")               \
	X(ENCODED_MESSAGE, "encoded-message", 0, "a message/rfc822 in base64 or quoted-printable") \
	X(ALTERNATIVE, "alternative", 0, "the other reading of a part")                            \
	X(LEAF_TOO, "leaf-too", 0, "has parts, and is to be looked at as a whole, too")            \
	X(MULTIPART, "multipart", 0, "is a multipart, with parts or not")                          \
	X(MESSAGE, "message", 0, "is a message/rfc822 or message/global")                          \
	X(PARTIAL, "partial", 0, "message/partial: a piece of a message")                          \
	X(EXTERNAL, "external", 0, "message/external-body: the content is elsewhere")              \
	X(TYPE_GIVEN, "type-given", 0, "it has a Content-Type")                                    \
	X(ROOT, "root", 0, "a message itself: the whole, or what is in a message/rfc822")

enum mime_flag_number {
#define X(name, word, ambiguous, what) MIME_NUMBER_##name,
	MIME_FLAGS(X)
#undef X
	    MIME_FLAG_COUNT
};

/* The flags as bits, for `flags`: MIME_HAS(part->flags, ALTERNATIVE). */
#define MIME_BIT(name)        (UINT64_C(1) << MIME_NUMBER_##name)
#define MIME_HAS(flags, name) (((flags)&MIME_BIT(name)) != 0)

struct mime_limits {
	size_t depth;  /* parts within parts; the message itself is at 0 */
	size_t parts;  /* at most UINT32_MAX - 1 */
	size_t header; /* bytes of the header of one part */
};

struct mime_param {
	const char *name;  /* lower-case */
	const char *value; /* the reading to be preferred, in UTF-8 */
	const struct mime_param *next;
};

/*
 * One part. The ranges are offsets of the source:
 *
 *	line    the delimiter line before it; of a message, and of its only part, the same as start
 *	start   its header
 *	body    behind the header's empty line
 *	end     of its body: the line end before a delimiter belongs to that
 *	next    the delimiter line (of any multipart around it) that ends it, or the end of the source
 *
 * line <= start <= body <= end <= next. To drop a part of a multipart, leave out [line, next); to
 * replace it, replace [start, end). Of a part of one reading among several neither is exact.
 */
struct mime_part {
	uint32_t parent;   /* the index of the part it is in, smaller than its own; or MIME_NONE */
	uint32_t number;   /* which part of its parent, from 1 */
	uint32_t children; /* how many it has */
	uint16_t depth;
	uint8_t letter; /* 0, or the how-manieth alternative reading of the part of that number */
	uint8_t boundaries; /* that counted, of a multipart */
	uint64_t line;
	uint64_t start;
	uint64_t body;
	uint64_t end;
	uint64_t next;
	uint64_t preamble; /* of a multipart: [body, preamble) is before its first delimiter … */
	uint64_t epilogue; /* … and [epilogue, end) behind its last close delimiter; without, end */
	uint64_t flags;    /* bits: MIME_BIT */

	/* Never NULL; "" if not given. Good until mime_tree_free. */
	const char *type;    /* lower-case, as declared; by default "text" … */
	const char *subtype; /* … "plain", in a multipart/digest "message/rfc822" */
	const char *charset; /* as declared */
	const char *name;    /* of the file, in UTF-8: the reading to be preferred (mime_names) */
	const char *disposition;         /* lower-case: "attachment", "inline" … */
	const char *id;                  /* Content-ID, without blanks and angle brackets */
	const char *description;         /* Content-Description, in UTF-8 */
	const struct mime_param *params; /* of Content-Type: the first 16, but for boundaries */
	enum transfer encoding;          /* the first one */
	enum transfer encoding_last;     /* the last one, if there are two; else the same */
};

struct mime_arena;

struct mime_tree {
	struct mime_part *parts; /* [0] is the message; a part stands behind the one it is in */
	size_t count;
	unsigned limits;          /* enum mime_limit: those reached */
	uint64_t flags;           /* of all parts */
	struct mime_arena *arena; /* the texts */
};

/*
 * Scans a message. False with errno: it could not be read, no memory; the tree is empty then. The
 * caller frees it by mime_tree_free in either case.
 */
NODISCARD bool mime_scan(
    const struct source *source, const struct mime_limits *limits, struct mime_tree *tree);
void mime_tree_free(struct mime_tree *tree);

/* A parameter of a part's Content-Type ("method", "protocol", "report-type" …), or "". */
const char *mime_param(const struct mime_part *part, const char *name);

/* Whether it is to be looked at as a whole: it has no parts, or MIME_LEAF_TOO. */
NODISCARD bool mime_is_leaf(const struct mime_part *part);

/*
 * The part's place as IMAP numbers it (RFC 9051 section 6.4.5): "1" for a message that is no
 * multipart, else "1", "2.1" for its parts; a multipart that is a message itself, which IMAP does not
 * number, is "0", or "2.0" if the message is part 2. Alternative readings of a part are "1a", "2.1b",
 * those of a message "0a", "2.0b". Each part has a path of its own. False: `size` is too small;
 * MIME_PATH_MAX is enough for every depth that is a setting.
 */
NODISCARD bool mime_path(const struct mime_tree *tree, size_t index, char *text, size_t size);

/* The part with this path, or MIME_NONE. */
uint32_t mime_find(const struct mime_tree *tree, const char *path);

/*
 * Appends the part's header, [start, body), to `out`, as much as its bound permits. False with errno:
 * it could not be read, no memory.
 */
NODISCARD bool mime_header(
    const struct source *source, const struct mime_part *part, struct buf *out);

/*
 * Adds every reading of the file's name: filename of each Content-Disposition, then name of each
 * Content-Type, of at most `most` bytes of the header. False with errno: as above.
 */
NODISCARD bool mime_names(const struct source *source, const struct mime_part *part, size_t most,
    struct param_readings *names);

/* The word of a flag ("two-types"), what it means, and whether it is one of being ambiguous. */
const char *mime_flag_word(enum mime_flag_number flag);
const char *mime_flag_meaning(enum mime_flag_number flag);
NODISCARD bool mime_flag_ambiguous(enum mime_flag_number flag);

#endif
