/* Transfer encodings: pieces of any size make no difference; nothing grows. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/mime/transfer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool collect(void *context, const char *bytes, size_t len)
{
	struct buf *b = context;

	buf_add(b, bytes, len);
	return buf_ok(b);
}

static unsigned decode(
    enum transfer encoding, const char *bytes, size_t size, size_t piece, struct buf *out)
{
	struct transfer_reader r;

	buf_init(out, size);
	transfer_open(&r, encoding, (struct sink){collect, out});
	for (size_t at = 0; at < size; at += piece) {
		if (!transfer_feed(&r, bytes + at, size - at < piece ? size - at : piece))
			abort();
	}
	if (!transfer_end(&r) || r.size != out->len)
		abort();
	return r.flags;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	size_t piece = size > 0 ? data[0] % 9 + 1 : 1;

	for (int e = 0; e <= TRANSFER_UNKNOWN; e++) {
		struct buf whole, pieces;
		unsigned one = decode((enum transfer)e, bytes, size, size + 1, &whole);
		unsigned two = decode((enum transfer)e, bytes, size, piece, &pieces);

		if (one != two || whole.len != pieces.len ||
		    (whole.len > 0 && memcmp(whole.bytes, pieces.bytes, whole.len) != 0))
			abort();
		buf_free(&whole);
		buf_free(&pieces);
	}
	return 0;
}
