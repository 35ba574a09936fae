#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/smtp/rate.h"

#define START  (1000 * CLOCK_SECOND)
#define MINUTE (60 * CLOCK_SECOND)

static struct ip address(const char *text)
{
	struct ip ip;

	assert_true(ip_parse(text, &ip));
	return ip;
}

static struct ip numbered(unsigned n)
{
	unsigned char v4[4] = {(unsigned char)(n >> 24), (unsigned char)(n >> 16),
	    (unsigned char)(n >> 8), (unsigned char)n};
	struct ip ip;

	ip_from_v4(v4, &ip);
	return ip;
}

static struct rate *make(void **state)
{
	(void)state;
	struct rate *r = rate_new();

	assert_non_null(r);
	return r;
}

/* S12: the connections of one minute are counted, each address by itself. */
static void S12_counts_within_a_minute(void **state)
{
	struct rate *r = make(state);
	struct ip a = address("192.0.2.1"), b = address("192.0.2.2");

	for (int64_t n = 1; n <= 500; n++) {
		assert_int_equal(rate_note(r, &a, START + n), n);
		if (n % 5 == 0)
			assert_int_equal(rate_note(r, &b, START + n), n / 5);
	}
	free(r);
}

static void a_new_minute_begins_at_one(void **state)
{
	struct rate *r = make(state);
	struct ip a = address("192.0.2.1");

	assert_int_equal(rate_note(r, &a, START), 1);
	assert_int_equal(rate_note(r, &a, START + MINUTE - 1), 2);
	assert_int_equal(rate_note(r, &a, START + MINUTE), 1);
	assert_int_equal(rate_note(r, &a, START + MINUTE + 1), 2);
	free(r);
}

/* S12: whoever has a /64 has all of its addresses. */
static void S12_a_v6_client_is_its_64(void **state)
{
	struct rate *r = make(state);
	struct ip mine[] = {address("2001:db8:1:2::1"), address("2001:db8:1:2:ffff::9"),
	    address("2001:db8:1:2:8000:1:2:3")};
	struct ip other = address("2001:db8:1:3::1");

	for (int64_t n = 0; n < 30; n++)
		assert_int_equal(rate_note(r, &mine[n % 3], START + n), n + 1);
	assert_int_equal(rate_note(r, &other, START), 1);
	free(r);
}

static void v4_is_never_a_64(void **state)
{
	struct rate *r = make(state);

	for (unsigned n = 0; n < 4; n++) {
		struct ip ip = numbered(0xc0000200u + n);

		assert_int_equal(rate_note(r, &ip, START), 1);
	}
	free(r);
}

/*
 * S12: the neighbours of one network do not push each other out, or five machines of one office
 * could connect as often as they like. Of a few hundred, hardly any shares its line with four more.
 */
static void S12_neighbours_are_counted(void **state)
{
	struct rate *r = make(state);
	unsigned forgotten = 0;

	for (int64_t round = 1; round <= 50; round++) {
		for (unsigned n = 0; n < 512; n++) {
			struct ip ip = numbered(0xc0000200u + n);
			int64_t count = rate_note(r, &ip, START + round * 600 + n);

			forgotten += round == 50 && count != 50;
		}
	}
	assert_in_range(forgotten, 0, 16);
	free(r);
}

static void S12_v6_neighbours_are_counted(void **state)
{
	struct rate *r = make(state);
	unsigned forgotten = 0;

	for (int64_t round = 1; round <= 50; round++) {
		for (unsigned n = 0; n < 512; n++) {
			char text[64];
			struct ip ip;

			(void)snprintf(text, sizeof text, "2001:db8:7:%x::1", n);
			ip = address(text);
			forgotten +=
			    rate_note(r, &ip, START + round * 600 + n) != 50 && round == 50;
		}
	}
	assert_in_range(forgotten, 0, 16);
	free(r);
}

/* S12: a crowd from everywhere does not make the loudest be forgotten. */
static void S12_a_crowd_hides_nobody(void **state)
{
	struct rate *r = make(state);
	struct ip loud = address("203.0.113.7");
	int64_t count = 0;

	for (unsigned n = 0; n < 200000; n++) {
		struct ip ip = numbered(n * 2654435761u);

		(void)rate_note(r, &ip, START + n);
		if (n % 100 == 0)
			count = rate_note(r, &loud, START + n);
	}
	assert_int_equal(count, 2000);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(S12_counts_within_a_minute),
	    cmocka_unit_test(a_new_minute_begins_at_one),
	    cmocka_unit_test(S12_a_v6_client_is_its_64),
	    cmocka_unit_test(v4_is_never_a_64),
	    cmocka_unit_test(S12_neighbours_are_counted),
	    cmocka_unit_test(S12_v6_neighbours_are_counted),
	    cmocka_unit_test(S12_a_crowd_hides_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
