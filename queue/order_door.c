#include "queue/order_door.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "queue/intake_server.h"

#define BACKLOG 16

struct client {
	int fd;        /* -1: no client */
	int64_t until; /* boot clock */
	bool waits;    /* its order is whole, and cannot be carried out just yet */
	size_t len;
	char line[ORDER_LINE_MAX];
};

struct order_door {
	int listener;
	struct client client[ORDER_CLIENTS];
};

struct order_door *order_door_open(const char *program)
{
	struct order_door *door = calloc(1, sizeof *door);
	char path[ORDER_PATH_MAX];

	if (door == NULL)
		return NULL;
	for (size_t i = 0; i < ORDER_CLIENTS; i++)
		door->client[i].fd = -1;
	order_path(program, path);
	door->listener = intake_server_listen(path, BACKLOG);
	if (door->listener < 0) {
		int error = errno;

		free(door);
		errno = error;
		return NULL;
	}
	return door;
}

static void drop(struct client *c)
{
	(void)close(c->fd);
	c->fd = -1;
}

void order_door_close(struct order_door *door)
{
	if (door == NULL)
		return;
	for (size_t i = 0; i < ORDER_CLIENTS; i++) {
		if (door->client[i].fd >= 0)
			drop(&door->client[i]);
	}
	(void)close(door->listener);
	free(door);
}

nfds_t order_door_poll(const struct order_door *door, struct pollfd *fds)
{
	nfds_t n = 0;

	for (size_t i = 0; i < ORDER_CLIENTS; i++) {
		/* One that waits has said all it has to say. */
		if (door->client[i].fd >= 0)
			fds[n++] =
			    (struct pollfd){.fd = door->client[i].waits ? -1 : door->client[i].fd,
				.events = POLLIN};
	}
	/* While every place is taken the listener would only wake us again and again. */
	if (n < ORDER_CLIENTS)
		fds[n++] = (struct pollfd){.fd = door->listener, .events = POLLIN};
	return n;
}

/* The directory's mode lets only root and this user in; it is asked again. */
static bool may_order(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return false;
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	LOG_ALARM("order-refused", kv_num("uid", (int64_t)peer.uid));
	return false;
}

static struct client *free_place(struct order_door *door)
{
	for (size_t i = 0; i < ORDER_CLIENTS; i++) {
		if (door->client[i].fd < 0)
			return &door->client[i];
	}
	return NULL;
}

static void take_waiting(struct order_door *door)
{
	struct client *c;

	while ((c = free_place(door)) != NULL) {
		int fd = accept4(door->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return;
		if (!may_order(fd)) {
			(void)close(fd);
			continue;
		}
		c->fd = fd;
		c->len = 0;
		c->waits = false;
		c->until = clock_boot() + ORDER_PATIENCE * CLOCK_SECOND;
	}
}

/* An answer is smaller than any socket's buffer: it is sent at once, or to nobody. */
static void answer(struct client *c, const struct order_answer *a)
{
	char line[ORDER_LINE_MAX];
	size_t len = order_answer_format(a, line, sizeof line);

	if (len > 0 && send(c->fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len)
		LOG("order-unheard", kv("answer", line));
}

/*
 * Has a whole line carried out and answered. A leg that is in hand just now, as it is when it has only
 * just come, is asked for again at the next turns, for as long as a client may take.
 */
static void obey(struct client *c, order_do *carry_out, void *context)
{
	struct order_answer a = {.result = ORDER_NO, .why = "that is no order"};
	struct order order;

	if (order_parse(c->line, c->len - 1, &order))
		a = carry_out(context, &order);
	if (a.busy && clock_boot() < c->until) {
		c->waits = true;
		return;
	}
	answer(c, &a);
	drop(c);
}

static void serve_one(struct client *c, order_do *carry_out, void *context)
{
	const struct order_answer none = {.result = ORDER_NO, .why = "that is no order"};
	ssize_t n;
	const char *newline;

	if (c->waits) {
		obey(c, carry_out, context);
		return;
	}
	n = recv(c->fd, c->line + c->len, sizeof c->line - c->len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		if (clock_boot() >= c->until)
			drop(c);
		return;
	}
	if (n <= 0) {
		drop(c);
		return;
	}
	c->len += (size_t)n;
	newline = memchr(c->line, '\n', c->len);
	if (newline == NULL && c->len < sizeof c->line)
		return;
	/* Exactly one line: who sends more means something that we do not know. */
	if (newline != NULL && newline + 1 == c->line + c->len) {
		obey(c, carry_out, context);
		return;
	}
	answer(c, &none);
	drop(c);
}

void order_door_serve(struct order_door *door, order_do *carry_out, void *context)
{
	take_waiting(door);
	for (size_t i = 0; i < ORDER_CLIENTS; i++) {
		if (door->client[i].fd >= 0)
			serve_one(&door->client[i], carry_out, context);
	}
}
