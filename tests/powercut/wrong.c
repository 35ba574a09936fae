/*
 * Preloaded into a program, it says on standard error of each leg that was synced "event=synced
 * path=PATH": nobody else tells when that was. And it makes a right program wrong, so that the
 * checks of Q2 are seen to fail:
 *
 *   WRONG=nosync   what stands in the spool is not synced, and success is said
 *   WRONG=copy     a leg moves by being copied and unlinked, unsynced, instead of by a rename
 */
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool wrong(const char *how)
{
	const char *word = getenv("WRONG");

	return word != NULL && strcmp(word, how) == 0;
}

static bool in_spool(int fd, char path[PATH_MAX])
{
	char link[64];
	ssize_t len;

	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	len = readlink(link, path, PATH_MAX - 1);
	if (len < 0)
		return false;
	path[len] = '\0';
	return strstr(path, "/spool/") != NULL;
}

int fsync(int fd)
{
	char path[PATH_MAX];
	bool spool = in_spool(fd, path);
	int result = wrong("nosync") && spool ? 0 : (int)syscall(SYS_fsync, fd);

	if (spool && result == 0)
		(void)dprintf(STDERR_FILENO, "event=synced path=%s\n", path);
	return result;
}

static bool copy(int from, int to)
{
	char bytes[65536];
	ssize_t n;

	while ((n = read(from, bytes, sizeof bytes)) > 0) {
		if (write(to, bytes, (size_t)n) != n)
			return false;
	}
	return n == 0;
}

/* The new name appears by a rename, or whoever waits for one would not see it. */
int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	char name[NAME_MAX + 2];
	int old, new;
	bool done;

	if (!wrong("copy"))
		return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);

	(void)snprintf(name, sizeof name, ".%.250s", to);
	old = openat(from_dir, from, O_RDONLY | O_CLOEXEC);
	new = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0660);
	done = old >= 0 && new >= 0 && copy(old, new);
	done = done && syscall(SYS_renameat2, to_dir, name, to_dir, to, flags) == 0;
	done = done && unlinkat(from_dir, from, 0) == 0;
	if (old >= 0)
		(void)close(old);
	if (new >= 0)
		(void)close(new);
	return done ? 0 : -1;
}
