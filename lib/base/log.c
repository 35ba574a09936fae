#include "lib/base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/xtext.h"

/* Lines lost because nobody read the pipe. The one datum of this module, and a counter only. */
static atomic_long dropped;

enum sent { SENT, AGAIN, LOST };

/* What a pipe without a reader says is POLLERR: writing there would end the program. */
static enum sent takes_a_line(int wait_ms)
{
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
	int n = poll(&p, 1, wait_ms);

	if (n == 0 || (n < 0 && errno == EINTR))
		return AGAIN;
	return n == 1 && (p.revents & (POLLOUT | POLLERR)) == POLLOUT ? SENT : LOST;
}

bool log_ready(void)
{
	return takes_a_line(0) == SENT;
}

/*
 * Between the look and the write another thread or process may take the room, and a plain write
 * would then wait without end. RWF_NOWAIT says EAGAIN instead (pipes know it since Linux 6.4); no
 * flag of the pipe is touched, for others share it. What is not such a pipe gets a plain write.
 */
static enum sent try_line(char *line, size_t len, int wait_ms)
{
	const struct iovec v = {.iov_base = line, .iov_len = len};
	enum sent room = takes_a_line(wait_ms);
	ssize_t n;

	if (room != SENT)
		return room;

	n = pwritev2(STDERR_FILENO, &v, 1, -1, RWF_NOWAIT);
	if (n < 0 && errno != EAGAIN)
		n = write(STDERR_FILENO, line, len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return AGAIN;
	return n == (ssize_t)len ? SENT : LOST;
}

struct log_field kv_errno(int error)
{
	return kv("error", strerrordesc_np(error));
}

/* Appends what fits; a line that is too long is cut, never split. */
static size_t append_field(char *line, size_t used, const struct log_field *field)
{
	const size_t room = LOG_LINE_MAX - 1;
	char number[24];
	const char *text = field->text;
	size_t key_len = strlen(field->key);

	if (text == NULL) {
		(void)snprintf(number, sizeof number, "%lld", (long long)field->number);
		text = number;
	}

	if (used + key_len + 2 >= room)
		return used;

	line[used++] = ' ';
	memcpy(line + used, field->key, key_len);
	used += key_len;
	line[used++] = '=';
	return used + xtext_encode_cut(text, strlen(text), line + used, room - used);
}

static void put(char *line, size_t len)
{
	enum sent sent = try_line(line, len, 0);

	if (sent == AGAIN) {
		const int64_t deadline = clock_boot() + LOG_PATIENCE_MS * INT64_C(1000);
		int64_t left = LOG_PATIENCE_MS;

		while (sent == AGAIN && left > 0) {
			sent = try_line(line, len, (int)left);
			left = (deadline - clock_boot() + 999) / 1000;
		}
	}
	if (sent != SENT)
		atomic_fetch_add(&dropped, 1);
}

void log_event(const char *event, bool alarm, const struct log_field *fields, size_t n)
{
	char line[LOG_LINE_MAX];
	size_t used = 0;
	const int saved = errno; /* whoever logs a failure may still have to act on it */
	long lost = atomic_exchange(&dropped, 0);

	if (lost > 0) {
		int len =
		    snprintf(line, sizeof line, "event=log-dropped alarm=yes lines=%ld\n", lost);

		if (try_line(line, (size_t)len, 0) == SENT)
			lost = 0;
		atomic_fetch_add(&dropped, lost);
	}

	used = (size_t)snprintf(line, sizeof line, "event=%s%s", event, alarm ? " alarm=yes" : "");
	for (size_t i = 0; i < n; i++)
		used = append_field(line, used, &fields[i]);
	line[used++] = '\n';
	put(line, used);
	errno = saved;
}
