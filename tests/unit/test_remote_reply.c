/* O: replies of servers, cut at every byte; what is no reply; bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/remote/reply.h"

#define T(text) (text), sizeof(text) - 1

static void note(void *context, const char *text, size_t len, bool first)
{
	struct buf *lines = context;

	buf_add_text(lines, first ? "[" : "|");
	buf_add(lines, text, len);
}

/* Feeds `in` in pieces of `step` bytes after a first one of `cut`. */
static enum reply_status feed(struct reply *r, const char *in, size_t len, size_t cut, size_t step,
    size_t bound, size_t *used, struct buf *lines)
{
	enum reply_status status = REPLY_MORE;
	size_t end = cut;

	buf_clear(lines);
	reply_init(r, bound, note, lines);
	for (*used = 0; status == REPLY_MORE && *used < len; end += step) {
		size_t stop = end < len ? end : len;
		size_t n;

		status = reply_feed(r, in + *used, stop - *used, &n);
		*used += n;
	}
	return status;
}

static const struct {
	const char *in;
	size_t len;
	enum reply_status status;
	size_t used;
	int code;
	const char *enhanced, *text, *lines;
} cases[] = {
    {T("250 ok\r\n"), REPLY_DONE, 8, 250, "", "250 ok", "[ok"},
    {T("250 ok\n250 next\r\n"), REPLY_DONE, 7, 250, "", "250 ok", "[ok"},
    {T("250\r\n"), REPLY_DONE, 5, 250, "", "250", "["},
    {T("250 \r\n"), REPLY_DONE, 6, 250, "", "250 ", "["},
    {T("250-a\r\n250-\r\n250 b\r\nX"), REPLY_DONE, 20, 250, "", "250 a\n\nb", "[a||b"},
    {T("250-2.1.0 a\r\n251 b\r\n"), REPLY_DONE, 20, 251, "2.1.0", "250 2.1.0 a\nb", "[2.1.0 a|b"},
    {T("550 5.1.1 no\r\n"), REPLY_DONE, 14, 550, "5.1.1", "550 5.1.1 no", "[5.1.1 no"},
    {T("550 5.123.456\r\n"), REPLY_DONE, 15, 550, "5.123.456", "550 5.123.456", "[5.123.456"},
    {T("550 4.1.1 no\r\n"), REPLY_DONE, 14, 550, "", "550 4.1.1 no", "[4.1.1 no"},
    {T("550 5.1234.1\r\n"), REPLY_DONE, 14, 550, "", "550 5.1234.1", "[5.1234.1"},
    {T("550 5.1.01\r\n"), REPLY_DONE, 12, 550, "", "550 5.1.01", "[5.1.01"},
    {T("550 5.1.1x\r\n"), REPLY_DONE, 12, 550, "", "550 5.1.1x", "[5.1.1x"},
    {T("550 5.1.\r\n"), REPLY_DONE, 10, 550, "", "550 5.1.", "[5.1."},
    {T("550-x\r\n550 5.7.1 y\r\n"), REPLY_DONE, 20, 550, "5.7.1", "550 x\n5.7.1 y", "[x|5.7.1 y"},
    {T("250 \0\x1b\x7f\t\xe3\r\n"), REPLY_DONE, 11, 250, "", "250 ??? \xe3", "[??? \xe3"},
    {T("250 a\rb\r\r\n"), REPLY_DONE, 10, 250, "", "250 a?b?", "[a?b?"},
    {T("25"), REPLY_MORE, 2, 0, "", "25", ""},
    {T("250 ok\r"), REPLY_MORE, 7, 0, "", "250 ok", ""},
    {T("250-ok\r\n"), REPLY_MORE, 8, 250, "", "250 ok", "[ok"},
    {T("\r\n"), REPLY_MALFORMED, 2, 0, "", "", ""},
    {T("25\r\n"), REPLY_MALFORMED, 4, 0, "", "25", ""},
    {T("2\r50 ok\r\n"), REPLY_MALFORMED, 3, 0, "", "2", ""},
    {T("250\rx\r\n"), REPLY_MALFORMED, 5, 0, "", "250", ""},
    {T("hello\r\n"), REPLY_MALFORMED, 1, 0, "", "", ""},
    {T("150 x\r\n"), REPLY_MALFORMED, 1, 0, "", "", ""},
    {T("650 x\r\n"), REPLY_MALFORMED, 1, 0, "", "", ""},
    {T("2500 x\r\n"), REPLY_MALFORMED, 4, 0, "", "250", ""},
    {T("250x\r\n"), REPLY_MALFORMED, 4, 0, "", "250", ""},
    {T("250-x\r\n550 y\r\n"), REPLY_MALFORMED, 14, 250, "", "250 x\ny", "[x"},
    {T("250-x\r\ny\r\n"), REPLY_MALFORMED, 8, 250, "", "250 x", "[x"},
};

static void test_o_replies_split_at_every_byte(void **state)
{
	struct reply *r = malloc(sizeof *r);
	struct buf lines;

	(void)state;
	buf_init(&lines, 4096);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		for (size_t cut = 1; cut <= cases[i].len; cut++) {
			for (size_t step = 1; step <= cases[i].len; step++) {
				size_t used;

				assert_int_equal(feed(r, cases[i].in, cases[i].len, cut, step, 512,
						     &used, &lines),
				    cases[i].status);
				buf_add(&lines, "", 1);
				assert_int_equal(used, cases[i].used);
				assert_int_equal(r->code, cases[i].code);
				assert_string_equal(r->status, cases[i].enhanced);
				assert_string_equal(r->text, cases[i].text);
				assert_int_equal(r->text_len, strlen(r->text));
				assert_string_equal(lines.bytes, cases[i].lines);
			}
		}
	}
	buf_free(&lines);
	free(r);
}

static void test_o_the_bound_counts_all_lines(void **state)
{
	struct reply *r = malloc(sizeof *r);
	struct buf lines;
	size_t used;

	(void)state;
	buf_init(&lines, 4096);
	assert_int_equal(feed(r, T("250-a\r\n250 b\r\n"), 1, 1, 14, &used, &lines), REPLY_DONE);
	assert_int_equal(feed(r, T("250-a\r\n250 b\r\n"), 1, 1, 13, &used, &lines), REPLY_TOO_LONG);
	assert_int_equal(used, 13);
	assert_int_equal(
	    feed(r, T("250-a\r\n250 b\r\n"), 14, 1, 13, &used, &lines), REPLY_TOO_LONG);
	buf_free(&lines);
	free(r);
}

static void test_long_text_is_cut(void **state)
{
	struct reply *r = malloc(sizeof *r);
	char line[3002];
	size_t used;

	(void)state;
	memset(line, 'x', sizeof line);
	memcpy(line, "550 ", 4);
	memcpy(line + sizeof line - 2, "\r\n", 2);
	reply_init(r, 4096, NULL, NULL);
	assert_int_equal(reply_feed(r, line, sizeof line, &used), REPLY_DONE);
	assert_int_equal(r->text_len, REPLY_TEXT_MAX);
	assert_true(r->cut);
	assert_memory_equal(r->text, line, REPLY_TEXT_MAX);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_o_replies_split_at_every_byte),
	    cmocka_unit_test(test_o_the_bound_counts_all_lines),
	    cmocka_unit_test(test_long_text_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
