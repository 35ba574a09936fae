#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <utf8proc.h>

#include "lib/text/norm.h"

static int prepare(void **state)
{
	*state = (void *)(uintptr_t)norm_prepare();
	return *state != NULL ? 0 : -1;
}

static int release(void **state)
{
	norm_tables_free(*state);
	return 0;
}

static bool into_buf(void *context, const char *bytes, size_t len)
{
	struct buf *out = context;

	buf_add(out, bytes, len);
	return buf_ok(out);
}

static void normalised(
    const struct norm_tables *t, const char *text, size_t len, size_t piece, struct buf *out)
{
	struct norm *n = norm_open(t, (struct sink){into_buf, out});

	assert_non_null(n);
	buf_clear(out);
	for (size_t at = 0; at < len; at += piece) {
		size_t part = piece < len - at ? piece : len - at;
		/* Its own block, so that the sanitizer sees what is read behind it. */
		char *copy = malloc(part);

		assert_non_null(copy);
		memcpy(copy, text + at, part);
		assert_true(norm_feed(n, copy, part));
		free(copy);
	}
	assert_true(norm_end(n));
	assert_true(buf_ok(out));
	norm_free(n);
}

/* However the text is cut, the same comes out. */
static void becomes(const struct norm_tables *t, const char *text, size_t len, const char *expected)
{
	struct buf out;

	buf_init(&out, 100000);
	for (size_t piece = 1; piece <= 9; piece++) {
		normalised(t, text, len, piece < 9 || len == 0 ? piece : len, &out);
		buf_add(&out, "", 1);
		assert_string_equal(out.bytes, expected);
	}
	buf_free(&out);
}

#define BECOMES(text, expected) becomes(*state, (text), sizeof(text) - 1, (expected))

