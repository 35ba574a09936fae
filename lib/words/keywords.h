/*
 * Words and phrases in a text, all of them in one pass: an automaton (Aho and Corasick, "Efficient
 * string matching", 1975) over letters that are normalised (lib/text/norm.h) and folded: case, width
 * and the kind of kana make no difference. It is built once, and read by any number of processes.
 *
 * Where a word matches:
 * - Letters and digits of scripts that put blanks between words (Latin, Greek, Cyrillic) match as
 *   whole words: "ass" is neither in "assist" nor in "class", and "A-100" not in "A-1000". A "*"
 *   before or behind the word of the list takes that away on its side: "secret*" is in "secretary".
 *   Beside kana, kanji or Hangul a word begins and ends anyway: "memo" is in "社内memoを".
 * - All others match anywhere: "機密" is in "部外秘機密書類".
 * - A line's end, with blanks around it, hides nothing: it is tried as nothing and as a blank. Two of
 *   them, an empty line, end every word.
 * - A blank in a phrase is one or more blanks, or a line's end.
 * Two words that end at the same place are both told; one that is found on two ways is told once.
 */
#ifndef SEKISHO_WORDS_KEYWORDS_H
#define SEKISHO_WORDS_KEYWORDS_H

#include "lib/base/compat.h"
#include "lib/text/norm.h"

#define KEYWORD_LETTERS_MAX ((size_t)256)             /* of one word */
#define KEYWORD_STATES_MAX  ((size_t)4 * 1024 * 1024) /* of all words: their letters, at most */

/* Where the places of line ends leave more ways to read a text than this, only so many are followed. */
#define KEYWORD_WAYS ((size_t)16)

/* ---- building ---- */

struct keyword_builder;

enum keyword_added {
	KEYWORD_ADDED,
	KEYWORD_EMPTY,    /* nothing is left of it: blanks, or letters that nobody sees */
	KEYWORD_TOO_LONG, /* more than KEYWORD_LETTERS_MAX */
	KEYWORD_FULL,     /* no room in the automaton */
	KEYWORD_NO_MEMORY
};

/* NULL: no memory. The caller frees it by keyword_builder_free. `tables` are kept. */
NODISCARD struct keyword_builder *keyword_builder_new(const struct norm_tables *tables);
void keyword_builder_free(struct keyword_builder *b);

/* A word or phrase of UTF-8, by what it is told. The same word may have several ids. */
NODISCARD enum keyword_added keyword_add(
    struct keyword_builder *b, const char *utf8, size_t len, uint32_t id);

struct keywords;

/* The automaton of all words that were added. NULL: no memory. The caller frees it. */
NODISCARD struct keywords *keywords_build(const struct keyword_builder *b);
void keywords_free(struct keywords *k);

/* ---- matching ---- */

struct keyword_scan;

/* A word was found; `quoted`: its last letter was. */
typedef void keyword_hit(void *context, uint32_t id, bool quoted);

/* NULL: no memory. The caller frees it by keyword_scan_free. */
NODISCARD struct keyword_scan *keyword_scan_open(
    const struct keywords *k, keyword_hit *hit, void *context);
void keyword_scan_free(struct keyword_scan *s);

/* More normalised text, whole letters. */
void keyword_scan_feed(struct keyword_scan *s, const char *text, size_t len, bool quoted);

/* The text ends; what is fed next is another one. */
void keyword_scan_end(struct keyword_scan *s);

#endif
