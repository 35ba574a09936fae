/* S2, features 3.6: from a route and an answer to the addresses that are tried, and their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/routes/peers.h"

static struct settings settings;
static struct routes *lines, *fallback;
static struct resolve_answer answer;
static struct peers peers;

/* The lines of etc/routes, and the setting "route". */
static void given(const char *text, const char *setting)
{
	struct conf_fault fault = {0};

	settings_default(&settings);
	(void)snprintf(settings.route, sizeof settings.route, "%s", setting);
	routes_free(lines);
	routes_free(fallback);
	lines = routes_parse(text, strlen(text), "etc/routes", &fault);
	if (lines == NULL)
		fail_msg("%u:%u: %s", fault.line, fault.column, fault.text);
	fallback = routes_of_setting(&settings, &fault);
	if (fallback == NULL)
		fail_msg("%s", fault.text);
	memset(&answer, 0, sizeof answer);
	memset(&peers, 0, sizeof peers);
}

static int forget(void **state)
{
	(void)state;
	routes_free(lines);
	routes_free(fallback);
	lines = fallback = NULL;
	return 0;
}

static struct manner manner(const char *domain)
{
	struct manner m;

	manner_of(&m, lines, fallback, &settings, domain, strlen(domain));
	return m;
}

/* ---- the manner --------------------------------------------------------------------------- */

static void what_a_line_does_not_say_the_settings_say(void **state)
{
	struct manner m;

	(void)state;
	given("@plain.example mx\n", "host:relay.example:2525");
	settings.deliver_sessions = 7;
	settings.deliver_addresses = 3;
	settings.mx_port = 1025;
	settings.retry_first = 11 * CLOCK_SECOND;
	settings.expire = 12 * CLOCK_SECOND;

	m = manner("plain.example");
	assert_int_equal(m.kind, ROUTE_MX);
	assert_string_equal(m.route->domain, "@plain.example");
	assert_int_equal(m.ip, ROUTE_IP_ANY);
	assert_true(m.tls);
	assert_null(m.login);
	assert_int_equal(m.sessions, 7);
	assert_int_equal(m.addresses, 3);
	assert_int_equal(m.mx_port, 1025);
	assert_int_equal(m.retry, 11 * CLOCK_SECOND);
	assert_int_equal(m.expire, 12 * CLOCK_SECOND);

	settings.deliver_tls = DELIVER_TLS_NONE;
	settings.deliver_ip = DELIVER_IP_6;
	m = manner("plain.example");
	assert_false(m.tls);
	assert_int_equal(m.ip, ROUTE_IP_6);
	settings.deliver_ip = DELIVER_IP_4;
	assert_int_equal(manner("plain.example").ip, ROUTE_IP_4);

	m = manner("other.example");
	assert_int_equal(m.kind, ROUTE_HOSTS);
	assert_string_equal(m.route->domain, "*");
	assert_string_equal(m.route->host[0].name, "relay.example");
	assert_int_equal(m.route->host[0].port, 2525);
}

static void what_a_line_says_decides(void **state)
{
	struct manner m;

	(void)state;
	given("@some.example host:h.example tls=may login=l sessions=3 ipv=4 expire=2h retry=9s\n"
	      "@bare.example mx tls=none ipv=any\n",
	    "refuse:no");
	settings.deliver_tls = DELIVER_TLS_NONE;
	settings.deliver_ip = DELIVER_IP_6;

	m = manner("SOME.example");
	assert_int_equal(m.ip, ROUTE_IP_4);
	assert_true(m.tls);
	assert_string_equal(m.login, "l");
	assert_int_equal(m.sessions, 3);
	assert_int_equal(m.retry, 9 * CLOCK_SECOND);
	assert_int_equal(m.expire, 7200 * CLOCK_SECOND);

	settings.deliver_tls = DELIVER_TLS_MAY;
	m = manner("bare.example");
	assert_false(m.tls);
	assert_int_equal(m.ip, ROUTE_IP_ANY);
	m = manner("");
	assert_int_equal(m.kind, ROUTE_REFUSE);
	assert_string_equal(m.route->word, "no");
}

