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

#include "lib/smtp/gate.h"

#define PROOF  "0123456789abcdef0123456789abcdef"
#define RELAY  "192.0.2.0/24 @example.co.jp cloud secret=cloud\n198.51.100.1 @example.co.jp\n"
#define PEOPLE "alice@example.co.jp alias=a.sato@example.co.jp shared=info@example.co.jp\n"
#define ID     "0196c0ffee4f2c1d8a31b7e09c55d210"

/* The tables of one configuration, and the rules that a test makes of them. */
struct fixture {
	char path[64];
	struct relay relay;
	struct people *people;
	struct loop_key loop;
	char mark[LOOP_MARK + 1];
	struct gate_rules rules;
};

static void put(int dir, const char *name, const char *text, mode_t mode)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct conf_fault fault = {0};
	int etc;

	assert_non_null(f);
	(void)snprintf(f->path, sizeof f->path, "/tmp/test_smtp_gate.XXXXXX");
	assert_non_null(mkdtemp(f->path));
	etc = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(etc >= 0);
	assert_int_equal(mkdirat(etc, "secrets", 0700), 0);
	put(etc, "relay", RELAY, 0644);
	put(etc, "people", PEOPLE, 0644);
	put(etc, "secrets/cloud", "X-Example-Proof: " PROOF "\n", 0600);

	relay_init(&f->relay);
	assert_true(relay_read(etc, &f->relay, &fault));
	f->people = people_read(etc, &fault);
	assert_non_null(f->people);
	memset(f->loop.bytes, 7, sizeof f->loop.bytes);
	assert_true(loop_mark(&f->loop, ID, f->mark));
	f->rules = (struct gate_rules){.people = f->people,
	    .relay = &f->relay,
	    .loop = &f->loop,
	    .header_max = 65536,
	    .line_max = 998,
	    .received_max = 30,
	    .loop_passes = 1};
	close(etc);
	*state = f;
	return 0;
}

static int take_away(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	relay_free(&f->relay);
	people_free(f->people);
	assert_int_equal(nftw(f->path, take_away, 8, FTW_DEPTH | FTW_PHYS), 0);
	free(f);
	return 0;
}

/* The rules for mail of this address's line in RELAY. */
static struct gate_rules from_source(const struct fixture *f, const char *address)
{
	struct gate_rules rules = f->rules;
	struct ip ip;

	assert_true(ip_parse(address, &ip));
	rules.source = relay_find(&f->relay, &ip);
	assert_non_null(rules.source);
	return rules;
}

static struct gate_rules from_login(const struct fixture *f, const char *login)
{
	struct gate_rules rules = f->rules;

	rules.login = login;
	return rules;
}

/* ---- passing through ---- */

static void take(struct gate *g, const char *bytes, size_t len, bool end, struct buf *out)
{
	const char *head, *rest;
	size_t head_len, rest_len;
	bool some = gate_take(g, bytes, len, end, &head, &head_len, &rest, &rest_len);

	assert_int_equal(some, head_len + rest_len > 0);
	if (g->fault != GATE_FINE && g->fault != GATE_FOREIGN)
		assert_false(some);
	buf_add(out, head, head_len);
	buf_add(out, rest, rest_len);
}

/* In pieces that end at `cut`, at `cut + step`, and so on. */
static enum gate_fault pass(const struct gate_rules *rules, const char *text, size_t len,
    size_t cut, size_t step, struct buf *out)
{
	struct gate g;
	enum gate_fault fault;
	size_t at = 0;

	buf_clear(out);
	gate_init(&g, rules);
	for (size_t end = cut; at < len; end += step) {
		size_t stop = end < len ? end : len;

		take(&g, text + at, stop - at, false, out);
		at = stop;
	}
	take(&g, "", 0, true, out);
	assert_true(buf_ok(out));
	fault = g.fault;
	gate_free(&g);
	return fault;
}

