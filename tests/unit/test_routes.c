/* S2, features 3.6: where mail for a domain goes, and every fault of the file that says so. */
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
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/routes/routes.h"

static struct routes *load(const char *text)
{
	struct conf_fault fault = {0};
	struct routes *routes = routes_parse(text, strlen(text), "etc/routes", &fault);

	if (routes == NULL)
		fail_msg("%u:%u: %s", fault.line, fault.column, fault.text);
	return routes;
}

/* `expected` is the whole of what is told. */
static void assert_blames(const char *text, const char *expected)
{
	struct conf_fault fault = {0};
	char shown[512];

	assert_null(routes_parse(text, strlen(text), "r", &fault));
	conf_fault_show(&fault, shown, sizeof shown);
	assert_string_equal(shown, expected);
}

static void assert_goes(const struct routes *routes, const char *domain, const char *expected)
{
	const struct route *route = routes_find(routes, domain, strlen(domain));
	struct buf text;

	if (expected == NULL) {
		assert_null(route);
		return;
	}
	assert_non_null(route);
	buf_init(&text, 65536);
	route_show(route, &text);
	buf_add(&text, "", 1);
	assert_true(buf_ok(&text));
	assert_string_equal(text.bytes, expected);
	buf_free(&text);
}

static void without_a_file_no_line_decides(void **state)
{
	static const char *const texts[] = {"", "# nothing\n", "\n\n"};
	struct conf_fault fault = {0};
	int etc = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct routes *routes = routes_read(etc, &fault);

	(void)state;
	assert_non_null(routes);
	assert_int_equal(routes_count(routes), 0);
	assert_goes(routes, "example.com", NULL);
	routes_free(routes);
	close(etc);
	routes_free(NULL);
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		routes = load(texts[i]);
		assert_goes(routes, "example.com", NULL);
		assert_goes(routes, "", NULL);
		routes_free(routes);
	}
}

/* In each order of the lines: exact, then the longest @.domain, then *. */
static void the_most_specific_line_decides(void **state)
{
	static const char *const lines[] = {"* refuse:all\n", "@.example.com refuse:below\n",
	    "@example.com refuse:exact\n", "@.a.example.com refuse:deeper\n",
	    "@x.a.example.com refuse:deepest\n"};

	(void)state;
	for (size_t first = 0; first < COUNT_OF(lines); first++) {
		char text[512] = "";
		struct routes *routes;

		for (size_t i = 0; i < COUNT_OF(lines); i++)
			strncat(text, lines[(first + i * 2) % COUNT_OF(lines)], 100);
		routes = load(text);
		assert_goes(routes, "example.com", "@example.com refuse:exact");
		assert_goes(routes, "EXAMPLE.Com", "@example.com refuse:exact");
		assert_goes(routes, "b.example.com", "@.example.com refuse:below");
		assert_goes(routes, "a.example.com", "@.example.com refuse:below");
		assert_goes(routes, "c.b.example.com", "@.example.com refuse:below");
		assert_goes(routes, "b.A.example.com", "@.a.example.com refuse:deeper");
		assert_goes(routes, "x.a.example.com", "@x.a.example.com refuse:deepest");
		assert_goes(routes, "y.x.a.example.com", "@.a.example.com refuse:deeper");
		assert_goes(routes, "xexample.com", "* refuse:all");
		assert_goes(routes, "com", "* refuse:all");
		assert_goes(routes, "example.com.", "* refuse:all");
		assert_goes(routes, ".example.com", "* refuse:all"); /* no domain at all */
		assert_goes(routes, "", "* refuse:all");
		assert_goes(routes, "[192.0.2.1]", "* refuse:all");
		assert_int_equal(routes_count(routes), 5);
		routes_free(routes);
	}
}

