/*
 * What a page shows of a message: an outline of it, its HTML made harmless, one part as bytes. It is written into a
 * file, in the process that opens this message and no other (lib/view/serve.c).
 */
#ifndef SEKISHO_INSPECT_VIEW_H
#define SEKISHO_INSPECT_VIEW_H

#include "lib/base/buf.h"
#include "lib/inspect/facts.h"

#define VIEW_TEXT_MAX  ((size_t)256 * 1024)      /* bytes of the text in an outline */
#define VIEW_FIELD_MAX ((size_t)8 * 1024)        /* of each header field */
#define VIEW_PART_MAX  ((size_t)255)             /* letters of the path of a part that is told */
#define VIEW_FILES_MAX ((size_t)400)             /* in an outline */
#define VIEW_IMAGES    ((size_t)2 * 1024 * 1024) /* bytes of the images that HTML shows, together */

enum view_told {
	VIEW_TOLD,
	VIEW_TOLD_CUT, /* what is there is true, but it is not all */
	VIEW_TOLD_NONE, /* there is no such part, or no HTML that is small and simple enough to be shown */
	VIEW_TOLD_FAILED,
};

struct view_bounds {
	size_t html;  /* setting view-html */
	size_t image; /* view-image */
};

/* Into the file `out`, from its beginning; its size is what was written, unless it failed. */
enum view_told inspection_outline(struct inspection *i, const struct view_bounds *bounds, int out);
enum view_told inspection_html(struct inspection *i, const struct view_bounds *bounds, int out);
enum view_told inspection_file(struct inspection *i, const char *path, int out);

/* ---- letters ---- */

/*
 * What is shown of a letter: the letter, a blank or a line end in the place of another one, or 0: nothing. Nothing is
 * left that acts on a terminal, hides, or turns a line round.
 */
uint32_t view_letter(uint32_t c);

/* Appends what is shown of a text; what is no UTF-8 becomes U+FFFD. `lines`: line ends and tabs stay, else blanks. */
void view_add(struct buf *out, const char *utf8, size_t len, bool lines);

/* Whether a text is such a one. */
NODISCARD bool view_is_shown(const char *utf8, size_t len, bool lines);

/* ---- between view_*.c ---- */

/*
 * Appends the text of a part in UTF-8, its encoding and charset undone, to `text`, as much as its bound permits, in
 * whole letters; `*cut`: there is more. False: it could not be read.
 */
NODISCARD bool view_utf8(
    struct inspection *i, size_t part, bool is_html, struct buf *text, bool *cut);

/*
 * Whether less than a quarter of the time for a message has gone: many archives, or parts of HTML that take long, must
 * not keep a reader from seeing the message at all, and when it has no more of them is opened. (A process opens one
 * message, and no other.)
 */
NODISCARD bool view_has_time(const struct inspection *i);

/* Whether view_html shows this part. */
NODISCARD bool view_is_html(const struct inspection *i, size_t part);

/* The text that a reader sees first, appended to `text`. False: no memory; `*cut`: there is more. */
NODISCARD bool view_first_text(struct inspection *i, struct buf *text, bool *cut);

/* Keeps in i->cids what the HTML shows by cid:, and says whether it is not too large to be shown. */
NODISCARD bool view_look_at_html(struct inspection *i, const struct view_bounds *bounds);

/* Words of view.h's `warnings`, of a part that is a file. */
#define VIEW_WARNINGS(W)                                                                           \
	W(TYPE, "type")                                                                            \
	W(PROGRAM, "program")                                                                      \
	W(MACROS, "macros")                                                                        \
	W(ENCRYPTED, "encrypted")                                                                  \
	W(DOUBLE, "double")                                                                        \
	W(NAME, "name")                                                                            \
	W(NESTED, "nested")

enum view_warning {
#define W(name, word) VIEW_WARNS_##name,
	VIEW_WARNINGS(W)
#undef W
	    VIEW_WARNING_COUNT
};

const char *view_warning_word(enum view_warning warning);

struct view_file {
	struct filename name;
	char type[2 * MIME_TYPE_MAX + 2]; /* as declared */
	char kind[96];                    /* what its bytes are */
	uint64_t size;
	unsigned warnings; /* 1 << enum view_warning */
	bool shown;        /* an image that the HTML shows where it stands */
	bool unopened;     /* an archive that was not looked into: too much time has gone */
};

/* Looks at one part. False: it is no file that a reader is told of. */
NODISCARD bool view_look_at_file(struct inspection *i, size_t part, struct view_file *file);

#endif
