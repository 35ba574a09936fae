/* Counting recipients, by a clock that is given; and the file in which the counts survive. */
#include "tests/unit/queue_kit.h"

#include "queue/freeze.h"
#include "queue/quota.h"
#include "queue/quota_keeper.h"

#define SECOND CLOCK_SECOND
#define MINUTE (60 * CLOCK_SECOND)
#define HOUR   (60 * MINUTE)
#define WALL   INT64_C(1795340400000000)

static const struct quota_limits some = {10, 20}, none = {0, 0};

static struct quota *fresh(size_t entries)
{
	struct quota *q = quota_new(entries);

	assert_non_null(q);
	return q;
}

static enum quota_verdict count(struct quota *q, const char *who, size_t rcpts, int64_t now)
{
	return quota_count(q, QUOTA_LOGIN, who, rcpts, now, &some).verdict;
}

/* How many `who` has in each window: a limit that is one less is over, and tells the count. */
static void counted(struct quota *q, enum quota_kind kind, const char *who, int64_t now,
    int64_t *hour, int64_t *day)
{
	struct quota_limits one = {1, 0}, other = {0, 1};
	struct quota_count c;

	(void)quota_count(q, kind, who, 2, now, &none);
	c = quota_count(q, kind, who, 0, now, &one);
	*hour = c.verdict == QUOTA_WITHIN ? 0 : c.count - 2;
	c = quota_count(q, kind, who, 0, now, &other);
	*day = c.verdict == QUOTA_WITHIN ? 0 : c.count - 2;
	quota_take_back(q, kind, who, 2, now, now);
}

static void assert_counted(
    struct quota *q, const char *who, int64_t now, int64_t in_hour, int64_t in_day)
{
	int64_t hour, day;

	counted(q, QUOTA_LOGIN, who, now, &hour, &day);
	assert_int_equal(hour, in_hour);
	assert_int_equal(day, in_day);
}

static void both_limits(void **state)
{
	struct quota *q = fresh(100);
	struct quota_count c;

	(void)state;
	assert_int_equal(count(q, "alice", 10, 0), QUOTA_WITHIN);
	c = quota_count(q, QUOTA_LOGIN, "alice", 1, SECOND, &some);
	assert_int_equal(c.verdict, QUOTA_OVER_HOUR);
	assert_int_equal(c.count, 11);
	assert_int_equal(c.limit, 10);
	/* An hour on the day alone is full. */
	assert_int_equal(count(q, "alice", 9, 2 * HOUR), QUOTA_WITHIN);
	c = quota_count(q, QUOTA_LOGIN, "alice", 1, 2 * HOUR, &some);
	assert_int_equal(c.verdict, QUOTA_OVER_DAY);
	assert_int_equal(c.count, 21);
	assert_int_equal(c.limit, 20);
	/* And nobody else is. */
	assert_int_equal(count(q, "bob", 10, 2 * HOUR), QUOTA_WITHIN);
	assert_int_equal(
	    quota_count(q, QUOTA_SOURCE, "alice", 10, 2 * HOUR, &some).verdict, QUOTA_WITHIN);
	assert_int_equal(
	    quota_count(q, QUOTA_LOGIN, "alice", 100000, 2 * HOUR, &none).verdict, QUOTA_WITHIN);
	assert_int_equal(quota_entries(q), 3);
	quota_free(q);
}

static void case_does_not_matter(void **state)
{
	struct quota *q = fresh(100);

	(void)state;
	assert_int_equal(count(q, "Alice@Example.COM", 10, 0), QUOTA_WITHIN);
	assert_int_equal(count(q, "aLICE@example.com", 1, 0), QUOTA_OVER_HOUR);
	assert_int_equal(count(q, "alice@example.co", 1, 0), QUOTA_WITHIN);
	assert_int_equal(quota_entries(q), 2);
	quota_free(q);
}

