#include "lib/extract/wide.h"

#include <string.h>

void wide_begin(struct wide *w, struct sink out)
{
	w->out = out;
	w->high = 0;
	w->refused = false;
	w->made = 0;
}

static void pass(struct wide *w)
{
	if (!w->refused && !sink_put(&w->out, w->text, w->made))
		w->refused = true;
	w->made = 0;
}

static void make(struct wide *w, const char *utf8, size_t len)
{
	while (len > 0) {
		size_t n = len < sizeof w->text - w->made ? len : sizeof w->text - w->made;

		memcpy(w->text + w->made, utf8, n);
		w->made += n;
		utf8 += n;
		len -= n;
		if (w->made > sizeof w->text - 4)
			pass(w);
	}
}

/* There is room for four bytes always. */
static void make_point(struct wide *w, uint32_t point)
{
	char *at = w->text + w->made;

	if (point < 0x80) {
		*at++ = (char)point;
	} else if (point < 0x800) {
		*at++ = (char)(0xc0 | point >> 6);
		*at++ = (char)(0x80 | (point & 0x3f));
	} else if (point < 0x10000) {
		*at++ = (char)(0xe0 | point >> 12);
		*at++ = (char)(0x80 | (point >> 6 & 0x3f));
		*at++ = (char)(0x80 | (point & 0x3f));
	} else {
		*at++ = (char)(0xf0 | point >> 18);
		*at++ = (char)(0x80 | (point >> 12 & 0x3f));
		*at++ = (char)(0x80 | (point >> 6 & 0x3f));
		*at++ = (char)(0x80 | (point & 0x3f));
	}
	w->made = (size_t)(at - w->text);
	if (w->made > sizeof w->text - 4)
		pass(w);
}

static void end_pair(struct wide *w)
{
	if (w->high != 0)
		make_point(w, 0xfffd);
	w->high = 0;
}

void wide_unit(struct wide *w, uint32_t unit)
{
	if (w->high != 0 && unit >= 0xdc00 && unit < 0xe000) {
		make_point(w, 0x10000 + ((w->high - 0xd800) << 10) + (unit - 0xdc00));
		w->high = 0;
		return;
	}
	end_pair(w);
	if (unit >= 0xd800 && unit < 0xdc00)
		w->high = unit;
	else
		make_point(w, unit >= 0xdc00 && unit < 0xe000 ? 0xfffd : unit);
}

void wide_units(struct wide *w, const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		wide_unit(w, bytes[2 * i] | (uint32_t)bytes[2 * i + 1] << 8);
}

void wide_latin(struct wide *w, const unsigned char *bytes, size_t n)
{
	end_pair(w);
	for (size_t i = 0; i < n; i++)
		make_point(w, bytes[i]);
}

void wide_text(struct wide *w, const char *utf8, size_t len)
{
	end_pair(w);
	make(w, utf8, len);
}

bool wide_flush(struct wide *w)
{
	end_pair(w);
	pass(w);
	return !w->refused;
}
