/* How often rules may be changed, and who may lock what is compiled (S0-03). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/mine/often.h"
#include "lib/org/compile.h"

#define ALICE "alice@example.co.jp"
#define BOB   "bob@example.co.jp"
#define HOUR  (3600 * CLOCK_SECOND)

/* One person's do not take another's; after an hour they are forgotten, and more than all is never counted. */
static void within_an_hour(void **state)
{
	struct often *often = often_new();

	(void)state;
	assert_non_null(often);
	assert_true(often_count(often, ALICE, 5, 2, 3));
	assert_true(often_count(often, ALICE, 6, 2, 3));
	assert_false(often_count(often, ALICE, 7, 2, 3));
	assert_true(often_count(often, BOB, 8, 2, 3));
	assert_false(often_count(often, BOB, 9, 2, 3));
	assert_false(often_count(often, ALICE, 4 + HOUR, 2, 3));
	assert_true(often_count(often, ALICE, 5 + HOUR, 2, 3));
	assert_false(often_count(often, ALICE, 5 + HOUR, 2, 3));
	for (size_t i = 0; i < OFTEN_MOST; i++)
		assert_true(often_count(often, BOB, 10 * HOUR, OFTEN_MOST, OFTEN_MOST));
	assert_false(often_count(often, ALICE, 10 * HOUR, OFTEN_MOST, OFTEN_MOST));
}

/* Who can open a file can lock it for ever: its owner alone can. */
static void the_lock(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char path[128];
	struct stat st;
	int compiled, lock;

	(void)state;
	(void)snprintf(path, sizeof path, "%.90s/often.XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(path));
	compiled = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	lock = compile_lock(compiled, 0);
	assert_true(lock >= 0);
	assert_int_equal(fstat(lock, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(compile_lock(compiled, 0), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	close(lock);
	lock = compile_lock(compiled, 0);
	assert_true(lock >= 0);
	close(lock);
	assert_int_equal(unlinkat(compiled, COMPILED_LOCK, 0), 0);
	close(compiled);
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(within_an_hour),
	    cmocka_unit_test(the_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
