#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/auth/cache.h"
#include "lib/auth/check.h"
#include "lib/auth/table.h"

/* Reads `text` as etc/auth; NULL text: there is no such file. */
static bool read_text(const char *text, struct table *t, struct conf_fault *fault)
{
	char path[] = "/tmp/test_auth_table.XXXXXX";
	int etc, fd;
	bool good;

	assert_non_null(mkdtemp(path));
	etc = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(etc >= 0);
	if (text != NULL) {
		fd = openat(etc, "auth", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, text, strlen(text)), strlen(text));
		close(fd);
	}
	table_init(t);
	good = table_read(etc, t, fault);
	(void)unlinkat(etc, "auth", 0);
	close(etc);
	(void)rmdir(path);
	return good;
}

static void assert_fault(const char *text, unsigned line, unsigned column, const char *word)
{
	struct conf_fault fault = {0};
	struct table t;

	assert_false(read_text(text, &t, &fault));
	table_free(&t);
	assert_string_equal(fault.file, "etc/auth");
	assert_int_equal(fault.line, line);
	assert_int_equal(fault.column, column);
	assert_non_null(strstr(fault.text, word));
}

static void test_nothing_is_the_file(void **state)
{
	static const char *const texts[] = {NULL, "", "# nobody\n", "@other.example /bin/x\n"};
	struct conf_fault fault;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		const struct table_line *line;
		struct table t;

		assert_true(read_text(texts[i], &t, &fault));
		line = table_find(&t, "alice@example.co.jp");
		assert_string_equal(line->path, "bin/seki-auth-file");
		assert_string_equal(line->argv[0], "seki-auth-file");
		assert_null(line->argv[1]);
		assert_true(table_is_file(line));
		table_free(&t);
	}
}

static void test_first_line_decides(void **state)
{
	struct conf_fault fault;
	struct table t;

	(void)state;
	assert_true(
	    read_text("@Example.co.jp seki-auth-imap --ca etc/ca.pem mail.example.co.jp # here\n"
		      "@lab.example.co.jp seki-auth-smtp [2001:db8::1]:465\n"
		      "* /opt/check/password -x -- /bin/true\n",
		&t, &fault));
	assert_string_equal(table_find(&t, "alice@EXAMPLE.co.jp")->path, "bin/seki-auth-imap");
	assert_string_equal(table_find(&t, "alice@EXAMPLE.co.jp")->argv[3], "mail.example.co.jp");
	assert_null(table_find(&t, "alice@EXAMPLE.co.jp")->argv[4]);
	assert_string_equal(table_find(&t, "bob@lab.example.co.jp")->argv[1], "[2001:db8::1]:465");
	assert_string_equal(table_find(&t, "carol")->path, "/opt/check/password");
	assert_string_equal(table_find(&t, "carol")->argv[0], "/opt/check/password");
	/* Neither a subdomain nor a longer name nor a name in front of another '@'. */
	assert_string_equal(table_find(&t, "x@a.example.co.jp")->path, "/opt/check/password");
	assert_string_equal(table_find(&t, "x@example.co.jp@y")->path, "/opt/check/password");
	assert_string_equal(table_find(&t, "example.co.jp")->path, "/opt/check/password");
	table_free(&t);
}

static void test_faults(void **state)
{
	(void)state;
	assert_fault("alice seki-auth-file\n", 1, 1, "@example.co.jp");
	assert_fault("@ seki-auth-file\n", 1, 1, "@example.co.jp");
	assert_fault("@a@b seki-auth-file\n", 1, 1, "@example.co.jp");
	assert_fault("\n*\n", 2, 0, "missing");
	assert_fault("* seki-auth-iamp host\n", 1, 3, "near: seki-auth-imap");
	assert_fault("* --starttls\n", 1, 3, "no option");
	assert_fault("* seki-auth-file\n@a.example seki-auth-file\n", 2, 1, "line 1");
	assert_fault("@a.example seki-auth-file\n  @A.example x\n", 2, 3, "line 1");
	assert_fault("* seki-auth-file", 1, 0, "newline");
}

