#include "lib/deliver/empty.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

#define HEADER_MAX ((size_t)256 * 1024) /* what is kept of a header that has no end */
#define CHUNK      ((size_t)4096)

/* Where the mail's own header ends, its empty line included, within the content. -1: errno. */
static off_t header_end(int fd, const struct leg *leg)
{
	char bytes[CHUNK + 3];
	size_t kept = 0;
	off_t at = 0, most = (off_t)(leg->size < HEADER_MAX ? leg->size : HEADER_MAX);

	while (at < most) {
		size_t want = most - at < (off_t)CHUNK ? (size_t)(most - at) : CHUNK;
		ssize_t n = pread(fd, bytes + kept, want, leg->content + at);
		const char *end;

		if (n <= 0)
			return -1;
		end = memmem(bytes, kept + (size_t)n, "\r\n\r\n", 4);
		if (end != NULL)
			return at - (off_t)kept + (off_t)(end - bytes) + 4;
		at += n;
		/* The end may lie across two pieces. */
		n += (ssize_t)kept;
		kept = n < 3 ? (size_t)n : 3;
		memmove(bytes, bytes + (size_t)n - kept, kept);
	}
	return most;
}

bool empty_sent(struct stage_opened *o, int64_t now)
{
	struct leg *leg = &o->leg;
	char time[CLOCK_TEXT];
	struct buf record;
	off_t from;
	bool done;

	if (leg->emptied)
		return true;
	from = header_end(o->fd, leg);
	if (from < 0 || !spool_punch(o->fd, leg->content + from, (off_t)leg->size - from)) {
		LOG_ALARM("empty-failed", kv("id", o->text), kv_errno(errno));
		return errno == EOPNOTSUPP; /* a file system without holes keeps the body */
	}

	clock_format(now, time);
	buf_init(&record, 256);
	buf_addf(&record, "%s emptied from=%lld\n", time, (long long)from);
	done = buf_ok(&record) && spool_append(o->fd, leg->end, record.bytes, record.len);
	if (!done)
		LOG_ALARM("append-failed", kv("id", o->text), kv_errno(errno));
	buf_free(&record);
	return done;
}
