/*
 * The strings that the cells of a workbook share. There may be millions: they stand on the scratch
 * file, each behind its length; memory holds where every fourth begins, one bit for each that was
 * used, and some blocks of the file.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/extract/office.h"

#define EVERY       4U
#define STRINGS_MAX (UINT64_C(8) * 1024 * 1024)
#define BLOCK       ((size_t)4096)
#define BLOCKS      2048U
#define NO_BLOCK    UINT64_MAX
#define PIECE       ((size_t)65536)

struct block {
	uint64_t at; /* NO_BLOCK: empty */
	size_t len;
	char *bytes;
};

struct strings {
	struct inside *in;
	struct spill spill;
	struct buf piece; /* not yet written */
	struct buf starts;
	struct buf used;
	uint64_t n;
	uint64_t size;
	uint64_t last; /* the string that was read last, and where the one behind it begins */
	uint64_t last_end;
	struct block blocks[BLOCKS];
};

struct strings *strings_new(struct inside *in)
{
	struct strings *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->in = in;
	s->last = UINT64_MAX;
	buf_init(&s->piece, 2 * PIECE);
	buf_init(&s->starts, (size_t)(STRINGS_MAX / EVERY + 1) * sizeof(uint64_t));
	buf_init(&s->used, (size_t)(STRINGS_MAX / 8 + 1));
	for (size_t i = 0; i < BLOCKS; i++)
		s->blocks[i].at = NO_BLOCK;
	spill_begin(in->x, &s->spill);
	return s;
}

void strings_free(struct strings *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < BLOCKS; i++)
		free(s->blocks[i].bytes);
	buf_free(&s->piece);
	buf_free(&s->starts);
	buf_free(&s->used);
	spill_end(&s->spill);
	free(s);
}

static enum parse_state write_piece(struct strings *s)
{
	bool fine = spill_write(&s->spill, s->piece.bytes, s->piece.len);

	buf_clear(&s->piece);
	if (!fine)
		inside_fault(s->in, EXTRACT_READ);
	return fine ? PARSE_FINE : PARSE_STOPPED;
}

enum parse_state strings_add(struct strings *s, const char *utf8, size_t len)
{
	uint32_t n = (uint32_t)len;
	enum parse_state state = PARSE_FINE;

	if (s->n >= STRINGS_MAX || len > UINT32_MAX)
		return PARSE_MEMORY;
	if (s->n % EVERY == 0)
		buf_add(&s->starts, &s->size, sizeof s->size);
	if (s->n % 8 == 0)
		buf_add(&s->used, "", 1);
	if (s->piece.len + sizeof n + len > PIECE && s->piece.len > 0)
		state = write_piece(s);
	if (state != PARSE_FINE)
		return state;

	buf_add(&s->piece, &n, sizeof n);
	if (len > PIECE) {
		state = write_piece(s);
		if (state == PARSE_FINE && !spill_write(&s->spill, utf8, len)) {
			inside_fault(s->in, EXTRACT_READ);
			state = PARSE_STOPPED;
		}
	} else {
		buf_add(&s->piece, utf8, len);
	}
	if (!buf_ok(&s->piece) || !buf_ok(&s->starts) || !buf_ok(&s->used))
		return PARSE_MEMORY;
	s->n++;
	s->size += sizeof n + len;
	return state;
}

enum parse_state strings_done(struct strings *s)
{
	return s->piece.len > 0 ? write_piece(s) : PARSE_FINE;
}

/* The block of the file that holds `at`. */
static const struct block *block_of(struct strings *s, uint64_t at)
{
	uint64_t from = at - at % BLOCK;
	struct block *b = &s->blocks[from / BLOCK % BLOCKS];
	struct source file = spill_source(&s->spill);
	ssize_t n;

	if (b->at == from)
		return b;
	if (b->bytes == NULL)
		b->bytes = malloc(BLOCK);
	if (b->bytes == NULL)
		return NULL;
	n = source_read(&file, from, b->bytes, BLOCK);
	b->at = n > 0 ? from : NO_BLOCK;
	b->len = n > 0 ? (size_t)n : 0;
	return n > 0 ? b : NULL;
}

/* As many of `len` bytes at `at` as stand in one block. */
static size_t bytes_at(struct strings *s, uint64_t at, size_t len, const char **bytes)
{
	const struct block *b = block_of(s, at);
	size_t within = (size_t)(at % BLOCK);

	if (b == NULL || within >= b->len)
		return 0;
	*bytes = b->bytes + within;
	return b->len - within < len ? b->len - within : len;
}

static bool length_at(struct strings *s, uint64_t at, uint32_t *len)
{
	char *into = (char *)len;

	for (size_t done = 0; done < sizeof *len;) {
		const char *bytes;
		size_t n = bytes_at(s, at + done, sizeof *len - done, &bytes);

		if (n == 0)
			return false;
		memcpy(into + done, bytes, n);
		done += n;
	}
	return true;
}

/* Where string `i` begins: behind the last one read, or from the nearest that is known. */
static bool find(struct strings *s, uint64_t i, uint64_t *at)
{
	uint64_t j = i - i % EVERY;
	uint32_t len;

	memcpy(at, s->starts.bytes + j / EVERY * sizeof *at, sizeof *at);
	if (s->last != UINT64_MAX && s->last + 1 == i) {
		*at = s->last_end;
		return true;
	}
	for (; j < i; j++) {
		if (!length_at(s, *at, &len))
			return false;
		*at += sizeof len + len;
	}
	return true;
}

bool strings_get(struct strings *s, uint64_t i, struct office_text *into)
{
	uint64_t at;
	uint32_t len;

	if (i >= s->n || !find(s, i, &at) || !length_at(s, at, &len))
		return false;
	s->used.bytes[i / 8] = (char)((unsigned char)s->used.bytes[i / 8] | 1U << i % 8);
	at += sizeof len;
	s->last = i;
	s->last_end = at + len;
	while (len > 0) {
		const char *bytes;
		size_t n = bytes_at(s, at, len, &bytes);

		if (n == 0)
			return false;
		office_text_add(into, bytes, n);
		at += n;
		len -= (uint32_t)n;
	}
	return true;
}

void strings_unused(struct strings *s, struct office_text *into)
{
	for (uint64_t i = 0; i < s->n; i++) {
		if (((unsigned char)s->used.bytes[i / 8] >> i % 8 & 1) != 0)
			continue;
		if (!strings_get(s, i, into))
			return;
		office_text_break(into, '\n');
	}
}
