#include "lib/audit/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

#define ROOM_LEAST ((uint64_t)4 << 20) /* bytes: with less it is as good as full */

bool audit_log_init(struct audit_log *log)
{
	*log = (struct audit_log){.dir = -1, .fd = -1, .end = chain_empty};
	buf_init(&log->batch, LOG_BATCH_MAX);
	log->digest = digest_new();
	return log->digest != NULL;
}

static void close_files(struct audit_log *log)
{
	if (log->fd >= 0)
		(void)close(log->fd);
	if (log->dir >= 0)
		(void)close(log->dir);
	log->fd = log->dir = -1;
}

void audit_log_free(struct audit_log *log)
{
	close_files(log);
	buf_free(&log->batch);
	if (log->digest != NULL)
		digest_free(log->digest);
	log->digest = NULL;
}

static bool PRINTF_LIKE(2, 3) fail(struct audit_log *log, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(log->reason, sizeof log->reason, format, arguments);
	va_end(arguments);
	return false;
}

static bool fail_errno(struct audit_log *log, const char *name)
{
	return fail(log, AUDIT_LOG "/%s: %s", name, strerrordesc_np(errno));
}

/* ---- the end of the log, at start --------------------------------------------------------- */

/* What was found in the tail. */
struct tail {
	struct walk_accepted accepted;
	struct walk_lines lines;
	struct check check;
	struct chain_positions positions;
	uint64_t size;         /* of the file, without what is cut off */
	uint64_t marked;       /* behind the last mark */
	uint64_t torn;         /* bytes that were cut off */
	bool accepted_a_fault; /* the mark says so */
	bool unended;
};

