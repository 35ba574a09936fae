#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "lib/smtp/proxy.h"

#define MAGIC   "\r\n\r\n\0\r\nQUIT\n"
#define V4      "\xc0\x00\x02\x09\xc6\x33\x64\x01\xd4\x31\x00\x19" /* 192.0.2.9:54321 */
#define V6_FROM "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
#define V6_TO   "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
#define MAPPED  "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x09"
#define PORTS   "\xd4\x31\x00\x19"

struct header {
	const char *name;
	const char *bytes;
	size_t len;
	enum proxy_header verdict;
	const char *peer; /* of PROXY_PEER */
};

/* clang-format off */
#define H(name, text, verdict, peer) {name, text, sizeof(text) - 1, verdict, peer}

static const struct header headers[] = {
    H("v4", MAGIC "\x21\x11\x00\x0c" V4, PROXY_PEER, "192.0.2.9"),
    H("v4, TLVs behind", MAGIC "\x21\x11\x00\x10" V4 "\x04\x00\x01x", PROXY_PEER, "192.0.2.9"),
    H("v4, TLVs that make no sense", MAGIC "\x21\x11\x00\x0d" V4 "\xff", PROXY_PEER, "192.0.2.9"),
    H("v6", MAGIC "\x21\x21\x00\x24" V6_FROM V6_TO PORTS, PROXY_PEER, "2001:db8::7"),
    H("v4 within v6", MAGIC "\x21\x21\x00\x24" MAPPED MAPPED PORTS, PROXY_PEER, "192.0.2.9"),
    H("local", MAGIC "\x20\x00\x00\x00", PROXY_LOCAL, NULL),
    H("local with addresses", MAGIC "\x20\x11\x00\x0c" V4, PROXY_LOCAL, NULL),
    H("local, unknown family", MAGIC "\x20\xff\x00\x03xyz", PROXY_LOCAL, NULL),
    H("unspecified", MAGIC "\x21\x00\x00\x00", PROXY_BAD, NULL),
    H("UDP over v4", MAGIC "\x21\x12\x00\x0c" V4, PROXY_BAD, NULL),
    H("UDP over v6", MAGIC "\x21\x22\x00\x24" V6_FROM V6_TO PORTS, PROXY_BAD, NULL),
    H("v4 without a protocol", MAGIC "\x21\x10\x00\x0c" V4, PROXY_BAD, NULL),
    H("UNIX", MAGIC "\x21\x31\x00\x00", PROXY_BAD, NULL),
    H("version 1", MAGIC "\x11\x11\x00\x0c" V4, PROXY_BAD, NULL),
    H("version 3", MAGIC "\x31\x11\x00\x0c" V4, PROXY_BAD, NULL),
    H("command 2", MAGIC "\x22\x11\x00\x0c" V4, PROXY_BAD, NULL),
    H("v4 too short", MAGIC "\x21\x11\x00\x0b" V4, PROXY_BAD, NULL),
    H("v6 with the length of v4", MAGIC "\x21\x21\x00\x0c" V4, PROXY_BAD, NULL),
    H("longer than is read", MAGIC "\x21\x11\x03\xf1" V4, PROXY_BAD, NULL),
    H("local, longer than is read", MAGIC "\x20\x00\xff\xff" V4, PROXY_BAD, NULL),
    H("text form", "PROXY TCP4 192.0.2.9 192.0.2.1 54321 25\r\n", PROXY_BAD, NULL),
    H("no header", "EHLO mx.example\r\n", PROXY_BAD, NULL),
    H("a signature with one wrong byte", "\r\n\r\n\0\r\nQUIT\r\x21\x11\x00\x0c" V4, PROXY_BAD, NULL),
};
/* clang-format on */

/* A copy with no byte behind it, so that a sanitizer sees a read too far. */
static enum proxy_header read_exactly(
    const char *bytes, size_t len, size_t *used, struct peer *peer)
{
	char *copy = malloc(len > 0 ? len : 1);
	enum proxy_header verdict;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	verdict = proxy_read(copy, len, used, peer);
	free(copy);
	return verdict;
}

static void assert_peer(const struct header *h, const struct peer *peer)
{
	char text[IP_TEXT];

	ip_text(&peer->ip, text);
	assert_string_equal(text, h->peer);
	assert_int_equal(peer->port, 54321);
}

static void whole_headers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(headers); i++) {
		const struct header *h = &headers[i];
		struct peer peer = {0};
		size_t used = 999;
		enum proxy_header verdict = read_exactly(h->bytes, h->len, &used, &peer);

		if (verdict != h->verdict)
			fail_msg("%s: %d", h->name, (int)verdict);
		if (h->peer != NULL)
			assert_peer(h, &peer);
		assert_int_equal(used, verdict == PROXY_BAD ? 0 : h->len);
	}
}

