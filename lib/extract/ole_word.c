/* Word 97 and later (MS-DOC): the piece table says where the text stands. */
#include <stdlib.h>

#include "lib/extract/ole.h"
#include "lib/text/charset.h"

#define WINDOW        ((size_t)16384)
#define FIB           0x1aa
#define FIB_ENCRYPTED 0x0100
#define FIB_TABLE_1   0x0200
#define FIB_COMPLEX   0x0004
#define WORD_97       0x00c1
#define WORD_6        101
#define JAPANESE      0x0411
#define COMPRESSED    UINT32_C(0x40000000)
#define OFFSET        UINT32_C(0x3fffffff)
#define BLOCK         256 /* pieces whose places are read at once */

struct word {
	struct inside *in;
	struct ole_stream text;
	struct ole_stream table;
	uint64_t done; /* bytes of text */
	bool cell;     /* the letter before ended one */
	struct wide out;
	unsigned char bytes[WINDOW];
};

/* ---- letters ---- */

/* Those below a blank mean something to Word (MS-DOC 2.4.1 and 2.8.25). */
static void put_letter(struct word *w, uint32_t unit)
{
	switch (unit) {
	case 0x07: /* a cell ends, and once more where its row does */
		wide_unit(&w->out, w->cell ? '\n' : '\t');
		break;
	case 0x09:
		wide_unit(&w->out, '\t');
		break;
	case 0x0b:
	case 0x0c:
	case 0x0d:
	case 0x0e:
		wide_unit(&w->out, '\n');
		break;
	case 0x13: /* a field: its instruction, its result, its end */
	case 0x14:
	case 0x15:
		wide_unit(&w->out, ' ');
		break;
	case 0x1e:
		wide_unit(&w->out, '-');
		break;
	case 0x1f:
		wide_unit(&w->out, 0xad);
		break;
	default:
		if (unit >= 0x20)
			wide_unit(&w->out, unit);
		break;
	}
	w->cell = unit == 0x07 && !w->cell;
}

/* The letters that windows-1252 has where Latin 1 has none (2.9.73). */
static uint32_t of_byte(unsigned char c)
{
	static const uint16_t letters[32] = {0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020,
	    0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f, 0x90, 0x2018, 0x2019,
	    0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d,
	    0x17e, 0x178};

	return c >= 0x80 && c < 0xa0 ? letters[c - 0x80] : c;
}

/* ---- pieces ---- */

/* `n` letters from `at` on, of one byte or of two. False: stop. */
static bool read_piece(struct word *w, uint64_t at, uint64_t n, bool bytes)
{
	uint64_t left = bytes ? n : n * 2;

	while (left > 0) {
		size_t len = left < sizeof w->bytes ? (size_t)left : sizeof w->bytes;

		w->done += len;
		if (!inside_expand(w->in, len, w->done, w->in->file.size) ||
		    !ole_read_told(w->in, &w->text, at, w->bytes, len))
			return false;
		for (size_t i = 0; bytes && i < len; i++)
			put_letter(w, of_byte(w->bytes[i]));
		for (size_t i = 0; !bytes && i < len; i += 2)
			put_letter(w, w->bytes[i] | (uint32_t)w->bytes[i + 1] << 8);
		at += len;
		left -= len;
		if (w->out.refused)
			return false;
	}
	return true;
}

/* The table of `n` pieces at `at` (2.8.35): n + 1 positions, then n places of 8 bytes. */
static bool read_pieces(struct word *w, uint64_t at, uint32_t n)
{
	unsigned char position[4 * (BLOCK + 1)], place[8 * BLOCK];

	for (uint32_t i = 0; i < n;) {
		uint32_t now = n - i < BLOCK ? n - i : BLOCK;

		if (!ole_read_told(
			w->in, &w->table, at + 4 * (uint64_t)i, position, 4 * (now + 1)) ||
		    !ole_read_told(w->in, &w->table, at + 4 * ((uint64_t)n + 1) + 8 * (uint64_t)i,
			place, 8 * now))
			return false;
		for (uint32_t k = 0; k < now; k++) {
			uint32_t from = (uint32_t)le(position + 4 * k, 4);
			uint32_t to = (uint32_t)le(position + 4 * k + 4, 4);
			uint32_t fc = (uint32_t)le(place + 8 * k + 2, 4);
			bool bytes = (fc & COMPRESSED) != 0;

			if (to < from) {
				inside_fault(w->in, EXTRACT_DAMAGED);
				return false;
			}
			fc &= OFFSET;
			if (!read_piece(w, bytes ? fc / 2 : fc, to - from, bytes))
				return false;
		}
		i += now;
	}
	return true;
}

