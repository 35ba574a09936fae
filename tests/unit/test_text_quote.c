#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/text/quote.h"

struct seen {
	struct buf text; /* quoted stretches in [] */
	bool quoted;
};

static bool take(void *context, const char *text, size_t len, bool quoted)
{
	struct seen *s = context;

	assert_true(len > 0);
	if (quoted != s->quoted)
		buf_add(&s->text, quoted ? "[" : "]", 1);
	s->quoted = quoted;
	buf_add(&s->text, text, len);
	return true;
}

static void shows(const char *text, size_t len, const char *expected)
{
	for (size_t piece = 1; piece < 12; piece++) {
		struct seen s = {.quoted = false};
		struct quote *q = quote_open(take, &s);

		assert_non_null(q);
		buf_init(&s.text, 100000);
		for (size_t at = 0; at < len;) {
			size_t n = piece < len - at ? piece : len - at;

			while (at + n < len && ((unsigned char)text[at + n] & 0xc0) == 0x80)
				n++;
			assert_true(quote_feed(q, text + at, n, false));
			at += n;
		}
		assert_true(quote_end(q));
		buf_add(&s.text, "", 1);
		assert_string_equal(s.text.bytes, expected);
		quote_free(q);
		buf_free(&s.text);
	}
}

#define SHOWS(text, expected) shows((text), strlen(text), (expected))

static void marked_lines(void **state)
{
	(void)state;
	SHOWS("", "");
	SHOWS("a\nb", "a\nb");
	SHOWS("new\n> old\n>> older\nnew\n", "new\n[old\nolder\n]new\n");
	SHOWS("  > 機\n  > 密\n", "[機\n密\n");
	SHOWS("| old\n", "[old\n");
	SHOWS("| a | b |\n", "| a | b |\n"); /* a table */
	SHOWS("tanaka> old\nnew\n", "[tanaka> old\n]new\n");
	SHOWS("a>b\n-> x\n設定>開く\n", "a>b\n-> x\n設定>開く\n");
	SHOWS(">\n", "[\n");
}

static void attributions(void **state)
{
	(void)state;
	SHOWS("On Sun, Nov 22, 2026, A <a@b> wrote:\n\n> old\nnew\n",
	    "[On Sun, Nov 22, 2026, A <a@b> wrote:\n\nold\n]new\n");
	SHOWS("On Sun, Nov 22, 2026, A\n<a@b> wrote:\n> old\nnew\n",
	    "[On Sun, Nov 22, 2026, A\n<a@b> wrote:\nold\n]new\n");
	SHOWS(
	    "new\nOn Sun, A <a@b> wrote:\nold\nold\n", "new\n[On Sun, A <a@b> wrote:\nold\nold\n");
	SHOWS("2026年11月22日(日) 10:00 山田 <a@b>:\n> old\nnew\n",
	    "[2026年11月22日(日) 10:00 山田 <a@b>:\nold\n]new\n");
	SHOWS("2026年11月22日(日) 10:00 山田 <a@b>:\nnew\n",
	    "2026年11月22日(日) 10:00 山田 <a@b>:\nnew\n");
	SHOWS("2026/11/22 10:00、山田 <a@b>のメール:\n> old\n",
	    "[2026/11/22 10:00、山田 <a@b>のメール:\nold\n");
	SHOWS("山田さんは書きました:\n\n> old\n", "[山田さんは書きました:\n\nold\n");
	SHOWS("On Monday, we meet\nand talk.\n", "On Monday, we meet\nand talk.\n");
	SHOWS("2026年11月22日\n会議\n", "2026年11月22日\n会議\n");
}

static void dividers(void **state)
{
	(void)state;
	SHOWS("new\n-----Original Message-----\nold\n> x\n",
	    "new\n[-----Original Message-----\nold\nx\n");
	SHOWS("new\n----- 元のメッセージ -----\nold\n", "new\n[----- 元のメッセージ -----\nold\n");
	SHOWS("---------- Forwarded message ---------\nx\n",
	    "---------- Forwarded message ---------\nx\n");
	SHOWS("see the original message\nx\n", "see the original message\nx\n");
}

static void headers(void **state)
{
	(void)state;
	SHOWS("new\n差出人: 山田 <a@b>\n送信日時: 2026年11月22日 10:00\n宛先: x\n件名: y\n\nold\n",
	    "new\n[差出人: 山田 <a@b>\n送信日時: 2026年11月22日 10:00\n宛先: x\n件名: y\n\nold\n");
	SHOWS("From: a\nSent: b\nTo: c\nSubject: d\nold\n",
	    "[From: a\nSent: b\nTo: c\nSubject: d\nold\n");
	SHOWS("*From:* a\n*Date:* b\n*To:* c\nold\n", "[*From:* a\n*Date:* b\n*To:* c\nold\n");
	SHOWS("From: Tokyo\nTo: Osaka\nby train\n", "From: Tokyo\nTo: Osaka\nby train\n");
	SHOWS("From: a\nx\nSent: b\nTo: c\n", "From: a\nx\nSent: b\nTo: c\n");
	SHOWS("日時: 11月22日\n件名: 会議\n", "日時: 11月22日\n件名: 会議\n");
}

/* A line of any length, and lines that are held, need no more memory. */
static void long_lines(void **state)
{
	size_t len = 100000;
	char *text = malloc(len);
	struct seen s = {.quoted = false};
	struct quote *q = quote_open(take, &s);

	(void)state;
	assert_non_null(text);
	assert_non_null(q);
	memset(text, 'x', len);
	memcpy(text, "> ", 2);
	memcpy(text + len - 7, "\nnew\n\n\n", 7);
	buf_init(&s.text, len + 10);
	assert_true(quote_feed(q, text, len, false));
	assert_true(quote_end(q));
	assert_int_equal(s.text.len, len - 2 + 2);
	assert_memory_equal(s.text.bytes, "[xx", 3);
	assert_memory_equal(s.text.bytes + s.text.len - 8, "\n]new\n\n\n", 8);
	quote_free(q);

	s.quoted = false;
	buf_clear(&s.text);
	q = quote_open(take, &s);
	assert_non_null(q);
	assert_true(quote_feed(q, "From: a\n", 8, false));
	for (unsigned i = 0; i < 20000; i++)
		assert_true(quote_feed(q, "\n", 1, false));
	assert_true(quote_end(q));
	assert_int_equal(s.text.len, 20008);
	quote_free(q);
	buf_free(&s.text);
	free(text);
}

static void by_html(void **state)
{
	struct seen s = {.quoted = false};
	struct quote *q = quote_open(take, &s);

	(void)state;
	assert_non_null(q);
	buf_init(&s.text, 1000);
	assert_true(quote_feed(q, "new\nne", 6, false));
	assert_true(quote_feed(q, "w\nold\nol", 8, true));
	assert_true(quote_feed(q, "d\nnew", 5, false));
	assert_true(quote_end(q));
	buf_add(&s.text, "", 1);
	assert_string_equal(s.text.bytes, "new\nne[w\nold\nol]d\nnew");
	quote_free(q);
	buf_free(&s.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(marked_lines),
	    cmocka_unit_test(attributions),
	    cmocka_unit_test(dividers),
	    cmocka_unit_test(headers),
	    cmocka_unit_test(long_lines),
	    cmocka_unit_test(by_html),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
