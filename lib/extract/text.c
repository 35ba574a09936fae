/* Text, CSV and HTML in whatever charset. */
#include <stdlib.h>
#include <string.h>

#include "lib/extract/state.h"
#include "lib/text/charset.h"
#include "lib/text/html.h"

#define WINDOW      ((size_t)65536)
#define HTML_SIZE   ((size_t)2 * 1024 * 1024) /* where the caller sets no limit of his own */
#define HELD        ((size_t)16384)
#define WRONG_SHARE 20 /* one failure in so many bytes: it is not text of that charset */

/* Feeds the whole file. False: it could not be read; a sink that wants no more is no failure. */
static bool feed(struct inside *in, struct charset *c)
{
	char *bytes = malloc(WINDOW);
	uint64_t at = 0;
	bool good = bytes != NULL, wanted = true;

	if (bytes == NULL)
		inside_fault(in, EXTRACT_MEMORY);
	while (good && wanted && at < in->file.size) {
		ssize_t n = source_read(&in->file, at, bytes, WINDOW);

		good = n > 0;
		if (!good)
			inside_fault(in, EXTRACT_READ);
		else
			wanted = charset_feed(c, bytes, (size_t)n);
		at += good ? (uint64_t)n : 0;
	}
	free(bytes);
	return good && wanted && charset_end(c);
}

static void read_plain(struct inside *in, const char *label, struct sink out)
{
	struct charset *c = charset_open(label, out);

	if (c == NULL) {
		inside_fault(in, EXTRACT_MEMORY);
		return;
	}
	/* Letters that nobody could read were not looked at either. */
	if (feed(in, c) && charset_failures(c) > in->file.size / WRONG_SHARE)
		inside_fault(in, EXTRACT_FORMAT);
	charset_free(c);
}

/* ---- HTML ---- */

/*
 * What stands beside the text that is read, hidden or not, is a text of its own: it waits on the
 * scratch file until the other is complete.
 */
struct page {
	struct inside *in;
	struct html *html;
	struct spill beside;
	bool unwritten;
	size_t held;
	char hold[HELD];
};

static bool write_held(struct page *p)
{
	if (!p->unwritten && !spill_write(&p->beside, p->hold, p->held))
		p->unwritten = true;
	p->held = 0;
	return !p->unwritten;
}

static bool hold(struct page *p, const char *utf8, size_t len)
{
	while (len > 0) {
		size_t n = len < HELD - p->held ? len : HELD - p->held;

		memcpy(p->hold + p->held, utf8, n);
		p->held += n;
		utf8 += n;
		len -= n;
		if (p->held == HELD && !write_held(p))
			return false;
	}
	return true;
}

static bool take_shown(void *context, const char *utf8, size_t len, unsigned how)
{
	struct page *p = context;

	return (how & HTML_BESIDE) != 0 ? hold(p, utf8, len) : inside_text(p->in, utf8, len);
}

static bool take_source(void *context, const char *utf8, size_t len)
{
	struct page *p = context;

	return html_feed(p->html, utf8, len);
}

static void tell_beside(struct page *p)
{
	struct source all;
	uint64_t at = 0;
	bool wanted = write_held(p);

	if (p->unwritten)
		inside_fault(p->in, EXTRACT_READ);
	all = spill_source(&p->beside);
	inside_text_ends(p->in);
	while (wanted && at < all.size) {
		ssize_t n = source_read(&all, at, p->hold, sizeof p->hold);

		if (n <= 0) {
			inside_fault(p->in, EXTRACT_READ);
			break;
		}
		wanted = inside_text(p->in, p->hold, (size_t)n);
		at += (uint64_t)n;
	}
}

static void read_html(struct inside *in, const char *label)
{
	uint64_t most = in->x->setup.limits.html;
	const struct html_limits limits = {
	    most > 0 ? (size_t)most : HTML_SIZE, HTML_MEMORY, HTML_CPU_MS};
	struct html_told told = {.too_long = false};
	struct page *p = malloc(sizeof *p);

	if (p == NULL) {
		inside_fault(in, EXTRACT_MEMORY);
		return;
	}
	p->in = in;
	p->held = 0;
	p->unwritten = false;
	spill_begin(in->x, &p->beside);
	p->html = html_open(&limits, take_shown, p);
	if (p->html == NULL) {
		inside_fault(in, EXTRACT_MEMORY);
	} else {
		read_plain(in, label, (struct sink){take_source, p});
		if (html_end(p->html, &told))
			tell_beside(p);
		/* Without its elements it was read all the same, but not as its reader sees it. */
		if (told.too_long || told.too_complex)
			inside_fault(in, EXTRACT_SIZE);
	}
	html_free(p->html);
	spill_end(&p->beside);
	free(p);
}

static void read_as(struct inside *in, const char *label)
{
	if (in->found->format == FORMAT_HTML)
		read_html(in, label);
	else
		read_plain(in, label, inside_sink(in));
}

/* How programs may read it, by its beginning; where that cannot be had, by its label. */
static void readings_of(struct inside *in, struct charset_readings *readings)
{
	size_t most = in->file.size < WINDOW ? (size_t)in->file.size : WINDOW;
	char *head = malloc(most + 1);
	ssize_t n = head != NULL ? source_read(&in->file, 0, head, most) : -1;

	charset_readings_of(in->label, n > 0 ? head : "", n > 0 ? (size_t)n : 0,
	    in->found->format == FORMAT_HTML, readings);
	free(head);
}

void read_text(struct inside *in)
{
	struct charset_readings r;

	if (!in->deep)
		return;
	readings_of(in, &r);
	if (r.differ)
		inside_fault(in, EXTRACT_AMBIGUOUS);
	read_as(in, r.label);
	for (size_t k = 0; k < r.count; k++) {
		inside_text_ends(in);
		read_as(in, r.others[k]);
	}
}
