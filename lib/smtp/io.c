#include "lib/smtp/io.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"

#define LINGER       (2 * CLOCK_SECOND)
#define LINGER_BYTES ((size_t)4 * 1024 * 1024)

/* ---- a plain socket ---- */

static int socket_of(const void *context)
{
	return (int)(intptr_t)context;
}

static ssize_t plain_read(void *context, char *bytes, size_t room)
{
	return recv(socket_of(context), bytes, room, MSG_DONTWAIT);
}

static ssize_t plain_write(void *context, const char *bytes, size_t len)
{
	return send(socket_of(context), bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static bool plain_pending(void *context)
{
	char byte;

	return recv(socket_of(context), &byte, 1, MSG_DONTWAIT | MSG_PEEK) >= 0;
}

struct stream stream_plain(int fd)
{
	return (struct stream){.read = plain_read,
	    .write = plain_write,
	    .pending = plain_pending,
	    .context = (void *)(intptr_t)fd,
	    .fd = fd};
}

/* ---- waiting ---- */

void io_init(struct io *io, struct stream stream, char *in, char *out)
{
	*io = (struct io){.stream = stream, .watch = -1, .in = in, .out = out};
}

/* Rounded up, so that a wait never ends a moment before its time and then runs in circles. */
static int milliseconds(int64_t microseconds)
{
	int64_t ms = (microseconds + 999) / 1000;

	return ms > 3600 * 1000 ? 3600 * 1000 : (int)ms;
}

/* Waits for `events`, until `until` (clock_boot) or the deadline of the whole. */
static enum io_status io_wait(const struct io *io, short events, int64_t until, bool watched)
{
	struct pollfd p[2] = {{.fd = io->stream.fd, .events = events},
	    {.fd = watched ? io->watch : -1, .events = POLLIN}};

	if (io->stream.wants != NULL)
		p[0].events = io->stream.wants(io->stream.context, events);

	for (;;) {
		int64_t now = clock_boot();
		bool late = io->deadline != 0 && io->deadline < until;
		int64_t left = (late ? io->deadline : until) - now;

		if (left <= 0)
			return late ? IO_LATE : IO_SILENT;
		if (poll(p, COUNT_OF(p), clock_patience(milliseconds(left))) < 0 && errno != EINTR)
			return IO_CLOSED;
		if (p[0].revents != 0)
			return IO_OK;
		if (p[1].revents != 0)
			return IO_STOPPED;
	}
}

enum io_status io_await(const struct io *io, short events)
{
	return io_wait(io, events, clock_boot() + io->timeout, false);
}

static bool try_again(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

enum io_status io_flush(struct io *io)
{
	size_t sent = 0;

	while (sent < io->out_len) {
		ssize_t n =
		    io->stream.write(io->stream.context, io->out + sent, io->out_len - sent);
		enum io_status status;

		if (n > 0) {
			sent += (size_t)n;
			continue;
		}
		if (n == 0 || !try_again())
			return IO_CLOSED;
		status = io_wait(io, POLLOUT, clock_boot() + io->timeout, false);
		if (status != IO_OK)
			return status;
	}
	io->out_len = 0;
	return IO_OK;
}

enum io_status io_reply(struct io *io, const char *text)
{
	size_t len = strlen(text);

	if (len + 2 > IO_OUTPUT)
		die_bug("a reply longer than the room for replies");
	if (io->out_len + len + 2 > IO_OUTPUT) {
		enum io_status status = io_flush(io);

		if (status != IO_OK)
			return status;
	}
	memcpy(io->out + io->out_len, text, len);
	memcpy(io->out + io->out_len + len, "\r\n", 2);
	io->out_len += len + 2;
	return IO_OK;
}

/* ---- input ---- */

enum io_status io_fill(struct io *io, int64_t patience, bool watched)
{
	enum io_status status = io_flush(io);
	bool there = io->stream.buffered != NULL && io->stream.buffered(io->stream.context);
	int64_t until;

	if (status != IO_OK)
		return status;
	if (io->start == io->end)
		io->start = io->end = 0;
	if (io->end == IO_INPUT) {
		memmove(io->in, io->in + io->start, io->end - io->start);
		io->end -= io->start;
		io->start = 0;
	}
	if (io->end == IO_INPUT)
		die_bug("no room to read into");

	until = clock_boot() + patience;
	for (;;) {
		ssize_t n;

		status = there ? IO_OK : io_wait(io, POLLIN, until, watched);
		if (status != IO_OK)
			return status;
		there = false; /* what it holds may be no bytes of ours */
		n = io->stream.read(io->stream.context, io->in + io->end, IO_INPUT - io->end);
		if (n > 0) {
			io->end += (size_t)n;
			if (io->end > io->high)
				io->high = io->end;
			return IO_OK;
		}
		if (n == 0 || !try_again())
			return IO_CLOSED;
	}
}

/*
 * Passes over the rest of a line that was too long, up to its CRLF. False: not yet at its end. It
 * may have been somebody's password: nothing of it stays.
 */
static bool skip(struct io *io)
{
	size_t from = io->start;
	bool ended = false;

	while (io->start < io->end && !ended) {
		char c = io->in[io->start++];

		ended = c == '\n' && io->skip_cr;
		io->skip_cr = c == '\r';
	}
	if (ended)
		io->skipping = io->skip_cr = false;
	explicit_bzero(io->in + from, io->start - from);
	return ended;
}

enum io_status io_line(struct io *io, size_t room, bool idle, char **line, size_t *len)
{
	int64_t until = clock_boot() + io->timeout;

	for (;;) {
		enum io_status status;
		char *from;
		char *lf;
		size_t there;

		if (!io->skipping || skip(io)) {
			from = io->in + io->start;
			there = io->end - io->start;
			lf = memchr(from, '\n', there < room ? there : room);
			if (lf != NULL) {
				*line = from;
				*len = (size_t)(lf - from);
				io->start += *len + 1;
				if (*len == 0 || lf[-1] != '\r')
					return IO_BARE;
				(*len)--;
				return IO_OK;
			}
			if (there >= room) {
				*line = from;
				*len = room;
				io->skipping = true;
				return IO_LONG;
			}
		}
		status = io_fill(io, until - clock_boot(), idle && !io->skipping);
		if (status != IO_OK)
			return status;
	}
}

bool io_ahead(const struct io *io)
{
	return io->start < io->end || io->stream.pending(io->stream.context);
}

void io_forget_input(struct io *io)
{
	io->start = io->end = 0;
	io->skipping = io->skip_cr = false;
}

void io_linger(struct io *io)
{
	int64_t until = clock_boot() + LINGER;
	size_t passed = 0;

	if (io->timeout > LINGER)
		io->timeout = LINGER;
	io->deadline = 0;
	if (io_flush(io) != IO_OK)
		return;
	if (io->stream.finish != NULL)
		io->stream.finish(io->stream.context);
	if (shutdown(io->stream.fd, SHUT_WR) != 0)
		return;

	io_forget_input(io);
	while (passed < LINGER_BYTES && io_fill(io, until - clock_boot(), false) == IO_OK) {
		passed += io->end;
		io_forget_input(io);
	}
}
