#include "lib/detect/names_clause.h"

#include <string.h>

#include "lib/detect/letters.h"

#define NAME_WORD    6    /* letters of half a name, at most */
#define NAME_LETTERS 10   /* of a family name, a blank and the first letters of a given one */
#define KANA_FOLD    0x60 /* from a hiragana to its katakana */

static enum letter_kind kind_of(uint32_t p)
{
	if (p == ' ')
		return KIND_BLANK;
	if (letter_kanji(p))
		return KIND_KANJI;
	if (letter_hiragana(p))
		return KIND_HIRAGANA;
	if (letter_katakana(p))
		return KIND_KATAKANA;
	return letter_digit(p) || letter_latin(p) ? KIND_DIGIT : KIND_OTHER;
}

/* A full clause is cut where no name is cut, if there is such a place in its second half. */
static void cut(struct clause *c)
{
	for (size_t n = c->n; n > CLAUSE_LETTERS / 2; n--) {
		if (c->kind[n - 1] == KIND_OTHER) {
			c->n = n;
			return;
		}
	}
	for (size_t n = c->n; n > CLAUSE_LETTERS / 2; n--) {
		if (c->kind[n - 1] == KIND_HIRAGANA) {
			c->n = n;
			return;
		}
	}
}

size_t clause_read(struct clause *c, const char *text, size_t from, size_t end)
{
	size_t at = from;

	c->text = text;
	c->n = 0;
	while (at < end && text[at] != '\n') {
		if (c->n == CLAUSE_LETTERS) {
			c->at[c->n] = at;
			cut(c);
			return c->at[c->n];
		}
		c->at[c->n] = at;
		c->point[c->n] = letter_next(text, end, &at);
		c->kind[c->n] = (uint8_t)kind_of(c->point[c->n]);
		c->n++;
	}
	c->at[c->n] = at;
	return at < end ? at + 1 : at;
}

/* The digest of one letter more. Kana are looked up as katakana, but not behind kanji. */
static uint64_t add_letter(const struct clause *c, uint64_t digest, size_t at, bool kana)
{
	uint32_t p = c->point[at] + KANA_FOLD;
	char folded[3] = {
	    (char)(0xe0 | p >> 12), (char)(0x80 | (p >> 6 & 0x3f)), (char)(0x80 | (p & 0x3f))};

	if (kana && c->kind[at] == KIND_HIRAGANA)
		return lexicon_digest_add(digest, folded, sizeof folded);
	return lexicon_digest_add(digest, c->text + c->at[at], c->at[at + 1] - c->at[at]);
}

/* The words of each length that begin at `at`. */
static void look_up(struct clause *c, const struct lexicon *lexicon, size_t at)
{
	uint64_t digest = lexicon_digest();
	bool kana = c->kind[at] != KIND_KANJI;
	size_t grammar = 0;

	for (size_t i = 0; i < LEXICON_LETTERS && clause_japanese(c, at + i); i++) {
		/* Behind kanji two hiragana may be of a name, more are not. */
		grammar += !kana && c->kind[at + i] == KIND_HIRAGANA;
		if (grammar > 2)
			return;
		digest = add_letter(c, digest, at + i, kana);
		c->known[at][i] = (uint8_t)lexicon_find(lexicon, digest);
	}
}

/*
 * Within a sentence a name is believed where MeCab sees a family name or an honorific follows; what is
 * set off from its surroundings is looked at in any case.
 */
static void mark_starts(struct clause *c)
{
	size_t honorific = c->n + NAME_LETTERS; /* the next one */

	for (size_t i = c->n; i-- > 0;) {
		bool set_off = clause_left(c, i) > BOUND_NONE;

		if (c->honorific[i] > 0)
			honorific = i;
		c->start[i] = clause_japanese(c, i) && (c->word[i] != WORD_NONE || set_off) &&
			      (set_off || c->word[i] == WORD_FAMILY || c->word[i] == WORD_PLACE ||
				  (c->kind[i] == KIND_KANJI && honorific - i < NAME_LETTERS));
	}
}