/* Against a plain list of what was counted when: the windows slide, and never leak. */
static void windows_slide(void **state)
{
	static struct {
		int64_t at;
		int64_t rcpts;
	} done[4000];
	struct quota *q = fresh(10);
	uint64_t seed = 3;
	int64_t now = 0;
	size_t n = 0;

	(void)state;
	for (; n < COUNT_OF(done); n++) {
		int64_t hour = 0, day = 0, got_hour, got_day;
		bool leap = kit_random(&seed) % 50 == 0;

		now += (int64_t)(kit_random(&seed) % 600) * SECOND;
		now += leap ? (int64_t)(kit_random(&seed) % 40) * HOUR : 0;
		done[n].at = now;
		done[n].rcpts = kit_random(&seed) % 5;
		(void)quota_count(q, QUOTA_LOGIN, "a", (size_t)done[n].rcpts, now, &none);
		for (size_t i = 0; i <= n; i++) {
			if (now / MINUTE - done[i].at / MINUTE < 60)
				hour += done[i].rcpts;
			if (now / HOUR - done[i].at / HOUR < 24)
				day += done[i].rcpts;
		}
		counted(q, QUOTA_LOGIN, "a", now, &got_hour, &got_day);
		assert_int_equal(got_hour, hour);
		assert_int_equal(got_day, day);
	}
	quota_free(q);
}

static void what_was_not_kept_is_taken_back(void **state)
{
	struct quota *q = fresh(10);

	(void)state;
	(void)count(q, "a", 5, 10 * MINUTE);
	(void)count(q, "a", 3, 11 * MINUTE);
	quota_take_back(q, QUOTA_LOGIN, "A", 5, 10 * MINUTE, 30 * MINUTE);
	assert_counted(q, "a", 30 * MINUTE, 3, 3);
	/* Behind its windows there is nothing to take back, and nothing else is touched. */
	(void)count(q, "a", 4, 70 * MINUTE);
	quota_take_back(q, QUOTA_LOGIN, "a", 3, 10 * MINUTE, 70 * MINUTE);
	assert_counted(q, "a", 70 * MINUTE, 7, 4);
	quota_take_back(q, QUOTA_LOGIN, "a", 100, 70 * MINUTE, 70 * MINUTE);
	assert_counted(q, "a", 70 * MINUTE, 3, 0);
	quota_take_back(q, QUOTA_LOGIN, "nobody", 100, 0, 0);
	quota_free(q);
}

static void bounded(void **state)
{
	struct quota *q = fresh(1000);
	char who[32];

	(void)state;
	(void)count(q, "idle", 1, 0);
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(who, sizeof who, "user%d", i);
		(void)count(q, who, 1, 30 * HOUR);
		assert_true(quota_entries(q) <= 1000);
	}
	/* "idle" counted nothing any more: that is no loss. */
	assert_int_equal(quota_forgotten(q), 4000);
	assert_int_equal(quota_forgotten(q), 0);
	assert_counted(q, "user4999", 30 * HOUR, 1, 1);
	assert_counted(q, "user4001", 30 * HOUR, 1, 1);
	quota_set_entries(q, 10);
	assert_int_equal(quota_entries(q), 10);
	assert_counted(q, "user4001", 30 * HOUR, 1, 1); /* it was looked at last */
	quota_free(q);
}

/* ---- frozen ------------------------------------------------------------------------------- */

static bool only_bob(void *context, enum quota_kind kind, const char *who)
{
	(void)context;
	return kind == QUOTA_LOGIN && strcmp(who, "bob") == 0;
}

static void thawed_begins_at_zero(void **state)
{
	struct quota *q = fresh(10);

	(void)state;
	(void)count(q, "Alice", 50, 0);
	(void)count(q, "bob", 50, 0);
	(void)count(q, "carol", 5, 0);
	assert_false(quota_is_frozen(q, QUOTA_LOGIN, "alice"));
	assert_true(quota_set_frozen(q, QUOTA_LOGIN, "ALICE", 0));
	assert_true(quota_set_frozen(q, QUOTA_LOGIN, "bob", 0));
	assert_true(quota_is_frozen(q, QUOTA_LOGIN, "alice"));
	quota_thaw(q, only_bob, NULL);
	assert_false(quota_is_frozen(q, QUOTA_LOGIN, "alice"));
	assert_true(quota_is_frozen(q, QUOTA_LOGIN, "bob"));
	assert_counted(q, "alice", 0, 0, 0);
	assert_counted(q, "bob", 0, 50, 50);
	assert_counted(q, "carol", 0, 5, 5);
	quota_free(q);
}

