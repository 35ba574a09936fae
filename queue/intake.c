#include "queue/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define HEADER 5 /* a letter and a length */

/* Content that comes in runs as long as this is not copied together first. */
#define RUN_SENT_AT_ONCE ((size_t)16384)

struct intake {
	int fd;
	bool broken; /* its place in the stream is lost: only close */
	size_t len;  /* content waiting in `chunk`, behind the room for its header */
	char chunk[HEADER + INTAKE_CHUNK_MAX + 1]; /* and for the final dot */
};

static void put_header(char *to, char kind, size_t len)
{
	to[0] = kind;
	to[1] = (char)(unsigned char)(len >> 24);
	to[2] = (char)(unsigned char)(len >> 16);
	to[3] = (char)(unsigned char)(len >> 8);
	to[4] = (char)(unsigned char)len;
}

/*
 * The time limits are the socket's own: every single send, receive and the connect gives up with
 * EAGAIN after so long a silence, and no call of poll is needed for any of them.
 */
static bool set_timeout(int fd, int timeout_ms)
{
	struct timeval t = {
	    .tv_sec = timeout_ms / 1000, .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000};

	return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) == 0;
}

struct intake *intake_connect(const char *path, int timeout_ms)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct intake *in = NULL;
	int fd = -1;

	if (strlen(path) >= sizeof to.sun_path)
		return NULL;
	memcpy(to.sun_path, path, strlen(path) + 1);

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || !set_timeout(fd, timeout_ms > 0 ? timeout_ms : 1))
		goto fail;
	while (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
		if (errno != EINTR)
			goto fail;
	}

	in = malloc(sizeof *in);
	if (in == NULL)
		goto fail;
	in->fd = fd;
	in->broken = false;
	in->len = 0;
	return in;
fail:
	if (fd >= 0)
		close(fd);
	return NULL;
}

void intake_close(struct intake *in)
{
	if (in == NULL)
		return;
	close(in->fd);
	free(in);
}

/* Sends both pieces whole, or marks the connection broken. */
static bool send_all(
    struct intake *in, const char *head, size_t head_len, const char *body, size_t body_len)
{
	struct iovec pieces[2] = {
	    {.iov_base = (void *)(uintptr_t)head, .iov_len = head_len},
	    {.iov_base = (void *)(uintptr_t)body, .iov_len = body_len},
	};
	size_t at = 0;

	while (!in->broken) {
		struct msghdr m = {.msg_iov = pieces + at, .msg_iovlen = COUNT_OF(pieces) - at};
		ssize_t n;

		while (at < COUNT_OF(pieces) && pieces[at].iov_len == 0)
			at++;
		if (at == COUNT_OF(pieces))
			return true;
		m.msg_iov = pieces + at;
		m.msg_iovlen = COUNT_OF(pieces) - at;

		n = sendmsg(in->fd, &m, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			in->broken = true;
			break;
		}
		for (size_t i = at; i < COUNT_OF(pieces) && n > 0; i++) {
			size_t sent = (size_t)n < pieces[i].iov_len ? (size_t)n : pieces[i].iov_len;

			pieces[i].iov_base = (char *)pieces[i].iov_base + sent;
			pieces[i].iov_len -= sent;
			n -= (ssize_t)sent;
		}
	}
	return false;
}

static bool receive_all(struct intake *in, char *bytes, size_t len)
{
	size_t got = 0;

	while (!in->broken && got < len) {
		ssize_t n = recv(in->fd, bytes + got, len - got, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			in->broken = true;
		else
			got += (size_t)n;
	}
	return got == len;
}

/* The verdict's letter; `good` is the one that means yes at this place. */
static enum intake_reply verdict(struct intake *in, char good, enum intake_reply yes)
{
	char letter;

	if (!receive_all(in, &letter, 1))
		return INTAKE_TEMPORARY;
	if (letter == good)
		return yes;

	switch (letter) {
	case 'F':
		return INTAKE_FULL;
	case 'L':
		return INTAKE_TOO_LARGE;
	case 'T':
	case 'B':
		return INTAKE_TEMPORARY;
	default:
		in->broken = true; /* whatever this speaks, it is not our protocol */
		return INTAKE_TEMPORARY;
	}
}

enum intake_reply intake_begin(
    struct intake *in, const char *envelope, size_t len, char id[ID_TEXT])
{
	enum intake_reply reply;
	char header[HEADER];

	in->len = 0;
	id[0] = '\0';
	if (len > INTAKE_ENVELOPE_MAX)
		return INTAKE_TEMPORARY;

	put_header(header, 'E', len);
	if (!send_all(in, header, sizeof header, envelope, len))
		return INTAKE_TEMPORARY;
	reply = verdict(in, 'G', INTAKE_GO);
	if (reply != INTAKE_GO)
		return reply;

	if (!receive_all(in, id, ID_LEN))
		return INTAKE_TEMPORARY;
	id[ID_LEN] = '\0';
	if (!id_valid(id, ID_LEN)) {
		in->broken = true;
		return INTAKE_TEMPORARY;
	}
	return INTAKE_GO;
}

/* Sends the waiting content, and behind it the dot if it is the end. */
static bool send_chunk(struct intake *in, bool end)
{
	size_t from = in->len > 0 ? 0 : HEADER;
	size_t to = HEADER + in->len;

	put_header(in->chunk, 'D', in->len);
	if (end)
		in->chunk[to++] = '.';
	in->len = 0;
	return send_all(in, in->chunk + from, to - from, NULL, 0);
}

bool intake_data(struct intake *in, const char *bytes, size_t len)
{
	while (len > 0 && !in->broken) {
		size_t room = INTAKE_CHUNK_MAX - in->len;
		size_t n = len < room ? len : room;

		if (in->len == 0 && n >= RUN_SENT_AT_ONCE) {
			char header[HEADER];

			put_header(header, 'D', n);
			if (!send_all(in, header, sizeof header, bytes, n))
				return false;
		} else {
			memcpy(in->chunk + HEADER + in->len, bytes, n);
			in->len += n;
			if (in->len == INTAKE_CHUNK_MAX && !send_chunk(in, false))
				return false;
		}
		bytes += n;
		len -= n;
	}
	return !in->broken;
}

enum intake_reply intake_commit(struct intake *in)
{
	if (!send_chunk(in, true))
		return INTAKE_TEMPORARY;
	return verdict(in, 'K', INTAKE_KEPT);
}

void intake_abandon(struct intake *in)
{
	in->len = 0;
	if (!send_all(in, "X", 1, NULL, 0))
		in->broken = true;
}
