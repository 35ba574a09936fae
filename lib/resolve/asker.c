#include "lib/resolve/asker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/resolve/answer.h"

struct asker *asker_new(int fd)
{
	struct asker *a = calloc(1, sizeof *a);

	if (a == NULL)
		return NULL;
	a->fd = fd;
	buf_init(&a->out, ASKER_OUT_MAX);
	return a;
}

void asker_free(struct asker *a)
{
	(void)close(a->fd); /* what was not sent is lost to nobody but the asker */
	buf_free(&a->out);
	free(a);
}

bool asker_may_ask(const struct asker *a)
{
	return !a->gone && a->questions < ASKER_QUESTIONS && a->out.len - a->sent <= ASKER_UNREAD;
}

bool asker_has_line(const struct asker *a)
{
	return !a->gone && memchr(a->input, '\n', a->have) != NULL;
}

static void malformed(struct asker *a, const char *why)
{
	LOG("resolve-malformed", kv("why", why));
	a->gone = true;
}

void asker_read(struct asker *a)
{
	ssize_t n;

	if (a->have == sizeof a->input)
		return; /* whole questions, for which there is no place yet */
	n = recv(a->fd, a->input + a->have, sizeof a->input - a->have, MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		a->gone = true;
	if (n == 0)
		a->ended = true;
	if (n > 0)
		a->have += (size_t)n;
}

bool asker_take(struct asker *a, enum resolve_kind *kind, char name[RESOLVE_NAME_MAX + 1])
{
	const char *end = a->gone ? NULL : memchr(a->input, '\n', a->have);
	size_t len = end != NULL ? (size_t)(end - a->input) : 0;

	if (end == NULL) {
		if (!a->gone && a->have >= RESOLVE_QUESTION_MAX)
			malformed(a, "a question that is too long");
		return false;
	}
	if (!question_line(a->input, len, kind, name)) {
		malformed(a, "no question");
		return false;
	}
	a->have -= len + 1;
	memmove(a->input, end + 1, a->have);
	return true;
}

void asker_answer(struct asker *a, const struct resolve_answer *answer)
{
	/* What was sent makes room; everything has been sent most of the time. */
	if (a->sent > 0) {
		a->out.len -= a->sent;
		memmove(a->out.bytes, a->out.bytes + a->sent, a->out.len);
		a->sent = 0;
	}
	answer_write(answer, &a->out);
	if (!buf_ok(&a->out)) {
		LOG("resolve-unread", kv_num("bytes", (int64_t)a->out.len));
		a->gone = true;
	}
}

bool asker_has_output(const struct asker *a)
{
	return !a->gone && a->sent < a->out.len;
}

void asker_send(struct asker *a)
{
	while (asker_has_output(a)) {
		ssize_t n = send(a->fd, a->out.bytes + a->sent, a->out.len - a->sent,
		    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			a->gone = true;
			return;
		}
		a->sent += (size_t)n;
	}
	if (a->sent == a->out.len) {
		buf_clear(&a->out);
		a->sent = 0;
	}
}

bool asker_done(const struct asker *a)
{
	return a->gone ||
	       (a->ended && a->questions == 0 && !asker_has_output(a) && !asker_has_line(a));
}
