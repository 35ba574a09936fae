/*
 * Text with quoted lines: whole or in pieces it is told the same, all of it but the marks, in its
 * order. The first byte chooses the pieces.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/text/charset.h"
#include "lib/text/quote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	struct buf text;
	struct buf quoted; /* a byte for each of the text */
};

static bool take(void *context, const char *text, size_t len, bool quoted)
{
	struct seen *s = context;

	if (len == 0)
		abort();
	buf_add(&s->text, text, len);
	for (size_t i = 0; i < len; i++)
		buf_add(&s->quoted, quoted ? "q" : "n", 1);
	return buf_ok(&s->text) && buf_ok(&s->quoted);
}

static void read_text(const struct buf *text, size_t piece, struct seen *s)
{
	struct quote *q = quote_open(take, s);

	if (q == NULL)
		abort();
	buf_init(&s->text, text->len);
	buf_init(&s->quoted, text->len);
	for (size_t at = 0; at < text->len;) {
		size_t n = piece < text->len - at ? piece : text->len - at;

		while (at + n < text->len && ((unsigned char)text->bytes[at + n] & 0xc0) == 0x80)
			n++;
		if (!quote_feed(q, text->bytes + at, n, false))
			abort();
		at += n;
	}
	if (!quote_end(q))
		abort();
	quote_free(q);
}

static bool same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->bytes, b->bytes, a->len) == 0);
}

/* What was told is the text without some of its > and | and the blanks by them. */
static void check(const struct buf *text, const struct buf *told)
{
	size_t at = 0;

	for (size_t i = 0; i < text->len; i++) {
		if (at < told->len && text->bytes[i] == told->bytes[at])
			at++;
		else if (strchr("> |", text->bytes[i]) == NULL)
			abort();
	}
	if (at != told->len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen whole, pieces;
	struct buf text;

	if (size < 1)
		return 0;
	buf_init(&text, size * 3);
	if (!charset_convert("utf-8", (const char *)data + 1, size - 1, &text))
		abort();
	read_text(&text, text.len + 1, &whole);
	read_text(&text, data[0] % 29 + 1u, &pieces);
	if (!same(&whole.text, &pieces.text) || !same(&whole.quoted, &pieces.quoted))
		abort();
	check(&text, &whole.text);
	buf_free(&text);
	buf_free(&whole.text);
	buf_free(&whole.quoted);
	buf_free(&pieces.text);
	buf_free(&pieces.quoted);
	return 0;
}
