/*
 * The two ends of one client's connection: bounded input with deadlines, and replies that are kept
 * until the client has nothing more to say (RFC 2920 section 3.2). The bytes go through a stream,
 * so that TLS can be slipped in between: replace the stream, then io_forget_input.
 */
#ifndef SEKISHO_SMTP_IO_H
#define SEKISHO_SMTP_IO_H

#include "lib/base/compat.h"

#define IO_INPUT  ((size_t)65536)
#define IO_OUTPUT ((size_t)4096)

/* How bytes come and go. None of the three ever waits: -1 with errno EAGAIN instead. */
struct stream {
	ssize_t (*read)(void *context, char *bytes, size_t room);
	ssize_t (*write)(void *context, const char *bytes, size_t len);
	bool (*pending)(void *context); /* whether there is something to read, the end included */

	/* For a stream that holds bytes back and has words of its own; NULL in a plain one. */
	bool (*buffered)(void *context);                /* bytes that poll will not tell of */
	short (*wants)(void *context, short otherwise); /* the events that it waits for just now */
	void (*finish)(void *context); /* says its good-bye, if that needs no wait */

	void *context;
	int fd; /* what poll waits for */
};

enum io_status {
	IO_OK,
	IO_CLOSED,  /* the client went away, or the connection broke */
	IO_SILENT,  /* nothing came, or nothing was taken, for the length of the timeout */
	IO_LATE,    /* the deadline of the whole passed */
	IO_STOPPED, /* the watched descriptor became readable: somebody wants us to end */
	IO_LONG,    /* io_line: longer than the room; the rest is passed over by the next call */
	IO_BARE,    /* io_line: the line ended in a LF without its CR */
};

struct io {
	struct stream stream;
	int watch;        /* a descriptor that ends a wait for a command when readable, or -1 */
	int64_t timeout;  /* microseconds of silence */
	int64_t deadline; /* clock_boot() at which the whole is late; 0: never */
	size_t start;     /* input not yet used: in[start..end) */
	size_t end;
	size_t high; /* nothing was ever read behind it */
	size_t out_len;
	bool skipping; /* within a line that was too long, up to its CRLF */
	bool skip_cr;  /* the last byte passed over was a CR */
	char *in;      /* IO_INPUT bytes, lent by the owner */
	char *out;     /* IO_OUTPUT bytes, lent by the owner */
};

/* A stream straight over a socket. */
struct stream stream_plain(int fd);

void io_init(struct io *io, struct stream stream, char *in, char *out);

/*
 * Waits for more input behind what is there, after sending what is due. `patience` microseconds at
 * most, the deadline permitting. `watched`: io->watch may end the wait.
 */
NODISCARD enum io_status io_fill(struct io *io, int64_t patience, bool watched);

/*
 * The next command line, without its CRLF: `*line` points into the input and is good until the
 * next call. The line as a whole must come within the timeout: a client that sends a byte now and
 * then is silent, too. IO_LONG if it has more than `room` bytes, CRLF included. `idle`: io->watch
 * may end the wait.
 */
NODISCARD enum io_status io_line(struct io *io, size_t room, bool idle, char **line, size_t *len);

/* Waits for these events of the stream's descriptor, for the timeout and the deadline at most. */
NODISCARD enum io_status io_await(const struct io *io, short events);

/* Whether the client has sent something that is not read yet. */
NODISCARD bool io_ahead(const struct io *io);

/* Adds a reply line (its CRLF is added); sends what is there if the room is used up. */
NODISCARD enum io_status io_reply(struct io *io, const char *text);

/* Sends everything. */
NODISCARD enum io_status io_flush(struct io *io);

/* What was read before a handshake must never be taken for something behind it (RFC 3207). */
void io_forget_input(struct io *io);

/*
 * Ends a connection whose client may still be sending: closing with unread input would make the
 * kernel send a reset, which takes our last reply away from the client. Waits a short while.
 */
void io_linger(struct io *io);

#endif
