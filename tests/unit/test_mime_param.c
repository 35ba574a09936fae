/* Parameters (RFC 2045, 2231) and every way to read one (M3: a conflict is told). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/mime/param.h"

/* Its own block, so that the sanitizer sees what is read behind it. */
static char *copy_of(const char *bytes, size_t len)
{
	char *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	return copy;
}

/* The field as "FIRST|name#piece*=value|…". */
static const char *shown(const char *body, size_t len)
{
	static char text[4096];
	char *copy = copy_of(body, len);
	const char *first;
	size_t first_len, used;
	struct param_reader r = param_open(copy, len, PARAM_COMMENTS, &first, &first_len);
	struct param p;

	used = (size_t)snprintf(text, sizeof text, "%.*s", (int)first_len, first);
	while (param_next(&r, &p)) {
		used += (size_t)snprintf(
		    text + used, sizeof text - used, "|%.*s", (int)p.name_len, p.name);
		if (p.piece >= 0)
			used += (size_t)snprintf(text + used, sizeof text - used, "#%d", p.piece);
		used += (size_t)snprintf(text + used, sizeof text - used, "%s=%.*s",
		    p.extended ? "*" : "", (int)p.value_len, p.value);
		assert_true(used < sizeof text);
	}
	free(copy);
	return text;
}

#define SHOWS(body, expected) assert_string_equal(shown((body), sizeof(body) - 1), (expected))

static void one_after_the_other(void **state)
{
	(void)state;
	SHOWS("", "");
	SHOWS(" text/plain", "text/plain");
	SHOWS(" text/plain; charset=us-ascii (Plain text)", "text/plain|charset=us-ascii");
	SHOWS(" text/plain; charset=\"us-ascii\"", "text/plain|charset=us-ascii");
	SHOWS("multipart/mixed;\r\n\tboundary=\"a;b\"; x = y ", "multipart/mixed|boundary=a;b|x=y");
	SHOWS("a/b; c=\"d\\\"e\"; f=g", "a/b|c=d\\\"e|f=g");
	SHOWS("(x) text (y) / (z) plain (; a=b)", "text (y) / (z) plain");
	SHOWS("text / plain; a=b", "text / plain|a=b");
	SHOWS("a/b; (c=d) e(f)=(g)h(i); j=k", "a/b|e=h|j=k");
	SHOWS("attachment; filename*0*=a; filename*1=b; filename*=c",
	    "attachment|filename#0*=a|filename#1=b|filename*=c");
}

static void against_the_grammar(void **state)
{
	(void)state;
	SHOWS("text/html charset=utf-8", "text/html|charset=utf-8");
	SHOWS("attachment filename=\"a\" size=1", "attachment|filename=a|size=1");
	SHOWS("attachment;;; filename=a;", "attachment|filename=a");
	SHOWS("; filename=a", "|filename=a");
	SHOWS("filename=a; b=c", "|filename=a|b=c");
	SHOWS("attachment; filename=\"a; b=c", "attachment|filename=a; b=c");
	SHOWS("attachment; foo; a=b", "attachment|a=b");
	SHOWS("attachment; \"; a=b", "attachment|a=b");
	SHOWS("a; b=", "a|b=");
	SHOWS("a; =b; c=d", "a|c=d");
	SHOWS("a; (b=c; d=e", "a|(b=c|d=e");
	SHOWS("\"text/plain\"; a=b", "\"text/plain\"|a=b");
	SHOWS("a; b*x=c; d**=e; f*99999999999=g", "a|b=c|d*=e|f#99999=g");
}

/* All readings of "filename" and then "name", with '|' between them; then '!' if they differ. */
static const char *read_names(const char *body, size_t len, unsigned *flags)
{
	static char text[65536];
	char *copy = copy_of(body, len);
	struct param_readings r;
	size_t used = 0;

	param_readings_init(&r);
	assert_true(param_read(copy, len, "filename", &r));
	assert_true(param_read(copy, len, "NAME", &r));
	text[0] = '\0';
	for (size_t i = 0; i < r.count; i++) {
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? "|" : "",
		    param_reading(&r, i));
		assert_true(used < sizeof text);
	}
	assert_int_equal(r.count > 1, (r.flags & PARAM_DIFFER) != 0);
	*flags = r.flags;
	param_readings_free(&r);
	free(copy);
	return text;
}

#define READS(body, expected, expected_flags)                                                      \
	do {                                                                                       \
		unsigned seen_;                                                                    \
		assert_string_equal(read_names((body), sizeof(body) - 1, &seen_), (expected));     \
		assert_int_equal(seen_, (expected_flags));                                         \
	} while (0)

static void plain(void **state)
{
	(void)state;
	READS("attachment", "", 0);
	READS("attachment; filename=\"\"", "", 0);
	READS("attachment; filename=a.txt", "a.txt", 0);
	READS("attachment; FileName=\"a b.txt\"; size=3", "a b.txt", 0);
	READS("attachment; filename=\"a\r\n b.txt\"", "a b.txt", 0);
	READS("attachment; filename=\"a\\\"b\\\\c\"", "a\"b\\c", 0);
	READS("attachment; filename=a; name=a", "a", 0);
	READS("attachment; filename=\"a(1).txt\"", "a(1).txt", 0);
}

