#include "lib/inspect/virus.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/clock.h"

#define CHUNK      ((size_t)65536)
#define ANSWER_MAX ((size_t)1024)

struct asking {
	int socket;
	int64_t until; /* boot clock */
};

/* False: nothing may be read or written in time. */
static bool ready(const struct asking *a, short events)
{
	for (;;) {
		int64_t left = a->until - clock_boot();
		struct pollfd p = {.fd = a->socket, .events = events};
		int n;

		if (left <= 0)
			return false;
		n = poll(&p, 1, (int)(left / 1000 + 1));
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

static bool say(const struct asking *a, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t n = ready(a, POLLOUT) ? send(a->socket, at, len, MSG_NOSIGNAL) : -1;

		if (n < 0 && (errno == EINTR || errno == EAGAIN) && clock_boot() < a->until)
			continue;
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

/* Each chunk behind its length; a length of 0 ends them. */
static bool say_message(const struct asking *a, const struct source *message)
{
	static const char command[] = "zINSTREAM";
	const uint32_t end = 0;
	char *chunk = malloc(CHUNK);
	bool good = chunk != NULL && say(a, command, sizeof command);

	for (uint64_t at = 0; good && at < message->size;) {
		ssize_t n = source_read(message, at, chunk, CHUNK);
		uint32_t len = htonl((uint32_t)(n > 0 ? n : 0));

		good = n > 0 && say(a, &len, sizeof len) && say(a, chunk, (size_t)n);
		at += n > 0 ? (uint64_t)n : 0;
	}
	free(chunk);
	return good && say(a, &end, sizeof end);
}

/* The answer, up to its NUL byte. */
static bool hear(const struct asking *a, char answer[ANSWER_MAX])
{
	size_t len = 0;

	while (len + 1 < ANSWER_MAX) {
		ssize_t n =
		    ready(a, POLLIN) ? recv(a->socket, answer + len, ANSWER_MAX - 1 - len, 0) : -1;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		len += (size_t)n;
		answer[len] = '\0';
		if (memchr(answer, '\0', len) != NULL)
			return true;
	}
	return false;
}

/* "stream: OK", "stream: NAME FOUND", or "… ERROR". */
static enum virus_verdict understand(char *answer, char name[VIRUS_NAME_MAX])
{
	static const char head[] = "stream: ", tail[] = " FOUND";
	size_t len = strlen(answer), from = sizeof head - 1;

	for (size_t i = 0; i < len; i++) {
		if (answer[i] < ' ' || answer[i] > '~')
			answer[i] = '?';
	}
	(void)snprintf(name, VIRUS_NAME_MAX, "%.*s", (int)VIRUS_NAME_MAX - 1, answer);
	if (strncmp(answer, head, from) != 0)
		return VIRUS_UNKNOWN;
	if (strcmp(answer + from, "OK") == 0)
		return VIRUS_CLEAN;
	if (len < from + sizeof tail || strcmp(answer + len - (sizeof tail - 1), tail) != 0)
		return VIRUS_UNKNOWN;
	answer[len - (sizeof tail - 1)] = '\0';
	(void)snprintf(name, VIRUS_NAME_MAX, "%.*s", (int)VIRUS_NAME_MAX - 1, answer + from);
	return VIRUS_FOUND;
}

enum virus_verdict virus_ask(
    const char *path, const struct source *message, int64_t patience, char name[VIRUS_NAME_MAX])
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct asking a = {.until = clock_boot() + patience};
	enum virus_verdict verdict = VIRUS_UNKNOWN;
	char answer[ANSWER_MAX] = "";

	(void)snprintf(name, VIRUS_NAME_MAX, "clamd does not answer");
	if (strlen(path) >= sizeof address.sun_path)
		return verdict;
	(void)stpcpy(address.sun_path, path);
	a.socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (a.socket < 0)
		return verdict;
	/* Over its own limit it answers before it has heard all, and hears no more. */
	if (connect(a.socket, (const struct sockaddr *)&address, sizeof address) == 0) {
		(void)!say_message(&a, message);
		if (hear(&a, answer))
			verdict = understand(answer, name);
	}
	(void)close(a.socket);
	return verdict;
}
