/* The facts of the self-check in words: each in both languages, whatever its value is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "lib/checks/checks.h"

static const char *said(
    bool english, enum check_fact fact, const char *value, const char *const *rcpt, size_t rcpts)
{
	static char text[8192];
	struct buf out;

	buf_init(&out, sizeof text - 1);
	check_sentence(&out, english, fact, value, value != NULL ? strlen(value) : 0, rcpt, rcpts);
	assert_true(buf_ok(&out));
	memcpy(text, out.bytes, out.len);
	text[out.len] = '\0';
	buf_free(&out);
	assert_null(strchr(text, '\n'));
	return text;
}

#define assert_said(english, fact, value, expected)                                                \
	assert_string_equal(said(english, fact, value, NULL, 0), expected)

static void words_both_ways(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CHECK_COUNT; i++) {
		const char *word = check_fact_word((enum check_fact)i);

		assert_int_equal(check_fact_find(word, strlen(word)), i);
		assert_int_equal(check_fact_find(word, strlen(word) - 1), CHECK_COUNT);
	}
	assert_int_equal(check_fact_find("fileso", 6), CHECK_COUNT);
	assert_int_equal(check_fact_find("fileso", 5), CHECK_FILES);
}

/* S4-09: one sentence for each fact, in each language. */
static void S4_09_sentences(void **state)
{
	static const char *const rcpt[] = {"bob@x.example", "eve@y.example"};

	(void)state;
	assert_string_equal(said(false, CHECK_FIRST_TIME, NULL, rcpt, 2),
	    "初めて送る宛先です。アドレスに誤りはありませんか：bob@x.example、eve@y.example");
	assert_string_equal(said(true, CHECK_FIRST_TIME, NULL, rcpt, 1),
	    "You have never written to this address before. Is it the right one? bob@x.example");
	assert_string_equal(said(false, CHECK_LOOKALIKE, "rob@x.example,eva@y.example", rcpt, 2),
	    "いつもの宛先によく似た、別の宛先です。取り違えていませんか："
	    "bob@x.example（似た宛先 rob@x.example）、eve@y.example（似た宛先 eva@y.example）");
	assert_string_equal(said(true, CHECK_LOOKALIKE, "rob@x.example", rcpt, 1),
	    "An address looks like one that you know, and is another. Is it the one you mean? "
	    "bob@x.example (like rob@x.example)");
	assert_said(false, CHECK_COMPANIES, "x.example,y.example",
	    "複数の会社に宛てたメールです。一緒に送ってよい相手ですか：x.example、y.example");
	assert_said(true, CHECK_COMPANIES, "x.example,y.example",
	    "This mail goes to several companies. May all of them see it: x.example, y.example");
	assert_said(false, CHECK_GREETING, "+E7+94+B0+E4+B8+AD",
	    "本文の宛名が、宛先と合っていないようです：田中");
	assert_said(true, CHECK_GREETING, "Alpha",
	    "The letter seems to greet somebody else than its recipients: Alpha");
	assert_said(false, CHECK_MISSING_FILE, NULL,
	    "本文では添付に触れていますが、添付ファイルがありません");
	assert_said(true, CHECK_MISSING_FILE, NULL,
	    "The text speaks of an attached file, and there is none");
	assert_said(false, CHECK_FILES, "a.pdf,b+20c.xlsx,+2B3",
	    "この添付ファイルで間違いありませんか：a.pdf、b c.xlsx、+3");
	assert_said(true, CHECK_FILES, "a.pdf", "Are these the right files: a.pdf");
	assert_said(
	    false, CHECK_VISIBLE, "12", "To と Cc の 12 件のアドレスが、受け取る全員に見えます");
	assert_said(true, CHECK_VISIBLE, "12",
	    "Everybody who gets this mail sees the 12 addresses in To and Cc");
	assert_said(false, CHECK_PERSONAL, "card:1,phone:12",
	    "個人情報が含まれているようです：クレジットカード番号 1 件、電話番号 12 件");
	assert_said(true, CHECK_PERSONAL, "mynumber:2,address:12,mail:30,name:11,x:1",
	    "It seems to hold personal data: My Numbers 2, postal addresses 12, mail addresses 30, "
	    "names 11, x:1");
	assert_said(false, CHECK_UNKNOWN, "encrypted",
	    "機械では中身をすべて確認できませんでした。ご自身で確かめてください");
	assert_said(true, CHECK_UNKNOWN, NULL,
	    "Not all of it could be looked into by machine: please look yourself");
}

/* A value as it is written is read back: commas and all, at most ten, and how many more there are. */
static void values_both_ways(void **state)
{
	struct buf value;
	size_t n = 0;
	char name[16];

	(void)state;
	buf_init(&value, 4096);
	check_value_add(&value, &n, "a,b=+ c");
	for (int i = 2; i <= 13; i++) {
		(void)snprintf(name, sizeof name, "%d", i);
		check_value_add(&value, &n, name);
	}
	check_value_end(&value, n);
	buf_add(&value, "", 1);
	assert_true(buf_ok(&value));
	assert_string_equal(value.bytes, "a+EF+BC+8Cb+3D+2B+20c,2,3,4,5,6,7,8,9,10,+2B3");
	assert_said(true, CHECK_FILES, value.bytes,
	    "Are these the right files: a，b=+ c, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 3 more");
	assert_said(false, CHECK_FILES, value.bytes,
	    "この添付ファイルで間違いありませんか：a，b=+ c、2、3、4、5、6、7、8、9、10、ほか 3 "
	    "件");
	buf_free(&value);
}

/* A long item is cut between letters. */
static void long_items_are_cut(void **state)
{
	struct buf value;
	char name[3 * 100 + 2] = "x";
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		(void)strcat(name, "あ");
	buf_init(&value, 4096);
	check_value_add(&value, &n, name);
	buf_add(&value, "", 1);
	assert_int_equal(strncmp(value.bytes, "x+E3+81+82", 10), 0);
	/* 39 letters of three bytes, and the sign that there were more. */
	assert_int_equal(strlen(value.bytes), 1 + 9 * 39 + 9);
	assert_non_null(strstr(said(true, CHECK_FILES, value.bytes, NULL, 0), "あ…"));
	buf_free(&value);
}

/* Whatever stands in a record: nothing breaks, and nothing that is no letter is shown. */
static void bad_values(void **state)
{
	static const char *const bad[] = {"", ",", ",,,", "+", "+0", "+zz", "a=b", "a,+,b", "+00",
	    "a+0Ab", "+2B", "+2B0", "+2B99999999999999999999999", ":", "phone:", "phone"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		for (unsigned fact = 0; fact <= CHECK_COUNT; fact++) {
			assert_true(strlen(said(true, (enum check_fact)fact, bad[i], NULL, 0)) > 5);
			assert_true(
			    strlen(said(false, (enum check_fact)fact, bad[i], NULL, 0)) > 5);
		}
	}
	assert_said(true, CHECK_FILES, "a+0Ab,+zz,c", "Are these the right files: a b, c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_both_ways),
	    cmocka_unit_test(S4_09_sentences),
	    cmocka_unit_test(values_both_ways),
	    cmocka_unit_test(long_items_are_cut),
	    cmocka_unit_test(bad_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
