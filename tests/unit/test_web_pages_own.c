/* The pages about people: ways back, times and rules in words (lib/web/pages_kit.h, lib/web/pages_own.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/zone.h"
#include "lib/web/pages_kit.h"
#include "lib/web/pages_own.h"

/* ---- ways back ----------------------------------------------------------------------------- */

static void only_our_own_pages_are_ways_back(void **state)
{
	static const char *const own[] = {"/gate/", "/gate/m/?AQMA-_x",
	    "/gate/?state=held&page=2&q=%E3%81%82", "/gate/m/?id=01a208ee2d52d00c09eb1e859e408c83"};
	static const char *const foreign[] = {"", "/", "/gate", "//evil.example/gate/",
	    "https://evil.example/gate/", "/gate//evil.example", "/\\evil.example", "/gate/\\evil",
	    "/gate/\r\nSet-Cookie: a=b", "/gate/a b", "/gate/../x", "/gate/./x", "gate/", " /gate/",
	    "/gate/\xe3\x81\x82", "javascript:alert(1)", "/gate/<x>", "/gate/\"x"};
	char large[4096];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(own); i++)
		assert_true(kit_own_path(own[i]));
	for (size_t i = 0; i < COUNT_OF(foreign); i++)
		assert_false(kit_own_path(foreign[i]));
	assert_false(kit_own_path(NULL));
	memset(large, 'a', sizeof large);
	memcpy(large, "/gate/", 6);
	large[sizeof large - 1] = '\0';
	assert_false(kit_own_path(large));
}

/* ---- times --------------------------------------------------------------------------------- */

static void times_are_those_of_the_site(void **state)
{
	static const struct {
		const char *typed, *utc;
	} good[] = {
	    {"2026-11-23T18:00", "2026-11-23T09:00:00.000000Z"},
	    {"2026-11-23 18:00:30", "2026-11-23T09:00:30.000000Z"},
	    {"2026/01/01T08:59", "2025-12-31T23:59:00.000000Z"},
	    {"2028-02-29T09:00", "2028-02-29T00:00:00.000000Z"},
	};
	static const char *const bad[] = {"", "2026-11-23", "2026-11-23T", "2026-11-23T18:0",
	    "2026-11-23T24:00", "2026-02-29T09:00", "2026-13-01T09:00", "2026-00-01T09:00",
	    "2026-01-00T09:00", "2026-01-01T09:60", "2026-01-01T09:00Z", "2026-01-01T09:00 ",
	    "1969-01-01T09:00", "26-01-01T09:00", "2026-1-01T09:00", "tomorrow"};
	char utc[CLOCK_TEXT];

	(void)state;
	assert_true(zone_set("Asia/Tokyo"));
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		assert_true(kit_typed_time(good[i].typed, utc, sizeof utc));
		assert_string_equal(utc, good[i].utc);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(kit_typed_time(bad[i], utc, sizeof utc));
}

static void now_can_be_typed_back(void **state)
{
	char local[20], utc[CLOCK_TEXT];
	int64_t now = clock_wall(), then;

	(void)state;
	kit_now(local);
	assert_true(kit_typed_time(local, utc, sizeof utc));
	then = clock_parse(utc, strlen(utc));
	assert_true(then <= now + 60 * CLOCK_SECOND && then > now - 60 * CLOCK_SECOND);
}

/* ---- what people type ---------------------------------------------------------------------- */

/* A Japanese keyboard types digits of full width; blanks between them are nobody's mistake. */
static void digits_of_any_width_are_digits(void **state)
{
	static const char *const bad[] = {"12a4", "-1", "1,2", "\xef\xbc\x9a", "\xef\xbc",
	    "\xe3\x81\x82", "\xd9\xa1", "1234567890123"};
	char digits[KIT_PIN_MOST + 1];

	(void)state;
	assert_true(kit_digits("\xef\xbc\x91\xef\xbc\x92 3\xef\xbc\x99", digits, sizeof digits));
	assert_string_equal(digits, "1239");
	assert_true(kit_digits("", digits, sizeof digits));
	assert_string_equal(digits, "");
	assert_true(kit_digits("123456789012", digits, sizeof digits));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(kit_digits(bad[i], digits, sizeof digits));
}

