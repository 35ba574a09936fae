/* What "seki find" is made of: matching headers, the jail in which that happens, and times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/shell/header.h"
#include "lib/shell/jail.h"
#include "lib/shell/reader.h"
#include "lib/shell/since.h"

#define FROM    HEADER_BIT(HEADER_FROM)
#define TO      HEADER_BIT(HEADER_TO)
#define SUBJECT HEADER_BIT(HEADER_SUBJECT)
#define ID      HEADER_BIT(HEADER_MESSAGE_ID)

static unsigned match(const char *mail, enum header_field field, const char *what)
{
	struct header_query q = {.text = {[0] = NULL}};
	char *scratch = malloc(strlen(mail) + 1), *exact = malloc(strlen(mail) + 1);
	unsigned bits;

	assert_non_null(scratch);
	assert_non_null(exact);
	memcpy(
	    exact, mail, strlen(mail)); /* without its NUL: a sanitizer sees every step too far */
	q.text[field] = what;
	bits = header_match(&q, exact, strlen(mail), scratch);
	free(exact);
	free(scratch);
	return bits;
}

static void headers(void **state)
{
	static const struct {
		const char *mail;
		enum header_field field;
		const char *what;
		unsigned bits;
	} cases[] = {
	    {"Subject: Hello\r\n\r\n", HEADER_SUBJECT, "hell", SUBJECT},
	    {"SUBJECT : Hello\r\n\r\n", HEADER_SUBJECT, "hello", SUBJECT},
	    {"Subject: Hel\r\n lo\r\n\r\n", HEADER_SUBJECT, "hel lo", SUBJECT},
	    {"Subject: Hel\r\n\tlo\r\n\r\n", HEADER_SUBJECT, "hel\tlo", SUBJECT},
	    {"Subject: Hel\n lo\n\n", HEADER_SUBJECT, "hel lo", SUBJECT},
	    {"Subject: a\r\nX: b\r\n\r\n", HEADER_SUBJECT, "b", 0},
	    {"X-Subject: a\r\n\r\n", HEADER_SUBJECT, "a", 0},
	    {"A: b\r\n\r\nSubject: a\r\n", HEADER_SUBJECT, "a", 0},
	    {"A: b\n\nSubject: a\n", HEADER_SUBJECT, "a", 0},
	    {"\r\nSubject: a\r\n", HEADER_SUBJECT, "a", 0},
	    {"Subject: \xe6\x97\xa5\xe6\x9c\xac\r\n\r\n", HEADER_SUBJECT, "\xe6\x9c\xac", SUBJECT},
	    {"Sender: x@y\r\n\r\n", HEADER_FROM, "x@y", FROM},
	    {"Cc: x@y\r\n\r\n", HEADER_TO, "x@y", TO},
	    {"bcc:x@y\r\n\r\n", HEADER_TO, "x@y", TO},
	    {"To: a\r\nTo: x@y\r\n\r\n", HEADER_TO, "x@y", TO},
	    {"Message-ID: <1@z>\r\n\r\n", HEADER_MESSAGE_ID, "<1@z>", ID},
	    {"Message-Id:\r\n <1@z>\r\n\r\n", HEADER_MESSAGE_ID, "<1@z>", ID},
	    {"no colon\r\nSubject: a\r\n\r\n", HEADER_SUBJECT, "a", SUBJECT},
	    {": nothing\r\nSubject: a\r\n\r\n", HEADER_SUBJECT, "a", SUBJECT},
	    {" folded first\r\nSubject: a\r\n\r\n", HEADER_SUBJECT, "a", SUBJECT},
	    {"Subject: a", HEADER_SUBJECT, "a", SUBJECT | HEADER_CUT},
	    {"Subject: a\r", HEADER_SUBJECT, "b", HEADER_CUT},
	    {"Subject", HEADER_SUBJECT, "b", HEADER_CUT},
	    {"", HEADER_SUBJECT, "b", HEADER_CUT},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (match(cases[i].mail, cases[i].field, cases[i].what) != cases[i].bits)
			fail_msg("case %zu: %s", i, cases[i].mail);
	}
}

