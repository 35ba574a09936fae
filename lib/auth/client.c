#include "lib/auth/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct client *client_new(int fd)
{
	struct client *c = calloc(1, sizeof *c);

	if (c != NULL) {
		c->fd = fd;
		c->epoll = -1;
	}
	return c;
}

void client_free(struct client *c)
{
	client_hang_up(c);
	explicit_bzero(c, sizeof *c);
	free(c);
}

enum client_read client_read(struct client *c)
{
	for (;;) {
		size_t want = QUESTION_PREFIX;
		size_t len = 0;
		ssize_t n;

		if (c->have >= QUESTION_PREFIX) {
			len = question_length(c->bytes);
			want += len;
			if (len == 0)
				return CLIENT_BROKEN;
		}
		if (len > 0 && c->have == want)
			return question_read(c->bytes + QUESTION_PREFIX, len, &c->question)
				   ? CLIENT_ASKED
				   : CLIENT_BROKEN;

		n = recv(c->fd, c->bytes + c->have, want - c->have, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return CLIENT_MORE;
		if (n <= 0)
			return CLIENT_CLOSED;
		c->have += (size_t)n;
	}
}

void client_wipe(struct client *c)
{
	if (c->question.password != NULL) {
		size_t at = (size_t)(c->question.password - c->bytes);

		explicit_bzero(c->bytes + at, sizeof c->bytes - at);
	}
}

void client_hang_up(struct client *c)
{
	/*
	 * Closing alone takes it out of the epoll set only when nobody else has it open: a back end that is
	 * just starting has, until it has become its program. Its events would name a client that is freed.
	 */
	if (c->fd >= 0 && c->epoll >= 0)
		(void)epoll_ctl(c->epoll, EPOLL_CTL_DEL, c->fd, NULL);
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
}

void client_answer(struct client *c, char letter)
{
	/* Room for one byte is always there, or nobody reads it. */
	if (c->fd >= 0)
		(void)send(c->fd, &letter, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	client_hang_up(c);
	c->state = CLIENT_GONE;
}