/* RFC 2231 sections 3 and 4, with its examples. */
static void rfc_2231(void **state)
{
	(void)state;
	READS(
	    "a/b; name*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A", "This is ***fun***", 0);
	READS("a/b; name*0*=us-ascii'en'This%20is%20even%20more%20;\r\n "
	      "name*1*=%2A%2A%2Afun%2A%2A%2A%20;"
	      "\r\n name*2=\"isn't it!\"",
	    "This is even more ***fun*** isn't it!", PARAM_PIECES);
	READS("a/b; name*1=\"b\"; name*0=\"a\"", "ab", PARAM_PIECES);
	READS("a; filename*=utf-8''%e3%81%82.txt", "あ.txt", 0);
	READS("a; filename*=Shift_JIS'ja'%82%A0.txt", "あ.txt", 0);
	READS("a; filename*=ISO-2022-JP''%1B%24B%24%22%1B%28B.txt", "あ.txt", 0);
	/* A letter is cut between two pieces. */
	READS("a; filename*0*=utf-8''%E3%81; filename*1*=%82", "あ", PARAM_PIECES);
	READS("a; filename*0*=utf-8''; filename*1*=%E3%81%82", "あ", PARAM_PIECES);
	READS(
	    "a; filename*0=\"=?utf-8?B?44\"; filename*1=\"GC?=\"", "あ", PARAM_PIECES | PARAM_WORD);
	READS("a; filename*=\"utf-8''%41\"", "A", 0);
	READS("a; filename*=%41", "A", 0);
	READS("a; filename*=utf-8''%4x%4", "%4x%4", 0);
	READS("a; filename*=x-none''a", "a", PARAM_CHARSET);
	READS("a; filename*=utf-8''=?utf-8?Q?a?=", "=?utf-8?Q?a?=|a", PARAM_WORD | PARAM_DIFFER);
	READS("a; filename*=utf-8''%3D?utf-8?Q?a?=%3", "=?utf-8?Q?a?=%3|a%3",
	    PARAM_WORD | PARAM_DIFFER);
}

static void m3_conflicts(void **state)
{
	(void)state;
	READS("a; filename=a.txt; filename*=utf-8''b.exe", "b.exe|a.txt", PARAM_DIFFER);
	READS("a; filename=a.txt; name=b.exe", "a.txt|b.exe", PARAM_DIFFER);
	READS("a; filename=a.txt; filename=b.exe", "a.txt|b.exe", PARAM_DIFFER | PARAM_TWICE);
	READS("a; filename=a; filename=a", "a", PARAM_TWICE);
	READS("a; filename*0=a; filename*2=c", "a|ac", PARAM_DIFFER | PARAM_PIECES | PARAM_GAP);
	READS("a; filename*1=b; filename*2=c", "bc", PARAM_PIECES | PARAM_GAP);
	READS("a; filename*0=a; filename*0=b; filename*1=c", "ac|bc",
	    PARAM_DIFFER | PARAM_PIECES | PARAM_TWICE);
	READS("a; filename*00=a; filename*01=b", "ab", PARAM_PIECES | PARAM_GAP);
	READS("a; filename*0=a; filename=b; filename*=''c", "c|a|b", PARAM_DIFFER | PARAM_PIECES);
	READS("a; (; filename=x.exe;) filename=a", "x.exe|a",
	    PARAM_DIFFER | PARAM_COMMENT | PARAM_TWICE);
}

static void backslashes(void **state)
{
	(void)state;
	READS("a; filename=\"C:\\dir\\x.exe\"", "C:dirx.exe|C:\\dir\\x.exe",
	    PARAM_DIFFER | PARAM_BACKSLASH);
	/* 表: its second byte is a backslash, in Shift_JIS. */
	READS("a; filename=\"\x95\x5c.txt\"", "表.txt|\xef\xbf\xbd.txt",
	    PARAM_DIFFER | PARAM_BACKSLASH | PARAM_RAW);
}

/* As Outlook Express and others wrote names. */
static void against_the_grammar_too(void **state)
{
	(void)state;
	READS("attachment; filename=見積書 2024年.xls", "見積書 2024年.xls|見積書",
	    PARAM_DIFFER | PARAM_UNQUOTED | PARAM_SEMICOLON | PARAM_RAW);
	READS("attachment; filename=a b.xls size=3", "a b.xls|a",
	    PARAM_DIFFER | PARAM_UNQUOTED | PARAM_SEMICOLON);
	READS("attachment; filename=a.xls size=3", "a.xls", PARAM_SEMICOLON);
	READS("attachment; filename=\"a.txt\".exe", "a.txt|a.txt.exe",
	    PARAM_DIFFER | PARAM_UNQUOTED | PARAM_SEMICOLON);
	READS("attachment; filename=\"a.txt", "a.txt", PARAM_UNENDED);
	READS("attachment; filename=a(1).txt", "a(1).txt|a",
	    PARAM_DIFFER | PARAM_COMMENT | PARAM_SEMICOLON);
}

