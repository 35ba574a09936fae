#include "lib/db/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"

/* A trial without root is one user's: he is us. */
static bool may_change(int fd)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t len = sizeof peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

struct client *client_new(int fd)
{
	struct client *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->fd = fd;
	c->may_change = may_change(fd);
	buf_init(&c->out, CLIENT_OUT);
	return c;
}

void client_free(struct client *c)
{
	(void)close(c->fd); /* nothing is left to be lost */
	buf_free(&c->out);
	free(c->texts);
	free(c);
}

bool client_may_ask(const struct client *c)
{
	return !c->gone && c->out.len - c->sent < CLIENT_UNREAD;
}

bool client_has_line(const struct client *c)
{
	return client_may_ask(c) && memchr(c->in, '\n', c->have) != NULL;
}

void client_read(struct client *c)
{
	ssize_t n;

	if (c->have == PAST_LINE_MAX)
		return; /* a whole line is in hand, or client_answer ends it */
	n = recv(c->fd, c->in + c->have, PAST_LINE_MAX - c->have, MSG_DONTWAIT);
	if (n > 0)
		c->have += (size_t)n;
	else if (n == 0)
		c->ended = true;
	else if (errno != EAGAIN && errno != EINTR)
		c->gone = true;
}

static void refuse(struct client *c)
{
	LOG_ALARM("history-malformed", kv("why", "what was asked is no question"));
	c->gone = true;
}

void client_answer(struct client *c, struct history *history, int64_t now, size_t most)
{
	size_t at = 0;

	while (most-- > 0 && client_may_ask(c)) {
		char *end = memchr(c->in + at, '\n', c->have - at);
		size_t len;

		if (end == NULL) {
			if (at == 0 && c->have == PAST_LINE_MAX)
				refuse(c);
			break;
		}
		len = (size_t)(end - (c->in + at));
		if (!request_answer(c, history, now, c->in + at, len))
			refuse(c);
		at += len + 1;
	}
	memmove(c->in, c->in + at, c->have - at);
	c->have -= at;
}

bool client_has_output(const struct client *c)
{
	return c->out.len > c->sent;
}

void client_send(struct client *c)
{
	while (client_has_output(c)) {
		ssize_t n = send(c->fd, c->out.bytes + c->sent, c->out.len - c->sent,
		    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			c->gone = true;
			c->sent = c->out.len;
			break;
		}
		c->sent += (size_t)n;
	}
	c->sent = 0;
	buf_clear(&c->out);
}

bool client_done(const struct client *c)
{
	/* What was answered last, "failed" for one, is still to be heard. */
	if (c->gone)
		return !client_has_output(c);
	return c->ended && !client_has_line(c) && !client_has_output(c);
}
