#include "lib/resolve/ask.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/local.h"
#include "lib/resolve/mx.h"

#define CHUNK ((size_t)4096)

/* Whether there is something to read, or the end of it, before `until`. */
static bool wait_readable(int fd, int64_t until)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
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

/* Reads until an answer is whole. Returns RESOLVE_NO_REASON, or why there is none. */
static enum resolve_reason get(int fd, int64_t until, struct buf *in, struct resolve_answer *answer)
{
	while (wait_readable(fd, until)) {
		char *room = buf_reserve(in, CHUNK);
		size_t used;
		ssize_t n;

		if (room == NULL)
			return RESOLVE_NO_RESOURCES;
		n = recv(fd, room, CHUNK, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return RESOLVE_GONE;
		in->len += (size_t)n;

		switch (resolve_answer_read(in->bytes, in->len, &used, answer)) {
		case RESOLVE_READ_MORE:
			break;
		case RESOLVE_READ_WHOLE:
			return used == in->len ? RESOLVE_NO_REASON : RESOLVE_UNINTELLIGIBLE;
		case RESOLVE_READ_BROKEN:
			return RESOLVE_UNINTELLIGIBLE;
		}
	}
	return RESOLVE_TIMEOUT;
}

static enum resolve_reason put_and_get(
    const char *path, const char *question, size_t len, int64_t left, struct resolve_answer *answer)
{
	int64_t until = clock_boot() + left;
	enum resolve_reason why = RESOLVE_GONE;
	struct buf in;
	int fd;

	if (left <= 0)
		return RESOLVE_TIMEOUT;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return RESOLVE_NO_RESOURCES;
	buf_init(&in, RESOLVE_ANSWER_MAX + CHUNK);
	if (local_send(fd, path, question, len, left))
		why = get(fd, until, &in, answer);
	buf_free(&in);
	(void)close(fd); /* nothing is left to be lost */
	return why;
}

enum resolve_status resolve_ask(const char *path, enum resolve_kind kind, const char *domain,
    int timeout_ms, struct resolve_answer *answer)
{
	char question[RESOLVE_QUESTION_MAX];
	char name[RESOLVE_NAME_MAX + 1];
	enum resolve_reason why = RESOLVE_NO_NAME;
	enum resolve_status otherwise = RESOLVE_NONE;

	if (resolve_name(domain, name)) {
		size_t len = resolve_question_write(kind, name, question);

		why = put_and_get(path, question, len, (int64_t)timeout_ms * 1000, answer);
		if (why == RESOLVE_NO_REASON &&
		    (answer->kind != kind || strcmp(answer->name, name) != 0))
			why = RESOLVE_UNINTELLIGIBLE;
		otherwise = RESOLVE_LATER;
	}
	if (why == RESOLVE_NO_REASON)
		return answer->status;

	answer->kind = kind;
	answer->more = answer->malformed = 0;
	memcpy(answer->name, name, sizeof name);
	mx_answer_fail(answer, otherwise, why, false);
	return otherwise;
}
