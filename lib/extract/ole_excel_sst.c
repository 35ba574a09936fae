#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/extract/ole_excel.h"
#include "lib/text/charset.h"

#define EACH        8 /* strings to a place */
#define PLACES_MAX  ((size_t)2 * 1024 * 1024)
#define HELD        ((size_t)65536)
#define STRING_MAX  ((size_t)4 * 65536) /* of UTF-8 */
#define FLAG_WIDE   1
#define FLAG_EXTRAS 4
#define FLAG_RUNS   8

/* ---- bytes of a record ---- */

/* Moves into the record that continues this one. */
static bool go_on(struct excel *x)
{
	unsigned char head[4];

	if (ole_read(&x->stream, x->end, head, sizeof head) != (ssize_t)sizeof head ||
	    le(head, 2) != EXCEL_CONTINUE)
		return false;
	x->at = x->end + sizeof head;
	x->end = x->at + le(head + 2, 2);
	return true;
}

int excel_byte(struct excel *x)
{
	x->crossed = false;
	while (x->at == x->end) {
		if (!go_on(x))
			return -1;
		x->crossed = true;
	}
	if (x->at < x->window_at || x->at - x->window_at >= x->window_len) {
		ssize_t n = ole_read(&x->stream, x->at, x->window, sizeof x->window);

		x->window_len = 0;
		if (n <= 0)
			return -1;
		x->window_at = x->at;
		x->window_len = (size_t)n;
	}
	return x->window[x->at++ - x->window_at];
}

bool excel_number(struct excel *x, unsigned n, uint64_t *number)
{
	*number = 0;
	for (unsigned i = 0; i < n; i++) {
		int c = excel_byte(x);

		if (c < 0)
			return false;
		*number |= (uint64_t)c << (8 * i);
	}
	return true;
}

bool excel_skip(struct excel *x, uint64_t n)
{
	while (n > 0) {
		uint64_t here = x->end - x->at < n ? x->end - x->at : n;

		x->at += here;
		n -= here;
		if (n > 0 && !go_on(x))
			return false;
	}
	return true;
}

/* Where letters go on in another record, that says anew how wide they are (MS-XLS 2.5.293). */
bool excel_letters(struct excel *x, uint64_t n, bool wide, struct wide *out)
{
	for (uint64_t i = 0; i < n; i++) {
		int c = excel_byte(x), high = 0;

		if (c >= 0 && x->crossed) {
			wide = (c & FLAG_WIDE) != 0;
			c = excel_byte(x);
		}
		if (wide)
			high = excel_byte(x);
		if (c < 0 || high < 0)
			return false;
		wide_unit(out, (uint32_t)(high << 8 | c));
	}
	return true;
}

/* ---- strings ---- */

static bool old_string(struct excel *x, uint64_t n, struct wide *out)
{
	struct buf bytes, text;
	bool good = true;

	buf_init(&bytes, STRING_MAX);
	buf_init(&text, STRING_MAX);
	for (uint64_t i = 0; i < n && good; i++) {
		int c = excel_byte(x);
		char byte = (char)c;

		good = c >= 0;
		if (good)
			buf_add(&bytes, &byte, 1);
	}
	if (good && buf_ok(&bytes) && charset_convert(x->label, bytes.bytes, bytes.len, &text))
		wide_text(out, text.bytes, text.len);
	buf_free(&bytes);
	buf_free(&text);
	return good;
}

bool excel_string(struct excel *x, unsigned len_bytes, struct wide *out)
{
	uint64_t n, flags, runs = 0, extras = 0;

	if (!excel_number(x, len_bytes, &n))
		return false;
	if (x->old)
		return old_string(x, n, out);
	if (n == 0 && x->at == x->end)
		return true; /* some leave the flags out */
	if (!excel_number(x, 1, &flags))
		return false;
	if ((flags & FLAG_RUNS) != 0 && !excel_number(x, 2, &runs))
		return false;
	if ((flags & FLAG_EXTRAS) != 0 && !excel_number(x, 4, &extras))
		return false;
	return excel_letters(x, n, (flags & FLAG_WIDE) != 0, out) && excel_skip(x, 4 * runs) &&
	       excel_skip(x, extras);
}

/* ---- the table ---- */

static bool hold(void *context, const char *bytes, size_t len)
{
	struct excel_strings *s = context;

	buf_add(&s->held, bytes, len);
	return buf_ok(&s->held);
}

static bool write_held(struct excel *x)
{
	struct excel_strings *s = &x->strings;

	if (!spill_write(&s->spill, s->held.bytes, s->held.len)) {
		inside_fault(x->in, EXTRACT_READ);
		return false;
	}
	buf_clear(&s->held);
	return true;
}