static void times(void **state)
{
	const int64_t now = clock_parse("2026-11-22T12:00:00Z", 20);
	static const struct {
		const char *text, *time; /* NULL: refused */
	} cases[] = {
	    {"30s", "2026-11-22T11:59:30Z"},
	    {"5m", "2026-11-22T11:55:00Z"},
	    {"2h", "2026-11-22T10:00:00Z"},
	    {"3d", "2026-11-19T12:00:00Z"},
	    {"1w", "2026-11-15T12:00:00Z"},
	    {"2026-11-01", "2026-11-01T00:00:00Z"},
	    {"2026-11-01T02:03:04Z", "2026-11-01T02:03:04Z"},
	    {"999999999w", "1970-01-01T00:00:00Z"},
	    {"", NULL},
	    {"h", NULL},
	    {"2", NULL},
	    {"2h ", NULL},
	    {"-2h", NULL},
	    {"2y", NULL},
	    {"9999999999s", NULL},
	    {"2026-13-01", NULL},
	    {"2026/11/01", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int64_t want =
		    cases[i].time == NULL ? -1 : clock_parse(cases[i].time, strlen(cases[i].time));

		if (since_parse(cases[i].text, now) != want)
			fail_msg("%s", cases[i].text);
	}
}

/* ---- the jail ---------------------------------------------------------------------------- */

/*
 * Ends a child. A sanitizer's _exit looks for leaks first, and it does things before any function
 * that is known not to return: the jail allows neither.
 */
static void leave(int code)
{
	(void)syscall(SYS_exit_group, code);
}

/* What a child in the jail tries; it ends with 0 if that was possible. */
typedef void attempt(void);

static void try_nothing(void)
{
}

static void try_open(void)
{
	if (open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0)
		leave(7);
}

static void try_create(void)
{
	if (open("/tmp/test_shell_find.out", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0)
		leave(7);
}

static void try_socket(void)
{
	if (socket(AF_INET, SOCK_STREAM, 0) < 0)
		leave(7);
}

static void try_fork(void)
{
	if (fork() < 0)
		leave(7);
}

static void try_exec(void)
{
	(void)execl("/bin/true", "true", (char *)NULL);
	leave(7);
}

static void try_write(void)
{
	if (write(JAIL_FD, "x", 1) != 1)
		leave(7);
}

static void try_kill(void)
{
	if (kill(1, 0) != 0)
		leave(7);
}

static struct jail_user nobody(void)
{
	const struct passwd *user = geteuid() == 0 ? getpwnam("nobody") : NULL;

	return user == NULL ? (struct jail_user){false, 0, 0}
			    : (struct jail_user){true, user->pw_uid, user->pw_gid};
}

/* The wait status of a child that entered the jail and tried something. */
static int in_jail(attempt *what)
{
	struct jail_user user = nobody();
	int ends[2], status;
	pid_t child;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (!jail_enter(&user, ends[1]))
			leave(9);
		what();
		leave(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return status;
}

static void jail_holds(void **state)
{
	static attempt *const attempts[] = {
	    try_open, try_create, try_socket, try_fork, try_exec, try_write, try_kill};
	int status = in_jail(try_nothing);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	for (size_t i = 0; i < COUNT_OF(attempts); i++) {
		status = in_jail(attempts[i]);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("attempt %zu: status %x", i, (unsigned)status);
	}
}

static void jail_refuses_root(void **state)
{
	struct jail_user root = {true, 0, 0};
	int status;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(jail_enter(&root, STDERR_FILENO) ? 0 : 9);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 9);
}

/* ---- the reader -------------------------------------------------------------------------- */

static int file_of(const char *bytes, size_t len)
{
	int fd = memfd_create("mail", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	return fd;
}

static void reader_answers(void **state)
{
	static const char mail[] = "0123456789Subject: found\r\n\r\nSubject: body\r\n";
	struct header_query q = {.text = {[HEADER_SUBJECT] = "found"}};
	struct reader r;
	char *large;
	int fd;

	(void)state;
	if (geteuid() == 0 && getpwnam("sekix") == NULL)
		skip();
	fd = file_of(mail, sizeof mail - 1);
	large = malloc(2 * HEADER_MAX);
	assert_non_null(large);
	assert_true(reader_open(&r, &q));
	assert_int_equal(reader_ask(&r, fd, 10, sizeof mail - 11), SUBJECT);
	assert_int_equal(reader_ask(&r, fd, 10, 3), 0); /* not beyond the content's size */
	assert_int_equal(reader_ask(&r, fd, 12, sizeof mail - 13), 0);
	(void)close(fd);

	memset(large, 'x', 2 * HEADER_MAX);
	fd = file_of(large, 2 * HEADER_MAX);
	assert_int_equal(reader_ask(&r, fd, 0, 2 * HEADER_MAX), HEADER_CUT);
	(void)close(fd);
	reader_close(&r);
	free(large);
}

/* A child that dies over a mail is no "not found", and does not end the search. */
static void reader_dies(void **state)
{
	static const char mail[] = "Subject: found\r\n\r\n";
	struct header_query q = {.text = {[HEADER_SUBJECT] = "found"}};
	struct reader r;
	int fd, bad;

	(void)state;
	if (geteuid() == 0 && getpwnam("sekix") == NULL)
		skip();
	fd = file_of(mail, sizeof mail - 1);
	bad = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(reader_open(&r, &q));
	assert_int_equal(kill(r.child, SIGKILL), 0);
	assert_int_equal(reader_ask(&r, fd, 0, sizeof mail - 1), -1);
	assert_int_equal(reader_ask(&r, fd, 0, sizeof mail - 1), SUBJECT);
	assert_int_equal(reader_ask(&r, bad, 0, sizeof mail - 1), -1);
	assert_int_equal(reader_ask(&r, fd, 0, sizeof mail - 1), SUBJECT);
	reader_close(&r);
	(void)close(fd);
	(void)close(bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(headers),
	    cmocka_unit_test(times),
	    cmocka_unit_test(jail_holds),
	    cmocka_unit_test(jail_refuses_root),
	    cmocka_unit_test(reader_answers),
	    cmocka_unit_test(reader_dies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
