#include "lib/hold/door.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/local.h"
#include "lib/base/log.h"
#include "lib/hold/answer.h"
#include "lib/hold/firsts.h"
#include "lib/hold/inside.h"
#include "lib/hold/lines.h"
#include "lib/hold/recent.h"
#include "lib/past/call.h"

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
	struct answer_work *work;
	struct door_answer answer;
	size_t written;
	int asks; /* the descriptor of another program, which the loop wakes for; -1: none */
};

struct gate_door {
	struct hold *h;
	int listener, epoll;
	int again;     /* an eventfd: somebody's request goes on at the next turn */
	int timer;     /* a timerfd: somebody has waited for another program for long enough */
	int64_t alarm; /* boot clock: when it rings; 0: it does not */
	size_t turns;
	uid_t web; /* (uid_t)-1: there is none */
	struct gate_client client[DOOR_CLIENTS];
	struct gate_request parsed; /* of one client after another */
	struct recent recent;
	struct firsts firsts;
	struct lines lines;
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

/* Everything but the door itself; false with errno. What was opened is closed by door_close. */
static bool open_all(struct gate_door *door)
{
	door->epoll = epoll_create1(EPOLL_CLOEXEC);
	door->again = door->epoll >= 0 ? eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) : -1;
	door->timer =
	    door->again >= 0 ? timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC) : -1;
	door->listener = door->timer >= 0 ? local_listen(GATE_SOCKET, BACKLOG) : -1;
	return door->listener >= 0 &&
	       watch(door, EPOLL_CTL_ADD, door->timer, EPOLLIN, &door->again) &&
	       watch(door, EPOLL_CTL_ADD, door->listener, EPOLLIN, &door->listener) &&
	       watch(door, EPOLL_CTL_ADD, door->again, EPOLLIN, &door->again);
}

struct gate_door *door_open(struct hold *h)
{
	struct gate_door *door;
	int error;

	/* Without a key nobody can prove who he is, and nobody is to be believed. */
	errno = ENOKEY;
	door = h->keyed ? calloc(1, sizeof *door) : NULL;
	if (door == NULL)
		return NULL;
	door->h = h;
	door->web = web_user();
	door->epoll = door->again = door->timer = door->listener = -1;
	if (open_all(door))
		return door;
	error = errno;
	door_close(door);
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
	answer_work_free(c->work);
	c->work = NULL;
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
	lines_clear(&door->lines);
	if (door->listener >= 0)
		(void)close(door->listener);
	if (door->again >= 0)
		(void)close(door->again);
	if (door->timer >= 0)
		(void)close(door->timer);
	if (door->epoll >= 0)
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
	uid_t uid;

