#include "lib/shell/reader.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/shell/out.h"

#define USER        "sekix"
#define PATIENCE_MS 10000 /* for one mail: far more than 256 KiB take */
#define READY       0x80u /* in every answer, so that no answer is zero */

/* One question; its file comes beside it. */
struct question {
	int64_t content;
	uint64_t size;
};

/* ---- the child ---------------------------------------------------------------------------- */

/* Receives a question and its descriptor. False: there will be no more. */
static bool receive(struct question *q, int *fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr aligned;
	} control = {.bytes = {0}};
	struct iovec part = {.iov_base = q, .iov_len = sizeof *q};
	struct msghdr message = {.msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof control.bytes};
	ssize_t n = recvmsg(JAIL_FD, &message, 0);
	struct cmsghdr *c = n == (ssize_t)sizeof *q ? CMSG_FIRSTHDR(&message) : NULL;

	if (c == NULL || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
		return false;
	memcpy(fd, CMSG_DATA(c), sizeof *fd);
	return true;
}

static bool answer(unsigned bits)
{
	unsigned char byte = (unsigned char)(READY | bits);

	return send(JAIL_FD, &byte, 1, MSG_NOSIGNAL) == 1;
}

/* Reads the header into `bytes`; -1 if the file cannot be read. */
static ssize_t read_header(int fd, const struct question *q, char *bytes)
{
	size_t want = q->size < HEADER_MAX ? (size_t)q->size : HEADER_MAX, got = 0;

	while (got < want) {
		ssize_t n = pread(fd, bytes + got, want - got, q->content + (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* Never returns. `room` is twice HEADER_MAX: in the jail there is no more memory to be had. */
static NORETURN void child_main(const struct reader *r, int socket, char *room)
{
	struct question q;
	int fd;

	if (!jail_enter(&r->user, socket) || !answer(0))
		_exit(1);
	while (receive(&q, &fd)) {
		ssize_t n = read_header(fd, &q, room);
		unsigned bits;

		if (n < 0)
			_exit(1);
		bits = header_match(r->query, room, (size_t)n, room + HEADER_MAX);
		if ((size_t)n < HEADER_MAX)
			bits &= ~HEADER_CUT; /* a mail that is all header */
		(void)close(fd);
		if (!answer(bits))
			_exit(1);
	}
	_exit(0);
}

/* ---- the parent --------------------------------------------------------------------------- */

/* The child's next byte, or -1. */
static int await(const struct reader *r)
{
	int64_t until = clock_boot() + PATIENCE_MS * INT64_C(1000);
	struct pollfd p = {.fd = r->socket, .events = POLLIN};
	unsigned char byte;

	for (;;) {
		int64_t left = (until - clock_boot()) / 1000;
		int ready = left <= 0 ? 0 : poll(&p, 1, (int)left);

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0 || recv(r->socket, &byte, 1, 0) != 1)
			return -1;
		return byte;
	}
}

static void end_child(struct reader *r)
{
	if (r->child == 0)
		return;
	(void)close(r->socket);
	(void)kill(r->child, SIGKILL);
	while (waitpid(r->child, NULL, 0) < 0 && errno == EINTR)
		;
	r->child = 0;
}

static bool start_child(struct reader *r)
{
	int ends[2];
	char *room = malloc(2 * HEADER_MAX);

	if (room == NULL)
		return false;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		goto fail;
	r->child = fork();
	if (r->child == 0)
		child_main(r, ends[1], room);

	(void)close(ends[1]);
	r->socket = ends[0];
	if (r->child < 0) {
		(void)close(ends[0]);
		r->child = 0;
		goto fail;
	}
	free(room);
	if (await(r) != (int)READY) {
		end_child(r);
		return false;
	}
	return true;
fail:
	free(room);
	return false;
}

bool reader_open(struct reader *r, const struct header_query *query)
{
	const struct passwd *user;

	*r = (struct reader){.query = query};
	if (geteuid() == 0) {
		user = getpwnam(USER);
		if (user == NULL) {
			complain("there is no user " USER ", so nobody may read the headers");
			return false;
		}
		r->user = (struct jail_user){true, user->pw_uid, user->pw_gid};
	}
	if (!start_child(r)) {
		complain("the process that reads headers could not be started and confined");
		return false;
	}
	return true;
}

void reader_close(struct reader *r)
{
	end_child(r);
}

static bool ask(const struct reader *r, int fd, off_t content, uint64_t size)
{
	struct question q = {.content = content, .size = size};
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr aligned;
	} control = {.bytes = {0}};
	struct iovec part = {.iov_base = &q, .iov_len = sizeof q};
	struct msghdr message = {.msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof control.bytes};
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	return sendmsg(r->socket, &message, MSG_NOSIGNAL) == (ssize_t)sizeof q;
}

int reader_ask(struct reader *r, int fd, off_t content, uint64_t size)
{
	int said = -1;

	if (r->child == 0)
		return -1;
	if (ask(r, fd, content, size))
		said = await(r);
	if (said >= 0 && ((unsigned)said & READY) != 0)
		return said & (int)~READY;

	end_child(r);
	(void)start_child(r);
	return -1;
}