static void without_a_star_the_rest_has_no_line(void **state)
{
	struct routes *routes = load("@.example.com mx\n@[192.0.2.1] mx\n@\xe4\xbe\x8b.jp mx\n");
	char longest[600];

	(void)state;
	assert_goes(routes, "example.com", NULL);
	assert_goes(routes, "a.example.com", "@.example.com mx");
	assert_goes(routes, "[192.0.2.1]", "@[192.0.2.1] mx");
	assert_goes(routes, "\xe4\xbe\x8b.jp", "@\xe4\xbe\x8b.jp mx");
	assert_null(routes_find(routes, "a.example.com", 12));
	assert_non_null(routes_find(routes, "a.example.comx", 13)); /* as far as its length goes */
	assert_null(routes_find(routes, "a.example.com\0", 14));

	/* The caller's bounds are not ours. */
	memset(longest, 'a', sizeof longest);
	assert_null(routes_find(routes, longest, sizeof longest));
	memset(longest, '.', sizeof longest);
	assert_null(routes_find(routes, longest, sizeof longest));
	assert_null(routes_find(routes, longest, 255));
	routes_free(routes);
}

static void hosts_stand_in_their_order(void **state)
{
	struct routes *routes =
	    load("@a host:one.example,host:Two.example:587,host:[192.0.2.1]:2525,"
		 "host:[2001:db8::1],host:[2001:DB8::2]:65535\n");
	const struct route *route = routes_find(routes, "a", 1);

	(void)state;
	assert_int_equal(route->kind, ROUTE_HOSTS);
	assert_int_equal(route->hosts, 5);
	assert_string_equal(route->host[0].name, "one.example");
	assert_int_equal(route->host[0].port, 25);
	assert_false(route->host[0].address);
	assert_string_equal(route->host[1].name, "Two.example");
	assert_int_equal(route->host[1].port, 587);
	assert_string_equal(route->host[2].name, "192.0.2.1");
	assert_int_equal(route->host[2].port, 2525);
	assert_true(route->host[2].address);
	assert_string_equal(route->host[3].name, "2001:db8::1");
	assert_int_equal(route->host[3].port, 25);
	assert_int_equal(route->host[4].port, 65535);
	assert_goes(routes, "a",
	    "@a host:one.example:25,host:Two.example:587,host:[192.0.2.1]:2525,"
	    "host:[2001:db8::1]:25,host:[2001:DB8::2]:65535");
	routes_free(routes);
}

static void options_are_kept(void **state)
{
	struct routes *routes = load(
	    "@a mx\n"
	    "@b host:h tls=may login=prov-1.x sessions=1000 ipv=any expire=36h retry=90s warn=1h\n"
	    "@c mx tls=none ipv=4 expire=2w # a comment\n"
	    "@d mx ipv=6 sessions=1\n"
	    "@e maildir:out/box expire=365d retry=7d\n"
	    "@f refuse\n@g host:h login=prov-1.x\n@h host:h login=other\n");
	const struct route *route = routes_find(routes, "a", 1);

	(void)state;
	assert_int_equal(route->kind, ROUTE_MX);
	assert_int_equal(route->tls, ROUTE_TLS_UNSAID);
	assert_int_equal(route->ip, ROUTE_IP_UNSAID);
	assert_int_equal(route->expire + route->retry, 0);
	assert_int_equal(route->sessions, 0);
	assert_null(route->login);
	assert_null(route->host);
	assert_string_equal(route->word, "");
	assert_int_equal(route->line, 1);

	route = routes_find(routes, "b", 1);
	assert_int_equal(route->tls, ROUTE_TLS_MAY);
	assert_string_equal(route->login, "prov-1.x");
	assert_int_equal(route->sessions, 1000);
	assert_int_equal(route->ip, ROUTE_IP_ANY);
	assert_int_equal(route->expire, 36 * 3600 * CLOCK_SECOND);
	assert_int_equal(route->retry, 90 * CLOCK_SECOND);
	assert_goes(routes, "b",
	    "@b host:h:25 tls=may login=prov-1.x sessions=1000 ipv=any expire=36h retry=90s "
	    "warn=1h");
	assert_goes(routes, "c", "@c mx tls=none ipv=4 expire=2w");
	assert_goes(routes, "d", "@d mx sessions=1 ipv=6");
	assert_goes(routes, "e", "@e maildir:out/box expire=365d retry=1w");
	assert_goes(routes, "f", "@f refuse");
	assert_string_equal(routes_find(routes, "e", 1)->word, "out/box");
	assert_ptr_equal(routes_find(routes, "g", 1)->login, route->login);
	assert_string_equal(routes_find(routes, "h", 1)->login, "other");
	routes_free(routes);
}

