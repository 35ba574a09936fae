/* What an employer may ask of seki-inspect, and how (lib/inspect/protocol.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/inspect/protocol.h"

static bool reads(struct ask *ask, const char *text)
{
	char fault[256] = "";
	bool good = ask_read(ask, text, strlen(text), fault, sizeof fault);

	if (good == (fault[0] != '\0'))
		fail_msg("%s: %s", text, fault[0] != '\0' ? fault : "no fault told");
	return good;
}

static void test_nothing_is_wanted_at_first(void **state)
{
	struct settings settings;
	struct ask ask;

	(void)state;
	settings_default(&settings);
	ask_init(&ask);
	assert_int_equal(ask.want | ask.kinds, 0);
	assert_false(ask.unquoted || ask.unmask || ask.complete);
	assert_int_equal(ask.lists + ask.words + ask.regexes + ask.owns, 0);
	assert_int_equal(ask.evidence, settings.inspect_evidence);
#define L(field, name) assert_int_equal(ask.limits.field, settings.field);
	INSPECT_LIMITS(L)
#undef L
	ask_free(&ask);
}

static void test_every_line(void **state)
{
	struct ask ask;

	(void)state;
	ask_init(&ask);
#define W(name, word)                                                                              \
	assert_int_equal(ask.want &(1u << WANT_##name), 0);                                        \
	assert_true(reads(&ask, "want " word "\n"));                                               \
	assert_int_not_equal(ask.want &(1u << WANT_##name), 0);
	INSPECT_WANTS(W)
#undef W
#define K(name, word)                                                                              \
	assert_int_equal(ask.kinds &(1u << DETECT_##name), 0);                                     \
	assert_true(reads(&ask, "pii " word "\n"));                                                \
	assert_int_not_equal(ask.kinds &(1u << DETECT_##name), 0);
	DETECT_KINDS(K)
#undef K
#define L(field, name)                                                                             \
	assert_true(reads(&ask, "limit " name " 1234567\n"));                                      \
	assert_int_equal(ask.limits.field, 1234567);
	INSPECT_LIMITS(L)
#undef L
	assert_true(
	    reads(&ask, "evidence 7\nunquoted\nunmask\nlist a\nlist b-2\nown example.co.jp\n"
			"word a+20b\nword +E8+A6+8B\nregex (a+2B)+2B$\n"
			"field X-Mailer\nfield X+2BA\n"));
	assert_int_equal(ask.evidence, 7);
	assert_true(ask.unquoted && ask.unmask);
	assert_int_equal(ask.lists, 2);
	assert_string_equal(ask.list[1], "b-2");
	assert_int_equal(ask.owns, 1);
	assert_string_equal(ask.own[0], "example.co.jp");
	assert_int_equal(ask.words, 2);
	assert_string_equal(ask.word[0], "a b");
	assert_string_equal(ask.word[1], "見");
	assert_int_equal(ask.regexes, 1);
	assert_string_equal(ask.regex[0], "(a+)+$");
	assert_int_equal(ask.fields, 2);
	assert_string_equal(ask.field[0], "X-Mailer");
	assert_string_equal(ask.field[1], "X+A");
	assert_false(ask.complete);
	assert_true(reads(&ask, "go\n"));
	assert_true(ask.complete);
	ask_free(&ask);
	assert_int_equal(ask.words + ask.blocks, 0);
}

static void test_what_is_no_question(void **state)
{
	static const char *const wrong[] = {"x\n", "want\n", "want \n", "want all\n",
	    "WANT files\n", "pii\n", "pii cards\n", "limit\n", "limit time\n", "limit time \n",
	    "limit time x\n", "limit time 1x\n", "limit time -1\n",
	    "limit time 99999999999999999999\n", "limit x 1\n", "evidence\n", "evidence x\n",
	    "evidence -1\n", "word\n", "word \n", "word +\n", "word +0\n", "word +00\n",
	    "word a+00b\n", "word +zz\n", "regex \n", "field\n", "field \n", "field X:\n",
	    "field +E8+A6+8B\n", "field a+20b\n", "field a+0Ab\n", "field a+7Fb\n", "gone\n",
	    "go on\n", "unmasked\n", "list\n"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct ask ask;

		ask_init(&ask);
		if (reads(&ask, wrong[i]))
			fail_msg("understood: %s", wrong[i]);
		ask_free(&ask);
	}
}

/* Several packets, each of whole lines; the words of the first ones stay where they are. */
static void test_many_packets(void **state)
{
	char text[64];
	struct ask ask;

	(void)state;
	ask_init(&ask);
	for (int i = 0; i < 3000; i++) {
		(void)snprintf(text, sizeof text, "word w%d\nlist l%d\n", i, i);
		assert_true(reads(&ask, text));
	}
	assert_int_equal(ask.words, 3000);
	for (int i = 0; i < 3000; i++) {
		(void)snprintf(text, sizeof text, "w%d", i);
		assert_string_equal(ask.word[i], text);
		text[0] = 'l';
		assert_string_equal(ask.list[i], text);
	}
	ask_free(&ask);
}

