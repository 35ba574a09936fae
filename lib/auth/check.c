#include "lib/auth/check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"

#define STAMP_BYTES_MAX ((size_t)2 * CONF_LINE_MAX)

/* ---- the pipe ---- */

/* Writes what the program reads; a pipe's room is many times as much, so it never waits. */
static bool fill(int fd, const struct auth_question *q)
{
	char bytes[CHECK_BYTES_MAX];
	int n = snprintf(bytes, sizeof bytes, "%s%c%s%c%lld", q->login, '\0', q->password, '\0',
	    (long long)(clock_wall() / CLOCK_SECOND));
	bool good = n > 0 && (size_t)n < sizeof bytes;

	/* The last NUL is the string's own. */
	good = good && write(fd, bytes, (size_t)n + 1) == n + 1;
	explicit_bzero(bytes, sizeof bytes);
	return good;
}

/* A descriptor from which the question can be read to its end; -1 with errno. */
static int question_pipe(const struct auth_question *q)
{
	int ends[2];
	bool good;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	errno = EIO;
	good = fill(ends[1], q);
	(void)close(ends[1]);
	/* The program expects a pipe that waits. */
	if (good && fcntl(ends[0], F_SETFL, 0) == 0)
		return ends[0];
	(void)close(ends[0]);
	return -1;
}

/* ---- the process ---- */

/* Signals as a program expects them, and a group of its own, so that all of it can be killed. */
static int set_attributes(posix_spawnattr_t *a)
{
	sigset_t none, defaults;
	int error;

	(void)sigemptyset(&none);
	(void)sigemptyset(&defaults);
	(void)sigaddset(&defaults, SIGPIPE);
	error = posix_spawnattr_setsigmask(a, &none);
	if (error == 0)
		error = posix_spawnattr_setsigdefault(a, &defaults);
	if (error == 0)
		error = posix_spawnattr_setpgroup(a, 0);
	if (error == 0)
		error = posix_spawnattr_setflags(
		    a, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	return error;
}

/* Nothing to read but the question; what it prints goes to the log. */
static int set_descriptors(posix_spawn_file_actions_t *f, int question)
{
	int error = posix_spawn_file_actions_adddup2(f, question, CHECK_FD);

	if (error == 0)
		error = posix_spawn_file_actions_addopen(f, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(f, STDERR_FILENO, STDOUT_FILENO);
	return error;
}

static int spawn(const struct table_line *line, const char *source, int question, pid_t *pid)
{
	char path[] = "PATH=/usr/bin:/bin";
	char locale[] = "LC_ALL=C.UTF-8";
	char remote[64];
	char *const environment[] = {path, locale, remote, NULL};
	posix_spawn_file_actions_t f;
	posix_spawnattr_t a;
	int error;

	(void)snprintf(remote, sizeof remote, "TCPREMOTEIP=%s", source);
	error = posix_spawnattr_init(&a);
	if (error != 0)
		return error;
	error = posix_spawn_file_actions_init(&f);
	if (error != 0) {
		(void)posix_spawnattr_destroy(&a);
		return error;
	}

	error = set_attributes(&a);
	if (error == 0)
		error = set_descriptors(&f, question);
	if (error == 0)
		error = posix_spawn(pid, line->path, &f, &a, line->argv, environment);
	(void)posix_spawn_file_actions_destroy(&f);
	(void)posix_spawnattr_destroy(&a);
	return error;
}

pid_t check_start(const struct table_line *line, const struct auth_question *q)
{
	int question = question_pipe(q);
	pid_t pid = -1;
	int error;

	if (question < 0)
		return -1;
	error = spawn(line, q->source, question, &pid);
	(void)close(question);
	if (error == 0)
		return pid;
	errno = error;
	return -1;
}

/* ---- the stamp ---- */

/* Whoever changes a file changes one of these. */
static int put_file(char *text, size_t room)
{
	struct stat st;

	if (stat(TABLE_FILE_PATH, &st) != 0)
		return snprintf(text, room, "none");
	return snprintf(text, room, "%llu %llu %lld %lld.%09ld %lld.%09ld",
	    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino, (long long)st.st_size,
	    (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (long long)st.st_ctim.tv_sec,
	    st.st_ctim.tv_nsec);
}

void check_stamp(const struct table_line *line, unsigned char stamp[CACHE_STAMP])
{
	char text[STAMP_BYTES_MAX];
	unsigned len = 0;
	size_t at = 0;

	/* A line of etc/auth is shorter than CONF_LINE_MAX, and so are its words with their NULs. */
	for (char **word = line->argv; *word != NULL; word++) {
		size_t n = strlen(*word) + 1;

		if (n > CONF_LINE_MAX - at)
			die_bug("a line of etc/auth without bounds");
		memcpy(text + at, *word, n);
		at += n;
	}
	if (table_is_file(line))
		at += (size_t)put_file(text + at, sizeof text - at);
	if (EVP_Digest(text, at, stamp, &len, EVP_sha256(), NULL) != 1 || len != CACHE_STAMP)
		die_environ("computing a digest");
}
