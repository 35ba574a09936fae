#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "queue/freeze.h"

#define SINCE "2026-11-22T09:35:01.123456Z"
#define REST  " since=" SINCE " by=root reason=\n"

/* A directory that stands for lib/. */
struct place {
	char path[128];
	int lib;
};

static int make_place(void **state)
{
	static struct place p;
	const char *parent = getenv("TMPDIR");

	(void)snprintf(
	    p.path, sizeof p.path, "%s/test_freeze.XXXXXX", parent != NULL ? parent : "/var/tmp");
	assert_non_null(mkdtemp(p.path));
	p.lib = open(p.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p.lib >= 0);
	*state = &p;
	return 0;
}

static int remove_place(void **state)
{
	struct place *p = *state;

	(void)unlinkat(p->lib, FREEZE_FILE, 0);
	(void)unlinkat(p->lib, FREEZE_FILE, AT_REMOVEDIR);
	(void)unlinkat(p->lib, FREEZE_FILE ".new", 0);
	(void)close(p->lib);
	return rmdir(p->path);
}

static void write_file(const struct place *p, const char *text, size_t len)
{
	int fd = openat(p->lib, "x", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(close(fd), 0);
	assert_int_equal(renameat(p->lib, "x", p->lib, FREEZE_FILE), 0);
}

static void read_file(const struct place *p, char *text, size_t room)
{
	int fd = openat(p->lib, FREEZE_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, text, room - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	(void)close(fd);
}

static const char *client = "192.0.2.10 helo=pc1 proto=esmtp";

/* Whether mail from `from` to `to` is held, by a file with this text. */
static bool holds(struct freeze *f, const char *from, const char *to, const char **why)
{
	char from_copy[64], to_copy[64];
	struct leg_rcpt rcpt = {.address = to_copy};
	struct leg leg = {.from = from_copy, .client = client, .rcpts = 1, .rcpt = &rcpt};

	(void)snprintf(from_copy, sizeof from_copy, "%s", from);
	(void)snprintf(to_copy, sizeof to_copy, "%s", to);
	return freeze_holds(f, &leg, 0, why);
}

static void no_file_freezes_nothing(void **state)
{
	struct place *p = *state;
	struct freeze *f = freeze_open(p->lib, FREEZE_FILE);
	const char *why = "untouched";

	assert_non_null(f);
	assert_true(freeze_refresh(f, NULL));
	assert_int_equal(freeze_count(f), 0);
	assert_false(holds(f, "a@b", "c@d", &why));
	assert_string_equal(why, "untouched");
	freeze_close(f);
}

static void addresses(void **state)
{
	static const struct {
		const char *line, *from, *to;
		bool held;
		const char *why;
	} cases[] = {
	    {"all", "a@b", "c@d", true, "all"},
	    {"all", "", "c@d", true, "all"},
	    {"sender a@b", "a@b", "c@d", true, "sender"},
	    {"sender A@B.Example", "a@b.eXAMPLE", "c@d", true, "sender"},
	    {"sender a@b", "a@bb", "c@d", false, NULL},
	    {"sender a@b", "aa@b", "c@d", false, NULL},
	    {"sender a@b", "c@d", "a@b", false, NULL},
	    {"sender @b", "x@B", "c@d", true, "sender"},
	    {"sender @b", "x@y.b", "c@d", false, NULL},
	    {"sender @b", "x@bb", "c@d", false, NULL},
	    {"sender @b", "", "c@d", false, NULL},
	    {"sender <>", "", "c@d", true, "sender"},
	    {"sender <>", "a@b", "c@d", false, NULL},
	    {"recipient c@d", "a@b", "C@D", true, "recipient"},
	    {"recipient @d", "a@b", "\"x@y\"@d", true, "recipient"},
	    {"recipient @y", "a@b", "\"x@y\"@d", false, NULL},
	    {"recipient a@b", "a@b", "c@d", false, NULL},
	    {"recipient #odd+2Bone@d", "a@b", "#odd+one@d", true, "recipient"},
	    {"sender +E6+97+A5@b", "\xe6\x97\xa5@b", "c@d", true, "sender"},
	};
	struct place *p = *state;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *why = NULL;
		char text[256];
		struct freeze *f;

		(void)snprintf(text, sizeof text, "%s" REST, cases[i].line);
		write_file(p, text, strlen(text));
		f = freeze_open(p->lib, FREEZE_FILE);
		assert_non_null(f);
		assert_true(freeze_refresh(f, NULL));
		if (holds(f, cases[i].from, cases[i].to, &why) != cases[i].held)
			fail_msg("%s: from %s to %s", cases[i].line, cases[i].from, cases[i].to);
		if (cases[i].held)
			assert_string_equal(why, cases[i].why);
		freeze_close(f);
	}
}

/* What a quota froze is known by the login, or by where it came from. */
static void logins_and_sources(void **state)
{
	static const struct {
		const char *line, *client;
		bool held;
	} cases[] = {
	    {"login alice", "192.0.2.10 auth=alice", true},
	    {"login Alice", "192.0.2.10 helo=x auth=aLICE port=1", true},
	    {"login alice", "192.0.2.10 auth=alice2", false},
	    {"login alice", "192.0.2.10 auth=", false},
	    {"login alice", "192.0.2.10 helo=alice", false},
	    {"login a@b", "192.0.2.10 auth=a@b", true},
	    {"login @b", "192.0.2.10 auth=a@b", false}, /* a login has no domain */
	    {"login al+20ice", "192.0.2.10 auth=al+20ice", true},
	    {"login alice", "192.0.2.10 auth=al+2", false},
	    {"source 192.0.2.10", "192.0.2.10 helo=x", true},
	    {"source 192.0.2.10", "192.0.2.10 auth=alice", true},
	    {"source 192.0.2.10", "192.0.2.1 helo=x", false},
	    {"source 192.0.2.10", "::ffff:192.0.2.10 helo=x", true},
	    {"source 2001:db8:1:2::/64", "2001:db8:1:2:3:4:5:6 helo=x", true},
	    {"source 2001:DB8:1:2::/64", "2001:db8:1:2:ffff:: helo=x", true},
	    {"source 2001:db8:1:2::/64", "2001:db8:1:3::1 helo=x", false},
	    {"source unknown", "- helo=x", true},
	};
	struct place *p = *state;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *why = NULL;
		char text[256];
		struct freeze *f;

		(void)snprintf(text, sizeof text, "%s" REST, cases[i].line);
		write_file(p, text, strlen(text));
		f = freeze_open(p->lib, FREEZE_FILE);
		assert_non_null(f);
		assert_true(freeze_refresh(f, NULL));
		client = cases[i].client;
		if (holds(f, "a@b", "c@d", &why) != cases[i].held)
			fail_msg("%s: %s", cases[i].line, cases[i].client);
		freeze_close(f);
	}
	client = "192.0.2.10 helo=pc1 proto=esmtp";
}

