/* Files that nginx reads. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/front/front.h"

/* All of it; a write that gets nowhere has said why, but for one of nothing. */
static bool write_all(int fd, const struct buf *bytes)
{
	size_t done = 0;

	while (done < bytes->len) {
		ssize_t n = write(fd, bytes->bytes + done, bytes->len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

bool front_write_file(const char *path, const struct buf *bytes)
{
	int fd, error;
	bool good;

	if (!buf_ok(bytes)) {
		errno = ENOMEM;
		return false;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return false;
	good = fchmod(fd, 0644) == 0 && write_all(fd, bytes);
	error = errno;
	if (close(fd) != 0 && good)
		return false;
	errno = error;
	return good;
}
