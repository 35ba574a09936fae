/*
 * Letters of Japanese text in UTF-8, normalised by lib/text/norm.h, as the detectors of addresses and
 * names look at them. Broken UTF-8 is read as letters of one byte that are of no kind.
 */
#ifndef SEKISHO_DETECT_LETTERS_H
#define SEKISHO_DETECT_LETTERS_H

#include "lib/base/compat.h"

#define LETTER_NONE ((uint32_t)0) /* at the end, and for a byte that is no letter */

/* The letter at `*at` (LETTER_NONE at the end), and `*at` behind it. */
uint32_t letter_next(const char *text, size_t len, size_t *at);

/* The letter that ends at `*at` (LETTER_NONE at the start), and `*at` before it. */
uint32_t letter_before(const char *text, size_t *at);

NODISCARD static inline bool letter_digit(uint32_t p)
{
	return p >= '0' && p <= '9';
}

NODISCARD static inline bool letter_latin(uint32_t p)
{
	return (p >= 'A' && p <= 'Z') || (p >= 'a' && p <= 'z');
}

NODISCARD static inline bool letter_hiragana(uint32_t p)
{
	return p >= 0x3041 && p <= 0x3096;
}

/* With the long vowel, and without the middle dot. */
NODISCARD static inline bool letter_katakana(uint32_t p)
{
	return (p >= 0x30a1 && p <= 0x30fa) || p == 0x30fc;
}

/* With 々 and 〆. */
NODISCARD static inline bool letter_kanji(uint32_t p)
{
	return (p >= 0x4e00 && p <= 0x9fff) || p == 0x3005 || p == 0x3006 ||
	       (p >= 0x3400 && p <= 0x4dbf) || (p >= 0xf900 && p <= 0xfaff) ||
	       (p >= 0x20000 && p <= 0x3ffff);
}

NODISCARD static inline bool letter_japanese(uint32_t p)
{
	return letter_kanji(p) || letter_hiragana(p) || letter_katakana(p);
}

#endif
