/* Reading files of rule tests, sekisho-policy-tests(5) (S2-38: rules are tried before they are in force). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/zone.h"
#include "lib/rules/rule.h"
#include "lib/shell/rule_tests.h"
#include "lib/shell/rule_tests_read.h"

/* The tests as they were read, in one text. */
struct seen {
	char text[8192];
	size_t used;
	size_t stop; /* after so many; 0: never */
	size_t tests;
};

static void PRINTF_LIKE(2, 3) add(struct seen *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	s->used += (size_t)vsnprintf(s->text + s->used, sizeof s->text - s->used, format, args);
	va_end(args);
	assert_true(s->used < sizeof s->text);
}

static bool see(void *context, const struct rule_test *t)
{
	static const char *const kinds[] = {"refused", "passed", "action", "nothing"};
	struct seen *s = context;

	add(s, "%s:%u from=%s", t->name, t->line, t->from != NULL ? t->from : "?");
	for (size_t i = 0; i < t->all.n; i++)
		add(s, " %s", t->all.address[i]);
	if (t->inlined)
		add(s, " {%.*s}", (int)t->message.len, t->message.bytes);
	if (t->message_file != NULL)
		add(s, " file=%s", t->message_file);
	for (size_t i = 0; i < t->expects; i++) {
		const struct rule_test_expect *e = &t->expect[i];

		add(s, " [%u %s %s %d %s%s%s%s%s]", e->line, kinds[e->kind],
		    e->rcpt != NULL ? e->rcpt : "all", e->function, e->would ? "would " : "",
		    e->action != NULL ? e->action : "", e->rule != NULL ? " rule=" : "",
		    e->rule != NULL ? e->rule : "", "");
	}
	add(s, "|");
	return ++s->tests != s->stop;
}

static const char *read_text(const char *text)
{
	static struct seen s;
	struct conf_fault fault;
	char *exact = malloc(strlen(text));

	/* Without its NUL: a sanitizer sees every step too far. */
	assert_non_null(exact);
	memcpy(exact, text, strlen(text));
	s = (struct seen){.used = 0};
	if (!rule_tests_read(exact, strlen(text), "a.test", see, &s, &fault))
		(void)conf_fault_show(&fault, s.text, sizeof s.text);
	free(exact);
	return s.text;
}

static void tests(void **state)
{
	char want[256];

	(void)state;
	assert_string_equal(read_text("# nothing\n\n"), "");
	(void)snprintf(want, sizeof want,
	    "a:1 from=a@b c@d e@f g@h [4 action c@d %d 60m rule=x] [5 refused all -1 no files]|",
	    FUNCTION_HOLD);
	assert_string_equal(
	    read_text("test a\n\tfrom a@b\n\tto c@d, e@f g@h # three\n"
		      "\texpect c@d hold 60m rule x\n\texpect refused \"no files\"\n"),
	    want);
	(void)snprintf(want, sizeof want, "a:1 from= c@d [4 nothing all %d ] [5 nothing all -1 ]|",
	    FUNCTION_FILES);
	assert_string_equal(read_text("test a\n from <>\n to c@d\n expect all files nothing\n"
				      " expect all nothing\n"),
	    want);
	(void)snprintf(want, sizeof want,
	    "a:1 from=? file=m.eml [3 action c@d %d would zip aes] [4 action c@d %d boss]|",
	    FUNCTION_FILES, FUNCTION_ADD_BCC);
	assert_string_equal(read_text("test a\n message m.eml\n expect c@d would zip aes\n"
				      " expect c@d add bcc boss\n"),
	    want);
}

static void messages(void **state)
{
	(void)state;
	assert_string_equal(
	    read_text("test a\n message\n  From: x\n   folded\n\n  # no comment\n\n\n"
		      " expect passed\ntest b\n from a@b\n to c@d\n expect passed\n"),
	    "a:1 from=? {From: x\r\n folded\r\n\r\n# no comment\r\n} [9 passed all -1 ]|"
	    "b:10 from=a@b c@d [13 passed all -1 ]|");
	/* A header alone gets its empty line. */
	assert_string_equal(read_text("test a\n message\n  From: x\n expect passed\n"),
	    "a:1 from=? {From: x\r\n\r\n} [4 passed all -1 ]|");
}

