/* Mail addresses in texts, without what stands around them; message-ids and file names are none. */
#include "numbers_kit.h"

#define TARO "mail taro@example.co.jp"

static void test_written(void **state)
{
	static const struct text_case cases[] = {
	    {"taro@example.co.jp", TARO}, {"Taro@Example.CO.JP", TARO},
	    {"taro@example.co.jp.", TARO}, {"(taro@example.co.jp)", TARO},
	    {"<taro@example.co.jp>", TARO}, {"「taro@example.co.jp」まで", TARO},
	    {"連絡先taro@example.co.jpまで。", TARO}, {"mailto:taro@example.co.jp?subject=x", TARO},
	    {"?m=taro@example.co.jp&x=1", TARO}, {"To=taro@example.co.jp", TARO},
	    {"taro@example.co.jp,hanako@example.jp", TARO " mail hanako@example.jp"},
	    {"a_b.c-d+e%f@example.jp", "mail a_b.c-d+e%f@example.jp"},
	    {"<o'brien/x=1@example.jp>", "mail o'brien/x=1@example.jp"},
	    {"\"taro yamada\"@example.jp", "mail \"taro yamada\"@example.jp"},
	    {"...taro@example.co.jp...", TARO}, {"taro@xn--r8jz45g.jp", "mail taro@xn--r8jz45g.jp"},
	    {"taro@例え.jp", "mail taro@例え.jp"}, {"taro@mail.例え.jp", "mail taro@mail.例え.jp"},
	    {"docomo..x.@example.jp", "mail docomo..x.@example.jp"}, /* carriers gave such out */
	};

	(void)state;
	check_all(cases, COUNT_OF(cases), 1U << DETECT_MAIL);
}

static void test_none(void **state)
{
	static const struct text_case cases[] = {
	    {"@", ""},
	    {"a@", ""},
	    {"@example.jp", ""},
	    {"a@b", ""},
	    {"taro@example", ""},
	    {"taro@192.168.0.1", ""},
	    {"icon@2x.png", ""},
	    {"getty@tty1.service", ""},
	    {"package@1.2.3", ""},
	    {"taro @example.jp", ""},
	    {"taro@ example.jp", ""},
	    {"ssh://git@host.example/x", ""},
	    {"https://user:secret@host.example/x", ""},
	    {"Message-ID: <20261122093015.ABCDEF@mail.example.jp>", ""},
	    {"References: <a@example.jp>\n <b@example.jp>\n", ""},
	    {"<0196c0ffee4f2c1d8a31b7e09c55d210@mail.example.jp>", ""},
	    {"<img src=\"cid:part1@example.jp\">", ""},
	};

	(void)state;
	check_all(cases, COUNT_OF(cases), 1U << DETECT_MAIL);
}

/* The longest parts that RFC 5321 allows, and one more. */
static void test_lengths(void **state)
{
	char text[400];
	char expected[400];

	(void)state;
	for (int more = 0; more <= 1; more++) {
		int local = 64 + more;

		snprintf(text, sizeof(text), " %0*d@example.jp ", local, 1);
		snprintf(expected, sizeof(expected), "mail %0*d@example.jp", local, 1);
		assert_string_equal(
		    found(text, strlen(text), 1U << DETECT_MAIL), more == 0 ? expected : "");

		snprintf(text, sizeof(text), " a@%0*d.jp ", 63 + more, 1);
		snprintf(expected, sizeof(expected), "mail a@%0*d.jp", 63 + more, 1);
		assert_string_equal(
		    found(text, strlen(text), 1U << DETECT_MAIL), more == 0 ? expected : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_written),
	    cmocka_unit_test(test_none),
	    cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