/* S4: a password goes within TLS or not at all. */
static void a_login_wants_tls_whatever_the_setting_says(void **state)
{
	(void)state;
	given("@a.example host:h.example login=l\n", "mx");
	settings.deliver_tls = DELIVER_TLS_NONE;
	assert_true(manner("a.example").tls);
	assert_false(manner("b.example").tls);
}

static void the_setting_route_is_read_as_a_line(void **state)
{
	static const struct {
		const char *route, *text;
		unsigned column;
	} bad[] = {
	    {"host:a:0", "etc/settings: route: a port is 1 to 65535, not \"0\"", 8},
	    {"mx:5", "etc/settings: route: mx was expected, not \"mx:5\"", 1},
	    {"host:my_host", "etc/settings: route: \"my_host\" is no name of a host", 6},
	};
	struct conf_fault fault = {0};
	char shown[512];

	(void)state;
	settings_default(&settings);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		(void)snprintf(settings.route, sizeof settings.route, "%s", bad[i].route);
		assert_null(routes_of_setting(&settings, &fault));
		conf_fault_show(&fault, shown, sizeof shown);
		assert_string_equal(shown, bad[i].text);
		assert_int_equal(fault.column, bad[i].column);
	}
	memset(settings.route, 'x', sizeof settings.route - 1);
	assert_null(routes_of_setting(&settings, &fault));
	given("", "maildir:outbox");
	assert_int_equal(manner("a.example").kind, ROUTE_MAILDIR);
}

/* ---- the question ------------------------------------------------------------------------- */

static void assert_asks(
    const char *domain, size_t nth, enum peers_question question, const char *about)
{
	struct manner m = manner(domain);
	char name[RESOLVE_NAME_MAX + 1];

	assert_int_equal(peers_ask(&m, domain, nth, name), question);
	assert_string_equal(name, about);
}

static void by_mx_there_is_one_question(void **state)
{
	(void)state;
	given("", "mx");
	assert_asks("Example.COM", 0, PEERS_MX, "example.com");
	assert_asks("\xe4\xbe\x8b.example", 0, PEERS_MX, "xn--fsq.example");
	assert_asks("example.com", 1, PEERS_NOTHING, "");
	assert_asks("[192.0.2.1]", 0, PEERS_NOTHING, "192.0.2.1");
	assert_asks("[192.0.2.1]", 1, PEERS_NOTHING, "");
	assert_asks("[IPv6:2001:DB8:0::1]", 0, PEERS_NOTHING, "2001:db8::1");
}

/* Nothing is asked, and nothing is tried, for what is no name: never for a part of it. */
static void what_is_no_name_is_not_asked_about(void **state)
{
	static const char *const none[] = {"", "a_b.example", "a..example", "[2001:db8::1]",
	    "[IPv6:192.0.2.1]", "[x:y]", "[]", "[192.0.2.1", "192.0.2.1]",
	    "[IPv6:2001:db8:0000:0000:0000:0000:0000:00001]"};
	char name[RESOLVE_NAME_MAX + 1], longest[RESOLVE_NAME_MAX + 10];
	struct manner m;

	(void)state;
	given("", "mx");
	for (size_t i = 0; i < COUNT_OF(none); i++) {
		m = manner(none[i]);
		assert_int_equal(peers_ask(&m, none[i], 0, name), PEERS_NOTHING);
		assert_true(name[0] != '\0');
		peers_add_literal(&peers, &m, none[i], 0);
		assert_int_equal(peers.n, 0);
	}

	/* Its beginning alone would be a good name. */
	for (size_t i = 0; i < sizeof longest - 1; i++)
		longest[i] = i % 10 == 9 ? '.' : 'a';
	longest[sizeof longest - 1] = '\0';
	m = manner(longest);
	assert_int_equal(peers_ask(&m, longest, 0, name), PEERS_NOTHING);
}