/* The other file: no directory is nothing frozen; what is written there names itself. */
static void the_quotas_own_file(void **state)
{
	struct place *p = *state;
	struct freeze *f = freeze_open(p->lib, FREEZE_QUOTA_FILE);
	struct freeze_entry e = {FREEZE_LOGIN, "alice", SINCE, "seki-queue", "quota-hour"};
	struct conf_fault fault;
	bool known = false;
	int fd;

	assert_non_null(f);
	assert_true(freeze_refresh(f, NULL));
	assert_int_equal(freeze_count(f), 0);
	assert_int_equal(freeze_add(p->lib, FREEZE_QUOTA_FILE, &e, &fault), FREEZE_FAILED);
	assert_int_equal(freeze_remove(p->lib, FREEZE_QUOTA_FILE, FREEZE_LOGIN, "alice", &fault),
	    FREEZE_NOTHING);

	assert_int_equal(mkdirat(p->lib, "quota", 0750), 0);
	assert_int_equal(freeze_add(p->lib, FREEZE_QUOTA_FILE, &e, &fault), FREEZE_DONE);
	assert_int_equal(freeze_add(p->lib, FREEZE_QUOTA_FILE, &e, &fault), FREEZE_NOTHING);
	assert_true(freeze_refresh(f, NULL));
	assert_true(freeze_has(f, FREEZE_LOGIN, "ALICE", &known));
	assert_true(known);
	assert_false(freeze_has(f, FREEZE_SOURCE, "alice", &known));
	assert_false(freeze_has(f, FREEZE_LOGIN, "bob", &known));

	fd = openat(p->lib, FREEZE_QUOTA_FILE, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), 1);
	(void)close(fd);
	assert_false(freeze_refresh(f, &fault));
	assert_string_equal(fault.file, "lib/quota/freeze");
	assert_false(freeze_has(f, FREEZE_LOGIN, "alice", &known));
	assert_false(known); /* nobody can say that he was thawed */
	freeze_close(f);
	(void)unlinkat(p->lib, FREEZE_QUOTA_FILE, 0);
	assert_int_equal(unlinkat(p->lib, "quota", AT_REMOVEDIR), 0);
}

