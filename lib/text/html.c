#include "lib/text/html.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/text/html_inside.h"

#define DATA_KEPT ((size_t)64) /* of a "data:" address: enough to know what it is */
#define CUT_BACK  ((size_t)4096)

/* An inline image is cut out before it fills the room for the text. */
struct cutter {
	bool tag;
	char quote;   /* of the value in which we are */
	char last[4]; /* bytes before, in lower case */
	char before;  /* the one before those */
	bool data;
	size_t seen; /* bytes of the address */
};

struct html {
	struct html_limits limits;
	struct html_writer writer;
	struct html_told told;
	struct buf source;
	struct cutter cutter;
	bool beyond; /* `size` was reached: what comes is read without tags */
	struct html_strip strip;
	bool failed; /* no memory */
};

struct html *html_open(const struct html_limits *limits, html_take *take, void *context)
{
	struct html *h = calloc(1, sizeof *h);

	if (h == NULL)
		return NULL;
	h->limits = *limits;
	h->writer.take = take;
	h->writer.context = context;
	h->writer.beside.how = HTML_BESIDE;
	buf_init(&h->source, limits->size);
	return h;
}

void html_free(struct html *h)
{
	if (h == NULL)
		return;
	buf_free(&h->source);
	free(h);
}

/* ---- inline images ---- */

static bool is_base64(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("+/=%-_.", c) != NULL);
}

/* Whether the byte is a part of an address that is cut out; `keep`: its beginning stays. */
static bool within_data(struct cutter *c, char byte, bool *keep)
{
	bool blank = byte == '\n' || byte == '\r' || byte == ' ' || byte == '\t';

	*keep = ++c->seen <= DATA_KEPT;
	if (is_base64(byte) || (*keep && (byte == ';' || byte == ',')) ||
	    (c->quote != '\0' && c->tag && blank))
		return true;
	c->data = false;
	return false;
}

static void track(struct cutter *c, char byte)
{
	char low = byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
	bool address = byte == ':' && memcmp(c->last, "data", 4) == 0 &&
		       ((c->tag && strchr("\"'=(", c->before) != NULL) || c->before == '(');

	if (address && c->before != '\0') {
		c->data = true;
		c->seen = 0;
	}
	if (!c->tag) {
		c->tag = c->last[3] == '<' && ((low >= 'a' && low <= 'z') || low == '/');
		c->quote = '\0';
	} else if (c->quote != '\0') {
		c->quote = byte == c->quote ? '\0' : c->quote;
	} else if (byte == '>') {
		c->tag = false;
	} else if ((byte == '"' || byte == '\'') && c->last[3] == '=') {
		c->quote = byte;
	}
	c->before = c->last[0];
	memmove(c->last, c->last + 1, sizeof c->last - 1);
	c->last[sizeof c->last - 1] = low;
}

/* Copies what is not cut out to `to`, which has room for all. Returns the length. */
static size_t cut_images(struct html *h, const char *html, size_t len, char *to)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		bool keep = true;

		if (!h->cutter.data || !within_data(&h->cutter, html[i], &keep)) {
			keep = true;
			track(&h->cutter, html[i]);
		}
		if (keep)
			to[n++] = html[i];
		else
			h->told.left_out++;
	}
	return n;
}

/* ---- the text ---- */

/* So many of the `most` bytes that no letter is cut. */
static size_t whole_letters(const char *bytes, size_t len, size_t most)
{
	if (most >= len)
		return len;
	while (most > 0 && ((unsigned char)bytes[most] & 0xc0) == 0x80)
		most--;
	return most;
}

/* What is there is a document; the rest is read without tags. */
static void document(struct html *h, size_t len)
{
	unsigned after = 0;

	if (len > 0 &&
	    !html_document(&h->writer, h->source.bytes, len, &h->limits, &h->told, &after)) {
		h->told.too_complex = true;
		html_strip(&h->strip, &h->writer, h->source.bytes, len);
	}
	h->strip.how = after;
}

/* `size` is reached: a tag that is not whole is left for the rest. */
static void go_beyond(struct html *h)
{
	size_t len = h->source.len, least = len > CUT_BACK ? len - CUT_BACK : 0, cut = len;

	while (cut > least && h->source.bytes[cut - 1] != '<')
		cut--;
	cut = cut == least ? len : cut - 1; /* no tag nearby: the source ends with a letter */

	h->told.too_long = h->beyond = true;
	document(h, cut);
	if (h->writer.seen.lines >
	    1) /* elements that are still open were closed, which none sees */
		h->writer.seen.lines = 1;
	if (len > 0)
		html_strip(&h->strip, &h->writer, h->source.bytes + cut, len - cut);
	buf_free(&h->source);
}

static void take_piece(struct html *h, const char *bytes, size_t len)
{
	size_t room = h->limits.size - h->source.len;
	size_t n = whole_letters(bytes, len, room);

	if (!h->beyond) {
		buf_add(&h->source, bytes, n);
		if (!buf_ok(&h->source)) {
			h->failed = true;
			return;
		}
		bytes += n;
		len -= n;
		if (len == 0)
			return;
		go_beyond(h);
	}
	html_strip(&h->strip, &h->writer, bytes, len);
}

bool html_feed(struct html *h, const char *utf8, size_t len)
{
	char piece[4096];

	while (len > 0 && !h->failed && !h->writer.refused) {
		size_t n = whole_letters(utf8, len, sizeof piece);

		take_piece(h, piece, cut_images(h, utf8, n, piece));
		utf8 += n;
		len -= n;
	}
	return !h->failed && !h->writer.refused;
}

bool html_end(struct html *h, struct html_told *told)
{
	if (!h->failed && !h->beyond)
		document(h, h->source.len);
	html_strip_end(&h->strip, &h->writer);
	html_flush(&h->writer);
	*told = h->told;
	return !h->failed && !h->writer.refused;
}
