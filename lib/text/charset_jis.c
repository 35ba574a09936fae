/*
 * ISO-2022-JP (RFC 1468, RFC 1554, RFC 2237) as mail programs write it. libc's own refuses the
 * letters of NEC and IBM and reads half-width kana as ASCII; CP932 has them all, and a pair of
 * JIS X 0208 becomes one of CP932 by arithmetic.
 */
#include <string.h>

#include "lib/text/charset_inside.h"

#define ESC '\x1b'

struct escape {
	const char *bytes; /* behind ESC */
	enum jis_set set;
};

static const struct escape escapes[] = {
    {"(B", JIS_ASCII}, {"(J", JIS_ROMAN},
    {"(H", JIS_ROMAN},                   /* Swedish by the register, Roman to old mail programs */
    {"(I", JIS_KANA}, {")I", JIS_ASCII}, /* what SO leads to: kana anyway */
    {"$B", JIS_X0208}, {"$@", JIS_X0208}, {"$(B", JIS_X0208}, {"$(@", JIS_X0208},
    {"$(D", JIS_X0212}, {"$(O", JIS_X0213_1}, {"$(Q", JIS_X0213_1}, {"$(P", JIS_X0213_2},
    {"$A", JIS_GB2312}, {"$(C", JIS_KSC5601},
    {"&@", JIS_ASCII}, /* announces the JIS X 0208 of 1990 */
};

/*
 * The escape at `bytes`, behind ESC: its length, 0 if there is none, or SIZE_MAX if it may be one
 * whose rest is to come.
 */
static size_t escape(const char *bytes, size_t len, const struct escape **found)
{
	for (size_t i = 0; i < COUNT_OF(escapes); i++) {
		size_t n = strlen(escapes[i].bytes);

		if (memcmp(bytes, escapes[i].bytes, n < len ? n : len) != 0)
			continue;
		*found = &escapes[i];
		return n <= len ? n : SIZE_MAX;
	}
	return 0;
}

/* ---- pairs ---- */

static bool is_pair_set(enum jis_set set)
{
	return set >= JIS_X0208;
}

/* The table of a set other than JIS X 0208; one at a time is open. */
static iconv_t table_of(struct charset *c, enum jis_set set)
{
	static const char *const names[] = {
	    [JIS_X0212] = "EUC-JP-MS",
	    [JIS_X0213_1] = "EUC-JISX0213",
	    [JIS_X0213_2] = "EUC-JISX0213",
	    [JIS_GB2312] = "EUC-CN",
	    [JIS_KSC5601] = "EUC-KR",
	};

	if (c->jis.open != set || c->jis.other == CHARSET_NONE) {
		if (c->jis.other != CHARSET_NONE)
			(void)iconv_close(c->jis.other);
		c->jis.other = iconv_open("UTF-8", names[set]);
		c->jis.open = set;
	}
	return c->jis.other;
}

static void by_table(struct charset *c, iconv_t table, const unsigned char *bytes, size_t len)
{
	size_t read;

	if (table == CHARSET_NONE) {
		charset_fail(c);
		return;
	}
	read = charset_by_table(c, table, (const char *)bytes, len, len, true);
	(void)read; /* all: it is the last */
}

/* A pair of JIS X 0208 as one of CP932. */
static void as_cp932(unsigned char first, unsigned char second, unsigned char *sjis)
{
	unsigned row = first - 0x21u;
	unsigned odd = second + 0x1fu + (second >= 0x60);

	sjis[0] = (unsigned char)((row >> 1) + (row < 0x3e ? 0x81 : 0xc1));
	sjis[1] = (unsigned char)((row & 1) != 0 ? second + 0x7eu : odd);
}

static bool in_pair(unsigned char byte)
{
	return byte > 0x20 && byte < 0x7f;
}

/* A stretch of pairs at once: libc takes as long to begin as for a hundred of them. */
static size_t pairs(struct charset *c, const unsigned char *s, size_t len)
{
	unsigned char sjis[512];
	size_t n = 0, read;

	while (n + 1 < len && n < sizeof sjis && in_pair(s[n]) && in_pair(s[n + 1])) {
		as_cp932(s[n], s[n + 1], sjis + n);
		n += 2;
	}
	if (n > 0 && c->table == CHARSET_NONE) {
		charset_fail(c);
		return n;
	}
	read = charset_by_table(c, c->table, (const char *)sjis, n, 2, true);
	(void)read; /* all: it is the last */
	return n;
}

