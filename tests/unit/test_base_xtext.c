#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/xtext.h"

static size_t encode(const char *in, size_t len, char *out, size_t room)
{
	size_t n = xtext_encode_cut(in, len, out, room);

	assert_true(n <= room);
	return n;
}

static void every_byte_comes_back(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		char in = (char)c;
		char out[3], back[3];
		size_t n = encode(&in, 1, out, sizeof out);
		size_t got = 0;

		assert_true(n == 1 || n == 3);
		assert_true(xtext_valid(out, n));
		assert_true(xtext_decode(out, n, back, &got));
		assert_int_equal(got, 1);
		assert_int_equal((unsigned char)back[0], c);
	}
}

static void only_what_is_harmless_stands_for_itself(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		char in = (char)c;
		char out[3];
		size_t n = encode(&in, 1, out, sizeof out);
		bool plain = c > 0x20 && c < 0x7f && strchr("\"=+", c) == NULL;

		assert_int_equal(n, plain ? 1 : 3);
		for (size_t i = 0; i < n; i++)
			assert_true(
			    out[i] > ' ' && out[i] < 0x7f && out[i] != '"' && out[i] != '=');
	}
}

static void known_spellings(void **state)
{
	static const char *const pairs[][2] = {
	    {"", ""},
	    {"alice@example.co.jp", "alice@example.co.jp"},
	    {"a b", "a+20b"},
	    {"x=\"1\"", "x+3D+221+22"},
	    {"1+1", "1+2B1"},
	    {"\xe9\x96\xa2", "+E9+96+A2"},
	    {"\x1b[2J\r\n", "+1B[2J+0D+0A"},
	    {"\x7f", "+7F"},
	    {"~!", "~!"},
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		size_t n = encode(pairs[i][0], strlen(pairs[i][0]), out, sizeof out);

		assert_int_equal(n, strlen(pairs[i][1]));
		assert_memory_equal(out, pairs[i][1], n);
	}
}

/* Whatever the room, no byte is written by halves. */
static void cut_between_bytes(void **state)
{
	static const char in[] = "a b\xff";
	static const char whole[] = "a+20b+FF";
	static const size_t fits[] = {0, 1, 1, 1, 4, 5, 5, 5, 8, 8};

	(void)state;
	for (size_t room = 0; room < COUNT_OF(fits); room++) {
		char out[16];

		memset(out, '#', sizeof out);
		assert_int_equal(xtext_encode_cut(in, sizeof in - 1, out, room), fits[room]);
		assert_memory_equal(out, whole, fits[room]);
		assert_int_equal(out[fits[room]], '#');
	}
}

static void one_spelling_only(void **state)
{
	static const char *const wrong[] = {
	    "+",     /* nothing behind it */
	    "+2",    /* half of it */
	    "+2b",   /* lower case */
	    "+2G",   /* no digit */
	    "+G0",   /* no digit */
	    "++2B",  /* the first + is none */
	    "+41",   /* 'A' needs no escape */
	    "+7E",   /* nor does '~' */
	    "a b",   /* a blank */
	    "a=b",   /* '=' */
	    "\"",    /* a quote */
	    "\x7f",  /* DEL */
	    "\x80",  /* not ASCII */
	    "a\n",   /* a newline */
	    "ok+20+" /* the end is wrong */
	};
	char out[16];
	size_t got;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		assert_false(xtext_decode(wrong[i], strlen(wrong[i]), out, &got));
		assert_false(xtext_valid(wrong[i], strlen(wrong[i])));
	}
	assert_false(xtext_valid("\0", 1));
}

static void decodes_where_it_stands(void **state)
{
	char text[] = "+00a+20+FF+2B.";
	size_t got = 0;

	(void)state;
	assert_true(xtext_decode(text, sizeof text - 1, text, &got));
	assert_int_equal(got, 6);
	assert_memory_equal(text, "\0a \xff+.", 6);
}

/* Every text of up to four of these bytes: both judges agree, and what is taken encodes the same. */
static void valid_is_what_decodes(void **state)
{
	static const char letters[] = "+02BFbf =\"A\x7f\x80";
	const size_t n = sizeof letters; /* the NUL too */

	(void)state;
	for (size_t all = 0; all < n * n * n * n; all++) {
		char in[4], out[4], again[12];
		size_t rest = all, got = 0;

		for (size_t i = 0; i < sizeof in; i++, rest /= n)
			in[i] = letters[rest % n];
		for (size_t len = 0; len <= sizeof in; len++) {
			bool good = xtext_decode(in, len, out, &got);

			assert_int_equal(good, xtext_valid(in, len));
			if (!good)
				continue;
			assert_int_equal(encode(out, got, again, sizeof again), len);
			assert_memory_equal(again, in, len);
		}
	}
}

static void room_is_enough(void **state)
{
	char in[100], out[300];

	(void)state;
	memset(in, ' ', sizeof in);
	assert_int_equal(xtext_room(sizeof in), sizeof out);
	assert_int_equal(encode(in, sizeof in, out, xtext_room(sizeof in)), sizeof out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_byte_comes_back),
	    cmocka_unit_test(only_what_is_harmless_stands_for_itself),
	    cmocka_unit_test(known_spellings),
	    cmocka_unit_test(cut_between_bytes),
	    cmocka_unit_test(one_spelling_only),
	    cmocka_unit_test(decodes_where_it_stands),
	    cmocka_unit_test(valid_is_what_decodes),
	    cmocka_unit_test(room_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
