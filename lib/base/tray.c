#include "lib/base/tray.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/hex.h"

#define HEAD_WORD     "tray "
#define HEAD_LEN      (sizeof HEAD_WORD - 1 + TRAY_RANDOM) /* with its newline */
#define BOUND_DEFAULT ((int64_t)64 << 20)
#define LOCK_PAUSE    ((long)1000 * 1000) /* nanoseconds */

/* How many pauses: a reader holds the lock for a system call, another who tells durably for an fsync. */
#define LOCK_TRIES         5
#define LOCK_TRIES_DURABLY 2000

struct tray {
	pthread_mutex_t lock; /* of the threads: flock(2) is between processes */
	int fd;               /* -1: not yet */
	int64_t most;
	char path[TRAY_PATH_MAX];
};

struct tray *tray_at(const char *path)
{
	struct tray *tray;

	if (strlen(path) >= sizeof tray->path) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	tray = calloc(1, sizeof *tray);
	if (tray == NULL)
		return NULL;
	tray->fd = -1;
	tray->most = BOUND_DEFAULT;
	(void)snprintf(tray->path, sizeof tray->path, "%s", path);
	if (pthread_mutex_init(&tray->lock, NULL) != 0) {
		free(tray);
		return NULL;
	}
	return tray;
}

void tray_close(struct tray *tray)
{
	if (tray == NULL)
		return;
	if (tray->fd >= 0)
		(void)close(tray->fd); /* what was not written has been told */
	(void)pthread_mutex_destroy(&tray->lock);
	free(tray);
}

void tray_bound(struct tray *tray, int64_t most)
{
	(void)pthread_mutex_lock(&tray->lock);
	tray->most = most;
	(void)pthread_mutex_unlock(&tray->lock);
}

static bool lock_it(int fd, unsigned tries)
{
	static const struct timespec pause = {.tv_nsec = LOCK_PAUSE};

	for (unsigned i = 0; i < tries; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return false;
		(void)nanosleep(&pause, NULL);
	}
	errno = EAGAIN;
	return false;
}

/* ---- telling ------------------------------------------------------------------------------ */

