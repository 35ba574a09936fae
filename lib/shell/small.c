#include "lib/shell/small.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODE 0644

bool small_read(int dir, const char *name, char *text, size_t room)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, room - 1);
	int error = errno;

	if (fd >= 0)
		(void)close(fd); /* only read: nothing can be lost */
	errno = error;
	text[n > 0 ? n : 0] = '\0';
	return n >= 0;
}

static bool write_new(int dir, const char *name, const char *text)
{
	size_t len = strlen(text);
	int fd, error;
	bool good;

	/* A new file each time, never one that somebody else may have opened or put there. */
	if (unlinkat(dir, name, 0) != 0 && errno != ENOENT)
		return false;
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE);
	if (fd < 0)
		return false;
	errno = EIO; /* of a short write */
	good = fchmod(fd, MODE) == 0 && write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
	error = errno;
	if (close(fd) != 0 && good) {
		good = false;
		error = errno;
	}
	errno = error;
	return good;
}

bool small_replace(int dir, const char *name, const char *text)
{
	char other[128];

	(void)snprintf(other, sizeof other, "%.100s.new", name);
	return write_new(dir, other, text) && renameat(dir, other, dir, name) == 0 &&
	       fsync(dir) == 0;
}
