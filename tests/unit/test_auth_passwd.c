#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <crypt.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/auth/passwd.h"

static char file[4096]; /* alice, bob and somebody who may not log in */

static int make_file(void **state)
{
	char alice[PASSWD_HASH_MAX + 1], bob[PASSWD_HASH_MAX + 1];

	(void)state;
	if (!passwd_hash("correct horse", alice) || !passwd_hash("battery staple", bob))
		return -1;
	(void)snprintf(
	    file, sizeof file, "# users\n\nalice@example.co.jp:%s\nbob:%s\nlocked:*\n", alice, bob);
	return 0;
}

static enum passwd_verdict check(const char *login, const char *password)
{
	return passwd_check(file, strlen(file), login, password);
}

static void test_right_and_wrong(void **state)
{
	(void)state;
	assert_int_equal(check("alice@example.co.jp", "correct horse"), PASSWD_RIGHT);
	assert_int_equal(check("Alice@EXAMPLE.co.jp", "correct horse"), PASSWD_RIGHT);
	assert_int_equal(check("bob", "battery staple"), PASSWD_RIGHT);
	assert_int_equal(check("alice@example.co.jp", "correct hors"), PASSWD_WRONG);
	assert_int_equal(check("alice@example.co.jp", "correct horse "), PASSWD_WRONG);
	assert_int_equal(check("alice@example.co.jp", ""), PASSWD_WRONG);
	assert_int_equal(check("bob", "correct horse"), PASSWD_WRONG);
}

/* A login that is not there is wrong with every password that is right for somebody. */
static void test_unknown_is_wrong(void **state)
{
	static const char *const logins[] = {
	    "nobody", "alice", "locked", "", "# users", "bob:", "ob"};
	char login[16];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(logins); i++) {
		assert_int_equal(check(logins[i], "correct horse"), PASSWD_WRONG);
		assert_int_equal(check(logins[i], "battery staple"), PASSWD_WRONG);
		assert_int_equal(check(logins[i], "*"), PASSWD_WRONG);
	}
	for (int i = 0; i < 6; i++) {
		(void)snprintf(login, sizeof login, "user%d", i);
		assert_int_equal(check(login, "correct horse"), PASSWD_WRONG);
	}
	assert_int_equal(passwd_check("", 0, "alice", "x"), PASSWD_WRONG);
	assert_int_equal(passwd_check("alice:\n", 7, "alice", ""), PASSWD_WRONG);
	assert_int_equal(passwd_check("alice:$y$\n", 10, "alice", "x"), PASSWD_WRONG);
}

static double seconds(const char *login)
{
	struct timespec a, b;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	assert_int_equal(check(login, "wrong"), PASSWD_WRONG);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

/* S: unknown users cost the same time; the quickest of some tries is the least disturbed. */
static void test_unknown_costs_the_same(void **state)
{
	static const char *const logins[] = {"alice@example.co.jp", "nobody", "locked"};
	double least[3] = {1e9, 1e9, 1e9};

	(void)state;
	for (int i = 0; i < 8; i++) {
		for (size_t k = 0; k < 3; k++) {
			double s = seconds(logins[k]);

			least[k] = s < least[k] ? s : least[k];
		}
	}
	assert_true(least[0] > 0.005);
	for (size_t k = 1; k < 3; k++)
		assert_true(least[k] > least[0] * 0.7 && least[k] < least[0] * 1.4);
}

static void test_long_passwords(void **state)
{
	char password[1025], hash[PASSWD_HASH_MAX + 1];

	(void)state;
	memset(password, 'x', sizeof password);
	password[1024] = '\0';
	assert_int_equal(check("bob", password), PASSWD_WRONG);
	assert_false(passwd_hash(password, hash));
	password[PASSWD_MAX] = '\0';
	assert_true(passwd_hash(password, hash));
}

static void edit(
    const char *before, const char *login, const char *hash, const char *after, bool there)
{
	struct buf to;

	buf_init(&to, 4096);
	assert_int_equal(passwd_edit(before, strlen(before), login, hash, &to), there);
	buf_add(&to, "", 1);
	assert_true(buf_ok(&to));
	assert_string_equal(to.bytes, after);
	buf_free(&to);
}

static void test_edit(void **state)
{
	(void)state;
	edit("", "a", "H", "a:H\n", false);
	edit("# c\nb:1\n", "a", "H", "# c\nb:1\na:H\n", false);
	edit("b:1\na:2\nc:3\n", "A", "H", "b:1\na:H\nc:3\n", true);
	edit("a:1\nb:2\nA:3\n", "a", "H", "a:H\nb:2\n", true);
	edit("a:1\nb:2\n", "a", NULL, "b:2\n", true);
	edit("#a:1\n", "a", NULL, "#a:1\n", false);
	edit("aa:1\n", "a", NULL, "aa:1\n", false);
}

static void test_logins(void **state)
{
	(void)state;
	assert_true(passwd_login_good("alice@example.co.jp"));
	assert_true(passwd_login_good("\xe5\xb1\xb1"));
	assert_false(passwd_login_good(""));
	assert_false(passwd_login_good("#a"));
	assert_false(passwd_login_good("a:b"));
	assert_false(passwd_login_good("a\nb"));
}

static void test_modes(void **state)
{
	static const struct {
		mode_t mode;
		bool good;
	} all[] = {{0600, true}, {0640, true}, {0400, true}, {0644, false}, {0660, false},
	    {0604, false}, {0602, false}};
	char path[] = "/tmp/test_auth_passwd.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "a:b\n", 4), 4);
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		struct buf b;

		assert_int_equal(fchmod(fd, all[i].mode), 0);
		buf_init(&b, PASSWD_FILE_MAX);
		assert_int_equal(passwd_read(path, &b) == NULL, all[i].good);
		buf_free(&b);
	}
	close(fd);
	(void)unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_right_and_wrong),
	    cmocka_unit_test(test_unknown_is_wrong),
	    cmocka_unit_test(test_unknown_costs_the_same),
	    cmocka_unit_test(test_long_passwords),
	    cmocka_unit_test(test_edit),
	    cmocka_unit_test(test_logins),
	    cmocka_unit_test(test_modes),
	};

	return cmocka_run_group_tests(tests, make_file, NULL);
}