/* A pair of another set, by the EUC of which it is a part. */
static void other_pair(struct charset *c, unsigned char first, unsigned char second)
{
	unsigned char euc[3] = {0x8f, first | 0x80, second | 0x80};
	bool third = c->jis.set == JIS_X0212 || c->jis.set == JIS_X0213_2;

	by_table(c, table_of(c, c->jis.set), euc + !third, 2u + third);
}

/* ---- single bytes ---- */

/* Kana have U+FF61 on, from 0x21 or, with the eighth bit, from 0xA1. */
static void kana(struct charset *c, unsigned char byte)
{
	unsigned char low = byte & 0x7f;

	if (low >= 0x21 && low <= 0x5f)
		charset_point(c, 0xff40u + low);
	else
		charset_fail(c);
}

static void single(struct charset *c, unsigned char byte)
{
	bool letter = byte > 0x20 && byte < 0x7f;

	if (letter && (c->jis.set == JIS_KANA || c->jis.shifted))
		kana(c, byte);
	else if (c->jis.set == JIS_ROMAN && byte == '\\')
		charset_point(c, 0xa5);
	else if (c->jis.set == JIS_ROMAN && byte == '~')
		charset_point(c, 0x203e);
	else
		charset_point(c, byte);
}

/*
 * Bytes with the eighth bit have no place in it. Microsoft's programs put kana so; pairs are CP932
 * that somebody labelled wrong. Returns how many were read, 0 if the rest is to come.
 */
static size_t eight_bit(struct charset *c, const unsigned char *s, size_t len, bool last)
{
	bool lead = s[0] < 0xa0 || s[0] >= 0xe0;

	if (!lead) {
		kana(c, s[0]);
		return 1;
	}
	if (len == 1 && !last)
		return 0;
	if (len == 1 || s[0] > 0xfc || s[0] == 0x80 || s[1] < 0x40 || s[1] == 0x7f || s[1] > 0xfc) {
		charset_fail(c);
		return 1;
	}
	by_table(c, c->table, s, 2);
	return 2;
}

/* ---- the text ---- */

/* At ESC. Returns how many bytes were read, 0 if the rest is to come. */
static size_t at_escape(struct charset *c, const char *bytes, size_t len, bool last)
{
	const struct escape *found = NULL;
	size_t n = len > 1 ? escape(bytes + 1, len - 1, &found) : SIZE_MAX;

	if (n == SIZE_MAX && !last)
		return 0;
	if (n == SIZE_MAX) { /* the text ends within it */
		charset_fail(c);
		return len;
	}
	if (n == 0) {
		charset_fail(c);
		return 1;
	}
	if (found->bytes[0] != ')' && found->bytes[0] != '&') {
		c->jis.set = found->set;
		c->jis.shifted = false;
	}
	return n + 1;
}

/* One letter or escape. Returns how many bytes were read, 0 if the rest is to come. */
static size_t step(struct charset *c, const char *bytes, size_t len, bool last)
{
	const unsigned char *s = (const unsigned char *)bytes;
	bool first = is_pair_set(c->jis.set) && !c->jis.shifted && in_pair(s[0]);

	if (s[0] == ESC)
		return at_escape(c, bytes, len, last);
	if (s[0] == 0x0e || s[0] == 0x0f) { /* SO, SI */
		c->jis.shifted = s[0] == 0x0e;
		return 1;
	}
	if (s[0] >= 0x80)
		return eight_bit(c, s, len, last);
	if (!first) {
		single(c, s[0]);
		return 1;
	}

	if (len == 1 && !last)
		return 0;
	if (len == 1 || !in_pair(s[1])) {
		charset_fail(c);
		return 1;
	}
	if (c->jis.set == JIS_X0208)
		return pairs(c, s, len);
	other_pair(c, s[0], s[1]);
	return 2;
}

/* A stretch of plain ASCII goes out as it is. */
static size_t plain(const struct charset *c, const char *bytes, size_t len)
{
	size_t n = 0;

	if (c->jis.set != JIS_ASCII || c->jis.shifted)
		return 0;
	while (n < len && (unsigned char)bytes[n] < 0x80 && bytes[n] != ESC && bytes[n] != 0x0e &&
	       bytes[n] != 0x0f)
		n++;
	return n;
}

size_t charset_jis(struct charset *c, const char *bytes, size_t len, bool last)
{
	size_t at = 0, n;

	while (at < len && !c->refused) {
		n = plain(c, bytes + at, len - at);
		if (n > 0) {
			charset_put(c, bytes + at, n);
		} else {
			n = step(c, bytes + at, len - at, last);
			if (n == 0)
				break;
		}
		at += n;
	}
	return at;
}
