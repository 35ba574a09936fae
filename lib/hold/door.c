#include "lib/hold/door.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/local.h"
#include "lib/base/log.h"
#include "lib/hold/answer.h"
#include "lib/hold/recent.h"

#define BACKLOG  64
#define WEB_USER "sekiw" /* of the program that shows people their pages */

/* In one turn: mail does not wait for people. */
#define EVENTS_A_TURN 16

enum client_state {
	CLIENT_NONE,
	CLIENT_READING, /* its request is not whole yet */
	CLIENT_WAITING, /* it is, and cannot be answered just yet */
	CLIENT_WRITING,
};

struct gate_client {
	enum client_state state;
	int fd;
	int64_t since; /* boot clock */
	struct buf request;
	struct door_answer answer;
	size_t written;
};

struct gate_door {
	struct hold *h;
	int listener, epoll;
	uid_t web; /* (uid_t)-1: there is none */
	struct gate_client client[DOOR_CLIENTS];
	struct gate_request parsed; /* of one client after another */
	struct recent recent;
};

/* ---- the door ----------------------------------------------------------------------------- */

static bool watch(struct gate_door *door, int op, int fd, uint32_t events, void *what)
{
	struct epoll_event event = {.events = events, .data.ptr = what};

	return epoll_ctl(door->epoll, op, fd, &event) == 0;
}

static uid_t web_user(void)
{
	const struct passwd *user = getpwnam(WEB_USER);

	return user != NULL ? user->pw_uid : (uid_t)-1;
}

struct gate_door *door_open(struct hold *h)
{
	struct gate_door *door = calloc(1, sizeof *door);
	int error;

	if (door == NULL)
		return NULL;
	door->h = h;
	door->web = web_user();
	door->epoll = epoll_create1(EPOLL_CLOEXEC);
	door->listener = door->epoll >= 0 ? local_listen(GATE_SOCKET, BACKLOG) : -1;
	if (door->listener >= 0 && watch(door, EPOLL_CTL_ADD, door->listener, EPOLLIN, NULL))
		return door;
	error = errno;
	if (door->listener >= 0)
		(void)close(door->listener);
	if (door->epoll >= 0)
		(void)close(door->epoll);
	free(door);
	errno = error;
	return NULL;
}

/* Closing takes it out of the epoll set, too: nobody else has the descriptor. */
static void drop(struct gate_client *c)
{
	if (c->state == CLIENT_NONE)
		return;
	(void)close(c->fd);
	buf_free(&c->request);
	if (c->state == CLIENT_WRITING) {
		buf_free(&c->answer.text);
		if (c->answer.leg >= 0)
			(void)close(c->answer.leg);
	}
	c->state = CLIENT_NONE;
}

void door_close(struct gate_door *door)
{
	if (door == NULL)
		return;
	for (size_t i = 0; i < DOOR_CLIENTS; i++)
		drop(&door->client[i]);
	(void)close(door->listener);
	(void)close(door->epoll);
	free(door);
}

int door_fd(const struct gate_door *door)
{
	return door->epoll;
}

/* ---- who comes ---------------------------------------------------------------------------- */

/* The directory's mode lets in only these; it is asked again. */
static bool may_ask(const struct gate_door *door, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return false;
	if (peer.uid == 0 || peer.uid == geteuid() ||
	    (door->web != (uid_t)-1 && peer.uid == door->web))
		return true;
	LOG_ALARM("gate-peer-refused", kv_num("uid", (int64_t)peer.uid));
	return false;
}

/*
 * A free place; or that of the client who has been silent for the longest, since he who has waited for
 * longest is the one least likely to want it. A request that is being answered is not given up for another.
 */
static struct gate_client *place_for_one(struct gate_door *door)
{
	struct gate_client *oldest = NULL;

	for (size_t i = 0; i < DOOR_CLIENTS; i++) {
		struct gate_client *c = &door->client[i];

		if (c->state == CLIENT_NONE)
			return c;
		if (c->state != CLIENT_WAITING && (oldest == NULL || c->since < oldest->since))
			oldest = c;
	}
	if (oldest != NULL)
		drop(oldest);
	return oldest;
}

