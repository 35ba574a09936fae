/*
 * Words and a text: whole or in pieces the same are found, and each that stands in it between two
 * blanks is. The first byte chooses the pieces, the first line has the words, with | between them.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/words/keywords.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WORDS 64

struct found {
	uint32_t count[WORDS];
};

static void hit(void *context, uint32_t id, bool quoted)
{
	struct found *f = context;

	if (quoted || id >= WORDS)
		abort();
	f->count[id]++;
}

static void scan(
    const struct keywords *k, const char *text, size_t len, size_t piece, struct found *f)
{
	struct keyword_scan *s = keyword_scan_open(k, hit, f);

	if (s == NULL)
		abort();
	for (size_t at = 0; at < len;) {
		size_t n = piece < len - at ? piece : len - at;

		while (at + n < len && ((unsigned char)text[at + n] & 0xc0) == 0x80)
			n++;
		keyword_scan_feed(s, text + at, n, false);
		at += n;
	}
	keyword_scan_end(s);
	keyword_scan_free(s);
}

/* A word alone, between blanks, is found. */
static void find_alone(const struct norm_tables *tables, const struct keywords *k, const char *word,
    size_t len, uint32_t id)
{
	struct found f = {{0}};
	struct buf text;

	if (len > 0 && (word[0] == '*' || word[len - 1] == '*'))
		return;
	buf_init(&text, 100000);
	buf_add(&text, " ", 1);
	if (!norm_text(tables, word, len, &text))
		abort();
	buf_add(&text, " ", 1);
	for (size_t i = 0; i < text.len; i++) /* in a list it is one line */
		text.bytes[i] = text.bytes[i] == '\n' ? ' ' : text.bytes[i];
	scan(k, text.bytes, text.len, text.len, &f);
	if (f.count[id] == 0)
		abort();
	buf_free(&text);
}

static size_t add_words(struct keyword_builder *b, const char *words, size_t len, size_t *lens)
{
	size_t n = 0;

	for (const char *end = words + len; words < end && n < WORDS; n++) {
		const char *bar = memchr(words, '|', (size_t)(end - words));
		size_t word = bar != NULL ? (size_t)(bar - words) : (size_t)(end - words);

		lens[n] = word;
		if (keyword_add(b, words, word, (uint32_t)n) != KEYWORD_ADDED)
			lens[n] = SIZE_MAX - word;
		words += word + (bar != NULL);
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct norm_tables *tables;
	struct found whole = {{0}}, pieces = {{0}};
	const char *words = (const char *)data + 1, *line;
	struct keyword_builder *b;
	struct keywords *k;
	struct buf text;
	size_t lens[WORDS], n;

	if (tables == NULL)
		tables = norm_prepare();
	if (tables == NULL || size < 2 || size > 8192)
		return 0;
	line = memchr(words, '\n', size - 1);
	if (line == NULL)
		return 0;

	b = keyword_builder_new(tables);
	if (b == NULL)
		abort();
	n = add_words(b, words, (size_t)(line - words), lens);
	k = keywords_build(b);
	if (k == NULL)
		abort();
	buf_init(&text, size * 24);
	if (!norm_text(tables, line + 1, (size_t)((const char *)data + size - line - 1), &text))
		abort();
	if (text.len > 0) {
		scan(k, text.bytes, text.len, text.len, &whole);
		scan(k, text.bytes, text.len, data[0] % 11 + 1u, &pieces);
	}
	if (memcmp(&whole, &pieces, sizeof whole) != 0)
		abort();

	for (size_t i = 0; i < n; i++) {
		if (lens[i] <= size)
			find_alone(tables, k, words, lens[i], (uint32_t)i);
		words += (lens[i] <= size ? lens[i] : SIZE_MAX - lens[i]) + 1;
	}
	buf_free(&text);
	keywords_free(k);
	keyword_builder_free(b);
	return 0;
}
