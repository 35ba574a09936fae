/*
 * How seki-inspect(8) is asked. A connection is one process, which keeps what it was asked for and
 * tells the facts of one message after another. Packets: lib/inspect/packet.h. Values are xtext.
 *
 * employer -> seki-inspect
 *
 *   "A" ask: what is wanted of each message from now on. One or several packets, the last of them
 *       with the line "go". Lines:
 *         want WORD          one of INSPECT_WANTS; without any, the message and its parts alone
 *         pii KIND           a kind of lib/detect/hits.h
 *         list NAME          the words of etc/words/NAME
 *         word XTEXT         a word or phrase; told by its number, from 1
 *         regex XTEXT        the same, a regular expression
 *         field XTEXT        the name of a header field whose texts are told; by its number, too
 *         own DOMAIN         is not another company: the domain of the gateway's users
 *         unquoted           quoted replies are left out of all texts
 *         evidence N         values of each kind that are shown
 *         unmask             and not masked (for tests)
 *         limit NAME NUMBER  of INSPECT_LIMITS
 *   "R" recipients of the next message, for what compares them with its fields: addresses, one a
 *       line, in any number of packets
 *   "M" a message: four descriptors: a file, open for reading only; two empty files, for the bytes of
 *       one part and for what is unpacked of it; and one end of a socket pair of packets, over which
 *       everything about this message is said, so that it can answer for no other. Lines:
 *         content OFFSET SIZE
 *         from XTEXT         the reverse-path, if it is known
 *         view PATH          the part is rendered instead of facts being told
 * seki-inspect -> employer, over the message's socket
 *
 *   "F" facts: whole lines, as sekisho-facts(5) has them
 *   "V" bytes of a view
 *   "X" have this converted: "TOOL message|part|unpacked OFFSET SIZE"; the employer answers by
 *       "C" converted: "done", "done cut" or "done flawed" with a descriptor of the text, or a word
 *       of EXTRACT_FAULTS
 *
 * It is closed behind the last of them. Then, over the connection, and only by the process that did
 * not open this message,
 *
 *   "E" the facts of this message are complete: no text; or they are not: a word why. The employer
 *       adds `uninspectable` then, and also if the connection ends before it.
 *   "Q" the ask was wrong: why. The connection ends.
 */
#ifndef SEKISHO_INSPECT_PROTOCOL_H
#define SEKISHO_INSPECT_PROTOCOL_H

#include "lib/base/settings.h"
#include "lib/detect/hits.h"

#define INSPECT_SOCKET "run/inspect/socket"

/* W(NAME, word) */
#define INSPECT_WANTS(W)                                                                           \
	W(ADDRESSES, "addresses") /* of the fields, against the envelope */                        \
	W(FILES, "files")         /* what is attached: names, types, sizes, encrypted? */          \
	W(DIGESTS, "digests")     /* and the digest of each */                                     \
	W(INSIDE, "inside")       /* members of archives; whether all can be looked into */        \
	W(GREETING, "greeting")                                                                    \
	W(PROMISE, "promise") /* "attached", with nothing attached */                              \
	W(COMPANY, "company") /* names of etc/partners */

enum inspect_want {
#define W(name, word) WANT_##name,
	INSPECT_WANTS(W)
#undef W
	    WANT_COUNT
};

/* L(setting's field, name in "limit") */
#define INSPECT_LIMITS(L)                                                                          \
	L(inspect_time, "time") /* microseconds */                                                 \
	L(inspect_cpu, "cpu")   /* microseconds */                                                 \
	L(inspect_depth, "depth")                                                                  \
	L(inspect_parts, "parts")                                                                  \
	L(inspect_header, "header")                                                                \
	L(inspect_members, "members")                                                              \
	L(inspect_expansion, "expansion")                                                          \
	L(inspect_ratio, "ratio")                                                                  \
	L(inspect_html, "html")                                                                    \
	L(inspect_names, "names")                                                                  \
	L(convert_size, "convert")                                                                 \
	L(regex_steps, "steps")

struct inspect_limits {
#define L(field, name) int64_t field;
	INSPECT_LIMITS(L)
#undef L
};

#define ASK_WORDS_MAX   ((size_t)10000)
#define ASK_REGEXES_MAX ((size_t)500)
#define ASK_FIELDS_MAX  ((size_t)100)
#define ASK_TEXT_MAX    ((size_t)4 * 1024 * 1024)

/* What was asked, as it was read. Owned; ask_free. */
struct ask {
	unsigned want;  /* 1 << enum inspect_want */
	unsigned kinds; /* 1 << enum detect_kind */
	bool unquoted;
	bool unmask;
	size_t evidence;
	struct inspect_limits limits;
	char **list; /* names; the texts of these stand in `text` */
	size_t lists;
	char **word;
	size_t words;
	char **regex;
	size_t regexes;
	char **field; /* names of header fields */
	size_t fields;
	char **own;
	size_t owns;
	char **block; /* the packets' texts, which the words point into */
	size_t blocks;
	size_t bytes;
	bool complete; /* "go" was said */
};

/* Nothing wanted, the limits of settings' defaults. */
void ask_init(struct ask *ask);

/* Takes the limits, and how much evidence is shown, from the settings. */
void ask_limits(struct ask *ask, const struct settings *settings);

void ask_free(struct ask *ask);

/* Reads the lines of one "A". False with `fault` filled. */
NODISCARD bool ask_read(struct ask *ask, const char *text, size_t len, char *fault, size_t room);

/* An "M" as it was read. */
struct inspect_order {
	uint64_t offset;
	uint64_t size;
	bool has_from;
	char from[512];
	char view[256]; /* "": facts */
};

/* Reads its lines, which are changed. False: it is none. */
NODISCARD bool inspect_order_read(struct inspect_order *order, char *text);

#endif
