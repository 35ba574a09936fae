#include "lib/inspect/virus.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"

#define CHUNK       ((size_t)65536)
#define ANSWER_MAX  ((size_t)1024)
#define CONNECT_NAP 20000000L /* nanoseconds between two tries */

struct asking {
	int socket;
	int64_t until; /* boot clock */
};

static bool in_time(const struct asking *a)
{
	return clock_boot() < a->until;
}

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

/* Whether the call that failed is to be made again, once the socket is ready. */
static bool once_more(ssize_t n)
{
	return n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK);
}

/*
 * The socket does not block: while too many wait for clamd connect() says EAGAIN instead, and
 * nothing tells when there is room again.
 */
static bool connected(const struct asking *a, const struct sockaddr_un *address)
{
	const struct timespec nap = {.tv_nsec = CONNECT_NAP};

	while (connect(a->socket, (const struct sockaddr *)address, sizeof *address) != 0) {
		if (!once_more(-1) || !in_time(a))
			return false;
		(void)nanosleep(&nap, NULL);
	}
	return true;
}

static bool say(const struct asking *a, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t n;

		if (!ready(a, POLLOUT))
			return false;
		n = send(a->socket, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (once_more(n))
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
		ssize_t n;

		if (!ready(a, POLLIN))
			return false;
		n = recv(a->socket, answer + len, ANSWER_MAX - 1 - len, MSG_DONTWAIT);
		if (once_more(n))
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
	(void)snprintf(name, VIRUS_NAME_MAX, "%.*s", (int)VIRUS_NAME_MAX - 1,
	    len > 0 ? answer : "clamd says nothing");
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
	a.socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a.socket < 0)
		return verdict;
	if (connected(&a, &address)) {
		/* Over its own limit it answers before it has heard all, and hears no more. */
		bool whole = say_message(&a, message);

		if (hear(&a, answer))
			verdict = understand(answer, name);
		if (verdict == VIRUS_CLEAN && !whole) {
			verdict = VIRUS_UNKNOWN;
			(void)snprintf(name, VIRUS_NAME_MAX, "clamd did not hear it all");
		}
	}
	(void)close(a.socket);
	return verdict;
}
