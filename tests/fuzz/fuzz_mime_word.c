/* Encoded words: text in whole letters, the same in a buffer that is too small, as far as it goes. */
#include <stdlib.h>
#include <string.h>

#include "lib/mime/utf8.h"
#include "lib/mime/word.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_utf8(const struct buf *b)
{
	for (size_t at = 0; at < b->len;) {
		uint32_t point;
		size_t step = utf8_step(b->bytes + at, b->len - at, &point);

		if (step == 0)
			abort();
		at += step;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *body = (const char *)data;
	struct buf all, some;
	unsigned flags;

	buf_init(&all, 4 * size + 64);
	if (!word_decode(body, size, &all, &flags))
		abort();
	check_utf8(&all);

	buf_init(&some, size / 2);
	if (word_decode(body, size, &some, NULL) != (all.len <= some.bound))
		abort();
	check_utf8(&some);
	if (some.len > all.len || (some.len > 0 && memcmp(some.bytes, all.bytes, some.len) != 0))
		abort();
	buf_free(&all);
	buf_free(&some);
	return 0;
}