static void domains_are_checked(void **state)
{
	(void)state;
	assert_blames("example.com mx\n", "r:1:1: a domain begins with @: @example.com?");
	assert_blames(
	    "*.example.com mx\n", "r:1:1: what is below a domain is written @.example.com");
	assert_blames(
	    "a@b mx\n", "r:1:1: a line begins with @example.com, @.example.com or *, not \"a@b\"");
	assert_blames(
	    "** mx\n", "r:1:1: a line begins with @example.com, @.example.com or *, not \"**\"");
	assert_blames("@ mx\n", "r:1:2: \"\" is no domain such as example.com");
	assert_blames(" @. mx\n", "r:1:4: \"\" is no domain such as example.com");
	assert_blames("@a..b mx\n", "r:1:2: \"a..b\" is no domain such as example.com");
	assert_blames("@..b mx\n", "r:1:3: \".b\" is no domain such as example.com");
	assert_blames("@a. mx\n", "r:1:2: \"a.\" is no domain such as example.com");
	assert_blames("@a,@b mx\n", "r:1:2: \"a,@b\" is no domain such as example.com");
	assert_blames("@[192.0.2] mx\n", "r:1:2: \"[192.0.2]\" is no domain such as example.com");
	assert_blames(
	    "@.[192.0.2.1] mx\n", "r:1:3: \"[192.0.2.1]\" is no domain such as example.com");
	assert_blames("@a\x01 mx\n", "r:1:3: a control character (byte 0x01)");
}

static void lengths_are_bounded(void **state)
{
	char text[700];
	struct routes *routes;

	(void)state;
	memset(text, 'a', sizeof text);
	text[0] = '@';
	for (size_t i = 60; i < 250; i += 60)
		text[i] = '.';
	memcpy(text + 256, " mx\n", 5);
	routes = load(text);
	assert_non_null(routes_find(routes, text + 1, 255));
	routes_free(routes);
	memcpy(text + 256, "a mx\n", 6);
	assert_blames(text, "r:1:2: the domain is longer than 255 bytes");

	(void)snprintf(text, sizeof text, "@%064d mx\n", 0);
	assert_blames(text,
	    "r:1:2: \"0000000000000000000000000000000000000000000000000000000000000000\" is no "
	    "domain such as example.com");
	(void)snprintf(text, sizeof text, "@%063d mx\n", 0);
	routes_free(load(text));

	(void)snprintf(text, sizeof text, "@a refuse:%064d\n", 0);
	routes_free(load(text));
	(void)snprintf(text, sizeof text, "@a refuse:%065d\n", 0);
	assert_blames(
	    text, "r:1:11: why it is refused is one word of letters, digits, - and _, at most 64");
	(void)snprintf(text, sizeof text, "@a maildir:%0255d\n", 0);
	routes_free(load(text));
	(void)snprintf(text, sizeof text, "@a maildir:%0256d\n", 0);
	assert_blames(
	    text, "r:1:12: a path relative to the instance was expected, of at most 255 bytes");
}

static void a_domain_stands_once(void **state)
{
	(void)state;
	assert_blames("@a mx\n\n@A refuse\n", "r:3:1: @A stands in line 1 already");
	assert_blames("@.a mx\n@b mx\n@.A refuse\n", "r:3:1: @.A stands in line 1 already");
	assert_blames("# all\n* mx\n* mx\n", "r:3:1: * stands in line 2 already");
	routes_free(load("@a mx\n@.a mx\n* mx\n"));
}

