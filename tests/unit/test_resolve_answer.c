/*
 * Questions and answers as bytes: each has exactly one form. And the client against a resolver that
 * is not there, dies, stays silent or talks nonsense: RESOLVE_LATER in its time, never a hang.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/resolve/answer.h"

#define HEAD "mx example.jp ok - secure=yes implicit=no hosts=2 more=3 malformed=1\n"
#define HOST "host 10 mx1.example.jp - ok - secure=yes addresses=2\nat 2001:db8::1\nat 192.0.2.1\n"
#define LAST "host 20 mx2.example.jp real.example none nxdomain secure=no addresses=0\n"
#define GOOD HEAD HOST LAST

static struct resolve_answer the_answer;

static enum resolve_read read_text(const char *text, size_t *used)
{
	return resolve_answer_read(text, strlen(text), used, &the_answer);
}

static void test_reads(void **state)
{
	const struct resolve_answer *a = &the_answer;
	size_t used;

	(void)state;
	assert_int_equal(read_text(GOOD "mx next", &used), RESOLVE_READ_WHOLE);
	assert_int_equal(used, strlen(GOOD));
	assert_int_equal(a->kind, RESOLVE_MX);
	assert_string_equal(a->name, "example.jp");
	assert_int_equal(a->status, RESOLVE_OK);
	assert_true(a->secure);
	assert_false(a->implicit);
	assert_int_equal(a->more, 3);
	assert_int_equal(a->malformed, 1);
	assert_int_equal(a->n_hosts, 2);
	assert_int_equal(a->host[0].preference, 10);
	assert_string_equal(a->host[0].canon, "");
	assert_int_equal(a->host[0].n_addresses, 2);
	assert_true(a->host[0].address[0].v6);
	assert_memory_equal(a->host[0].address[1].bytes, "\300\0\2\1\0", 5);
	assert_string_equal(a->host[1].name, "mx2.example.jp");
	assert_string_equal(a->host[1].canon, "real.example");
	assert_int_equal(a->host[1].reason, RESOLVE_NXDOMAIN);
}

/* Every beginning of an answer asks for more, and what was read is written as it stood there. */
static void test_round_trip(void **state)
{
	static const char *const good[] = {
	    GOOD,
	    "mx x null - secure=no implicit=no hosts=0 more=0 malformed=0\n",
	    "mx x none nxdomain secure=yes implicit=no hosts=0 more=0 malformed=0\n",
	    "mx x none no-name secure=yes implicit=no hosts=0 more=0 malformed=65535\n",
	    "mx x later bogus secure=no implicit=no hosts=0 more=0 malformed=0\n",
	    "mx x ok - secure=yes implicit=yes hosts=1 more=0 malformed=0\n"
	    "host 0 x - ok - secure=no addresses=1\nat ::\n",
	    "a h_1.x later timeout secure=no implicit=no hosts=1 more=0 malformed=0\n"
	    "host 0 h_1.x - later timeout secure=no addresses=0\n",
	};
	struct buf out;
	size_t used;

	(void)state;
	buf_init(&out, 2 * RESOLVE_ANSWER_MAX);
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		for (size_t len = 0; len < strlen(good[i]); len++)
			assert_int_equal(resolve_answer_read(good[i], len, &used, &the_answer),
			    RESOLVE_READ_MORE);
		assert_int_equal(read_text(good[i], &used), RESOLVE_READ_WHOLE);
		assert_int_equal(used, strlen(good[i]));
		buf_clear(&out);
		answer_write(&the_answer, &out);
		assert_true(buf_ok(&out));
		assert_int_equal(out.len, strlen(good[i]));
		assert_memory_equal(out.bytes, good[i], out.len);
	}
	buf_free(&out);
}