/* Whatever the segments: this verdict, and these bytes if it is one with bytes. */
static void assert_passes(
    const struct gate_rules *rules, const char *in, enum gate_fault fault, const char *out)
{
	size_t len = strlen(in);
	struct buf got;

	buf_init(&got, 1 << 20);
	for (size_t cut = 0; cut <= len; cut++) {
		for (size_t step = 1; step <= len + 1; step += step < 8 ? 1 : len) {
			assert_int_equal(pass(rules, in, len, cut, step, &got), fault);
			if (out == NULL)
				continue;
			assert_int_equal(got.len, strlen(out));
			if (got.len > 0)
				assert_memory_equal(got.bytes, out, got.len);
		}
	}
	buf_free(&got);
}

static void assert_unchanged(const struct gate_rules *rules, const char *in)
{
	assert_passes(rules, in, GATE_FINE, in);
}

static void assert_refused(const struct gate_rules *rules, const char *in, enum gate_fault fault)
{
	assert_passes(rules, in, fault, NULL);
}

/* ---- the tests ---- */

/* DKIM: what nobody has to take out leaves as it came. */
static void every_byte_goes_through(void **state)
{
	static const char *const mails[] = {
	    "",
	    "\r\n",
	    "\r\nbody\r\n",
	    "Subject: s\r\n",
	    "Subject: s\r\n\r\n",
	    "Subject: s\r\n folded\r\n\ttwice\r\n\r\nbody\r\n\r\nmore\r\n",
	    "no field at all\r\nnor here\r\n\r\nbody\r\n",
	    "Subject : s\r\nX-Example-Proof: mine\r\n\r\nX-Example-Proof: " PROOF "\r\n",
	    "A: b\r\n \r\nB: c\r\n\r\n\r\n\r\n",
	    "A: \xe9\xff\x01\r\n\r\n\xff\xfe\r\n",
	};
	struct gate_rules rules = from_source(*state, "198.51.100.1");

	for (size_t i = 0; i < COUNT_OF(mails); i++)
		assert_unchanged(&rules, mails[i]);
}

/* A shared cloud's mail is ours with the secret alone, which nobody sees behind us. */
static void the_secret_is_asked_for_and_taken_out(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} mails[] = {
	    {"X-Example-Proof: " PROOF "\r\n\r\nb\r\n", "\r\nb\r\n"},
	    {"A: b\r\nX-Example-Proof: " PROOF "\r\n\r\nb\r\n", "A: b\r\n\r\nb\r\n"},
	    {"X-EXAMPLE-proof:" PROOF "\r\nA: b\r\n\r\nb\r\n", "A: b\r\n\r\nb\r\n"},
	    {"X-Example-Proof \t: \t" PROOF "  \t\r\nA: b\r\n\r\n", "A: b\r\n\r\n"},
	    {"A: b\r\nX-Example-Proof:\r\n " PROOF "\r\nB: c\r\n d\r\n\r\n",
		"A: b\r\nB: c\r\n d\r\n\r\n"},
	    {"A: b\r\nX-Example-Proof: " PROOF, "A: b\r\n"},
	    {"X-Example-Proof: " PROOF "\r\n", ""},
	    {"X-Example-Proof: " PROOF "\r\nX-Example-Proof: " PROOF "\r\nA: b\r\n\r\n",
		"A: b\r\n\r\n"},
	    {"X-Example-Proof: guess\r\nA: b\r\nX-Example-Proof: " PROOF "\r\n\r\n",
		"A: b\r\n\r\n"},
	    {"X-Example-Proof: " PROOF "\r\nA: b\r\nX-Example-Proof: guess\r\n more\r\n\r\n",
		"A: b\r\n\r\n"},
	    {"X-Example-Proof: " PROOF "\r\nX-Example-Proof-2: c\r\n\r\nX-Example-Proof: d\r\n",
		"X-Example-Proof-2: c\r\n\r\nX-Example-Proof: d\r\n"},
	};
	struct gate_rules rules = from_source(*state, "192.0.2.9");

	for (size_t i = 0; i < COUNT_OF(mails); i++)
		assert_passes(&rules, mails[i].in, GATE_FINE, mails[i].out);
}