/* S1: wherever the connection is cut, the same is read. */
static void cut_at_every_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(headers); i++) {
		const struct header *h = &headers[i];
		enum proxy_header verdict = PROXY_MORE;
		struct peer peer = {0};
		size_t used, len;

		for (len = 0; len <= h->len && verdict == PROXY_MORE; len++)
			verdict = read_exactly(h->bytes, len, &used, &peer);
		assert_int_equal(verdict, h->verdict);
		if (verdict != PROXY_BAD)
			assert_int_equal(len - 1, h->len);
		if (h->peer != NULL)
			assert_peer(h, &peer);
	}
}

/* What follows belongs to the session. */
static void bytes_behind_are_not_used(void **state)
{
	static const char more[] = MAGIC "\x21\x11\x00\x0c" V4 "EHLO mx.example\r\n";
	struct peer peer = {0};
	size_t used;

	(void)state;
	assert_int_equal(read_exactly(more, sizeof more - 1, &used, &peer), PROXY_PEER);
	assert_int_equal(used, 28);
}

static void the_longest_header(void **state)
{
	char longest[PROXY_HEADER_MAX] = MAGIC "\x21\x11\x03\xf0" V4;
	struct peer peer = {0};
	size_t used;

	(void)state;
	assert_int_equal(proxy_read(longest, sizeof longest - 1, &used, &peer), PROXY_MORE);
	assert_int_equal(proxy_read(longest, sizeof longest, &used, &peer), PROXY_PEER);
	assert_int_equal(used, PROXY_HEADER_MAX);
}

static void a_wrong_byte_is_bad_at_once(void **state)
{
	static const char right[] = MAGIC "\x21\x11";
	struct peer peer = {0};
	size_t used;

	(void)state;
	for (size_t i = 0; i < sizeof right - 1; i++) {
		char wrong[sizeof right];

		memcpy(wrong, right, sizeof right);
		wrong[i] = (char)(wrong[i] ^ 0x40);
		assert_int_equal(read_exactly(wrong, i, &used, &peer), PROXY_MORE);
		assert_int_equal(read_exactly(wrong, i + 1, &used, &peer), PROXY_BAD);
	}
}

/* ---- proxy-from ---- */

static bool hold(const struct proxy_networks *networks, const char *address)
{
	struct ip ip;

	assert_true(ip_parse(address, &ip));
	return proxy_networks_hold(networks, &ip);
}

static struct proxy_networks *networks(const char *words)
{
	char fault[128] = "";
	struct proxy_networks *read = proxy_networks_read(words, fault, sizeof fault);

	if (read == NULL)
		fail_msg("%s: %s", words, fault);
	return read;
}

static void networks_of_proxies(void **state)
{
	struct proxy_networks *n = networks("192.0.2.1 198.51.100.0/24  2001:db8::/32");

	(void)state;
	assert_true(hold(n, "192.0.2.1"));
	assert_true(hold(n, "::ffff:192.0.2.1"));
	assert_false(hold(n, "192.0.2.2"));
	assert_true(hold(n, "198.51.100.255"));
	assert_true(hold(n, "2001:db8:ffff::1"));
	assert_false(hold(n, "2001:db9::1"));
	proxy_networks_free(n);

	n = networks("-");
	assert_false(hold(n, "192.0.2.1"));
	assert_false(hold(n, "::"));
	proxy_networks_free(n);
	n = networks("");
	assert_false(hold(n, "192.0.2.1"));
	proxy_networks_free(n);
}

static void networks_that_are_none(void **state)
{
	static const char *const wrong[] = {"proxy.example", "192.0.2.1/24", "192.0.2.0/33",
	    "- 192.0.2.1", "192.0.2.1 -", "192.0.2.1,192.0.2.2", "0.0.0.0/0", "::/0",
	    "::ffff:192.0.2.1",
	    "192.0.2.1 "
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "x"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		char fault[256] = "";

		assert_null(proxy_networks_read(wrong[i], fault, sizeof fault));
		assert_true(strlen(fault) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whole_headers),
	    cmocka_unit_test(cut_at_every_byte),
	    cmocka_unit_test(bytes_behind_are_not_used),
	    cmocka_unit_test(the_longest_header),
	    cmocka_unit_test(a_wrong_byte_is_bad_at_once),
	    cmocka_unit_test(networks_of_proxies),
	    cmocka_unit_test(networks_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
