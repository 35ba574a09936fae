/*
 * Between the files of lib/inspect: the inspection of one message. message.c goes through it, fields.c
 * tells its header, parts.c decides what each part is, bodies.c and files.c open them, texts.c hands
 * every text to the detectors.
 */
#ifndef SEKISHO_INSPECT_FACTS_H
#define SEKISHO_INSPECT_FACTS_H

#include "lib/base/source.h"
#include "lib/detect/detect.h"
#include "lib/extract/extract.h"
#include "lib/inspect/inspect.h"
#include "lib/inspect/out.h"
#include "lib/mime/filename.h"
#include "lib/mime/scan.h"

struct texts;
struct said; /* what was asked about words, made ready: said.h */

/* What a part is to whoever reads the message (trap C8; the table is in sekisho-facts(5)). */
#define PART_ROLES(R)                                                                              \
	R(CONTAINER, "container") /* a multipart */                                                \
	R(BODY, "body")           /* text that is shown */                                         \
	R(FILE, "file")           /* what people call an attachment: it is counted */              \
	R(INLINE, "inline")       /* an image that the HTML text shows by cid: */                  \
	R(SIGNATURE, "signature") /* S/MIME or PGP, of a multipart/signed */                       \
	R(CALENDAR, "calendar")   /* an invitation that is shown as one */                         \
	R(REPORT, "report")       /* the machine's part of a multipart/report */                   \
	R(MESSAGE, "message")     /* a message as an attachment: it is counted, and opened */      \
	R(SEALED, "sealed")       /* the encrypted content of S/MIME or PGP */

enum part_role {
#define R(name, word) ROLE_##name,
	PART_ROLES(R)
#undef R
	    ROLE_COUNT
};

const char *part_role_word(enum part_role role);

struct part_view {
	enum part_role role;
	bool nested; /* in a message within the message */
	bool other;  /* text of a format of its own (RTF), which is opened by its bytes, too */
};

/* One employer's questions, ready for any number of messages. */
struct inspector {
	const struct inspect_tables *tables;
	struct ask ask;
	struct said *said;
	struct namer *namer;
};

NODISCARD struct inspector *inspector_new(
    const struct inspect_tables *tables, struct ask *ask, char *fault, size_t room);
void inspector_free(struct inspector *inspector);

/* The message in hand. */
struct inspection {
	const struct inspector *by;
	int socket;             /* of the employer */
	struct source message;  /* the content */
	int part;               /* scratch for the bytes of one part, */
	int unpacked;           /* and for what is unpacked of it */
	const char *from;       /* reverse-path, decoded */
	const char *recipients; /* a text of addresses, each ended by a newline */
	size_t recipients_len;
	struct mime_tree tree;
	struct part_view *view; /* one for each part */
	struct facts_out *out;
	struct texts *texts;
	struct extract *extract;
	struct extract_told told; /* whom the extraction tells; zero: the facts */
	struct buf header;        /* of the message, each line ended by CRLF */
	bool header_read;
	struct buf cids;  /* the Content-IDs that HTML texts refer to, each ended by a newline */
	struct buf names; /* of files, waiting to be looked at; each ended by a newline */
	char current[MIME_PATH_MAX]; /* path of the part that is being opened */
	size_t files;                /* that count */
	uint64_t files_size;         /* of those, decoded */
	bool promises;               /* the text speaks of something attached */
	bool armoured;               /* a text holds a message of PGP */
	bool automatic;              /* sent by a machine */
	bool reply;
	bool text_open;          /* a text of a file is */
	enum detect_place place; /* of the texts of the file that is being opened */
	bool shared; /* this process opens other messages, too: plain text and nothing else */
	bool alone;  /* more than that was met: a process of its own is to begin again */
};

/* Scans it and says what its parts are. False: no facts can be told but `uninspectable`, which is. */
NODISCARD bool inspection_begin(struct inspection *i);

/* Whether it holds nothing but plain text, which the employer's own process may open. */
NODISCARD bool inspection_is_plain(const struct inspection *i);

/* Tells all facts that were asked for. */
void inspection_tell(struct inspection *i);
void inspection_end(struct inspection *i);

/* Forgets what was told, so that it can be told again. */
void inspection_again(struct inspection *i);

