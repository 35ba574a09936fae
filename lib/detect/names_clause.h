/*
 * A line of text, or a piece of a very long one, as the detector of names reads it: letters with their
 * kind, the words that MeCab makes of them, and what the dictionary says of each stretch by itself.
 */
#ifndef SEKISHO_DETECT_NAMES_CLAUSE_H
#define SEKISHO_DETECT_NAMES_CLAUSE_H

#include <mecab.h>

#include "lib/base/compat.h"
#include "lib/detect/names_lexicon.h"

#define CLAUSE_LETTERS 256 /* MeCab's memory grows with the letters of what it is given */

enum letter_kind { KIND_OTHER, KIND_BLANK, KIND_DIGIT, KIND_HIRAGANA, KIND_KATAKANA, KIND_KANJI };

/* Classes of IPADIC, as its pos-id.def numbers them. */
#define WORD_NONE         0xff /* no word begins here */
#define WORD_VERBAL       36   /* 名詞,サ変接続 */
#define WORD_NOUN         38   /* 名詞,一般 */
#define WORD_NOUN_LAST    40
#define WORD_FAMILY       43
#define WORD_GIVEN        44
#define WORD_PLACE        46 /* 名詞,固有名詞,地域,一般 */
#define WORD_PROPER_LAST  47
#define WORD_SUFFIX_FIRST 49 /* 名詞,接尾 */
#define WORD_SUFFIX_LAST  58

/* How a stretch of letters is set off from what stands before or behind it. */
enum bound {
	BOUND_NONE, /* a Japanese letter */
	BOUND_SOFT, /* a blank, and more letters behind it */
	BOUND_HARD, /* the line's end, a sign */
};

struct clause {
	const char *text;
	size_t n;                      /* letters */
	size_t at[CLAUSE_LETTERS + 1]; /* where in `text` each begins, and where the last ends */
	uint32_t point[CLAUSE_LETTERS];
	uint8_t kind[CLAUSE_LETTERS];
	uint8_t word[CLAUSE_LETTERS]; /* the class of the word that begins there */
	uint8_t word_len[CLAUSE_LETTERS];
	uint8_t known[CLAUSE_LETTERS][LEXICON_LETTERS]; /* of 1, 2, ... letters from there */
	uint8_t honorific[CLAUSE_LETTERS + 1]; /* points of one there or behind a blank there */
	uint8_t traits[CLAUSE_LETTERS];        /* of the letter: names_title.h */
	bool start[CLAUSE_LETTERS];            /* a name may begin there */
	char sentence[CLAUSE_LETTERS * 4 + 1]; /* what MeCab reads */
};

/* Takes letters from `from` on, up to a line's end, `end` or a full clause. Where the next begins. */
size_t clause_read(struct clause *c, const char *text, size_t from, size_t end);

/*
 * MeCab's work is what names cost, so only those stretches between two signs are given to it that may
 * hold one. Where the next such stretch begins at or behind `*start`, and where it ends; c->honorific
 * is filled in. False: there is none.
 */
NODISCARD bool clause_promising(
    const struct clause *c, const struct lexicon *lexicon, size_t *start, size_t *end);

/* Fills in word and word_len from letter `start` to `end`. False: no memory. */
NODISCARD bool clause_split(
    struct clause *c, size_t start, size_t end, mecab_t *tagger, mecab_lattice_t *lattice);

/* Fills in start and known when all is split. */
void clause_look_up(struct clause *c, const struct lexicon *lexicon);

NODISCARD enum bound clause_left(const struct clause *c, size_t at);
NODISCARD enum bound clause_right(const struct clause *c, size_t at);

/* Whether `word` stands at `at`; how many letters it has, or 0. */
NODISCARD size_t clause_word(const struct clause *c, size_t at, const char *word);

/* Whether `word` ends before `at`; how many letters it has, or 0. */
NODISCARD size_t clause_word_before(const struct clause *c, size_t at, const char *word);

/* `at` moved over up to two blanks. */
NODISCARD size_t clause_skip(const struct clause *c, size_t at);
NODISCARD size_t clause_skip_back(const struct clause *c, size_t at);

NODISCARD static inline bool clause_japanese(const struct clause *c, size_t at)
{
	return at < c->n && c->kind[at] >= KIND_HIRAGANA;
}

#endif
