/* Readings in Latin letters, in one way of writing for all: tanaka, itoh, kouichi, SATOU. */
#include <string.h>

#include "lib/detect/letters.h"
#include "lib/words/greeting_inside.h"

/* In the order of Unicode; small vowels and ャュョ are told apart where they are joined. */
static const char *const katakana[] = {
    /* 30a1 */ "a",
    "a",
    "i",
    "i",
    "u",
    "u",
    "e",
    "e",
    "o",
    "o",
    /* カ */ "ka",
    "ga",
    "ki",
    "gi",
    "ku",
    "gu",
    "ke",
    "ge",
    "ko",
    "go",
    /* サ */ "sa",
    "za",
    "shi",
    "ji",
    "su",
    "zu",
    "se",
    "ze",
    "so",
    "zo",
    /* タ */ "ta",
    "da",
    "chi",
    "ji",
    "",
    "tsu",
    "zu",
    "te",
    "de",
    "to",
    "do",
    /* ナ */ "na",
    "ni",
    "nu",
    "ne",
    "no",
    /* ハ */ "ha",
    "ba",
    "pa",
    "hi",
    "bi",
    "pi",
    "fu",
    "bu",
    "pu",
    "he",
    "be",
    "pe",
    "ho",
    "bo",
    "po",
    /* マ */ "ma",
    "mi",
    "mu",
    "me",
    "mo",
    "ya",
    "ya",
    "yu",
    "yu",
    "yo",
    "yo",
    /* ラ */ "ra",
    "ri",
    "ru",
    "re",
    "ro",
    "wa",
    "wa",
    "i",
    "e",
    "o",
    "n",
    "bu",
    "ka",
    "ke",
};

/* Pairs in this order: what one way writes, and what is compared. */
static const char *const same[][2] = {
    {"sy", "sh"},
    {"ty", "ch"},
    {"zy", "j"},
    {"jy", "j"},
    {"cy", "ch"},
    {"si", "shi"},
    {"ti", "chi"},
    {"tu", "tsu"},
    {"hu", "fu"},
    {"zi", "ji"},
    {"di", "ji"},
    {"du", "zu"},
    {"mb", "nb"},
    {"mp", "np"},
    {"mm", "nm"},
    {"ou", "o"},
    {"oo", "o"},
    {"uu", "u"},
    {"ii", "i"},
    {"aa", "a"},
    {"ee", "e"},
    {"tch", "ch"},
    {"wo", "o"},
    {"l", "r"},
};

static bool vowel(char c)
{
	return c != '\0' && strchr("aiueo", c) != NULL;
}

static void put(char into[ROMAJI_MAX + 1], size_t *used, const char *text)
{
	for (; *text != '\0' && *used < ROMAJI_MAX; text++)
		into[(*used)++] = *text;
}

/* A small ャ, ュ or ョ makes one syllable with キ, シ …: kiya is kya, shiya sha. */
static void join_small(char into[ROMAJI_MAX + 1], size_t *used, const char *small)
{
	if (*used > 1 && into[*used - 1] == 'i') {
		--*used;
		if (into[*used - 1] == 'h' || into[*used - 1] == 'j')
			small++;
	}
	put(into, used, small);
}

/* The letters a to z of the text, its katakana and hiragana as they are read. */
static size_t latin(const char *text, size_t len, char into[ROMAJI_MAX + 1])
{
	size_t used = 0;

	for (size_t at = 0; at < len && used < ROMAJI_MAX;) {
		uint32_t point = letter_next(text, len, &at);
		char one[2] = "";

		if (letter_hiragana(point))
			point += 0x60;
		if (letter_latin(point)) {
			one[0] = (char)(point | 0x20);
			put(into, &used, one);
		} else if (point == 0x30e3 || point == 0x30e5 || point == 0x30e7) {
			join_small(into, &used, katakana[point - 0x30a1]);
		} else if (point >= 0x30a1 && point < 0x30a1 + COUNT_OF(katakana)) {
			put(into, &used, katakana[point - 0x30a1]);
		}
	}
	into[used] = '\0';
	return used;
}

/* One of the pairs at `text`, or 0. */
static size_t replaced(const char *text, const char **with)
{
	for (size_t i = 0; i < COUNT_OF(same); i++) {
		size_t n = strlen(same[i][0]);

		if (strncmp(text, same[i][0], n) == 0) {
			*with = same[i][1];
			return n;
		}
	}
	return 0;
}

/* "oh" for a long vowel: at the end, or before a consonant. */
static bool long_h(const char *text, size_t at)
{
	return at > 0 && text[at] == 'h' && text[at - 1] == 'o' && !vowel(text[at + 1]) &&
	       text[at + 1] != 'y';
}

size_t romaji_fold(const char *text, size_t len, char into[ROMAJI_MAX + 1])
{
	char plain[ROMAJI_MAX + 1];
	size_t used = 0;

	(void)latin(text, len, plain);
	for (size_t at = 0; plain[at] != '\0';) {
		const char *with = NULL;
		size_t n = replaced(plain + at, &with);

		if (n > 0) {
			put(into, &used, with);
			at += n;
		} else if (long_h(plain, at) ||
			   (plain[at] == plain[at + 1] && !vowel(plain[at]) && plain[at] != 'n')) {
			at++;
		} else {
			char one[2] = {plain[at++], '\0'};

			put(into, &used, one);
		}
	}
	into[used] = '\0';
	return used;
}

uint32_t kanji_fold(uint32_t point)
{
	static const uint32_t forms[][2] = {
	    {0x9f4b, 0x658e},
	    {0x9f4a, 0x658e},
	    {0x6589, 0x658e}, /* 齋 齊 斉: 斎 */
	    {0x908a, 0x8fba},
	    {0x9089, 0x8fba}, /* 邊 邉: 辺 */
	    {0x6fa4, 0x6ca2},
	    {0x5d8b, 0x5cf6},
	    {0x5d8c, 0x5cf6},
	    {0x6ff1, 0x6d5c},
	    {0x6ff5, 0x6d5c},
	    {0x5ee3, 0x5e83},
	    {0x6afb, 0x685c},
	    {0x570b, 0x56fd},
	    {0x771e, 0x771f},
	    {0x60e0, 0x6075},
	    {0x51a8, 0x5bcc},
	    {0x9f8d, 0x7adc},
	    {0x5fb7, 0x5fb3},
	    {0x7028, 0x702c},
	    {0x6852, 0x6851},
	    {0xfa11, 0x5d0e},
	    {0x9ad9, 0x9ad8},
	};

	for (size_t i = 0; i < COUNT_OF(forms); i++)
		if (forms[i][0] == point)
			return forms[i][1];
	return point;
}