static void take_waiting(struct gate_door *door)
{
	for (size_t i = 0; i < EVENTS_A_TURN; i++) {
		int fd = accept4(door->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		struct gate_client *c;

		if (fd < 0)
			return;
		c = may_ask(door, fd) ? place_for_one(door) : NULL;
		if (c == NULL || !watch(door, EPOLL_CTL_ADD, fd, EPOLLIN, c)) {
			(void)close(fd);
			continue;
		}
		*c = (struct gate_client){.state = CLIENT_READING, .fd = fd, .since = clock_boot()};
		buf_init(&c->request, GATE_REQUEST_MAX);
	}
}

/* ---- answers ------------------------------------------------------------------------------ */

/* One write; the leg's descriptor goes with the first byte. */
static ssize_t write_some(struct gate_client *c)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.bytes = {0}};
	struct iovec piece = {.iov_base = c->answer.text.bytes + c->written,
	    .iov_len = c->answer.text.len - c->written};
	struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

	if (c->written == 0 && c->answer.leg >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof control.bytes;
		control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
		    .cmsg_level = SOL_SOCKET,
		    .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.header), &c->answer.leg, sizeof(int));
	}
	return sendmsg(c->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void write_answer(struct gate_client *c)
{
	while (c->written < c->answer.text.len) {
		ssize_t n = write_some(c);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			drop(c);
			return;
		}
		c->written += (size_t)n;
	}
	drop(c);
}

static void begin_answer(struct gate_door *door, struct gate_client *c)
{
	c->state = CLIENT_WRITING;
	c->since = clock_boot();
	c->written = 0;
	if (!watch(door, EPOLL_CTL_MOD, c->fd, EPOLLOUT, c))
		drop(c);
	else
		write_answer(c);
}

static bool is_late(const struct gate_client *c)
{
	return clock_boot() - c->since >= DOOR_PATIENCE * CLOCK_SECOND;
}

/* A leg that is in hand just now is asked for again at the next turns. */
static void answer(struct gate_door *door, struct gate_client *c)
{
	if (!gate_request_parse(c->request.bytes, c->request.len - 1, &door->parsed)) {
		answer_wrong(&c->answer);
	} else if (!answer_request(door->h, &door->recent, &door->parsed, is_late(c), &c->answer)) {
		/* What it may say yet wakes nobody; that it is gone, does. */
		c->state = CLIENT_WAITING;
		if (!watch(door, EPOLL_CTL_MOD, c->fd, 0, c))
			drop(c);
		return;
	}
	begin_answer(door, c);
}

/* Exactly one line: who sends more means something that we do not know. */
static void read_request(struct gate_door *door, struct gate_client *c)
{
	size_t room = GATE_REQUEST_MAX - c->request.len;
	char *to = buf_reserve(&c->request, room);
	const char *newline;
	ssize_t n = to != NULL ? recv(c->fd, to, room, MSG_DONTWAIT) : 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	c->request.len += (size_t)n;
	newline = memchr(c->request.bytes, '\n', c->request.len);
	if (newline == NULL && c->request.len < GATE_REQUEST_MAX)
		return;
	if (newline == NULL || newline + 1 != c->request.bytes + c->request.len) {
		answer_wrong(&c->answer);
		begin_answer(door, c);
		return;
	}
	answer(door, c);
}

/* ---- a turn ------------------------------------------------------------------------------- */

static void serve_one(struct gate_door *door, struct gate_client *c, uint32_t events)
{
	switch (c->state) {
	case CLIENT_READING:
		read_request(door, c);
		break;
	case CLIENT_WRITING:
		write_answer(c);
		break;
	case CLIENT_WAITING:
		if ((events & (EPOLLHUP | EPOLLERR)) != 0)
			drop(c);
		break;
	case CLIENT_NONE:
		break;
	}
}

void door_serve(struct gate_door *door)
{
	struct epoll_event events[EVENTS_A_TURN];
	bool somebody = false;
	int n = epoll_wait(door->epoll, events, EVENTS_A_TURN, 0);

	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr == NULL)
			somebody = true;
		else
			serve_one(door, events[i].data.ptr, events[i].events);
	}
	for (size_t i = 0; i < DOOR_CLIENTS; i++) {
		struct gate_client *c = &door->client[i];

		if (c->state == CLIENT_WAITING)
			answer(door, c);
		else if (c->state != CLIENT_NONE && is_late(c))
			drop(c);
	}
	/* Last: a place may be given to another only when what came from its client was seen to. */
	if (somebody)
		take_waiting(door);
}