static void test_refuses(void **state)
{
	static const char *const bad[] = {
	    "\n",
	    " \n",
	    "mx\n",
	    "MX x null - secure=no implicit=no hosts=0 more=0 malformed=0\n",
	    "mx X null - secure=no implicit=no hosts=0 more=0 malformed=0\n",
	    "mx x. null - secure=no implicit=no hosts=0 more=0 malformed=0\n",
	    "mx x  null - secure=no implicit=no hosts=0 more=0 malformed=0\n",
	    "mx x null - secure=no implicit=no hosts=0 more=0 malformed=0 \n",
	    "mx x null - secure=no implicit=no hosts=0 more=0 malformed=0\r\n",
	    "mx x null - secure=no implicit=no hosts=0 more=0\n",
	    "mx x null - secure=no implicit=no hosts=0 more=00 malformed=0\n",
	    "mx x null - secure=no implicit=no hosts=0 more=+1 malformed=0\n",
	    "mx x null - secure=no implicit=no hosts=0 more=65536 malformed=0\n",
	    "mx x null - secure=no implicit=no hosts=0 more=99999999999999999999999 malformed=0\n",
	    "mx x null - secure=maybe implicit=no hosts=0 more=0 malformed=0\n",
	    "mx x null nxdomain secure=no implicit=no hosts=0 more=0 malformed=0\n",
	    "mx x later - secure=no implicit=no hosts=0 more=0 malformed=0\n",
	    "mx x later gone secure=no implicit=no hosts=0 more=0 malformed=0\n",
	    "mx x none bogus secure=no implicit=no hosts=0 more=0 malformed=0\n",
	    "mx x ok - secure=no implicit=no hosts=0 more=0 malformed=0\n",
	    "mx x ok - secure=no implicit=no hosts=101 more=0 malformed=0\n",
	    "mx x ok - secure=no implicit=yes hosts=2 more=0 malformed=0\n",
	    "a x ok - secure=no implicit=yes hosts=1 more=0 malformed=0\n",
	    /* The hosts do not bear out what is said of the whole, or of themselves. */
	    "mx x ok - secure=no implicit=no hosts=1 more=0 malformed=0\n"
	    "host 0 a.x - none nxdomain secure=no addresses=0\n",
	    "mx x null - secure=no implicit=no hosts=1 more=0 malformed=0\n"
	    "host 0 a.x - none nxdomain secure=no addresses=0\n",
	    "mx x none no-address secure=no implicit=no hosts=1 more=0 malformed=0\n"
	    "host 0 a.x - later bogus secure=no addresses=0\n",
	    "mx x ok - secure=no implicit=no hosts=1 more=0 malformed=0\n"
	    "host 0 a.x - ok - secure=no addresses=0\n",
	    "a x ok - secure=yes implicit=no hosts=1 more=0 malformed=0\n"
	    "host 0 x - ok - secure=no addresses=1\nat 192.0.2.1\n",
	    "a x ok - secure=no implicit=no hosts=1 more=0 malformed=0\n"
	    "host 0 y - ok - secure=no addresses=1\nat 192.0.2.1\n",
	    HEAD HOST "host 9 mx2.example.jp - none nxdomain secure=no addresses=0\n",
	    HEAD "host 65536 a.x - none nxdomain secure=no addresses=0\n",
	    HEAD "host 1 a.x a.x none nxdomain secure=no addresses=0\n",
	    HEAD "host 1 a.x - ok - secure=no addresses=17\n",
	    HEAD "host 1 a.x - ok - secure=no addresses=1\nat 192.0.2.01\n",
	    HEAD "host 1 a.x - ok - secure=no addresses=1\nat 2001:DB8::1\n",
	    HEAD "host 1 a.x - ok - secure=no addresses=1\nat 2001:db8:0::1\n",
	    HEAD "host 1 a.x - ok - secure=no addresses=1\nat \n",
	    HEAD "host 1 a.x - ok - secure=no addresses=2\nat 192.0.2.1\nat ::2\n",
	};
	static const char with_nul[] =
	    "mx x null - secure=no implicit=no hosts=0 more=0 malformed=0\0\n";
	size_t used;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (read_text(bad[i], &used) != RESOLVE_READ_BROKEN)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(used, 0);
	}
	assert_int_equal(resolve_answer_read(with_nul, sizeof with_nul - 1, &used, &the_answer),
	    RESOLVE_READ_BROKEN);
}

/* The largest answer that there can be fits, whole. */
static void test_largest(void **state)
{
	static struct resolve_answer largest;
	struct buf out;
	size_t used;

	(void)state;
	memset(largest.name, 'n', 63);
	largest.kind = RESOLVE_MX;
	largest.more = largest.malformed = 65535;
	largest.n_hosts = RESOLVE_HOSTS_MAX;
	for (size_t i = 0; i < RESOLVE_HOSTS_MAX; i++) {
		struct resolve_host *h = &largest.host[i];

		h->preference = 65535;
		for (size_t k = 0; k < RESOLVE_NAME_MAX; k++) {
			h->name[k] = k % 2 == 0 ? 'n' : '.';
			h->canon[k] = k % 2 == 0 ? 'c' : '.';
		}
		h->n_addresses = RESOLVE_ADDRESSES_MAX;
		for (size_t k = 0; k < RESOLVE_ADDRESSES_MAX; k++) {
			h->address[k].v6 = true;
			memset(h->address[k].bytes, 0xff, 16);
		}
	}
	buf_init(&out, 2 * RESOLVE_ANSWER_MAX);
	answer_write(&largest, &out);
	assert_true(buf_ok(&out));
	assert_in_range(out.len, 1, RESOLVE_ANSWER_MAX);
	assert_int_equal(
	    resolve_answer_read(out.bytes, out.len, &used, &the_answer), RESOLVE_READ_WHOLE);
	buf_free(&out);
}

