#include "lib/smtp/worker.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/die.h"
#include "lib/smtp/confine.h"

union fd_message {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

bool worker_hand(int control, int fd, const struct arrival *arrival)
{
	struct arrival copy = *arrival;
	struct iovec piece = {.iov_base = &copy, .iov_len = sizeof copy};
	union fd_message carrier = {.room = {0}};
	struct msghdr m = {.msg_iov = &piece,
	    .msg_iovlen = 1,
	    .msg_control = carrier.room,
	    .msg_controllen = sizeof carrier.room};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	return sendmsg(control, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof copy;
}

/* Waits for the parent. Returns the next connection, or -1 when it is time to go. */
static int next_connection(int control, struct arrival *arrival)
{
	struct iovec piece = {.iov_base = arrival, .iov_len = sizeof *arrival};
	union fd_message carrier;
	struct msghdr m = {.msg_iov = &piece,
	    .msg_iovlen = 1,
	    .msg_control = carrier.room,
	    .msg_controllen = sizeof carrier.room};
	struct cmsghdr *c;
	ssize_t n;
	int fd;

	do
		n = recvmsg(control, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);

	c = n == (ssize_t)sizeof *arrival ? CMSG_FIRSTHDR(&m) : NULL;
	if (c == NULL || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof fd))
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof fd);
	return fd;
}

/* Closes every descriptor but the standard three and these two. */
static void keep_only(int a, int b)
{
	unsigned low = (unsigned)(a < b ? a : b);
	unsigned high = (unsigned)(a < b ? b : a);

	if (low > 3)
		(void)close_range(3, low - 1, 0);
	if (high > low + 1)
		(void)close_range(low + 1, high - 1, 0);
	(void)close_range(high + 1, UINT_MAX, 0);
}

/* One whose parent already closed its end is not idle, but done; the send says so. */
static bool say_idle(int control)
{
	static const char idle = WORKER_IDLE;

	return send(control, &idle, 1, MSG_NOSIGNAL) == 1;
}

bool worker_may(int control, const struct ip *source)
{
	char question[1 + sizeof *source];
	char answer = WORKER_MAY_NOT;

	question[0] = WORKER_SOURCE;
	memcpy(question + 1, source, sizeof *source);
	if (send(control, question, sizeof question, MSG_NOSIGNAL) != (ssize_t)sizeof question)
		return false;
	return recv(control, &answer, 1, 0) == 1 && answer == WORKER_MAY;
}

void worker_run(
    const struct smtp_config *config, int control, int fd, const struct arrival *first, bool keep)
{
	struct arrival arrival = *first;
	struct desk *desk;

	keep_only(control, fd);
	confine_session();

	desk = malloc(sizeof *desk);
	if (desk == NULL)
		die_environ("memory for a session");
	desk->config = config;
	desk->control = control;
	desk->intake = NULL;
	buf_init(&desk->envelope, INTAKE_ENVELOPE_MAX);

	while (fd >= 0) {
		session_run(desk, fd, &arrival);
		close(fd);
		fd = keep && say_idle(control) ? next_connection(control, &arrival) : -1;
	}
	_exit(EXIT_FINE);
}