static void routes_are_checked(void **state)
{
	static const char form[] = "a route is mx, host:NAME[:PORT], maildir:PATH or refuse, not ";
	char expected[300];

	(void)state;
	assert_blames("@a\n", "r:1: where does it go? A route such as mx is missing");
	(void)snprintf(expected, sizeof expected, "r:1:4: %s\"hots:a\": host?", form);
	assert_blames("@a hots:a\n", expected);
	(void)snprintf(expected, sizeof expected, "r:1:4: %s\"maildri:a\": maildir?", form);
	assert_blames("@a maildri:a\n", expected);
	(void)snprintf(expected, sizeof expected, "r:1:4: %s\"reject\"", form);
	assert_blames("@a reject\n", expected);
	(void)snprintf(expected, sizeof expected, "r:1:4: %s\"MX\"", form);
	assert_blames("@a MX\n", expected);
	assert_blames("@a mx:25\n", "r:1:4: mx was expected, not \"mx:25\"");
	assert_blames("@a host\n", "r:1:4: host:NAME[:PORT] was expected, not \"host\"");
	assert_blames("@a maildir\n", "r:1:4: maildir:PATH was expected, not \"maildir\"");
	assert_blames("@a refuse:\n",
	    "r:1:11: why it is refused is one word of letters, digits, - and _, at most 64");
	assert_blames("@a refuse:a.b\n",
	    "r:1:11: why it is refused is one word of letters, digits, - and _, at most 64");
	assert_blames("@a maildir:/var/mail\n",
	    "r:1:12: a path relative to the instance was expected, of at most 255 bytes");
	assert_blames("@a maildir:\n",
	    "r:1:12: a path relative to the instance was expected, of at most 255 bytes");
	assert_blames(
	    "@a maildir:a/../b\n", "r:1:14: the path must not leave the instance: no \"..\"");
	assert_blames("@a maildir:..\n", "r:1:12: the path must not leave the instance: no \"..\"");
	routes_free(load("@a maildir:..a/b..//c\n"));
}

static void hosts_are_checked(void **state)
{
	char text[600] = "@a host:a";

	(void)state;
	assert_blames("@a host:\n", "r:1:9: a host is missing");
	assert_blames("@a host::25\n", "r:1:9: a host is missing");
	assert_blames("@a host:a,\n", "r:1:11: behind a comma another host was expected: host:");
	assert_blames("@a host:a,b\n", "r:1:11: behind a comma another host was expected: host:b");
	assert_blames("@a host:a,host:\n", "r:1:16: a host is missing");
	assert_blames("@a host:a:0\n", "r:1:11: a port is 1 to 65535, not \"0\"");
	assert_blames("@a host:a:65536\n", "r:1:11: a port is 1 to 65535, not \"65536\"");
	assert_blames("@a host:a:025\n", "r:1:11: a port is 1 to 65535, not \"025\"");
	assert_blames("@a host:a:\n", "r:1:11: a port is 1 to 65535, not \"\"");
	assert_blames("@a host:a:smtp\n", "r:1:11: a port is 1 to 65535, not \"smtp\"");
	assert_blames("@a host:a:25:26\n", "r:1:11: a port is 1 to 65535, not \"25:26\"");
	assert_blames(
	    "@a host:192.0.2.1\n", "r:1:9: an address stands in brackets: host:[192.0.2.1]?");
	assert_blames("@a host:b,host:192.0.2.1:25\n",
	    "r:1:16: an address stands in brackets: host:[192.0.2.1]:25?");
	assert_blames(
	    "@a host:2001:db8::1\n", "r:1:9: an address stands in brackets: host:[2001:db8::1]?");
	assert_blames("@a host:[192.0.2]\n",
	    "r:1:9: an address such as [192.0.2.1] or [2001:db8::1] was expected, not "
	    "\"[192.0.2]\"");
	assert_blames("@a host:[2001:db8::1\n",
	    "r:1:9: an address such as [192.0.2.1] or [2001:db8::1] was expected, not "
	    "\"[2001:db8::1\"");
	assert_blames("@a host:[192.0.2.1]25\n",
	    "r:1:9: an address such as [192.0.2.1] or [2001:db8::1] was expected, not "
	    "\"[192.0.2.1]25\"");
	assert_blames("@a host:a_b@c\n", "r:1:9: \"a_b@c\" is no name of a host");
	assert_blames("@a host:a..b\n", "r:1:9: \"a..b\" is no name of a host");

	for (size_t i = 1; i < ROUTE_HOSTS_MAX; i++)
		strcat(text, ",host:a");
	strcat(text, "\n");
	routes_free(load(text));
	text[strlen(text) - 1] = '\0';
	strcat(text, ",host:a\n");
	assert_blames(text, "r:1:121: more than 16 hosts");
}

