/* What keywords.c reads and keywords_build.c makes. */
#ifndef SEKISHO_WORDS_KEYWORDS_INSIDE_H
#define SEKISHO_WORDS_KEYWORDS_INSIDE_H

#include "lib/words/keywords.h"

#define KEYWORD_PAGE  256
#define KEYWORD_PAGES (0x110000 / KEYWORD_PAGE)

/*
 * Letters are symbols: 0 is one that is in no word. A border stands between a letter of a script with
 * blanks and any other, in words as in text: so "whole words" need no rule of their own.
 */
#define SYMBOL_BORDER 1u
#define SYMBOL_BLANK  2u
#define SYMBOL_FIRST  3u
#define SYMBOL_MAX    0x7fffu
#define SYMBOL_SPACED 0x8000u /* flag: of a script with blanks */

/* A state and, at base + symbol, what comes behind it: there `check` is the state's own number. */
struct keyword_state {
	uint32_t base;
	uint32_t check;
	uint32_t fail; /* the longest end of what was read that is a beginning of a word */
	uint32_t out;  /* words that end here; 0: none */
};

/* `next` leads through all of them, shorter ones behind. */
struct keyword_out {
	uint32_t id;
	uint32_t next;
};

#define STATE_NONE UINT32_MAX /* `check` of a place that is free */

struct keywords {
	uint16_t page[KEYWORD_PAGES];
	uint16_t (*symbols)[KEYWORD_PAGE];
	uint16_t ascii[128]; /* the same, near at hand */
	bool idle[256];      /* bytes of letters that, within a word, leave the root where it is */
	struct keyword_state *states; /* 0 is the root */
	struct keyword_out *outs;
	uint32_t *from_root; /* by symbol */
	bool blanks;         /* a phrase has one */
};

/* Whether words of the letter's script have blanks between them. */
NODISCARD static inline bool keyword_spaced(uint32_t p)
{
	if (p < 0x80)
		return (p >= '0' && p <= '9') || (p >= 'a' && p <= 'z') || (p >= 'A' && p <= 'Z') ||
		       p == '_';
	return (p >= 0xc0 && p < 0x2b0 && p != 0xd7 && p != 0xf7) || (p >= 0x370 && p < 0x590) ||
	       (p >= 0x1e00 && p < 0x2000);
}

#endif
