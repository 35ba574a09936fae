#include "lib/auth/ask.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/auth/question.h"
#include "lib/base/clock.h"

/* Connects and sends; a full backlog or socket is waited for as long as `left` microseconds. */
static bool put(int fd, const char *path, const char *bytes, size_t len, int64_t left)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = left / CLOCK_SECOND, .tv_usec = left % CLOCK_SECOND};
	size_t path_len = strlen(path);

	if (path_len >= sizeof address.sun_path)
		return false;
	memcpy(address.sun_path, path, path_len);
	/* For a Unix socket this bounds connect, too, which could not be polled for. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0)
		return false;
	return connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
	       send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* The answer's letter, or 0 if none came until `until`. */
static char get(int fd, int64_t until)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = until - clock_boot();
		char letter;
		int n;

		if (left <= 0)
			return 0;
		n = poll(&p, 1, clock_patience((int)((left + 999) / 1000)));
		if (n < 0 && errno != EINTR)
			return 0;
		if (n > 0)
			return recv(fd, &letter, 1, 0) == 1 ? letter : 0;
	}
}

static char put_and_get(const char *path, const char *bytes, size_t len, int timeout_ms)
{
	int64_t left = (int64_t)timeout_ms * 1000;
	int64_t until = clock_boot() + left;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char letter = 0;

	if (fd < 0)
		return 0;
	if (left > 0 && put(fd, path, bytes, len, left))
		letter = get(fd, until);
	(void)close(fd); /* nothing is left to be lost */
	return letter;
}

enum auth_answer auth_ask(const char *path, const struct auth_question *question, int timeout_ms)
{
	char bytes[QUESTION_PREFIX + AUTH_QUESTION_MAX];
	size_t len = question_write(question, bytes);
	char letter;

	if (len == 0)
		return AUTH_WRONG;
	letter = put_and_get(path, bytes, len, timeout_ms);
	explicit_bzero(bytes, sizeof bytes);

	switch (letter) {
	case 'Y':
		return AUTH_RIGHT;
	case 'N':
		return AUTH_WRONG;
	case 'C':
		return AUTH_CAPPED;
	default:
		return AUTH_LATER;
	}
}
