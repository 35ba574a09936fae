#include "lib/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xtext.h"

#define BUF_FIRST_ROOM 256

void buf_init(struct buf *b, size_t bound)
{
	*b = (struct buf){.bound = bound};
}

void buf_free(struct buf *b)
{
	free(b->bytes);
	buf_init(b, b->bound);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

/* The next power of two at or above `need`, so that adding n bytes costs n in all. */
static size_t grown(size_t room, size_t need)
{
	size_t wanted = room < BUF_FIRST_ROOM ? BUF_FIRST_ROOM : room;

	while (wanted < need && size_mul(wanted, 2, &wanted))
		;
	return wanted < need ? need : wanted;
}

/* Room for `need` bytes in all, at least one: then `bytes` is never NULL. */
static bool make_room(struct buf *b, size_t need)
{
	size_t room;
	char *bytes;

	if (need <= b->room && b->room > 0)
		return true;

	room = grown(b->room, need);
	bytes = realloc(b->bytes, room);
	if (bytes == NULL)
		return false;
	b->bytes = bytes;
	b->room = room;
	return true;
}

/* `spare` bytes more than `len` are there for a moment only and do not count against the bound. */
static char *reserve(struct buf *b, size_t len, size_t spare)
{
	size_t need, room;

	if (b->failed || !size_add(b->len, len, &need) || need > b->bound ||
	    !size_add(need, spare, &room) || !make_room(b, room)) {
		b->failed = true;
		return NULL;
	}
	return b->bytes + b->len;
}

char *buf_reserve(struct buf *b, size_t len)
{
	return reserve(b, len, 0);
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
	char *end;

	if (len == 0)
		return;

	end = buf_reserve(b, len);
	if (end != NULL) {
		memcpy(end, bytes, len);
		b->len += len;
	}
}

void buf_add_text(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_add_xtext(struct buf *b, const char *bytes, size_t len)
{
	char one[3];

	/* Byte by byte: the bound counts what is written, not the most that it could be. */
	for (size_t i = 0; i < len && !b->failed; i++)
		buf_add(b, one, xtext_encode_cut(bytes + i, 1, one, sizeof one));
}

void buf_addf(struct buf *b, const char *format, ...)
{
	va_list args;
	int len;
	char *end;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);

	end = len < 0 ? NULL : reserve(b, (size_t)len, 1); /* the NUL */
	if (end == NULL) {
		b->failed = true;
		return;
	}

	va_start(args, format);
	(void)vsnprintf(end, (size_t)len + 1, format, args);
	va_end(args);
	b->len += (size_t)len;
}
