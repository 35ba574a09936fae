#include "lib/remote/frame.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"

#define HEADER 5

static bool await(int socket, short events, int timeout_ms)
{
	struct pollfd p = {.fd = socket, .events = events};
	int64_t until = clock_boot() + timeout_ms * INT64_C(1000);

	for (;;) {
		int64_t left = (until - clock_boot() + 999) / 1000;
		int n = timeout_ms < 0 ? -1 : left > 0 ? (int)left : 0;

		n = poll(&p, 1, n);
		if (n > 0)
			return true;
		if ((n == 0 && left <= 0) || (n < 0 && errno != EINTR))
			return false;
	}
}

/* Keeps the one descriptor that may be waiting for its frame; false if there are more. */
static bool take_descriptors(struct msghdr *message, int *fd)
{
	bool good = (message->msg_flags & MSG_CTRUNC) == 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int got;

			memcpy(&got, CMSG_DATA(c) + i * sizeof got, sizeof got);
			if (*fd < 0) {
				*fd = got;
			} else {
				(void)close(got);
				good = false;
			}
		}
	}
	return good;
}

/* ---- in ---- */

void frames_in_init(struct frames_in *in, int socket)
{
	in->socket = socket;
	in->fd = -1;
	in->start = in->end = 0;
}

void frames_in_free(struct frames_in *in)
{
	explicit_bzero(in->bytes, sizeof in->bytes);
	if (in->fd >= 0)
		(void)close(in->fd);
	frames_in_init(in, -1);
}

bool frames_in_hold(const struct frames_in *in)
{
	return in->start < in->end;
}

/* Waits for bytes, up to `room` of them. */
static enum frame_status get(
    struct frames_in *in, char *bytes, size_t room, int patience_ms, size_t *got)
{
	for (;;) {
		union {
			struct cmsghdr align;
			char bytes[CMSG_SPACE(2 * sizeof(int))];
		} control;
		struct iovec v = {.iov_base = bytes, .iov_len = room};
		struct msghdr message = {.msg_iov = &v,
		    .msg_iovlen = 1,
		    .msg_control = &control,
		    .msg_controllen = sizeof control};
		ssize_t n = recvmsg(in->socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

		if (n > 0) {
			*got = (size_t)n;
			return take_descriptors(&message, &in->fd) ? FRAME_OK : FRAME_WRONG;
		}
		if (n == 0 || (errno != EAGAIN && errno != EINTR) ||
		    !await(in->socket, POLLIN, patience_ms))
			return FRAME_GONE;
	}
}

/* Until HEADER bytes are there. The first of them may take as long as it likes. */
static enum frame_status get_header(struct frames_in *in)
{
	memmove(in->bytes, in->bytes + in->start, in->end - in->start);
	in->end -= in->start;
	in->start = 0;
	while (in->end < HEADER) {
		size_t n;
		enum frame_status status = get(in, in->bytes + in->end, FRAME_AHEAD - in->end,
		    in->end == 0 ? -1 : FRAME_SILENCE_MS, &n);

		if (status != FRAME_OK)
			return status;
		in->end += n;
	}
	return FRAME_OK;
}

/* What was read ahead is wiped where it stood. */
static size_t take_ahead(struct frames_in *in, char *bytes, size_t len)
{
	size_t n = in->end - in->start < len ? in->end - in->start : len;

	memcpy(bytes, in->bytes + in->start, n);
	explicit_bzero(in->bytes + in->start, n);
	in->start += n;
	return n;
}

static enum frame_status get_text(struct frames_in *in, struct frame *frame)
{
	size_t have = take_ahead(in, frame->bytes, frame->len);

	while (have < frame->len) {
		size_t n;
		enum frame_status status =
		    get(in, frame->bytes + have, frame->len - have, FRAME_SILENCE_MS, &n);

		if (status != FRAME_OK)
			return status;
		have += n;
	}
	return FRAME_OK;
}

enum frame_status frame_read(struct frames_in *in, size_t most, struct frame *frame)
{
	unsigned char header[HEADER];
	enum frame_status status = get_header(in);

	*frame = (struct frame){.fd = -1};
	if (status != FRAME_OK)
		return status;
	(void)take_ahead(in, (char *)header, sizeof header);

	frame->type = (char)header[0];
	frame->len = (size_t)header[1] << 24 | (size_t)header[2] << 16 | (size_t)header[3] << 8 |
		     (size_t)header[4];
	status = FRAME_WRONG;
	if (frame->len > most)
		goto fail;
	frame->bytes = malloc(frame->len + 1);
	if (frame->bytes == NULL)
		goto fail;
	frame->bytes[frame->len] = '\0';
	status = get_text(in, frame);
	if (status != FRAME_OK)
		goto fail;

	if (frame->type == 'S') {
		frame->fd = in->fd;
		in->fd = -1;
	}
	status = FRAME_WRONG;
	if (in->fd >= 0 && !frames_in_hold(in)) /* it came with what takes none */
		goto fail;
	return FRAME_OK;
fail:
	if (frame->bytes == NULL)
		frame->len = 0;
	frame_free(frame);
	return status;
}

void frame_free(struct frame *frame)
{
	if (frame->bytes != NULL)
		explicit_bzero(frame->bytes, frame->len);
	free(frame->bytes);
	if (frame->fd >= 0)
		(void)close(frame->fd);
	*frame = (struct frame){.fd = -1};
}

/* ---- out ---- */

void frames_out_init(struct frames_out *out, int socket)
{
	*out = (struct frames_out){.socket = socket};
	buf_init(&out->waiting, 2 * (HEADER + FRAME_OUT_MAX));
}

void frames_out_free(struct frames_out *out)
{
	buf_free(&out->waiting);
}

static bool put(int socket, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(socket, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		} else if ((errno != EAGAIN && errno != EINTR) ||
			   !await(socket, POLLOUT, FRAME_SILENCE_MS)) {
			return false;
		}
	}
	return true;
}

void frame_write(struct frames_out *out, char type, const char *bytes, size_t len)
{
	const char header[HEADER] = {
	    type, (char)(len >> 24), (char)(len >> 16), (char)(len >> 8), (char)len};

	if (len > FRAME_OUT_MAX)
		die_bug("a frame longer than frames may be");
	buf_add(&out->waiting, header, sizeof header);
	buf_add(&out->waiting, bytes, len);
	if (out->waiting.len > FRAME_OUT_MAX)
		frames_out_flush(out);
}

void frames_out_flush(struct frames_out *out)
{
	struct buf *b = &out->waiting;

	if (!out->gone && (!buf_ok(b) || !put(out->socket, b->bytes, b->len)))
		out->gone = true;
	buf_clear(b);
}
