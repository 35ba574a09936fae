#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/smtp/relay.h"

#define SECRET "X-Example-Proof: 0123456789abcdef0123456789abcdef\n"

/* A directory with the file "relay" of this text (NULL: without it) and, perhaps, others. */
struct place {
	char path[64];
	int fd;
};

static void put(const struct place *p, const char *name, const char *text, mode_t mode)
{
	int fd = openat(p->fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static struct place make(const char *text)
{
	struct place p = {.path = "/tmp/test_smtp_relay.XXXXXX"};

	assert_non_null(mkdtemp(p.path));
	p.fd = open(p.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p.fd >= 0);
	assert_int_equal(mkdirat(p.fd, "secrets", 0700), 0);
	if (text != NULL)
		put(&p, "relay", text, 0600);
	return p;
}

static int take_away(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void unmake(struct place *p)
{
	close(p->fd);
	assert_int_equal(nftw(p->path, take_away, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void load(const char *text, struct relay *relay)
{
	struct place p = make(text);
	struct conf_fault fault = {0};

	put(&p, "secrets/m365", SECRET, 0640);
	relay_init(relay);
	assert_true(relay_read(p.fd, relay, &fault));
	unmake(&p);
}

/* The place of the fault as it is shown, and what is said there. */
static void assert_fault_in(struct place *p, const char *shown, const char *said)
{
	struct conf_fault fault = {0};
	struct relay relay;
	char text[512];

	relay_init(&relay);
	assert_false(relay_read(p->fd, &relay, &fault));
	conf_fault_show(&fault, text, sizeof text);
	if (strncmp(text, shown, strlen(shown)) != 0 || strstr(text, said) == NULL)
		fail_msg("%s: expected %s ... %s", text, shown, said);
	relay_free(&relay);
	unmake(p);
}

static void assert_fault(const char *text, unsigned line, unsigned column)
{
	struct place p = make(text);
	char shown[64];

	if (line == 0)
		(void)snprintf(shown, sizeof shown, "etc/relay: ");
	else
		(void)snprintf(shown, sizeof shown, "etc/relay:%u:%u: ", line, column);
	assert_fault_in(&p, shown, "");
}

static void assert_said(const char *text, const char *said)
{
	struct place p = make(text);

	assert_fault_in(&p, "etc/relay:", said);
}

static void assert_secret_fault(
    const char *content, mode_t mode, const char *place, const char *said)
{
	struct place p = make("192.0.2.1 @a.example secret=it\n");

	put(&p, "secrets/it", content, mode);
	assert_fault_in(&p, place, said);
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
	assert_fault("192.0.2.1\n", 1, 1);
	assert_fault("192.0.2.1 example.co.jp\n", 1, 11);
	assert_fault("192.0.2.1 any @a_b.example\n", 1, 16);
	assert_fault("192.0.2.1 @\n", 1, 12);
	assert_fault("192.0.2.1 @.\n", 1, 13);
	assert_fault("192.0.2.1 any\n192.0.2.1/32 any\n", 2, 1);
}

static void near_words_are_told(void **state)
{
	(void)state;
	assert_said("192.0.2.1 @a.example clod\n", "did you mean cloud?");
	assert_said("192.0.2.1 @a.example secrt=x\n", "did you mean secret=?");
	assert_said("192.0.2.1 @a.example secret\n", "did you mean secret=?");
	assert_said("192.0.2.1 @a.example quote=1/2\n", "did you mean quota=?");
	assert_said("192.0.2.1 ayn\n", "did you mean any?");
	assert_said("192.0.2.1 example.co.jp\n", "did you mean @example.co.jp?");
	assert_said("crt=a.example any\n", "did you mean cert=?");
	assert_said("cert-sha265=00 any\n", "did you mean cert-sha256=?");
}

/* S4-13: whatever the order in the file, a table of many widths finds the narrowest network. */
static void many_networks(void **state)
{
	static char text[40 * 1024];
	struct relay relay;
	size_t len = 0;

	(void)state;
	for (unsigned bits = 8; bits <= 32; bits++) {
		for (unsigned i = 0; i < 8; i++) {
			uint32_t address =
			    (10U << 24 | i << 21 | 0x1fffff) & (bits == 32 ? ~0U : ~(~0U >> bits));

			if (bits < 11 && i > 0)
				continue;
			len += (size_t)snprintf(text + len, sizeof text - len,
			    "%u.%u.%u.%u/%u @b%u-%u.example\n", address >> 24, address >> 16 & 255,
			    address >> 8 & 255, address & 255, bits, bits, i);
		}
	}
	load(text, &relay);
	assert_true(may(&relay, "10.31.255.255", "b32-0.example"));
	assert_true(may(&relay, "10.31.255.254", "b31-0.example"));
	assert_true(may(&relay, "10.31.255.253", "b30-0.example"));
	assert_true(may(&relay, "10.191.255.1", "b24-5.example"));
	assert_true(may(&relay, "10.32.0.0", "b11-1.example"));
	assert_true(may(&relay, "10.255.255.255", "b32-7.example"));
	assert_null(find(&relay, "11.0.0.0"));
	assert_null(find(&relay, "9.255.255.255"));
	relay_free(&relay);
}

static void doubles_are_faults(void **state)
{
	(void)state;
	assert_fault("192.0.2.1 any\n10.0.0.0/8 any\n 192.0.2.1/32 any\n10.0.0.0/8 any\n", 3, 2);
	assert_fault("cert=mx.example any\ncert=MX.example any\n", 2, 1);
	assert_fault(
	    "cert-sha256=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff any\n"
	    "cert-sha256=00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
	    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF any\n",
	    2, 1);
	assert_fault("192.0.2.1 any quota=none quota=none\n", 1, 26);
}

/* ---- certificates ---- */

/* `context` is the one name that the certificate bears. */
static bool bears(void *context, const char *name)
{
	return strcmp(name, context) == 0;
}

static bool nobody_asks(void *context, const char *name)
{
	(void)context;
	fail_msg("asked about %s", name);
	return false;
}

static void certificates(void **state)
{
	unsigned char digest[32], other[32] = {0};
	char mx1[] = "mx1.example", mx2[] = "mx2.example", mx3[] = "mx3.example";
	struct relay relay;

	(void)state;
	for (size_t i = 0; i < sizeof digest; i++)
		digest[i] = (unsigned char)(i * 8 + 7);
	load("cert=mx2.example @two.example\n192.0.2.1 any\ncert=mx1.example @one.example\n"
	     "cert-sha256=070F171F272f373f474f575f676f777f878f979fa7afb7bfc7cfd7dfe7eff7ff "
	     "@d.example\n"
	     "cert-sha256=ff:0f:17:1f:27:2f:37:3f:47:4f:57:5f:67:6f:77:7f:87:8f:97:9f:a7:af:b7:bf:"
	     "c7:"
	     "cf:d7:df:e7:ef:f7:ff @f.example\n",
	    &relay);
	assert_true(relay_has_certificates(&relay));
	assert_true(relay_has_certificate_names(&relay));
	assert_int_equal(relay_line(relay_find_certificate(&relay, other, bears, mx1)), 3);
	assert_int_equal(relay_line(relay_find_certificate(&relay, other, bears, mx2)), 1);
	assert_null(relay_find_certificate(&relay, other, bears, mx3));
	assert_null(relay_find_certificate(&relay, other, NULL, NULL));
	/* This very certificate: its names are not asked about. */
	assert_int_equal(relay_line(relay_find_certificate(&relay, digest, nobody_asks, NULL)), 4);
	assert_int_equal(relay_line(relay_find_certificate(&relay, digest, NULL, NULL)), 4);
	digest[0] = 0xff;
	assert_int_equal(relay_line(relay_find_certificate(&relay, digest, NULL, NULL)), 5);
	digest[31] = 0;
	assert_null(relay_find_certificate(&relay, digest, NULL, NULL));
	assert_non_null(find(&relay, "192.0.2.1"));
	relay_free(&relay);

	load("192.0.2.1 any\n", &relay);
	assert_false(relay_has_certificates(&relay));
	assert_false(relay_has_certificate_names(&relay));
	assert_null(relay_find_certificate(&relay, digest, bears, mx1));
	relay_free(&relay);

	load("cert-sha256=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff any\n",
	    &relay);
	assert_true(relay_has_certificates(&relay));
	assert_false(relay_has_certificate_names(&relay));
	relay_free(&relay);

	load("", &relay);
	assert_false(relay_has_certificates(&relay));
	assert_null(find(&relay, "192.0.2.1"));
	relay_free(&relay);
}

static void certificate_faults(void **state)
{
	(void)state;
	assert_fault("cert= any\n", 1, 6);
	assert_fault("cert=*.example.co.jp any\n", 1, 6);
	assert_fault("cert=192.0.2.1 any\n", 1, 6);
	assert_fault("cert=a_b.example any\n", 1, 6);
	assert_fault("cert-sha256= any\n", 1, 13);
	assert_fault("cert-sha256=0g any\n", 1, 14);
	assert_fault("cert-sha256=:00 any\n", 1, 13);
	assert_fault("cert-sha256=0:0 any\n", 1, 14);
	assert_fault("cert-sha256=00::11 any\n", 1, 15);
	assert_fault(
	    "cert-sha256=00112233445566778899aabbccddeeff00112233445566778899aabbccddee any\n", 1,
	    13);
	assert_fault(
	    "cert-sha256=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff0 any\n",
	    1, 77);
	assert_fault(
	    "cert-sha256=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff: any\n",
	    1, 77);
}

/* ---- quotas ---- */

static void assert_quota(const struct relay *relay, const char *address, int64_t hour, int64_t day)
{
	int64_t h = -7, d = -7;

	relay_quota(find(relay, address), &h, &d);
	assert_int_equal(h, hour);
	assert_int_equal(d, day);
}

static void quotas(void **state)
{
	struct relay relay;

	(void)state;
	load("192.0.2.1 any\n192.0.2.2 any quota=none\n192.0.2.3 any quota=10/0\n"
	     "192.0.2.4 quota=10000000/10000000 any\n",
	    &relay);
	assert_quota(&relay, "192.0.2.1", -1, -1);
	assert_quota(&relay, "192.0.2.2", 0, 0);
	assert_quota(&relay, "192.0.2.3", 10, 0);
	assert_quota(&relay, "192.0.2.4", 10000000, 10000000);
	relay_free(&relay);
	for (size_t i = 0; i < 7; i++) {
		static const char *const wrong[] = {
		    "", "5", "/", "1/", "/1", "10000001/1", "1/99999999999999999999999"};
		char text[128];

		(void)snprintf(text, sizeof text, "192.0.2.1 any quota=%s\n", wrong[i]);
		assert_fault(text, 1, 21);
	}
	assert_fault("192.0.2.1 any quota=-1/5\n", 1, 21);
	assert_fault("192.0.2.1 any quota=1/5/5\n", 1, 21);
}

/* ---- secrets ---- */

static void secrets(void **state)
{
	const char *value = "x", *again;
	struct relay relay;

	(void)state;
	load("192.0.2.1 @a.example secret=m365 cloud\n192.0.2.2 @a.example secret=m365\n192.0.2.3 "
	     "any\n",
	    &relay);
	assert_string_equal(
	    relay_secret(&relay, find(&relay, "192.0.2.1"), &value), "X-Example-Proof");
	assert_string_equal(value, "0123456789abcdef0123456789abcdef");
	assert_non_null(relay_secret(&relay, find(&relay, "192.0.2.2"), &again));
	assert_ptr_equal(value, again); /* read once */
	assert_null(relay_secret(&relay, find(&relay, "192.0.2.3"), &value));
	assert_null(value);
	relay_free(&relay);
}

static void secret_files_that_are_right(void **state)
{
	static const char *const right[] = {
	    "X-P:0123456789abcdef", "X-P: 0123456789abcdef\n", "x_p: a:b c~!\"#0123456789\n"};
	char longest[400];

	(void)state;
	(void)snprintf(longest, sizeof longest, "%.*s: %0256d\n", 64,
	    "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX", 0);
	for (size_t i = 0; i < 4; i++) {
		struct place p = make("192.0.2.1 @a.example secret=a.b_C-9\n");
		struct conf_fault fault = {0};
		struct relay relay;

		put(&p, "secrets/a.b_C-9", i < 3 ? right[i] : longest, 0640);
		relay_init(&relay);
		if (!relay_read(p.fd, &relay, &fault))
			fail_msg("%zu: %s", i, fault.text);
		relay_free(&relay);
		unmake(&p);
	}
}

/* S1-00: a second proof that is none is refused, and never shown. */
static void secret_files_that_are_wrong(void **state)
{
	char text[1200];

	(void)state;
	assert_secret_fault(SECRET, 0644, "etc/secrets/it: ", "chmod 0640 etc/secrets/it");
	assert_secret_fault(SECRET, 0641, "etc/secrets/it: ", "chmod 0640");
	assert_secret_fault(SECRET, 0642, "etc/secrets/it: ", "chmod 0640");
	assert_secret_fault("", 0600, "etc/secrets/it:1:1: ", "no colon");
	assert_secret_fault("0123456789abcdef\n", 0600, "etc/secrets/it:1:1: ", "no colon");
	assert_secret_fault(
	    "X-P: 0123456789abcde\n", 0600, "etc/secrets/it:1:6: ", "too short to be a secret");
	assert_secret_fault("X-P:\n", 0600, "etc/secrets/it:1:5: ", "openssl rand -hex 32");
	assert_secret_fault(": 0123456789abcdef\n", 0600, "etc/secrets/it:1:1: ", "missing");
	assert_secret_fault(
	    "X P: 0123456789abcdef\n", 0600, "etc/secrets/it:1:1: ", "before the colon");
	assert_secret_fault(
	    "X-P : 0123456789abcdef\n", 0600, "etc/secrets/it:1:1: ", "before the colon");
	assert_secret_fault(
	    "X-P:  0123456789abcdef\n", 0600, "etc/secrets/it:1:6: ", "second blank");
	assert_secret_fault(
	    "X-P: 0123456789abcdef \n", 0600, "etc/secrets/it:1:22: ", "blank at the end");
	assert_secret_fault(
	    "X-P: 0123456789abcdef\r\n", 0600, "etc/secrets/it:1:22: ", "carriage return");
	assert_secret_fault(
	    "X-P: 0123456789\tabcdef\n", 0600, "etc/secrets/it:1:16: ", "printable");
	assert_secret_fault("X-P: 0123456789\xc3\xa9"
			    "bcdef\n",
	    0600, "etc/secrets/it:1:16: ", "printable");
	assert_secret_fault(
	    "X-P: 0123456789abcdef\n\n", 0600, "etc/secrets/it: ", "more than one line");
	assert_secret_fault(SECRET SECRET, 0600, "etc/secrets/it: ", "more than one line");
	(void)snprintf(text, sizeof text, "X-P: %0257d\n", 0);
	assert_secret_fault(text, 0600, "etc/secrets/it:1:6: ", "256");
	(void)snprintf(text, sizeof text, "X-P: %01100d\n", 0);
	assert_secret_fault(text, 0600, "etc/secrets/it: ", "256");
	(void)snprintf(text, sizeof text, "%065d: 0123456789abcdef\n", 0);
	assert_secret_fault(text, 0600, "etc/secrets/it:1:1: ", "before the colon");

	static const char *const ordinary[] = {"From", "to", "CC", "Bcc", "Subject", "Date",
	    "Message-Id", "Received", "Sender", "Reply-To", "Return-Path", "MIME-Version",
	    "Content-Type", "content-x"};

	for (size_t i = 0; i < sizeof ordinary / sizeof ordinary[0]; i++) {
		(void)snprintf(text, sizeof text, "%s: 0123456789abcdef\n", ordinary[i]);
		assert_secret_fault(text, 0600, "etc/secrets/it:1:1: ", ordinary[i]);
	}
}

static void secret_is_never_shown(void **state)
{
	static const char *const contents[] = {"Swordfish\n", "Swordfish: Swordfish\n",
	    "Sword fish: Swordfish\n", "X-P: Swordfish Swordfish Swordfish \n",
	    "X-P: Swordfish Swordfish\xff\n", "Swordfish Swordfish: x\n"};

	(void)state;
	for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
		struct place p = make("192.0.2.1 @a.example secret=it\n");
		struct conf_fault fault = {0};
		struct relay relay;

		put(&p, "secrets/it", contents[i], 0600);
		relay_init(&relay);
		assert_false(relay_read(p.fd, &relay, &fault));
		assert_null(strstr(fault.text, "Sword"));
		relay_free(&relay);
		unmake(&p);
	}
	assert_fault("192.0.2.1 @a.example secret=X-Proof:Swordfish\n", 1, 29);
}

static void secret_names_and_kinds(void **state)
{
	struct place p;

	(void)state;
	assert_said("192.0.2.1 @a.example secret=it\n", "the file etc/secrets/it is missing");
	assert_fault("192.0.2.1 @a.example secret=\n", 1, 29);
	assert_fault("192.0.2.1 @a.example secret=.it\n", 1, 29);
	assert_fault("192.0.2.1 @a.example secret=..\n", 1, 29);
	assert_fault("192.0.2.1 @a.example secret=../relay\n", 1, 29);
	assert_fault("192.0.2.1 @a.example secret=/etc/passwd\n", 1, 29);
	assert_fault("192.0.2.1 @a.example secret=a+b\n", 1, 29);

	p = make("192.0.2.1 @a.example secret=it\n");
	put(&p, "other", SECRET, 0600);
	assert_int_equal(symlinkat("../other", p.fd, "secrets/it"), 0);
	assert_fault_in(&p, "etc/relay:1:29: ", "symbolic link");
	p = make("192.0.2.1 @a.example secret=it\n");
	assert_int_equal(mkdirat(p.fd, "secrets/it", 0700), 0);
	assert_fault_in(&p, "etc/secrets/it: ", "regular file");
	p = make("192.0.2.1 @a.example secret=it\n"); /* and a reader does not wait for a writer */
	assert_int_equal(mkfifoat(p.fd, "secrets/it", 0600), 0);
	assert_fault_in(&p, "etc/secrets/it: ", "regular file");
	p = make("192.0.2.1 @a.example secret=it\n");
	assert_int_equal(unlinkat(p.fd, "secrets", AT_REMOVEDIR), 0);
	assert_fault_in(&p, "etc/relay:1:29: ", "missing");
	p = make("192.0.2.1 @a.example secret=it secret=it\n");
	put(&p, "secrets/it", SECRET, 0600);
	assert_fault_in(&p, "etc/relay:1:32: ", "second secret");
}

/* ---- clouds ---- */

#define CLOUDS                                                                                     \
	"# shared\n40.92.0.0/15 Microsoft 365\ncert=*.outlook.com Microsoft 365\n"                 \
	"2a01:111:f400::/48 Microsoft 365\ncert=one.example One\n"

static void assert_cloud_fault(const char *line, const char *place, const char *said)
{
	struct place p = make(line);

	put(&p, "clouds", CLOUDS, 0644);
	put(&p, "secrets/m365", SECRET, 0640);
	assert_fault_in(&p, place, said);
}

static void assert_cloud_right(const char *line)
{
	struct place p = make(line);
	struct conf_fault fault = {0};
	struct relay relay;

	put(&p, "clouds", CLOUDS, 0644);
	put(&p, "secrets/m365", SECRET, 0640);
	relay_init(&relay);
	if (!relay_read(p.fd, &relay, &fault))
		fail_msg("%s: %s", line, fault.text);
	relay_free(&relay);
	unmake(&p);
}

/* S1-00: what all tenants of a service have in common proves nothing by itself. */
static void a_cloud_needs_a_second_proof(void **state)
{
	(void)state;
	assert_cloud_fault("40.92.0.0/15 @a.example\n", "etc/relay:1:1: ",
	    "40.92.0.0/15 is shared by all tenants of Microsoft 365 (etc/clouds:2): it needs "
	    "secret=NAME, the file etc/secrets/NAME with a header field that only your connector "
	    "adds");
	assert_cloud_fault("# x\n 40.93.1.2 @a.example\n", "etc/relay:2:2: ", "etc/clouds:2");
	assert_cloud_fault("40.0.0.0/8 @a.example\n", "etc/relay:1:1: ", "Microsoft 365");
	assert_cloud_fault("0.0.0.0/0 any\n", "etc/relay:1:1: ", "Microsoft 365");
	assert_cloud_fault(
	    "2a01:111:f400:7c00::/54 @a.example\n", "etc/relay:1:1: ", "etc/clouds:4");
	assert_cloud_fault("::/0 @a.example\n", "etc/relay:1:1: ", "etc/clouds:4");
	assert_cloud_fault(
	    "cert=mail.protection.outlook.com @a.example\n", "etc/relay:1:1: ", "etc/clouds:3");
	assert_cloud_fault("cert=MAIL.Outlook.COM @a.example\n", "etc/relay:1:1: ", "etc/clouds:3");
	assert_cloud_fault(
	    "cert=one.example @a.example\n", "etc/relay:1:1: ", "tenants of One (etc/clouds:5)");
	assert_cloud_fault("192.0.2.1 @a.example cloud\n",
	    "etc/relay:1:1: ", "192.0.2.1 is shared by strangers: ");
	assert_cloud_fault(
	    "cert-sha256=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	    " @a.example cloud\n",
	    "etc/relay:1:1: ", "shared by strangers");

	assert_cloud_fault(
	    "40.92.0.0/15 any secret=m365\n", "etc/relay:1:14: ", "name your own sender domains");
	assert_cloud_fault("192.0.2.1 @a.example any cloud secret=m365\n",
	    "etc/relay:1:22: ", "shared by strangers");

	assert_cloud_right("40.92.0.0/15 @a.example secret=m365\n");
	assert_cloud_right("40.92.0.0/15 @a.example cloud secret=m365 quota=5/6\n");
	assert_cloud_right("cert=mail.protection.outlook.com @a.example secret=m365\n");
	assert_cloud_right(
	    "192.0.2.1 any\n40.94.0.0/15 any\n40.88.0.0/14 any\ncert=outlook.com any\n"
	    "cert=notoutlook.com any\ncert=two.one.example any\n2a01:111:f401::/48 any\n");
}

static void clouds_have_faults(void **state)
{
	static const char *const texts[][2] = {{"40.92.0.0/15\n", "1:1: "},
	    {"40.92.0.1/15 X\n", "1:1: "}, {"40.92.0.0/33 X\n", "1:11: "}, {"cert= X\n", "1:6: "},
	    {"cert=*outlook.com X\n", "1:6: "}, {"cert=* X\n", "1:6: "},
	    {"cert=*.*.outlook.com X\n", "1:8: "}, {"outlook.com X\n", "1:1: "},
	    {"\n192.0.2.1 a very long name of a service, really too long\n", "2:11: "},
	    {"192.0.2.1 X", "1: "}};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct place p = make("");
		char shown[64];

		put(&p, "clouds", texts[i][0], 0644);
		(void)snprintf(shown, sizeof shown, "etc/clouds:%s", texts[i][1]);
		assert_fault_in(&p, shown, "");
	}
}

/* What is installed can be read, and knows the two services. */
static void the_installed_clouds(void **state)
{
	static const char *const shared[] = {"104.47.5.6", "2a01:111:f403:1::1", "209.85.220.41",
	    "2607:f8b0:4864:20::42b", "cert=mail.protection.outlook.com", "cert=smtp.gmail.com",
	    "cert=mail-lj1-x244.google.com"};
	static char text[64 * 1024];
	int fd = open("etc/clouds", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	(void)state;
	assert_true(fd >= 0);
	n = read(fd, text, sizeof text - 1);
	close(fd);
	assert_true(n > 0);
	for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++) {
		char line[128];
		struct place p;

		(void)snprintf(line, sizeof line, "%s @a.example\n", shared[i]);
		p = make(line);
		put(&p, "clouds", text, 0644);
		assert_fault_in(&p, "etc/relay:1:1: ", "shared by all tenants of ");
	}
}

/* The shipped examples, uncommented, are right. */
static void the_installed_examples(void **state)
{
	static char text[64 * 1024], clouds[64 * 1024];
	struct place p;
	struct conf_fault fault = {0};
	struct relay relay;
	FILE *file = fopen("etc/relay", "re"), *list = fopen("etc/clouds", "re");
	char line[512];
	size_t len = 0;

	(void)state;
	assert_non_null(file);
	assert_non_null(list);
	while (fgets(line, sizeof line, file) != NULL) {
		if (line[0] == '#' && line[1] > ' ')
			len += (size_t)snprintf(text + len, sizeof text - len, "%s", line + 1);
	}
	assert_true(fread(clouds, 1, sizeof clouds - 1, list) > 0);
	fclose(file);
	fclose(list);

	p = make(text);
	put(&p, "clouds", clouds, 0644);
	put(&p, "secrets/m365", SECRET, 0640);
	put(&p, "secrets/google", SECRET, 0640);
	relay_init(&relay);
	if (!relay_read(p.fd, &relay, &fault))
		fail_msg("%u:%u: %s", fault.line, fault.column, fault.text);
	assert_true(relay.n >= 12);
	relay_free(&relay);
	unmake(&p);
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
	    cmocka_unit_test(near_words_are_told),
	    cmocka_unit_test(many_networks),
	    cmocka_unit_test(doubles_are_faults),
	    cmocka_unit_test(certificates),
	    cmocka_unit_test(certificate_faults),
	    cmocka_unit_test(quotas),
	    cmocka_unit_test(secrets),
	    cmocka_unit_test(secret_files_that_are_right),
	    cmocka_unit_test(secret_files_that_are_wrong),
	    cmocka_unit_test(secret_is_never_shown),
	    cmocka_unit_test(secret_names_and_kinds),
	    cmocka_unit_test(a_cloud_needs_a_second_proof),
	    cmocka_unit_test(clouds_have_faults),
	    cmocka_unit_test(the_installed_clouds),
	    cmocka_unit_test(the_installed_examples),
	    cmocka_unit_test(half_a_file_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
