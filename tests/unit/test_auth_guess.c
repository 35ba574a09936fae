/* S4: guessing is slowed and capped by source and by login, and nobody locks an owner out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "lib/auth/guess.h"

#define SECOND ((int64_t)1000000)
#define WINDOW (900 * SECOND)
#define NOW    (5000 * SECOND)

static const unsigned char secret[MEMO_SECRET] = "a secret of a test";

static const struct guess_limits usual = {
    .window = WINDOW, .source = 5, .login = 8, .pair = 3, .delay = SECOND, .longest = 15 * SECOND};

static struct guess *make(size_t entries)
{
	struct guess *g = guess_new(entries, secret, &usual);

	assert_non_null(g);
	return g;
}

static struct guess_who who(const struct guess *g, const char *source, const char *login)
{
	struct guess_who w;

	assert_true(guess_who(g, source, login, &w));
	return w;
}

static struct guess_failure wrong(
    struct guess *g, int64_t now, const char *source, const char *login)
{
	struct guess_who w = who(g, source, login);

	return guess_wrong(g, now, &w);
}

static enum guess_verdict may(
    const struct guess *g, int64_t now, const char *source, const char *login)
{
	struct guess_who w = who(g, source, login);

	return guess_may(g, now, &w);
}

static void test_delay_doubles(void **state)
{
	static const int64_t seconds[] = {1, 2, 4, 8, 15, 15};
	struct guess *g = make(64);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(seconds); i++)
		assert_int_equal(wrong(g, NOW, "192.0.2.1", "alice").delay, seconds[i] * SECOND);
	/* Of another login from there, and of that login from elsewhere. */
	assert_int_equal(wrong(g, NOW, "192.0.2.1", "bob").delay, 15 * SECOND);
	assert_int_equal(wrong(g, NOW, "192.0.2.2", "alice").delay, 15 * SECOND);
	assert_int_equal(wrong(g, NOW, "192.0.2.3", "carol").delay, SECOND);
	guess_free(g);
}

static void test_source_capped(void **state)
{
	struct guess *g = make(64);
	char login[16];

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(may(g, NOW, "192.0.2.1", "x"), GUESS_MAY);
		(void)snprintf(login, sizeof login, "user%d", i);
		assert_int_equal(wrong(g, NOW, "192.0.2.1", login).source_reached, i == 4);
	}
	assert_int_equal(may(g, NOW, "192.0.2.1", "anybody"), GUESS_SOURCE_CAPPED);
	assert_int_equal(may(g, NOW, "::ffff:192.0.2.1", "anybody"), GUESS_SOURCE_CAPPED);
	assert_int_equal(may(g, NOW, "192.0.2.2", "anybody"), GUESS_MAY);

	/* It counts for the window, and not longer than an eighth more. */
	assert_int_equal(may(g, NOW + WINDOW, "192.0.2.1", "x"), GUESS_SOURCE_CAPPED);
	assert_int_equal(may(g, NOW + WINDOW + WINDOW / 8 + SECOND, "192.0.2.1", "x"), GUESS_MAY);
	guess_free(g);
}

static void test_one_failure_at_a_time_is_forgotten(void **state)
{
	struct guess *g = make(64);

	(void)state;
	/* Three a window: never five that count. */
	for (int64_t i = 0; i < 50; i++) {
		assert_int_equal(may(g, NOW + i * WINDOW / 3, "192.0.2.1", "x"), GUESS_MAY);
		(void)wrong(g, NOW + i * WINDOW / 3, "192.0.2.1", "x");
	}
	guess_free(g);
}

static void test_ipv6_by_64(void **state)
{
	struct guess *g = make(64);
	char source[64];

	(void)state;
	for (int i = 0; i < 5; i++) {
		(void)snprintf(source, sizeof source, "2001:db8:1:2::%x", i + 1);
		(void)wrong(g, NOW, source, "x");
	}
	assert_int_equal(may(g, NOW, "2001:db8:1:2:ffff::1", "y"), GUESS_SOURCE_CAPPED);
	assert_int_equal(may(g, NOW, "2001:db8:1:3::1", "y"), GUESS_MAY);
	guess_free(g);
}

static void test_no_address(void **state)
{
	struct guess *g = make(64);
	struct guess_who w;

	(void)state;
	assert_false(guess_who(g, "", "x", &w));
	assert_false(guess_who(g, "localhost", "x", &w));
	assert_false(guess_who(g, "192.0.2.1/24", "x", &w));
	guess_free(g);
}