/* Renders one part (protocol.h, "view"). False: there is no such part. */
NODISCARD bool inspection_view(struct inspection *i, const char *path);

/* The header of the message, read once. NULL: it could not be, which was told. */
NODISCARD const struct buf *inspection_header(struct inspection *i);

/* Appends the header of a part, each line ended by CRLF. False: not all of it is there. */
NODISCARD bool part_header(struct inspection *i, size_t part, struct buf *header);

/* ---- steps of inspection_tell ---- */

void tell_subject(struct inspection *i);   /* fields.c */
void tell_fields(struct inspection *i);    /* the texts of those that were asked for */
void tell_message(struct inspection *i);   /* the same, behind the others */
void tell_addresses(struct inspection *i); /* addresses.c */
void tell_bodies(struct inspection *i);    /* bodies.c */
void tell_headers(struct inspection *i);   /* headers.c */
void tell_files(struct inspection *i);     /* files.c */
void tell_evidence(struct inspection *i);  /* evidence.c */

void tell_greeting(struct inspection *i); /* greet.c */

/* uninspectable part=… reason=… [member=…] */
void tell_uninspectable(
    struct inspection *i, const char *part, const char *reason, const char *member);

/* ---- parts.c ---- */

/* Fills i->view by the tree alone. Whether an image is shown by cid: is known behind the bodies. */
void parts_judge(struct inspection *i);

/*
 * Whether some program shows it as HTML that is declared as something else: it has two types, or one
 * of text that is neither plain nor HTML.
 */
NODISCARD bool part_may_be_html(const struct mime_part *p);

/* Whether one of the parts around it is a multipart of this subtype. */
NODISCARD bool part_is_within(
    const struct inspection *i, const struct mime_part *p, const char *subtype);

/* Whether such a part counts as a file for rules. */
NODISCARD bool role_counts(enum part_role role);

/* Whether files are to be opened, and not only named. */
NODISCARD bool inspection_is_deep(const struct inspection *i);

/* Makes i->extract. False: no memory. */
NODISCARD bool files_ready(struct inspection *i);

/* One part, as a file. */
void tell_one_file(struct inspection *i, size_t part);

/* Whether the bytes of a part that is a file say that it is shown in the text, or no signature. */
void part_settle_role(
    struct inspection *i, size_t part, const struct source *file, const struct extract_file *found);

/* A file that stood encoded in the text of a part; its name as it stood there. */
void tell_file_in_text(
    struct inspection *i, size_t part, const char *raw, size_t len, const struct source *file);

/* extract.h's convert: asks the employer, who asks seki-convert. */
bool convert_for(void *context, enum convert_tool tool, const struct source *file, struct sink out,
    bool *encrypted);

/* Whether it is text that people read, and not a file that is opened. */
NODISCARD bool role_is_text(enum part_role role);

/*
 * The bytes of a part, this encoding of it undone, as a source; they stand in i->part unless it is not
 * encoded. Programs differ in which of two encodings they take (encoding, encoding_last).
 */
NODISCARD bool part_decode(
    struct inspection *i, size_t part, enum transfer encoding, struct source *decoded);

/* The same, the first bytes alone, at most EXTRACT_HEAD of them into `head`. False: read error. */
NODISCARD bool part_head(
    struct inspection *i, size_t part, enum transfer encoding, struct buf *head);

/* The fields of a header that is the text of a part, decoded (headers.c). */
void tell_header_text(struct inspection *i, const char *bytes, size_t len);

/* ---- texts.c: every text goes through here ---- */

NODISCARD struct texts *texts_new(const struct inspector *by);
void texts_free(struct texts *t);
void texts_begin(struct texts *t, enum detect_place place);
NODISCARD bool texts_feed(struct texts *t, const char *utf8, size_t len);

/* The same for what is known to be a quoted reply. */
NODISCARD bool texts_feed_quoted(struct texts *t, const char *utf8, size_t len);
void texts_end(struct texts *t);

/* A sink that feeds it. */
struct sink texts_sink(struct texts *t);

/*
 * Names of files, one a line: as they are for words and expressions, and for the detectors of values
 * the same, as long, with what ends a value in a name made a line end.
 */
void texts_names(struct texts *t, const char *names, const char *values, size_t len);

/* A short text of its own. */
void texts_one(struct texts *t, enum detect_place place, const char *utf8, size_t len);

#endif
