/* Encoded words (RFC 2047, RFC 2231 section 5; M2, M4 of the libraries' traps). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/mime/word.h"

static const char *decoded(const char *body, size_t len, unsigned *flags)
{
	static char text[4096];
	/* Its own block, so that the sanitizer sees what is read behind it. */
	char *copy = malloc(len > 0 ? len : 1);
	struct buf out;

	assert_non_null(copy);
	memcpy(copy, body, len);
	buf_init(&out, sizeof text - 1);
	assert_true(word_decode(copy, len, &out, flags));
	if (out.len > 0)
		memcpy(text, out.bytes, out.len);
	text[out.len] = '\0';
	for (size_t i = 0; i < out.len; i++)
		text[i] = text[i] == '\0' ? '0' : text[i];
	buf_free(&out);
	free(copy);
	return text;
}

#define DECODES(body, expected, expected_flags)                                                    \
	do {                                                                                       \
		unsigned seen_ = 0;                                                                \
		assert_string_equal(decoded((body), sizeof(body) - 1, &seen_), (expected));        \
		assert_int_equal(seen_, (expected_flags));                                         \
	} while (0)

/* RFC 2047 section 8. */
static void of_the_standard(void **state)
{
	(void)state;
	DECODES("", "", 0);
	DECODES("plain text", "plain text", 0);
	DECODES("=?ISO-8859-1?Q?a?=", "a", WORD_SEEN);
	DECODES("=?ISO-8859-1?Q?a?= b", "a b", WORD_SEEN);
	DECODES("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab", WORD_SEEN);
	DECODES("=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=", "ab", WORD_SEEN);
	DECODES("=?ISO-8859-1?Q?a?=\r\n  =?ISO-8859-1?Q?b?=", "ab", WORD_SEEN);
	DECODES("=?ISO-8859-1?Q?a_b?=", "a b", WORD_SEEN);
	DECODES("=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b", WORD_SEEN | WORD_MIXED);
	DECODES("=?iso-8859-1?q?Keld_J=F8rn_Simonsen?= <keld@dkuug.dk>",
	    "Keld Jørn Simonsen <keld@dkuug.dk>", WORD_SEEN);
	DECODES("=?US-ASCII*EN?Q?Keith_Moore?= x", "Keith Moore x", WORD_SEEN);
	DECODES("a\r\n b\r\n\tc", "a b\tc", 0);
}

/* Each word has its own padding, and one charset goes on in the next. */
static void words_in_a_row(void **state)
{
	(void)state;
	DECODES("=?utf-8?B?44GCYQ==?= =?utf-8?B?44GEYg==?=", "あaいb", WORD_SEEN);
	DECODES("=?UTF-8?B?44GC?==?utf-8?b?44GE?=", "あい", WORD_SEEN);
	/* A letter is cut in two. */
	DECODES("=?utf-8?B?44E=?= =?utf-8?Q?=82?=", "あ", WORD_SEEN);
	DECODES("=?utf-8?B?44GC?= x =?utf-8?B?44GE?=", "あ x い", WORD_SEEN);
	DECODES("x =?utf-8?B?44GC?=y", "x あy", WORD_SEEN);
}

static void iso_2022_jp(void **state)
{
	(void)state;
	DECODES("=?ISO-2022-JP?B?GyRCJCIbKEI=?= =?iso-2022-jp?B?GyRCJCQbKEI=?=", "あい", WORD_SEEN);
	/* Cut without care: the second word goes on in the letters of the first. */
	DECODES("=?ISO-2022-JP?B?GyRCJCI=?= =?ISO-2022-JP?B?JCQbKEI=?=", "あい", WORD_SEEN);
	/* By the standard each word begins in ASCII, and some programs show it so. */
	DECODES("=?ISO-2022-JP?B?GyRCJCI=?= =?ISO-2022-JP?Q?abcd?=", "あabcd", WORD_SEEN);
	/* ①, of NEC's letters. */
	DECODES("=?ISO-2022-JP?B?GyRCLSEbKEI=?=", "①", WORD_SEEN);
}