static void options_are_checked(void **state)
{
	(void)state;
	assert_blames("@a mx tls\n", "r:1:7: OPTION=VALUE was expected, with no blanks in it");
	assert_blames(
	    "@a mx tls = may\n", "r:1:7: OPTION=VALUE was expected, with no blanks in it");
	assert_blames("@a mx expires=5d\n", "r:1:7: no option \"expires\": expire?");
	assert_blames("@a mx colour=red\n", "r:1:7: no option \"colour\"");
	assert_blames("@a mx =red\n", "r:1:7: no option \"\"");
	assert_blames("@a mx tls=may tls=may\n", "r:1:15: a line says tls= once");
	assert_blames("@a mx tls=must\n", "r:1:11: tls is one of none may, not \"must\"");
	assert_blames("@a mx tls=nnoe\n", "r:1:11: tls is one of none may, not \"nnoe\": none?");
	assert_blames("@a mx ipv=5\n", "r:1:11: ipv is one of 4 6 any, not \"5\"");
	assert_blames("@a mx ipv=\n", "r:1:11: ipv is one of 4 6 any, not \"\"");
	assert_blames("@a mx sessions=0\n", "r:1:16: sessions is 1 to 1000, not \"0\"");
	assert_blames("@a mx sessions=1001\n", "r:1:16: sessions is 1 to 1000, not \"1001\"");
	assert_blames("@a mx sessions=5x\n", "r:1:16: sessions is 1 to 1000, not \"5x\"");
	assert_blames("@a mx sessions=99999999999999999999\n",
	    "r:1:16: sessions is 1 to 1000, not \"99999999999999999999\"");
	assert_blames("@a mx expire=5\n", "r:1:14: 5 needs a unit: 5s, 5m, 5h or 5d?");
	assert_blames("@a mx expire=5y\n",
	    "r:1:14: expire is a whole number and a unit (s m h d w), not \"5y\"");
	assert_blames(
	    "@a mx expire=\n", "r:1:14: expire is a whole number and a unit (s m h d w), not \"\"");
	assert_blames("@a mx expire=1.5h\n",
	    "r:1:14: expire is a whole number and a unit (s m h d w), not \"1.5h\"");
	assert_blames("@a mx expire=0s\n", "r:1:14: expire is 1s to 365d, not 0s");
	assert_blames("@a mx expire=366d\n", "r:1:14: expire is 1s to 365d, not 366d");
	assert_blames(
	    "@a mx retry=9999999999999w\n", "r:1:13: retry is 1s to 7d, not 9999999999999w");
	assert_blames("@a mx retry=8d\n", "r:1:13: retry is 1s to 7d, not 8d");
}

/* What would have no meaning is not taken in silence. */
static void options_fit_their_route(void **state)
{
	static const char *const nowhere[][2] = {{"mx", "login=x"}, {"maildir:x", "login=x"},
	    {"maildir:x", "tls=may"}, {"maildir:x", "sessions=1"}, {"maildir:x", "ipv=4"},
	    {"refuse", "tls=may"}, {"refuse", "login=x"}, {"refuse", "sessions=1"},
	    {"refuse", "ipv=4"}, {"refuse", "expire=1d"}, {"refuse", "retry=1m"},
	    {"refuse", "warn=1m"}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(nowhere); i++) {
		char text[64];
		struct conf_fault fault = {0};

		(void)snprintf(text, sizeof text, "@a %s %s\n", nowhere[i][0], nowhere[i][1]);
		assert_null(routes_parse(text, strlen(text), "r", &fault));
		assert_non_null(strstr(fault.text, "= means nothing for the route "));
		assert_int_equal(fault.column, 5 + strlen(nowhere[i][0]));
	}
	assert_blames("@a mx login=x\n", "r:1:7: login= means nothing for the route mx");
	assert_blames("@a host:h login=x tls=none\n",
	    "r:1:17: with tls=none the password would be sent for everybody to read");
	assert_blames("@a host:h tls=none login=x\n",
	    "r:1:26: with tls=none the password would be sent for everybody to read");
}

