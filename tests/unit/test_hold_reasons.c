/* The words by which programs are told why something is not done: each stands in sekisho-gate(5) (S0-11). */
#include "tests/unit/queue_kit.h"

#include "lib/hold/reasons.h"

static struct kit_bytes manual;

/* The table of the page, line by line, in the order of the reasons. */
static void S0_11_the_page_has_each_reason(void **state)
{
	const char *at = strstr(manual.at, "\n.Ss Reasons\n");

	(void)state;
	assert_non_null(at);
	at = strstr(at, "\n.It ");
	assert_non_null(at);
	at++;
	for (enum act_reason reason = 0; reason < REASON_COUNT; reason++) {
		char line[512];
		int len = snprintf(line, sizeof line, ".It Li %s Ta %s\n", reason_word(reason),
		    reason_sentence(reason));

		if (strncmp(at, line, (size_t)len) != 0)
			fail_msg("sekisho-gate(5) should have %s but has %.80s", line, at);
		at += len;
	}
	assert_memory_equal(at, ".El\n", 4);
}

static void words_are_words(void **state)
{
	(void)state;
	for (enum act_reason a = 0; a < REASON_COUNT; a++) {
		const char *word = reason_word(a);

		assert_int_equal(strspn(word, "abcdefghijklmnopqrstuvwxyz-"), strlen(word));
		assert_true(word[0] != '\0' && strlen(reason_sentence(a)) < 120);
		for (enum act_reason b = 0; b < a; b++)
			assert_string_not_equal(word, reason_word(b));
	}
}

static void more_may_be_said(void **state)
{
	struct order_answer no = reason_no(REASON_WINDOW, ": it leaves at noon");

	(void)state;
	assert_int_equal(no.result, ORDER_NO);
	assert_string_equal(no.code, "window");
	assert_string_equal(no.why, "mail may not leave at this time of day: it leaves at noon");
	assert_false(no.busy);
	assert_true(reason_no(REASON_BUSY, "").busy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(S0_11_the_page_has_each_reason),
	    cmocka_unit_test(words_are_words),
	    cmocka_unit_test(more_may_be_said),
	};

	manual = kit_file("man/sekisho-gate.5");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
