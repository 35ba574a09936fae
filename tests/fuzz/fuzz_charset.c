/*
 * Text of any charset: whole or in pieces it becomes the same, what comes out is UTF-8, and no more
 * of it than the bytes can hold. The first byte chooses the label, the second the pieces.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/text/charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const labels[] = {"", "us-ascii", "utf-8", "utf-7", "utf-16", "utf-16le",
    "utf-32", "iso-2022-jp", "shift_jis", "euc-jp", "gb18030", "big5", "euc-kr", "iso-2022-kr",
    "windows-1252", "windows-1258"};

static bool into_buf(void *context, const char *bytes, size_t len)
{
	struct buf *out = context;

	buf_add(out, bytes, len);
	return buf_ok(out);
}

static void convert(
    const char *label, const char *bytes, size_t size, size_t piece, struct buf *out)
{
	struct charset *c = charset_open(label, (struct sink){into_buf, out});

	if (c == NULL)
		abort();
	for (size_t at = 0; at < size; at += piece) {
		if (!charset_feed(c, bytes + at, piece < size - at ? piece : size - at))
			abort();
	}
	if (!charset_end(c))
		abort();
	charset_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole, pieces, again;
	const char *label;

	if (size < 2)
		return 0;
	label = labels[data[0] % COUNT_OF(labels)];
	buf_init(&whole, size * 8 + 64);
	buf_init(&pieces, size * 8 + 64);
	buf_init(&again, size * 8 + 64);

	convert(label, (const char *)data + 2, size - 2, size, &whole);
	convert(label, (const char *)data + 2, size - 2, data[1] % 19 + 1u, &pieces);
	if (whole.len != pieces.len ||
	    (whole.len > 0 && memcmp(whole.bytes, pieces.bytes, whole.len) != 0))
		abort();

	/* UTF-8 stays as it is, but for a mark of byte order at its beginning. */
	if (whole.len > 0) {
		size_t mark = whole.len >= 3 && memcmp(whole.bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

		convert("utf-8", whole.bytes, whole.len, whole.len, &again);
		if (again.len != whole.len - mark ||
		    (again.len > 0 && memcmp(again.bytes, whole.bytes + mark, again.len) != 0))
			abort();
	}
	buf_free(&whole);
	buf_free(&pieces);
	buf_free(&again);
	return 0;
}