static void test_it_is_bounded(void **state)
{
	size_t len = 65536;
	char *text = malloc(len + 1);
	char fault[128];
	struct ask ask;
	size_t taken = 0, regexes = 0, fields = 0;

	(void)state;
	assert_non_null(text);
	memset(text, 'a', len);
	memcpy(text, "word ", 5);
	text[len - 1] = '\n';
	text[len] = '\0';
	ask_init(&ask);
	while (ask_read(&ask, text, len, fault, sizeof fault))
		taken += len;
	assert_true(taken <= ASK_TEXT_MAX && taken + len > ASK_TEXT_MAX);
	ask_free(&ask);
	free(text);

	ask_init(&ask);
	while (ask_read(&ask, "regex a\n", 8, fault, sizeof fault))
		regexes++;
	assert_int_equal(regexes, ASK_REGEXES_MAX);
	while (ask_read(&ask, "field a\n", 8, fault, sizeof fault))
		fields++;
	assert_int_equal(fields, ASK_FIELDS_MAX);
	ask_free(&ask);
}

static bool order(const char *lines, struct inspect_order *into)
{
	char text[2048];

	(void)snprintf(text, sizeof text, "%s", lines);
	return inspect_order_read(into, text);
}

static void test_orders(void **state)
{
	struct inspect_order o;

	(void)state;
	assert_true(order("content 170 5000000000\n", &o));
	assert_int_equal(o.offset, 170);
	assert_true(o.size == UINT64_C(5000000000));
	assert_false(o.has_from);
	assert_string_equal(o.view, "");
	assert_true(order("view 2.1a\nfrom a+2Bb@x\ncontent 0 0\n", &o));
	assert_true(o.has_from);
	assert_string_equal(o.from, "a+b@x");
	assert_string_equal(o.view, "2.1a");
	assert_true(order("content 0 1\nfrom \n", &o)); /* the empty reverse-path */
	assert_true(o.has_from);
	assert_string_equal(o.from, "");
}

static void test_what_is_no_order(void **state)
{
	static const char *const wrong[] = {"", "from a\n", "content\n", "content 1\n",
	    "content x y\n", "content 1 2x\n", "content 1 2 3\n", "content -1 5\n",
	    "content 0 -1\n", "content 99999999999999999999 1\n",
	    "content 0 99999999999999999999\n", "content 0 9223372036854775807\n",
	    "content 0 1\nfrom +\n", "content 0 1\nx\n", "content 0 1\nfrom +0\n"};
	struct inspect_order o;
	char lines[2048];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		if (order(wrong[i], &o))
			fail_msg("an order: %s", wrong[i]);
	}
	(void)snprintf(lines, sizeof lines, "content 0 1\nfrom %0600d\n", 1);
	assert_false(order(lines, &o));
	(void)snprintf(lines, sizeof lines, "content 0 1\nview %0300d\n", 1);
	assert_false(order(lines, &o));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing_is_wanted_at_first),
	    cmocka_unit_test(test_every_line),
	    cmocka_unit_test(test_what_is_no_question),
	    cmocka_unit_test(test_many_packets),
	    cmocka_unit_test(test_it_is_bounded),
	    cmocka_unit_test(test_orders),
	    cmocka_unit_test(test_what_is_no_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
