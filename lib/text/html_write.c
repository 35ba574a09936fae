#include <string.h>

#include "lib/text/html_inside.h"

static void flush(struct html_writer *w, struct html_stream *s)
{
	if (s->len > 0 && !w->refused && !w->take(w->context, s->bytes, s->len, s->how))
		w->refused = true;
	s->len = 0;
}

void html_flush(struct html_writer *w)
{
	flush(w, &w->seen);
	flush(w, &w->beside);
}

static struct html_stream *stream(struct html_writer *w, unsigned how)
{
	return (how & HTML_BESIDE) != 0 ? &w->beside : &w->seen;
}

static bool continues(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

static void put(struct html_writer *w, struct html_stream *s, const char *bytes, size_t len)
{
	while (len > 0) {
		size_t n = sizeof s->bytes - s->len;

		if (n < 4 && n < len) {
			flush(w, s);
			n = sizeof s->bytes;
		}
		if (n < len) {
			while (n > 1 && continues(bytes[n])) /* no letter is cut */
				n--;
		} else {
			n = len;
		}
		memcpy(s->bytes + s->len, bytes, n);
		s->len += n;
		s->last = (unsigned char)bytes[n - 1];
		bytes += n;
		len -= n;
	}
	s->begun = true;
}

/*
 * What waited comes before text. A line's end of the source is shown as a blank; where letters need
 * no blanks it stays a line's end, so that a word that the source cut is still seen as one.
 */
static void put_waiting(struct html_writer *w, struct html_stream *s, char next)
{
	bool wide = s->last >= 0x80 || (unsigned char)next >= 0x80;

	if (s->begun && s->lines > 0)
		put(w, s, "\n\n", s->lines);
	else if (s->begun && s->blank)
		put(w, s, s->soft && wide ? "\n" : " ", 1);
	s->lines = 0;
	s->blank = s->soft = false;
}

/* Line ends belong to the text before them. */
static void turn(struct html_writer *w, struct html_stream *s, unsigned how)
{
	if (s->how == how)
		return;
	put_waiting(w, s, ' ');
	flush(w, s);
	s->how = how;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r' || byte == '\f';
}

void html_write(struct html_writer *w, const char *text, size_t len, unsigned how, bool pre)
{
	struct html_stream *s = stream(w, how);
	size_t at = 0;

	if (len == 0)
		return;
	turn(w, s, how);
	if (pre) {
		put_waiting(w, s, text[0]);
		put(w, s, text, len);
		return;
	}

	while (at < len) {
		size_t from = at;

		for (; at < len && is_blank(text[at]); at++) {
			s->blank = true;
			s->soft = s->soft || text[at] == '\n' || text[at] == '\r';
		}
		if (at == len)
			break;
		if (s->lines > 0 || s->blank)
			put_waiting(w, s, text[at]);
		for (from = at; at < len && !is_blank(text[at]);)
			at++;
		put(w, s, text + from, at - from);
	}
}

void html_lines(struct html_writer *w, unsigned lines, unsigned how)
{
	struct html_stream *s = stream(w, how);

	s->lines = lines > s->lines ? lines : s->lines;
}

void html_break(struct html_writer *w, unsigned how)
{
	struct html_stream *s = stream(w, how);

	s->lines += s->lines < 2;
}

void html_blank(struct html_writer *w, unsigned how)
{
	stream(w, how)->blank = true;
}