static void without_the_secret_it_is_refused(void **state)
{
	static const char *const mails[] = {
	    "",
	    "\r\nX-Example-Proof: " PROOF "\r\n",
	    "A: b\r\n\r\nX-Example-Proof: " PROOF "\r\n",
	    "X-Example-Proof:\r\n\r\n",
	    "X-Example-Proof: guess\r\n\r\n",
	    "X-Example-Proof: 0123456789abcdef0123456789abcde\r\n\r\n",
	    "X-Example-Proof: 0123456789abcdef0123456789abcdeg\r\n\r\n",
	    "X-Example-Proof: " PROOF "0\r\n\r\n",
	    "X-Example-Proof: 0123456789ABCDEF0123456789ABCDEF\r\n\r\n",
	    "X-Example-Proof: \"" PROOF "\"\r\n\r\n",
	    "X-Example-Proof: 0123456789abcdef\r\n 0123456789abcdef\r\n\r\n",
	    "X-Example-Proof2: " PROOF "\r\n\r\n",
	    "X-Example-Proo: " PROOF "\r\n\r\n",
	    " X-Example-Proof: " PROOF "\r\n\r\n",
	    "A: b\r\n X-Example-Proof: " PROOF "\r\n\r\n",
	    "X Example-Proof: " PROOF "\r\n\r\n",
	};
	struct gate_rules rules = from_source(*state, "192.0.2.9");

	for (size_t i = 0; i < COUNT_OF(mails); i++)
		assert_refused(&rules, mails[i], GATE_UNPROVEN);
}

/* S1-00: every address in From, and Sender, is the login's. */
static void senders_of_the_login(void **state)
{
	static const char *const fine[] = {
	    "From: alice@example.co.jp\r\n\r\n",
	    "from : =?utf-8?b?5pel5pys?= <A.Sato@example.co.jp>\r\n\r\nFrom: ceo@example.co.jp\r\n",
	    "From: info@example.co.jp, Alice <alice@example.co.jp>\r\nSender: "
	    "alice@example.co.jp\r\n",
	    "From:\r\n alice@example.co.jp\r\nReply-To: bob@partner.example\r\n\r\n",
	};
	static const char *const foreign[] = {
	    "",
	    "\r\nFrom: alice@example.co.jp\r\n",
	    "Subject: nobody\r\n\r\nb\r\n",
	    "From:\r\n\r\n",
	    "From: bob@example.co.jp\r\n\r\n",
	    "From: alice@example.co.jp, bob@example.co.jp\r\n\r\n",
	    "From: undisclosed:;\r\n\r\n",
	    "From: alice@example.co.jp\r\nFrom: alice@example.co.jp\r\n\r\n",
	    "From: alice@example.co.jp\r\nFROM\t: bob@example.co.jp\r\n\r\n",
	    "From: alice@example.co.jp\r\nSender: bob@example.co.jp\r\n\r\n",
	    "From: alice@example.co.jp\r\nSender: alice@example.co.jp\r\n"
	    "Sender: alice@example.co.jp\r\n\r\n",
	    "From: alice@example.co.jp <bob@example.co.jp>\r\n\r\n",
	    "From: \"alice@example.co.jp\" bob@example.co.jp\r\n\r\n",
	    "From: alice@example.co.jp.\r\n\r\n",
	    "From: alice@example.co.jp\r\nSender: <<alice@example.co.jp>>\r\n\r\n",
	    "Fro: x\r\n From: alice@example.co.jp\r\n\r\n",
	};
	struct gate_rules rules = from_login(*state, "alice@example.co.jp");

	for (size_t i = 0; i < COUNT_OF(fine); i++)
		assert_unchanged(&rules, fine[i]);
	for (size_t i = 0; i < COUNT_OF(foreign); i++)
		assert_passes(&rules, foreign[i], GATE_FOREIGN, foreign[i]);
}

/* Nobody asks a relay source for From. */
static void senders_of_a_source_are_its_own(void **state)
{
	struct gate_rules rules = from_source(*state, "198.51.100.1");

	assert_unchanged(
	    &rules, "From: anybody@elsewhere.example\r\nFrom: twice@x.example\r\n\r\n");
}

