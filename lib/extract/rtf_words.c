#include "lib/extract/rtf_words.h"

#include <string.h>

/* In the order of their bytes. */
static const struct rtf_word words[] = {
    {"af", RTF_HOW, RTF_OTHER_FONT},
    {"aftnsep", RTF_TO, RTF_TEXT},
    {"annotation", RTF_TO, RTF_TEXT},
    {"ansi", RTF_PAGE, 1252},
    {"ansicpg", RTF_HOW, RTF_ANSI_PAGE},
    {"author", RTF_TO, RTF_NOTHING},
    {"bin", RTF_BINARY, 0},
    {"bullet", RTF_LETTER, 0x2022},
    {"category", RTF_TO, RTF_TEXT},
    {"cell", RTF_LETTER, '\t'},
    {"colortbl", RTF_TO, RTF_NOTHING},
    {"column", RTF_LETTER, '\n'},
    {"comment", RTF_TO, RTF_TEXT},
    {"company", RTF_TO, RTF_NOTHING},
    {"cpg", RTF_HOW, RTF_FONT_PAGE},
    {"dbch", RTF_HOW, RTF_DOUBLE},
    {"deff", RTF_HOW, RTF_DEFAULT_FONT},
    {"do", RTF_TO, RTF_TEXT},
    {"doccomm", RTF_TO, RTF_TEXT},
    {"dptxbxtext", RTF_TO, RTF_TEXT},
    {"emdash", RTF_LETTER, 0x2014},
    {"emspace", RTF_LETTER, 0x2003},
    {"endash", RTF_LETTER, 0x2013},
    {"enspace", RTF_LETTER, 0x2002},
    {"f", RTF_HOW, RTF_FONT},
    {"fcharset", RTF_HOW, RTF_CHARSET},
    {"filetbl", RTF_TO, RTF_NOTHING},
    {"fldinst", RTF_TO, RTF_TEXT},
    {"fonttbl", RTF_TO, RTF_FONTS},
    {"footer", RTF_TO, RTF_TEXT},
    {"footerf", RTF_TO, RTF_TEXT},
    {"footerl", RTF_TO, RTF_TEXT},
    {"footerr", RTF_TO, RTF_TEXT},
    {"footnote", RTF_TO, RTF_TEXT},
    {"ftnsep", RTF_TO, RTF_TEXT},
    {"header", RTF_TO, RTF_TEXT},
    {"headerf", RTF_TO, RTF_TEXT},
    {"headerl", RTF_TO, RTF_TEXT},
    {"headerr", RTF_TO, RTF_TEXT},
    {"hich", RTF_HOW, RTF_SINGLE},
    {"hlinkbase", RTF_TO, RTF_NOTHING},
    {"keywords", RTF_TO, RTF_TEXT},
    {"lbr", RTF_LETTER, '\n'},
    {"ldblquote", RTF_LETTER, 0x201c},
    {"line", RTF_LETTER, '\n'},
    {"loch", RTF_HOW, RTF_SINGLE},
    {"lquote", RTF_LETTER, 0x2018},
    {"ltrmark", RTF_LETTER, 0x200e},
    {"mac", RTF_PAGE, 10000},
    {"manager", RTF_TO, RTF_NOTHING},
    {"moMath", RTF_TO, RTF_TEXT},
    {"nestcell", RTF_LETTER, '\t'},
    {"nestrow", RTF_LETTER, '\n'},
    {"nonesttables", RTF_TO, RTF_NOTHING},
    {"objdata", RTF_TO, RTF_OBJECT},
    {"operator", RTF_TO, RTF_NOTHING},
    {"page", RTF_LETTER, '\n'},
    {"par", RTF_LETTER, '\n'},
    {"pc", RTF_PAGE, 437},
    {"pca", RTF_PAGE, 850},
    {"pict", RTF_TO, RTF_NOTHING},
    {"plain", RTF_HOW, RTF_PLAIN},
    {"qmspace", RTF_LETTER, 0x2005},
    {"rdblquote", RTF_LETTER, 0x201d},
    {"row", RTF_LETTER, '\n'},
    {"rquote", RTF_LETTER, 0x2019},
    {"rtlmark", RTF_LETTER, 0x200f},
    {"sect", RTF_LETTER, '\n'},
    {"shpinst", RTF_TO, RTF_TEXT},
    {"shptxt", RTF_TO, RTF_TEXT},
    {"sn", RTF_TO, RTF_NAME},
    {"softline", RTF_LETTER, '\n'},
    {"stylesheet", RTF_TO, RTF_NOTHING},
    {"subject", RTF_TO, RTF_TEXT},
    {"sv", RTF_TO, RTF_VALUE},
    {"tab", RTF_LETTER, '\t'},
    {"title", RTF_TO, RTF_TEXT},
    {"u", RTF_UNICODE, 0},
    {"uc", RTF_UNITS, 0},
    {"ud", RTF_TO, RTF_TEXT},
    {"zwj", RTF_LETTER, 0x200d},
    {"zwnj", RTF_LETTER, 0x200c},
};

/* Their order: that of the bytes, the shorter first. */
static int compare(const char *name, size_t len, const char *word)
{
	size_t word_len = strlen(word);
	int order = memcmp(name, word, len < word_len ? len : word_len);

	return order != 0 ? order : (len > word_len) - (len < word_len);
}

const struct rtf_word *rtf_word_named(const char *name, size_t len)
{
	size_t low = 0, high = COUNT_OF(words);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(name, len, words[middle].name);

		if (order == 0)
			return &words[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
