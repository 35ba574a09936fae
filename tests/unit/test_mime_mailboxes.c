#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mime/mailboxes.h"

/* The addresses that were seen: "a@b|c@d|". */
struct seen {
	char text[8192];
	size_t used;
	size_t n;
	size_t most; /* stop at so many; 0: never */
};

static bool see(void *context, const char *address, size_t len)
{
	struct seen *s = context;

	assert_true(len > 0 && len <= MAILBOX_MAX);
	s->used += (size_t)snprintf(
	    s->text + s->used, sizeof s->text - s->used, "%.*s|", (int)len, address);
	assert_true(s->used < sizeof s->text);
	s->n++;
	return s->n != s->most;
}

/* From a block that ends where the body does, so that the sanitizer sees what is read behind it. */
static enum mailboxes read_body(const char *body, size_t len, struct seen *s)
{
	char *copy = malloc(len > 0 ? len : 1);
	enum mailboxes verdict;

	assert_non_null(copy);
	memcpy(copy, body, len);
	*s = (struct seen){.used = 0};
	verdict = mailboxes_read(copy, len, see, s);
	free(copy);
	return verdict;
}

static void assert_sees(const char *body, const char *expected)
{
	struct seen s;
	enum mailboxes verdict = read_body(body, strlen(body), &s);

	if (verdict != MAILBOXES_OK || strcmp(s.text, expected) != 0)
		fail_msg("%s: verdict %d, seen %s, not %s", body, verdict, s.text, expected);
}

static void assert_unclear(const char *body, size_t len)
{
	struct seen s;

	if (read_body(body, len, &s) != MAILBOXES_UNCLEAR)
		fail_msg("%s: clear, seen %s", body, s.text);
}

#define UNCLEAR(body) assert_unclear((body), sizeof(body) - 1)

static void usual_mailboxes(void **state)
{
	(void)state;
	assert_sees("taro@example.co.jp", "taro@example.co.jp|");
	assert_sees(" taro@example.co.jp ", "taro@example.co.jp|");
	assert_sees("<taro@example.co.jp>", "taro@example.co.jp|");
	assert_sees(" Taro Yamada <taro@example.co.jp>", "taro@example.co.jp|");
	assert_sees("\"Yamada, Taro\" <taro@example.co.jp>", "taro@example.co.jp|");
	assert_sees("\"T. \\\"X\\\" \\\\ (Y)\" <a@b>", "a@b|");
	assert_sees("Taro Q. Yamada<a@b>", "a@b|");
	assert_sees("Taro\"Q\"Yamada <a@b>", "a@b|");
	assert_sees("\"taro@example.co.jp\" <taro@example.co.jp>", "taro@example.co.jp|");
	assert_sees("=?utf-8?B?5bGx55Sw?= =?utf-8?Q?=E5=A4=AA=2C?= <a@b>", "a@b|");
	assert_sees("a@b, C <d@e>,\"f\" <g@h>", "a@b|d@e|g@h|");
	assert_sees("!#$%&'*+-/?=^_`{|}~.x@b-c.example", "!#$%&'*+-/?=^_`{|}~.x@b-c.example|");
	assert_sees("AaZz09@ZzAa90.Example", "AaZz09@ZzAa90.Example|"); /* as it is written */
}