/* Keeps what is cut off: should it have been more than a torn line, nothing is lost. */
static bool keep_torn(struct audit_log *log, const char *bytes, size_t len)
{
	int fd =
	    openat(log->dir, "torn", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	bool fine = fd >= 0 && write(fd, bytes, len) == (ssize_t)len && fsync(fd) == 0;

	if (fd >= 0)
		(void)close(fd);
	return fine;
}

/*
 * Whether all from `offset` on was never whole: a crash left it. It has no newline, or begins with a line
 * with a NUL in it, which no line has, and is no longer than a batch. The trays have it still: they are
 * emptied when a batch is durable.
 */
static bool cut_torn(struct audit_log *log, struct tail *t, uint64_t offset)
{
	uint64_t size = t->size - offset;
	char *bytes = size <= LOG_BATCH_MAX ? malloc((size_t)size + 1) : NULL;
	const char *newline;
	bool torn, fine;

	if (bytes == NULL)
		return false;
	fine = pread(log->fd, bytes, (size_t)size, (off_t)offset) == (ssize_t)size;
	newline = fine ? memchr(bytes, '\n', (size_t)size) : NULL;
	torn = fine && (newline == NULL || memchr(bytes, 0, (size_t)(newline - bytes)) != NULL);
	if (torn) {
		torn =
		    keep_torn(log, bytes, (size_t)size) && ftruncate(log->fd, (off_t)offset) == 0;
		if (torn) {
			LOG_ALARM("audit-torn", kv("file", log->file),
			    kv_num("offset", (int64_t)offset), kv_num("bytes", (int64_t)size),
			    kv("kept", AUDIT_LOG "/torn"));
			t->size = offset;
			t->torn = size;
		}
	}
	free(bytes);
	return torn;
}

/* A fault at `offset`: whether to go on. */
static bool bear(struct audit_log *log, struct tail *t, uint64_t offset, const char *bytes,
    size_t len, const char *text)
{
	char sha256[DIGEST_HEX];

	digest_of(bytes, len, sha256);
	if (walk_is_accepted(&t->accepted, log->file, offset, sha256))
		return t->accepted_a_fault = true;
	return fail(log,
	    "the chain is broken in %s at byte %llu (%s): \"seki audit verify\" tells more",
	    log->file, (unsigned long long)offset, text);
}

static bool take_line(struct audit_log *log, struct tail *t, const char *bytes, size_t len,
    uint64_t offset, bool *cut)
{
	struct chain_line line;
	const char *text = check_line(&t->check, bytes, len, &line);

	*cut = text != NULL && memchr(bytes, 0, len) != NULL && cut_torn(log, t, offset);
	if (*cut)
		return true;
	if (text != NULL && !bear(log, t, offset, bytes, len, text))
		return false;
	if (chain_cut(bytes, len, &line) == NULL) {
		chain_take_position(&t->positions, &line);
		if (chain_is_mark(&line))
			t->marked = offset + len + 1;
	}
	return true;
}

/* True when the end was reached, or what is torn was cut off. */
static bool read_lines(struct audit_log *log, struct tail *t)
{
	const char *bytes;
	struct chain_end good;
	uint64_t offset;
	size_t len;
	bool cut;

	for (;;) {
		good = t->check.end;
		switch (walk_lines_next(&t->lines, &bytes, &len, &offset)) {
		case WALK_END:
			return true;
		case WALK_FAILED:
			return fail_errno(log, log->file);
		case WALK_LONG:
			check_no_line(&t->check);
			if (!bear(log, t, offset, bytes, len, "it is longer than any line is"))
				return false;
			break;
		case WALK_TORN:
			if (cut_torn(log, t, offset))
				return true;
			if (!bear(log, t, offset, bytes, len, "the last line has no end"))
				return false;
			return t->unended = true;
		case WALK_LINE:
			if (!take_line(log, t, bytes, len, offset, &cut))
				return false;
			if (cut) {
				t->check.end = good;
				return true;
			}
			break;
		}
	}
}

/* The beginning of the first line of the tail. */
static bool seek_tail(struct audit_log *log, struct tail *t)
{
	uint64_t from = t->size > LOG_TAIL ? t->size - LOG_TAIL : 0, offset;
	enum walk_piece piece = WALK_LINE;
	const char *bytes;
	size_t len;

	walk_lines_from(&t->lines, log->fd, from, t->size);
	if (from > 0)
		piece = walk_lines_next(&t->lines, &bytes, &len, &offset);
	if (piece == WALK_FAILED)
		return fail_errno(log, log->file);
	check_trust(&t->check);
	check_file(&t->check, log->file, from > 0);
	return true;
}

/* More was there when the program before us ended. */
static bool meets(struct audit_log *log, struct tail *t, const struct log_claim *claim)
{
	char text[96];

	if (!claim->known || claim->end.seq <= t->check.end.seq)
		return true;
	(void)snprintf(text, sizeof text, "numbers %llu to %llu are missing at its end",
	    (unsigned long long)t->check.end.seq + 1, (unsigned long long)claim->end.seq);
	return bear(log, t, t->size, "", 0, text);
}

static bool open_file(struct audit_log *log, const char *name, int flags)
{
	int fd = openat(
	    log->dir, name, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | flags, 0640);

	if (fd < 0)
		return fail_errno(log, name);
	if (log->fd >= 0)
		(void)close(log->fd);
	log->fd = fd;
	(void)snprintf(log->file, sizeof log->file, "%s", name);
	return true;
}

/* The last file in which there is something; empty ones behind it are of a crash. */
static bool open_last(struct audit_log *log, struct tail *t)
{
	struct walk_files files;
	struct stat st = {.st_size = 0};
	bool fine = true;

	if (!walk_files_read(log->dir, &files))
		return fail_errno(log, ".");
	log->file[0] = '\0';
	for (size_t i = files.n; fine && st.st_size == 0 && i > 0; i--) {
		fine = open_file(log, files.name[i - 1], 0);
		if (fine && fstat(log->fd, &st) != 0)
			fine = fail_errno(log, files.name[i - 1]);
	}
	t->size = (uint64_t)st.st_size;
	walk_files_free(&files);
	return fine;
}

static void add_mark(struct audit_log *log, int64_t now, const char *why, uint64_t cut)
{
	chain_add_mark(&log->batch, &log->next_end, log->digest, now, log->next_file, why, cut,
	    &log->next_positions);
	log->next_marked = true;
}

static enum log_opened settle(struct audit_log *log, const struct tail *t, int64_t now)
{
	const char *why = t->torn > 0           ? "torn"
			  : t->accepted_a_fault ? "accepted"
			  : log->fd < 0         ? "first"
						: "start";

	log->end = t->check.begun ? t->check.end : chain_empty;
	log->size = t->size;
	log->marked = t->marked;
	log->unended = t->unended;
	log->positions = t->positions;
	log->broken = false;
	audit_log_begin(log, now);
	if (!log->next_marked)
		add_mark(log, now, why, t->torn);
	return audit_log_commit(log) ? LOG_OPENED : LOG_UNABLE;
}

static enum log_opened open_with(
    struct audit_log *log, struct tail *t, const struct log_claim *claim, int64_t now)
{
	if (!open_last(log, t))
		return LOG_UNABLE;
	/* Without a file there is no name to be accepted: the month that would be begun. */
	if (log->fd >= 0) {
		if (!seek_tail(log, t) || !read_lines(log, t) || !meets(log, t, claim))
			return LOG_BROKEN;
	} else {
		char time[CLOCK_TEXT];

		clock_format(now, time);
		(void)snprintf(log->file, sizeof log->file, "%.7s", time);
		t->check.begun = false;
		t->check.end = chain_empty;
		if (!meets(log, t, claim))
			return LOG_BROKEN;
		log->file[0] = '\0';
	}
	return settle(log, t, now);
}

enum log_opened audit_log_open(struct audit_log *log, const struct log_claim *claim, int64_t now)
{
	struct tail *t = calloc(1, sizeof *t);
	enum log_opened result = LOG_UNABLE;

	close_files(log);
	log->broken = true;
	log->dir = open(AUDIT_LOG, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t == NULL || !check_init(&t->check))
		(void)fail(log, "no memory");
	else if (log->dir < 0)
		(void)fail_errno(log, ".");
	else if (!walk_accepted_read(AUDIT_ACCEPTED, &t->accepted))
		(void)fail(log, AUDIT_ACCEPTED ": %s", strerrordesc_np(errno));
	else
		result = open_with(log, t, claim, now);
	log->broken = result != LOG_OPENED;
	if (t != NULL) {
		check_free(&t->check);
		walk_accepted_free(&t->accepted);
	}
	free(t);
	return result;
}

/* ---- appending ---------------------------------------------------------------------------- */

void audit_log_begin(struct audit_log *log, int64_t now)
{
	char time[CLOCK_TEXT];

	clock_format(now, time);
	time[CHAIN_FILE - 1] = '\0';
	buf_clear(&log->batch);
	log->next_end = log->end;
	log->next_positions = log->positions;
	log->next_marked = false;
	memcpy(log->next_file, log->file, CHAIN_FILE);
	if (log->unended)
		buf_add(&log->batch, "\n", 1);
	if (strcmp(time, log->file) > 0 || log->size == 0) {
		if (strcmp(time, log->file) > 0)
			memcpy(log->next_file, time, CHAIN_FILE);
		add_mark(log, now, log->file[0] == '\0' ? "first" : "month", 0);
	} else if (log->size - log->marked > LOG_MARK_EVERY) {
		add_mark(log, now, "size", 0);
	}
}

void audit_log_add(struct audit_log *log, const char *program, const char *said, size_t len,
    const char *random, uint64_t offset)
{
	chain_add(&log->batch, &log->next_end, log->digest, program, said, len, random, offset);
	/* More programs than places: the log has no such trays, for they are counted when they are
	 * opened. */
	if (random != NULL && !chain_position_set(&log->next_positions, program, random, offset))
		log->batch.failed = true;
}

/* The file of the batch: another one is made and has its name for good before anything is in it. */
static bool enter_file(struct audit_log *log)
{
	struct stat st;

	if (strcmp(log->next_file, log->file) == 0)
		return true;
	if (!open_file(log, log->next_file, O_CREAT))
		return false;
	log->size = log->marked = 0;
	log->unended = false;
	if (fstat(log->fd, &st) != 0 || fsync(log->dir) != 0)
		return fail_errno(log, log->next_file);
	if (st.st_size > 0) {
		log->broken = true;
		return fail(log, AUDIT_LOG "/%s is there already", log->next_file);
	}
	return true;
}

/* Nobody else may write here, and nothing may have been taken away. */
static bool is_untouched(struct audit_log *log)
{
	struct stat here, there;

	if (log->fd < 0)
		return true;
	if (fstat(log->fd, &here) != 0)
		return fail_errno(log, log->file);
	if (fstatat(log->dir, log->file, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    there.st_ino == here.st_ino && there.st_dev == here.st_dev &&
	    (uint64_t)here.st_size == log->size)
		return true;
	log->broken = true;
	return fail(
	    log, "%s was changed by somebody else: \"seki audit verify\" tells more", log->file);
}

/*
 * After an fsync that failed the kernel has forgotten what was not written: it is cut off, so that the
 * next try writes all of it anew.
 */
static bool take_back(struct audit_log *log, int error)
{
	if (ftruncate(log->fd, (off_t)log->size) != 0)
		log->broken = true;
	return fail(log, AUDIT_LOG "/%s: %s", log->file, strerrordesc_np(error));
}

bool audit_log_commit(struct audit_log *log)
{
	ssize_t n;

	if (log->batch.len == 0)
		return true;
	if (!buf_ok(&log->batch))
		return fail(log, "no memory for a batch");
	if (!is_untouched(log) || !enter_file(log))
		return false;
	n = write(log->fd, log->batch.bytes, log->batch.len);
	if (n != (ssize_t)log->batch.len)
		return take_back(log, n < 0 ? errno : ENOSPC);
	if (fsync(log->fd) != 0)
		return take_back(log, errno);
	log->size += log->batch.len;
	if (log->next_marked)
		log->marked = log->size;
	log->unended = false;
	log->end = log->next_end;
	log->positions = log->next_positions;
	return true;
}

bool audit_log_ready(struct audit_log *log)
{
	struct statvfs st;

	if (log->broken)
		return false;
	if (fstatvfs(log->dir, &st) != 0)
		return fail_errno(log, ".");
	if ((st.f_flag & ST_RDONLY) != 0)
		return fail(log, AUDIT_LOG " is read-only");
	if ((uint64_t)st.f_bavail * st.f_frsize < ROOM_LEAST)
		return fail(log, AUDIT_LOG ": no room is left");
	if (faccessat(log->dir, log->file, W_OK, 0) != 0)
		return fail_errno(log, log->file);
	return is_untouched(log);
}