/* ---- the file ----------------------------------------------------------------------------- */

static void add_some(struct quota *q)
{
	(void)quota_count(q, QUOTA_LOGIN, "al ice=+", 3, 10 * HOUR, &none);
	(void)quota_count(q, QUOTA_SOURCE, "2001:db8::/64", 4, 33 * HOUR + 10 * MINUTE, &none);
	(void)quota_count(q, QUOTA_LOGIN, "al ice=+", 5, 33 * HOUR + 30 * MINUTE, &none);
	assert_true(quota_set_frozen(q, QUOTA_LOGIN, "bob", 33 * HOUR + 30 * MINUTE));
}

static void text_there_and_back(void **state)
{
	static const int64_t boot = 33 * HOUR + 50 * MINUTE;
	struct quota *q = fresh(10), *r = fresh(10);
	struct buf a, b;
	const char *why;

	(void)state;
	buf_init(&a, KIT_MAX);
	buf_init(&b, KIT_MAX);
	add_some(q);
	quota_write(q, &a, boot, WALL);
	buf_add(&a, "", 1);
	assert_true(buf_ok(&a));
	assert_string_equal(a.bytes, "sekisho-quota 1\n"
				     "saved 2026-11-22T09:40:00.000000Z\n"
				     "source 2001:db8::/64 open minutes=40:4 hours=0:4\n"
				     "login al+20ice+3D+2B open minutes=20:5 hours=0:5,23:3\n"
				     "login bob frozen minutes= hours=\n"
				     "end 3\n");

	assert_true(quota_read(r, a.bytes, a.len - 1, boot, WALL, &why));
	quota_write(r, &b, boot, WALL);
	buf_add(&b, "", 1);
	assert_string_equal(b.bytes, a.bytes);

	/* The machine was started anew: another boot clock, and 25 minutes later. */
	quota_free(r);
	r = fresh(10);
	assert_true(quota_read(r, a.bytes, a.len - 1, 40 * MINUTE, WALL + 25 * MINUTE, &why));
	assert_counted(r, "al ice=+", 40 * MINUTE, 5, 8);
	assert_counted(r, "al ice=+", 60 * MINUTE, 0, 5);
	assert_true(quota_is_frozen(r, QUOTA_LOGIN, "bob"));
	quota_free(r);

	/* A wall clock that fell back lets nothing be forgotten; one far ahead, everything. */
	r = fresh(10);
	assert_true(quota_read(r, a.bytes, a.len - 1, 0, 0, &why));
	assert_counted(r, "al ice=+", 0, 5, 8);
	quota_free(r);
	r = fresh(10);
	assert_true(quota_read(r, a.bytes, a.len - 1, 0, WALL * 2, &why));
	assert_counted(r, "al ice=+", 0, 0, 0);
	assert_true(quota_is_frozen(r, QUOTA_LOGIN, "bob")); /* which no time ends */

	quota_free(q);
	quota_free(r);
	buf_free(&a);
	buf_free(&b);
}

/* Cut anywhere, or with any byte changed to another: never read past its end, never half taken. */
static void damaged_text(void **state)
{
	struct quota *q = fresh(10), *r = fresh(10);
	struct buf a;
	const char *why;

	(void)state;
	buf_init(&a, KIT_MAX);
	add_some(q);
	quota_write(q, &a, 34 * HOUR, WALL);
	for (size_t len = 0; len < a.len; len++) {
		char *copy = malloc(len + 1);

		assert_non_null(copy);
		memcpy(copy, a.bytes, len);
		assert_false(quota_read(r, copy, len, 34 * HOUR, WALL, &why));
		assert_int_equal(quota_entries(r), 0);
		free(copy);
	}
	for (size_t i = 0; i < a.len; i++) {
		char was = a.bytes[i];

		a.bytes[i] = '\0';
		assert_false(quota_read(r, a.bytes, a.len, 34 * HOUR, WALL, &why));
		a.bytes[i] = was;
	}
	assert_true(quota_read(r, a.bytes, a.len, 34 * HOUR, WALL, &why));
	quota_free(q);
	quota_free(r);
	buf_free(&a);
}

