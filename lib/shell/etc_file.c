#include "lib/shell/etc_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/shell/out.h"

#define MODE      0644
#define READ_STEP 65536

int etc_lock(void)
{
	int etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (etc >= 0 && flock(etc, LOCK_EX) == 0)
		return etc;
	complain("etc/ cannot be locked: %s", strerrordesc_np(errno));
	if (etc >= 0)
		(void)close(etc);
	return -1;
}

static bool read_all(int fd, struct buf *into)
{
	for (;;) {
		char *end = buf_reserve(into, READ_STEP);
		ssize_t n;

		errno = ENOMEM;
		n = end != NULL ? read(fd, end, READ_STEP) : -1;
		if (n == 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
		into->len += n > 0 ? (size_t)n : 0;
	}
}

bool etc_read(int etc, const char *name, struct buf *into)
{
	int fd = openat(etc, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	bool good = fd >= 0 ? read_all(fd, into) : errno == ENOENT;

	if (!good)
		complain("etc/%s cannot be read: %s", name, strerrordesc_np(errno));
	if (fd >= 0)
		(void)close(fd); /* only read: nothing can be lost */
	return good;
}

static bool write_all(int fd, const struct buf *content)
{
	for (size_t at = 0; at < content->len;) {
		ssize_t n = write(fd, content->bytes + at, content->len - at);

		if (n < 0 && errno != EINTR)
			return false;
		at += n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* As the old file has them. */
static bool set_owner(int etc, const char *name, int fd)
{
	struct stat st;

	if (fstatat(etc, name, &st, 0) != 0)
		return errno == ENOENT && fchmod(fd, MODE) == 0;
	return (fchown(fd, st.st_uid, st.st_gid) == 0 || geteuid() != 0) &&
	       fchmod(fd, st.st_mode & 0777) == 0;
}

static bool write_new(int etc, const char *name, const char *new, const struct buf *content)
{
	int fd, error;
	bool good;

	/* We hold the lock: this is what somebody left behind who was killed. */
	if (unlinkat(etc, new, 0) != 0 && errno != ENOENT)
		return false;
	fd = openat(etc, new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	good = write_all(fd, content) && set_owner(etc, name, fd) && fsync(fd) == 0;
	error = errno;
	if (close(fd) != 0 && good) {
		good = false;
		error = errno;
	}
	errno = error;
	return good;
}

bool etc_replace(int etc, const char *name, const struct buf *content)
{
	char new[64];
	int error;

	(void)snprintf(new, sizeof new, "%.50s.new", name);
	if (write_new(etc, name, new, content) && renameat(etc, new, etc, name) == 0 &&
	    fsync(etc) == 0)
		return true;
	error = errno;
	(void)unlinkat(etc, new, 0);
	complain("etc/%s cannot be written: %s", name, strerrordesc_np(error));
	return false;
}