/* S12: more Received fields than allowed; those of the body are text. */
static void S12_received_is_counted(void **state)
{
	struct gate_rules rules = from_source(*state, "198.51.100.1");

	rules.received_max = 3;
	assert_unchanged(&rules,
	    "Received: a\r\nReceived: b\r\n c\r\nX-Received: d\r\nReceive: e\r\nrecEIved: f\r\n"
	    " Received: g\r\n\r\nReceived: h\r\nReceived: i\r\n");
	assert_refused(&rules,
	    "Received: a\r\nReceived : b\r\n\tc\r\nRECEIVED:d\r\nA: b\r\nReceived: e\r\n\r\nb\r\n",
	    GATE_LOOP);
	assert_refused(
	    &rules, "Received: a\r\nReceived: b\r\nReceived: c\r\nReceived: d", GATE_LOOP);
}

static void received_line(char text[512], const char *id, const char *mark)
{
	(void)snprintf(text, 512,
	    "Received: from pc1 ([192.0.2.10])\r\n\tby gw.example with ESMTP id %s\r\n"
	    "\t(mark %s); Sun, 22 Nov 2026 09:35:01 +0000\r\nA: b\r\n\r\nbody\r\n",
	    id, mark);
}

/* S12: our own mail is known again, and nobody else's is taken for it. */
static void S12_the_mark_is_known(void **state)
{
	struct fixture *f = *state;
	struct gate_rules rules = from_source(f, "198.51.100.1");
	char mail[512], other[LOOP_MARK + 1];

	received_line(mail, ID, f->mark);
	assert_refused(&rules, mail, GATE_LOOP);
	rules.loop = NULL; /* there is no key yet */
	assert_unchanged(&rules, mail);
	rules.loop = &f->loop;
	rules.loop_passes = 2;
	assert_unchanged(&rules, mail);

	rules.loop_passes = 1;
	memcpy(other, f->mark, sizeof other);
	other[3] = other[3] == '0' ? '1' : '0';
	received_line(mail, ID, other);
	assert_unchanged(&rules, mail);
	received_line(mail, "0196c0ffee4f2c1d8a31b7e09c55d211", f->mark);
	assert_unchanged(&rules, mail);
}

static void S12_marks_are_counted(void **state)
{
	struct fixture *f = *state;
	struct gate_rules rules = from_source(f, "198.51.100.1");
	char one[512], mail[2048];

	received_line(one, ID, f->mark);
	*strstr(one, "A: b") = '\0';
	(void)snprintf(mail, sizeof mail, "%sX: y\r\n%s\r\nb\r\n", one, one);
	rules.loop_passes = 3;
	assert_unchanged(&rules, mail);
	rules.loop_passes = 2;
	assert_refused(&rules, mail, GATE_LOOP);
}

/* ---- bounds ---- */

static char *filled(const char *before, size_t n, const char *behind)
{
	char *text = malloc(strlen(before) + n + strlen(behind) + 1);

	assert_non_null(text);
	(void)strcpy(text, before);
	memset(text + strlen(before), 'x', n);
	(void)strcpy(text + strlen(before) + n, behind);
	return text;
}

static void assert_length(
    const struct gate_rules *rules, const char *before, size_t n, enum gate_fault fault)
{
	static const size_t cuts[] = {1, 7, 996, 997, 998, 999, 1000, 1001, 1002, 1003, 4096};
	char *text = filled(before, n, "\r\nmore\r\n");
	struct buf out;

	buf_init(&out, 1 << 20);
	for (size_t i = 0; i < COUNT_OF(cuts); i++)
		assert_int_equal(pass(rules, text, strlen(text), cuts[i], cuts[i], &out), fault);
	buf_free(&out);
	free(text);
}