/* The Clx (2.9.38): formatting, as often as it comes, then the table of pieces. */
static void read_clx(struct word *w, uint64_t at, uint64_t len)
{
	uint64_t end = at + len;
	unsigned char head[5];

	while (at + 5 <= end) {
		if (!ole_read_told(w->in, &w->table, at, head, sizeof head))
			return;
		if (head[0] == 1) {
			at += 3 + le(head + 1, 2);
			continue;
		}
		if (head[0] == 2 && le(head + 1, 4) >= 4 && le(head + 1, 4) <= end - at - 5) {
			(void)read_pieces(w, at + 5, ((uint32_t)le(head + 1, 4) - 4) / 12);
			return;
		}
		break;
	}
	inside_fault(w->in, EXTRACT_DAMAGED);
}

/* ---- Word 6 and 95 ---- */

/* The text stands in one stretch, in the charset of its language. */
static void read_old(struct word *w, const unsigned char *fib)
{
	uint64_t at = le(fib + 0x18, 4), end = le(fib + 0x1c, 4);
	struct charset *c;
	bool wanted = true;

	if ((le(fib + 10, 2) & FIB_COMPLEX) != 0) {
		inside_fault(
		    w->in, EXTRACT_FORMAT); /* saved in a hurry: in pieces of another kind */
		return;
	}
	c = charset_open(le(fib + 6, 2) == JAPANESE ? "cp932" : "", inside_sink(w->in));
	if (c == NULL) {
		inside_fault(w->in, EXTRACT_MEMORY);
		return;
	}
	while (wanted && at < end) {
		size_t len = end - at < sizeof w->bytes ? (size_t)(end - at) : sizeof w->bytes;

		if (!ole_read_told(w->in, &w->text, at, w->bytes, len))
			break;
		for (size_t i = 0; i < len; i++) {
			if (w->bytes[i] < 0x20)
				w->bytes[i] = w->bytes[i] == 7 ? '\t' : '\n';
		}
		wanted = charset_feed(c, (const char *)w->bytes, len);
		at += len;
	}
	if (wanted)
		(void)!charset_end(c);
	charset_free(c);
}

/* ---- the document ---- */

static void read_document(struct word *w, struct ole *ole, uint32_t storage)
{
	unsigned char fib[FIB];
	uint64_t version, flags;
	uint32_t table;

	if (!ole_read_told(w->in, &w->text, 0, fib, 0x20))
		return;
	version = le(fib + 2, 2);
	flags = le(fib + 10, 2);
	if ((flags & FIB_ENCRYPTED) != 0) {
		ole_is_encrypted(w->in, storage);
		return;
	}
	if (!w->in->deep)
		return;
	if (version < WORD_97) {
		if (version < WORD_6)
			inside_fault(w->in, EXTRACT_FORMAT);
		else
			read_old(w, fib);
		return;
	}
	table = ole_find(ole, storage, (flags & FIB_TABLE_1) != 0 ? "1Table" : "0Table");
	if (table == OLE_NONE) {
		inside_fault(w->in, EXTRACT_DAMAGED);
		return;
	}
	if (!ole_read_told(w->in, &w->text, 0, fib, sizeof fib) ||
	    !ole_open_told(w->in, ole, table, &w->table))
		return;
	wide_begin(&w->out, inside_sink(w->in));
	read_clx(w, le(fib + 0x1a2, 4), le(fib + 0x1a6, 4));
	(void)!wide_flush(&w->out);
	ole_stream_close(&w->table);
}

void read_word(struct inside *in, struct ole *ole, uint32_t storage)
{
	struct word *w = malloc(sizeof *w);

	if (w == NULL) {
		inside_fault(in, EXTRACT_MEMORY);
		return;
	}
	w->in = in;
	w->done = 0;
	w->cell = false;
	if (ole_open_told(in, ole, ole_find(ole, storage, "WordDocument"), &w->text)) {
		read_document(w, ole, storage);
		ole_stream_close(&w->text);
	}
	free(w);
}
