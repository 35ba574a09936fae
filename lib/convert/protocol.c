#include "lib/convert/protocol.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for one descriptor; the kernel closes what does not fit. */
union rights {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

bool convert_put(int socket, const void *bytes, size_t len, int fd)
{
	struct iovec v = {(void *)(uintptr_t)bytes, len};
	struct msghdr message = {.msg_iov = &v, .msg_iovlen = 1};
	union rights rights;
	ssize_t n;

	if (fd >= 0) {
		struct cmsghdr *c;

		memset(&rights, 0, sizeof rights);
		message.msg_control = rights.bytes;
		message.msg_controllen = sizeof rights.bytes;
		c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	do
		n = sendmsg(socket, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0 && n != (ssize_t)len)
		errno = EPROTO;
	return n == (ssize_t)len;
}

static void take_right(struct msghdr *message, int *fd)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
		    c->cmsg_len >= CMSG_LEN(sizeof *fd) && *fd < 0)
			memcpy(fd, CMSG_DATA(c), sizeof *fd);
	}
}

int convert_get(int socket, void *bytes, size_t len, int *fd)
{
	struct iovec v = {bytes, len};
	union rights rights;
	struct msghdr message = {.msg_iov = &v,
	    .msg_iovlen = 1,
	    .msg_control = rights.bytes,
	    .msg_controllen = sizeof rights.bytes};
	ssize_t n;

	*fd = -1;
	do
		n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return (int)n;
	take_right(&message, fd);
	if ((size_t)n == len && (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
		return 1;
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = EPROTO;
	return -1;
}
