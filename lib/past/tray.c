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

#include "lib/base/clock.h"
#include "lib/past/past.h"
#include "lib/past/protocol.h"

#define PROGRAM_MAX   32
#define HEAD_ROOM     32
#define BOUND_DEFAULT ((int64_t)64 << 20)
#define LOCK_TRIES    5                   /* seki-db holds the lock for one system call */
#define LOCK_PAUSE    ((long)1000 * 1000) /* nanoseconds */

struct tray {
	pthread_mutex_t lock; /* of the threads: flock(2) is between processes */
	int fd;               /* -1: not yet */
	int64_t most;
	char path[sizeof PAST_TRAYS + PROGRAM_MAX];
};

struct tray *tray_open(const char *program)
{
	struct tray *tray = calloc(1, sizeof *tray);

	if (tray == NULL)
		return NULL;
	tray->fd = -1;
	tray->most = BOUND_DEFAULT;
	(void)snprintf(tray->path, sizeof tray->path, PAST_TRAYS "/%s", program);
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

static bool lock_it(const struct tray *tray)
{
	static const struct timespec pause = {.tv_nsec = LOCK_PAUSE};

	for (unsigned i = 0; i < LOCK_TRIES; i++) {
		if (flock(tray->fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return false;
		(void)nanosleep(&pause, NULL);
	}
	errno = EAGAIN;
	return false;
}

/* A line that nobody has finished, for he was killed: ours must not become its end. */
static bool close_torn(const struct tray *tray, off_t size)
{
	char last;

	if (size == 0 || pread(tray->fd, &last, 1, size - 1) != 1 || last == '\n')
		return true;
	return write(tray->fd, "\n", 1) == 1;
}

/*
 * An empty tray begins with a line that no other one has: two of them with equal lines, told in the same
 * second, are told apart.
 */
static bool put_head(char head[HEAD_ROOM])
{
	uint64_t random;

	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		return false;
	(void)snprintf(head, HEAD_ROOM, "tray %016llx\n", (unsigned long long)random);
	return true;
}

static bool append(const struct tray *tray, const char *lines, size_t len)
{
	char head[HEAD_ROOM] = "";
	struct iovec part[2] = {{.iov_base = head}, {(void *)(uintptr_t)lines, len}};
	struct stat st;
	ssize_t n;

	if (fstat(tray->fd, &st) != 0 || (st.st_size == 0 && !put_head(head)))
		return false;
	part[0].iov_len = strlen(head);
	if ((int64_t)st.st_size > tray->most - (int64_t)(part[0].iov_len + len)) {
		errno = EFBIG;
		return false;
	}
	if (!close_torn(tray, st.st_size))
		return false;
	n = writev(tray->fd, part, COUNT_OF(part));
	if (n >= 0 && n != (ssize_t)(part[0].iov_len + len)) {
		/* A part of it: whoever comes next ends the line, which is then none. */
		errno = ENOSPC;
		return false;
	}
	return n >= 0;
}

bool tray_add(struct tray *tray, const char *lines, size_t len)
{
	bool told;
	int error;

	if (len == 0)
		return true;
	(void)pthread_mutex_lock(&tray->lock);
	told = open_it(tray) && lock_it(tray);
	if (told) {
		told = append(tray, lines, len);
		error = errno;
		(void)flock(tray->fd, LOCK_UN);
		errno = error;
	}
	(void)pthread_mutex_unlock(&tray->lock);
	return told;
}

/* ---- lines ---- */

static void begin(struct buf *out, const char *word, int64_t time)
{
	buf_addf(out, "%s %lld", word, (long long)(time < 0 ? 0 : time));
}

void tray_put_delivered(struct buf *out, int64_t time, const char *from, const char *rcpt)
{
	begin(out, "delivered", time);
	past_put(out, from);
	past_put(out, rcpt);
	buf_add(out, "\n", 1);
}

void tray_put_member(
    struct buf *out, int64_t time, const char *sender, const char *const *group, size_t groups)
{
	begin(out, "member", time);
	past_put(out, sender);
	for (size_t i = 0; i < groups && i < PAST_GROUPS_MAX; i++)
		past_put(out, group[i]);
	buf_add(out, "\n", 1);
}

void tray_put_named(struct buf *out, int64_t time, const char *address, const char *name)
{
	char cut[PAST_NAME_MAX];

	(void)snprintf(cut, sizeof cut, "%s", name);
	begin(out, "named", time);
	past_put(out, address);
	past_put(out, cut);
	buf_add(out, "\n", 1);
}

void tray_put_judged(struct buf *out, int64_t time, size_t legs, bool refused, bool held)
{
	begin(out, "judged", time);
	buf_addf(out, " %zu %s %s\n", legs, refused ? "refused" : "-", held ? "held" : "-");
}

void tray_put_decision(struct buf *out, enum past_kind kind, int64_t time, const char *where,
    const char *rule, const char *function, const char *outcome, size_t rcpts)
{
	begin(out, kind == PAST_DID ? "did" : "would", time);
	past_put(out, where);
	past_put(out, rule);
	past_put(out, function);
	past_put(out, outcome);
	buf_addf(out, " %zu", rcpts);
	if (kind != PAST_DID)
		buf_addf(out, " %s", past_kind_word(kind));
	buf_add(out, "\n", 1);
}

bool past_people(uint64_t addresses)
{
	struct tray *tray = tray_open("seki");
	char line[96];
	bool told;
	int error;

	if (tray == NULL)
		return false;
	(void)snprintf(line, sizeof line, "people %lld %llu\n",
	    (long long)(clock_wall() / CLOCK_SECOND), (unsigned long long)addresses);
	told = tray_add(tray, line, strlen(line));
	error = errno;
	tray_close(tray);
	errno = error;
	return told;
}
