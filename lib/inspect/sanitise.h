/*
 * HTML of strangers, made harmless by what is allowed and by nothing else: it is parsed, and what is written is made
 * anew of the tree, every letter of it by this code. Elements and attributes that are not known as harmless are not
 * written; the text of elements that are not known is, the content of what is no text to a reader (scripts, styles,
 * templates, frames, drawings) is not. Links become their text, with the place behind it to which they would lead.
 * Images are those that the caller has, as data:; in the place of any other stands its text.
 *
 * What is written cannot be read as anything else by another parser: no element in it changes how the text within
 * is read, and no letter of a text or of a value stands as itself that could end it.
 */
#ifndef SEKISHO_INSPECT_SANITISE_H
#define SEKISHO_INSPECT_SANITISE_H

#include "lib/base/buf.h"
#include "lib/base/sink.h"

/* What every document begins with. */
#define SANITISE_HEAD                                                                              \
	"<!doctype html><meta charset=utf-8><style>"                                               \
	":root{color-scheme:light}"                                                                \
	"body{margin:8px;font-family:sans-serif;line-height:1.5;overflow-wrap:anywhere;"           \
	"color:#000;background:#fff}"                                                              \
	"img,table{max-width:100%}img{height:auto}pre{white-space:pre-wrap}"                       \
	"h5,h6,small,sub,sup{font-size:12px}rt{font-size:9px}"                                     \
	"blockquote{margin:0 0 0 8px;padding-left:8px;border-left:2px solid #999}"                 \
	".l{text-decoration:underline}.t,.i{color:#555;background:#fff;font-size:13px}"            \
	"</style>"

#define SANITISE_DEPTH 200 /* elements within elements; what is deeper is written as text */
#define SANITISE_NODES ((size_t)200000)

struct sanitise_image {
	const char *type;  /* "image/png" */
	const char *bytes; /* good until the next one is asked for */
	size_t len;
};

struct sanitise_setup {
	size_t most;     /* bytes that may be written, images not counted */
	size_t images;   /* bytes of images */
	size_t memory;   /* that the parser may have, */
	unsigned cpu_ms; /* and processor time */

	/* The image with this Content-ID; false: it is not to be shown. */
	bool (*image)(void *context, const char *id, struct sanitise_image *image);
	void *context;
	struct sink out;
};

struct sanitise {
	struct sanitise_setup setup;
	size_t left;               /* bytes that may still be written */
	size_t images;             /* the same of images */
	unsigned asked;            /* how many images were asked for */
	size_t nodes;              /* that were seen */
	bool cut;                  /* something was left out because it was too much */
	bool full;                 /* nothing more is written but the ends of elements */
	bool refused;              /* the sink wanted no more */
	unsigned level;            /* elements that are open */
	bool open[SANITISE_DEPTH]; /* which of them were written */
	size_t dropped;            /* elements around whose content is not written */
	size_t held;
	char piece[4096];
};

/* Begins a document. */
void sanitise_open(struct sanitise *s, const struct sanitise_setup *setup);

/*
 * Adds HTML in UTF-8. False: the parser's limits were reached, and nothing of it was written. May be called several
 * times: a line stands between.
 */
NODISCARD bool sanitise_add(struct sanitise *s, const char *html, size_t len);

/* Everything has come. False: the sink wanted no more. */
NODISCARD bool sanitise_close(struct sanitise *s);

/* ---- view_style.c: values of attributes, and styles; pure functions ---- */

#define SANITISE_STYLE_MAX 512

/*
 * What is allowed of a style attribute, written anew: `style` gets declarations, or "". `ground` and `colour` (may be
 * NULL) are values of bgcolor= and text= that stand for declarations which are not there.
 */
void sanitise_style(
    const char *value, const char *ground, const char *colour, char style[SANITISE_STYLE_MAX]);

#define SANITISE_VALUE_MAX 40

/* The value of an attribute, written anew into `out`. False: the attribute or its value is not allowed. */
NODISCARD bool sanitise_attribute(
    const char *name, const char *value, char out[SANITISE_VALUE_MAX]);

/* ---- view_link.c ---- */

#define SANITISE_TARGET_MAX 128

/* Where a link would lead, in a few words: a host, an address. "": nowhere else. Not yet fit to be shown: view_add. */
void sanitise_target(const char *href, char target[SANITISE_TARGET_MAX]);

#endif
