/* O, S8: what a session process says of recipients; it may have been taken over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/xtext.h"
#include "lib/deliver/verdict.h"

#define OK "phase=dot code=250 status=2.0.0 reply=250+20ok"

/* In memory that ends with the last byte: whoever reads on is caught by a sanitizer. */
static char *exactly(const char *text)
{
	size_t len = strlen(text);
	char *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	memcpy(copy, text, len);
	return copy;
}

static bool read_text(const char *text, struct verdict *v)
{
	char *copy = exactly(text);
	bool fine = verdict_read(copy, strlen(text), v);

	free(copy);
	return fine;
}

/* ---- an outcome --------------------------------------------------------------------------- */

static void test_o_every_class_and_phase_is_read(void **state)
{
	struct verdict v;
	char text[256];

	(void)state;
	for (int c = REMOTE_DELIVERED; c <= REMOTE_UNTRIED; c++) {
		for (int p = PHASE_CONNECT; p <= PHASE_LOCAL; p++) {
			(void)snprintf(text, sizeof text,
			    "rcpt=1 %s phase=%s code=421 status=4.10.999 reply=421+20late",
			    remote_class_word((enum remote_class)c),
			    remote_phase_word((enum remote_phase)p));
			assert_true(read_text(text, &v));
			assert_int_equal(v.class, c);
			assert_int_equal(v.phase, p);
			assert_int_equal(v.code, 421);
			assert_string_equal(v.status, "4.10.999");
			assert_string_equal(v.reply, "421+20late");
		}
	}
}

static void test_o_words_stand_in_any_order(void **state)
{
	struct verdict v;

	(void)state;
	assert_true(read_text("reply=- status=5.1.1 code=000 phase=local rcpt=2 refused", &v));
	assert_int_equal(v.class, REMOTE_REFUSED);
	assert_int_equal(v.code, 0);
	assert_true(read_text("delivered reply= phase=dot code=250 status=2.0.0", &v));
	assert_string_equal(v.reply, "");
}

static void test_s8_what_is_no_outcome_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    " ",
	    OK,
	    "taken " OK,
	    "delivere " OK,
	    "delivered2 " OK,
	    "Delivered " OK,
	    "delivered phase= code=250 status=2.0.0 reply=x",
	    "delivered phase=dots code=250 status=2.0.0 reply=x",
	    "delivered code=250 status=2.0.0 reply=x",
	    "delivered phase=dot status=2.0.0 reply=x",
	    "delivered phase=dot code=25 status=2.0.0 reply=x",
	    "delivered phase=dot code=2500 status=2.0.0 reply=x",
	    "delivered phase=dot code=2x0 status=2.0.0 reply=x",
	    "delivered phase=dot code=-50 status=2.0.0 reply=x",
	    "delivered phase=dot code= status=2.0.0 reply=x",
	    "delivered phase=dot code=250 reply=x",
	    "delivered phase=dot code=250 status=2.0. reply=x",
	    "delivered phase=dot code=250 status=3.0.0x reply=x",
	    "delivered phase=dot code=250 status=3.0.0 reply=x",
	    "delivered phase=dot code=250 status=22.0.0 reply=x",
	    "delivered phase=dot code=250 status=2.000.00000 reply=x",
	    "delivered phase=dot code=250 status=2.... reply=x",
	    "delivered phase=dot code=250 status=2.0.0\n2 reply=x",
	    "delivered phase=dot code=250 status=2.0.0",
	    "delivered phase=dot code=250 status=2.0.0 reply=+2",
	    "delivered phase=dot code=250 status=2.0.0 reply=+0a",
	    "delivered phase=dot code=250 status=2.0.0 reply=a=b",
	    "delivered phase=dot code=250 status=2.0.0 reply=a\nb",
	    "delivered phase=dot code=250 status=2.0.0 reply=a\tb",
	    "delivered phase=dot code=250 status=2.0.0 reply=\xe3\x81\x82",
	};
	struct verdict v;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (read_text(bad[i], &v))
			fail_msg("taken for an outcome: %s", bad[i]);
	}
}

static void test_s8_a_reply_has_a_bound(void **state)
{
	char text[VERDICT_REPLY_MAX + 128];
	struct verdict v;
	size_t at;

	(void)state;
	at = (size_t)snprintf(text, sizeof text, "refused phase=rcpt code=550 status=5.1.1 reply=");
	memset(text + at, 'x', VERDICT_REPLY_MAX);
	text[at + VERDICT_REPLY_MAX] = '\0';
	assert_true(read_text(text, &v));
	assert_int_equal(strlen(v.reply), VERDICT_REPLY_MAX);
	memcpy(text + at + VERDICT_REPLY_MAX, "x", 2);
	assert_false(read_text(text, &v));
}

