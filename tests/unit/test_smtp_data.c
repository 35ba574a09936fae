#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/smtp/data.h"

/* A text with its length, which may have NUL bytes in it. */
#define T(text) (text), sizeof(text) - 1

struct result {
	enum data_status status;
	size_t used; /* of the whole stream */
	struct buf out;
};

static void collect(void *context, const char *bytes, size_t len)
{
	buf_add(context, bytes, len);
}

/* Feeds `in` in pieces that end at `cut`, at `cut + step`, and so on. */
static struct result decode(const char *in, size_t len, bool repair, size_t cut, size_t step)
{
	struct result r = {.status = DATA_MORE};
	struct data d;
	size_t at = 0;

	buf_init(&r.out, 1 << 20);
	data_init(&d, repair, collect, &r.out);
	for (size_t end = cut; r.status == DATA_MORE && at < len; end += step) {
		size_t stop = end < len ? end : len;
		size_t used;

		if (stop == at)
			continue;
		r.status = data_feed(&d, in + at, stop - at, &used);
		at += used;
	}
	r.used = at;
	return r;
}

static void assert_decodes(const char *in, size_t len, bool repair, enum data_status status,
    size_t used, const char *out, size_t out_len)
{
	for (size_t cut = 1; cut <= len; cut++) {
		for (size_t step = 1; step <= len; step++) {
			struct result r = decode(in, len, repair, cut, step);

			assert_int_equal(r.status, status);
			if (status != DATA_BARE) {
				assert_int_equal(r.used, used);
				assert_int_equal(r.out.len, out_len);
				if (out_len > 0)
					assert_memory_equal(r.out.bytes, out, out_len);
			}
			buf_free(&r.out);
		}
	}
}

/* What comes behind each variant: if it is ever taken for the end, "used" is too small. */
#define BEHIND "MAIL FROM:<evil@x>\r\n.\r\n"

static const struct {
	const char *text;
	size_t len;
	bool bare; /* a CR or LF stands alone in it */
	const char *repaired;
	size_t repaired_len;
} variants[] = {
    {T("a\n.\n" BEHIND), true, T("a\r\n.\r\nMAIL FROM:<evil@x>\r\n")},
    {T("a\n.\r\n" BEHIND), true, T("a\r\n.\r\nMAIL FROM:<evil@x>\r\n")},
    {T("a\r\n.\n" BEHIND), true, T("a\r\n\r\nMAIL FROM:<evil@x>\r\n")},
    {T("a\r.\r" BEHIND), true, T("a\r\n.\r\nMAIL FROM:<evil@x>\r\n")},
    {T("a\r.\n" BEHIND), true, T("a\r\n.\r\nMAIL FROM:<evil@x>\r\n")},
    {T("a\n.\r" BEHIND), true, T("a\r\n.\r\nMAIL FROM:<evil@x>\r\n")},
    {T("a\r.\r\n" BEHIND), true, T("a\r\n.\r\nMAIL FROM:<evil@x>\r\n")},
    {T("a\r\n.\r" BEHIND), true, T("a\r\n\r\nMAIL FROM:<evil@x>\r\n")},
    {T("a\r\n\0.\r\n" BEHIND), false, T("a\r\n\0.\r\nMAIL FROM:<evil@x>\r\n")},
    {T("a\r\n.\0\r\n" BEHIND), false, T("a\r\n\0\r\nMAIL FROM:<evil@x>\r\n")},
    {T("a\r\n.\r\r\n" BEHIND), true, T("a\r\n\r\n\r\nMAIL FROM:<evil@x>\r\n")},
    {T("a\r\r\n.\r\r\n" BEHIND), true, T("a\r\n\r\n\r\n\r\nMAIL FROM:<evil@x>\r\n")},
    {T("a\r\r\n.b\r\n" BEHIND), true, T("a\r\n\r\nb\r\nMAIL FROM:<evil@x>\r\n")},
    {T("\n.\r\n" BEHIND), true, T("\r\n.\r\nMAIL FROM:<evil@x>\r\n")},
    {T(".\n" BEHIND), true, T("\r\nMAIL FROM:<evil@x>\r\n")},
    {T("\r" BEHIND), true, T("\r\nMAIL FROM:<evil@x>\r\n")},
};

/* S1 (CVE-2023-51764/5/6): no variant ends the message, however the segments fall. */
static void S1_refused_at_every_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(variants); i++) {
		if (variants[i].bare)
			assert_decodes(
			    variants[i].text, variants[i].len, false, DATA_BARE, 0, "", 0);
		else
			assert_decodes(variants[i].text, variants[i].len, false, DATA_END,
			    variants[i].len, variants[i].repaired, variants[i].repaired_len);
	}
}

static void S1_repaired_at_every_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(variants); i++)
		assert_decodes(variants[i].text, variants[i].len, true, DATA_END, variants[i].len,
		    variants[i].repaired, variants[i].repaired_len);
}

/* RFC 5321 section 4.5.2. */
static void dots_are_taken_away(void **state)
{
	(void)state;
	for (int repair = 0; repair < 2; repair++) {
		assert_decodes(T(".\r\n"), repair, DATA_END, 3, "", 0);
		assert_decodes(T("\r\n.\r\n"), repair, DATA_END, 5, T("\r\n"));
		assert_decodes(T("..\r\n.\r\n"), repair, DATA_END, 7, T(".\r\n"));
		assert_decodes(
		    T("..a\r\n.b\r\nc.\r\n.\r\n"), repair, DATA_END, 16, T(".a\r\nb\r\nc.\r\n"));
		assert_decodes(
		    T("a\r\n...\r\n.\r\nQUIT\r\n"), repair, DATA_END, 11, T("a\r\n..\r\n"));
		assert_decodes(T("a\0b\r\n.\r\n"), repair, DATA_END, 8, T("a\0b\r\n"));
		assert_decodes(T("no end\r\n."), repair, DATA_MORE, 9, T("no end\r\n"));
	}
}

/* S6: lines of any length come through whole. */
static void S6_long_lines(void **state)
{
	static const size_t lengths[] = {
	    998, 999, 1023, 1024, 1025, 2047, 2048, 2049, 10000, 200000};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		size_t n = lengths[i];
		char *text = malloc(n + 5);
		struct result r;

		assert_non_null(text);
		memset(text, 'x', n);
		memcpy(text + n, "\r\n.\r\n", 5);
		r = decode(text, n + 5, false, n / 2, 4096);
		assert_int_equal(r.status, DATA_END);
		assert_int_equal(r.out.len, n + 2);
		assert_memory_equal(r.out.bytes, text, n + 2);
		buf_free(&r.out);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(S1_refused_at_every_split),
	    cmocka_unit_test(S1_repaired_at_every_split),
	    cmocka_unit_test(dots_are_taken_away),
	    cmocka_unit_test(S6_long_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
