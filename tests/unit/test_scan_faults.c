/* How long seki-scan waits behind a fault that is not the message's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/scan/faults.h"

#define SECOND INT64_C(1000000)

static const int64_t pauses[] = {5, 10, 20, 40, 60, 60, 60};

static struct leg_name leg(unsigned n)
{
	struct leg_name name = {.k = "1"};

	(void)snprintf(name.id, sizeof name.id, "%032x", n);
	return name;
}

static void everybody_pauses_longer_and_longer(void **state)
{
	struct faults f = {.next = 0};
	int64_t now = 0;

	(void)state;
	assert_int_equal(faults_left(&f, now), 0);
	for (size_t i = 0; i < COUNT_OF(pauses); i++) {
		faults_pause(&f, now);
		assert_int_equal(faults_left(&f, now), pauses[i] * SECOND);
		/* Those that had begun before. */
		faults_pause(&f, now + 1);
		assert_int_equal(faults_left(&f, now), pauses[i] * SECOND);
		now += pauses[i] * SECOND;
		assert_int_equal(faults_left(&f, now - 1), 1);
		assert_int_equal(faults_left(&f, now), 0);
	}
}

static void an_answer_ends_it(void **state)
{
	struct faults f = {.next = 0};

	(void)state;
	faults_pause(&f, 0);
	faults_over(&f);
	assert_int_equal(faults_left(&f, 1), 0);
	faults_pause(&f, 2);
	assert_int_equal(faults_left(&f, 2), 5 * SECOND);
}

static void each_leg_has_its_own(void **state)
{
	struct faults f = {.next = 0};
	struct leg_name a = leg(1), b = leg(2), child = leg(1);

	(void)state;
	(void)stpcpy(child.k, "1.1");
	for (size_t i = 0; i < COUNT_OF(pauses); i++)
		assert_int_equal(faults_leg_pause(&f, &a), pauses[i] * SECOND);
	assert_int_equal(faults_leg_pause(&f, &b), 5 * SECOND);
	assert_int_equal(faults_leg_pause(&f, &child), 5 * SECOND);
	assert_int_equal(faults_left(&f, 0), 0);
	faults_leg_over(&f, &a);
	assert_int_equal(faults_leg_pause(&f, &a), 5 * SECOND);
	assert_int_equal(faults_leg_pause(&f, &b), 10 * SECOND);
}

/* In a row: what was inspected in between begins anew. */
static void killed_three_times(void **state)
{
	struct faults f = {.next = 0};
	struct leg_name a = leg(1), b = leg(2);

	(void)state;
	assert_int_equal(faults_leg_killed(&f, &a), 1);
	assert_int_equal(faults_leg_killed(&f, &b), 1);
	assert_int_equal(faults_leg_pause(&f, &a), 5 * SECOND);
	assert_int_equal(faults_leg_killed(&f, &a), 2);
	faults_leg_over(&f, &a);
	assert_int_equal(faults_leg_killed(&f, &a), 1);
	assert_int_equal(faults_leg_killed(&f, &a), 2);
	assert_int_equal(faults_leg_killed(&f, &a), FAULTS_KILLED);
	assert_int_equal(faults_leg_killed(&f, &b), 2);
}

/* Bounded: the oldest are forgotten, the newest are not. */
static void more_legs_than_are_remembered(void **state)
{
	struct faults f = {.next = 0};

	(void)state;
	for (unsigned n = 0; n < FAULTS_LEGS + 10; n++) {
		struct leg_name name = leg(n + 1);

		assert_int_equal(faults_leg_killed(&f, &name), 1);
	}
	for (unsigned n = 10; n < FAULTS_LEGS + 10; n++) {
		struct leg_name name = leg(n + 1);

		assert_int_equal(faults_leg_killed(&f, &name), 2);
	}
	for (unsigned n = 0; n < 10; n++) {
		struct leg_name name = leg(n + 1);

		assert_int_equal(faults_leg_killed(&f, &name), 1);
	}
}

static void one_alarm_a_minute_of_each_kind(void **state)
{
	struct faults f = {.next = 0};

	(void)state;
	assert_true(faults_tell(&f, HEARD_UNREACHABLE, 0));
	assert_true(faults_tell(&f, HEARD_SCRATCH, 1));
	assert_false(faults_tell(&f, HEARD_UNREACHABLE, 60 * SECOND - 1));
	assert_true(faults_tell(&f, HEARD_UNREACHABLE, 60 * SECOND));
	assert_false(faults_tell(&f, HEARD_UNREACHABLE, 119 * SECOND));
	assert_true(faults_tell(&f, HEARD_KILLED, 119 * SECOND));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(everybody_pauses_longer_and_longer),
	    cmocka_unit_test(an_answer_ends_it),
	    cmocka_unit_test(each_leg_has_its_own),
	    cmocka_unit_test(killed_three_times),
	    cmocka_unit_test(more_legs_than_are_remembered),
	    cmocka_unit_test(one_alarm_a_minute_of_each_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
