#include "lib/audit/take.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

#define CHUNK ((size_t)128 * 1024)

struct one {
	char program[CHAIN_PROGRAM];
	struct tray_reader reader;
	char random[TRAY_RANDOM]; /* "": it has no head */
	uint64_t taken;           /* what the batch has of it ends here; 0: nothing */
};

struct take {
	int dir, inotify;
	struct one one[CHAIN_TRAYS_MAX];
	size_t n;
	char chunk[CHUNK];
};

/* ---- which trays there are ---------------------------------------------------------------- */

static bool is_program(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz-");

	return n > 0 && n < CHAIN_PROGRAM && name[n] == '\0' && strcmp(name, AUDIT_PROGRAM) != 0;
}

static bool is_known(const struct take *take, const char *name)
{
	for (size_t i = 0; i < take->n; i++) {
		if (strcmp(take->one[i].program, name) == 0)
			return true;
	}
	return false;
}

static bool find_trays(struct take *take)
{
	int fd = openat(take->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *e;

	if (list == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	while ((e = readdir(list)) != NULL) {
		struct one *o = &take->one[take->n];

		if (!is_program(e->d_name) || is_known(take, e->d_name))
			continue;
		if (take->n == CHAIN_TRAYS_MAX) {
			LOG_ALARM("tray-unread", kv("tray", e->d_name), kv("why", "too many"));
			break;
		}
		*o = (struct one){.reader.fd = -1};
		memcpy(o->program, e->d_name, strlen(e->d_name) + 1);
		take->n++;
	}
	(void)closedir(list);
	return true;
}

struct take *take_open(void)
{
	struct take *take = calloc(1, sizeof *take);

	if (take == NULL)
		return NULL;
	take->inotify = -1;
	take->dir = open(AUDIT_TRAYS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (take->dir < 0 || !find_trays(take)) {
		int error = errno;

		take_close(take);
		errno = error;
		return NULL;
	}
	take->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (take->inotify < 0 || inotify_add_watch(take->inotify, AUDIT_TRAYS, IN_MODIFY) < 0)
		LOG("tray-unwatched", kv_errno(errno)); /* they are looked at all the time */
	return take;
}

void take_close(struct take *take)
{
	if (take == NULL)
		return;
	for (size_t i = 0; i < take->n; i++)
		tray_reader_close(&take->one[i].reader);
	if (take->inotify >= 0)
		(void)close(take->inotify);
	if (take->dir >= 0)
		(void)close(take->dir);
	free(take);
}

int take_fd(const struct take *take)
{
	return take->inotify;
}

void take_heard(const struct take *take)
{
	char events[4096];

	while (read(take->inotify, events, sizeof events) > 0)
		;
}

/* ---- lines -------------------------------------------------------------------------------- */

/* What is no line is not passed over in silence: the chain says that there was something. */
static void add_unreadable(struct audit_log *log, const struct one *o, size_t len, uint64_t end)
{
	char now[CLOCK_TEXT], said[CLOCK_TEXT + 64];

	LOG_ALARM("tray-line", kv("tray", o->program), kv_num("bytes", (int64_t)len));
	clock_format(clock_wall(), now);
	(void)snprintf(said, sizeof said, "%s what=unreadable bytes=%zu", now, len);
	audit_log_add(log, o->program, said, strlen(said), o->random, end);
}

/* The bytes begin at the reader's offset, `begin` of them being the head's. */
static void add_lines(
    const struct take *take, struct audit_log *log, struct one *o, size_t begin, size_t len)
{
	size_t used = begin;

	while (used < len && !audit_log_full(log)) {
		const char *line = take->chunk + used;
		const char *newline = memchr(line, '\n', len - used);
		size_t n;

		if (newline == NULL && len - used <= AUDIT_LINE_MAX)
			break; /* it may yet be finished */
		n = newline != NULL ? (size_t)(newline - line) : AUDIT_LINE_MAX;
		used += newline != NULL ? n + 1 : n;
		if (newline != NULL && audit_line_valid(line, n))
			audit_log_add(log, o->program, line, n, o->random, o->reader.offset + used);
		else if (n > 0)
			add_unreadable(log, o, n, o->reader.offset + used);
	}
	if (used > begin || begin > 0)
		o->taken = o->reader.offset + used;
}

/*
 * A tray that is read from its beginning: what of it stands in the chain already is passed over. -1: it
 * has less than was taken of it.
 */
static int pass_over(
    const struct audit_log *log, struct one *o, const char *bytes, size_t len, size_t *begin)
{
	const struct chain_position *at = NULL;

	*begin = tray_head(bytes, len, o->random);
	if (o->random[0] == '\0')
		(void)snprintf(o->random, sizeof o->random, "%016d", 0); /* made by no tray_add */
	for (size_t i = 0; i < log->next_positions.n; i++) {
		if (strcmp(log->next_positions.at[i].program, o->program) == 0)
			at = &log->next_positions.at[i];
	}
	if (*begin == 0 || at == NULL || strcmp(at->random, o->random) != 0)
		return 0;
	if (lseek(o->reader.fd, 0, SEEK_END) < (off_t)at->offset) {
		LOG_ALARM("tray-changed", kv("tray", o->program));
		return -1;
	}
	o->reader.offset = at->offset;
	return 1;
}

static enum take_result take_one(struct take *take, struct audit_log *log, struct one *o)
{
	size_t begin = 0, before = log->batch.len;
	ssize_t n;

	o->taken = 0;
	switch (tray_reader_open(&o->reader, take->dir, o->program)) {
	case TRAY_SAME:
		break;
	case TRAY_NONE:
		return TAKE_NOTHING;
	case TRAY_FAILED:
		(void)snprintf(log->reason, sizeof log->reason, AUDIT_TRAYS "/%s: %s", o->program,
		    strerrordesc_np(errno));
		return TAKE_FAILED;
	}
	n = tray_reader_read(&o->reader, take->chunk, sizeof take->chunk, true);
	if (n > 0 && o->reader.offset == 0 &&
	    pass_over(log, o, take->chunk, (size_t)n, &begin) > 0) {
		begin = 0;
		n = tray_reader_read(&o->reader, take->chunk, sizeof take->chunk, true);
	}
	if (n < 0 && errno == EAGAIN)
		return TAKE_LATER;
	if (n == 0 && !tray_reader_empty(&o->reader)) /* it was taken, and not emptied */
		n = -1;
	if (n > 0)
		add_lines(take, log, o, begin, (size_t)n);
	if (n < 0 || (log->batch.len > before && fsync(o->reader.fd) != 0)) {
		o->taken = 0;
		(void)snprintf(log->reason, sizeof log->reason, AUDIT_TRAYS "/%s: %s", o->program,
		    strerrordesc_np(errno));
		return TAKE_FAILED;
	}
	return o->taken > 0 ? TAKE_SOME : TAKE_NOTHING;
}

enum take_result take_lines(struct take *take, struct audit_log *log, bool look)
{
	enum take_result result = TAKE_NOTHING;

	if (look && !find_trays(take)) {
		(void)snprintf(
		    log->reason, sizeof log->reason, AUDIT_TRAYS ": %s", strerrordesc_np(errno));
		return TAKE_FAILED;
	}
	for (size_t i = 0; i < take->n; i++)
		take->one[i].taken = 0;
	for (size_t i = 0; i < take->n && !audit_log_full(log); i++) {
		enum take_result one = take_one(take, log, &take->one[i]);

		if (one == TAKE_FAILED)
			return one;
		if (one > result)
			result = one;
	}
	return result;
}

void take_done(struct take *take)
{
	for (size_t i = 0; i < take->n; i++) {
		struct one *o = &take->one[i];

		if (o->taken == 0)
			continue;
		o->reader.offset = o->taken;
		o->taken = 0;
		if (!tray_reader_empty(&o->reader))
			LOG_ALARM("tray-unread", kv("tray", o->program), kv_errno(errno));
	}
}
