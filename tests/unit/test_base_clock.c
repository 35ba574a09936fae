#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"

#define LATEST INT64_C(253402300799) /* the last second of the year 9999 */

static const struct {
	int64_t seconds;
	const char *text; /* without the fraction */
} moments[] = {
    {0, "1970-01-01T00:00:00"},
    {1, "1970-01-01T00:00:01"},
    {68169600, "1972-02-29T00:00:00"},
    {951782400, "2000-02-29T00:00:00"},
    {1709251199, "2024-02-29T23:59:59"},
    {1709251200, "2024-03-01T00:00:00"},
    {1795340101, "2026-11-22T09:35:01"},
    {2147483647, "2038-01-19T03:14:07"},
    {2147483648, "2038-01-19T03:14:08"},
    {4107542399, "2100-02-28T23:59:59"},
    {4107542400, "2100-03-01T00:00:00"},
    {4294967296, "2106-02-07T06:28:16"},
    {13574563200, "2400-02-29T00:00:00"},
    {LATEST, "9999-12-31T23:59:59"},
};

static void assert_shows(int64_t wall, const char *expected)
{
	char text[CLOCK_TEXT];

	memset(text, '#', sizeof text);
	clock_format(wall, text);
	assert_int_equal(text[CLOCK_TEXT - 1], '\0');
	assert_string_equal(text, expected);
}

static void known_moments_both_ways(void **state)
{
	static const int micros[] = {0, 1, 999999};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(moments); i++) {
		char text[64];
		int64_t whole = moments[i].seconds * CLOCK_SECOND;

		for (size_t k = 0; k < COUNT_OF(micros); k++) {
			(void)snprintf(text, sizeof text, "%s.%06dZ", moments[i].text, micros[k]);
			assert_shows(whole + micros[k], text);
			assert_int_equal(clock_parse(text, strlen(text)), whole + micros[k]);
		}
		(void)snprintf(text, sizeof text, "%sZ", moments[i].text);
		assert_int_equal(clock_parse(text, strlen(text)), whole);
	}
}

/* A step that is no whole number of anything, through all the years; the texts sort as the times. */
static void round_trips_over_all_years(void **state)
{
	char last[CLOCK_TEXT] = "";

	(void)state;
	for (int64_t t = 0; t <= LATEST * CLOCK_SECOND; t += INT64_C(2515193777777)) {
		char text[CLOCK_TEXT];

		clock_format(t, text);
		assert_int_equal(strlen(text), CLOCK_TEXT - 1);
		assert_int_equal(clock_parse(text, CLOCK_TEXT - 1), t);
		assert_true(strcmp(last, text) < 0);
		memcpy(last, text, sizeof last);
	}
}

static void times_outside_are_shown_as_the_ends(void **state)
{
	static const char first[] = "1970-01-01T00:00:00.000000Z";
	static const char last[] = "9999-12-31T23:59:59.999999Z";

	(void)state;
	assert_shows(-1, first);
	assert_shows(-CLOCK_SECOND, first);
	assert_shows(INT64_MIN, first);
	assert_shows((LATEST + 1) * CLOCK_SECOND - 1, last);
	assert_shows((LATEST + 1) * CLOCK_SECOND, last);
	assert_shows(INT64_MAX, last);
}

