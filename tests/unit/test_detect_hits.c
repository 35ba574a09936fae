/* Hits: distinct ones are counted exactly, by kind and place, within bounds (S1-11: ten or more). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/detect/hits.h"

#define BODY  (1U << PLACE_BODY)
#define FILES (1U << PLACE_FILES)

static void add(struct hits *h, enum detect_kind kind, enum detect_place place, const char *value)
{
	hits_add(h, kind, place, value, strlen(value));
}

static void test_distinct(void **state)
{
	struct hits *h = hits_new();

	(void)state;
	assert_non_null(h);
	add(h, DETECT_PHONE, PLACE_BODY, "0312345678");
	add(h, DETECT_PHONE, PLACE_BODY, "0312345678");
	add(h, DETECT_PHONE, PLACE_FILES, "0312345678");
	add(h, DETECT_PHONE, PLACE_FILES, "0312345679");
	add(h, DETECT_PHONE, PLACE_FILES, "031234567");
	add(h, DETECT_MAIL, PLACE_FILES, "0312345678");

	assert_int_equal(hits_count(h, DETECT_PHONE, BODY), 1);
	assert_int_equal(hits_count(h, DETECT_PHONE, FILES), 3);
	assert_int_equal(hits_count(h, DETECT_PHONE, BODY | FILES), 3);
	assert_int_equal(hits_count(h, DETECT_PHONE, 1U << PLACE_SUBJECT), 0);
	assert_int_equal(hits_count(h, DETECT_MAIL, BODY | FILES), 1);
	assert_int_equal(hits_count(h, DETECT_CARD, ~0U), 0);
	assert_false(hits_full(h, DETECT_PHONE));
	hits_free(h);
	hits_free(NULL);
}

struct order {
	size_t n;
	size_t stop;
	char values[8][HITS_VALUE_MAX + 1];
	unsigned places[8];
};

static bool note(void *context, const char *value, size_t len, unsigned places)
{
	struct order *o = context;

	assert_true(len <= HITS_VALUE_MAX);
	memcpy(o->values[o->n], value, len);
	o->values[o->n][len] = '\0';
	o->places[o->n++] = places;
	return o->n != o->stop;
}

static void test_each_in_order(void **state)
{
	struct hits *h = hits_new();
	struct order o = {0};

	(void)state;
	assert_non_null(h);
	add(h, DETECT_NAME, PLACE_BODY, "佐藤花子");
	add(h, DETECT_NAME, PLACE_BODY, "");
	add(h, DETECT_NAME, PLACE_FILES, "佐藤花子");
	add(h, DETECT_NAME, PLACE_FILES, "田中");
	hits_each(h, DETECT_NAME, note, &o);
	assert_int_equal(o.n, 3);
	assert_string_equal(o.values[0], "佐藤花子");
	assert_int_equal(o.places[0], BODY | FILES);
	assert_string_equal(o.values[1], "");
	assert_string_equal(o.values[2], "田中");
	assert_int_equal(o.places[2], FILES);

	o = (struct order){.stop = 2};
	hits_each(h, DETECT_NAME, note, &o);
	assert_int_equal(o.n, 2);
	hits_free(h);
}

/* Longer values are kept in part, whole letters, and still told apart by all of them. */
static void test_long_values(void **state)
{
	struct hits *h = hits_new();
	struct order o = {0};
	char value[3 * HITS_VALUE_MAX];
	size_t len;

	(void)state;
	assert_non_null(h);
	for (len = 0; len + 3 <= sizeof(value); len += 3)
		memcpy(value + len, "漢", 3);
	hits_add(h, DETECT_ADDRESS, PLACE_BODY, value, len);
	hits_add(h, DETECT_ADDRESS, PLACE_BODY, value, len);
	memcpy(value + len - 3, "字", 3);
	hits_add(h, DETECT_ADDRESS, PLACE_BODY, value, len);
	assert_int_equal(hits_count(h, DETECT_ADDRESS, BODY), 2);
	hits_each(h, DETECT_ADDRESS, note, &o);
	assert_int_equal(o.n, 2);
	assert_int_equal(strlen(o.values[0]), HITS_VALUE_MAX - HITS_VALUE_MAX % 3);
	hits_free(h);
}