static void utf8_mailboxes(void **state)
{
	(void)state;
	assert_sees("\xe5\xb1\xb1\xe7\x94\xb0 <\xe5\xa4\xaa@\xe6\x97\xa5\xe6\x9c\xac.jp>",
	    "\xe5\xa4\xaa@\xe6\x97\xa5\xe6\x9c\xac.jp|");
	assert_sees("\"\xe5\xb1\xb1\" (\xe7\x94\xb0) <a@xn--wgv71a.jp>", "a@xn--wgv71a.jp|");
	UNCLEAR("\xe5\xb1 <a@b>");
	UNCLEAR("\xff <a@b>");
	UNCLEAR("\x8e\x52\x93\x63 <a@b>"); /* Shift_JIS */
	UNCLEAR("\x1b$B;3ED\x1b(B <a@b>"); /* ISO-2022-JP, whose letters are marks, too */
	UNCLEAR("\xc0\xaf <a@b>");         /* overlong */
	UNCLEAR("\xe0\x80\xaf <a@b>");
	UNCLEAR("\xf0\x80\x80\xaf <a@b>");
	UNCLEAR("\xed\xa0\x80 <a@b>");     /* a surrogate */
	UNCLEAR("\xf4\x90\x80\x80 <a@b>"); /* beyond the last */
	UNCLEAR("\xc2\x85 <a@b>");         /* next line, a control */
	UNCLEAR("x\xe2\x80\xa8y <a@b>");   /* line separator */
	UNCLEAR("x\xe2\x80\xa9y <a@b>");   /* paragraph separator */
	assert_sees("\xc2\xa0\xe2\x80\xa7\xf0\x9f\x8d\xa3\xf4\x8f\xbf\xbf <a@b>", "a@b|");
	UNCLEAR("a@b\xe6\x97"); /* cut off */
	assert_sees("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80 <a@b>", "a@b|");
}

/* Blanks beyond ASCII, joiners, marks of direction: in an address some programs drop them. */
static void invisible_letters(void **state)
{
	static const char *const letters[] = {"\xc2\xa0", "\xc2\xad", "\xe1\x9a\x80",
	    "\xe1\xa0\x8e", "\xe2\x80\x80", "\xe2\x80\x8b", "\xe2\x80\x8f", "\xe2\x80\xae",
	    "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe2\x81\xa0", "\xe2\x81\xaf", "\xe3\x80\x80",
	    "\xef\xbb\xbf"};
	char body[64];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(letters); i++) {
		(void)snprintf(body, sizeof body, "x%s <a@b>", letters[i]);
		assert_sees(body, "a@b|");
		(void)snprintf(body, sizeof body, "<%sa@b>", letters[i]);
		assert_unclear(body, strlen(body));
		(void)snprintf(body, sizeof body, "<a@b%s>", letters[i]);
		assert_unclear(body, strlen(body));
		(void)snprintf(body, sizeof body, "a%s@b", letters[i]);
		assert_unclear(body, strlen(body));
		(void)snprintf(body, sizeof body, "\"a%s\"@b", letters[i]);
		assert_unclear(body, strlen(body));
	}
	assert_sees("\xe2\x80\x90@\xe2\x81\xb0", "\xe2\x80\x90@\xe2\x81\xb0|");
}

static void comments(void **state)
{
	(void)state;
	assert_sees("a@b (Taro)", "a@b|");
	assert_sees("(x) a@b", "a@b|");
	assert_sees("(x)a@b(y)", "a@b|");
	assert_sees("(a(b)c\\)\\() Taro (\"T) Y <a@b> (z)", "a@b|");
	assert_sees("a@b, (x), c@d", "a@b|c@d|");
	UNCLEAR("(boss@example.co.jp) a@b");
	UNCLEAR("a@b (boss\\@example.co.jp)");
	UNCLEAR("a@b (<boss)");
	UNCLEAR("a@b (boss>)");
	UNCLEAR("a@b (\\<boss)");
	UNCLEAR("a@b (");
	UNCLEAR("a@b (x");
	UNCLEAR("a@b (x\\)");
	UNCLEAR("a@b (x\\");
	UNCLEAR("a@b ((x)");
	UNCLEAR("a@b (x))");
	UNCLEAR("a@b )");
	UNCLEAR(")a@b");
}