/* Fails `n` times for the login, from that many sources. */
static void attack(struct guess *g, int64_t now, const char *login, int n)
{
	char source[32];

	for (int i = 0; i < n; i++) {
		(void)snprintf(source, sizeof source, "203.0.113.%d", i + 1);
		assert_int_equal(wrong(g, now, source, login).login_reached, i == 7);
	}
}

static void test_login_capped_but_not_its_owner(void **state)
{
	struct guess *g = make(64);
	struct guess_who owner = who(g, "192.0.2.9", "alice@example.co.jp");

	(void)state;
	guess_right(g, &owner);
	attack(g, NOW, "Alice@Example.CO.JP", 20);
	assert_int_equal(may(g, NOW, "203.0.113.99", "alice@example.co.jp"), GUESS_LOGIN_CAPPED);
	assert_int_equal(may(g, NOW, "192.0.2.10", "alice@example.co.jp"), GUESS_LOGIN_CAPPED);
	assert_int_equal(may(g, NOW, "192.0.2.9", "ALICE@example.co.jp"), GUESS_MAY);
	assert_int_equal(may(g, NOW, "203.0.113.99", "bob@example.co.jp"), GUESS_MAY);
	guess_free(g);
}

/* A login that is right elsewhere is no open door: being known is of login and source together. */
static void test_known_is_of_a_pair(void **state)
{
	struct guess *g = make(64);
	struct guess_who mallory = who(g, "203.0.113.99", "mallory");

	(void)state;
	guess_right(g, &mallory);
	attack(g, NOW, "alice", 10);
	assert_int_equal(may(g, NOW, "203.0.113.99", "alice"), GUESS_LOGIN_CAPPED);
	guess_free(g);
}

static void test_alarm_once_a_window(void **state)
{
	struct guess *g = make(64);
	int alarms = 0;

	(void)state;
	for (int64_t i = 0; i < 100; i++)
		alarms += wrong(g, NOW + i * SECOND, "192.0.2.1", "x").source_reached ? 1 : 0;
	assert_int_equal(alarms, 1);
	for (int64_t i = 0; i < 10; i++)
		alarms += wrong(g, NOW + 3 * WINDOW, "192.0.2.1", "x").source_reached ? 1 : 0;
	assert_int_equal(alarms, 2);
	guess_free(g);
}

static void test_a_right_password_forgives_nothing(void **state)
{
	struct guess *g = make(64);
	struct guess_who own = who(g, "192.0.2.1", "mallory");

	(void)state;
	for (int i = 0; i < 5; i++) {
		(void)wrong(g, NOW, "192.0.2.1", "alice");
		guess_right(g, &own);
	}
	assert_int_equal(may(g, NOW, "192.0.2.1", "alice"), GUESS_SOURCE_CAPPED);
	assert_int_equal(may(g, NOW, "192.0.2.1", "bob"), GUESS_SOURCE_CAPPED);
	guess_free(g);
}

/* A stale password in somebody's phone does not keep out the office that shares its address. */
static void test_source_capped_but_not_who_is_known_there(void **state)
{
	struct guess *g = make(64);
	struct guess_who bob = who(g, "192.0.2.1", "bob"), alice = who(g, "192.0.2.1", "alice");

	(void)state;
	guess_right(g, &bob);
	guess_right(g, &alice);
	for (int i = 0; i < 20; i++)
		(void)wrong(g, NOW, "192.0.2.1", "alice");
	assert_int_equal(may(g, NOW, "192.0.2.1", "bob"), GUESS_MAY);
	assert_int_equal(may(g, NOW, "192.0.2.1", "carol"), GUESS_SOURCE_CAPPED);
	/* The phone itself has had enough, and no right password of others changes that. */
	assert_int_equal(may(g, NOW, "192.0.2.1", "alice"), GUESS_SOURCE_CAPPED);
	/* Nor may others be guessed there without end. */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(may(g, NOW, "192.0.2.1", "bob"), GUESS_MAY);
		(void)wrong(g, NOW, "192.0.2.1", "bob");
	}
	assert_int_equal(may(g, NOW, "192.0.2.1", "bob"), GUESS_SOURCE_CAPPED);
	assert_int_equal(may(g, NOW + 2 * WINDOW, "192.0.2.1", "bob"), GUESS_MAY);
	guess_free(g);
}

