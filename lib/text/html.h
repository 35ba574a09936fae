/*
 * HTML as a reader sees it, by libgumbo. Text comes in two streams. The first is what is read: words
 * are not glued (blocks, lines, cells and entries of lists are apart) and not cut (<b>, <wbr> or a
 * hidden piece within a word leave it whole); alt texts and the values of fields are a part of it.
 * The second is what stands beside it (HTML_BESIDE), a line each: text hidden by the element's own
 * attributes (display:none, visibility:hidden, font-size:0, opacity:0, hidden, colour as its ground,
 * a box of no size), comments, titles, readings of ruby, addresses of mailto: and tel: links,
 * templates and frames that are not shown. Another program may show it, and whoever looks at the
 * source sees it.
 *
 * The ground is white if nothing around says otherwise; of style sheets, rules for one tag, class or id
 * count, and others are not applied: what only they hide is read. Scripts, style sheets and inline images
 * are left out, and counted. Quoted replies are marked (HTML_QUOTED): <blockquote type=cite>, the
 * containers of Gmail, Yahoo and Proton, and what follows Outlook's divRplyFwdMsg; what only looks
 * like a quotation is for lib/text/quote.h, which reads the text.
 *
 * HTML within the limits is read by libgumbo, a standard's parser. What is longer than `size`, or
 * takes more memory or time than a document has need of, is read without tags instead: all text, all
 * attributes beside it, no element understood. That is told; nothing is lost.
 */
#ifndef SEKISHO_TEXT_HTML_H
#define SEKISHO_TEXT_HTML_H

#include "lib/base/compat.h"

#define HTML_QUOTED 1u
#define HTML_BESIDE 2u

struct html_limits {
	size_t size;     /* bytes without inline images (setting inspect-html) */
	size_t memory;   /* bytes that the parser may have */
	unsigned cpu_ms; /* processor time that it may take */
};

/* For mail: 24 MB hold 2 MB of HTML of any usual kind, which take 0.1 s. */
#define HTML_MEMORY ((size_t)24 * 1024 * 1024)
#define HTML_CPU_MS 1000

struct html_told {
	bool too_long;     /* what lies beyond `size` was read without tags */
	bool too_complex;  /* memory or time did not suffice: all of it was read without tags */
	uint64_t hidden;   /* bytes of text that a reader does not see, comments not counted */
	uint64_t left_out; /* bytes of scripts, style sheets and inline images */
};

/*
 * Takes UTF-8, cut anywhere between letters; `how`: HTML_QUOTED, HTML_BESIDE or both. The two
 * streams are mixed, and each is to be read as a text of its own. False: no more is wanted.
 */
typedef bool html_take(void *context, const char *utf8, size_t len, unsigned how);

struct html;

/* NULL: no memory. The caller frees it by html_free. */
NODISCARD struct html *html_open(const struct html_limits *limits, html_take *take, void *context);

/* More UTF-8, whole letters (lib/text/charset.h). False: no more is wanted, or no memory. */
NODISCARD bool html_feed(struct html *h, const char *utf8, size_t len);

/* The text ends; `told` is filled in any case. False: as above. */
NODISCARD bool html_end(struct html *h, struct html_told *told);
void html_free(struct html *h);

#endif
