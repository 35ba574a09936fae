#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/buf.h"

/* Under AddressSanitizer too, too much memory is a NULL and not the end. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void assert_holds(const struct buf *b, const char *text)
{
	assert_true(buf_ok(b));
	assert_int_equal(b->len, strlen(text));
	if (b->len > 0)
		assert_memory_equal(b->bytes, text, b->len);
}

static void begins_empty(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_holds(&b, "");
	assert_null(b.bytes);
	buf_add(&b, NULL, 0);
	buf_add_text(&b, "");
	assert_holds(&b, "");
	buf_free(&b);
}

static void adds_in_order(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_add(&b, "ab\0", 2);
	buf_add_text(&b, " c");
	buf_add_xtext(&b, " =", 2);
	buf_addf(&b, " %d%s", 42, "!");
	assert_holds(&b, "ab c+20+3D 42!");
	buf_free(&b);
	assert_null(b.bytes);
	assert_int_equal(b.bound, 100);
}

static void every_way_fills_it_to_the_bound(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5);
	buf_add(&b, "12345", 5);
	assert_holds(&b, "12345");

	buf_clear(&b);
	buf_addf(&b, "%s", "12345");
	assert_holds(&b, "12345");

	/* As long as it comes out, not as long as it might have. */
	buf_clear(&b);
	buf_add_xtext(&b, "ab ", 3);
	assert_holds(&b, "ab+20");

	buf_clear(&b);
	assert_non_null(buf_reserve(&b, 5));
	assert_null(buf_reserve(&b, 6));
	buf_free(&b);
}

static void one_byte_more_fails(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5);
	buf_add(&b, "123456", 6);
	assert_false(buf_ok(&b));

	buf_clear(&b);
	buf_addf(&b, "%s", "123456");
	assert_false(buf_ok(&b));

	buf_clear(&b);
	buf_add_xtext(&b, "abc ", 4);
	assert_false(buf_ok(&b));
	assert_true(b.len <= 5);

	buf_clear(&b);
	assert_null(buf_reserve(&b, SIZE_MAX));
	assert_false(buf_ok(&b));
	buf_free(&b);
}

static void a_failure_sticks(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	buf_add_text(&b, "ab");
	buf_add_text(&b, "cde");
	buf_add_text(&b, "f");
	buf_addf(&b, "%s", "");
	buf_add_xtext(&b, "g", 1);
	assert_null(buf_reserve(&b, 1));
	assert_false(buf_ok(&b));
	assert_int_equal(b.len, 2);

	buf_clear(&b);
	buf_add_text(&b, "abcd");
	assert_holds(&b, "abcd");
	buf_free(&b);
	assert_true(buf_ok(&b));
}

static void no_length_overflows(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, SIZE_MAX);
	buf_add_text(&b, "ab");
	assert_null(buf_reserve(&b, SIZE_MAX - 1));
	assert_false(buf_ok(&b));

	/* More than there is memory for. */
	buf_clear(&b);
	assert_null(buf_reserve(&b, SIZE_MAX / 2));
	assert_false(buf_ok(&b));
	buf_free(&b);
}

static void reserving_nothing_is_no_failure(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	assert_non_null(buf_reserve(&b, 0));
	assert_true(buf_ok(&b));
	buf_add_text(&b, "abcd");
	assert_non_null(buf_reserve(&b, 0));
	assert_holds(&b, "abcd");
	buf_free(&b);
}

static void keeps_its_bytes_while_it_grows(void **state)
{
	const size_t n = 100000;
	struct buf b;

	(void)state;
	buf_init(&b, n);
	for (size_t i = 0; i < n; i++) {
		char c = (char)('a' + i % 26);

		buf_add(&b, &c, 1);
	}
	assert_true(buf_ok(&b));
	assert_int_equal(b.len, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(b.bytes[i], 'a' + i % 26);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(begins_empty),
	    cmocka_unit_test(adds_in_order),
	    cmocka_unit_test(every_way_fills_it_to_the_bound),
	    cmocka_unit_test(one_byte_more_fails),
	    cmocka_unit_test(a_failure_sticks),
	    cmocka_unit_test(no_length_overflows),
	    cmocka_unit_test(reserving_nothing_is_no_failure),
	    cmocka_unit_test(keeps_its_bytes_while_it_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