static void smart_hosts_are_asked_for_one_after_another(void **state)
{
	(void)state;
	given("@a.example host:One.example,host:[192.0.2.7]:26,host:two.example:2525\n"
	      "@m.example maildir:out\n@r.example refuse\n",
	    "mx");
	assert_asks("a.example", 0, PEERS_HOST, "one.example");
	assert_asks("a.example", 1, PEERS_NOTHING, "192.0.2.7");
	assert_asks("a.example", 2, PEERS_HOST, "two.example");
	assert_asks("a.example", 3, PEERS_NOTHING, "");
	assert_asks("a.example", SIZE_MAX, PEERS_NOTHING, "");
	assert_asks("m.example", 0, PEERS_NOTHING, "");
	assert_asks("r.example", 0, PEERS_NOTHING, "");
}

/* ---- the peers ---------------------------------------------------------------------------- */

/* Adds a host with so many addresses of each family, IPv6 first. */
static void host(const char *name, unsigned char number, size_t v6, size_t v4)
{
	struct resolve_host *h = &answer.host[answer.n_hosts++];

	(void)snprintf(h->name, sizeof h->name, "%s", name);
	h->status = RESOLVE_OK;
	for (size_t i = 0; i < v6 + v4; i++) {
		struct resolve_address *a = &h->address[h->n_addresses++];
		unsigned char last = (unsigned char)(i < v6 ? i + 1 : i - v6 + 1);

		*a = (struct resolve_address){.v6 = i < v6};
		if (a->v6) {
			a->bytes[0] = 0xfd;
			a->bytes[14] = number;
			a->bytes[15] = last;
		} else {
			memcpy(a->bytes, (unsigned char[]){10, 0, number, last}, 4);
		}
	}
}

/* "ADDRESS:PORT/NAME ..." */
static void assert_peers(const char *expected)
{
	char text[8192] = "";
	size_t used = 0;

	for (size_t i = 0; i < peers.n; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s:%u/%s",
		    i > 0 ? " " : "", peers.peer[i].address, peers.peer[i].port,
		    peers.peer[i].name);
	assert_string_equal(text, expected);
}

static void hosts_are_tried_in_the_answers_order_ipv6_first(void **state)
{
	struct manner m;

	(void)state;
	given("", "mx");
	host("b.example", 2, 1, 1);
	host("none.example", 9, 0, 0);
	host("a.example", 1, 0, 2);
	m = manner("x.example");
	peers_add(&peers, &m, &answer, 25);
	assert_peers("fd00::201:25/b.example 10.0.2.1:25/b.example 10.0.1.1:25/a.example "
		     "10.0.1.2:25/a.example");

	/* The same place is not tried twice; another port there is another place. */
	peers_add(&peers, &m, &answer, 25);
	assert_int_equal(peers.n, 4);
	peers_add(&peers, &m, &answer, 26);
	assert_int_equal(peers.n, 8);
	assert_int_equal(peers.peer[4].port, 26);
}

static void the_other_family_is_left_out(void **state)
{
	struct manner m;

	(void)state;
	given("@four.example mx ipv=4\n@six.example mx ipv=6\n", "mx");
	host("a.example", 1, 2, 2);
	m = manner("four.example");
	peers_add(&peers, &m, &answer, 25);
	assert_peers("10.0.1.1:25/a.example 10.0.1.2:25/a.example");
	peers.n = 0;
	m = manner("six.example");
	peers_add(&peers, &m, &answer, 25);
	assert_peers("fd00::101:25/a.example fd00::102:25/a.example");
}

static void no_more_than_the_bound_in_all(void **state)
{
	struct manner m;

	(void)state;
	given("", "mx");
	settings.deliver_addresses = 3;
	host("a.example", 1, 1, 1);
	host("b.example", 2, 1, 1);
	m = manner("x.example");
	peers_add(&peers, &m, &answer, 25);
	assert_peers("fd00::101:25/a.example 10.0.1.1:25/a.example fd00::201:25/b.example");
	peers_add(&peers, &m, &answer, 26);
	assert_int_equal(peers.n, 3);

	/* As many as there can be at all. */
	given("", "mx");
	settings.deliver_addresses = PEERS_MAX;
	for (unsigned i = 0; i < RESOLVE_HOSTS_MAX; i++)
		host("a.example", (unsigned char)i, 8, 8);
	m = manner("x.example");
	peers_add(&peers, &m, &answer, 25);
	assert_int_equal(peers.n, PEERS_MAX);
}

