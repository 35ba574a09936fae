/* What seki-scan makes of facts, and which faults it waits out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/scan/heard.h"

static struct heard heard;

/* The facts belong to `heard`; end_of_it frees them. */
static struct heard hear(const char *lines, enum inspect_result result)
{
	assert_true(heard_begin(&heard));
	heard_lines(&heard, lines, strlen(lines));
	heard_end(&heard, result);
	return heard;
}

static int end_of_it(void **state)
{
	(void)state;
	heard_free(&heard);
	return 0;
}

/* S1-30, M3: each kind of fact that holds a message, and the first reason of each. */
static void the_first_reason_of_each(void **state)
{
	struct heard h = hear("part path=1 role=body\n"
			      "uninspectable part=2 reason=encrypted member=a+20b\n"
			      "ambiguous part=1 why=bare-cr\n"
			      "uninspectable part=3 reason=damaged\n"
			      "ambiguous part=3 why=names\n"
			      "virus verdict=found name=Eicar-1\n",
	    INSPECT_TOLD);

	(void)state;
	assert_true(facts_against(h.facts)->virus && facts_against(h.facts)->uninspectable &&
		    facts_against(h.facts)->ambiguous);
	assert_string_equal(facts_against(h.facts)->reason, "encrypted");
	assert_string_equal(facts_against(h.facts)->ambiguity, "bare-cr");
	assert_string_equal(facts_against(h.facts)->virus_name, "Eicar-1");
	assert_int_equal(h.fault, HEARD_FINE);
	assert_true(h.told);
}

static void nothing_against_it(void **state)
{
	struct heard h = hear("part path=1 role=body\nsubject text=uninspectable+20reason=x\n"
			      "virus verdict=clean name=\naddress-flag flag=ambiguous\n",
	    INSPECT_TOLD);

	(void)state;
	assert_false(facts_against(h.facts)->virus || facts_against(h.facts)->uninspectable ||
		     facts_against(h.facts)->ambiguous);
}

static void a_virus_scanner_that_says_nothing(void **state)
{
	struct heard h =
	    hear("part path=1\nvirus verdict=unknown name=x\nuninspectable part=0 reason=virus\n",
		INSPECT_TOLD);

	(void)state;
	assert_false(facts_against(h.facts)->virus);
	assert_true(facts_against(h.facts)->uninspectable);
	assert_string_equal(facts_against(h.facts)->reason, "virus");
}

/* A reason stands in a plan: what is no xtext, or too long, does not. */
static void odd_reasons(void **state)
{
	static const char *const lines[] = {"uninspectable part=1\n",
	    "uninspectable part=1 reason=\n", "uninspectable part=1 reason=a+2\n",
	    "uninspectable part=1 reason=a\tb\n",
	    "uninspectable part=1 reason=0123456789012345678901234567890123456789"
	    "0123456789012345678901234567890123456789\n"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		struct heard h = hear(lines[i], INSPECT_TOLD);

		assert_true(facts_against(h.facts)->uninspectable);
		assert_string_equal(facts_against(h.facts)->reason, "");
	}
}

#define END(reason) "uninspectable part=0 reason=" reason "\n"

/* Faults that are not the message's own; with and without a word about it before. */
static void faults(void **state)
{
	static const struct {
		const char *lines;
		enum inspect_result result;
		enum heard_fault fault;
	} rows[] = {
	    {END("unreachable"), INSPECT_CUT, HEARD_UNREACHABLE},
	    {"part path=1\n" END("unreachable"), INSPECT_CUT, HEARD_UNREACHABLE},
	    {"virus verdict=unknown\n" END("virus") END("unreachable"), INSPECT_CUT,
		HEARD_UNREACHABLE},
	    {END("scratch"), INSPECT_CUT, HEARD_SCRATCH},
	    {END("killed"), INSPECT_CUT, HEARD_KILLED},
	    {"virus verdict=clean\n" END("killed"), INSPECT_CUT, HEARD_KILLED},
	    {"virus verdict=found name=x\n" END("killed"), INSPECT_CUT, HEARD_KILLED},
	    {"part path=1\n" END("killed"), INSPECT_CUT, HEARD_FINE},
	    {"", INSPECT_REFUSED, HEARD_REFUSED},
	    {END("time"), INSPECT_CUT, HEARD_FINE},
	    {END("memory"), INSPECT_CUT, HEARD_FINE},
	    /* An inspector cannot have its message waited for by what it says. */
	    {END("unreachable") END("crashed"), INSPECT_CUT, HEARD_FINE},
	    {END("unreachable"), INSPECT_TOLD, HEARD_FINE},
	    {"uninspectable part=1 reason=scratch\n" END("time"), INSPECT_CUT, HEARD_FINE},
	    {"uninspectable part=1 reason=scratch\n", INSPECT_CUT, HEARD_FINE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct heard h = hear(rows[i].lines, rows[i].result);

		if (h.fault != rows[i].fault)
			fail_msg("row %zu: %s", i, heard_fault_word(h.fault));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(the_first_reason_of_each, end_of_it),
	    cmocka_unit_test_teardown(nothing_against_it, end_of_it),
	    cmocka_unit_test_teardown(a_virus_scanner_that_says_nothing, end_of_it),
	    cmocka_unit_test_teardown(odd_reasons, end_of_it),
	    cmocka_unit_test_teardown(faults, end_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