/* Within an address they hide where it ends. */
static void nothing_stands_within_an_address(void **state)
{
	(void)state;
	UNCLEAR("a (x)@b");
	UNCLEAR("a@(x)b");
	UNCLEAR("a@b(x).c");
	UNCLEAR("a@b (x) .c");
	UNCLEAR("a(x).c@b");
	UNCLEAR("a @b");
	UNCLEAR("a@ b");
	UNCLEAR("a. c@b");
	UNCLEAR("a@b. c");
	UNCLEAR("<a @b>");
	UNCLEAR("<a@ b>");
	UNCLEAR("<(x)a@b>");
	UNCLEAR("<a@b(x)>");
	UNCLEAR("<a@\r\n b>");
	assert_sees("< a@b\t>", "a@b|");
	assert_sees("<\r\n a@b>", "a@b|");
}

static void comments_are_bounded(void **state)
{
	char body[256] = "a@b ";

	(void)state;
	memset(body + 4, '(', 16);
	memset(body + 20, ')', 16);
	assert_sees(body, "a@b|");
	memset(body + 4, '(', 17);
	memset(body + 21, ')', 17);
	assert_unclear(body, 38);
	assert_unclear(body, 22);
}

/* Each of these is a mailbox of two people to somebody. */
static void two_readings_are_unclear(void **state)
{
	(void)state;
	UNCLEAR("Boss <boss@example.co.jp> <me@example.co.jp>");
	UNCLEAR("boss@example.co.jp me@example.co.jp");
	UNCLEAR("boss@example.co.jp <me@example.co.jp>");
	UNCLEAR("<me@example.co.jp> boss@example.co.jp");
	UNCLEAR("<me@example.co.jp> boss");
	UNCLEAR("<me@example.co.jp> \"boss\"");
	UNCLEAR("me@example.co.jp \"boss\"");
	UNCLEAR("Boss me@example.co.jp");
	UNCLEAR("a@b <c@d>");
	UNCLEAR("a@b; c@d");
	UNCLEAR("a@b;");
	UNCLEAR("a@b c");
	UNCLEAR("a@b@c");
	UNCLEAR("<a@b@c>");
	UNCLEAR("<<a@b>>");
	UNCLEAR("<a@b");
	UNCLEAR("a@b>");
	UNCLEAR("<a@b,c@d>");
	UNCLEAR("X <a@b> x");
	UNCLEAR("\"boss\" <x>");
	UNCLEAR("[x] Taro <a@b>");
	UNCLEAR("Taro [x] <a@b>");
	UNCLEAR("Yamada, Taro <a@b>");
	UNCLEAR("\\\"boss\\\" <a@b>");
	UNCLEAR("Ta\\ro <a@b>");
	UNCLEAR("\"boss <boss@x>\" <a@b>");
	UNCLEAR("\"boss \\<boss@x\\>\" <a@b>");
	UNCLEAR("\"boss\\@x\" <a@b>");
	UNCLEAR("\">\" <a@b>");
	UNCLEAR("=?utf-8?q?boss@x?= <a@b>");
	UNCLEAR("=?utf-8?q?a,b?= <a@b>");
	UNCLEAR("\"a <a@b>");
	UNCLEAR("\"a\" <a@b> \"");
	UNCLEAR("\"a\\\" <a@b>");
	UNCLEAR("\"a\\");
	UNCLEAR("\"");
}

static void what_is_no_address(void **state)
{
	(void)state;
	UNCLEAR("root");
	UNCLEAR("<root>");
	UNCLEAR("<>");
	UNCLEAR("Taro <>");
	UNCLEAR("Taro");
	UNCLEAR("\"Taro\"");
	UNCLEAR("@");
	UNCLEAR("@b");
	UNCLEAR("a@");
	UNCLEAR("a@>");
	UNCLEAR("<a@>");
	UNCLEAR("<@b>");
	UNCLEAR("a@,c@d");
	UNCLEAR("<@a,@b:c@d>");
	UNCLEAR("<@a:c@d>");
	UNCLEAR("@a:c@d");
}

static void dots_stand_between_atoms(void **state)
{
	(void)state;
	UNCLEAR("a.@b");
	UNCLEAR(".a@b");
	UNCLEAR("a..c@b");
	UNCLEAR("a@b.");
	UNCLEAR("a@.b");
	UNCLEAR("a@b..c");
	UNCLEAR(".@b");
	UNCLEAR("a@.");
	UNCLEAR("<a@b.>");
}

