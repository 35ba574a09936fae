#include "lib/auth/ask.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/auth/question.h"
#include "lib/base/clock.h"
#include "lib/base/local.h"

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
	if (left > 0 && local_send(fd, path, bytes, len, left))
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