static void test_places(void **state)
{
	static const struct {
		const char *one, *other;
		bool source, network; /* whether they are the same */
	} pairs[] = {
	    {"192.0.2.1", "::ffff:192.0.2.1", true, true},
	    {"192.0.2.1", "192.0.2.200", false, true},
	    {"192.0.2.1", "192.0.3.1", false, false},
	    {"2001:db8:1:2::1", "2001:db8:1:2:3::9", true, true},
	    {"2001:db8:1:2::1", "2001:db8:1:3::1", false, true},
	    {"2001:db8:1:2::1", "2001:db8:2:2::1", false, false},
	};
	unsigned char one[GUESS_PLACE], other[GUESS_PLACE];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		assert_true(guess_place(pairs[i].one, GUESS_SOURCE, one));
		assert_true(guess_place(pairs[i].other, GUESS_SOURCE, other));
		assert_int_equal(memcmp(one, other, sizeof one) == 0, pairs[i].source);
		assert_true(guess_place(pairs[i].one, GUESS_NETWORK, one));
		assert_true(guess_place(pairs[i].other, GUESS_NETWORK, other));
		assert_int_equal(memcmp(one, other, sizeof one) == 0, pairs[i].network);
	}
	assert_false(guess_place("192.0.2.1/24", GUESS_NETWORK, one));
}

static void test_bounded_the_oldest_is_forgotten(void **state)
{
	struct guess *g = make(16);
	char source[32];

	(void)state;
	for (int i = 0; i < 5; i++)
		(void)wrong(g, NOW, "192.0.2.1", "x");
	for (int i = 0; i < 15; i++) {
		(void)snprintf(source, sizeof source, "198.51.100.%d", i);
		(void)wrong(g, NOW, source, "y");
	}
	assert_int_equal(may(g, NOW, "192.0.2.1", "z"), GUESS_SOURCE_CAPPED);
	(void)wrong(g, NOW, "198.51.100.200", "y");
	assert_int_equal(may(g, NOW, "192.0.2.1", "z"), GUESS_MAY);
	guess_free(g);
}

static void test_other_limits(void **state)
{
	struct guess *g = make(64);
	struct guess_limits l = usual;

	(void)state;
	for (int i = 0; i < 5; i++)
		(void)wrong(g, NOW, "192.0.2.1", "x");
	l.source = 6;
	guess_limit(g, &l);
	assert_int_equal(may(g, NOW, "192.0.2.1", "z"), GUESS_MAY);
	l.delay = 0;
	guess_limit(g, &l);
	assert_int_equal(wrong(g, NOW, "192.0.2.1", "x").delay, 0);
	assert_int_equal(may(g, NOW, "192.0.2.1", "z"), GUESS_SOURCE_CAPPED);
	guess_free(g);
}

/* The memory beneath: against a plain list of what was touched when. */
static void test_memo_against_a_model(void **state)
{
	enum { CAPACITY = 50, KEYS = 120, STEPS = 20000 };
	struct memo m;
	long touched[KEYS] = {0};
	unsigned random = 1;

	(void)state;
	assert_true(memo_init(&m, CAPACITY, sizeof(int)));
	for (long step = 1; step <= STEPS; step++) {
		unsigned char key[MEMO_KEY];
		int n, newer = 0;
		int *value;

		random = random * 1103515245u + 12345u;
		n = (int)(random >> 16) % KEYS;
		memo_key(secret, 't', &n, sizeof n, key);
		for (int i = 0; i < KEYS; i++)
			newer += touched[i] > touched[n] ? 1 : 0;
		value = memo_find(&m, key);
		assert_int_equal(value != NULL, touched[n] != 0 && newer < CAPACITY);
		if (value != NULL)
			assert_int_equal(*value, n + 1);
		value = memo_take(&m, key);
		*value = n + 1;
		touched[n] = step;
	}
	memo_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_delay_doubles),
	    cmocka_unit_test(test_source_capped),
	    cmocka_unit_test(test_one_failure_at_a_time_is_forgotten),
	    cmocka_unit_test(test_ipv6_by_64),
	    cmocka_unit_test(test_no_address),
	    cmocka_unit_test(test_login_capped_but_not_its_owner),
	    cmocka_unit_test(test_known_is_of_a_pair),
	    cmocka_unit_test(test_alarm_once_a_window),
	    cmocka_unit_test(test_a_right_password_forgives_nothing),
	    cmocka_unit_test(test_source_capped_but_not_who_is_known_there),
	    cmocka_unit_test(test_places),
	    cmocka_unit_test(test_bounded_the_oldest_is_forgotten),
	    cmocka_unit_test(test_other_limits),
	    cmocka_unit_test(test_memo_against_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
