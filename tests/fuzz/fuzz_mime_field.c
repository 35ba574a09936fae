/* Headers: the fields are the header, each byte in one of them, and its end is where it was seen. */
#include <stdlib.h>
#include <string.h>

#include "lib/mime/field.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct field *f, const char *header)
{
	const char *whole = header + f->start;
	size_t len = f->end - f->start;

	if (len == 0 || f->body < whole || f->body + f->body_len > whole + len)
		abort();
	if (f->name_len == 0) {
		if (f->body != whole || field_is(f, "") || field_is(f, "From"))
			abort();
		return;
	}

	if (f->name != whole || f->name + f->name_len >= f->body || f->body[-1] != ':')
		abort();
	for (size_t i = 0; i < f->name_len; i++) {
		if (f->name[i] <= ' ' || f->name[i] >= 0x7f || f->name[i] == ':')
			abort();
	}
	for (size_t i = 0; i < f->body_len; i++) {
		/* A line's end within a body is a fold. */
		if (f->body[i] == '\n' && (f->body[i - 1] != '\r' || i + 1 == f->body_len ||
					      (f->body[i + 1] != ' ' && f->body[i + 1] != '\t')))
			abort();
	}
}

/* As it comes from the network: in pieces, whose size the input decides. */
static size_t end_in_pieces(const char *bytes, size_t size)
{
	size_t piece = size > 0 ? (unsigned char)bytes[0] % 7 + 1 : 1;
	size_t state = 0, end = 0;

	for (size_t at = 0; at < size && end == 0; at += piece) {
		end = header_end(bytes, at, &state);
		if (end == 0 && state != at)
			abort();
	}
	return end > 0 ? end : header_end(bytes, size, &state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	size_t state = 0, at = 0, last = 0;
	size_t end = header_end(bytes, size, &state);
	size_t len = end > 0 ? end : size;
	struct field f;

	if (end > size || end_in_pieces(bytes, size) != end)
		abort();

	while (field_next(bytes, len, &at, &f)) {
		if (f.start != last || f.end != at || at > len)
			abort();
		last = at;
		check(&f, bytes);
	}
	if (at != (end > 0 ? end - 2 : size))
		abort();
	return 0;
}
