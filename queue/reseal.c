/*
 * The new file is written as split/STAGE/.ID.K.N, N being beyond every child that a division makes. A
 * crash before the rename leaves it there: a child without a parent, which the next start takes away
 * (queue/split.c). A crash behind it leaves the new leg, whose records say that its step is done.
 */
#include "queue/reseal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "queue/digest.h"

#define CHILD      999999 /* legs-max is at most 10,000 */
#define FILE_NAME  (1 + NAME_TEXT)
#define COPY_ROOM  ((size_t)65536)
#define ADDED_ROOM ((size_t)65536)

/* The new file's name. False with errno: a path of divisions that long cannot be. */
static bool file_name(const struct leg_name *name, char file[FILE_NAME])
{
	char k[K_MAX];

	if (!k_child(name->k, CHILD, k)) {
		errno = ENAMETOOLONG;
		return false;
	}
	(void)snprintf(file, FILE_NAME, ".%s.%s", name->id, k);
	return true;
}

/* ---- the parts of the file ---------------------------------------------------------------- */

/* The old head with another size and digest; `sha256` NULL keeps the room for one. */
static void write_head(
    struct buf *out, const struct leg *leg, const struct reseal *reseal, const char *sha256)
{
	struct buf envelope;
	struct leg_head head = {.id = leg->name.id,
	    .k = leg->name.k,
	    .accepted = leg->accepted,
	    .size = reseal->size,
	    .sha256 = sha256};

	buf_init(&envelope, LEG_HEAD_MAX);
	leg_write_address(&envelope, "from", leg->from, leg->from_params);
	for (size_t i = 0; i < leg->rcpts; i++)
		leg_write_address(&envelope, "to", leg->rcpt[i].address, leg->rcpt[i].params);
	buf_addf(&envelope, "client %s\n", leg->client);
	head.envelope = envelope.bytes;
	head.envelope_len = envelope.len;
	if (buf_ok(&envelope))
		leg_write_head(out, &head);
	else
		out->failed = true;
	buf_free(&envelope);
}

/* The separator, the old records, and the new ones. */
static void write_tail(
    struct buf *out, const struct leg *leg, const struct reseal *reseal, int64_t now)
{
	leg_write_separator(out, leg->name.id);
	if (leg->trailer_bytes.len > 0)
		buf_add(out, leg->trailer_bytes.bytes, leg->trailer_bytes.len);
	leg_stamp_records(out, now, reseal->records, reseal->records_len);
}

static bool write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n < 0 ? errno : ENOSPC;
			return false;
		}
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/*
 * A content that the disk has changed must not get a digest that says it is right. Reads `size` bytes at
 * `at` of `fd`, and copies them to the end of `to` unless that is -1. False with errno.
 */
static bool read_content(int fd, off_t at, uint64_t size, int to, char hex[DIGEST_HEX])
{
	struct digest *digest = digest_new();
	char bytes[COPY_ROOM];

	if (digest == NULL) {
		errno = ENOMEM;
		return false;
	}
	while (size > 0) {
		ssize_t n = pread(fd, bytes, size < sizeof bytes ? (size_t)size : sizeof bytes, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0 || (to >= 0 && !write_all(to, bytes, (size_t)n)))
			break;
		digest_add(digest, bytes, (size_t)n);
		at += n;
		size -= (uint64_t)n;
	}
	if (size == 0)
		digest_end(digest, hex);
	digest_free(digest);
	return size == 0;
}

/* ---- the file ----------------------------------------------------------------------------- */

/* Writes the whole of it and syncs it once. False with errno. */
static bool write_file(int fd, const struct leg *leg, const struct reseal *reseal, struct buf *tail)
{
	struct buf head, final;
	char hex[DIGEST_HEX];
	bool done;

	buf_init(&head, LEG_HEAD_MAX);
	buf_init(&final, LEG_HEAD_MAX);
	write_head(&head, leg, reseal, NULL);
	errno = ENOMEM;
	/* Room first: better to fail before the copying than after it. */
	done = buf_ok(&head) && buf_ok(tail) &&
	       spool_reserve(fd, (off_t)(head.len + reseal->size + tail->len)) &&
	       write_all(fd, head.bytes, head.len) &&
	       read_content(reseal->content, 0, reseal->size, fd, hex) &&
	       write_all(fd, tail->bytes, tail->len);
	if (done) {
		write_head(&final, leg, reseal, hex);
		errno = ENOMEM;
		done = buf_ok(&final) && final.len == head.len &&
		       spool_fill_in(fd, final.bytes, final.len, 0) && spool_sync(fd);
	}
	buf_free(&head);
	buf_free(&final);
	return done;
}

int reseal_scratch(const struct stage *stage)
{
	return openat(stage->spool.split, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

enum reseal_result reseal_leg(struct stage *stage, enum spool_state state, struct stage_opened *o,
    const struct reseal *reseal, int64_t now)
{
	enum reseal_result result = RESEAL_FAILED;
	char file[FILE_NAME], hex[DIGEST_HEX];
	struct buf tail;
	int fd, error;

	if (!file_name(&o->leg.name, file) ||
	    !read_content(o->fd, o->leg.content, o->leg.size, -1, hex))
		return RESEAL_FAILED;
	if (memcmp(hex, o->leg.sha256, LEG_DIGEST_LEN) != 0)
		return RESEAL_DAMAGED;
	buf_init(&tail, o->leg.trailer_bytes.len + reseal->records_len + ADDED_ROOM);
	write_tail(&tail, &o->leg, reseal, now);
	if (buf_ok(&tail) && tail.len > (size_t)stage->limits.trailer_max) {
		buf_free(&tail);
		return RESEAL_TOO_LONG;
	}

	/* What an earlier try could not take away. */
	fd = spool_split_remove(&stage->spool, file) ? spool_split_create(&stage->spool, file) : -1;
	if (fd >= 0 && write_file(fd, &o->leg, reseal, &tail)) {
		/* THE commit. */
		if (spool_split_replace(&stage->spool, file, state, o->text))
			result = RESEAL_DONE;
	}
	error = errno;
	if (fd >= 0)
		(void)close(fd);
	if (result != RESEAL_DONE && fd >= 0 && !spool_split_remove(&stage->spool, file))
		LOG_ALARM("child-not-removed", kv("id", file + 1), kv_errno(errno));
	buf_free(&tail);
	errno = error;
	return result;
}
