/* What a page's file has become. Internal to template*.c. */
#ifndef SEKISHO_WEB_TEMPLATE_INSIDE_H
#define SEKISHO_WEB_TEMPLATE_INSIDE_H

#include "lib/web/template.h"

#define TEMPLATE_NAME_MAX  ((size_t)64)   /* of a page, with its NUL */
#define TEMPLATE_TAG_MAX   ((size_t)4096) /* bytes between {{ and }} */
#define TEMPLATE_NEST_MAX  ((size_t)16)   /* sections within sections of one file */
#define TEMPLATE_NODES_MAX ((size_t)8192) /* of one file */

/* ---- where a tag stands -------------------------------------------------------------------- */

enum template_place {
	PLACE_TEXT,  /* between tags, or in a double-quoted attribute */
	PLACE_PART,  /* part of a URL */
	PLACE_WHOLE, /* the whole of a URL */
};

enum walk_state {
	WALK_TEXT,
	WALK_SHOWN,   /* in <title> or <textarea>: text until its end tag */
	WALK_CLOSED,  /* in <script>, <style> or <iframe>: nothing may stand there */
	WALK_OPEN,    /* behind "<" */
	WALK_DECLARE, /* behind "<!" */
	WALK_COMMENT,
	WALK_NAME,     /* of an element */
	WALK_END,      /* "</name" */
	WALK_END_REST, /* behind that: blanks */
	WALK_BETWEEN,  /* in a tag, between attributes */
	WALK_ATTRIBUTE,
	WALK_EQUALS, /* behind "name=" */
	WALK_VALUE,
	WALK_SLASH, /* the "/" of "/>" */
};

/* How far the URL in an attribute is known to lead nowhere else. */
enum walk_url {
	URL_NONE, /* the attribute is none */
	URL_OPEN, /* what stands there so far does not say */
	URL_SAFE, /* a path, query or fragment of ours, or one behind a host that stands there */
	URL_BARE, /* it began with a value: no literal may make a scheme or a host of it */
};

/* HTML as a browser divides it, as far as the files here may use it: strictly. */
struct walk {
	enum walk_state state;
	enum walk_url url;
	bool maybe; /* URL_OPEN: nothing, or a section's URL that is safe, stands there already */
	bool need_blank;     /* in WALK_BETWEEN: the next attribute is not parted yet */
	bool closed_to_tags; /* in WALK_VALUE: no tag may stand there; in a tag: nor in its URLs */
	char element[16];    /* of the tag that is open, or whose text this is */
	char attribute[24];  /* lower case; cut */
	char start[128];     /* of a URL */
	size_t start_len;
	char tail[4]; /* the last bytes of a comment or declaration */
	size_t tail_len;
	unsigned tag_serial, value_serial,
	    serial;      /* which tag, which value; the last that was given */
	const char *why; /* the fault */
};

void web_walk_begin(struct walk *w);

/* One byte; `*keep`: whether it belongs into the page (a comment does not). False: `why`. */
NODISCARD bool web_walk_byte(struct walk *w, unsigned char c, bool *keep);

/* Whether this tag may stand here; false: `why`. */
NODISCARD bool web_walk_value(
    struct walk *w, bool ends_value, bool named_url, enum template_place *place);
NODISCARD bool web_walk_words(struct walk *w);
NODISCARD bool web_walk_page(struct walk *w);
NODISCARD bool web_walk_comment(struct walk *w);

/* A section begins, and ends: it may be left out, or stand there twice. `from` is for the end. */
NODISCARD bool web_walk_open(struct walk *w, struct walk *from);
NODISCARD bool web_walk_close(struct walk *w, const struct walk *from);

/* At the end of the file. */
NODISCARD bool web_walk_end(struct walk *w);

/* ---- a page -------------------------------------------------------------------------------- */

enum node_kind {
	NODE_BYTES,
	NODE_VALUE,
	NODE_SECTION,
	NODE_EMPTY,
	NODE_PAGE,
	NODE_WORDS,
	NODE_MANY
};

struct node {
	enum node_kind kind;
	enum template_place place;
	size_t text; /* in `bytes` of the page, NUL-ended: a name, a msgid; NODE_BYTES: no NUL */
	size_t len;  /* NODE_BYTES */
	size_t many; /* NODE_MANY: the plural */
	size_t name; /* NODE_MANY: whose number */
	size_t end;  /* NODE_SECTION, NODE_EMPTY: the first node behind it */
	size_t page; /* NODE_PAGE: which */
	unsigned line, column;
};

struct template_page {
	char name[TEMPLATE_NAME_MAX];
	struct buf bytes;
	struct node *node;
	size_t nodes, room;
};

struct web_templates {
	struct template_page *page;
	size_t pages;
};

/* Takes a file apart. False with the fault's line, column and text. NODE_PAGE.page is not set yet. */
NODISCARD bool web_template_parse(
    struct template_page *page, const char *bytes, size_t len, struct conf_fault *fault);

/* A name: letters a-z, digits, "-" and "_", beginning with a letter; parts joined by "."; or "." alone. */
NODISCARD bool web_template_is_name(const char *text, size_t len);

/* The length of "{name}" at `text`, of which `len` bytes are there; 0: there is none. */
NODISCARD size_t web_template_brace(const char *text, size_t len);

static inline const char *web_template_text(const struct template_page *page, size_t at)
{
	return page->bytes.bytes + at;
}

#endif