static void domains(void **state)
{
	(void)state;
	assert_sees("a@[192.0.2.1]", "a@[192.0.2.1]|");
	assert_sees("<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]|");
	assert_sees("a@localhost", "a@localhost|");
	UNCLEAR("a@[]");
	UNCLEAR("a@[192.0.2.1");
	UNCLEAR("a@[ 192.0.2.1]");
	UNCLEAR("a@[192.0.2.1 ]");
	UNCLEAR("a@[x@y]");
	UNCLEAR("a@[x]y");
	UNCLEAR("a@b[x]");
	UNCLEAR("a@\"b\"");
	UNCLEAR("a@b_c");
	UNCLEAR("a@b!c");
	UNCLEAR("a@b%c");
	UNCLEAR("a@=?utf-8?q?b?=");
}

/* The local part is the same with quotes and without, when it needs none. */
static void quoted_local_parts(void **state)
{
	(void)state;
	assert_sees("\"boss\"@example.co.jp", "boss@example.co.jp|");
	assert_sees("X <\"b.oss\"@example.co.jp>", "b.oss@example.co.jp|");
	assert_sees("\"a..b\"@example.co.jp", "\"a..b\"@example.co.jp|");
	assert_sees("\"a.\"@example.co.jp", "\"a.\"@example.co.jp|");
	assert_sees("\".a\"@example.co.jp", "\".a\"@example.co.jp|");
	UNCLEAR("\"\"@c");
	UNCLEAR("\"boss@example.co.jp\"@c");
	UNCLEAR("\"a b\"@c");
	UNCLEAR("\"a,b\"@c");
	UNCLEAR("\"a\\b\"@c");
	UNCLEAR("\"a\\\"b\"@c");
	UNCLEAR("\"a(b)\"@c");
	UNCLEAR("\"a\"b@c");
	UNCLEAR("a\"b\"@c");
	UNCLEAR("\"a\".b@c");
	UNCLEAR("a.\"b\"@c");
	UNCLEAR("\"a\"\"b\"@c");
	UNCLEAR("\"a\" @c");
}

/* Some programs decode what stands for letters in an address, and find another. */
static void encoded_words_in_an_address(void **state)
{
	(void)state;
	UNCLEAR("=?utf-8?q?boss?=@example.co.jp");
	UNCLEAR("x=?utf-8?q?boss?=@example.co.jp");
	UNCLEAR("X <=?utf-8?q?boss=40x=3E?=@example.co.jp>");
	UNCLEAR("\"=?utf-8?q?boss?=\"@example.co.jp");
	assert_sees("a=b?c@d", "a=b?c@d|");
}

static void encoded_words_in_a_name_are_whole(void **state)
{
	(void)state;
	assert_sees("=?a?b?c?= <a@b>", "a@b|");
	assert_sees("x =?utf-8*ja?Q?T._Y=2E?= \"=?x\" <a@b>", "a@b|");
	assert_sees("=?a?q?\?= <a@b>", "a@b|");
	UNCLEAR("=? <a@b>");
	UNCLEAR("=?= <a@b>");
	UNCLEAR("=??q?c?= <a@b>");
	UNCLEAR("=?a?x?c?= <a@b>");
	UNCLEAR("=?a??c?= <a@b>");
	UNCLEAR("=?a?q?c <a@b>");
	UNCLEAR("=?a?q?c? <a@b>");
	UNCLEAR("=?a?q?c?=x <a@b>");
	UNCLEAR("x=?a?q?c?= <a@b>");
	UNCLEAR("=?a?q?c?d?= <a@b>");
	UNCLEAR("=?a?q?c?==?a?q?d?= <a@b>");
	UNCLEAR("=?a?qq?c?= <a@b>");
	UNCLEAR("=?aq?c?= <a@b>");
	UNCLEAR("=?a?q?c?x <a@b>");
	UNCLEAR("xyz?q?=?= <a@b>");
	UNCLEAR("=?a?q?= <a@b>");
	UNCLEAR("x =?a?q?c <a@b>");
	UNCLEAR("=?a?q?c x?= <a@b>");
	UNCLEAR("=?a?q?=40b: c@d;");
}

