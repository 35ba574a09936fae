/*
 * The route maildir:PATH. One file a delivery: Return-Path, a Delivered-To line for each
 * recipient, then the content as it is, CRLF and all.
 *
 * The file's name is made from the leg and its recipients alone, so that a delivery that is
 * repeated after a crash finds itself there already: nothing stands in a Maildir twice.
 */
#include "lib/net/net.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "queue/digest.h"

#define CHUNK     ((size_t)65536)
#define FILE_NAME (32 + NAME_TEXT)

struct maildir {
	int tmp, new, cur;
	char name[FILE_NAME];
};

static bool maildir_open(const char *path, struct maildir *m)
{
	char part[SETTING_TEXT_MAX];
	static const char *const parts[] = {"tmp", "new", "cur"};
	int *const fds[] = {&m->tmp, &m->new, &m->cur};

	m->tmp = m->new = m->cur = -1;
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		if (snprintf(part, sizeof part, "%s/%s", path, parts[i]) >= (int)sizeof part) {
			errno = ENAMETOOLONG;
			return false;
		}
		*fds[i] = open(part, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (*fds[i] < 0)
			return false;
	}
	return true;
}

static void maildir_close(struct maildir *m)
{
	if (m->tmp >= 0)
		(void)close(m->tmp);
	if (m->new >= 0)
		(void)close(m->new);
	if (m->cur >= 0)
		(void)close(m->cur);
}

/* RFC 5321 section 4.4: who makes final delivery keeps the envelope in the message. */
static void write_trace(struct buf *out, const struct leg *leg, const size_t *rcpt, size_t rcpts)
{
	buf_addf(out, "Return-Path: <%s>\r\n", leg->from);
	for (size_t i = 0; i < rcpts; i++)
		buf_addf(out, "Delivered-To: %s\r\n", leg->rcpt[rcpt[i]].address);
}

static bool write_whole(int fd, const char *bytes, size_t len)
{
	ssize_t n = write(fd, bytes, len);

	if (n >= 0 && (size_t)n != len)
		errno = ENOSPC;
	return n >= 0 && (size_t)n == len;
}

/* Copies the content behind what stands in `out`. errno 0: it is not what its digest says. */
static bool copy_content(int from, const struct leg *leg, struct buf *out, int to)
{
	struct digest *d = digest_new();
	off_t at = leg->content, end = leg->content + (off_t)leg->size;
	char hex[DIGEST_HEX];
	bool fine = d != NULL;

	while (fine && at < end) {
		size_t want = end - at < (off_t)CHUNK ? (size_t)(end - at) : CHUNK;
		char *room = buf_reserve(out, want);
		ssize_t n = room == NULL ? -1 : pread(from, room, want, at);

		if (n == 0)
			errno = EIO;
		fine = n > 0;
		if (!fine)
			break;
		digest_add(d, room, (size_t)n);
		out->len += (size_t)n;
		at += n;
		if (out->len >= CHUNK || at == end) {
			fine = write_whole(to, out->bytes, out->len);
			buf_clear(out);
		}
	}
	if (fine) {
		digest_end(d, hex);
		fine = strcmp(hex, leg->sha256) == 0;
		errno = 0;
	}
	digest_free(d);
	return fine;
}

/* Writes tmp/NAME as a whole and makes it durable. False with errno; 0: damaged content. */
static bool write_file(struct maildir *m, int from, const struct leg *leg, const size_t *rcpt,
    size_t rcpts, dev_t *device)
{
	struct buf out;
	struct stat st;
	bool done;
	int error, fd = openat(m->tmp, m->name,
		       O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return false;
	buf_init(&out, CHUNK * 4 + LEG_HEAD_MAX);
	write_trace(&out, leg, rcpt, rcpts);
	errno = ENOMEM;
	done = buf_ok(&out) && copy_content(from, leg, &out, fd);
	if (done)
		done = fsync(fd) == 0 && fstat(fd, &st) == 0;
	error = errno;
	if (done)
		*device = st.st_dev;
	else
		(void)unlinkat(m->tmp, m->name, 0);
	buf_free(&out);
	(void)close(fd);
	errno = error;
	return done;
}

static bool stands(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static struct net_report report(enum net_result result, const char *reply)
{
	struct net_report r = {.result = result, .host = "maildir"};

	(void)snprintf(r.reply, sizeof r.reply, "%s", reply);
	return r;
}

static struct net_report failed(const char *what)
{
	struct net_report r = report(NET_LATER, "");

	(void)snprintf(r.reply, sizeof r.reply, "%s: %s", what, strerrordesc_np(errno));
	return r;
}

static struct net_report put(
    struct maildir *m, int fd, const struct leg *leg, const size_t *rcpt, size_t rcpts)
{
	struct net_report r;
	struct stat leg_stat;
	dev_t device = 0;

	if (stands(m->new, m->name) || stands(m->cur, m->name)) {
		r = report(NET_SENT, "there already");
		r.durable = true;
		return r;
	}

	errno = 0;
	if (!write_file(m, fd, leg, rcpt, rcpts, &device))
		return errno == 0 ? report(NET_DAMAGED, "content digest") : failed("write");
	if (renameat2(m->tmp, m->name, m->new, m->name, RENAME_NOREPLACE) != 0 && errno != EEXIST)
		return failed("rename");

	/* On the spool's own file system the leg's fsync, which follows, makes the rename durable. */
	r = report(NET_SENT, "ok");
	r.durable = fstat(fd, &leg_stat) == 0 && leg_stat.st_dev == device;
	return r;
}

/* Makes the rename durable where the leg's own fsync does not. */
static bool sync_place(const char *path)
{
	char new[SETTING_TEXT_MAX];
	int fd, done;

	(void)snprintf(new, sizeof new, "%.500s/new", path);
	fd = open(new, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	done = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		(void)close(fd);
	return done;
}

struct net_report net_send(
    const char *route, int fd, const struct leg *leg, const size_t *rcpt, size_t rcpts)
{
	static const char scheme[] = "maildir:";
	struct maildir m;
	struct net_report r;
	const char *path = route + sizeof scheme - 1;

	if (strncmp(route, scheme, sizeof scheme - 1) != 0 || rcpts == 0)
		return report(NET_LATER, "no such route");
	if (!maildir_open(path, &m)) {
		r = failed(path);
	} else {
		(void)snprintf(m.name, sizeof m.name, "%lld.%s.%s.%zu",
		    (long long)(leg->accepted / CLOCK_SECOND), leg->name.id, leg->name.k,
		    rcpt[0] + 1);
		r = put(&m, fd, leg, rcpt, rcpts);
	}
	if (r.result == NET_SENT && !r.durable && !sync_place(path))
		r = failed("sync");
	maildir_close(&m);
	return r;
}