/* Root thaws, and seki-queue must be able to write on. */
static void root_keeps_owner_and_mode(void **state)
{
	struct place *p = *state;
	struct conf_fault fault;
	struct freeze_entry e = {FREEZE_LOGIN, "alice", SINCE, "x", ""};
	struct stat st;

	if (geteuid() != 0)
		skip();
	write_file(p, "", 0);
	assert_int_equal(fchownat(p->lib, FREEZE_FILE, 12345, 23456, 0), 0);
	assert_int_equal(fchmodat(p->lib, FREEZE_FILE, 0640, 0), 0);
	/* What a killed writer of another user left is no hindrance. */
	assert_int_equal(symlinkat("nowhere", p->lib, FREEZE_FILE ".new"), 0);
	assert_int_equal(freeze_add(p->lib, FREEZE_FILE, &e, &fault), FREEZE_DONE);
	assert_int_equal(fstatat(p->lib, FREEZE_FILE, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_uid, 12345);
	assert_int_equal(st.st_gid, 23456);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void malformed_freezes_everything(void **state)
{
	static const char *const texts[] = {
	    "al" REST,
	    "\n",
	    "# comment\n",
	    "sender" REST,
	    "sender  since=" SINCE " by=root reason=\n",
	    "sender a@ since=" SINCE " by=root reason=\n",
	    "sender a@b\n",
	    "sender a@b since=yesterday by=root reason=\n",
	    "sender a@b since=" SINCE " reason=\n",
	    "sender a@b since=" SINCE " by=root reason= more=1\n",
	    "sender a+3db since=" SINCE " by=root reason=\n",
	    "sender a+00b since=" SINCE " by=root reason=\n",
	    "sender a@b since=" SINCE " by=root reason=\nall since=" SINCE " by=r",
	    "rule x since=" SINCE " by=root reason=\n",
	    "login since=" SINCE " by=root reason=\n",
	    "source 2001:db8::1 since=" SINCE " by=root reason=\n", /* would hold nothing */
	    "source 192.0.2.0/24 since=" SINCE " by=root reason=\n",
	    "source alice since=" SINCE " by=root reason=\n",
	};
	struct place *p = *state;
	struct freeze *f = freeze_open(p->lib, FREEZE_FILE);
	struct conf_fault fault;
	const char *why;

	assert_non_null(f);
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		write_file(p, texts[i], strlen(texts[i]));
		if (freeze_refresh(f, &fault))
			fail_msg("taken: %s", texts[i]);
		assert_string_equal(fault.file, "lib/freeze");
		assert_int_not_equal(fault.line, 0);
		assert_true(holds(f, "any@one", "any@two", &why));
		assert_string_equal(why, "freeze-file-unreadable");
		assert_true(freeze_count(f) == SIZE_MAX);
		assert_false(freeze_refresh(f, NULL)); /* and it stays so */
	}
	write_file(p, "all since=" SINCE " by=r\0ot reason=\n", 50);
	assert_false(freeze_refresh(f, NULL));

	/* Mended: obeyed again at the next look. */
	write_file(p, "", 0);
	assert_true(freeze_refresh(f, NULL));
	assert_false(holds(f, "any@one", "any@two", NULL));
	freeze_close(f);
}

static void unreadable_freezes_everything(void **state)
{
	struct place *p = *state;
	struct freeze *f;
	const char *why;

	/* A directory, a dangling link: nothing that can be read. */
	assert_int_equal(mkdirat(p->lib, FREEZE_FILE, 0755), 0);
	f = freeze_open(p->lib, FREEZE_FILE);
	assert_non_null(f);
	assert_false(freeze_refresh(f, NULL));
	assert_true(holds(f, "a@b", "c@d", &why));
	assert_int_equal(unlinkat(p->lib, FREEZE_FILE, AT_REMOVEDIR), 0);
	assert_true(freeze_refresh(f, NULL));
	assert_false(holds(f, "a@b", "c@d", NULL));

	assert_int_equal(symlinkat("nowhere", p->lib, FREEZE_FILE), 0);
	assert_false(freeze_refresh(f, NULL));
	assert_true(holds(f, "a@b", "c@d", NULL));
	freeze_close(f);
}

static void add(
    const struct place *p, enum freeze_kind kind, const char *address, enum freeze_done expected)
{
	struct freeze_entry e = {kind, address, SINCE, "root", "because I say"};
	struct conf_fault fault;

	assert_int_equal(freeze_add(p->lib, FREEZE_FILE, &e, &fault), expected);
}

static void change_is_seen(void **state)
{
	struct place *p = *state;
	struct freeze *f = freeze_open(p->lib, FREEZE_FILE);
	struct conf_fault fault;
	char text[512];

	assert_non_null(f);
	add(p, FREEZE_SENDER, "a b@c", FREEZE_DONE);
	add(p, FREEZE_SENDER, "A B@C", FREEZE_NOTHING);
	add(p, FREEZE_ALL, "", FREEZE_DONE);
	add(p, FREEZE_SENDER, "", FREEZE_BAD);
	add(p, FREEZE_ALL, "a@b", FREEZE_BAD);
	read_file(p, text, sizeof text);
	assert_string_equal(text,
	    "sender a+20b@c since=" SINCE " by=root reason=because+20I+20say\n"
	    "all since=" SINCE " by=root reason=because+20I+20say\n");

	assert_true(freeze_refresh(f, NULL));
	assert_int_equal(freeze_count(f), 2);
	assert_true(holds(f, "x@y", "c@d", NULL));

	assert_int_equal(freeze_remove(p->lib, FREEZE_FILE, FREEZE_ALL, "", &fault), FREEZE_DONE);
	assert_int_equal(
	    freeze_remove(p->lib, FREEZE_FILE, FREEZE_ALL, "", &fault), FREEZE_NOTHING);
	assert_true(freeze_refresh(f, NULL));
	assert_false(holds(f, "x@y", "c@d", NULL));
	assert_true(holds(f, "a b@c", "c@d", NULL));

	assert_int_equal(
	    freeze_remove(p->lib, FREEZE_FILE, FREEZE_SENDER, "A b@C", &fault), FREEZE_DONE);
	assert_true(freeze_refresh(f, NULL));
	assert_int_equal(freeze_count(f), 0);

	/* Taken away by hand: nothing is frozen either. */
	assert_int_equal(unlinkat(p->lib, FREEZE_FILE, 0), 0);
	assert_true(freeze_refresh(f, NULL));
	freeze_close(f);
}

static void a_bad_file_is_not_changed(void **state)
{
	static const char text[] = "sender a@b\n";
	struct place *p = *state;
	struct conf_fault fault;
	char now[64];

	write_file(p, text, strlen(text));
	add(p, FREEZE_ALL, "", FREEZE_BAD);
	assert_int_equal(freeze_remove(p->lib, FREEZE_FILE, FREEZE_ALL, "", &fault), FREEZE_BAD);
	assert_int_equal(fault.line, 1);
	read_file(p, now, sizeof now);
	assert_string_equal(now, text);
}

static void remember(void *context, const struct freeze_entry *e)
{
	char *text = context;
	size_t used = strlen(text);

	(void)snprintf(text + used, 512 - used, "%s|%s|%s|%s|%s;", freeze_kind_name(e->kind),
	    e->address, e->since, e->by, e->reason);
}

static void listing(void **state)
{
	struct place *p = *state;
	struct conf_fault fault;
	char text[512] = "";

	add(p, FREEZE_RECIPIENT, "@\xe6\x97\xa5.jp", FREEZE_DONE);
	add(p, FREEZE_ALL, "", FREEZE_DONE);
	assert_true(freeze_list(p->lib, FREEZE_FILE, remember, text, &fault));
	assert_string_equal(text, "recipient|@\xe6\x97\xa5.jp|" SINCE "|root|because I say;"
				  "all||" SINCE "|root|because I say;");
}

/* Two writers: nothing that either was told is done gets lost. */
static void writers_at_once(void **state)
{
	struct place *p = *state;
	struct conf_fault fault;
	struct freeze *f;
	pid_t children[4];

	for (int i = 0; i < 4; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] != 0)
			continue;
		int lib = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		for (int n = 0; n < 20; n++) {
			char address[32];
			struct freeze_entry e = {FREEZE_SENDER, address, SINCE, "x", ""};

			(void)snprintf(address, sizeof address, "%d.%d@b", i, n);
			if (freeze_add(lib, FREEZE_FILE, &e, &fault) != FREEZE_DONE)
				_exit(1);
		}
		_exit(0);
	}
	for (int i = 0; i < 4; i++) {
		int status;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	f = freeze_open(p->lib, FREEZE_FILE);
	assert_non_null(f);
	assert_int_equal(freeze_count(f), 80);
	freeze_close(f);
}