void clause_look_up(struct clause *c, const struct lexicon *lexicon)
{
	size_t until = 0; /* names that were begun reach so far */

	mark_starts(c);
	memset(c->known, 0, c->n * sizeof c->known[0]);
	for (size_t i = 0; i < c->n; i++) {
		if (c->start[i])
			until = i + NAME_LETTERS;
		if (i < until && clause_japanese(c, i))
			look_up(c, lexicon, i);
	}
}

static size_t letter_at_byte(const struct clause *c, size_t from, size_t byte)
{
	while (from < c->n && c->at[from] < byte)
		from++;
	return from;
}

bool clause_split(
    struct clause *c, size_t start, size_t end, mecab_t *tagger, mecab_lattice_t *lattice)
{
	size_t len = c->at[end] - c->at[start];
	size_t letter = start;

	/* MeCab looks for a NUL behind a sentence that ends in a blank, whatever length it is told. */
	memcpy(c->sentence, c->text + c->at[start], len);
	c->sentence[len] = '\0';
	mecab_lattice_set_sentence2(lattice, c->sentence, len);
	if (mecab_parse_lattice(tagger, lattice) == 0)
		return false;

	for (const mecab_node_t *node = mecab_lattice_get_bos_node(lattice); node != NULL;
	     node = node->next) {
		size_t byte;

		if (node->stat == MECAB_BOS_NODE || node->stat == MECAB_EOS_NODE)
			continue;
		byte = c->at[start] + (size_t)(node->surface - c->sentence);
		letter = letter_at_byte(c, letter, byte);
		if (letter == end)
			break;
		c->word[letter] = (uint8_t)node->posid;
		c->word_len[letter] =
		    (uint8_t)(letter_at_byte(c, letter, byte + node->length) - letter);
	}
	return true;
}

static size_t run_of_kind(const struct clause *c, size_t at)
{
	size_t end = at;

	while (end < c->n && c->kind[end] == c->kind[at])
		end++;
	return end - at;
}

static unsigned name_flags(
    const struct clause *c, const struct lexicon *lexicon, size_t at, size_t letters)
{
	if (at + letters > c->n)
		return 0;
	return lexicon_name(lexicon, lexicon_digest_add(lexicon_digest(), c->text + c->at[at],
					 c->at[at + letters] - c->at[at]));
}

/* Whether a given name begins there. */
static bool given_begins(const struct clause *c, const struct lexicon *lexicon, size_t at)
{
	for (size_t letters = 1; letters <= 3; letters++) {
		if ((name_flags(c, lexicon, at, letters) & LEXICON_GIVEN) != 0)
			return true;
	}
	/* Kana are in the lexicon as katakana; any may be one. */
	return clause_japanese(c, at) && c->kind[at] != KIND_KANJI;
}

/* Whether a family name and a given name begin at a kanji. */
static bool pair_begins(const struct clause *c, const struct lexicon *lexicon, size_t at)
{
	bool set_off = clause_left(c, at) > BOUND_NONE;

	for (size_t letters = 1; letters <= 3 && clause_japanese(c, at + letters - 1); letters++) {
		size_t given = clause_skip(c, at + letters);

		/* One letter within a sentence is no sign of a family name. */
		if (letters == 1 && !set_off && given == at + letters)
			continue;
		if (clause_japanese(c, given) &&
		    (name_flags(c, lexicon, at, letters) & LEXICON_FAMILY) != 0 &&
		    given_begins(c, lexicon, given))
			return true;
	}
	return false;
}

/* Two short words with a blank between them. */
static bool pair_apart(const struct clause *c, size_t at)
{
	size_t run = run_of_kind(c, at);
	size_t next = clause_skip(c, at + run);

	return run <= NAME_WORD && next > at + run && clause_japanese(c, next) &&
	       run_of_kind(c, next) <= NAME_WORD;
}