static void login_names_are_checked(void **state)
{
	static const char *const bad[] = {"", ".x", "../x", "a/b", "a:b",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	char text[20000] = "", line[120];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		(void)snprintf(line, sizeof line, "@a host:h login=%s\n", bad[i]);
		assert_blames(line,
		    "r:1:17: the name of a file in etc/logins/ was expected: letters, digits, - _ "
		    ". (at most 64, the first no .)");
	}
	for (unsigned i = 0; i < ROUTE_LOGINS_MAX; i++) {
		(void)snprintf(line, sizeof line, "@a%u host:h login=n%u\n", i, i);
		strcat(text, line);
	}
	strcat(text, "@b host:h login=n0\n");
	routes_free(load(text));
	strcat(text, "@c host:h login=n256\n");
	assert_blames(text, "r:258:17: more than 256 different logins");
}

/* ---- etc/logins/ -------------------------------------------------------------------------- */

struct place {
	char path[64];
	int etc;
};

static void make_place(struct place *p)
{
	strcpy(p->path, "/tmp/test_routes.XXXXXX");
	assert_non_null(mkdtemp(p->path));
	p->etc = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p->etc >= 0);
	assert_int_equal(mkdirat(p->etc, "logins", 0700), 0);
}

static void end_place(struct place *p)
{
	(void)unlinkat(p->etc, "logins/x", 0);
	assert_int_equal(unlinkat(p->etc, "logins", AT_REMOVEDIR), 0);
	close(p->etc);
	assert_int_equal(rmdir(p->path), 0);
}

static void write_secret(const struct place *p, const char *text, size_t len, mode_t mode)
{
	int fd = openat(p->etc, "logins/x", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void a_login_is_read(void **state)
{
	static const struct {
		const char *text, *login, *password;
	} good[] = {{"me@example.com s3cret\n", "me@example.com", "s3cret"}, {"a b", "a", "b"},
	    {"a with two blanks\n", "a", "with two blanks"}, {"a #=\"\\\n", "a", "#=\"\\"},
	    {"a \xe9\x96\xa2\n", "a", "\xe9\x96\xa2"}};
	struct route_login login;
	struct conf_fault fault;
	struct place p;

	(void)state;
	make_place(&p);
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		write_secret(&p, good[i].text, strlen(good[i].text), 0640);
		assert_true(route_login_read(p.etc, "x", &login, &fault));
		assert_string_equal(login.login, good[i].login);
		assert_string_equal(login.password, good[i].password);
		route_login_wipe(&login);
		for (size_t k = 0; k < sizeof login; k++)
			assert_int_equal(((const char *)&login)[k], 0);
	}
	end_place(&p);
}

/* S4: a fault tells where, and never what stands there. */
static void a_login_that_is_wrong_is_told_without_it(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		mode_t mode;
		const char *told;
	} bad[] = {
	    {"hush hush\n", 10, 0644,
		"etc/logins/x: is open to everybody on this machine: chmod 0640 etc/logins/x, "
		"and change the password"},
	    {"hush hush\n", 10, 0602,
		"etc/logins/x: is open to everybody on this machine: chmod 0640 etc/logins/x, "
		"and change the password"},
	    {"hush hush\nhush\n", 15, 0640,
		"etc/logins/x: more than one line: a login, one blank and a password were "
		"expected"},
	    {"", 0, 0640, "etc/logins/x:1:1: the login is missing"},
	    {" hush\n", 6, 0640, "etc/logins/x:1:1: the login is missing"},
	    {"hush\n", 5, 0640,
		"etc/logins/x:1:5: the password is missing: a login, one blank and a password "
		"were expected"},
	    {"hush \n", 6, 0640,
		"etc/logins/x:1:5: the password is missing: a login, one blank and a password "
		"were expected"},
	    {"hush  hush\n", 11, 0640,
		"etc/logins/x:1:6: one blank stands before the password, and none behind it"},
	    {"hush hush \n", 11, 0640,
		"etc/logins/x:1:6: one blank stands before the password, and none behind it"},
	    {"hush\thush\n", 10, 0640, "etc/logins/x:1:5: a control character"},
	    {"hush hush\r\n", 11, 0640, "etc/logins/x:1:10: a control character"},
	    {"hush h\0sh\n", 10, 0640, "etc/logins/x:1:7: a control character"},
	};
	static const struct route_login blank;
	struct route_login login;
	struct conf_fault fault;
	struct place p;
	char shown[512], text[2000];

	(void)state;
	make_place(&p);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		write_secret(&p, bad[i].text, bad[i].len, bad[i].mode);
		assert_false(route_login_read(p.etc, "x", &login, &fault));
		conf_fault_show(&fault, shown, sizeof shown);
		assert_string_equal(shown, bad[i].told);
		assert_null(strstr(shown, "hush"));
		assert_memory_equal(&login, &blank, sizeof login);
	}

	memset(text, 'a', sizeof text);
	memcpy(text + 256, " b\n", 3);
	/* Root can read it, and the gateway, which is not root, cannot. */
	if (geteuid() == 0) {
		write_secret(&p, "hush hush\n", 10, 0600);
		assert_false(route_login_read(p.etc, "x", &login, &fault));
		assert_non_null(strstr(fault.text, "chmod 0640 etc/logins/x"));
	}
	write_secret(&p, text, 259, 0640);
	assert_false(route_login_read(p.etc, "x", &login, &fault));
	assert_string_equal(fault.text, "longer than 255 bytes");
	memcpy(text + 255, " b\n", 3);
	write_secret(&p, text, 258, 0640);
	assert_true(route_login_read(p.etc, "x", &login, &fault));
	memset(text, 'a', sizeof text);
	text[1] = ' ';
	write_secret(&p, text, 258, 0640);
	assert_false(route_login_read(p.etc, "x", &login, &fault));
	assert_int_equal(fault.column, 3);
	write_secret(&p, text, 257, 0640);
	assert_true(route_login_read(p.etc, "x", &login, &fault));
	write_secret(&p, text, sizeof text, 0640);
	assert_false(route_login_read(p.etc, "x", &login, &fault));
	assert_non_null(strstr(fault.text, "is too long"));
	end_place(&p);
}

