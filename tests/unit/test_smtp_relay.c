#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/smtp/relay.h"

/* A directory with a file "relay" of this text; -1 text: without the file. */
struct place {
	char path[64];
	int fd;
};

static struct place make(const char *text)
{
	struct place p = {.path = "/tmp/test_smtp_relay.XXXXXX"};
	int fd;

	assert_non_null(mkdtemp(p.path));
	p.fd = open(p.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p.fd >= 0);
	if (text != NULL) {
		fd = openat(p.fd, "relay", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, text, strlen(text)), strlen(text));
		close(fd);
	}
	return p;
}

static void unmake(struct place *p)
{
	(void)unlinkat(p->fd, "relay", 0);
	close(p->fd);
	(void)rmdir(p->path);
}

static void load(const char *text, struct relay *relay)
{
	struct place p = make(text);
	struct conf_fault fault = {0};

	relay_init(relay);
	assert_true(relay_read(p.fd, relay, &fault));
	unmake(&p);
}

static void assert_fault(const char *text, unsigned line, unsigned column)
{
	struct place p = make(text);
	struct conf_fault fault = {0};
	struct relay relay;

	relay_init(&relay);
	assert_false(relay_read(p.fd, &relay, &fault));
	assert_int_equal(fault.line, line);
	assert_int_equal(fault.column, column);
	assert_true(strlen(fault.text) > 0);
	relay_free(&relay);
	unmake(&p);
}

static const struct relay_source *find(const struct relay *relay, const char *address)
{
	struct ip ip;

	assert_true(ip_parse(address, &ip));
	return relay_find(relay, &ip);
}

static bool may(const struct relay *relay, const char *address, const char *domain)
{
	const struct relay_source *source = find(relay, address);

	return source != NULL && relay_may_use(relay, source, domain, strlen(domain));
}

static void the_most_specific_line_wins(void **state)
{
	struct relay relay;

	(void)state;
	load("10.0.0.0/8 any\n10.1.0.0/16 @b.example # comment\n\n10.1.2.3 @c.example\n"
	     "2001:db8::/32 any\n0.0.0.0/0 @z.example\n",
	    &relay);
	assert_true(may(&relay, "10.200.0.1", "whatever.example"));
	assert_true(may(&relay, "10.1.9.9", "b.example"));
	assert_false(may(&relay, "10.1.9.9", "whatever.example"));
	assert_true(may(&relay, "10.1.2.3", "c.example"));
	assert_false(may(&relay, "10.1.2.3", "b.example"));
	assert_true(may(&relay, "192.0.2.1", "z.example"));
	assert_true(may(&relay, "2001:db8:ffff::1", "x"));
	assert_null(find(&relay, "2001:db9::1"));
	relay_free(&relay);
}

static void domains_and_subdomains(void **state)
{
	struct relay relay;

	(void)state;
	load("192.0.2.0/24 @Example.CO.jp @.sub.example\n", &relay);
	assert_true(may(&relay, "192.0.2.255", "example.co.jp"));
	assert_true(may(&relay, "192.0.2.0", "EXAMPLE.CO.JP"));
	assert_false(may(&relay, "192.0.2.1", "x.example.co.jp"));
	assert_false(may(&relay, "192.0.2.1", "badexample.co.jp"));
	assert_true(may(&relay, "192.0.2.1", "a.sub.example"));
	assert_true(may(&relay, "192.0.2.1", "a.b.SUB.example"));
	assert_false(may(&relay, "192.0.2.1", "sub.example"));
	assert_false(may(&relay, "192.0.2.1", "asub.example"));
	assert_null(find(&relay, "192.0.3.0"));
	relay_free(&relay);
}

static void v4_and_v6_are_apart(void **state)
{
	struct relay relay;

	(void)state;
	load("::/0 any\n::1 @local.example\n", &relay);
	assert_null(find(&relay, "192.0.2.1"));
	assert_null(find(&relay, "::ffff:192.0.2.1"));
	assert_true(may(&relay, "::1", "local.example"));
	assert_false(may(&relay, "::1", "other.example"));
	relay_free(&relay);

	load("192.0.2.1/32 any\n", &relay);
	assert_non_null(find(&relay, "::ffff:192.0.2.1"));
	relay_free(&relay);
}

static void faults_name_line_and_column(void **state)
{
	(void)state;
	assert_fault(NULL, 0, 0);
	assert_fault("192.0.2.1/24 any\n", 1, 1);
	assert_fault("# x\n\n  192.0.2.256 any\n", 3, 3);
	assert_fault("192.0.2.0/33 any\n", 1, 11);
	assert_fault("192.0.2.0/ any\n", 1, 11);
	assert_fault("192.0.2.0/024 any\n", 1, 11);
	assert_fault("192.0.2.0/x any\n", 1, 11);
	assert_fault("2001:db8::/129 any\n", 1, 12);
	assert_fault("2001:db8::1/64 any\n", 1, 1);
	assert_fault("::ffff:192.0.2.0/120 any\n", 1, 1);
	assert_fault("localhost any\n", 1, 1);
	assert_fault("192.0.2.1\n", 1, 0);
	assert_fault("192.0.2.1 example.co.jp\n", 1, 11);
	assert_fault("192.0.2.1 any @a_b.example\n", 1, 16);
	assert_fault("192.0.2.1 @\n", 1, 12);
	assert_fault("192.0.2.1 @.\n", 1, 13);
	assert_fault("192.0.2.1 any\n192.0.2.1/32 any\n", 2, 1);
}

static void half_a_file_is_a_fault(void **state)
{
	struct place p = make("192.0.2.1 any");
	struct conf_fault fault = {0};
	struct relay relay;

	(void)state;
	relay_init(&relay);
	assert_false(relay_read(p.fd, &relay, &fault));
	relay_free(&relay);
	unmake(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_most_specific_line_wins),
	    cmocka_unit_test(domains_and_subdomains),
	    cmocka_unit_test(v4_and_v6_are_apart),
	    cmocka_unit_test(faults_name_line_and_column),
	    cmocka_unit_test(half_a_file_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
