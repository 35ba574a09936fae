#include "queue/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_ROOM ((size_t)96)
#define READ_STEP ((size_t)4096)

static bool other_name(char text[NAME_ROOM], const char *name, const char *end)
{
	int n = snprintf(text, NAME_ROOM, "%s%s", name, end);

	errno = ENAMETOOLONG;
	return n > 0 && (size_t)n < NAME_ROOM;
}

/* Mode and owner as state_file.h says; what root makes must stay writable for its program. */
static bool dress(int dir, const char *name, int fd, mode_t mode)
{
	struct stat st;
	bool old = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;

	if (fchmod(fd, old ? st.st_mode & 07777 : mode) != 0)
		return false;
	if (geteuid() != 0)
		return true;
	return (old || fstat(dir, &st) == 0) && fchown(fd, st.st_uid, st.st_gid) == 0;
}

/* Writes NAME.new whole and syncs it. False with errno; then it is not there. */
static bool write_new(
    int dir, const char *name, const char *fresh, const char *bytes, size_t len, mode_t mode)
{
	bool good;
	int fd, error;

	/* A predecessor that was killed may have left one, and it may belong to another user. */
	if (unlinkat(dir, fresh, 0) != 0 && errno != ENOENT)
		return false;
	fd = openat(dir, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;

	good = dress(dir, name, fd, mode);
	error = errno;
	if (good) {
		errno = EIO; /* of a short write */
		good = write(fd, bytes, len) == (ssize_t)len && fsync(fd) == 0;
		error = errno;
	}
	if (close(fd) != 0 && good) {
		good = false;
		error = errno;
	}
	if (!good)
		(void)unlinkat(dir, fresh, 0);
	errno = error;
	return good;
}

bool state_file_replace(int dir, const char *name, const char *bytes, size_t len, mode_t mode)
{
	char fresh[NAME_ROOM];

	return other_name(fresh, name, ".new") && write_new(dir, name, fresh, bytes, len, mode) &&
	       renameat(dir, fresh, dir, name) == 0 && fsync(dir) == 0;
}

bool state_file_make(int dir, const char *name, const char *bytes, size_t len, mode_t mode)
{
	char fresh[NAME_ROOM];

	if (!other_name(fresh, name, ".new") || !write_new(dir, name, fresh, bytes, len, mode))
		return false;
	if (renameat2(dir, fresh, dir, name, RENAME_NOREPLACE) == 0)
		return fsync(dir) == 0;
	if (errno != EEXIST)
		return false;
	return unlinkat(dir, fresh, 0) == 0;
}

bool state_file_read(int dir, const char *name, struct buf *b)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), error = 0;
	ssize_t n = 1;

	if (fd < 0)
		return false;
	while (error == 0 && n > 0) {
		char *end = buf_reserve(b, READ_STEP);

		n = end == NULL ? 0 : read(fd, end, READ_STEP);
		if (end == NULL)
			error = EFBIG;
		else if (n < 0)
			error = errno;
		else
			b->len += (size_t)n;
	}
	(void)close(fd); /* only read: nothing can be lost */
	errno = error;
	return error == 0;
}

bool state_file_put_aside(int dir, const char *name)
{
	char bad[NAME_ROOM];

	return other_name(bad, name, ".bad") && renameat(dir, name, dir, bad) == 0;
}
