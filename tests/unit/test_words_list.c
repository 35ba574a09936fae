#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/words/list.h"

#define ALL ((1u << PLACE_COUNT) - 1)

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

static struct word_lists *two_lists(const struct norm_tables *tables)
{
	static const char secrets[] =
	    "# what stays here\n機密\n  top  secret   # a phrase\nMemo\nmemo\nＭＥＭＯ\n";
	static const char offers[] = "見積書\n機密\n";
	struct word_lists *l = word_lists_new(tables);
	struct conf_fault fault;

	assert_non_null(l);
	assert_true(word_lists_parse(l, secrets, sizeof secrets - 1, "secrets", "secrets", &fault));
	assert_true(word_lists_parse(l, offers, sizeof offers - 1, "offers", "offers", &fault));
	assert_true(word_lists_build(l));
	return l;
}

static void feed(struct word_tally *t, enum detect_place place, const char *text, bool quoted)
{
	word_tally_begin(t, place);
	word_tally_feed(t, text, strlen(text), quoted);
	word_tally_end(t);
}

static bool note(void *context, const char *word, size_t len, uint64_t count)
{
	char *text = context;

	(void)snprintf(text + strlen(text), 200 - strlen(text), "%.*s=%llu ", (int)len, word,
	    (unsigned long long)count);
	return true;
}

/* S1-27: which words of which list, where, and how often. */
static void tallies(void **state)
{
	struct word_lists *l = two_lists(*state);
	struct word_tally *t = word_tally_new(l);
	char text[200] = "";

	assert_non_null(t);
	assert_int_equal(word_lists_count(l), 2);
	assert_string_equal(word_lists_name(l, 1), "offers");
	assert_int_equal(word_lists_find(l, "offers"), 1);
	assert_int_equal(word_lists_find(l, "other"), SIZE_MAX);

	feed(t, PLACE_SUBJECT, "機密の見積書", false);
	feed(t, PLACE_BODY, "memo, MEMO, top\nsecret", false);
	feed(t, PLACE_FILES, "memo", true);
	assert_int_equal(word_tally_distinct(t, 0, ALL, false), 3);
	assert_int_equal(word_tally_all(t, 0, ALL, false), 4);
	assert_int_equal(word_tally_all(t, 0, ALL, true), 5);
	assert_int_equal(word_tally_distinct(t, 0, 1u << PLACE_BODY, true), 2);
	assert_int_equal(word_tally_distinct(t, 0, 1u << PLACE_FILES, false), 0);
	assert_int_equal(word_tally_distinct(t, 0, 1u << PLACE_FILES, true), 1);
	assert_int_equal(word_tally_distinct(t, 1, ALL, false), 2);
	word_tally_each(t, 0, ALL, true, note, text);
	assert_string_equal(text, "機密=1 top secret=1 Memo=3 ");
	word_tally_free(t);
	word_lists_free(l);
}

static void is_faulty(
    const struct norm_tables *tables, const char *file, size_t len, const char *expected)
{
	struct word_lists *l = word_lists_new(tables);
	struct conf_fault fault;
	char text[600];

	assert_non_null(l);
	assert_false(word_lists_parse(l, file, len, "words", "words", &fault));
	conf_fault_show(&fault, text, sizeof text);
	assert_string_equal(text, expected);
	word_lists_free(l);
}

#define FAULTY(file, expected) is_faulty(*state, (file), sizeof(file) - 1, (expected))

static void faults(void **state)
{
	FAULTY("ok\n  \xff\xfe\n", "words:2:3: this is not UTF-8");
	FAULTY("*\n", "words:1:1: nothing is left of this word");
	FAULTY("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	       "aaaaaaaaaaa"
	       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	       "aaaaaaaaaaa"
	       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	       "aaaaaaaaaaa"
	       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	       "aaaaaaaaaaa"
	       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	       "aaaaaaaaaaa"
	       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	       "aaaaaaaaaaa\n",
	    "words:1:1: this word is too long");
}

static void none(void **state)
{
	struct word_lists *l = word_lists_new(*state);
	struct word_tally *t;

	assert_non_null(l);
	assert_true(word_lists_build(l));
	t = word_tally_new(l);
	assert_non_null(t);
	feed(t, PLACE_BODY, "text", false);
	assert_int_equal(word_lists_count(l), 0);
	word_tally_free(t);
	word_lists_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tallies),
	    cmocka_unit_test(faults),
	    cmocka_unit_test(none),
	};
	return cmocka_run_group_tests(tests, prepare, release);
}