/* サトウハナコ */
static bool pair_joined(const struct clause *c, const struct lexicon *lexicon, size_t at)
{
	size_t run = run_of_kind(c, at);

	if (run < 4 || run > 2 * NAME_WORD)
		return false;
	for (size_t split = 2; split + 2 <= run; split++) {
		if ((name_flags(c, lexicon, at, split) & LEXICON_FAMILY) != 0 &&
		    (name_flags(c, lexicon, at + split, run - split) & LEXICON_GIVEN) != 0)
			return true;
	}
	return false;
}

static bool promises(const struct clause *c, const struct lexicon *lexicon, size_t at)
{
	bool set_off = clause_left(c, at) > BOUND_NONE;

	if (c->honorific[at] > 0)
		return true;
	if (set_off && pair_apart(c, at))
		return true;
	if (c->kind[at] != KIND_KANJI)
		return set_off && c->kind[at] == KIND_KATAKANA && pair_joined(c, lexicon, at);
	if (set_off && run_of_kind(c, at) <= NAME_WORD + 1 &&
	    clause_right(c, at + run_of_kind(c, at)) > BOUND_NONE)
		return true;
	return pair_begins(c, lexicon, at);
}

bool clause_promising(
    const struct clause *c, const struct lexicon *lexicon, size_t *start, size_t *end)
{
	for (size_t at = *start; at < c->n; at = *end) {
		bool promising = false;

		while (at < c->n && c->kind[at] < KIND_HIRAGANA)
			at++;
		*start = *end = at;
		for (; *end < c->n && c->kind[*end] != KIND_OTHER; (*end)++) {
			if (!promising && clause_japanese(c, *end))
				promising = promises(c, lexicon, *end);
		}
		if (promising)
			return true;
	}
	return false;
}

size_t clause_skip(const struct clause *c, size_t at)
{
	for (size_t i = 0; i < 2 && at < c->n && c->kind[at] == KIND_BLANK; i++)
		at++;
	return at;
}

size_t clause_skip_back(const struct clause *c, size_t at)
{
	for (size_t i = 0; i < 2 && at > 0 && c->kind[at - 1] == KIND_BLANK; i++)
		at--;
	return at;
}

enum bound clause_left(const struct clause *c, size_t at)
{
	size_t before = at;

	while (before > 0 && c->kind[before - 1] == KIND_BLANK)
		before--;
	if (before == 0 || c->kind[before - 1] == KIND_OTHER)
		return BOUND_HARD;
	if (before == at)
		return BOUND_NONE;
	return c->kind[before - 1] == KIND_DIGIT ? BOUND_HARD : BOUND_SOFT;
}

enum bound clause_right(const struct clause *c, size_t at)
{
	size_t behind = at;

	while (behind < c->n && c->kind[behind] == KIND_BLANK)
		behind++;
	if (behind == c->n || c->kind[behind] == KIND_OTHER)
		return BOUND_HARD;
	if (behind == at)
		return BOUND_NONE;
	return c->kind[behind] == KIND_DIGIT ? BOUND_HARD : BOUND_SOFT;
}

size_t clause_word(const struct clause *c, size_t at, const char *word)
{
	size_t byte = c->at[at < c->n ? at : c->n];
	size_t end = c->at[c->n];
	size_t n = 0;

	for (; *word != '\0'; word++, byte++) {
		if (byte >= end || c->text[byte] != *word)
			return 0;
	}
	while (c->at[at + n] < byte)
		n++;
	return n;
}

size_t clause_word_before(const struct clause *c, size_t at, const char *word)
{
	size_t len = strlen(word);
	size_t n = 0;

	if (c->at[at] - c->at[0] < len || memcmp(c->text + c->at[at] - len, word, len) != 0)
		return 0;
	while (c->at[at - n] > c->at[at] - len)
		n++;
	return n;
}