struct racing {
	struct freeze *f;
	atomic_bool stop;
	atomic_long bad;
};

static void *race(void *context)
{
	struct racing *r = context;

	while (!atomic_load(&r->stop)) {
		if (!freeze_refresh(r->f, NULL) || !holds(r->f, "always@b", "c@d", NULL))
			atomic_fetch_add(&r->bad, 1);
	}
	return NULL;
}

/* Readers while the file changes: each sees one whole state or the other. */
static void readers_at_once(void **state)
{
	struct place *p = *state;
	struct racing r = {.bad = 0};
	struct conf_fault fault;
	pthread_t threads[4];

	add(p, FREEZE_SENDER, "always@b", FREEZE_DONE);
	r.f = freeze_open(p->lib, FREEZE_FILE);
	assert_non_null(r.f);
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race, &r), 0);
	for (int i = 0; i < 100; i++) {
		add(p, FREEZE_RECIPIENT, "c@d", FREEZE_DONE);
		assert_int_equal(
		    freeze_remove(p->lib, FREEZE_FILE, FREEZE_RECIPIENT, "C@d", &fault),
		    FREEZE_DONE);
	}
	atomic_store(&r.stop, true);
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&r.bad), 0);
	freeze_close(r.f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(no_file_freezes_nothing),
	    TEST(addresses),
	    TEST(logins_and_sources),
	    TEST(the_quotas_own_file),
	    TEST(root_keeps_owner_and_mode),
	    TEST(malformed_freezes_everything),
	    TEST(unreadable_freezes_everything),
	    TEST(change_is_seen),
	    TEST(a_bad_file_is_not_changed),
	    TEST(listing),
	    TEST(writers_at_once),
	    TEST(readers_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