/* S6: a line has line_max bytes, its CRLF not counted (RFC 5322 section 2.1.1), and is never cut. */
static void S6_a_line_has_a_bound(void **state)
{
	struct gate_rules rules = from_source(*state, "198.51.100.1");

	assert_length(&rules, "A: b\r\n\r\nbody\r\n", 998, GATE_FINE);
	assert_length(&rules, "A: b\r\n\r\nbody\r\n", 999, GATE_LINE);
	assert_length(&rules, "\r\n", 998, GATE_FINE);
	assert_length(&rules, "\r\n", 999, GATE_LINE);
	assert_length(&rules, "A: b\r\nB:", 996, GATE_FINE);
	assert_length(&rules, "A: b\r\nB:", 997, GATE_LINE);
}

/* Lines of short length that have a whole header_max of bytes between them, and `beyond` more. */
static enum gate_fault header_of(const struct gate_rules *rules, size_t bytes, size_t piece)
{
	char *text = malloc(bytes + 8);
	enum gate_fault fault;
	struct buf out;
	size_t at = 0;

	assert_non_null(text);
	while (at + 72 <= bytes - 2) {
		size_t n = bytes - 2 - at;
		char *line = text + at;

		n = n < 144 ? n : 72;
		memset(line, 'h', n);
		memcpy(line, "A: ", 3);
		memcpy(line + n - 2, "\r\n", 2);
		at += n;
	}
	assert_int_equal(at, bytes - 2);
	memcpy(text + at, "\r\nbody", 6);
	buf_init(&out, 1 << 20);
	fault = pass(rules, text, bytes + 4, piece, piece, &out);
	if (fault == GATE_FINE)
		assert_memory_equal(out.bytes, text, bytes + 4);
	buf_free(&out);
	free(text);
	return fault;
}

static void a_header_has_a_bound(void **state)
{
	static const size_t pieces[] = {1, 999, 32768, 65535, GATE_PIECE_MAX};
	struct gate_rules rules = from_source(*state, "198.51.100.1");

	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		assert_int_equal(header_of(&rules, 65536, pieces[i]), GATE_FINE);
		assert_int_equal(header_of(&rules, 65537, pieces[i]), GATE_TOO_LARGE);
		assert_int_equal(header_of(&rules, 200000, pieces[i]), GATE_TOO_LARGE);
	}
}

/* S12, M2: half a million fields are judged in time that grows with their number alone. */
static void a_header_of_many_fields(void **state)
{
	struct gate_rules rules = from_source(*state, "192.0.2.9");
	size_t n = 500000, at = 0;
	char *text = malloc(8 * n + 64);
	struct buf out;

	assert_non_null(text);
	for (size_t i = 0; i < n; i++) {
		memcpy(text + at, "A: b\r\n", 6);
		at += 6;
	}
	memcpy(text + at, "X-Example-Proof: " PROOF "\r\n\r\n", 53);
	rules.header_max = (int64_t)16 * 1024 * 1024;
	buf_init(&out, 8 * n);
	assert_int_equal(pass(&rules, text, at + 53, 1, GATE_PIECE_MAX, &out), GATE_FINE);
	assert_int_equal(out.len, at + 2);
	assert_memory_equal(out.bytes, text, at);
	buf_free(&out);
	free(text);
}

/* ---- what goes before what ---- */

/* Two faults: the mail is refused for the one that no operator could let pass. */
static void a_foreign_sender_never_hides_a_loop(void **state)
{
	struct fixture *f = *state;
	struct gate_rules rules = from_login(f, "alice@example.co.jp");
	char mail[512];

	received_line(mail, ID, f->mark);
	assert_refused(&rules, mail, GATE_LOOP);
	assert_length(&rules, "A: b\r\n\r\nbody\r\n", 999, GATE_LINE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(every_byte_goes_through),
	    TEST(the_secret_is_asked_for_and_taken_out),
	    TEST(without_the_secret_it_is_refused),
	    TEST(senders_of_the_login),
	    TEST(senders_of_a_source_are_its_own),
	    TEST(S12_received_is_counted),
	    TEST(S12_the_mark_is_known),
	    TEST(S12_marks_are_counted),
	    TEST(S6_a_line_has_a_bound),
	    TEST(a_header_has_a_bound),
	    TEST(a_header_of_many_fields),
	    TEST(a_foreign_sender_never_hides_a_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