static void every_login_is_checked(void **state)
{
	struct routes *routes = load("@a host:h login=x\n@b host:h login=x\n  @c host:h login=y\n");
	struct route_login login;
	struct conf_fault fault;
	struct place p;
	char shown[512];

	(void)state;
	make_place(&p);
	assert_false(routes_check_logins(routes, p.etc, &fault));
	conf_fault_show(&fault, shown, sizeof shown);
	assert_string_equal(shown, "etc/routes:1:17: the file etc/logins/x is missing");
	write_secret(&p, "l p\n", 4, 0640);
	assert_false(routes_check_logins(routes, p.etc, &fault));
	conf_fault_show(&fault, shown, sizeof shown);
	assert_string_equal(shown, "etc/routes:3:19: the file etc/logins/y is missing");
	routes_free(routes);

	routes = load("@a host:h login=x\n");
	assert_true(routes_check_logins(routes, p.etc, &fault));
	write_secret(&p, "l\n", 2, 0640);
	assert_false(routes_check_logins(routes, p.etc, &fault));
	assert_string_equal(fault.file, "etc/logins/x");
	assert_int_equal(unlinkat(p.etc, "logins/x", 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", p.etc, "logins/x"), 0);
	assert_false(routes_check_logins(routes, p.etc, &fault));
	assert_string_equal(
	    fault.text, "etc/logins/x is a symbolic link: a regular file was expected");
	assert_false(route_login_read(p.etc, "../x", &login, &fault));
	assert_string_equal(fault.text, "no name of a file in etc/logins/");
	routes_free(routes);
	end_place(&p);
}

/* ---- many ----------------------------------------------------------------------------------- */

static double now(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* 100,000 lines within a second, and three times as many questions. */
static void many_routes(void **state)
{
	size_t room = 16 * 1024 * 1024, len = 0;
	char *text = malloc(room);
	struct conf_fault fault = {0};
	struct routes *routes;
	double begun;

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < 100000; i++)
		len += (size_t)snprintf(text + len, room - len,
		    i % 2 == 0 ? "@d%d.example.com mx expire=1d\n"
			       : "@.d%d.example.com host:h%d.example.net:587 login=x\n",
		    i, i);
	assert_true(len < room);

	begun = now();
	routes = routes_parse(text, len, "r", &fault);
	assert_non_null(routes);
	assert_int_equal(routes_count(routes), 100000);
	for (unsigned i = 0; i < 100000; i++) {
		char domain[80];
		const struct route *route;
		int n = snprintf(domain, sizeof domain, "A.B.C.d%u.Example.com", i);

		route = routes_find(routes, domain, (size_t)n);
		assert_true((route != NULL) == (i % 2 == 1));
		assert_true(route == NULL || route->line == i + 1);
		route = routes_find(routes, domain + 6, (size_t)n - 6);
		assert_true((route != NULL) == (i % 2 == 0));
		assert_true(route == NULL || route->line == i + 1);
		assert_null(routes_find(routes, domain + 7, (size_t)n - 7));
	}
#ifndef __SANITIZE_ADDRESS__
	assert_true(now() - begun < 1.0);
#else
	assert_true(now() - begun < 10.0);
#endif
	routes_free(routes);
	free(text);
}

static void there_is_a_bound(void **state)
{
	size_t room = 16 * 1024 * 1024, len = 0;
	char *text = malloc(room);
	struct conf_fault fault = {0};

	(void)state;
	assert_non_null(text);
	for (int i = 0; i <= ROUTES_MAX; i++)
		len += (size_t)snprintf(text + len, room - len, "@d%d mx\n", i);
	assert_null(routes_parse(text, len, "r", &fault));
	assert_int_equal(fault.line, ROUTES_MAX + 1);
	assert_string_equal(fault.text, "more than 200000 routes");
	free(text);
}

static char *sample(bool examples)
{
	static char text[16384];
	FILE *file = fopen("etc/routes", "re");
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, sizeof text - 1, file);
	assert_true(len > 0 && len < sizeof text - 1);
	text[len] = '\0';
	fclose(file);
	/* "#@example..." is an example; a comment has a blank behind its '#'. */
	for (size_t i = 0; examples && i + 1 < len; i++) {
		if (text[i] == '#' && (i == 0 || text[i - 1] == '\n') &&
		    (text[i + 1] == '@' || text[i + 1] == '*'))
			text[i] = ' ';
	}
	return text;
}

static void the_sample_says_nothing_and_its_examples_are_right(void **state)
{
	struct routes *routes = load(sample(false));

	(void)state;
	assert_int_equal(routes_count(routes), 0);
	routes_free(routes);
	routes = load(sample(true));
	assert_int_equal(routes_count(routes), 6);
	assert_goes(routes, "else.example", "* host:smtp.provider.example:587 login=provider");
	assert_goes(routes, "tokyo.partner.example", "@.partner.example mx ipv=4");
	routes_free(routes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_a_file_no_line_decides),
	    cmocka_unit_test(the_most_specific_line_decides),
	    cmocka_unit_test(without_a_star_the_rest_has_no_line),
	    cmocka_unit_test(hosts_stand_in_their_order),
	    cmocka_unit_test(options_are_kept),
	    cmocka_unit_test(domains_are_checked),
	    cmocka_unit_test(lengths_are_bounded),
	    cmocka_unit_test(a_domain_stands_once),
	    cmocka_unit_test(routes_are_checked),
	    cmocka_unit_test(hosts_are_checked),
	    cmocka_unit_test(options_are_checked),
	    cmocka_unit_test(options_fit_their_route),
	    cmocka_unit_test(login_names_are_checked),
	    cmocka_unit_test(a_login_is_read),
	    cmocka_unit_test(a_login_that_is_wrong_is_told_without_it),
	    cmocka_unit_test(every_login_is_checked),
	    cmocka_unit_test(many_routes),
	    cmocka_unit_test(there_is_a_bound),
	    cmocka_unit_test(the_sample_says_nothing_and_its_examples_are_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
