#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/words/regexes.h"

#define ALL   ((1u << PLACE_COUNT) - 1)
#define STEPS 100000

static int prepare(void **state)
{
	*state = (void *)(uintptr_t)norm_prepare();
	return *state != NULL ? 0 : -1;
}

static int release(void **state)
{
	norm_tables_free(*state);
	return 0;
}

static struct regexes *patterns(const struct norm_tables *t, const char *one, const char *two)
{
	struct regexes *r = regexes_new(t, STEPS);
	struct regex_fault fault;

	assert_non_null(r);
	assert_true(regexes_add(r, one, strlen(one), &fault));
	if (two != NULL)
		assert_true(regexes_add(r, two, strlen(two), &fault));
	return r;
}

static void feed(struct regex_scan *s, enum detect_place place, const char *text, size_t len,
    size_t piece, bool quoted)
{
	regex_scan_begin(s, place);
	for (size_t at = 0; at < len; at += piece)
		regex_scan_feed(s, text + at, piece < len - at ? piece : len - at, quoted);
	regex_scan_end(s);
}

/* How often the pattern is found in the text. */
static void finds(const struct norm_tables *t, const char *pattern, const char *text, unsigned n)
{
	struct regexes *r = patterns(t, pattern, NULL);

	for (size_t piece = 1; piece < 20; piece += 6) {
		struct regex_scan *s = regex_scan_open(r, 5);

		assert_non_null(s);
		feed(s, PLACE_BODY, text, strlen(text), piece, false);
		assert_int_equal(regex_all(s, 0, ALL, false), n);
		assert_int_equal(regex_limit(s, 0), 0);
		regex_scan_free(s);
	}
	regexes_free(r);
}

static void matches(void **state)
{
	finds(*state, "[A-Z]{2}-\\d{4}", "AB-1234 CD-5678 xAB-12", 2);
	finds(*state, "機密(書類|文書)", "機密書類と機密文書と機密", 2);
	finds(*state, "(?i)memo", "Memo MEMO", 2);
	finds(*state, "^a", "a\na\na", 1);
	finds(*state, "(?m)^a$", "a\na\na", 3);
	finds(*state, "\\b山\\b", "山 山田", 1);
	finds(*state, "x*", "axxb", 1); /* an empty match is none */
	finds(*state, "(?<=a)b", "ab cb", 1);
	finds(*state, "a\\Kb", "ab", 1);
	finds(*state, "\\z", "ab", 0);
	finds(*state, "nothing", "", 0);
}

static void counts(void **state)
{
	struct regexes *r = patterns(*state, "[A-Z]\\d+", "山.");
	struct regex_scan *s = regex_scan_open(r, 5);

	assert_non_null(s);
	feed(s, PLACE_SUBJECT, "A1 B2", 5, 5, false);
	feed(s, PLACE_BODY, "A1 A1 C3", 8, 3, false);
	feed(s, PLACE_BODY, "D4", 2, 1, true);
	assert_int_equal(regex_distinct(s, 0, ALL, false), 3);
	assert_int_equal(regex_distinct(s, 0, ALL, true), 4);
	assert_int_equal(regex_distinct(s, 0, 1u << PLACE_BODY, false), 2);
	assert_int_equal(regex_all(s, 0, ALL, false), 5);
	assert_int_equal(regex_all(s, 0, 1u << PLACE_FILES, true), 0);
	assert_int_equal(regex_all(s, 1, ALL, true), 0);
	regex_scan_free(s);
	regexes_free(r);
}

static bool note(void *context, const char *masked, size_t len)
{
	(void)snprintf((char *)context + strlen(context), 100, "%.*s|", (int)len, masked);
	return true;
}

static void evidence(void **state)
{
	struct regexes *r = patterns(*state, "[A-Z]+-\\d+", NULL);
	struct regex_scan *s = regex_scan_open(r, 2);
	char text[400] = "", masked[16];

	assert_non_null(s);
	feed(s, PLACE_BODY, "AB-12345 AB-12345 X-1 Y-2", 25, 25, false);
	regex_each(s, 0, note, text);
	assert_string_equal(text, "A******5|***|");
	regex_scan_free(s);
	regexes_free(r);

	assert_int_equal(regex_mask("山田太郎", 12, masked, sizeof masked), 6);
	assert_string_equal(masked, "山***");
	assert_int_equal(regex_mask("abc", 3, masked, sizeof masked), 3);
	assert_string_equal(masked, "***");
	assert_int_equal(regex_mask("abcdefghijklmnopqrstuvwxyz", 26, masked, sizeof masked), 15);
	assert_string_equal(masked, "ab*************");
	assert_int_equal(regex_mask("", 0, masked, sizeof masked), 0);
}

static void is_faulty(const struct norm_tables *t, const char *pattern, size_t offset)
{
	struct regexes *r = regexes_new(t, STEPS);
	struct regex_fault fault = {.offset = 999};

	assert_non_null(r);
	assert_false(regexes_add(r, pattern, strlen(pattern), &fault));
	assert_int_equal(fault.offset, offset);
	assert_int_not_equal(fault.text[0], '\0');
	assert_int_equal(regexes_count(r), 0);
	regexes_free(r);
}

