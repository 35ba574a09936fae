#include "lib/inspect/packet.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"

/* Room for the descriptors of one packet, aligned as the kernel wants it. */
union rights {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(PACKET_FDS_MAX * sizeof(int))];
};

/* Microseconds until then, never less than none. */
static int64_t until_then(int64_t then)
{
	int64_t left = then - clock_boot();

	return left > 0 ? left : 0;
}

/* 1: the socket is ready; 0: not in time; -1 errno.  It looks once even when the time is over, since
 * what is there already must be heard, however late this process got the processor. */
static int wait_for(int socket, short events, int64_t patience)
{
	int64_t until = patience < 0 ? 0 : clock_boot() + patience;

	for (;;) {
		struct pollfd p = {.fd = socket, .events = events};
		int64_t left = patience < 0 ? -1 : until_then(until);
		int n = poll(&p, 1, patience < 0 ? -1 : (int)((left + 999) / 1000));

		if (n > 0 || (n < 0 && errno != EINTR))
			return n;
		if (n == 0 && left == 0)
			return 0;
	}
}

/* One after another until it is sent, or the time is over. */
static bool send_message(int socket, const struct msghdr *message, int64_t patience)
{
	int64_t until = patience < 0 ? 0 : clock_boot() + patience;

	for (;;) {
		int ready = wait_for(socket, POLLOUT, patience < 0 ? -1 : until_then(until));

		if (ready == 0)
			errno = ETIMEDOUT;
		if (ready <= 0)
			return false;
		if (sendmsg(socket, message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return true;
		if (errno != EINTR && errno != EAGAIN)
			return false;
	}
}

bool packet_send_by(int socket, char type, const char *text, size_t len, const int *fd, size_t fds,
    int64_t patience)
{
	struct iovec v[2] = {{&type, 1}, {(void *)(uintptr_t)text, len}};
	struct msghdr message = {.msg_iov = v, .msg_iovlen = len > 0 ? 2 : 1};
	union rights rights;

	if (len >= PACKET_MAX || fds > PACKET_FDS_MAX) {
		errno = EMSGSIZE;
		return false;
	}
	if (fds > 0) {
		struct cmsghdr *c;

		memset(&rights, 0, sizeof rights);
		message.msg_control = rights.bytes;
		message.msg_controllen = CMSG_SPACE(fds * sizeof(int));
		c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(fds * sizeof(int));
		memcpy(CMSG_DATA(c), fd, fds * sizeof(int));
	}
	return send_message(socket, &message, patience);
}

bool packet_send(int socket, char type, const char *text, size_t len)
{
	return packet_send_by(socket, type, text, len, NULL, 0, -1);
}

void packet_close(struct packet *packet)
{
	for (size_t i = 0; i < packet->fds; i++)
		(void)close(packet->fd[i]);
	packet->fds = 0;
}

static void take_rights(struct packet *packet, struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n && packet->fds < PACKET_FDS_MAX; i++) {
			memcpy(
			    &packet->fd[packet->fds], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			packet->fds++;
		}
	}
}

enum packet_status packet_receive(int socket, struct packet *packet, int64_t patience)
{
	struct iovec v[2] = {{&packet->type, 1}, {packet->text, sizeof packet->text - 1}};
	union rights rights;
	struct msghdr message = {.msg_iov = v,
	    .msg_iovlen = 2,
	    .msg_control = rights.bytes,
	    .msg_controllen = sizeof rights.bytes};
	bool reset = false;
	ssize_t n;
	int ready = wait_for(socket, POLLIN, patience);

	packet->fds = 0;
	if (ready <= 0)
		return ready == 0 ? PACKET_LATE : PACKET_GONE;
	/* One that closed without reading all of ours says so first; its last words stand behind. */
	n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && (errno == EINTR || (errno == ECONNRESET && !reset))) {
		reset = errno == ECONNRESET;
		n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	}
	if (n == 0)
		errno = 0;
	if (n <= 0)
		return PACKET_GONE;
	take_rights(packet, &message);
	if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
		packet_close(packet);
		return PACKET_WRONG;
	}
	packet->len = (size_t)n - 1;
	packet->text[packet->len] = '\0';
	return PACKET_OK;
}