/* Digits that run to the end of what there is: a sanitizer tells of one byte too many. */
static void test_s8_nothing_is_read_behind_the_frame(void **state)
{
	struct verdict v;

	(void)state;
	assert_false(read_text("refused phase=rcpt status=5.1.1 code=550", &v));
	assert_false(read_text("refused phase=rcpt code=550 status=5.1.1", &v));
}

/* ---- made by ourselves -------------------------------------------------------------------- */

static void test_what_we_make_can_be_read(void **state)
{
	char text[VERDICT_REPLY_MAX + 128], plain[VERDICT_REPLY_MAX], long_text[2001];
	struct verdict made, v;
	size_t len;

	(void)state;
	memset(long_text, ' ', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	verdict_make(&made, REMOTE_DEFERRED, PHASE_LOCAL, "4.4.3", long_text);
	assert_true(xtext_decode(made.reply, strlen(made.reply), plain, &len));
	assert_int_equal(len, 1000);

	(void)snprintf(text, sizeof text, "deferred phase=local code=000 status=%s reply=%s",
	    made.status, made.reply);
	assert_true(read_text(text, &v));
	assert_int_equal(v.class, made.class);
	assert_int_equal(v.code, made.code);
	assert_string_equal(v.reply, made.reply);
}

/* ---- values ------------------------------------------------------------------------------- */

static void test_the_first_value_of_a_key_counts(void **state)
{
	static const char text[] = "R host=one xhost=two host=three tls=";
	const char *value;
	size_t n;

	(void)state;
	value = verdict_value(text, strlen(text), "host", &n);
	assert_int_equal(n, 3);
	assert_memory_equal(value, "one", 3);
	value = verdict_value(text, strlen(text), "tls", &n);
	assert_non_null(value);
	assert_int_equal(n, 0);
	assert_null(verdict_value(text, strlen(text), "hos", &n));
	assert_null(verdict_value(text, strlen(text), "R", &n));
	assert_null(verdict_value(text, 0, "host", &n));
}

/* ---- recipients --------------------------------------------------------------------------- */

#define MOST 10

struct called {
	size_t n, last;
	bool named[MOST];
};

static void note(void *context, size_t index)
{
	struct called *c = context;

	assert_true(index < MOST);
	assert_false(c->named[index]);
	c->named[index] = true;
	c->last = index;
	c->n++;
}

static bool read_list(const char *list, size_t most, struct called *c)
{
	char text[256], *copy;
	bool fine;

	*c = (struct called){.n = 0};
	(void)snprintf(text, sizeof text, "delivered rcpt=%s", list);
	copy = exactly(text);
	fine = verdict_rcpts(copy, strlen(text), most, note, c);
	free(copy);
	return fine;
}

static void test_recipients_are_named_in_order(void **state)
{
	struct called c;

	(void)state;
	assert_true(read_list("1", 1, &c));
	assert_int_equal(c.n, 1);
	assert_true(read_list("1-10", MOST, &c));
	assert_int_equal(c.n, 10);
	assert_true(read_list("1,3-5,10", MOST, &c));
	assert_int_equal(c.n, 5);
	assert_int_equal(c.last, 9);
	assert_false(c.named[1]);
}

/* Nobody beyond the batch is ever called for, and nobody twice: note() sees to it. */
static void test_s8_no_other_recipients_are_named(void **state)
{
	static const char *const bad[] = {"", "0", "11", "1-11", "0-3", "-3", "3-", "3-2", "2,2",
	    "1-3,3", "5,1", "1,,2", ",1", "1;2", "1-2-3", "a", "1a", "+1", "99999999",
	    "18446744073709551617", "1-18446744073709551617", "1,2x"};
	struct called c;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (read_list(bad[i], MOST, &c))
			fail_msg("taken for a list: %s", bad[i]);
	}
	assert_false(read_list("1", 0, &c));
	assert_int_equal(c.n, 0);
	assert_false(verdict_rcpts("delivered", 9, MOST, note, &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_o_every_class_and_phase_is_read),
	    cmocka_unit_test(test_o_words_stand_in_any_order),
	    cmocka_unit_test(test_s8_what_is_no_outcome_is_refused),
	    cmocka_unit_test(test_s8_a_reply_has_a_bound),
	    cmocka_unit_test(test_s8_nothing_is_read_behind_the_frame),
	    cmocka_unit_test(test_what_we_make_can_be_read),
	    cmocka_unit_test(test_the_first_value_of_a_key_counts),
	    cmocka_unit_test(test_recipients_are_named_in_order),
	    cmocka_unit_test(test_s8_no_other_recipients_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