/* FILE:LINE:COLUMN, what was expected, and the near word. */
static void faults(void **state)
{
	static const struct {
		const char *text, *fault;
	} cases[] = {
	    {" from a@b\n",
		"a.test:1:2: \"test\" and its name are expected before this, not indented"},
	    {"tests a\n",
		"a.test:1:1: \"test\" and its name are expected; what belongs to a test is "
		"indented"},
	    {"test\n", "a.test:1:1: a test has a name of one word"},
	    {"test a\n form a@b\n",
		"a.test:2:2: no line of a test begins with \"form\"; near: from"},
	    {"test a\n from ab\n", "a.test:2:7: an address or <> is expected"},
	    {"test a\n from a@b\n from a@b\n", "a.test:3:2: \"from\" is there twice"},
	    {"test a\n from a@b c@d\n", "a.test:2:11: nothing more is expected behind \"from\""},
	    {"test a\n to\n", "a.test:2:2: \"to\" of what? Something is expected behind it"},
	    {"test a\n at 2026-11-31 10:00\n",
		"a.test:2:5: a time is expected, such as 2026-11-22 18:59:59"},
	    {"test a\n message ../x\n",
		"a.test:2:10: the name of a file beside this one is expected"},
	    {"test a\n message\n from a@b\n", "a.test:2:2: the name of a file, or the message "
					      "itself indented below, is expected"},
	    {"test a\n message\n    a\n   b\n",
		"a.test:4:4: indented less than the message's first line"},
	    {"test a\n expect c@d hld 60m\n", "a.test:2:13: \"hld\" begins no action; near: hold"},
	    {"test a\n expect bob hold\n",
		"a.test:2:9: \"refused\", \"passed\", \"all\" or a recipient is expected"},
	    {"test a\n expect c@d\n",
		"a.test:2:9: an action or \"nothing\" is expected behind this"},
	    {"test a\n expect passed x\n",
		"a.test:2:16: nothing more is expected here; the reason stands in quotes"},
	    {"test a\n subject \"x\n", "a.test:2:10: a closing quote is missing"},
	    {"test a\n from a@b\n to c@d\n",
		"a.test:1: test \"a\" expects nothing: no line \"expect\""},
	    {"test a\n from a@b\n expect passed\n", "a.test:1: test \"a\" needs the lines \"from\" "
						    "and \"to\", or a message that has them"},
	    {"test a\n message m\n subject x\n expect passed\n",
		"a.test:1: test \"a\" has a message: \"subject\", \"text\" and \"attach\" are for "
		"one "
		"without"},
	    {"test a",
		"a.test:1: the last line does not end in a newline: is the file half-written?"},
	    {"test a\r\n",
		"a.test:1:7: a carriage return: lines end in a newline alone, save the file so"},
	    {"test \x01\n", "a.test:1:6: a control character (byte 0x01)"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_string_equal(read_text(cases[i].text), cases[i].fault);
}

static void stopped(void **state)
{
	static const char text[] = "test a\n from a@b\n to c@d\n expect passed\n"
				   "test b\n from a@b\n to c@d\n expect passed\n";
	struct seen s = {.stop = 1};
	struct conf_fault fault;

	(void)state;
	assert_false(rule_tests_read(text, sizeof text - 1, "a.test", see, &s, &fault));
	assert_string_equal(fault.text, "");
	assert_int_equal(s.tests, 1);
	/* Only read through. */
	assert_true(rule_tests_read(text, sizeof text - 1, "a.test", NULL, NULL, &fault));
}

static void bare(void **state)
{
	(void)state;
	assert_string_equal(rule_test_bare(FUNCTION_HOLD, "hold 60m"), "60m");
	assert_string_equal(rule_test_bare(FUNCTION_HOLD, "60m"), "60m");
	assert_string_equal(rule_test_bare(FUNCTION_HOLD, "hold"), "");
	assert_string_equal(rule_test_bare(FUNCTION_HOLD, "holder"), "holder");
	assert_string_equal(rule_test_bare(FUNCTION_FILES, "zip twice"), "zip twice");
	assert_string_equal(rule_test_bare(FUNCTION_ADD_BCC, "add bcc boss"), "boss");
	assert_string_equal(rule_test_bare(FUNCTION_ADD_BCC, "bcc boss"), "boss");
	assert_string_equal(rule_test_bare(FUNCTION_FORWARD, "forward refused a@b"), "a@b");
	assert_string_equal(rule_test_bare(FUNCTION_FORWARD, "refused a@b"), "a@b");
}

/* One that is mended does not make up for one that is broken. */
static void within(void **state)
{
	struct rule_tests_count before = {.passed = 8, .failed = 2, .red = {1u << 3, 1u << 1}};
	struct rule_tests_count after = {.passed = 9, .failed = 1, .red = {1u << 3}};

	(void)state;
	assert_true(rule_tests_within(&before, &before));
	assert_true(rule_tests_within(&after, &before));
	assert_false(rule_tests_within(&before, &after));
	after.red[0] = 1u << 4;
	assert_false(rule_tests_within(&after, &before));
	after = (struct rule_tests_count){.passed = 10};
	assert_true(rule_tests_within(&after, &before));
	after.passed = 9;
	assert_false(rule_tests_within(&after, &before));
}

int main(void)
{
	const struct CMUnitTest all[] = {
	    cmocka_unit_test(tests),
	    cmocka_unit_test(messages),
	    cmocka_unit_test(faults),
	    cmocka_unit_test(stopped),
	    cmocka_unit_test(bare),
	    cmocka_unit_test(within),
	};

	assert_true(zone_set("Asia/Tokyo"));
	return cmocka_run_group_tests(all, NULL, NULL);
}