static void groups(void **state)
{
	(void)state;
	assert_sees("x: a@b, C <d@e>;", "a@b|d@e|");
	assert_sees("x:a@b;,c@d", "a@b|c@d|");
	assert_sees("a@b, \"x y\" z: c@d; , e@f", "a@b|c@d|e@f|");
	assert_sees("x:;", "");
	assert_sees("undisclosed recipients: (none) ;", "");
	assert_sees("x:;, y:a@b;", "a@b|");
	UNCLEAR("x: a@b");
	UNCLEAR("x, a@b;");
	UNCLEAR("x <a@b>;");
	UNCLEAR("x:");
	UNCLEAR("x: y: a@b;;");
	UNCLEAR("x: a@b; c@d");
	UNCLEAR("x: a@b;;");
	UNCLEAR("x: a@b, y: c@d;");
	UNCLEAR(": a@b;");
	UNCLEAR("boss@x: a@b;");
	UNCLEAR("<boss@x>: a@b;");
	UNCLEAR("x: a@b c@d;");
	UNCLEAR("x: a;");
	UNCLEAR(";");
	UNCLEAR(":");
}

static void empty_elements(void **state)
{
	(void)state;
	assert_sees("", "");
	assert_sees(" ", "");
	assert_sees(",", "");
	assert_sees("()", "");
	assert_sees(", ,a@b,, c@d ,", "a@b|c@d|");
	assert_sees("x: , a@b,;", "a@b|");
}

static void folds(void **state)
{
	(void)state;
	assert_sees("\r\n a@b", "a@b|");
	assert_sees(" Taro\r\n\tYamada\r\n <a@b>,\r\n c@d", "a@b|c@d|");
	assert_sees("\"Taro\r\n Yamada\" (x) <a@b>, \"x\" <c@d>", "a@b|c@d|");
	assert_sees("\"x@y\"\r\n <a@b>", "a@b|");
	UNCLEAR("\"boss@x\r\n y\" <a@b>");
	UNCLEAR("\"x\r\n boss@x\" <a@b>");
	UNCLEAR("\"x\r\n y\" <a@b>, \"boss@x, x\" <c@d>");
	UNCLEAR("\"boss@x, x\" <c@d>, \"x\r\n y\" <a@b>");
	UNCLEAR("(x\r\n y) <a@b>");
	UNCLEAR("(x\r\n <a@b>");
	UNCLEAR("bo\r\n ss@b");
	UNCLEAR("a@b\r\n .c");
	UNCLEAR("a@b\r\n");
	UNCLEAR("a@b\r\n ");
	UNCLEAR("a@b,\r\n \r\n c@d");
	UNCLEAR("a@b,\r\n \t");
	UNCLEAR("a@b,\r\nc@d");
	UNCLEAR("a@b,\n c@d");
	UNCLEAR("a@b,\r c@d");
	UNCLEAR("a@b,\r\n\r\n c@d");
	UNCLEAR("a@b\r");
	UNCLEAR("a@b\n");
	UNCLEAR("\"a\\\r\n b\" <a@b>");
	UNCLEAR("\"a\\ b\" <a@b>");
	UNCLEAR("(a\\\r\n b) a@b");
}

