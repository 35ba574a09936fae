/*
 * HTML of any kind, small limits among them: what comes out is letters of UTF-8, in bounds. The first
 * two bytes choose limits and pieces.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/text/charset.h"
#include "lib/text/html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct streams {
	struct buf stream[2];
};

static bool take(void *context, const char *utf8, size_t len, unsigned how)
{
	struct streams *s = context;

	if (len == 0 || how > (HTML_QUOTED | HTML_BESIDE))
		abort();
	buf_add(&s->stream[(how & HTML_BESIDE) != 0], utf8, len);
	return true;
}

/* Each stream is UTF-8: nothing of it changes when it is read as such. */
static void check(const struct buf *text)
{
	struct buf same;

	buf_init(&same, text->len + 16);
	if (!buf_ok(text))
		abort();
	if (text->len >= 3 && memcmp(text->bytes, "\xef\xbb\xbf", 3) == 0)
		return;
	if (text->len > 0 &&
	    (!charset_convert("utf-8", text->bytes, text->len, &same) || same.len != text->len ||
		memcmp(same.bytes, text->bytes, same.len) != 0))
		abort();
	buf_free(&same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct html_limits limits = {.cpu_ms = 1000};
	struct html_told told;
	struct streams s;
	struct buf text;
	struct html *h;
	size_t piece;

	if (size < 2)
		return 0;
	limits.size = data[0] < 128 ? 1u << 20 : 1u + data[0] % 64u;
	limits.memory = data[0] % 2 == 0 ? 1u << 22 : 100000;
	piece = data[1] + 1u;
	buf_init(&text, size * 3);
	buf_init(&s.stream[0], size * 32 + 64);
	buf_init(&s.stream[1], size * 32 + 64);
	if (!charset_convert("utf-8", (const char *)data + 2, size - 2, &text))
		abort();

	h = html_open(&limits, take, &s);
	if (h == NULL)
		abort();
	for (size_t at = 0; at < text.len;) {
		size_t n = piece < text.len - at ? piece : text.len - at;

		while (at + n < text.len && ((unsigned char)text.bytes[at + n] & 0xc0) == 0x80)
			n++;
		if (!html_feed(h, text.bytes + at, n))
			abort();
		at += n;
	}
	if (!html_end(h, &told))
		abort();
	html_free(h);
	check(&s.stream[0]);
	check(&s.stream[1]);
	buf_free(&text);
	buf_free(&s.stream[0]);
	buf_free(&s.stream[1]);
	return 0;
}