	if (local_peer_may(fd, door->web, &uid))
		return true;
	LOG_ALARM("gate-peer-refused", kv_num("uid", (int64_t)uid));
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
		*c = (struct gate_client){
		    .state = CLIENT_READING, .fd = fd, .since = clock_boot(), .asks = -1};
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

/* The loop turns again at once. */
static void wake(const struct gate_door *door)
{
	static const uint64_t one = 1;

	(void)!write(door->again, &one, sizeof one); /* full: it is awake */
}

/* Nobody waits for it: but a decision that was begun is not left half done. */
static void hang_up(struct gate_door *door, struct gate_client *c)
{
	if (!answer_work_begun(c->work)) {
		drop(c);
		return;
	}
	c->state = CLIENT_WAITING;
	(void)!watch(door, EPOLL_CTL_DEL, c->fd, 0, NULL); /* it would wake the loop for ever */
}

/* The loop turns when the other program says something, or has taken too long. False: it would not. */
static bool wake_for(struct gate_door *door, struct gate_client *c, const struct past_call *call)
{
	int64_t until = past_call_until(call), left = until - clock_boot();
	struct itimerspec when = {.it_value = {.tv_nsec = 1}}; /* 0 would be never */

	if (left > 0)
		when.it_value = (struct timespec){
		    .tv_sec = left / CLOCK_SECOND, .tv_nsec = left % CLOCK_SECOND * 1000 + 1};

	if (c->asks != past_call_fd(call) &&
	    !watch(door, EPOLL_CTL_ADD, past_call_fd(call), EPOLLIN, &door->again))
		return false;
	c->asks = past_call_fd(call);
	if (door->alarm != 0 && door->alarm <= until)
		return true;
	door->alarm = until;
	return timerfd_settime(door->timer, 0, &when, NULL) == 0;
}

/* What is not done yet is asked for again at the next turns. */
static void answer(struct gate_door *door, struct gate_client *c, struct answer_turn *turn)
{
	bool done = true;

	turn->last = is_late(c);
	turn->work = c->work;
	if (!gate_request_parse(c->request.bytes, c->request.len - 1, &door->parsed))
		answer_wrong(&c->answer);
	else
		done = answer_request(door->h, &door->recent, &door->parsed, turn, &c->answer);
	c->work = turn->work;
	if (done) {
		begin_answer(door, c);
		return;
	}
	if (turn->at_once || (turn->call != NULL && !wake_for(door, c, turn->call)))
		wake(door);
	/* What it may say yet wakes nobody; that it is gone, does. */
	if (c->state != CLIENT_WAITING && !watch(door, EPOLL_CTL_MOD, c->fd, 0, c))
		hang_up(door, c);
	else
		c->state = CLIENT_WAITING;
}

/* Exactly one line: who sends more means something that we do not know. */
static void read_request(struct gate_door *door, struct gate_client *c, struct answer_turn *turn)
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
	answer(door, c, turn);
}

/* ---- a turn ------------------------------------------------------------------------------- */

static void serve_one(
    struct gate_door *door, struct gate_client *c, uint32_t events, struct answer_turn *turn)
{
	switch (c->state) {
	case CLIENT_READING:
		read_request(door, c, turn);
		break;
	case CLIENT_WRITING:
		write_answer(c);
		break;
	case CLIENT_WAITING:
		if ((events & (EPOLLHUP | EPOLLERR)) != 0)
			hang_up(door, c);
		break;
	case CLIENT_NONE:
		break;
	}
}

/* Those who have waited, another of them first at each turn: none takes all that a turn may do. */
static void serve_waiting(struct gate_door *door, struct answer_turn *turn)
{
	size_t first = door->turns++;

	for (size_t i = 0; i < DOOR_CLIENTS; i++) {
		struct gate_client *c = &door->client[(first + i) % DOOR_CLIENTS];

		if (c->state == CLIENT_WAITING)
			answer(door, c, turn);
	}
}

static void drop_late(struct gate_door *door)
{
	for (size_t i = 0; i < DOOR_CLIENTS; i++) {
		struct gate_client *c = &door->client[i];

		if (c->state != CLIENT_NONE && c->state != CLIENT_WAITING && is_late(c))
			drop(c);
	}
}

void door_serve(struct gate_door *door)
{
	struct answer_turn turn = {.acts = ANSWER_ACTS_A_TURN,
	    .bytes = ANSWER_BYTES_A_TURN,
	    .lines = &door->lines,
	    .firsts = &door->firsts};
	struct epoll_event events[EVENTS_A_TURN];
	uint64_t woken;
	bool somebody = false;
	int n = epoll_wait(door->epoll, events, EVENTS_A_TURN, 0);

	(void)!read(door->again, &woken, sizeof woken);
	if (read(door->timer, &woken, sizeof woken) == (ssize_t)sizeof woken)
		door->alarm = 0;
	serve_waiting(door, &turn);
	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr == &door->listener)
			somebody = true;
		else if (events[i].data.ptr != &door->again)
			serve_one(door, events[i].data.ptr, events[i].events, &turn);
	}
	drop_late(door);
	/* Last: a place may be given to another only when what came from its client was seen to. */
	if (somebody)
		take_waiting(door);
}