static void what_is_no_moment_is_refused(void **state)
{
	static const char *const wrong[] = {
	    "",
	    "Z",
	    "2026-11-22",
	    "2026-11-22T09:35:01",
	    "2026-11-22T09:35:01z",
	    "2026-11-22t09:35:01Z",
	    "2026-11-22 09:35:01Z",
	    "2026/11/22T09:35:01Z",
	    "2026-11-22T09.35.01Z",
	    "2026-11-22T09:35:01.Z",
	    "2026-11-22T09:35:01.12345Z",
	    "2026-11-22T09:35:01.1234567Z",
	    "2026-11-22T09:35:01,123456Z",
	    "2026-11-22T09:35:01.12345xZ",
	    "2026-11-22T09:35:01.-23456Z",
	    "+026-11-22T09:35:01Z",
	    "-026-11-22T09:35:01Z",
	    " 026-11-22T09:35:01Z",
	    "202a-11-22T09:35:01Z",
	    "1969-12-31T23:59:59Z",
	    "0000-01-01T00:00:00Z",
	    "2026-00-22T09:35:01Z",
	    "2026-13-22T09:35:01Z",
	    "2026-11-00T09:35:01Z",
	    "2026-11-31T09:35:01Z",
	    "2026-12-32T09:35:01Z",
	    "2026-02-29T00:00:00Z",
	    "2024-02-30T00:00:00Z",
	    "2100-02-29T00:00:00Z",
	    "2026-11-22T24:00:00Z",
	    "2026-11-22T23:60:00Z",
	    "2026-11-22T23:59:60Z",
	    "9999-12-31T23:59:60Z",
	    "10000-01-01T00:00:00Z",
	    "2026-11-22T09:35:01+00:00",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(clock_parse(wrong[i], strlen(wrong[i])), -1);
}

/* The text need not end behind `len`, and nothing behind it is read. */
static void parses_in_the_middle_of_a_line(void **state)
{
	static const char line[] = "2026-11-22T09:35:01.123456Z delivered";
	int64_t expected = INT64_C(1795340101) * CLOCK_SECOND + 123456;
	char *exact = malloc(20);

	(void)state;
	assert_int_equal(clock_parse(line, CLOCK_TEXT - 1), expected);
	assert_int_equal(clock_parse(line, CLOCK_TEXT), -1);
	assert_int_equal(clock_parse(line, 20), -1);

	/* For the sanitizer: 20 bytes and not one more. */
	assert_non_null(exact);
	memcpy(exact, "2026-11-22T09:35:01Z", 20);
	assert_int_equal(clock_parse(exact, 20), expected - 123456);
	for (size_t len = 0; len < 20; len++)
		assert_int_equal(clock_parse(exact, len), -1);
	free(exact);
}

static void the_clocks_go_forward(void **state)
{
	int64_t boot = clock_boot();
	int64_t wall = clock_wall();

	(void)state;
	assert_true(boot > 0);
	assert_true(wall > INT64_C(1600000000) * CLOCK_SECOND);
	(void)usleep(2000);
	assert_true(clock_boot() - boot >= 2000);
	(void)clock_synchronised();
}

#ifdef SEKISHO_TESTING
static void the_virtual_clock_moves_both(void **state)
{
	char path[] = "/tmp/seki-clock-XXXXXX";
	int fd = mkstemp(path);
	int64_t wall, boot;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(setenv("SEKISHO_CLOCK", path, 1), 0);
	wall = clock_wall();
	boot = clock_boot();
	assert_int_equal(dprintf(fd, "315360000 3600 1\n"), 17);
	assert_int_equal((clock_wall() - wall) / CLOCK_SECOND, 315360000);
	assert_int_equal((clock_boot() - boot) / CLOCK_SECOND, 3600);
	assert_true(clock_synchronised());
	assert_int_equal(clock_patience(5), 5);
	assert_true(clock_patience(-1) > 0 && clock_patience(-1) <= 100);
	assert_int_equal(clock_patience(60000), clock_patience(-1));
	(void)close(fd);
	(void)unlink(path);
	(void)unsetenv("SEKISHO_CLOCK");
}
#else
static void patience_is_left_alone(void **state)
{
	(void)state;
	assert_int_equal(clock_patience(-1), -1);
	assert_int_equal(clock_patience(0), 0);
	assert_int_equal(clock_patience(60000), 60000);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_moments_both_ways),
	    cmocka_unit_test(round_trips_over_all_years),
	    cmocka_unit_test(times_outside_are_shown_as_the_ends),
	    cmocka_unit_test(what_is_no_moment_is_refused),
	    cmocka_unit_test(parses_in_the_middle_of_a_line),
	    cmocka_unit_test(the_clocks_go_forward),
#ifdef SEKISHO_TESTING
	    cmocka_unit_test(the_virtual_clock_moves_both),
#else
	    cmocka_unit_test(patience_is_left_alone),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
