#include "lib/words/keywords.h"

#include <stdlib.h>
#include <string.h>

#include "lib/words/keywords_inside.h"

struct keyword_scan {
	const struct keywords *k;
	keyword_hit *hit;
	void *context;

	/* More than one where line ends leave several ways to read what came. */
	uint32_t ways[2 * KEYWORD_WAYS];
	size_t n;

	bool spaced; /* the last letter is of a script with blanks */
	bool quoted; /* and was quoted */
	bool blank;  /* blanks wait, among them so many line ends (at most 2) */
	unsigned lines;
};

static void restart(struct keyword_scan *s)
{
	s->ways[0] = 0;
	s->n = 1;
	s->spaced = s->quoted = s->blank = false;
	s->lines = 0;
}

struct keyword_scan *keyword_scan_open(const struct keywords *k, keyword_hit *hit, void *context)
{
	struct keyword_scan *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->k = k;
	s->hit = hit;
	s->context = context;
	restart(s);
	return s;
}

void keyword_scan_free(struct keyword_scan *s)
{
	free(s);
}

/* ---- the automaton ---- */

static uint32_t step(const struct keywords *k, uint32_t state, uint32_t symbol)
{
	while (state != 0) {
		uint32_t at = k->states[state].base + symbol;

		if (k->states[at].check == state)
			return at;
		state = k->states[state].fail;
	}
	return k->from_root[symbol];
}

/* Whether one of the ways before `way` tells the word as well. */
static bool told(const struct keyword_scan *s, size_t way, uint32_t id)
{
	for (size_t i = 0; i < way; i++) {
		for (uint32_t out = s->k->states[s->ways[i]].out; out != 0;
		     out = s->k->outs[out].next) {
			if (s->k->outs[out].id == id)
				return true;
		}
	}
	return false;
}

static void tell(const struct keyword_scan *s, size_t way, bool quoted)
{
	for (uint32_t out = s->k->states[s->ways[way]].out; out != 0; out = s->k->outs[out].next) {
		if (!told(s, way, s->k->outs[out].id))
			s->hit(s->context, s->k->outs[out].id, quoted);
	}
}

/* Ways that came together are one. */
static void unite(struct keyword_scan *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		size_t same = 0;

		while (same < n && s->ways[same] != s->ways[i])
			same++;
		if (same == n)
			s->ways[n++] = s->ways[i];
	}
	s->n = n < KEYWORD_WAYS ? n : KEYWORD_WAYS;
}

/* All ways go on by one symbol. */
static void advance(struct keyword_scan *s, uint32_t symbol, bool quoted)
{
	for (size_t i = 0; i < s->n; i++)
		s->ways[i] = symbol != 0 ? step(s->k, s->ways[i], symbol) : 0;
	if (s->n > 1)
		unite(s);
	for (size_t i = 0; i < s->n; i++) {
		if (s->k->states[s->ways[i]].out != 0)
			tell(s, i, quoted);
	}
}

/* A border belongs to the word that it ends, or else to the one that it begins. */
static void border(struct keyword_scan *s, bool spaced, bool quoted)
{
	if (s->spaced != spaced)
		advance(s, SYMBOL_BORDER, s->spaced ? s->quoted : quoted);
	s->spaced = spaced;
}

static void letter(struct keyword_scan *s, unsigned symbol, bool quoted)
{
	border(s, (symbol & SYMBOL_SPACED) != 0, quoted);
	advance(s, symbol & ~SYMBOL_SPACED, quoted);
	s->quoted = quoted;
}

/* Blanks end a word, and may be the blank of a phrase. */
static void blanks(struct keyword_scan *s, bool quoted)
{
	border(s, false, quoted);
	if (s->lines >= 2 || !s->k->blanks) {
		s->ways[0] = 0;
		s->n = 1;
	} else {
		advance(s, SYMBOL_BLANK, quoted);
	}
	s->blank = false;
	s->lines = 0;
}

/* Whether a line's end may stand within a word: at the root nothing was begun that could go on. */
static bool parts(const struct keyword_scan *s)
{
	return s->lines == 1 && (s->n > 1 || s->ways[0] != 0);
}