static void ipv6_does_not_take_every_place(void **state)
{
	struct manner m;

	(void)state;
	given("@six.example mx ipv=6\n", "mx");
	settings.deliver_addresses = 4;
	host("a.example", 1, 8, 8);
	m = manner("x.example");
	peers_add(&peers, &m, &answer, 25);
	assert_peers("fd00::101:25/a.example fd00::102:25/a.example 10.0.1.1:25/a.example "
		     "10.0.1.2:25/a.example");

	/* One IPv4 needs no more than one place. */
	given("@six.example mx ipv=6\n", "mx");
	settings.deliver_addresses = 4;
	host("a.example", 1, 6, 0);
	host("b.example", 2, 0, 1);
	m = manner("x.example");
	peers_add(&peers, &m, &answer, 25);
	assert_peers("fd00::101:25/a.example fd00::102:25/a.example fd00::103:25/a.example "
		     "10.0.2.1:25/b.example");

	/* The same where the IPv6 came with an earlier answer. */
	peers.n = 0;
	answer.n_hosts = 1;
	peers_add(&peers, &m, &answer, 25);
	assert_int_equal(peers.n, 4);
	answer.n_hosts = 0;
	host("b.example", 2, 0, 2);
	answer.host[0].address[0] = answer.host[0].address[2];
	peers_add(&peers, &m, &answer, 25);
	assert_int_equal(peers.n, 4);

	/* Who wants IPv6 alone gets it. */
	given("@six.example mx ipv=6\n", "mx");
	settings.deliver_addresses = 4;
	host("a.example", 1, 8, 8);
	m = manner("six.example");
	peers_add(&peers, &m, &answer, 25);
	assert_int_equal(peers.n, 4);
	assert_string_equal(peers.peer[3].address, "fd00::104");
}

static void addresses_of_a_route_need_no_answer(void **state)
{
	struct manner m;

	(void)state;
	given("@a.example host:[192.0.2.7]:26,host:n.example,host:[2001:db8::7]\n"
	      "@b.example host:[2001:db8::7] ipv=4\n",
	    "mx");
	settings.mx_port = 1025;
	m = manner("a.example");
	for (size_t i = 0; i < 4; i++)
		peers_add_literal(&peers, &m, "a.example", i);
	assert_peers("192.0.2.7:26/ 2001:db8::7:25/");

	peers.n = 0;
	m = manner("b.example");
	peers_add_literal(&peers, &m, "b.example", 0);
	assert_int_equal(peers.n, 0);

	m = manner("[192.0.2.1]");
	peers_add_literal(&peers, &m, "[192.0.2.1]", 0);
	peers_add_literal(&peers, &m, "[192.0.2.1]", 1);
	peers_add_literal(&peers, &m, "[IPv6:2001:db8::2]", 0);
	peers_add_literal(&peers, &m, "x.example", 0);
	assert_peers("192.0.2.1:1025/ 2001:db8::2:1025/");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(what_a_line_does_not_say_the_settings_say, forget),
	    cmocka_unit_test_teardown(what_a_line_says_decides, forget),
	    cmocka_unit_test_teardown(a_login_wants_tls_whatever_the_setting_says, forget),
	    cmocka_unit_test_teardown(the_setting_route_is_read_as_a_line, forget),
	    cmocka_unit_test_teardown(by_mx_there_is_one_question, forget),
	    cmocka_unit_test_teardown(what_is_no_name_is_not_asked_about, forget),
	    cmocka_unit_test_teardown(smart_hosts_are_asked_for_one_after_another, forget),
	    cmocka_unit_test_teardown(hosts_are_tried_in_the_answers_order_ipv6_first, forget),
	    cmocka_unit_test_teardown(the_other_family_is_left_out, forget),
	    cmocka_unit_test_teardown(no_more_than_the_bound_in_all, forget),
	    cmocka_unit_test_teardown(ipv6_does_not_take_every_place, forget),
	    cmocka_unit_test_teardown(addresses_of_a_route_need_no_answer, forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