static void control_bytes(void **state)
{
	char body[] = "x \"y\" (z) <a@b>";
	size_t len = sizeof body - 1;

	(void)state;
	for (size_t i = 0; i < len; i++) {
		for (int c = 0; c < 0x20; c++) {
			char kept = body[i];

			body[i] = (char)c;
			if (c != '\t')
				assert_unclear(body, len);
			body[i] = kept;
		}
	}
	UNCLEAR("a\0@b");
	UNCLEAR("a@b\0");
	UNCLEAR("a@b\x7f");
	UNCLEAR("\"\x7f\" <a@b>");
	UNCLEAR("\"\0\" <a@b>");
	UNCLEAR("(\x01) a@b");
	assert_sees("Taro\t<a@b>", "a@b|");
}

static void no_address_is_longer_than_the_bound(void **state)
{
	char body[2 * MAILBOX_MAX];
	struct seen s;

	(void)state;
	memset(body, 'd', sizeof body);
	body[1] = '@';
	assert_int_equal(read_body(body, MAILBOX_MAX, &s), MAILBOXES_OK);
	assert_int_equal(s.used, MAILBOX_MAX + 1);
	assert_unclear(body, MAILBOX_MAX + 1);
	assert_unclear(body, sizeof body);

	memset(body, 'l', sizeof body);
	memcpy(body + MAILBOX_MAX - 2, "@b", 2);
	assert_int_equal(read_body(body, MAILBOX_MAX, &s), MAILBOXES_OK);
	assert_unclear(body, MAILBOX_MAX + 1);

	/* Quotes that stay are a part of it. */
	memset(body, '.', sizeof body);
	body[0] = '"';
	memcpy(body + MAILBOX_MAX - 3, "\"@bb", 4);
	assert_int_equal(read_body(body, MAILBOX_MAX, &s), MAILBOXES_OK);
	assert_int_equal(s.used, MAILBOX_MAX + 1);
	assert_unclear(body, MAILBOX_MAX + 1);
}

static void it_stops_when_told(void **state)
{
	static const char body[] = "a@b, c@d, e@f, ((";
	struct seen s = {.most = 2};

	(void)state;
	assert_int_equal(mailboxes_read(body, sizeof body - 1, see, &s), MAILBOXES_STOPPED);
	assert_string_equal(s.text, "a@b|c@d|");
	s = (struct seen){.most = 1};
	assert_int_equal(mailboxes_read("x:<a@b>;", 8, see, &s), MAILBOXES_STOPPED);
	assert_string_equal(s.text, "a@b|");
}

/* Nothing behind `len` is looked at, wherever a body is cut. */
static void every_prefix_is_read_within_its_bounds(void **state)
{
	static const char body[] =
	    "\"a\\\"b\" (x\\)y) \xe5\xb1\xb1\r\n <a@[1.2]>, g:\"c\"@d, e@f;,\r\n =?a?q?x?= <a@\"b";
	struct seen s;

	(void)state;
	for (size_t len = 0; len < sizeof body; len++)
		assert_int_not_equal(read_body(body, len, &s), MAILBOXES_STOPPED);
	UNCLEAR("a@\"");
	UNCLEAR("a@[");
	UNCLEAR("a@(");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(usual_mailboxes),
	    cmocka_unit_test(utf8_mailboxes),
	    cmocka_unit_test(invisible_letters),
	    cmocka_unit_test(comments),
	    cmocka_unit_test(nothing_stands_within_an_address),
	    cmocka_unit_test(comments_are_bounded),
	    cmocka_unit_test(two_readings_are_unclear),
	    cmocka_unit_test(what_is_no_address),
	    cmocka_unit_test(dots_stand_between_atoms),
	    cmocka_unit_test(domains),
	    cmocka_unit_test(quoted_local_parts),
	    cmocka_unit_test(encoded_words_in_an_address),
	    cmocka_unit_test(encoded_words_in_a_name_are_whole),
	    cmocka_unit_test(groups),
	    cmocka_unit_test(empty_elements),
	    cmocka_unit_test(folds),
	    cmocka_unit_test(control_bytes),
	    cmocka_unit_test(no_address_is_longer_than_the_bound),
	    cmocka_unit_test(it_stops_when_told),
	    cmocka_unit_test(every_prefix_is_read_within_its_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