static void words(void **state)
{
	(void)state;
	READS("a; filename=\"=?utf-8?B?44GCYQ==?= =?utf-8?B?44GEYg==?=\"", "あaいb", PARAM_WORD);
	READS("a; filename==?ISO-2022-JP?B?GyRCJCIbKEI=?=", "あ", PARAM_WORD);
	READS("a; filename=\"=?x-none?Q?a?=\"", "a", PARAM_WORD | PARAM_CHARSET);
}

static void raw_bytes(void **state)
{
	unsigned flags;

	(void)state;
	READS("a; filename=\"あ.txt\"", "あ.txt", PARAM_RAW);
	READS("a; filename=\"\x93\xfa\x96\x7b\x8c\xea.txt\"", "日本語.txt", PARAM_RAW);
	/* The second byte of あ is a quote, for a program that does not know. */
	assert_memory_equal(
	    read_names("a; filename=\"\033$B$\"\033(B.txt\"", 25, &flags), "あ.txt|", 8);
	assert_int_equal(flags & (PARAM_DIFFER | PARAM_RAW), PARAM_DIFFER | PARAM_RAW);
	READS("a; filename=\"a\0.exe\"", "a", PARAM_NUL);
}

/* For a boundary: the bytes as they stand. */
static void bytes(void **state)
{
	static const char BODY[] = "x; boundary=\"=?utf-8?Q?a?=\"; b=c(d)e; u=\xff";
	struct param_readings r;

	(void)state;
	param_readings_init(&r);
	assert_true(param_read_bytes(BODY, sizeof BODY - 1, "boundary", &r));
	assert_int_equal(r.count, 2);
	assert_string_equal(param_reading(&r, 0), "=?utf-8?Q?a?=");
	assert_string_equal(param_reading(&r, 1), "a");
	param_readings_free(&r);

	assert_true(param_read_bytes(BODY, sizeof BODY - 1, "b", &r));
	assert_string_equal(param_reading(&r, 0), "c");
	param_readings_free(&r);

	assert_true(param_read_bytes(BODY, sizeof BODY - 1, "u", &r));
	assert_int_equal(r.count, 1);
	assert_string_equal(param_reading(&r, 0), "\xff");
	param_readings_free(&r);
}

static void bounds(void **state)
{
	static char body[200000];
	struct param_readings r;
	size_t len;

	(void)state;
	memset(body, 'a', sizeof body);
	memcpy(body, "x; name=", 8);
	param_readings_init(&r);
	assert_true(param_read(body, sizeof body, "name", &r));
	assert_int_equal(r.count, 1);
	assert_int_equal(r.all[0].len, PARAM_VALUE_MAX);
	assert_true((r.flags & PARAM_MANY) != 0);
	param_readings_free(&r);

	len = 1;
	for (int i = 0; i < 100; i++)
		len += (size_t)snprintf(body + len, sizeof body - len, "; name=%d", i);
	assert_true(param_read(body, len, "name", &r));
	assert_int_equal(r.count, PARAM_READINGS);
	assert_true((r.flags & PARAM_MANY) != 0);
	param_readings_free(&r);
}

static void m2_linear(void **state)
{
	static const char *const PIECES[] = {"; name=x", "; name*0=x", " a=b", "(", "\"",
	    "; name*1*=%41", "\033$B\"", "\\", "=?", ";", "; name=\"\\a", "; name=a b", "()",
	    "; name*=x''y"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(PIECES); i++) {
		size_t one = strlen(PIECES[i]), times = 100000;
		char *body = malloc(one * times);
		struct timespec before, after;
		struct param_readings r;

		assert_non_null(body);
		for (size_t n = 0; n < times; n++)
			memcpy(body + n * one, PIECES[i], one);
		param_readings_init(&r);
		assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before), 0);
		assert_true(param_read(body, one * times, "name", &r));
		assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after), 0);
#if !defined(__SANITIZE_ADDRESS__)
		assert_true((double)(after.tv_sec - before.tv_sec) +
				(double)(after.tv_nsec - before.tv_nsec) / 1e9 <
			    1.0);
#endif
		param_readings_free(&r);
		free(body);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_after_the_other),
	    cmocka_unit_test(against_the_grammar),
	    cmocka_unit_test(plain),
	    cmocka_unit_test(rfc_2231),
	    cmocka_unit_test(m3_conflicts),
	    cmocka_unit_test(backslashes),
	    cmocka_unit_test(against_the_grammar_too),
	    cmocka_unit_test(words),
	    cmocka_unit_test(raw_bytes),
	    cmocka_unit_test(bytes),
	    cmocka_unit_test(bounds),
	    cmocka_unit_test(m2_linear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
