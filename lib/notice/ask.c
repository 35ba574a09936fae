#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/notice/request.h"

#define PREFIX     4
#define ANSWER_MAX 256

static void later(struct notice_answer *answer, const char *reason)
{
	*answer = (struct notice_answer){.result = NOTICE_LATER};
	(void)snprintf(answer->reason, sizeof answer->reason, "%s", reason);
}

/* Waits until something can be read or written, or `until` (clock_boot). */
static bool wait_for(int fd, short events, int64_t until)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = events};
		int64_t left = until - clock_boot();
		int n;

		if (left <= 0)
			return false;
		n = poll(&p, 1, clock_patience((int)((left + 999) / 1000)));
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			return true;
	}
}

/* The time that a full backlog may take is the socket's own: connecting cannot be polled for. */
static bool connect_to(int fd, const char *path, int64_t left)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = left / CLOCK_SECOND, .tv_usec = left % CLOCK_SECOND};
	size_t len = strlen(path);

	if (len >= sizeof address.sun_path || left <= 0)
		return false;
	memcpy(address.sun_path, path, len);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0)
		return false;
	return connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
}

/* Sends the length, and with it the leg; -1: there is none. */
static bool send_leg(int fd, int leg, size_t len)
{
	char prefix[PREFIX] = {(char)(unsigned char)(len >> 24), (char)(unsigned char)(len >> 16),
	    (char)(unsigned char)(len >> 8), (char)(unsigned char)len};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.bytes = {0}};
	struct iovec piece = {.iov_base = prefix, .iov_len = sizeof prefix};
	struct msghdr message = {.msg_iov = &piece,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof control.bytes};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	if (leg < 0)
		return send(fd, prefix, sizeof prefix, MSG_NOSIGNAL) == (ssize_t)sizeof prefix;
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof leg);
	memcpy(CMSG_DATA(header), &leg, sizeof leg);
	/* So few bytes go into an empty socket at once. */
	return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)sizeof prefix;
}

static bool send_all(int fd, const char *bytes, size_t len, int64_t until)
{
	while (len > 0) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (n < 0) {
			if (!wait_for(fd, POLLOUT, until))
				return false;
			continue;
		}
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* Reads a line, without its newline. False: none came, or not in time. */
static bool receive_line(int fd, char line[ANSWER_MAX], int64_t until)
{
	size_t have = 0;

	while (have < ANSWER_MAX && wait_for(fd, POLLIN, until)) {
		ssize_t n = recv(fd, line + have, ANSWER_MAX - have, MSG_DONTWAIT);
		char *newline;

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			return false;
		have += (size_t)n;
		newline = memchr(line, '\n', have);
		if (newline != NULL) {
			*newline = '\0';
			return newline == line + have - 1;
		}
	}
	return false;
}

/* "WORD REST": the rest, or NULL. */
static const char *rest_of(const char *line, const char *word)
{
	size_t len = strlen(word);

	return strncmp(line, word, len) == 0 && line[len] == ' ' ? line + len + 1 : NULL;
}

static bool read_answer(const char *line, struct notice_answer *answer)
{
	static const char *const words[] = {[NOTICE_KEPT] = "kept",
	    [NOTICE_NONE] = "none",
	    [NOTICE_LATER] = "later",
	    [NOTICE_WRONG] = "wrong"};

	*answer = (struct notice_answer){.result = NOTICE_LATER};
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		const char *rest = rest_of(line, words[i]);

		if (rest == NULL)
			continue;
		answer->result = (enum notice_result)i;
		if (answer->result == NOTICE_KEPT) {
			if (strlen(rest) != ID_LEN || !id_valid(rest, ID_LEN))
				return false;
			memcpy(answer->id, rest, ID_TEXT);
			return true;
		}
		for (const char *p = rest; *p != '\0'; p++) {
			if (*p < ' ' || *p > '~')
				return false;
		}
		(void)snprintf(answer->reason, sizeof answer->reason, "%s", rest);
		return true;
	}
	return false;
}

/* Sends the request and hears the answer. */
static void talk(const char *path, int leg, const struct buf *request, int timeout_ms,
    struct notice_answer *answer)
{
	int64_t until = clock_boot() + (int64_t)timeout_ms * 1000;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char line[ANSWER_MAX];

	later(answer, "no-resources");
	if (fd < 0)
		return;
	later(answer, "seki-notice-unreachable");
	if (connect_to(fd, path, until - clock_boot()) && send_leg(fd, leg, request->len)) {
		/* Who has been refused in mid-request may still have an answer. */
		(void)send_all(fd, request->bytes, request->len, until);
		later(answer, "no-answer");
		if (receive_line(fd, line, until) && !read_answer(line, answer))
			later(answer, "unintelligible");
	}
	(void)close(fd);
}

void notice_ask(const char *path, int leg, const struct notice_rcpt *rcpt, size_t rcpts,
    int timeout_ms, struct notice_answer *answer)
{
	struct buf request;

	buf_init(&request, NOTICE_REQUEST_MAX);
	later(answer, "no-resources");
	if (notice_request_write(&request, rcpt, rcpts))
		talk(path, leg, &request, timeout_ms, answer);
	buf_free(&request);
}

/* The answer to a request that could not be written. */
static void unwritten(const struct buf *request, struct notice_answer *answer)
{
	if (buf_ok(request))
		*answer = (struct notice_answer){.result = NOTICE_WRONG, .reason = "request"};
	else
		later(answer, "no-resources");
}

static void ask_other(const char *path, int leg, const struct notice_request *asked, int timeout_ms,
    struct notice_answer *answer)
{
	struct buf request;

	buf_init(&request, NOTICE_REQUEST_MAX);
	if (notice_request_write_other(&request, asked))
		talk(path, leg, &request, timeout_ms, answer);
	else
		unwritten(&request, answer);
	buf_free(&request);
}

void notice_ask_gate(const char *path, int leg, const struct notice_gate *gate, int timeout_ms,
    struct notice_answer *answer)
{
	struct buf request;

	buf_init(&request, NOTICE_REQUEST_MAX);
	if (notice_request_write_gate(&request, gate))
		talk(path, leg, &request, timeout_ms, answer);
	else
		unwritten(&request, answer);
	buf_free(&request);
}

void notice_ask_refused(const char *path, int leg, int timeout_ms, struct notice_answer *answer)
{
	const struct notice_request asked = {.verb = NOTICE_REFUSAL};

	ask_other(path, leg, &asked, timeout_ms, answer);
}

void notice_ask_forward(
    const char *path, int leg, const char *to, int timeout_ms, struct notice_answer *answer)
{
	const struct notice_request asked = {.verb = NOTICE_FORWARD, .to = to};

	ask_other(path, leg, &asked, timeout_ms, answer);
}

void notice_ask_letter(const char *path, const char *to, const char *subject, const char *text,
    size_t len, int timeout_ms, struct notice_answer *answer)
{
	const struct notice_request asked = {
	    .verb = NOTICE_LETTER, .to = to, .subject = subject, .text = text, .text_len = len};

	ask_other(path, -1, &asked, timeout_ms, answer);
}
