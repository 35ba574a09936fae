/* What the parts of greeting.h know of each other: words of a greeting, names and their readings. */
#ifndef SEKISHO_WORDS_GREETING_INSIDE_H
#define SEKISHO_WORDS_GREETING_INSIDE_H

#include "lib/words/greeting.h"

#define ROMAJI_MAX ((size_t)80) /* bytes of a reading in Latin letters */

/* A stretch of a line. */
struct stretch {
	const char *text;
	size_t len;
};

enum greeting_word {
	GREETING_WORD_SENTENCE, /* the text begins, or it is none of these */
	GREETING_WORD_COMPANY,
	GREETING_WORD_PART,     /* a department, a place */
	GREETING_WORD_TITLE,    /* 部長, 代表取締役, 担当 */
	GREETING_WORD_NAME,     /* what may be a name, of a person or a company */
	GREETING_WORD_PERSON,   /* with an honorific; `name` may be empty: then it stands before */
	GREETING_WORD_EVERYONE, /* 各位, ご担当者様 */
	GREETING_WORD_TO,       /* 御中; `name` is whose, or empty */
};

struct greeting_read_word {
	enum greeting_word kind;
	struct stretch name;
	struct stretch honorific;
	struct stretch company; /* joined before the name: アルファ商事田中様 */
	bool behind; /* the name stands joined behind a company or department: 営業部阿部 */
};

/* What a word between blanks or commas is. */
struct greeting_read_word greeting_word(const char *text, size_t len);

/* How many letters it has. */
NODISCARD size_t greeting_letters(const char *text, size_t len);

/* Whether it ends in, begins with, or is the text. */
NODISCARD bool stretch_ends(struct stretch s, const char *with);
NODISCARD bool stretch_is(struct stretch s, const char *what);

/*
 * The bytes of the common family name that `text` begins with, the longest one; 0 if there is none.
 * `romaji` (NULL: not wanted) gets how it is read, one or more with blanks between.
 */
NODISCARD size_t surname_of(const char *text, size_t len, const char **romaji);

/* Whether Latin letters in their one way of writing (romaji_fold) are a common family name. */
NODISCARD bool surname_romaji(const char *romaji);

/*
 * Latin letters, or katakana, as they are compared: Hepburn and Kunrei, long vowels and doubled
 * consonants are the same, case is folded, all else left out. Returns the bytes in `into`.
 */
size_t romaji_fold(const char *text, size_t len, char into[ROMAJI_MAX + 1]);

/* Kanji of which several are used for one name: 齋 and 斉 as 斎, 邊 as 辺. */
uint32_t kanji_fold(uint32_t point);

#endif
