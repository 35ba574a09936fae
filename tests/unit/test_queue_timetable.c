/* The timetable, and the pool of threads. */
#include "tests/unit/queue_kit.h"

#include <poll.h>
#include <stdatomic.h>

#include "queue/pool.h"
#include "queue/timetable.h"

static void name_of(size_t n, const char *k, int64_t due, struct leg_name *name)
{
	*name = (struct leg_name){.due = due};
	(void)snprintf(name->id, sizeof name->id, "%032zx", n);
	(void)snprintf(name->k, sizeof name->k, "%s", k);
}

static void an_empty_one(void **state)
{
	struct timetable t;
	struct leg_name name;

	(void)state;
	timetable_init(&t);
	assert_int_equal(timetable_next(&t), DUE_NEVER);
	assert_false(timetable_pop(&t, &name));
	timetable_clear(&t);
	timetable_clear(&t);
}

static void what_goes_in_comes_out(void **state)
{
	static const char *const ks[] = {"1", "1.2", "1.2.3.4.5.6.7.8.9.10.11.12.13.14"};
	struct timetable t;
	struct leg_name name, back;

	(void)state;
	timetable_init(&t);
	for (size_t i = 0; i < COUNT_OF(ks); i++) {
		name_of(0xabcdef + i, ks[i], i == 0 ? DUE_NONE : 1000, &name);
		assert_true(timetable_add(&t, &name, 5 + (int64_t)i));
	}
	for (size_t i = 0; i < COUNT_OF(ks); i++) {
		name_of(0xabcdef + i, ks[i], i == 0 ? DUE_NONE : 1000, &name);
		assert_int_equal(timetable_next(&t), 5 + (int64_t)i);
		assert_true(timetable_pop(&t, &back));
		assert_true(name_same_leg(&name, &back));
		assert_int_equal(back.due, name.due);
	}
	assert_int_equal(t.n, 0);
	timetable_clear(&t);
}

static void at_the_same_time_the_older_first(void **state)
{
	struct timetable t;
	struct leg_name name;

	(void)state;
	timetable_init(&t);
	for (size_t i = 100; i > 0; i--) {
		name_of(i, "1", 7, &name);
		assert_true(timetable_add(&t, &name, 7));
	}
	for (size_t i = 1; i <= 100; i++) {
		assert_true(timetable_pop(&t, &name));
		assert_int_equal(strtoul(name.id, NULL, 16), i);
	}
	timetable_clear(&t);
}

/* What stays in memory is freed by clear. (The sanitizer build sees what is not.) */
static void cleared_half_way(void **state)
{
	struct timetable t;
	struct leg_name name;

	(void)state;
	timetable_init(&t);
	for (size_t i = 0; i < 1000; i++) {
		name_of(i, i % 2 ? "1" : "1.3", (int64_t)i, &name);
		assert_true(timetable_add(&t, &name, (int64_t)(i * 7919 % 1000)));
	}
	for (size_t i = 0; i < 500; i++)
		assert_true(timetable_pop(&t, &name));
	timetable_clear(&t);
	assert_int_equal(t.n, 0);
	assert_false(timetable_pop(&t, &name));
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* 200,000 entries, adds and takes mixed, against a sort; and quickly. */
static void against_a_sort(void **state)
{
	enum { N = 200000 };
	int64_t *looks = calloc(N, sizeof *looks), begun = clock_boot(), last = INT64_MIN;
	uint64_t seed = 5;
	struct timetable t;
	struct leg_name name;

	(void)state;
	assert_non_null(looks);
	timetable_init(&t);
	for (size_t i = 0; i < N; i++) {
		looks[i] = kit_random(&seed) % 1000000;
		name_of(i, "1", DUE_NONE, &name);
		assert_true(timetable_add(&t, &name, looks[i]));
	}
	assert_true(t.n * sizeof *t.entry >= (size_t)N * 32);
	assert_true(sizeof *t.entry <= 40);
	qsort(looks, N, sizeof *looks, by_value);
	for (size_t i = 0; i < N; i++) {
		int64_t next = timetable_next(&t);

		assert_int_equal(next, looks[i]);
		assert_true(next >= last);
		last = next;
		assert_true(timetable_pop(&t, &name));
	}
	print_message(
	    "    200,000 in and out: %lld ms\n", (long long)(clock_boot() - begun) / 1000);
	assert_true(clock_boot() - begun < 5 * CLOCK_SECOND);
	timetable_clear(&t);
	free(looks);
}

/* ---- the pool ----------------------------------------------------------------------------- */

struct job {
	atomic_int done;
	int spin;
};

static void work(void *context)
{
	struct job *job = context;

	for (volatile int i = 0; i < job->spin; i++)
		;
	atomic_fetch_add(&job->done, 1);
}

static void every_job_once(void **state)
{
	enum { N = 20000 };
	static struct job jobs[N];
	struct pool *pool = pool_start(4, work);
	size_t put = 0, back = 0;

	(void)state;
	assert_non_null(pool);
	assert_int_equal(pool_free(pool), 8);
	while (back < N) {
		struct pollfd p = {.fd = pool_fd(pool), .events = POLLIN};
		struct job *job;

		while (put < N && pool_free(pool) > 0) {
			jobs[put].spin = (int)(put % 1000);
			pool_put(pool, &jobs[put++]);
		}
		assert_int_equal(poll(&p, 1, 10000), 1); /* a wake-up lost would wait for ever */
		while ((job = pool_done(pool)) != NULL) {
			assert_int_equal(atomic_load(&job->done), 1);
			back++;
		}
	}
	assert_int_equal(pool_free(pool), 8);
	assert_null(pool_done(pool));
	for (size_t i = 0; i < N; i++)
		assert_int_equal(atomic_load(&jobs[i].done), 1);
}

static atomic_bool gate;

static void wait_at_the_gate(void *job)
{
	while (!atomic_load(&gate))
		(void)usleep(1000);
	work(job);
}

static void drained(void **state)
{
	static struct job jobs[4];
	struct pool *pool = pool_start(2, wait_at_the_gate);

	(void)state;
	assert_non_null(pool);
	assert_true(pool_drain(pool, 0)); /* nothing to do */
	for (size_t i = 0; i < 4; i++)
		pool_put(pool, &jobs[i]);
	assert_int_equal(pool_free(pool), 0);
	assert_false(pool_drain(pool, 0));
	atomic_store(&gate, true);
	assert_true(pool_drain(pool, 10));
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(atomic_load(&jobs[i].done), 1);
		assert_non_null(pool_done(pool));
	}
	assert_null(pool_done(pool));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_one),
	    cmocka_unit_test(what_goes_in_comes_out),
	    cmocka_unit_test(at_the_same_time_the_older_first),
	    cmocka_unit_test(cleared_half_way),
	    cmocka_unit_test(against_a_sort),
	    cmocka_unit_test(every_job_once),
	    cmocka_unit_test(drained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
