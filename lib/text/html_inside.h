/* What the files of html*.c share. */
#ifndef SEKISHO_TEXT_HTML_INSIDE_H
#define SEKISHO_TEXT_HTML_INSIDE_H

#include "lib/base/buf.h"
#include "lib/text/html_arena.h"

/* ---- writing: html_write.c ---- */

#define HTML_WRITTEN ((size_t)2048)

/* One of the two streams. Blanks and line ends wait until text follows. */
struct html_stream {
	char bytes[HTML_WRITTEN];
	size_t len;
	unsigned how;
	unsigned lines; /* line ends that wait, at most 2 */
	bool blank;     /* a blank waits */
	bool soft;      /* it was a line's end of the source */
	bool begun;
	unsigned char last; /* byte that was written */
};

struct html_writer {
	html_take *take;
	void *context;
	bool refused;
	struct html_stream seen;
	struct html_stream beside;
};

/* Text into the stream that `how` names. `pre`: its blanks and lines are as they stand. */
void html_write(struct html_writer *w, const char *text, size_t len, unsigned how, bool pre);

/* The stream goes on in another line, or behind `lines` - 1 empty ones. */
void html_lines(struct html_writer *w, unsigned lines, unsigned how);
void html_break(struct html_writer *w, unsigned how); /* one line's end more */
void html_blank(struct html_writer *w, unsigned how);
void html_flush(struct html_writer *w);

/* ---- without tags: html_strip.c ---- */

enum strip_state {
	STRIP_TEXT,
	STRIP_ENTITY, /* behind & */
	STRIP_OPEN,   /* behind < */
	STRIP_TAG,
	STRIP_MARKUP, /* behind <!, which may be a comment */
	STRIP_COMMENT
};

struct html_strip {
	enum strip_state state;
	unsigned how;  /* of the text */
	char word[16]; /* the entity, or the tag's name */
	size_t word_len;
	char quote;      /* of the attribute's value */
	bool value;      /* = was the last */
	bool named;      /* the name is complete */
	char code[16];   /* script or style, until its end tag */
	unsigned dashes; /* that may end a comment */
};

/* Text of tags and comments goes beside. */
void html_strip(struct html_strip *s, struct html_writer *w, const char *html, size_t len);
void html_strip_end(struct html_strip *s, struct html_writer *w);

/* ---- elements: html_walk.c, html_style.c ---- */

/*
 * Writes what a document says. False: the parser's limits were reached, and nothing was written.
 * `after` gets how the text behind it is to be taken (HTML_QUOTED).
 */
NODISCARD bool html_document(struct html_writer *w, const char *html, size_t len,
    const struct html_limits *limits, struct html_told *told, unsigned *after);

/* What declarations say of an element. */
#define HTML_HIDES  1u /* nobody sees it */
#define HTML_GROUND 2u /* it has a ground that is not white */
#define HTML_WHITE  4u /* its text is white, and it has no ground of its own */

/* What a style attribute says: HTML_HIDES, HTML_GROUND, HTML_WHITE. */
unsigned html_style_says(const char *style);

/* The rules of style sheets for one tag, class or id that say any of these; the first RULES_MOST. */
#define RULES_MOST    64
#define SELECTOR_MOST 48

struct html_rules {
	size_t n;
	struct {
		char selector[SELECTOR_MOST]; /* "p", ".class", "#id" */
		unsigned says;
	} rules[RULES_MOST];
};

/* Reads a style sheet. Rules within @media and its like do not count: they may never apply. */
void html_rules_read(struct html_rules *r, const char *sheet);

/* What they say of an element; `classes` and `id` may be NULL. */
unsigned html_rules_say(
    const struct html_rules *r, const char *tag, const char *classes, const char *id);

/* Whether a blank-separated list has the word. */
bool html_has_word(const char *words, const char *word);

/* HTML_WHITE or HTML_GROUND, if a text of this colour, or a ground of it, has it; else 0. */
unsigned html_colour_says(const char *colour, const char *ground);

/* Whether the two are one colour, as far as one sees it from how they are written. */
bool html_same_colour(const char *a, const char *b);

#endif