static bool count(void *context, const char *value, size_t len, unsigned places)
{
	size_t *n = context;

	(void)value, (void)len, (void)places;
	++*n;
	return true;
}

/* Up to the bound each is counted, and counted once; beyond it the count stands still and says so. */
static void test_bounds(void **state)
{
	struct hits *h = hits_new();
	char value[128];
	size_t kept = 0;

	(void)state;
	assert_non_null(h);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < HITS_MAX; i++) {
			int len = snprintf(value, sizeof(value), "%0100zu", i);

			hits_add(h, DETECT_MAIL, PLACE_FILES, value, (size_t)len);
		}
		assert_int_equal(hits_count(h, DETECT_MAIL, FILES), HITS_MAX);
		assert_false(hits_full(h, DETECT_MAIL));
	}

	add(h, DETECT_MAIL, PLACE_BODY, "one more");
	assert_int_equal(hits_count(h, DETECT_MAIL, BODY | FILES), HITS_MAX);
	assert_true(hits_full(h, DETECT_MAIL));
	add(h, DETECT_MAIL, PLACE_BODY, value);
	assert_int_equal(hits_count(h, DETECT_MAIL, BODY), 1);

	/* 10 MB of values: what is beyond HITS_TEXT_MAX is counted without its text. */
	hits_each(h, DETECT_MAIL, count, &kept);
	assert_true(kept >= HITS_TEXT_MAX / 100 - 1 && kept < HITS_MAX);
	add(h, DETECT_PHONE, PLACE_BODY, "0312345678");
	assert_int_equal(hits_count(h, DETECT_PHONE, BODY), 1);
	assert_false(hits_full(h, DETECT_PHONE));
	hits_free(h);
}

static void masked(enum detect_kind kind, const char *value, const char *expected)
{
	char text[300];
	size_t len = hits_mask(kind, value, strlen(value), text, sizeof(text));

	assert_string_equal(text, expected);
	assert_int_equal(len, strlen(expected));
}

/* Evidence shows where to look, not what was found. */
static void test_masks(void **state)
{
	(void)state;
	masked(DETECT_CARD, "4111111111111111", "************1111");
	masked(DETECT_MYNUMBER, "123456789018", "********9018");
	masked(DETECT_CORPORATE, "7000012050002", "*********0002");
	masked(DETECT_PHONE, "0312345678", "******5678");
	masked(DETECT_PHONE, "123", "***");
	masked(DETECT_NAME, "山田花子", "山***子");
	masked(DETECT_NAME, "山田", "山***");
	masked(DETECT_NAME, "林", "***");
	masked(DETECT_NAME, "", "***");
	masked(DETECT_ADDRESS, "東京都千代田区丸の内1-1-1", "東京都***");
	masked(DETECT_MAIL, "taro.yamada@example.co.jp", "t***@example.co.jp");
	masked(DETECT_MAIL, "t@example.co.jp", "***@example.co.jp");
	masked(DETECT_MAIL, "nonsense", "n***");
}

/* A short room cuts between letters, and there is always an end. */
static void test_mask_room(void **state)
{
	static const char name[] = "山田花子";
	char text[16];

	(void)state;
	assert_int_equal(hits_mask(DETECT_NAME, name, sizeof(name) - 1, text, 0), 0);
	for (size_t room = 1; room <= sizeof(text); room++) {
		memset(text, 'x', sizeof(text));
		size_t len = hits_mask(DETECT_NAME, name, sizeof(name) - 1, text, room);

		assert_true(len < room);
		assert_int_equal(text[len], '\0');
		assert_int_equal(strlen(text), len);
		assert_true(len == 0 || len == 3 || len == 6 || len == 9);
	}
}

static void test_words(void **state)
{
	(void)state;
	assert_string_equal(detect_kind_word(DETECT_MYNUMBER), "mynumber");
	assert_string_equal(detect_kind_word(DETECT_NAME), "name");
	assert_string_equal(detect_place_word(PLACE_SUBJECT), "subject");
	assert_string_equal(detect_place_word(PLACE_FILES), "files");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_distinct),
	    cmocka_unit_test(test_each_in_order),
	    cmocka_unit_test(test_long_values),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_masks),
	    cmocka_unit_test(test_mask_room),
	    cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
