/*
 * A template of a notice, as it stands in etc/notices/LANGUAGE/NAME (sekisho-notices(5)): UTF-8, a
 * line "Subject: …", an empty line, and the text. In it
 *
 *     {name}    is replaced by the variable's value; a line that names one without a value is left
 *               out, and one whose variable has several is repeated, for each of them
 *     {?name}   nothing; the line is left out if there is no value
 *     {!name}   nothing; the line is left out if there is one
 *     {{        a brace
 *     \         at the end of a line: it is repeated together with the next one
 *
 * Empty lines that would follow each other become one, and none ends the text. Internal to
 * lib/notice.
 */
#ifndef SEKISHO_NOTICE_TEMPLATE_H
#define SEKISHO_NOTICE_TEMPLATE_H

#include "lib/base/buf.h"
#include "lib/base/conf.h"
#include "lib/notice/vars.h"

#define TEMPLATE_MAX      ((size_t)64 * 1024) /* bytes of a file */
#define TEMPLATE_LINE_MAX ((size_t)2000)

enum template_piece_kind {
	PIECE_TEXT,
	PIECE_VALUE,
	PIECE_IF,
	PIECE_UNLESS,
};

/* Points into the template's bytes. */
struct template_piece {
	enum template_piece_kind kind;
	const char *text; /* the text, or the name */
	size_t len;
};

struct template_line {
	size_t first; /* of its pieces */
	size_t pieces;
	bool joined; /* repeated together with the next */
};

struct notice_template {
	char *bytes;
	struct template_piece *piece;
	size_t pieces;
	struct template_line *line; /* the first one is the subject's */
	size_t lines;
};

/*
 * Reads `len` bytes that are said to come from `file`; `known` says which names there are. False with
 * `fault` filled; then there is nothing to free.
 */
NODISCARD bool template_read(const char *bytes, size_t len, const char *file,
    const char *const *known, size_t knowns, struct notice_template *t, struct conf_fault *fault);
void template_free(struct notice_template *t);

/*
 * What the template's subject begins with before the mail's own, "[配送保留]"; its length, 0 if it
 * begins with nothing or has none.
 */
size_t template_prefix(const struct notice_template *t, const char **prefix);

/*
 * Adds the subject's text; `subject` stands for {subject} there, NULL for none. Of a list all values,
 * parted by ", ". False: no memory, or no room.
 */
NODISCARD bool template_subject(const struct notice_template *t, const struct notice_vars *vars,
    const char *subject, struct buf *out);

/*
 * Adds the lines of the text, each with an LF; values stand as they are. At most `most` bytes: of what
 * is longer the last lines are missing, and a line "…" says so. False: no memory, or no room.
 */
NODISCARD bool template_text(
    const struct notice_template *t, const struct notice_vars *vars, size_t most, struct buf *out);

#endif