/* Remembers where every eighth string stands. */
static bool note_place(struct excel_strings *s)
{
	size_t number = (size_t)(s->count / EACH);

	if (s->count % EACH != 0)
		return true;
	if (number == s->places) {
		size_t more = s->places == 0 ? 512 : s->places * 2;
		uint64_t *grown =
		    more <= PLACES_MAX ? reallocarray(s->place, more, sizeof *grown) : NULL;

		if (grown == NULL)
			return false;
		s->place = grown;
		s->places = more;
	}
	s->place[number] = s->len;
	return true;
}

static bool read_one(struct excel *x, struct wide *w)
{
	struct excel_strings *s = &x->strings;
	size_t before = s->held.len;
	uint32_t len = 0;

	if (!note_place(s)) {
		inside_fault(x->in, EXTRACT_MEMORY);
		return false;
	}
	buf_add(&s->held, &len, sizeof len);
	if (!excel_string(x, 2, w)) {
		inside_fault(x->in, EXTRACT_DAMAGED);
		return false;
	}
	if (!wide_flush(w) || !buf_ok(&s->held)) {
		inside_fault(x->in, EXTRACT_MEMORY);
		return false;
	}
	len = (uint32_t)(s->held.len - before - sizeof len);
	memcpy(s->held.bytes + before, &len, sizeof len);
	s->len += sizeof len + len;
	s->count++;
	return s->held.len < HELD || write_held(x);
}

bool excel_read_strings(struct excel *x)
{
	struct excel_strings *s = &x->strings;
	struct wide *w;
	uint64_t all, unique;
	bool good = true;

	if (s->there || !excel_number(x, 4, &all) || !excel_number(x, 4, &unique)) {
		inside_fault(x->in, EXTRACT_DAMAGED);
		return false;
	}
	w = malloc(sizeof *w);
	if (w == NULL) {
		inside_fault(x->in, EXTRACT_MEMORY);
		return false;
	}
	s->there = true;
	spill_begin(x->in->x, &s->spill);
	buf_init(&s->held, HELD + STRING_MAX);
	wide_begin(w, (struct sink){hold, s});
	for (uint64_t i = 0; i < unique && good; i++)
		good = read_one(x, w);
	good = good && write_held(x);
	free(w);
	return good;
}

void excel_strings_end(struct excel *x)
{
	struct excel_strings *s = &x->strings;

	if (!s->there)
		return;
	spill_end(&s->spill);
	buf_free(&s->held);
	free(s->place);
}

/* ---- looking one up ---- */

/* A stretch of the table, as much of it as stands in one window. NULL: it cannot be read. */
static const char *look(struct excel *x, uint64_t at, size_t *len)
{
	struct excel_strings *s = &x->strings;
	struct source all = spill_source(&s->spill);

	if (at < s->seen_at || at - s->seen_at + sizeof(uint32_t) > s->seen_len) {
		ssize_t n = source_read(&all, at, s->seen, sizeof s->seen);

		s->seen_len = 0;
		if (n < (ssize_t)sizeof(uint32_t))
			return NULL;
		s->seen_at = at;
		s->seen_len = (size_t)n;
	}
	*len = s->seen_len - (size_t)(at - s->seen_at);
	return s->seen + (at - s->seen_at);
}

/* The length of the string at `at`. */
static bool length_at(struct excel *x, uint64_t at, uint32_t *length)
{
	size_t len;
	const char *bytes = look(x, at, &len);

	if (bytes == NULL)
		return false;
	memcpy(length, bytes, sizeof *length);
	return true;
}

bool excel_put_string(struct excel *x, uint64_t number)
{
	struct excel_strings *s = &x->strings;
	struct source all = spill_source(&s->spill);
	uint64_t at;
	uint32_t length = 0;
	char bytes[4096];

	if (number >= s->count)
		return false;
	at = s->place[number / EACH];
	for (uint64_t i = number / EACH * EACH;; i++) {
		if (!length_at(x, at, &length))
			return false;
		at += sizeof length;
		if (i == number)
			break;
		at += length;
	}
	x->done += length;
	if (!inside_expand(x->in, length, x->done, x->in->file.size)) {
		x->stopped = true;
		return true;
	}
	while (length > 0) {
		size_t len = length < sizeof bytes ? length : sizeof bytes;

		if (at >= s->seen_at && at + len <= s->seen_at + s->seen_len)
			memcpy(bytes, s->seen + (at - s->seen_at), len);
		else if (source_read(&all, at, bytes, len) != (ssize_t)len)
			return false;
		wide_text(&x->out, bytes, len);
		at += len;
		length -= (uint32_t)len;
	}
	return true;
}
