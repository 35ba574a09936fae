/* Domains of mail addresses as A-labels (RFC 5890, RFC 5321 section 4.1.2); nothing is repaired. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/resolve/name.h"

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_domains(void **state)
{
	static const struct {
		const char *domain;
		const char *name; /* NULL: none */
	} table[] = {
	    {"example.jp", "example.jp"},
	    {"EXAMPLE.Jp", "example.jp"},
	    {"localhost", "localhost"},
	    {"3com.example", "3com.example"},
	    {"r3---sn.example", "r3---sn.example"},
	    {"xn--wgv71a119e.jp", "xn--wgv71a119e.jp"},
	    {"日本語.jp", "xn--wgv71a119e.jp"},
	    {"日本語。ＪＰ", "xn--wgv71a119e.jp"},
	    {"ＥＸＡＭＰＬＥ．ＪＰ", "example.jp"},
	    {"faß.example", "xn--fa-hia.example"},
	    {"bu\xcc\x88"
	     "cher.example",
		"xn--bcher-kva.example"},
	    {L63 ".example", L63 ".example"},
	    {L63 "a.example", NULL},
	    {L63 "." L63 "." L63 "." L63, NULL},
	    /* An underscore is neither taken out nor let through. */
	    {"a_b.example", NULL},
	    {"a_b.日本語.jp", NULL},
	    {"日_本.jp", NULL},
	    {"", NULL},
	    {".", NULL},
	    {"example.jp.", NULL},
	    {"日本語.jp。", NULL},
	    {".example.jp", NULL},
	    {"example..jp", NULL},
	    {"-a.example", NULL},
	    {"a-.example", NULL},
	    {"a b.example", NULL},
	    {"日 本.jp", NULL},
	    {"a\n.example", NULL},
	    {"a/b.example", NULL},
	    {"℀.example", NULL}, /* becomes a/c */
	    {"[192.0.2.1]", NULL},
	    {"a\xff.example", NULL},
	    {"\xe6\x97.jp", NULL},
	};
	char name[RESOLVE_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		bool good = resolve_name(table[i].domain, name);

		assert_string_equal(name, table[i].name != NULL ? table[i].name : "");
		assert_int_equal(good, table[i].name != NULL);
	}
}

static void test_longest(void **state)
{
	/* 63 + 1 + 63 + 1 + 63 + 1 + 61 = 253 */
	char domain[] = L63 "." L63 "." L63 "." L63;
	char name[RESOLVE_NAME_MAX + 1];

	(void)state;
	domain[RESOLVE_NAME_MAX] = '\0';
	assert_true(resolve_name(domain, name));
	assert_string_equal(name, domain);
	assert_true(name_good(name));
	domain[RESOLVE_NAME_MAX] = 'a';
	domain[RESOLVE_NAME_MAX + 1] = '\0';
	assert_false(resolve_name(domain, name));
	assert_false(name_good(domain));
}

static void test_from_text(void **state)
{
	static const struct {
		const char *text;
		const char *name;
	} table[] = {{"MX.Example.", "mx.example"}, {"mx.example", "mx.example"},
	    {"a_b.x.", "a_b.x"}, {".", ""}, {"", ""}, {"a..", ""}, {"a\\032b.x.", ""},
	    {"a b.x.", ""}};
	char name[RESOLVE_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		name_from_text(table[i].text, name);
		assert_string_equal(name, table[i].name);
	}
}

/* The longest name that the DNS has: 255 bytes, of which the text has 253. */
static void test_from_wire(void **state)
{
	unsigned char wire[300];
	char name[RESOLVE_NAME_MAX + 1];
	size_t at = 0;

	(void)state;
	for (int i = 0; i < 4; i++) {
		size_t label = i < 3 ? 63 : 61;

		wire[at++] = (unsigned char)label;
		memset(wire + at, 'A', label);
		at += label;
	}
	wire[at++] = 0;
	assert_int_equal(at, 255);
	assert_int_equal(name_from_wire(wire, at, name), NAME_WIRE_GOOD);
	assert_int_equal(strlen(name), RESOLVE_NAME_MAX);
	assert_int_equal(name[0], 'a');

	wire[192] = 62; /* one more */
	wire[254] = 'a';
	wire[255] = 0;
	assert_int_equal(name_from_wire(wire, 256, name), NAME_WIRE_BAD);
	assert_int_equal(name_from_wire(wire, 0, name), NAME_WIRE_BAD);
	assert_int_equal(name_from_wire((const unsigned char *)"", 1, name), NAME_WIRE_ROOT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_domains),
	    cmocka_unit_test(test_longest),
	    cmocka_unit_test(test_from_text),
	    cmocka_unit_test(test_from_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