static void a_page_has_a_number(void **state)
{
	static const struct {
		const char *typed, *number;
	} cases[] = {{"1", "1"}, {"17", "17"}, {"999999", "999999"}, {"1000000", "1"}, {"0", "1"},
	    {"-1", "1"}, {"x", "1"}, {"2x", "1"}, {"", "1"}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		static struct web_request request;
		struct page page = {.request = &request};

		request.query = (struct web_words){.word = {{"page", cases[i].typed}}, .n = 1};
		assert_string_equal(kit_page_number(&page), cases[i].number);
	}
}

/* Each code of seki-login's `proof`, and that none was typed, is said in its own words. */
static void why_a_pin_does_not_do_is_said(void **state)
{
	static const struct {
		const char *code, *title;
	} cases[] = {{"wrong", "The PIN is not right"}, {"none", "You have no PIN yet"},
	    {"capped", "Too many wrong PINs"}, {"later", "The PIN cannot be checked just now"},
	    {"needed", "Please type your PIN"}, {"words", "The PIN is not right"}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct kit_fault fault = kit_pin_fault(cases[i].code);

		assert_string_equal(fault.title, cases[i].title);
		assert_true(fault.sentence[0] != '\0');
	}
}

/* ---- words --------------------------------------------------------------------------------- */

static void a_hole_is_filled_once_and_as_it_is(void **state)
{
	json_t *object = json_object();

	(void)state;
	kit_fill(object, "a", "to {value}.", "<b>{value}%s");
	assert_string_equal(kit_text(object, "a"), "to <b>{value}%s.");
	kit_fill(object, "a", "nothing", "x");
	assert_string_equal(kit_text(object, "a"), "nothing");
	json_decref(object);
}

static void says(const char *fields, const char *wanted)
{
	json_t *rule = json_loads(fields, 0, NULL), *object = json_object();

	assert_non_null(rule);
	own_do(object, "do", rule);
	assert_string_equal(kit_text(object, "do"), wanted);
	json_decref(object);
	json_decref(rule);
}

static void what_a_rule_does_is_told_in_words(void **state)
{
	(void)state;
	says("{\"do\": \"hold\", \"do-time\": \"30m\"}", "Hold it for 30 minutes");
	says("{\"do\": \"hold\", \"do-time\": \"60m\"}", "Hold it for 1 hour");
	says("{\"do\": \"hold\", \"do-time\": \"3600s\"}", "Hold it for 1 hour");
	says("{\"do\": \"hold\", \"do-time\": \"45m\"}", "Hold it for, or until: 45m");
	says("{\"do\": \"hold\", \"do-time\": \"confirmed\"}", "Hold it until I have confirmed it");
	says("{\"do\": \"stagger\", \"do-time\": \"60m\"}", "Send it 1 hour later than to others");
	says("{\"do\": \"approve\", \"do-who\": \"a@x.example\"}",
	    "Ask for the approval of: a@x.example");
	says("{\"do\": \"archive\"}", "Keep it in the archive");
	says("{\"do\": \"files\", \"do-files\": \"zip aes\"}", "Attachments: zip aes");
	says("{\"do\": \"never-heard-of\"}", "never-heard-of: ");
}

static void when_a_rule_holds_is_told_in_words(void **state)
{
	json_t *rule =
	    json_loads("{\"when-visible\": \"10\", \"when-to\": \"@a.example,external\", "
		       "\"when-attachment\": \"open\","
		       " \"when-class\": \"external\", \"when-subject\": \"\", \"do\": \"hold\"}",
		0, NULL);
	static const char *const wanted[] = {"The recipient is: @a.example, somebody outside",
	    "There is an attachment that is not encrypted.",
	    "Number of addresses in To and Cc, at least: 10",
	    "Only addresses outside are counted."};
	json_t *list;

	(void)state;
	assert_non_null(rule);
	list = own_when(rule);
	assert_int_equal(json_array_size(list), COUNT_OF(wanted));
	for (size_t i = 0; i < COUNT_OF(wanted); i++)
		assert_string_equal(kit_text(json_array_get(list, i), "text"), wanted[i]);
	json_decref(list);
	json_decref(rule);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_our_own_pages_are_ways_back),
	    cmocka_unit_test(times_are_those_of_the_site),
	    cmocka_unit_test(now_can_be_typed_back),
	    cmocka_unit_test(digits_of_any_width_are_digits),
	    cmocka_unit_test(a_page_has_a_number),
	    cmocka_unit_test(why_a_pin_does_not_do_is_said),
	    cmocka_unit_test(a_hole_is_filled_once_and_as_it_is),
	    cmocka_unit_test(what_a_rule_does_is_told_in_words),
	    cmocka_unit_test(when_a_rule_holds_is_told_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
