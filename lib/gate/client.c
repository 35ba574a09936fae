#include "lib/gate/client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/local.h"

#define PIECE ((size_t)65536)

/* Waits until something can be read, or `until` (clock_boot). */
static bool wait_for(int fd, int64_t until)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = until - clock_boot();
		int n;

		if (left <= 0) {
			errno = ETIMEDOUT;
			return false;
		}
		n = poll(&p, 1, clock_patience((int)((left + 999) / 1000)));
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			return true;
	}
}

/* Keeps the first descriptor that came, and closes any other. */
static void take_descriptors(struct msghdr *message, int *leg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (*leg < 0)
				*leg = fd;
			else
				(void)close(fd);
		}
	}
}

/* One piece of the answer. What recvmsg returned; -1 with errno. */
static ssize_t receive(int fd, struct buf *answer, int *leg)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control;
	size_t room = answer->bound - answer->len < PIECE ? answer->bound - answer->len : PIECE;
	char *to = room > 0 ? buf_reserve(answer, room) : NULL;
	struct iovec piece = {.iov_base = to, .iov_len = room};
	struct msghdr message = {.msg_iov = &piece,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof control.bytes};
	ssize_t n;

	if (to == NULL) {
		errno = room == 0 ? EPROTO : ENOMEM;
		return -1;
	}
	n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n >= 0)
		take_descriptors(&message, leg);
	return n;
}

/* Until the door closes the connection. */
static bool hear(int fd, int64_t until, struct buf *answer, int *leg)
{
	size_t before = answer->len;
	ssize_t n;

	do {
		if (!wait_for(fd, until))
			return false;
		n = receive(fd, answer, leg);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (n > 0)
			answer->len += (size_t)n;
	} while (n != 0);
	errno = EPROTO;
	if (answer->len == before || answer->bytes[answer->len - 1] != '\n')
		return false;
	answer->len--;
	return memchr(answer->bytes + before, '\n', answer->len - before) == NULL;
}

bool gate_ask(
    const char *path, const struct buf *request, int64_t patience, struct buf *answer, int *leg)
{
	int64_t until = clock_boot() + patience;
	int fd = -1, error;
	bool heard = false;

	*leg = -1;
	errno = ENOMEM;
	if (buf_ok(request) && request->len > 0)
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		heard = local_send(fd, path, request->bytes, request->len, patience) &&
			hear(fd, until, answer, leg);
	error = errno;
	if (fd >= 0)
		(void)close(fd);
	if (!heard && *leg >= 0) {
		(void)close(*leg);
		*leg = -1;
	}
	errno = error;
	return heard;
}
