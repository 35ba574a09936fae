/*
 * Rule tests, etc/policy/tests/NAME.test: messages with the outcome that the rules are to give them
 * (sekisho-policy-tests(5)). They ask nobody but an inspector of their own: what has happened before
 * stands in the test.
 */
#ifndef SEKISHO_SHELL_RULE_TESTS_H
#define SEKISHO_SHELL_RULE_TESTS_H

#include "lib/base/conf.h"
#include "lib/policy/set.h"

#define RULE_TESTS_FOLDER "policy/tests" /* below etc/ */
#define RULE_TESTS_MAX    ((size_t)10000)
#define RULE_TEST_RCPTS   ((size_t)1000)
#define RULE_TEST_BYTES   ((size_t)16 * 1024 * 1024) /* of one file */

struct rule_tests_count {
	size_t passed, failed;
	unsigned char
	    red[(RULE_TESTS_MAX + 7) / 8]; /* which ones failed, in the order of files and tests */
};

/* Whether each test that failed in `a` failed in `b`, too; both ran the same ones. */
NODISCARD bool rule_tests_within(
    const struct rule_tests_count *a, const struct rule_tests_count *b);

/*
 * Runs all of them against an opened generation. Works in the instance's directory, the current one;
 * `etc` is its etc/, or what stands in the place of it. What fails is printed on standard error, as
 * FILE:LINE: with what was expected, what came and which rule decided it.
 *
 * EXIT_FINE: all are green, or there are none. EXIT_NO: one is red. EXIT_CONFIG: a file is none that
 * can be read as tests. EXIT_ENVIRON: they could not be run. `count` (or NULL) gets how many.
 */
NODISCARD int rule_tests_run(int etc, const struct policy *policy, struct rule_tests_count *count);

#endif