/* ---- the keeper --------------------------------------------------------------------------- */

static char root[256];
static struct settings settings;

static int enter(void **state)
{
	(void)state;
	kit_enter(root);
	settings_default(&settings);
	settings.quota_login_hour = 10;
	assert_int_equal(mkdir("lib/quota", 0750), 0);
	return 0;
}

static int leave(void **state)
{
	(void)state;
	kit_leave(root);
	return 0;
}

static bool charge(struct quota_keeper *k, const char *who, size_t rcpts)
{
	struct quota_charge c = {.kind = QUOTA_LOGIN, .rcpts = rcpts};

	(void)snprintf(c.who, sizeof c.who, "%s", who);
	return quota_keeper_count(k, &c);
}

static void counts_survive_a_restart(void **state)
{
	struct quota_keeper *k = quota_keeper_new(&settings);

	(void)state;
	assert_non_null(k);
	assert_true(charge(k, "alice", 10));
	quota_keeper_save(k);
	quota_keeper_free(k);
	assert_false(kit_stands("lib/quota/freeze"));

	k = quota_keeper_new(&settings);
	assert_non_null(k);
	assert_true(charge(k, "alice", 1));
	assert_true(kit_stands("lib/quota/freeze"));
	quota_keeper_save(k);
	quota_keeper_free(k);

	/* Thawed while nobody looked: he begins at zero. */
	assert_int_equal(unlink("lib/quota/freeze"), 0);
	k = quota_keeper_new(&settings);
	assert_non_null(k);
	assert_true(charge(k, "alice", 10));
	assert_false(kit_stands("lib/quota/freeze"));
	assert_true(charge(k, "alice", 1));
	assert_true(kit_stands("lib/quota/freeze"));
	quota_keeper_free(k);
}

/* The counts were lost, and the entry was not: his first mail after the thaw begins at zero. */
static void frozen_without_counts(void **state)
{
	static const char text[] =
	    "login alice since=" KIT_NOW " by=seki-queue reason=quota-hour\n";
	struct quota_keeper *k;

	(void)state;
	kit_write("lib/quota/freeze", text, sizeof text - 1);
	kit_write("lib/quota/counts", "garbage", 7);
	k = quota_keeper_new(&settings);
	assert_non_null(k);
	assert_true(kit_stands("lib/quota/counts.bad"));
	assert_false(kit_stands("lib/quota/counts"));
	assert_true(charge(k, "alice", 100)); /* he is frozen already: no second entry */
	kit_write("lib/quota/freeze", "", 0);
	assert_true(charge(k, "alice", 10));
	quota_keeper_free(k);
}

static void no_limit_counts_nothing(void **state)
{
	struct quota_charge c = {.kind = QUOTA_SOURCE,
	    .who = "192.0.2.1",
	    .rcpts = 100000,
	    .own_limits = true,
	    .limits = {0, 0}};
	struct quota_keeper *k = quota_keeper_new(&settings);

	(void)state;
	assert_non_null(k);
	assert_true(quota_keeper_count(k, &c));
	assert_int_equal(c.counted_at, 0);
	c.limits = (struct quota_limits){0, 5};
	assert_true(quota_keeper_count(k, &c));
	assert_true(kit_stands("lib/quota/freeze"));
	quota_keeper_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_limits),
	    cmocka_unit_test(case_does_not_matter),
	    cmocka_unit_test(windows_slide),
	    cmocka_unit_test(what_was_not_kept_is_taken_back),
	    cmocka_unit_test(bounded),
	    cmocka_unit_test(thawed_begins_at_zero),
	    cmocka_unit_test(text_there_and_back),
	    cmocka_unit_test(damaged_text),
	    cmocka_unit_test_setup_teardown(counts_survive_a_restart, enter, leave),
	    cmocka_unit_test_setup_teardown(frozen_without_counts, enter, leave),
	    cmocka_unit_test_setup_teardown(no_limit_counts_nothing, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
