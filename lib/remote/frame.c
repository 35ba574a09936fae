#include "lib/remote/frame.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"

#define HEADER 5

static bool await(int socket, short events, int timeout_ms)
{
	struct pollfd p = {.fd = socket, .events = events};
	int64_t until = clock_boot() + timeout_ms * INT64_C(1000);

	for (;;) {
		int64_t left = (until - clock_boot() + 999) / 1000;
		int n = timeout_ms < 0 ? -1 : left > 0 ? (int)left : 0;

		n = poll(&p, 1, n);
		if (n > 0)
			return true;
		if ((n == 0 && left <= 0) || (n < 0 && errno != EINTR))
			return false;
	}
}

/* Keeps the one descriptor that a message may bring; false if there are more. */
static bool take_descriptors(struct msghdr *message, int *fd)
{
	bool good = (message->msg_flags & MSG_CTRUNC) == 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int got;

			memcpy(&got, CMSG_DATA(c) + i * sizeof got, sizeof got);
			if (*fd < 0) {
				*fd = got;
			} else {
				(void)close(got);
				good = false;
			}
		}
	}
	return good;
}

static enum frame_status get(int socket, char *bytes, size_t len, int patience_ms, int *fd)
{
	while (len > 0) {
		union {
			struct cmsghdr align;
			char bytes[CMSG_SPACE(2 * sizeof(int))];
		} control;
		struct iovec v = {.iov_base = bytes, .iov_len = len};
		struct msghdr message = {.msg_iov = &v,
		    .msg_iovlen = 1,
		    .msg_control = &control,
		    .msg_controllen = sizeof control};
		ssize_t n;

		if (!await(socket, POLLIN, patience_ms))
			return FRAME_GONE;
		n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			return FRAME_GONE;
		if (!take_descriptors(&message, fd))
			return FRAME_WRONG;
		bytes += n;
		len -= (size_t)n;
		patience_ms = FRAME_SILENCE_MS;
	}
	return FRAME_OK;
}

enum frame_status frame_read(int socket, size_t most, struct frame *frame)
{
	unsigned char header[HEADER];
	enum frame_status status;

	*frame = (struct frame){.fd = -1};
	status = get(socket, (char *)header, sizeof header, -1, &frame->fd);
	if (status != FRAME_OK)
		goto fail;

	frame->type = (char)header[0];
	frame->len = (size_t)header[1] << 24 | (size_t)header[2] << 16 | (size_t)header[3] << 8 |
		     (size_t)header[4];
	status = FRAME_WRONG;
	if (frame->len > most)
		goto fail;
	frame->bytes = malloc(frame->len + 1);
	if (frame->bytes == NULL)
		goto fail;
	frame->bytes[frame->len] = '\0';
	status = get(socket, frame->bytes, frame->len, FRAME_SILENCE_MS, &frame->fd);
	if (status == FRAME_OK)
		return FRAME_OK;
fail:
	if (frame->bytes == NULL)
		frame->len = 0;
	frame_free(frame);
	return status;
}

void frame_free(struct frame *frame)
{
	if (frame->bytes != NULL)
		explicit_bzero(frame->bytes, frame->len);
	free(frame->bytes);
	if (frame->fd >= 0)
		(void)close(frame->fd);
	*frame = (struct frame){.fd = -1};
}

static bool put(int socket, const char *bytes, size_t len, int more)
{
	while (len > 0) {
		ssize_t n = send(socket, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT | more);

		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		} else if ((errno != EAGAIN && errno != EINTR) ||
			   !await(socket, POLLOUT, FRAME_SILENCE_MS)) {
			return false;
		}
	}
	return true;
}

bool frame_write(int socket, char type, const char *bytes, size_t len)
{
	const char header[HEADER] = {
	    type, (char)(len >> 24), (char)(len >> 16), (char)(len >> 8), (char)len};

	if (len > FRAME_OUT_MAX)
		die_bug("a frame longer than frames may be");
	return put(socket, header, sizeof header, MSG_MORE) && put(socket, bytes, len, 0);
}