static void test_questions(void **state)
{
	static const struct {
		const char *line;
		bool good;
	} table[] = {{"mx example.jp", true}, {"a mx_1.example.jp", true}, {"mx", false},
	    {"mx ", false}, {" mx x", false}, {"mx x ", false}, {"mx  x", false}, {"mx x y", false},
	    {"mx X", false}, {"mx x.", false}, {"mx x\r", false}, {"txt x", false}, {"", false},
	    {"mx \xe6\x97\xa5", false}};
	char bytes[RESOLVE_QUESTION_MAX], name[RESOLVE_NAME_MAX + 1];
	enum resolve_kind kind;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		bool good = question_line(table[i].line, strlen(table[i].line), &kind, name);

		assert_int_equal(good, table[i].good);
		if (good) {
			size_t len = resolve_question_write(kind, name, bytes);

			assert_int_equal(len, strlen(table[i].line) + 1);
			assert_memory_equal(bytes, table[i].line, len - 1);
		}
	}
	assert_false(question_line("mx x\0y", 6, &kind, name));
}

/* ---- the client ---- */

/* A resolver of our own: takes one connection, reads a question, says its text, hangs up or not. */
struct fake {
	char directory[64], path[96];
	const char *says;
	bool hangs; /* until the asker hangs up */
	int listener;
	pthread_t thread;
};

static void *be_fake(void *context)
{
	const struct fake *f = context;
	char bytes[512];
	int fd = accept(f->listener, NULL, NULL);

	if (recv(fd, bytes, sizeof bytes, 0) > 0)
		(void)send(fd, f->says, strlen(f->says), MSG_NOSIGNAL);
	while (f->hangs && recv(fd, bytes, sizeof bytes, 0) > 0)
		;
	close(fd);
	return NULL;
}

static void fake_start(struct fake *f)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(f->directory, sizeof f->directory, "%s/rXXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->directory));
	(void)snprintf(f->path, sizeof f->path, "%s/socket", f->directory);
	strcpy(address.sun_path, f->path);
	f->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(f->listener, (const struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(f->listener, 1), 0);
	assert_int_equal(pthread_create(&f->thread, NULL, be_fake, f), 0);
}

static void fake_end(struct fake *f)
{
	pthread_join(f->thread, NULL);
	close(f->listener);
	unlink(f->path);
	rmdir(f->directory);
}

static void test_client(void **state)
{
	static const struct {
		const char *says;
		bool hangs;
		enum resolve_status status;
		enum resolve_reason reason;
	} table[] = {
	    {GOOD, true, RESOLVE_OK, RESOLVE_NO_REASON},
	    {GOOD, false, RESOLVE_OK, RESOLVE_NO_REASON},
	    {"", false, RESOLVE_LATER, RESOLVE_GONE},
	    {HEAD HOST, false, RESOLVE_LATER, RESOLVE_GONE},
	    {"", true, RESOLVE_LATER, RESOLVE_TIMEOUT},
	    {HEAD HOST, true, RESOLVE_LATER, RESOLVE_TIMEOUT},
	    {"hello\n", true, RESOLVE_LATER, RESOLVE_UNINTELLIGIBLE},
	    {GOOD GOOD, true, RESOLVE_LATER, RESOLVE_UNINTELLIGIBLE},
	    /* The answer to another question. */
	    {"mx example.com null - secure=no implicit=no hosts=0 more=0 malformed=0\n", true,
		RESOLVE_LATER, RESOLVE_UNINTELLIGIBLE},
	    {"a example.jp none nxdomain secure=no implicit=no hosts=0 more=0 malformed=0\n", true,
		RESOLVE_LATER, RESOLVE_UNINTELLIGIBLE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		struct fake f = {.says = table[i].says, .hangs = table[i].hangs};
		bool waits = table[i].reason == RESOLVE_TIMEOUT;
		int64_t begun = clock_boot();

		fake_start(&f);
		assert_int_equal(
		    resolve_ask(f.path, RESOLVE_MX, "Example.JP", waits ? 100 : 20000, &the_answer),
		    table[i].status);
		assert_int_equal(the_answer.reason, table[i].reason);
		assert_string_equal(the_answer.name, "example.jp");
		assert_true(!waits || clock_boot() - begun >= 100000);
		fake_end(&f);
	}
}

static void test_client_alone(void **state)
{
	(void)state;
	assert_int_equal(
	    resolve_ask("/nonexistent/socket", RESOLVE_MX, "example.jp", 1000, &the_answer),
	    RESOLVE_LATER);
	assert_int_equal(the_answer.reason, RESOLVE_GONE);
	assert_int_equal(the_answer.n_hosts, 0);
	/* Not a domain: that no resolver is needed for. */
	assert_int_equal(
	    resolve_ask("/nonexistent/socket", RESOLVE_MX, "a_b.example", 1000, &the_answer),
	    RESOLVE_NONE);
	assert_int_equal(the_answer.reason, RESOLVE_NO_NAME);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reads),
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_refuses),
	    cmocka_unit_test(test_largest),
	    cmocka_unit_test(test_questions),
	    cmocka_unit_test(test_client),
	    cmocka_unit_test(test_client_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
