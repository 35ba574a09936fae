/* Clients, one request each, none of which is ever waited for: what one has not sent, or not taken, costs him alone. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/login/inside.h"

#define ACCEPTS_A_TURN 64

/* ---- ends --------------------------------------------------------------------------------- */

static void wipe(struct buf *b)
{
	if (b->bytes != NULL)
		explicit_bzero(b->bytes, b->room);
	buf_free(b);
}

static void end_asking(struct login *l, struct login_client *c)
{
	if (c->state != CLIENT_ASKING)
		return;
	(void)close(c->auth); /* a check that runs counts all the same */
	c->auth = -1;
	l->asking--;
}

/* Closing takes a socket out of the epoll set, too: nobody else has the descriptor. */
void door_drop(struct login *l, struct login_client *c)
{
	/* An event that was told in this very turn may still name them. */
	const struct login_watch watch = c->watch, auth_watch = c->auth_watch;

	if (c->state == CLIENT_NONE)
		return;
	end_asking(l, c);
	if (c->work != NULL)
		c->work->client = NULL;
	(void)close(c->fd);
	wipe(&c->request);
	wipe(&c->answer);
	explicit_bzero(c, sizeof *c);
	c->watch = watch;
	c->auth_watch = auth_watch;
	c->state = CLIENT_NONE;
}

/* ---- answers ------------------------------------------------------------------------------ */

static void write_answer(struct login *l, struct login_client *c)
{
	while (c->written < c->answer.len) {
		ssize_t n = send(c->fd, c->answer.bytes + c->written, c->answer.len - c->written,
		    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0)
			break;
		c->written += (size_t)n;
	}
	door_drop(l, c);
}

void door_answer(struct login *l, struct login_client *c, json_t *json)
{
	static const char lost[] = "{\"result\":\"no\",\"code\":\"room\",\"why\":\"no memory\"}\n";
	char *dump = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	end_asking(l, c);
	if (c->work != NULL)
		c->work->client = NULL;
	c->work = NULL;
	wipe(&c->request);
	buf_init(&c->answer, LOGIN_ANSWER_MAX);
	if (dump != NULL) {
		buf_add_text(&c->answer, dump);
		buf_add_text(&c->answer, "\n");
		explicit_bzero(dump, strlen(dump));
		free(dump);
	}
	if (dump == NULL || !buf_ok(&c->answer)) {
		buf_clear(&c->answer);
		buf_add_text(&c->answer, lost);
	}
	c->state = CLIENT_WRITING;
	c->since = clock_boot();
	c->written = 0;
	if (!login_watch(l, EPOLL_CTL_MOD, c->fd, EPOLLOUT, &c->watch))
		door_drop(l, c);
	else
		write_answer(l, c);
}

/* ---- requests ----------------------------------------------------------------------------- */

/* Exactly one line: who sends more means something that we do not know. */
static void read_request(struct login *l, struct login_client *c)
{
	size_t room = LOGIN_REQUEST_MAX - c->request.len;
	char *to = buf_reserve(&c->request, room);
	const char *newline;
	ssize_t n = to != NULL ? recv(c->fd, to, room, MSG_DONTWAIT) : 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		door_drop(l, c);
		return;
	}
	c->request.len += (size_t)n;
	newline = memchr(c->request.bytes, '\n', c->request.len);
	if (newline == NULL && c->request.len < LOGIN_REQUEST_MAX)
		return;
	if (newline == NULL || newline + 1 != c->request.bytes + c->request.len) {
		LOG_ALARM("login-malformed", kv("why", "no line"));
		door_answer(l, c, answer_no("no", "request", "that is no request"));
		return;
	}
	answer_client(l, c);
}

static void on_client(struct login *l, void *owner, uint32_t events)
{
	struct login_client *c = owner;

	switch (c->state) {
	case CLIENT_READING:
		read_request(l, c);
		break;
	case CLIENT_WRITING:
		write_answer(l, c);
		break;
	case CLIENT_ASKING:
	case CLIENT_HASHING:
		if ((events & (EPOLLHUP | EPOLLERR)) != 0)
			door_drop(l, c);
		break;
	case CLIENT_NONE:
		break;
	}
}

/* ---- who comes ---------------------------------------------------------------------------- */

/* The directory's mode lets in only these; it is asked again. */
static bool may_ask(const struct login *l, int fd, bool *is_operator)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return false;
	/* In an instance of one user everything is his. */
	*is_operator = peer.uid == 0 || peer.uid == geteuid();
	if (*is_operator || (l->web != (uid_t)-1 && peer.uid == l->web))
		return true;
	LOG_ALARM("login-peer-refused", kv_num("uid", (int64_t)peer.uid));
	return false;
}

/* A free place; or that of the client who has been silent for longest. One that waits for us keeps his. */
static struct login_client *place_for_one(struct login *l)
{
	struct login_client *oldest = NULL;

	for (size_t i = 0; i < LOGIN_CLIENTS; i++) {
		struct login_client *c = &l->client[i];

		if (c->state == CLIENT_NONE)
			return c;
		if ((c->state == CLIENT_READING || c->state == CLIENT_WRITING) &&
		    (oldest == NULL || c->since < oldest->since))
			oldest = c;
	}
	if (oldest != NULL)
		door_drop(l, oldest);
	return oldest;
}

void door_accept(struct login *l, void *owner, uint32_t events)
{
	(void)owner;
	(void)events;
	for (size_t i = 0; i < ACCEPTS_A_TURN && l->listener >= 0; i++) {
		int fd = accept4(l->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		struct login_client *c;
		bool is_operator = false;

		if (fd < 0)
			return;
		c = may_ask(l, fd, &is_operator) ? place_for_one(l) : NULL;
		if (c == NULL) {
			(void)close(fd);
			continue;
		}
		*c = (struct login_client){.state = CLIENT_READING,
		    .fd = fd,
		    .since = clock_boot(),
		    .auth = -1,
		    .is_operator = is_operator};
		c->watch = (struct login_watch){on_client, c};
		buf_init(&c->request, LOGIN_REQUEST_MAX);
		buf_init(&c->answer, LOGIN_ANSWER_MAX);
		if (!login_watch(l, EPOLL_CTL_ADD, fd, EPOLLIN, &c->watch))
			door_drop(l, c);
	}
}

int64_t door_timers(struct login *l, int64_t now)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < LOGIN_CLIENTS; i++) {
		struct login_client *c = &l->client[i];
		int64_t due =
		    c->state == CLIENT_ASKING ? c->auth_due : c->since + LOGIN_PATIENCE_CLIENT;

		if (c->state == CLIENT_NONE || c->state == CLIENT_HASHING)
			continue;
		if (due > now) {
			next = due < next ? due : next;
			continue;
		}
		if (c->state == CLIENT_ASKING)
			password_late(l, c);
		else
			door_drop(l, c);
	}
	return next;
}
