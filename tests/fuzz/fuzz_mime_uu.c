/* Files in a text: pieces of any size make no difference, and what begins ends. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/mime/uu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	struct buf out;
	bool open;
};

static void add(struct seen *s, char mark, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		buf_add(&s->out, &mark, 1);
		buf_add(&s->out, bytes + i, 1);
	}
	if (!buf_ok(&s->out))
		abort();
}

static bool text(void *context, const char *bytes, size_t len)
{
	add(context, 't', bytes, len);
	return true;
}

static bool begin(void *context, enum uu_kind kind, const char *name, size_t len)
{
	struct seen *s = context;

	if (s->open || len > UU_NAME_MAX || kind > UU_YENC)
		abort();
	s->open = true;
	add(s, 'b', name, len);
	return true;
}

static bool bytes_of(void *context, const char *bytes, size_t len)
{
	struct seen *s = context;

	if (!s->open || len == 0)
		abort();
	add(s, 'd', bytes, len);
	return true;
}

static bool end(void *context, bool whole)
{
	struct seen *s = context;

	if (!s->open)
		abort();
	s->open = false;
	add(s, 'e', whole ? "1" : "0", 1);
	return true;
}

static void run(const char *bytes, size_t size, size_t piece, struct seen *s)
{
	const struct uu_events events = {{text, s}, begin, bytes_of, end, s};
	struct uu_reader *r = uu_open(&events);

	*s = (struct seen){.open = false};
	buf_init(&s->out, 100 * size + 100);
	if (r == NULL)
		abort();
	for (size_t at = 0; at < size; at += piece) {
		if (!uu_feed(r, bytes + at, size - at < piece ? size - at : piece))
			abort();
	}
	if (!uu_end(r) || s->open)
		abort();
	uu_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen whole, pieces;

	run((const char *)data, size, size + 1, &whole);
	run((const char *)data, size, size > 0 ? data[0] % 9 + 1 : 1, &pieces);
	if (whole.out.len != pieces.out.len ||
	    (whole.out.len > 0 && memcmp(whole.out.bytes, pieces.out.bytes, whole.out.len) != 0))
		abort();
	buf_free(&whole.out);
	buf_free(&pieces.out);
	return 0;
}
