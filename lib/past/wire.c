#include "lib/past/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/past/past.h"

#define CHUNK     ((size_t)16384)
#define OUT_MAX   ((size_t)256 << 20) /* a question about PAST_RCPTS_MAX recipients, at the worst */
#define HEARD_MAX ((size_t)512 << 20)

void wire_init(struct wire *w, int64_t patience)
{
	*w = (struct wire){.fd = -1, .until = clock_boot() + patience};
	buf_init(&w->out, OUT_MAX);
	buf_init(&w->in, PAST_LINE_MAX + CHUNK);
}

void wire_free(struct wire *w)
{
	int error = errno;

	buf_free(&w->out);
	buf_free(&w->in);
	if (w->fd >= 0)
		(void)close(w->fd); /* nothing is left to be lost */
	errno = error;
}

static const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = PAST_SOCKET};

bool wire_connect(struct wire *w)
{
	int64_t left = w->until - clock_boot();
	struct timeval timeout;

	if (!buf_ok(&w->out)) {
		errno = ENOMEM;
		return false;
	}
	if (left <= 0) {
		errno = ETIMEDOUT;
		return false;
	}
	w->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (w->fd < 0)
		return false;
	/* A full backlog is waited for by connect(2) itself, as long as a send may take. */
	timeout = (struct timeval){.tv_sec = left / CLOCK_SECOND, .tv_usec = left % CLOCK_SECOND};
	if (setsockopt(w->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) != 0)
		return false;
	if (connect(w->fd, (const struct sockaddr *)&address, sizeof address) == 0)
		return true;
	if (errno == EAGAIN)
		errno = ETIMEDOUT;
	return false;
}

bool wire_connect_now(struct wire *w)
{
	if (!buf_ok(&w->out)) {
		errno = ENOMEM;
		return false;
	}
	w->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return w->fd >= 0 && connect(w->fd, (const struct sockaddr *)&address, sizeof address) == 0;
}

static bool send_some(struct wire *w)
{
	ssize_t n =
	    send(w->fd, w->out.bytes + w->sent, w->out.len - w->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	w->sent += (size_t)n;
	return true;
}

static bool hear_some(struct wire *w)
{
	char *room = buf_reserve(&w->in, CHUNK);
	ssize_t n;

	if (room == NULL || w->heard > HEARD_MAX) {
		errno = EPROTO; /* no line is as long as that */
		return false;
	}
	n = recv(w->fd, room, CHUNK, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	w->ended = n == 0;
	w->in.len += (size_t)n;
	w->heard += (size_t)n;
	return true;
}

/* Sends and hears what can be, once something can. False with errno. */
static bool turn(struct wire *w)
{
	struct pollfd p = {.fd = w->fd, .events = POLLIN};
	int64_t left = w->until - clock_boot();
	int n;

	if (w->ended || left <= 0) {
		errno = w->ended ? ECONNRESET : ETIMEDOUT;
		return false;
	}
	if (w->sent < w->out.len)
		p.events |= POLLOUT;
	n = poll(&p, 1, clock_patience((int)((left + 999) / 1000)));
	if (n < 0)
		return errno == EINTR;
	/* What was answered counts, also when the rest of the request is not wanted any more. */
	if ((p.revents & (POLLIN | POLLHUP | POLLERR)) != 0)
		return hear_some(w);
	return (p.revents & POLLOUT) == 0 || send_some(w);
}

/* A line that is there already; WIRE_WAIT: there is none, and room for more. */
static enum wire_now take_line(struct wire *w, struct past_line *line)
{
	char *begin = w->in.bytes + w->taken;
	char *end = w->in.len > w->taken ? memchr(begin, '\n', w->in.len - w->taken) : NULL;

	if (end == NULL) {
		if (w->taken > 0) {
			memmove(w->in.bytes, begin, w->in.len - w->taken);
			w->in.len -= w->taken;
			w->taken = 0;
		}
		return WIRE_WAIT;
	}
	w->taken = (size_t)(end - w->in.bytes) + 1;
	if (!past_line_cut(begin, (size_t)(end - begin), line)) {
		errno = EPROTO;
		return WIRE_FAILED;
	}
	if (strcmp(line->word[0], "failed") == 0) {
		errno = EIO;
		return WIRE_FAILED;
	}
	return WIRE_LINE;
}

bool wire_line(struct wire *w, struct past_line *line)
{
	for (;;) {
		switch (take_line(w, line)) {
		case WIRE_LINE:
			return true;
		case WIRE_FAILED:
			return false;
		case WIRE_WAIT:
			break;
		}
		if (!turn(w))
			return false;
	}
}

enum wire_now wire_line_now(struct wire *w, struct past_line *line)
{
	enum wire_now now = take_line(w, line);
	size_t had = w->in.len;

	if (now != WIRE_WAIT)
		return now;
	/* What was answered counts, also when the rest of the request is not wanted any more. */
	if (!w->ended && (!hear_some(w) || (w->sent < w->out.len && !send_some(w))) &&
	    w->in.len == had)
		return WIRE_FAILED;
	now = take_line(w, line);
	if (now != WIRE_WAIT || (!w->ended && clock_boot() < w->until))
		return now;
	errno = w->ended ? ECONNRESET : ETIMEDOUT;
	return WIRE_FAILED;
}

bool wire_expect(struct wire *w, const char *word, size_t words, struct past_line *line)
{
	if (!wire_line(w, line))
		return false;
	if (line->words == words && strcmp(line->word[0], word) == 0)
		return true;
	errno = EPROTO;
	return false;
}