static void faults(void **state)
{
	is_faulty(*state, "a(b", 3);
	is_faulty(*state, "a[", 2);
	is_faulty(*state, "ab\\C", 4);
	is_faulty(*state, "a\xff", 1);
	is_faulty(*state, "ab１", 2); /* no such letter in text that is normalised */
	is_faulty(*state, "ｱ", 0);
}

static double seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* R1: a pattern that would run for ever counts as matched, in time, and the others go on. */
static void limits(void **state)
{
	static const char *const bad[] = {
	    "(a+)+[bc]$", "(?:a|aa)+$x?[^a]", "(a|b)*[cd]", "(?=(a+))a*?[0-9]"};
	size_t len = 1000000;
	char *text = malloc(len);

	assert_non_null(text);
	memset(text, 'a', len);
	memcpy(text + len - 3, " Z9", 3);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct regexes *r = patterns(*state, bad[i], "Z9");
		struct regex_scan *s = regex_scan_open(r, 5);
		double start = seconds();

		assert_non_null(s);
		feed(s, PLACE_FILES, text, len, 16384, false);
		print_message("%s: %.2f s\n", bad[i], seconds() - start);
		assert_true(seconds() - start < 10);
		assert_int_equal(regex_limit(s, 0), 1u << PLACE_FILES);
		assert_int_equal(regex_limit(s, 1), 0);
		assert_int_equal(regex_all(s, 1, ALL, false), 1);
		regex_scan_free(s);
		regexes_free(r);
	}
	free(text);
}

/* R1: what a pattern was not searched for in is limited, too; what was before it is not. */
static void limits_last(void **state)
{
	struct regexes *r = patterns(*state, "(a+)+[bc]$", "Z9");
	struct regex_scan *s = regex_scan_open(r, 5);
	char text[200000];

	assert_non_null(s);
	memset(text, 'a', sizeof text);
	feed(s, PLACE_SUBJECT, "Z9 ab", 5, 5, false);
	feed(s, PLACE_NAMES, "", 0, 1, false);
	feed(s, PLACE_FILES, text, sizeof text, 16384, false);
	feed(s, PLACE_BODY, "Z9 ab", 5, 5, false);
	assert_int_equal(regex_limit(s, 0), 1u << PLACE_FILES | 1u << PLACE_BODY);
	assert_int_equal(regex_all(s, 0, 1u << PLACE_SUBJECT, false), 1);
	assert_int_equal(regex_limit(s, 1), 0);
	assert_int_equal(regex_all(s, 1, ALL, false), 2);
	regex_scan_free(s);
	regexes_free(r);
}

/* What stands where windows meet is found once. */
static void windows(void **state)
{
	struct regexes *r = patterns(*state, "\\bX-\\d+\\b", "(?s)BEGIN.{3000}END");
	size_t len = 400000;
	char *text = malloc(len + 16);

	assert_non_null(text);
	for (size_t shift = 0; shift < 40; shift++) {
		struct regex_scan *s = regex_scan_open(r, 0);
		unsigned n = 0;

		assert_non_null(s);
		memset(text, '.', len);
		for (size_t at = shift; at + 16 < len; at += 37, n++)
			(void)memcpy(text + at, "X-12345678 ", 11);
		for (size_t at = 60000 + shift * 100; at + 4000 < len; at += 65000) {
			memcpy(text + at, "BEGIN", 5);
			memcpy(text + at + 3005, "END", 3);
		}
		feed(s, PLACE_BODY, text, len, 10007, false);
		/* Those under BEGIN or END are gone: at most two for each. */
		assert_true(regex_all(s, 0, ALL, false) <= n);
		assert_true(regex_all(s, 0, ALL, false) >= n - 24);
		assert_int_equal(regex_all(s, 1, ALL, false),
		    6 - (60000 + shift * 100 + 5 * 65000 + 4000 >= len));
		regex_scan_free(s);
	}
	free(text);
	regexes_free(r);
}

static void many_values(void **state)
{
	struct regexes *r = patterns(*state, "\\d+", NULL);
	struct regex_scan *s = regex_scan_open(r, 3);
	char number[16];

	assert_non_null(s);
	regex_scan_begin(s, PLACE_BODY);
	for (unsigned i = 0; i < 20000; i++)
		regex_scan_feed(
		    s, number, (size_t)snprintf(number, sizeof number, "%u ", i % 10000), false);
	regex_scan_end(s);
	assert_int_equal(regex_all(s, 0, ALL, false), 20000);
	assert_int_equal(regex_distinct(s, 0, ALL, false), REGEX_DISTINCT_MAX);
	regex_scan_free(s);
	regexes_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(matches),
	    cmocka_unit_test(counts),
	    cmocka_unit_test(evidence),
	    cmocka_unit_test(faults),
	    cmocka_unit_test(limits),
	    cmocka_unit_test(limits_last),
	    cmocka_unit_test(windows),
	    cmocka_unit_test(many_values),
	};
	return cmocka_run_group_tests(tests, prepare, release);
}