/* The tray as it stands there: it may have been made anew. It is never made here. */
static bool open_it(struct tray *tray)
{
	struct stat st;

	if (tray->fd >= 0 && fstat(tray->fd, &st) == 0 && st.st_nlink > 0)
		return true;
	if (tray->fd >= 0)
		(void)close(tray->fd);
	tray->fd =
	    open(tray->path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	return tray->fd >= 0;
}

/* A line that nobody has finished, for he was killed: ours must not become its end. */
static bool close_torn(const struct tray *tray, off_t size)
{
	char last;

	if (size == 0 || pread(tray->fd, &last, 1, size - 1) != 1 || last == '\n')
		return true;
	return write(tray->fd, "\n", 1) == 1;
}

static bool put_head(char head[HEAD_LEN + 1])
{
	unsigned char random[TRAY_RANDOM / 2];
	char hex[TRAY_RANDOM];

	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		return false;
	hex_encode(random, sizeof random, hex);
	(void)snprintf(head, HEAD_LEN + 1, HEAD_WORD "%s\n", hex);
	return true;
}

/*
 * Whether what was written is there as it should be. What is not is taken back, so that nobody reads what
 * the caller believes was not told; where that fails, too, whoever comes next ends the line.
 */
static bool settle(const struct tray *tray, off_t before, bool whole, bool durable)
{
	int error = ENOSPC;

	if (whole && (!durable || fsync(tray->fd) == 0))
		return true;
	if (whole)
		error = errno;
	(void)!ftruncate(tray->fd, before);
	errno = error;
	return false;
}

static bool append(const struct tray *tray, const char *lines, size_t len, bool durable)
{
	char head[HEAD_LEN + 1] = "";
	struct iovec part[2] = {{.iov_base = head}, {(void *)(uintptr_t)lines, len}};
	struct stat st;
	ssize_t n;

	if (fstat(tray->fd, &st) != 0 || (st.st_size == 0 && !put_head(head)))
		return false;
	part[0].iov_len = strlen(head);
	if (len > INT64_MAX - HEAD_LEN ||
	    (int64_t)st.st_size > tray->most - (int64_t)(part[0].iov_len + len)) {
		errno = EFBIG;
		return false;
	}
	if (!close_torn(tray, st.st_size))
		return false;
	n = writev(tray->fd, part, COUNT_OF(part));
	if (n < 0)
		return false;
	return settle(tray, st.st_size, n == (ssize_t)(part[0].iov_len + len), durable);
}

static bool add(struct tray *tray, const char *lines, size_t len, bool durable)
{
	bool told;
	int error;

	if (len == 0)
		return true;
	(void)pthread_mutex_lock(&tray->lock);
	told = open_it(tray) && lock_it(tray->fd, durable ? LOCK_TRIES_DURABLY : LOCK_TRIES);
	if (told) {
		told = append(tray, lines, len, durable);
		error = errno;
		(void)flock(tray->fd, LOCK_UN);
		errno = error;
	}
	(void)pthread_mutex_unlock(&tray->lock);
	return told;
}

bool tray_add(struct tray *tray, const char *lines, size_t len)
{
	return add(tray, lines, len, false);
}

bool tray_add_durably(struct tray *tray, const char *lines, size_t len)
{
	return add(tray, lines, len, true);
}

/* ---- reading ------------------------------------------------------------------------------ */

void tray_reader_close(struct tray_reader *r)
{
	if (r->fd >= 0)
		(void)close(r->fd);
	*r = (struct tray_reader){.fd = -1};
}

enum tray_opened tray_reader_open(struct tray_reader *r, int dir, const char *name)
{
	struct stat there, here;

	if (fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? TRAY_NONE : TRAY_FAILED;
	if (r->fd >= 0 && fstat(r->fd, &here) == 0 && here.st_ino == there.st_ino &&
	    here.st_dev == there.st_dev)
		return TRAY_SAME;
	tray_reader_close(r);
	if (!S_ISREG(there.st_mode)) {
		errno = EINVAL;
		return TRAY_FAILED;
	}
	r->fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	return r->fd >= 0 ? TRAY_SAME : TRAY_FAILED;
}

static ssize_t read_on(struct tray_reader *r, char *bytes, size_t room)
{
	struct stat st;

	if (fstat(r->fd, &st) != 0)
		return -1;
	if ((uint64_t)st.st_size < r->offset)
		r->offset = 0;
	return pread(r->fd, bytes, room, (off_t)r->offset);
}

ssize_t tray_reader_read(struct tray_reader *r, char *bytes, size_t room, bool settled)
{
	ssize_t n;
	int error;

	if (settled && !lock_it(r->fd, LOCK_TRIES))
		return -1;
	n = read_on(r, bytes, room);
	error = errno;
	if (settled)
		(void)flock(r->fd, LOCK_UN);
	errno = error;
	return n;
}

bool tray_reader_empty(struct tray_reader *r)
{
	struct stat st;
	bool fine = true;
	int error;

	if (r->offset == 0 || flock(r->fd, LOCK_EX | LOCK_NB) != 0)
		return true; /* somebody has just told more */
	if (fstat(r->fd, &st) == 0 && (uint64_t)st.st_size == r->offset) {
		fine = ftruncate(r->fd, 0) == 0;
		if (fine)
			r->offset = 0;
	}
	error = errno;
	(void)flock(r->fd, LOCK_UN);
	errno = error;
	return fine;
}

size_t tray_head(const char *bytes, size_t len, char random[TRAY_RANDOM])
{
	unsigned char value[TRAY_RANDOM / 2];
	const size_t word = sizeof HEAD_WORD - 1;

	random[0] = '\0';
	if (len < HEAD_LEN || memcmp(bytes, HEAD_WORD, word) != 0 || bytes[HEAD_LEN - 1] != '\n' ||
	    !hex_decode(bytes + word, value, sizeof value))
		return 0;
	memcpy(random, bytes + word, TRAY_RANDOM - 1);
	random[TRAY_RANDOM - 1] = '\0';
	return HEAD_LEN;
}
