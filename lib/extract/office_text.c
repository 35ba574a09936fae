/* The text of a part of a document. */
#include <string.h>

#include "lib/extract/office.h"

#define PIECE      ((size_t)16384) /* handed on when so much is there */
#define ASIDE_MOST ((size_t)262144)

void office_text_begin(struct office_text *t, struct inside *in)
{
	*t = (struct office_text){.in = in};
	buf_init(&t->out, 2 * PIECE);
	buf_init(&t->aside, ASIDE_MOST);
}

/* How many bytes at the end begin a letter that is not all there. */
static size_t unfinished(const char *utf8, size_t len)
{
	for (size_t back = 1; back <= 3 && back <= len; back++) {
		unsigned char c = (unsigned char)utf8[len - back];

		if ((c & 0xc0) == 0x80)
			continue;
		return c >= 0xf0 - (back == 2 ? 0x10 : 0) - (back == 1 ? 0x30 : 0) ? back : 0;
	}
	return 0;
}

static void hand_on(struct office_text *t)
{
	size_t rest = unfinished(t->out.bytes, t->out.len);
	size_t len = t->out.len - rest;

	if (len > 0 && !t->unwanted && !inside_text(t->in, t->out.bytes, len))
		t->unwanted = true;
	if (rest > 0 && len > 0)
		memmove(t->out.bytes, t->out.bytes + len, rest);
	buf_clear(&t->out);
	t->out.len = rest;
}

static void put(struct office_text *t, const char *utf8, size_t len)
{
	if (len > PIECE) {
		hand_on(t);
		if (!t->unwanted && !inside_text(t->in, utf8, len))
			t->unwanted = true;
		return;
	}
	if (t->out.len + len > PIECE)
		hand_on(t);
	buf_add(&t->out, utf8, len);
	if (!buf_ok(&t->out)) {
		/* No memory for the buffer: piece by piece it goes all the same. */
		buf_clear(&t->out);
		if (!t->unwanted && !inside_text(t->in, utf8, len))
			t->unwanted = true;
	}
}

void office_text_add(struct office_text *t, const char *utf8, size_t len)
{
	if (len == 0)
		return;
	if (t->pending != '\0' && t->begun)
		put(t, &t->pending, 1);
	t->pending = '\0';
	t->begun = true;
	put(t, utf8, len);
}

void office_text_break(struct office_text *t, char separator)
{
	t->pending = separator;
}

void office_text_aside(struct office_text *t, const char *utf8, size_t len)
{
	if (t->aside.len + len > ASIDE_MOST)
		office_text_join(t);
	if (len > ASIDE_MOST)
		office_text_add(t, utf8, len);
	else
		buf_add(&t->aside, utf8, len);
	if (!buf_ok(&t->aside)) {
		buf_clear(&t->aside);
		inside_fault(t->in, EXTRACT_MEMORY);
	}
}

void office_text_join(struct office_text *t)
{
	char separator = t->pending;

	if (t->aside.len == 0)
		return;
	office_text_break(t, '\n');
	office_text_add(t, t->aside.bytes, t->aside.len);
	office_text_break(t, separator != '\0' ? separator : '\n');
	buf_clear(&t->aside);
}

void office_text_end(struct office_text *t)
{
	office_text_join(t);
	hand_on(t);
	if (t->begun)
		inside_text_ends(t->in);
	t->begun = false;
	t->pending = '\0';
}

void office_text_free(struct office_text *t)
{
	buf_free(&t->out);
	buf_free(&t->aside);
}
