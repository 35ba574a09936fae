/* What the files of charset*.c share: one conversion, and what they may do with it. */
#ifndef SEKISHO_TEXT_CHARSET_INSIDE_H
#define SEKISHO_TEXT_CHARSET_INSIDE_H

#include <iconv.h>

#include "lib/text/charset.h"

#define CHARSET_MADE   ((size_t)4096)  /* converted bytes that wait for the sink */
#define CHARSET_SAMPLE ((size_t)65536) /* what a guess looks at */
#define CHARSET_KEPT   ((size_t)16)    /* bytes of a letter that is not whole yet */
#define CHARSET_NONE   ((iconv_t)-1)

enum charset_kind {
	CHARSET_GUESS, /* not known yet */
	CHARSET_UTF8,
	CHARSET_UTF7,
	CHARSET_UTF16,
	CHARSET_UTF32,
	CHARSET_JIS,
	CHARSET_ICONV
};

/* How a charset is converted. */
struct charset_form {
	const char *name; /* as it is told */
	enum charset_kind kind;
	const char *table; /* CHARSET_JIS, CHARSET_ICONV: libc's name of it */
	bool little;       /* UTF-16, UTF-32: the lower byte comes first */
};

/* ISO-2022-JP: what the bytes mean just now. */
enum jis_set {
	JIS_ASCII,
	JIS_ROMAN, /* JIS X 0201: yen for the backslash, an overline for the tilde */
	JIS_KANA,
	JIS_X0208,
	JIS_X0212,
	JIS_X0213_1,
	JIS_X0213_2,
	JIS_GB2312,
	JIS_KSC5601
};

struct jis {
	enum jis_set set;
	bool shifted;      /* by SO: kana until SI */
	enum jis_set open; /* the set whose table `other` is */
	iconv_t other;
};

struct utf7 {
	bool inside; /* of +...- */
	bool begun;  /* and behind its first byte */
	uint32_t bits;
	unsigned count; /* of bits */
};

struct charset {
	struct sink out;
	bool refused; /* the sink wants no more */
	uint64_t failures;

	const struct charset_form *labelled; /* what the label says */
	const struct charset_form *form;     /* what it is; NULL: not known yet */
	struct buf sample;                   /* until it is known */
	bool passed; /* of a guess: plain ASCII went out before the sample */

	iconv_t table;
	struct jis jis;
	struct utf7 utf7;
	uint32_t high; /* UTF-16: the first of a pair of surrogates */
	unsigned char kept[CHARSET_KEPT];
	size_t kept_len;

	char made[CHARSET_MADE];
	size_t made_len;
};

/* Output. A failure is U+FFFD, counted. */
void charset_put(struct charset *c, const char *utf8, size_t len);
void charset_point(struct charset *c, uint32_t point);
void charset_fail(struct charset *c);

/*
 * Bytes of the charset of `table`, which may end within a letter: returns how many were read. A
 * letter that cannot be converted is `unit` bytes long; 0: as long as it seems.
 */
NODISCARD size_t charset_by_table(
    struct charset *c, iconv_t table, const char *bytes, size_t len, size_t unit, bool last);

/* The first `len` bytes of what is left, all of them read but for a letter that is not whole. */
NODISCARD size_t charset_utf8(struct charset *c, const char *bytes, size_t len, bool last);
NODISCARD size_t charset_utf16(struct charset *c, const char *bytes, size_t len, bool last);
NODISCARD size_t charset_utf32(struct charset *c, const char *bytes, size_t len, bool last);
NODISCARD size_t charset_utf7(struct charset *c, const char *bytes, size_t len, bool last);
NODISCARD size_t charset_jis(struct charset *c, const char *bytes, size_t len, bool last);

/*
 * The length of the letter of UTF-8 at `s`, of which `len` > 0 bytes are there. 0: it is none; `bad`
 * gets how many bytes are passed over, all that could have begun one (Unicode, section 3.9), or 0
 * if it is cut off but right so far.
 */
NODISCARD size_t charset_letter(const unsigned char *s, size_t len, size_t *bad);

/* The forms. By label: NULL if it is not known; `name` is one that charset_label.c has. */
const struct charset_form *charset_form_of(const char *label);
const struct charset_form *charset_form_at(size_t i); /* NULL behind the last */

/* What the sample is; `skip` gets the length of the mark of byte order. */
const struct charset_form *charset_decide(const struct charset *c, size_t *skip);

/* What a text is that is labelled as one of a western language, and is none; NULL: it may be one. */
const struct charset_form *charset_unlike_western(const char *bytes, size_t len);

/* Whether the byte may be the first of a text whose mark of byte order counts. */
NODISCARD static inline bool charset_may_mark(unsigned char byte)
{
	return byte == 0xef || byte == 0xfe || byte == 0xff || byte == 0;
}

#endif
