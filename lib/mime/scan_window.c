#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mime/scan_inside.h"

#define WINDOW 65536
#define BEHIND 2 /* bytes that stay before a line: the end of the one before it */

/* Makes the window hold what is at `at`, and the bytes before and behind it. */
static bool slide(struct window *w, uint64_t at)
{
	uint64_t from = at < BEHIND ? 0 : at - BEHIND;
	ssize_t n = source_read(w->source, from, w->bytes, WINDOW);

	w->len = n < 0 ? 0 : (size_t)n;
	w->at = from;
	return n >= 0;
}

bool window_open(struct window *w, const struct source *source)
{
	w->source = source;
	w->bytes = malloc(WINDOW);
	if (w->bytes == NULL)
		errno = ENOMEM;
	return w->bytes != NULL && slide(w, 0);
}

void window_free(struct window *w)
{
	free(w->bytes);
	w->bytes = NULL;
}

bool window_cr_only(const struct window *w)
{
	return memchr(w->bytes, '\r', w->len) != NULL && memchr(w->bytes, '\n', w->len) == NULL;
}

const char *window_bytes(const struct window *w, uint64_t at, size_t len)
{
	if (at < w->at || at - w->at > w->len || w->len - (size_t)(at - w->at) < len)
		return NULL;
	return w->bytes + (at - w->at);
}

/* The bytes from `at` on; slides if fewer than `want` are left and there are more. */
static bool look(struct window *w, uint64_t at, size_t want, const char **bytes, size_t *len)
{
	uint64_t end = w->at + w->len;

	if (at < w->at || at > end || (end - at < want && end < w->source->size)) {
		if (!slide(w, at))
			return false;
		end = w->at + w->len;
	}
	*bytes = w->bytes + (at - w->at);
	*len = (size_t)(end - at);
	return true;
}

/* How long the line end is that stands before `bytes`, of which `len` are in the window. */
static size_t end_before(const char *bytes, size_t len)
{
	if (len >= 2 && bytes[-1] == '\n' && bytes[-2] == '\r')
		return 2;
	return len >= 1 && (bytes[-1] == '\n' || bytes[-1] == '\r') ? 1 : 0;
}

/* The first CR or LF; `len` if there is none. */
static size_t find_end(const char *bytes, size_t len)
{
	const char *newline = memchr(bytes, '\n', len);
	size_t stop = newline == NULL ? len : (size_t)(newline - bytes);
	const char *cr = memchr(bytes, '\r', stop);

	return cr == NULL ? stop : (size_t)(cr - bytes);
}

/*
 * Takes the line's end, if it is at `at`, where `len` bytes are left, the last of the source or not.
 * False: it is not, or whether CR is alone cannot be seen.
 */
static bool take_end(const char *bytes, size_t len, bool last, uint64_t at, struct line *line)
{
	bool crlf = len > 1 && bytes[0] == '\r' && bytes[1] == '\n';

	if (len == 0 && !last)
		return false;
	if (len == 1 && bytes[0] == '\r' && !last)
		return false;
	if (len > 0 && bytes[0] != '\r' && bytes[0] != '\n')
		return false;

	line->next = at + (crlf ? 2 : len > 0 ? 1 : 0);
	line->end = len == 0 ? 0 : crlf ? ENDS_CRLF : bytes[0] == '\r' ? ENDS_CR : ENDS_LF;
	return true;
}

/* Finds the end of a line, from `at` within it on. */
static bool long_line(struct window *w, uint64_t at, struct line *line)
{
	for (;;) {
		const char *bytes;
		size_t len, stop;

		if (!look(w, at, WINDOW / 2, &bytes, &len))
			return false;
		stop = find_end(bytes, len);
		at += stop;
		if (take_end(
			bytes + stop, len - stop, at + (len - stop) == w->source->size, at, line))
			return true;
	}
}

bool window_line(struct window *w, uint64_t at, struct line *line)
{
	const char *bytes;
	size_t len, stop;

	if (!look(w, at, MIME_LINE_MAX + 2, &bytes, &len))
		return false;

	stop = find_end(bytes, len < MIME_LINE_MAX ? len : MIME_LINE_MAX);
	*line = (struct line){.at = at, .head = bytes, .head_len = stop};
	line->before = end_before(bytes, (size_t)(at - w->at));
	line->behind_cr = line->before == 1 && bytes[-1] == '\r';
	line->whole =
	    stop < MIME_LINE_MAX || len == stop || bytes[stop] == '\r' || bytes[stop] == '\n';
	if (take_end(bytes + stop, len - stop, at + len == w->source->size, at + stop, line))
		return true;

	memcpy(w->head, bytes, stop);
	line->head = w->head;
	return long_line(w, at + stop, line);
}

/* Most encoded text has no '-': nothing in it is looked at twice. */
bool window_skip(struct window *w, uint64_t *at)
{
	bool first = true; /* a line begins at *at */

	while (*at < w->source->size) {
		const char *bytes, *dash;
		size_t len;

		if (!look(w, *at, 2, &bytes, &len))
			return false;
		dash = memchr(bytes, '-', len);
		first = first && dash == bytes;
		*at += dash == NULL ? len : (size_t)(dash - bytes);
		if (dash == NULL)
			continue;

		len -= (size_t)(dash - bytes);
		if (len < 2 && *at + 1 < w->source->size) {
			if (!slide(w, *at))
				return false;
			continue;
		}
		if (len >= 2 && dash[1] == '-' &&
		    (first || end_before(dash, (size_t)(*at - w->at)) > 0))
			return true;
		for (; len > 0 && *dash == '-'; len--, dash++)
			(*at)++;
		first = false;
	}
	return true;
}
