/*
 * Any bytes as xtext and as what xtext is made of: what is encoded decodes to the same, what
 * decodes encodes to the same, and no byte that could harm a log or a leg's head comes through.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/xtext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static void check_encoding(const char *in, size_t size)
{
	size_t room = xtext_room(size), used, got, cut;
	char *out = malloc(room + 1);
	char *back = malloc(room + 1);

	demand(out != NULL && back != NULL);
	used = xtext_encode_cut(in, size, out, room);
	demand(used <= room && xtext_valid(out, used));
	for (size_t i = 0; i < used; i++)
		demand(out[i] > ' ' && out[i] < 0x7f && out[i] != '"' && out[i] != '=');
	demand(xtext_decode(out, used, back, &got));
	demand(got == size && memcmp(back, in, size) == 0);

	/* Into half the room: the beginning of the same, and a whole one. */
	cut = xtext_encode_cut(in, size, back, used / 2);
	demand(cut <= used / 2 && cut + 3 > used / 2);
	demand(memcmp(back, out, cut) == 0 && xtext_valid(back, cut));
	free(out);
	free(back);
}

static void check_decoding(const char *in, size_t size)
{
	char *out = malloc(size + 1);
	size_t got = 0;
	struct buf b;

	demand(out != NULL);
	memcpy(out, in, size);
	if (!xtext_decode(out, size, out, &got)) { /* where it stands */
		demand(!xtext_valid(in, size));
		free(out);
		return;
	}
	demand(xtext_valid(in, size) && got <= size);

	/* As long as the text itself is the bound that just holds it. */
	buf_init(&b, size);
	buf_add_xtext(&b, out, got);
	demand(buf_ok(&b) && b.len == size && (size == 0 || memcmp(b.bytes, in, size) == 0));
	buf_free(&b);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_encoding((const char *)data, size);
	check_decoding((const char *)data, size);
	return 0;
}
