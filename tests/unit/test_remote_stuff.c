/* S2, N17: content on its way out, cut at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/remote/stuff.h"

#define T(text) (text), sizeof(text) - 1

static bool collect(void *context, const char *bytes, size_t len)
{
	buf_add(context, bytes, len);
	return true;
}

static enum stuff_status stuffed(
    const char *in, size_t len, size_t cut, size_t step, struct buf *out)
{
	enum stuff_status status = STUFF_OK;
	struct stuff s;
	size_t at = 0;

	buf_clear(out);
	stuff_init(&s, collect, out);
	for (size_t end = cut; status == STUFF_OK && at < len; end += step) {
		size_t stop = end < len ? end : len;

		status = stuff_feed(&s, in + at, stop - at);
		at = stop;
	}
	return status == STUFF_OK ? stuff_end(&s) : status;
}

static const struct {
	const char *in;
	size_t len;
	const char *out; /* NULL: a CR or LF stands alone */
	size_t out_len;
} cases[] = {
    {T(""), T("")},
    {T("a\r\n"), T("a\r\n")},
    {T("a"), T("a\r\n")},
    {T("."), T("..\r\n")},
    {T(".\r\n"), T("..\r\n")},
    {T("..a\r\n.\r\n"), T("...a\r\n..\r\n")},
    {T("a.\r\n.b.c\r\n\r\n."), T("a.\r\n..b.c\r\n\r\n..\r\n")},
    {T("\r\n\r\n"), T("\r\n\r\n")},
    {T("\0\xff.\r\n.\0"), T("\0\xff.\r\n..\0\r\n")},
    {T("a\nb\r\n"), NULL, 0},
    {T("\n"), NULL, 0},
    {T("a\r"), NULL, 0},
    {T("\r"), NULL, 0},
    {T("a\rb\r\n"), NULL, 0},
    {T("a\r\r\n"), NULL, 0},
    {T("a\r\n\n.\r\n"), NULL, 0},
    {T("a\r\n.\n"), NULL, 0},
    {T("a\r\n.\rb"), NULL, 0},
};

static void assert_whole_lines(const struct buf *out)
{
	for (size_t i = 0; i < out->len; i++) {
		if (out->bytes[i] == '\n')
			assert_true(i > 0 && out->bytes[i - 1] == '\r');
		if (out->bytes[i] == '\r')
			assert_true(i + 1 < out->len && out->bytes[i + 1] == '\n');
	}
}

static void test_s2_n17_split_at_every_byte(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		for (size_t cut = 1; cut <= cases[i].len + 1; cut++) {
			for (size_t step = 1; step <= cases[i].len + 1; step++) {
				enum stuff_status status =
				    stuffed(cases[i].in, cases[i].len, cut, step, &out);

				assert_whole_lines(&out);
				if (cases[i].out == NULL) {
					assert_int_equal(status, STUFF_BARE);
					continue;
				}
				assert_int_equal(status, STUFF_OK);
				assert_int_equal(out.len, cases[i].out_len);
				if (out.len > 0)
					assert_memory_equal(out.bytes, cases[i].out, out.len);
			}
		}
	}
	buf_free(&out);
}

static bool refuse(void *context, const char *bytes, size_t len)
{
	(void)bytes;
	(void)len;
	return --*(int *)context >= 0;
}

static void test_a_taker_stops_it(void **state)
{
	(void)state;
	for (int n = 0; n < 5; n++) {
		int left = n;
		struct stuff s;
		enum stuff_status status;

		stuff_init(&s, refuse, &left);
		status = stuff_feed(&s, T("a\r\n.b\r\n.c")); /* five pieces */
		assert_int_equal(status, STUFF_STOP);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_s2_n17_split_at_every_byte),
	    cmocka_unit_test(test_a_taker_stops_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
