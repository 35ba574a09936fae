/* Files that stand encoded in a text (M9: they are attachments). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/mime/uu.h"

/* The text as it is, a file as "<KIND NAME:bytes>", or "!" at its end if it was not whole. */
static bool text(void *context, const char *bytes, size_t len)
{
	buf_add(context, bytes, len);
	return true;
}

static bool begin(void *context, enum uu_kind kind, const char *name, size_t len)
{
	buf_addf(context, "<%d %.*s:", (int)kind, (int)len, name);
	return true;
}

static bool end(void *context, bool whole)
{
	buf_add_text(context, whole ? ">" : "!>");
	return true;
}

static const char *shown(const char *bytes, size_t len, size_t piece)
{
	static char result[65536];
	struct buf out;
	const struct uu_events events = {{text, &out}, begin, text, end, &out};
	struct uu_reader *r = uu_open(&events);

	assert_non_null(r);
	buf_init(&out, sizeof result - 1);
	for (size_t at = 0; at < len; at += piece)
		assert_true(uu_feed(r, bytes + at, len - at < piece ? len - at : piece));
	assert_true(uu_end(r));
	uu_free(r);
	assert_true(buf_ok(&out));
	if (out.len > 0)
		memcpy(result, out.bytes, out.len);
	result[out.len] = '\0';
	for (size_t i = 0; i < out.len; i++)
		result[i] = result[i] == '\0' ? '0' : result[i];
	buf_free(&out);
	return result;
}

#define SHOWS(from, expected)                                                                      \
	do {                                                                                       \
		assert_string_equal(shown((from), sizeof(from) - 1, 1), (expected));               \
		assert_string_equal(shown((from), sizeof(from) - 1, 7), (expected));               \
		assert_string_equal(shown((from), sizeof(from) - 1, 65536), (expected));           \
	} while (0)

#define CAT "#0V%T\r\n`\r\nend\r\n"

static void plain_text(void **state)
{
	(void)state;
	SHOWS("", "");
	SHOWS("a\r\nb", "a\r\nb");
	SHOWS("begin\r\nbegin 644\r\nbegins here\r\n=y\r\nend\r\n",
	    "begin\r\nbegin 644\r\nbegins here\r\n=y\r\nend\r\n");
	/* Behind it is no line of uuencode. */
	SHOWS("begin 644 the day\r\nwith a smile\r\n", "begin 644 the day\r\nwith a smile\r\n");
	SHOWS("begin with this\r\nHELLO WORLD, HELLO\r\n",
	    "begin with this\r\nHELLO WORLD, HELLO\r\n");
	SHOWS("begin 644 last", "begin 644 last");
	SHOWS("begin 644 a\r\nbegin 644 b\r\n" CAT, "begin 644 a\r\n<0 b:Cat>");
}

static void uuencode(void **state)
{
	(void)state;
	SHOWS("x\r\nbegin 644 cat.txt\r\n" CAT "y\r\n", "x\r\n<0 cat.txt:Cat>y\r\n");
	SHOWS("begin 0644 a b.txt  \n#0V%T\n \nend\n", "<0 a b.txt:Cat>");
	SHOWS("begin 644 a\r\n" CAT "begin 644 b\r\n" CAT, "<0 a:Cat><0 b:Cat>");
	SHOWS("begin 644 e\r\n`\r\nend\r\n", "<0 e:>");
	SHOWS("BEGIN 644 a\r\n" CAT, "<0 a:Cat>");
	SHOWS("begin 644 w\n::'1T<#HO+W=W=RYW:6MI<&5D:6$N;W)G#0H \n`\nend\n",
	    "<0 w:http://www.wikipedia.org\r\n>");
	/* A sum behind the letters; no mode. */
	SHOWS("begin 644 a\r\n#0V%TX\r\n`\r\nend\r\n", "<0 a:Cat>");
	SHOWS("begin a.txt\r\n" CAT, "<0 a.txt:Cat>");
}

static void damaged(void **state)
{
	(void)state;
	SHOWS("begin 644 a\r\n#0V%T\r\nhello\r\n", "<0 a:Cat!>hello\r\n");
	SHOWS("begin 644 a\r\n#0V%T", "<0 a:Cat!>");
	SHOWS("begin 644 a\r\n#0V%T\r\n`\r\n", "<0 a:Cat!>");
	/* Capitals that may be of a text or of the file: they are both. */
	SHOWS("begin 644 a\r\n#0V%T\r\n)\r\nend\r\n", "<0 a:Cat)\r\n000000000!>");
}

static void base64(void **state)
{
	(void)state;
	SHOWS("begin-base64 644 a.txt\r\nQ2F0\r\n====\r\nx", "<1 a.txt:Cat>x");
	SHOWS("begin-base64 644 a.txt\r\nnot this\r\n", "begin-base64 644 a.txt\r\nnot this\r\n");
	SHOWS("begin-base64 644 a.txt\r\nQ2F0\r\nQ2F0", "<1 a.txt:CatCat!>");
}

static void yenc(void **state)
{
	(void)state;
	SHOWS("=ybegin line=128 size=3 name=cat.txt\r\nm\x8b\x9e\r\n=yend size=3\r\nx",
	    "<2 cat.txt:Cat>x");
	SHOWS("=ybegin line=128 size=2 name=a b\r\n=ypart begin=1 end=2\r\n=}\x6b\r\n=yend "
	      "size=2\r\n",
	    "<2 a b:\x13"
	    "A>");
	SHOWS("=ybegin line=128 size=3\r\nm", "<2 :C!>");
}

/* Longer than any line that is kept. */
static void long_lines(void **state)
{
	static char from[3 * UU_LINE_MAX + 64];

	(void)state;
	memset(from, 'b', sizeof from - 1);
	memcpy(from, "begin 644 ", 10);
	from[2 * UU_LINE_MAX] = '\n';
	assert_string_equal(shown(from, sizeof from - 1, 1), from);
	assert_string_equal(shown(from, sizeof from - 1, 1000), from);
	assert_string_equal(shown(from, sizeof from - 1, sizeof from), from);

	memcpy(from, "begin 644 a\n", 12);
	assert_string_equal(shown(from, sizeof from - 1, 100), from);
	memcpy(from, "begin 644 a\n#0V%T\n", 18);
	assert_memory_equal(shown(from, sizeof from - 1, 100), "<0 a:Cat!>bbb", 13);
	assert_int_equal(strlen(shown(from, sizeof from - 1, 100)), sizeof from - 1 - 18 + 10);
}

static bool refuse(void *context, const char *bytes, size_t len)
{
	(void)context;
	(void)bytes;
	(void)len;
	return false;
}

static void somebody_wants_no_more(void **state)
{
	const struct uu_events none = {.text = {refuse, NULL}};
	const struct uu_events data = {.text = {refuse, NULL}, .data = refuse};
	struct uu_reader *r = uu_open(&none);

	(void)state;
	assert_non_null(r);
	assert_false(uu_feed(r, "a\n", 2));
	uu_free(r);

	r = uu_open(&data);
	assert_non_null(r);
	assert_true(uu_feed(r, "begin 644 a\n", 12));
	assert_false(uu_feed(r, "#0V%T\n", 6));
	uu_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_text),
	    cmocka_unit_test(uuencode),
	    cmocka_unit_test(damaged),
	    cmocka_unit_test(base64),
	    cmocka_unit_test(yenc),
	    cmocka_unit_test(long_lines),
	    cmocka_unit_test(somebody_wants_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
