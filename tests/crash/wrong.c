/*
 * A library to be preloaded that makes a wrong program out of a right one, as WRONG says. Each
 * check of tests/crash must see it: a check that finds nothing wrong here would find nothing.
 *
 *     overwrite   a rename replaces what stands there
 *     lose        what is renamed out of hold/ is unlinked instead
 *     glue        a torn record is never cut off
 *     forget      "delivered" is never written down
 *     twice       what is put into the outbox is put there under a second name too
 *     early       K is said when the message's file is made
 *     permanent   T and F are said as L
 *     lax         the settings are read from etc/settings.lax
 *     deaf        "discarded" and "refused" are read as notes
 *     hasty       the clock is two hours ahead
 *     litter      nothing is unlinked
 *     corrupt     one byte of what is copied into a child is another
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define AHEAD (2 * 3600)

static int session = -1; /* the last client, for "early" */

static bool wrong(const char *how)
{
	const char *mode = getenv("WRONG");

	return mode != NULL && strcmp(mode, how) == 0;
}

/* The same function in the next library: the preloaded fault.c, or the C library. */
static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

#define NEXT(name) ((__typeof__(&name))next(#name))

/* Whether a directory is PLACE ("spool/hold"). */
static bool is_place(int dir, const char *place)
{
	char link[64], path[1024];
	size_t len = strlen(place);
	ssize_t n;

	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
	n = readlink(link, path, sizeof path - 1);
	return n > (ssize_t)len && memcmp(path + n - len, place, len) == 0;
}

int renameat2(int from, const char *from_name, int to, const char *to_name, unsigned flags)
{
	char second[512];
	int result;

	if (wrong("lose") && is_place(from, "spool/hold"))
		return unlinkat(from, from_name, 0);
	if (wrong("overwrite"))
		flags = 0;
	result = NEXT(renameat2)(from, from_name, to, to_name, flags);
	if (wrong("twice") && result == 0 && is_place(to, "outbox/new")) {
		(void)snprintf(second, sizeof second, "%.400s.twice", to_name);
		(void)linkat(to, to_name, to, second, 0);
	}
	return result;
}

int unlinkat(int dir, const char *name, int flags)
{
	return wrong("litter") ? 0 : NEXT(unlinkat)(dir, name, flags);
}

int ftruncate(int fd, off_t len)
{
	return wrong("glue") ? 0 : NEXT(ftruncate)(fd, len);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	if (wrong("forget") && memmem(bytes, len, "Z delivered plan=", 17) != NULL)
		return (ssize_t)len;
	return NEXT(write)(fd, bytes, len);
}

ssize_t copy_file_range(int in, off_t *from, int out, off_t *to, size_t len, unsigned flags)
{
	ssize_t n = NEXT(copy_file_range)(in, from, out, to, len, flags);
	off_t at = lseek(out, 0, SEEK_CUR);

	if (wrong("corrupt") && n > 0)
		(void)pwrite(out, "#", 1, at - 10);
	return n;
}

/* Makes a note of each word of that kind: "discarded" becomes "note xxxx". */
static void make_notes(char *bytes, size_t len, const char *word, const char *note)
{
	char *at = bytes;
	size_t word_len = strlen(word);

	while ((at = memmem(at, len - (size_t)(at - bytes), word, word_len)) != NULL)
		memcpy(at, note, word_len);
}

ssize_t pread(int fd, void *bytes, size_t len, off_t at)
{
	ssize_t n = NEXT(pread)(fd, bytes, len, at);

	if (wrong("deaf") && n > 0) {
		make_notes(bytes, (size_t)n, "Z discarded ", "Z note xxxx ");
		make_notes(bytes, (size_t)n, "Z refused ", "Z note xx ");
	}
	return n;
}

int openat(int dir, const char *name, int flags, ...)
{
	va_list more;
	mode_t mode;
	int fd;

	va_start(more, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
	va_end(more);
	if (wrong("lax") && strcmp(name, "settings") == 0)
		name = "settings.lax";
	if (wrong("early") && (flags & O_CREAT) != 0 && session >= 0)
		(void)NEXT(send)(session, "K", 1, MSG_NOSIGNAL);
	fd = NEXT(openat)(dir, name, flags, mode);
	return fd;
}

int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
	session = NEXT(accept4)(fd, address, len, flags);
	return session;
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
	const char *letter = bytes;

	if (wrong("early") && len == 1)
		return 1;
	if (wrong("permanent") && len == 1 && (*letter == 'T' || *letter == 'F'))
		letter = "L";
	return NEXT(send)(fd, letter, len, flags);
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	int result = NEXT(clock_gettime)(id, t);

	if (wrong("hasty"))
		t->tv_sec += AHEAD;
	return result;
}
