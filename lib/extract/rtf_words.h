/* The control words of RTF that mean something to a reader of its text. */
#ifndef SEKISHO_EXTRACT_RTF_WORDS_H
#define SEKISHO_EXTRACT_RTF_WORDS_H

#include "lib/base/compat.h"

#define RTF_WORD_MAX 12 /* letters of the longest of them */

enum rtf_action {
	RTF_LETTER, /* stands for the letter `value` */
	RTF_UNICODE,
	RTF_UNITS,
	RTF_BINARY,
	RTF_PAGE, /* the document's code page is `value` */
	RTF_TO,   /* where the group's text goes: `value` is an enum rtf_destination */
	RTF_HOW,  /* how letters are read: `value` is an enum rtf_how */
};

enum rtf_destination {
	RTF_TEXT, /* text of its own: a note, a header, a comment */
	RTF_NOTHING,
	RTF_FONTS,
	RTF_OBJECT,
	RTF_NAME,  /* of a property of a drawing */
	RTF_VALUE, /* of it */
};

enum rtf_how {
	RTF_FONT,
	RTF_OTHER_FONT,
	RTF_DOUBLE, /* letters of two bytes follow */
	RTF_SINGLE,
	RTF_PLAIN,
	RTF_DEFAULT_FONT,
	RTF_ANSI_PAGE,
	RTF_CHARSET,
	RTF_FONT_PAGE,
};

struct rtf_word {
	const char *name;
	enum rtf_action action;
	uint16_t value;
};

/* NULL: none of them. */
const struct rtf_word *rtf_word_named(const char *name, size_t len);

#endif
