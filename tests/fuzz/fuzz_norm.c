/*
 * Text to the normal form: whole or in pieces it becomes the same, in letters of UTF-8 that have no
 * blank but space and LF; folding changes a letter once. The first byte chooses the pieces.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/text/charset.h"
#include "lib/text/norm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool into_buf(void *context, const char *bytes, size_t len)
{
	struct buf *out = context;

	buf_add(out, bytes, len);
	return buf_ok(out);
}

static void check(const struct buf *out, const struct norm_tables *tables)
{
	struct buf same;

	for (size_t i = 0; i < out->len; i++) {
		unsigned char byte = (unsigned char)out->bytes[i];

		if ((byte < ' ' && byte != '\n') || byte == 0x7f)
			abort();
		if (byte < 0x80 &&
		    norm_fold(tables, norm_fold(tables, byte)) != norm_fold(tables, byte))
			abort();
	}

	buf_init(&same, out->len + 1);
	if (out->len > 0 &&
	    (!charset_convert("utf-8", out->bytes, out->len, &same) || same.len != out->len ||
		memcmp(same.bytes, out->bytes, same.len) != 0))
		abort();
	buf_free(&same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct norm_tables *tables;
	const char *text = (const char *)data + 1;
	struct buf whole, pieces;
	struct norm *n;
	size_t piece;

	if (tables == NULL)
		tables = norm_prepare();
	if (tables == NULL || size < 1)
		return 0;

	size--;
	piece = data[0] % 13 + 1u;
	buf_init(&whole, size * 24 + 16);
	buf_init(&pieces, size * 24 + 16);
	if (!norm_text(tables, text, size, &whole))
		abort();
	n = norm_open(tables, (struct sink){into_buf, &pieces});
	if (n == NULL)
		abort();
	for (size_t at = 0; at < size; at += piece) {
		if (!norm_feed(n, text + at, piece < size - at ? piece : size - at))
			abort();
	}
	if (!norm_end(n))
		abort();
	norm_free(n);

	if (whole.len != pieces.len ||
	    (whole.len > 0 && memcmp(whole.bytes, pieces.bytes, whole.len) != 0))
		abort();
	check(&whole, tables);
	buf_free(&whole);
	buf_free(&pieces);
	return 0;
}
