/* RTF (S1-27, S1-28): letters in every way that RTF has, what is not text, and what is no RTF. */
#include "extract_kit.h"

#include <time.h>

#define FONTS                                                                                      \
	"{\\fonttbl{\\f0\\fcharset0 Arial;}{\\f1\\fcharset128 Mincho;}{\\f2\\fcharset204 Cyr;}}"
#define HEAD "{\\rtf1\\ansi\\ansicpg932" FONTS

static void check(const char *rtf, const char *expected)
{
	struct kit kit;

	kit_begin(&kit);
	assert_string_equal(kit_look(&kit, rtf, strlen(rtf)), expected);
	assert_int_equal(kit.found.format, FORMAT_RTF);
	kit_end(&kit);
}

static void bytes_are_letters_of_their_font(void **state)
{
	(void)state;
	check(HEAD "\\f1 \\'8a\\'d6\\'8f\\'8a}", "関所|");
	check(HEAD "\\f1 \\'94\\'5c\\'95\\\\}", "能表|"); /* a second byte that is a backslash */
	check(HEAD "\\f1 \\'83A\\'83e}", "アテ|");        /* and one that is written as a letter */
	check(HEAD "\\f1\\'8a\r\n\\'d6}", "関|");
	check("{\\rtf1\\ansi\\ansicpg1252" FONTS "\\f0 \\'e9{\\f2 \\'df}\\f1\\'8a\\'d6}", "éЯ関|");
	check("{\\rtf1\\ansi\\ansicpg1252" FONTS "\\dbch\\af1\\'8a\\'d6\\loch \\'e9}", "関é|");
	check("{\\rtf1\\mac \\'8e}", "é|");
	check(HEAD "\\f1 \\'8a}", "\xef\xbf\xbd|"); /* half a letter */
}

static void unicode_has_something_behind_it(void **state)
{
	(void)state;
	check(HEAD "\\u-26932\\'97\\'eb x}", "雌\xef\xbf\xbd x|"); /* one, by default */
	check(HEAD "\\uc2\\u-26932\\'97\\'eb x}", "雌 x|");
	check(HEAD "\\uc0\\u-26932 x}", "雌x|");
	check(HEAD "{\\uc0\\u26085}\\u26085?x}", "日日x|"); /* \uc ends with its group */
	check(HEAD "\\u55362?\\u57271?}", "𠮷|");
	check(HEAD "\\u55362?x}", "\xef\xbf\xbdx|");
}

static void signs_and_words_that_are_letters(void **state)
{
	(void)state;
	check(HEAD "a\\par b\\line c\\tab d\\cell e\\row f\\\\\\{\\}\\~\\_\\-\\emdash\\lquote x}",
	    "a\nb\nc\td\te\nf\\{}\u00a0-\u00ad—‘x|");
	check(HEAD "a\\\nb}", "a\nb|");
	check(HEAD "wo{\\b r}d \\b0 x}", "word x|"); /* a word is not cut by how it looks */
}

static void what_is_not_text(void **state)
{
	(void)state;
	check(HEAD "{\\stylesheet A}{\\colortbl;\\red0;}{\\*\\other B{C}}{\\pict 0011}x}", "x|");
	check(HEAD "{\\pict\\bin5 }}}}}}x}", "x|");
	check(HEAD "{\\*\\other {\\footnote A}}x}", "x|");
	check(HEAD "{\\info{\\author A}{\\title T}}x}", "\nT\nx|");
	check(HEAD "a{\\footnote N}b}", "a\nN\nb|");
	check(HEAD "{\\*\\annotation N}}", "\nN\n|");
	check(HEAD "\\unknownword123 x\\averyveryverylongwordindeed y}", "xy|");
}

static void faults_are_told(void **state)
{
	char *deep = malloc(20002);

	(void)state;
	assert_non_null(deep);
	check(HEAD "x", "!damagedx|");
	check(HEAD "x}\r\n\r\n", "x|");
	check(HEAD "x}y", "x!ambiguous|");
	check(HEAD "x{\\bin99999 }", "!damagedx|");
	check("{\\rtf1 {\\*\\objdata 00}x}", "!formatx|");
	memset(deep, '{', 20000);
	memcpy(deep, "{\\rtf", 5);
	deep[20000] = '\0';
	check(deep, "!depth");
	free(deep);
}

static void an_object_is_looked_into(void **state)
{
	static const char hex[] = "0105000002000000080000005061636b6167650000000000000000002600"
				  "00000200612e74787400633a5c61000000030005000000633a5c61000800"
				  "00005345435245542031";
	char rtf[1024];

	(void)state;
	(void)snprintf(rtf, sizeof rtf, HEAD "a{\\object{\\*\\objdata %s}{\\result b}}c}", hex);
	check(rtf, "a<a.txt>|SECRET 1|bc|");
}

static void nothing_is_read_when_nothing_is_wanted(void **state)
{
	struct kit kit;

	(void)state;
	kit_begin(&kit);
	kit.shallow = true;
	assert_string_equal(kit_look(&kit, HEAD "x", sizeof HEAD), "");
	assert_int_equal(kit.found.format, FORMAT_RTF);
	kit_end(&kit);
}

/* M2: time grows with the length, whatever stands in it. */
static void it_is_linear(void **state)
{
	static const char *const pieces[] = {"{", "{}", "\\u1?", "\\'8a", "\\f1\\f0\\'8a",
	    "{\\*\\x ", "\\bin0 ", "{\\fonttbl{\\f1\\fcharset128", "\\uc60000\\u1 ",
	    "{\\*\\objdata 00}", "\\"};
	size_t len = (size_t)2 * 1024 * 1024;
	char *rtf = malloc(len);

	(void)state;
	assert_non_null(rtf);
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		size_t n = strlen(pieces[i]), at = sizeof HEAD - 1;
		clock_t begun = clock();
		struct kit kit;

		memcpy(rtf, HEAD, at);
		for (; at + n <= len; at += n)
			memcpy(rtf + at, pieces[i], n);
		kit_begin(&kit);
		(void)kit_look(&kit, rtf, at);
		kit_end(&kit);
		assert_true(clock() - begun < 5 * CLOCKS_PER_SEC);
	}
	free(rtf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bytes_are_letters_of_their_font),
	    cmocka_unit_test(unicode_has_something_behind_it),
	    cmocka_unit_test(signs_and_words_that_are_letters),
	    cmocka_unit_test(what_is_not_text),
	    cmocka_unit_test(faults_are_told),
	    cmocka_unit_test(an_object_is_looked_into),
	    cmocka_unit_test(nothing_is_read_when_nothing_is_wanted),
	    cmocka_unit_test(it_is_linear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