/* ---- the cache ---- */

static void mac_of(const struct cache *c, const char *line, const char *login, const char *password,
    unsigned char mac[CACHE_MAC])
{
	unsigned char stamp[CACHE_STAMP];
	struct conf_fault fault;
	struct table t;

	assert_true(read_text(line, &t, &fault));
	check_stamp(table_find(&t, login), stamp);
	table_free(&t);
	cache_mac(c, stamp, login, password, mac);
}

static void test_cache(void **state)
{
	struct cache *c = cache_new(1024);
	unsigned char right[CACHE_MAC], other[CACHE_MAC];

	(void)state;
	assert_non_null(c);
	mac_of(c, "* seki-auth-imap a\n", "alice", "secret", right);
	assert_false(cache_has(c, 5, "alice", right));
	cache_put(c, 10, "alice", right);
	assert_true(cache_has(c, 9, "alice", right));
	assert_false(cache_has(c, 10, "alice", right));
	assert_false(cache_has(c, 9, "bob", right));

	/* Another password, login, or back end; and a boundary that is shifted. */
	mac_of(c, "* seki-auth-imap a\n", "alice", "Secret", other);
	assert_false(cache_has(c, 9, "alice", other));
	mac_of(c, "* seki-auth-imap b\n", "alice", "secret", other);
	assert_false(cache_has(c, 9, "alice", other));
	mac_of(c, "* seki-auth-imap a\n", "alices", "ecret", other);
	assert_memory_not_equal(other, right, CACHE_MAC);
	assert_true(cache_has(c, 9, "alice", right));

	/* Cleared: not even the very same mac is good. */
	assert_true(cache_clear(c));
	assert_false(cache_has(c, 9, "alice", right));
	mac_of(c, "* seki-auth-imap a\n", "alice", "secret", other);
	assert_memory_not_equal(other, right, CACHE_MAC);
	cache_free(c);
}

static void test_cache_is_bounded(void **state)
{
	struct cache *c = cache_new(1024);
	unsigned char mac[CACHE_MAC] = {1};
	char login[32];
	int kept = 0;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(login, sizeof login, "user%d", i);
		cache_put(c, 10, login, mac);
	}
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(login, sizeof login, "user%d", i);
		kept += cache_has(c, 5, login, mac) ? 1 : 0;
	}
	assert_int_equal(kept, 1024);
	cache_free(c);
}

/* A changed file of passwords is another stamp: what it said before is not believed any more. */
static void test_stamp_of_the_file(void **state)
{
	unsigned char before[CACHE_STAMP], after[CACHE_STAMP];
	char path[] = "/tmp/test_auth_stamp.XXXXXX";
	struct table t;
	int fd;

	(void)state;
	table_init(&t);
	assert_non_null(mkdtemp(path));
	assert_int_equal(chdir(path), 0);
	assert_int_equal(mkdir("etc", 0700), 0);
	check_stamp(table_find(&t, "alice"), before);
	check_stamp(table_find(&t, "alice"), after);
	assert_memory_equal(before, after, CACHE_STAMP);

	fd = open(TABLE_FILE_PATH, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "a:b\n", 4), 4);
	check_stamp(table_find(&t, "alice"), after);
	assert_memory_not_equal(before, after, CACHE_STAMP);
	close(fd);
	(void)unlink(TABLE_FILE_PATH);
	(void)rmdir("etc");
	assert_int_equal(chdir("/"), 0);
	(void)rmdir(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing_is_the_file),
	    cmocka_unit_test(test_first_line_decides),
	    cmocka_unit_test(test_faults),
	    cmocka_unit_test(test_cache),
	    cmocka_unit_test(test_cache_is_bounded),
	    cmocka_unit_test(test_stamp_of_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