static void width_and_kana(void **state)
{
	BECOMES("", "");
	BECOMES("ＭＥＭＯ　１２３", "MEMO 123");
	BECOMES("ﾐﾂﾓﾘ", "ミツモリ");
	BECOMES("ｶﾞｷﾞﾊﾟｳﾞｱﾞ", "ガギパヴア\xe3\x82\x99");
	BECOMES("か\xe3\x82\x99は\xe3\x82\x9a", "がぱ");
	BECOMES("か゛は゜", "がぱ"); /* as some write it */
	BECOMES("㈱山田㌔①", "(株)山田キロ1");
	BECOMES("ﾃﾞｰﾀ", "データ");
	BECOMES("e\xcc\x81 \xe2\x84\xab", "é Å");
	BECOMES("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "한");
	BECOMES("かがミａＡ", "かがミaA"); /* case and the kind of kana stay */
}

/* The long vowel is no dash; all dashes are one. */
static void dashes(void **state)
{
	BECOMES("－―‐−–—‑─﹣－", "----------");
	BECOMES("03－1234―5678", "03-1234-5678");
	BECOMES("サーバーｻｰﾊﾞｰ", "サーバーサーバー");
	BECOMES("〜～∼", "~~~");
}

/* S1-28: digits in other dress are digits to whoever reads them. */
static void digits(void **state)
{
	BECOMES("❹❶①➀➊⓵⓿", "4111110");
	BECOMES("٤١١١ ۴۱۱۱ ४१११ ๔๑๑๑", "4111 4111 4111 4111");
	BECOMES("𝟒𝟏𝟙𝟣 \xf0\x9e\xa5\x94", "4111 4"); /* mathematical; Adlam */
	BECOMES("4\xef\xb8\x8f\xe2\x83\xa3"
		"1\xe2\x83\xa3"
		"1\xe2\x83\x9d",
	    "411"); /* keycaps, a circle */
	BECOMES("4\xcc\xb2"
		"1\xcc\xb6"
		"1\xcc\xb3",
	    "411"); /* underlined, struck out */
	BECOMES("4\xe2\xa0\x80"
		"1",
	    "4 1");
}

static void variants(void **state)
{
	BECOMES("髙橋 﨑山 𠮷田 \xe5\xa1\x9a\xef\xa8\x90", "高橋 崎山 吉田 塚塚");
	BECOMES("神\xef\xb8\x80戸", "神戸"); /* a variation selector */
	BECOMES("葛\xf3\xa0\x84\x80城", "葛城");
}

static void unseen(void **state)
{
	BECOMES("con\xc2\xad"
		"fi\xe2\x80\x8b"
		"den\xe2\x81\xa0tial",
	    "confidential");
	BECOMES("a\xe2\x80\xae"
		"b\xe2\x80\xac\xef\xbb\xbf"
		"c\xe3\x85\xa4",
	    "abc");
	BECOMES("か\xe2\x80\x8d\xe3\x82\x99", "が");
}

static void blanks_and_lines(void **state)
{
	BECOMES("a\r\nb\rc\nd", "a\nb\nc\nd");
	BECOMES("a\r\r\n\n", "a\n\n\n");
	BECOMES("a\tb\xc2\xa0"
		"c\xe3\x80\x80"
		"d\xe2\x80\x83"
		"e",
	    "a b c d e");
	BECOMES("a\xe2\x80\xa8"
		"b\xc2\x85"
		"c",
	    "a\nb\nc");
	BECOMES("a\0b\x01\x1b\x7f"
		"c\x0b\x0c",
	    "a b   c  ");
	BECOMES("a  b", "a  b"); /* each blank is one */
}

static void no_utf8(void **state)
{
	BECOMES("a\xff"
		"b",
	    "a\xef\xbf\xbd"
	    "b");
	BECOMES("a\xe5\xb1", "a\xef\xbf\xbd\xef\xbf\xbd");
	BECOMES("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");
	BECOMES("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	BECOMES("\xf0\x9f\x98\x80", "😀");
}

/* Random letters and marks, where Unicode's rule and this one say the same, against utf8proc. */
static void as_unicode_says(void **state)
{
	static const uint32_t some[] = {'a', 'A', 'u', '<', 0x300, 0x301, 0x327, 0x323, 0x308,
	    0x304, 0x338, 0xe9, 0x1e09, 0x1100, 0x1161, 0x11a8, 0xac00, 0xac01, 0x304b, 0x306f,
	    0x3099, 0x309a, 0xff76, 0xff8a, 0xff9e, 0xff9f, 0x5c71, 0xfa10, 0x3231, 0xfdfa, 0x9c7,
	    0x9be, 0x958, 0x1f600, 0x1d15e, 0x2126, 0xfb01, 0x345, 0x3b1, 0x1fb4, 0x344, 0xc4d,
	    0xc56, 0x110ba, 0x11099};
	uint64_t random = 88172645463325252u;
	struct buf out;

	buf_init(&out, 100000);
	for (unsigned round = 0; round < 20000; round++) {
		utf8proc_uint8_t text[64], *expected;
		size_t len = 0;

		for (unsigned i = 0; i < 12; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			len += (size_t)utf8proc_encode_char(
			    (int32_t)some[random % COUNT_OF(some)], text + len);
		}
		text[len] = '\0';
		expected = utf8proc_NFKC(text);
		assert_non_null(expected);
		normalised(*state, (char *)text, len, random % 11 + 1, &out);
		buf_add(&out, "", 1);
		assert_string_equal(out.bytes, (char *)expected);
		free(expected);
	}
	buf_free(&out);
}

/* Every letter alone, and again: what is normalised stays. */
static void it_is_stable(void **state)
{
	struct buf once, twice;

	buf_init(&once, 4000);
	buf_init(&twice, 4000);
	for (uint32_t p = 0; p < 0x110000; p += p < 0x30000 ? 1 : 251) {
		utf8proc_uint8_t text[8];
		size_t len;

		if (p >= 0xd800 && p < 0xe000)
			continue;
		len = (size_t)utf8proc_encode_char((int32_t)p, text);
		buf_clear(&once);
		buf_clear(&twice);
		assert_true(norm_text(*state, (char *)text, len, &once));
		assert_true(norm_text(*state, once.bytes, once.len, &twice));
		assert_int_equal(once.len, twice.len);
		if (once.len > 0)
			assert_memory_equal(once.bytes, twice.bytes, once.len);
	}
	buf_free(&once);
	buf_free(&twice);
}

/* A letter under a million marks costs no more than its length, and none of them is lost. */
static void many_marks(void **state)
{
	size_t marks = 1000000;
	char *text = malloc(marks * 2 + 1);
	struct buf out;

	assert_non_null(text);
	buf_init(&out, marks * 4);
	text[0] = 'z';
	for (size_t i = 0; i < marks; i++)
		memcpy(text + 1 + 2 * i, "\xcc\xa7", 2);
	assert_true(norm_text(*state, text, 1 + 2 * marks, &out));
	assert_int_equal(out.len, 1 + 2 * marks);
	buf_free(&out);
	free(text);
}

/* Only a letter to which a mark may come waits. */
static void nothing_is_held_back(void **state)
{
	struct buf out;
	struct norm *n;

	buf_init(&out, 100);
	n = norm_open(*state, (struct sink){into_buf, &out});
	assert_non_null(n);
	assert_true(norm_feed(n, "山\n", 4));
	assert_int_equal(out.len, 4);
	assert_true(norm_feed(n, "か", 3));
	assert_int_equal(out.len, 4);
	assert_true(norm_feed(n, "\n", 1));
	assert_int_equal(out.len, 8);
	norm_free(n);
	buf_free(&out);
}

static void folding(void **state)
{
	const struct norm_tables *t = *state;

	assert_int_equal(norm_fold(t, 'A'), 'a');
	assert_int_equal(norm_fold(t, 'z'), 'z');
	assert_int_equal(norm_fold(t, 0x3042), 0x30a2); /* あ ア */
	assert_int_equal(norm_fold(t, 0x3041), 0x30a1); /* ぁ ァ: not ア */
	assert_int_equal(norm_fold(t, 0x30a2), 0x30a2);
	assert_int_equal(norm_fold(t, 0x30fc), 0x30fc); /* ー */
	assert_int_equal(norm_fold(t, 0xc9), 0xe9);
	assert_int_equal(norm_fold(t, 0x3a3), 0x3c3);
	assert_int_equal(norm_fold(t, 0x3c2), 0x3c3);
	assert_int_equal(norm_fold(t, 0xdf), 0xdf);
	assert_int_equal(norm_fold(t, 0x5c71), 0x5c71);
	assert_int_equal(norm_fold(t, 0x10ffff), 0x10ffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(width_and_kana),
	    cmocka_unit_test(dashes),
	    cmocka_unit_test(digits),
	    cmocka_unit_test(variants),
	    cmocka_unit_test(unseen),
	    cmocka_unit_test(blanks_and_lines),
	    cmocka_unit_test(no_utf8),
	    cmocka_unit_test(as_unicode_says),
	    cmocka_unit_test(it_is_stable),
	    cmocka_unit_test(many_marks),
	    cmocka_unit_test(nothing_is_held_back),
	    cmocka_unit_test(folding),
	};
	return cmocka_run_group_tests(tests, prepare, release);
}