static void as_clients_write_them(void **state)
{
	(void)state;
	DECODES("=?utf-8?b?44GC?=", "あ", WORD_SEEN);
	DECODES("=?utf-8?B?YWI?=", "ab", WORD_SEEN | WORD_SLOPPY);
	DECODES("=?utf-8?B?44 GC?=", "あ", WORD_SEEN | WORD_SLOPPY);
	DECODES("=?utf-8?B?44G\r\n C?=", "あ", WORD_SEEN | WORD_SLOPPY);
	DECODES("=?utf-8?Q?a b?=", "a b", WORD_SEEN | WORD_SLOPPY);
	DECODES("=?utf-8?Q?a=zb?=", "a=zb", WORD_SEEN | WORD_SLOPPY);
	DECODES("=?utf-8?q?=e3=81=82?=", "あ", WORD_SEEN);
	DECODES("\"=?utf-8?B?44GC?=\"", "\"あ\"", WORD_SEEN);
	DECODES("=?Shift_JIS?B?glCHQA==?=", "１①", WORD_SEEN);
	DECODES("=?utf-8?Q?\?=x", "x", WORD_SEEN);
	DECODES("=?utf-8?Q?=3F?=", "?", WORD_SEEN);
}

static void halves(void **state)
{
	(void)state;
	DECODES("=?", "=?", WORD_HALF);
	DECODES("=?utf-8", "=?utf-8", WORD_HALF);
	DECODES("=?utf-8?B", "=?utf-8?B", WORD_HALF);
	DECODES("=?utf-8?B?", "=?utf-8?B?", WORD_HALF);
	DECODES("=?utf-8?B?44GC", "=?utf-8?B?44GC", WORD_HALF);
	DECODES("=?utf-8?X?44GC?=", "=?utf-8?X?44GC?=", WORD_HALF);
	DECODES("=? utf-8?B?44GC?=", "=? utf-8?B?44GC?=", WORD_HALF);
	DECODES("=?utf-8?B?44GC =?utf-8?B?44GE?=", "=?utf-8?B?44GC い", WORD_HALF | WORD_SEEN);
}

static void raw_bytes(void **state)
{
	(void)state;
	DECODES("あいう", "あいう", WORD_RAW);
	DECODES(
	    "\x93\xfa\x96\x7b\x8c\xea\x82\xcc\x83\x65\x83\x58\x83\x67", "日本語のテスト", WORD_RAW);
	DECODES("\033$B$\"\033(B x", "あ x", WORD_RAW);
	DECODES("あ =?utf-8?B?44GC?=", "あ あ", WORD_RAW | WORD_SEEN);
}

static void control_characters(void **state)
{
	(void)state;
	DECODES("=?utf-8?Q?a=00b?=", "a0b", WORD_SEEN | WORD_CONTROL);
	DECODES("=?utf-8?Q?a=0D=0ABcc:x?=", "a\r\nBcc:x", WORD_SEEN | WORD_CONTROL);
}

static void unknown_charset(void **state)
{
	(void)state;
	DECODES("=?x-nothing?Q?abc?=", "abc", WORD_SEEN | WORD_CHARSET);
}

/* The beginning, in whole letters. */
static void no_room(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 8);
	buf_add(&out, "x", 1);
	assert_false(word_decode("=?utf-8?B?44GC44GE44GG?=", 24, &out, NULL));
	assert_int_equal(out.len, 7);
	assert_memory_equal(out.bytes, "xあい", 7);
	buf_free(&out);
}

static void m2_linear(void **state)
{
	static const char *const PIECES[] = {"=?", "=?=?", "=?a?Q?",
	    "=?utf-8?B?YQ==?= ", "=?a?Q?=", "=?utf-8?Q?a?=x ", "=?iso-2022-jp?B?GyRCJCI=?= ",
	    "=?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(PIECES); i++) {
		size_t one = strlen(PIECES[i]), times = i < 3 ? 1000000 : 100000;
		char *body = malloc(one * times);
		struct timespec before, after;
		struct buf out;

		assert_non_null(body);
		for (size_t n = 0; n < times; n++)
			memcpy(body + n * one, PIECES[i], one);
		buf_init(&out, 64 << 20);
		assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before), 0);
		assert_true(word_decode(body, one * times, &out, NULL));
		assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after), 0);
#if !defined(__SANITIZE_ADDRESS__)
		assert_true((double)(after.tv_sec - before.tv_sec) +
				(double)(after.tv_nsec - before.tv_nsec) / 1e9 <
			    1.0);
#endif
		buf_free(&out);
		free(body);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(of_the_standard),
	    cmocka_unit_test(words_in_a_row),
	    cmocka_unit_test(iso_2022_jp),
	    cmocka_unit_test(as_clients_write_them),
	    cmocka_unit_test(halves),
	    cmocka_unit_test(raw_bytes),
	    cmocka_unit_test(control_characters),
	    cmocka_unit_test(unknown_charset),
	    cmocka_unit_test(no_room),
	    cmocka_unit_test(m2_linear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
