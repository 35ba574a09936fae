#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/smtp/address.h"

#define A16 "aaaaaaaaaaaaaaaa"
#define A64 A16 A16 A16 A16
#define L63 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static enum address_verdict check(const char *text, bool utf8)
{
	size_t domain = 0;

	return address_check(text, strlen(text), utf8, &domain);
}

/* S11: whatever looks like a command, a path or an option is an address like another. */
static void S11_strange_local_parts_are_data(void **state)
{
	static const char *const right[] = {"a@b", "alice@example.co.jp", "a.b.c@x-y.example",
	    "|cmd@c.example", "/etc/x@c.example", "-oX@c.example", "`id`@c.example",
	    "$HOME@c.example", "\"a\\@b\"@c", "\"a@b\"@c", "\";id;\"@c", "\"a b\"@c", "\"\"@c",
	    "\"a\\\"b\"@c", "\"<>\"@c.example", "!#$%&'*+-/=?^_`{|}~@c", "1@2.3", "a@[192.0.2.1]",
	    "a@[IPv6:2001:db8::1]", "a@[ipv6:::1]", A64 "@c", "a@" L63 ".example"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(right); i++)
		assert_int_equal(check(right[i], false), ADDRESS_OK);
}

static void S11_malformed_addresses(void **state)
{
	static const char *const wrong[] = {"", "@", "a", "a@", "@b", ";id;@c", "a b@c", "a@b c",
	    ".a@c", "a.@c", "a..b@c", "a@b..c", "a@.b", "a@b.", "a@-b", "a@b-", "a@b_c.example",
	    "a@b@c", "\"a@c", "\"a\"b@c", "\"a\"@", "a\"b\"@c", "\"a\\\"@c", A64 "a@c",
	    "a@" L63 "b.c", "a@[192.0.2.256]", "a@[192.0.2.1", "a@[]", "a@[2001:db8::1]",
	    "a@[IPv6:192.0.2.1]", "a@[IPv6:]", "a@[x:y]", "a@[192.0.2.1]x", "a\tb@c", "a\x01@c",
	    "a@b\x7f", "(x)a@c", "a,b@c", "a:b@c", "<a@c", "a>@c", "a\\b@c"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		assert_int_equal(check(wrong[i], false), ADDRESS_MALFORMED);
		assert_int_equal(check(wrong[i], true), ADDRESS_MALFORMED);
	}
}

/* RFC 5321 section 4.5.3.1: 254 bytes with the '@' and no more. */
static void the_longest_address(void **state)
{
	char text[300];
	size_t domain;

	(void)state;
	memset(text, 'd', sizeof text);
	text[1] = '@';
	for (size_t i = 62; i < sizeof text; i += 60)
		text[i] = '.';
	assert_int_equal(address_check(text, ADDRESS_MAX, false, &domain), ADDRESS_OK);
	assert_int_equal(domain, 2);
	assert_int_equal(address_check(text, ADDRESS_MAX + 1, false, &domain), ADDRESS_MALFORMED);
}

/* S8: three states: right, wrong, right only with SMTPUTF8. */
static void S8_utf8(void **state)
{
	static const char *const wide[] = {"\xe5\xa4\xaa\xe9\x83\x8e@example.jp",
	    "a@\xe6\x97\xa5\xe6\x9c\xac.jp", "\"\xc3\xbc \"@b", "\xf0\x9f\x8d\xa3@b"};
	static const char *const bad[] = {"\xc3@b", "\xe5\xa4@b", "\x80@b", "\xff@b", "a@\xc0\xaf",
	    "\xed\xa0\x80@b", "\xf4\x90\x80\x80@b", "\xc2\x80@b", "\xe0\x80\xaf@b",
	    "\xf0\x80\x80\xaf@b", "a@[\xc3\xbc]"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wide); i++) {
		assert_int_equal(check(wide[i], false), ADDRESS_NEEDS_UTF8);
		assert_int_equal(check(wide[i], true), ADDRESS_OK);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_int_equal(check(bad[i], false), ADDRESS_MALFORMED);
		assert_int_equal(check(bad[i], true), ADDRESS_MALFORMED);
	}
}

static void a_nul_is_no_end(void **state)
{
	size_t domain;

	(void)state;
	assert_int_equal(address_check("a@b\0c", 5, true, &domain), ADDRESS_MALFORMED);
	assert_int_equal(address_check("a\0@b", 4, true, &domain), ADDRESS_MALFORMED);
	assert_int_equal(address_check("a@[192.0.2.1\0]", 14, true, &domain), ADDRESS_MALFORMED);
}

static void paths_end_outside_of_quotes(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} cases[] = {{"<a@b> X", 5}, {"<>", 2}, {"<\"a>b\"@c>", 9}, {"<\"a\\\">\"@c> ", 10},
	    {"a@b", 0}, {"<a@b", 0}, {"<\"a>", 0}, {"", 0}, {" <a@b>", 0}, {"<\"a\\", 0}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(address_path(cases[i].text, strlen(cases[i].text)), cases[i].len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(S11_strange_local_parts_are_data),
	    cmocka_unit_test(S11_malformed_addresses),
	    cmocka_unit_test(the_longest_address),
	    cmocka_unit_test(S8_utf8),
	    cmocka_unit_test(a_nul_is_no_end),
	    cmocka_unit_test(paths_end_outside_of_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