/*
 * The first letter behind blanks with one line's end among them, which may be nothing or a blank: the
 * ways part here, and mostly are one again at once.
 */
static void after_line(struct keyword_scan *s, unsigned symbol, bool quoted)
{
	uint32_t joined[KEYWORD_WAYS];
	size_t n = s->n;
	bool spaced = s->spaced;

	memcpy(joined, s->ways, n * sizeof *joined);
	blanks(s, quoted);

	/*
	 * The border before the letter, each way for itself. What it ends was told above: the ways
	 * were the same up to there.
	 */
	if ((symbol & SYMBOL_SPACED) != 0)
		border(s, true, quoted);
	for (size_t i = 0; i < n && spaced != s->spaced; i++)
		joined[i] = step(s->k, joined[i], SYMBOL_BORDER);
	memmove(s->ways + n, s->ways, s->n * sizeof *s->ways);
	memcpy(s->ways, joined, n * sizeof *joined);
	s->n += n;
	unite(s);
	advance(s, symbol & ~SYMBOL_SPACED, quoted);
	s->quoted = quoted;
}

/* ---- the text ---- */

/* The symbol of the letter at `s`, which `len` bytes get as long as it is; 0 for what is none. */
static unsigned symbol_at(
    const struct keywords *k, const unsigned char *s, size_t left, size_t *len)
{
	size_t n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	uint32_t p = s[0] & (0x7fu >> n);

	*len = 1;
	if (s[0] < 0xc2 || s[0] > 0xf4 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		p = p << 6 | (s[i] & 0x3f);
	}
	if (p >= 0x110000)
		return 0;
	*len = n;
	return k->symbols[k->page[p / KEYWORD_PAGE]][p % KEYWORD_PAGE];
}

/* The usual case, with one way: letters in a row until a blank. Returns how many bytes were read. */
static size_t row(struct keyword_scan *s, const unsigned char *text, size_t len, bool quoted)
{
	const struct keywords *k = s->k;
	uint32_t state = s->ways[0];
	bool spaced = s->spaced;
	size_t at = 0;

	while (at < len && text[at] != ' ' && text[at] != '\n') {
		size_t n = 1;
		unsigned symbol;

		if (state == 0 && spaced && k->idle[text[at]]) {
			at++;
			continue;
		}
		symbol =
		    text[at] < 0x80 ? k->ascii[text[at]] : symbol_at(k, text + at, len - at, &n);
		if (((symbol & SYMBOL_SPACED) != 0) != spaced) {
			s->ways[0] = state;
			border(s, !spaced, quoted);
			state = s->ways[0];
			spaced = !spaced;
		}
		symbol &= ~SYMBOL_SPACED;
		state = symbol != 0 ? step(k, state, symbol) : 0;
		if (k->states[state].out != 0) {
			s->ways[0] = state;
			tell(s, 0, quoted);
		}
		at += n;
	}
	s->ways[0] = state;
	if (at > 0)
		s->quoted = quoted;
	return at;
}

/* A letter where there are several ways, or where they part. Returns how many bytes were read. */
static size_t one(struct keyword_scan *s, const unsigned char *text, size_t len, bool quoted)
{
	size_t n = 1;
	unsigned symbol = text[0] < 0x80 ? s->k->ascii[text[0]] : symbol_at(s->k, text, len, &n);

	if (s->blank)
		after_line(s, symbol, quoted);
	else
		letter(s, symbol, quoted);
	return n;
}

void keyword_scan_feed(struct keyword_scan *s, const char *text, size_t len, bool quoted)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t at = 0;

	while (at < len) {
		if (bytes[at] == ' ' || bytes[at] == '\n') {
			s->blank = true;
			s->lines += bytes[at] == '\n' && s->lines < 2;
			at++;
			continue;
		}
		if (s->blank && !parts(s))
			blanks(s, quoted);
		if (s->blank || s->n > 1)
			at += one(s, bytes + at, len - at, quoted);
		else
			at += row(s, bytes + at, len - at, quoted);
	}
}

void keyword_scan_end(struct keyword_scan *s)
{
	border(s, false, s->quoted);
	restart(s);
}
