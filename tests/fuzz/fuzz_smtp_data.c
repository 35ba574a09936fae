/*
 * S1: the content of DATA. Compared with a slow decoder that looks at one byte at a time; the
 * result must not depend on where the segments end, and what comes out has no CR or LF alone.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/smtp/data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void collect(void *context, const char *bytes, size_t len)
{
	buf_add(context, bytes, len);
}

static enum data_status decode(
    const char *in, size_t len, bool repair, size_t step, size_t *used, struct buf *out)
{
	enum data_status status = DATA_MORE;
	struct data d;

	*used = 0;
	buf_clear(out);
	data_init(&d, repair, collect, out);
	while (status == DATA_MORE && *used < len) {
		size_t left = len - *used;
		size_t n;

		status = data_feed(&d, in + *used, left < step ? left : step, &n);
		*used += n;
	}
	return status;
}

/* The end as the standard says it: CRLF "." CRLF, or "." CRLF at the very start. 0: none. */
static size_t true_end(const char *in, size_t len)
{
	if (len >= 3 && memcmp(in, ".\r\n", 3) == 0)
		return 3;
	for (size_t i = 0; i + 5 <= len; i++) {
		if (memcmp(in + i, "\r\n.\r\n", 5) == 0)
			return i + 5;
	}
	return 0;
}

static bool alone(const char *in, size_t len, bool cut)
{
	for (size_t i = 0; i < len; i++) {
		if (in[i] == '\r' && (i + 1 < len ? in[i + 1] != '\n' : !cut))
			return true;
		if (in[i] == '\n' && (i == 0 || in[i - 1] != '\r'))
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t step = size > 0 ? 1 + data[0] % 7 : 1;
	const char *in = (const char *)data + (size > 0 ? 1 : 0);
	size_t len = size > 0 ? size - 1 : 0;
	size_t end = true_end(in, len);
	size_t extent = end > 0 ? end : len;
	struct buf one, many;

	buf_init(&one, 1 << 24);
	buf_init(&many, 1 << 24);
	for (int repair = 0; repair < 2; repair++) {
		size_t used, used_many;
		enum data_status status = decode(in, len, repair != 0, len + 1, &used, &one);

		if (decode(in, len, repair != 0, step, &used_many, &many) != status)
			abort();
		if (status != DATA_BARE &&
		    (used != used_many || one.len != many.len ||
			(one.len > 0 && memcmp(one.bytes, many.bytes, one.len) != 0)))
			abort();
		if ((status == DATA_BARE) != (repair == 0 && alone(in, extent, end == 0)))
			abort();
		if (status == DATA_END && used != end)
			abort();
		if (status == DATA_MORE && end != 0)
			abort();
		if (status != DATA_BARE && alone(one.bytes, one.len, false))
			abort();
	}
	buf_free(&one);
	buf_free(&many);
	return 0;
}
