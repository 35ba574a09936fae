#include "queue/split.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

#define CHILD_NAME (1 + NAME_TEXT) /* ".ID.K.n" */
#define COPY_ROOM  ((size_t)65536)

static void child_file(const char *id, const char *k, char text[CHILD_NAME])
{
	(void)snprintf(text, CHILD_NAME, ".%s.%s", id, k);
}

/* ---- writing a child ---------------------------------------------------------------------- */

/* The child's head: the parent's, with another K and fewer recipients. */
static void write_head(
    struct buf *out, const struct leg *parent, const char *k, const struct split_child *child)
{
	struct buf envelope;
	struct leg_head head = {.id = parent->name.id,
	    .k = k,
	    .accepted = parent->accepted,
	    .size = parent->size,
	    .sha256 = parent->sha256};

	buf_init(&envelope, LEG_HEAD_MAX);
	leg_write_address(&envelope, "from", parent->from, parent->from_params);
	for (size_t i = 0; i < child->rcpts; i++) {
		const struct leg_rcpt *rcpt = &parent->rcpt[child->rcpt[i]];

		leg_write_address(&envelope, "to", rcpt->address, rcpt->params);
	}
	buf_addf(&envelope, "client %s\n", parent->client);

	head.envelope = envelope.bytes;
	head.envelope_len = envelope.len;
	if (buf_ok(&envelope))
		leg_write_head(out, &head);
	else
		out->failed = true;
	buf_free(&envelope);
}

/* The arguments of a record but for rcpt=, which has another number in the child. */
static void add_arguments(struct buf *out, const struct leg_record *record)
{
	const char *p = record->text, *end = p + record->len;

	while (p < end && (p = memchr(p, ' ', (size_t)(end - p))) != NULL) {
		const char *word = ++p;
		size_t len = (size_t)(end - word);
		const char *blank = memchr(word, ' ', len);

		if (blank != NULL)
			len = (size_t)(blank - word);
		if (len < 5 || memcmp(word, "rcpt=", 5) != 0)
			buf_addf(out, " %.*s", (int)len, word);
	}
}

/* What binds of one recipient, number `n` in the child. */
static void write_fate(struct buf *out, const struct leg_rcpt *rcpt, size_t n, const char *time,
    const struct leg_record *failed)
{
	char retry[CLOCK_TEXT], first[CLOCK_TEXT];

	switch (rcpt->fate) {
	case RCPT_OPEN:
		break;
	case RCPT_DELIVERED:
		buf_addf(out, "%s delivered rcpt=%zu by=division%s\n", time, n,
		    rcpt->owed ? " notice=owed" : "");
		return;
	case RCPT_FAILED:
		buf_addf(out, "%s failed rcpt=%zu", time, n);
		add_arguments(out, failed);
		buf_add_text(out, "\n");
		return;
	case RCPT_BOUNCED:
		buf_addf(out, "%s bounced rcpt=%zu by=division\n", time, n);
		return;
	case RCPT_DROPPED:
		buf_addf(out, "%s drop rcpt=%zu by=division\n", time, n);
		return;
	}
	if (rcpt->tries > 0) {
		/* Its age counts from the first try, whatever becomes of it. */
		clock_format(rcpt->first_tried, first);
		clock_format(rcpt->retry, retry);
		buf_addf(out, "%s deferred rcpt=%zu until=%s%s by=division\n", first, n, retry,
		    rcpt->doubts > 0 ? " doubt=yes" : "");
	}
	if (rcpt->warned)
		buf_addf(out, "%s warned rcpt=%zu by=division\n", time, n);
}

/* Which texts were put into the content, so that none is put in twice: it is the children's content, too. */
static void write_sealed(struct buf *out, const struct leg *parent)
{
	char time[CLOCK_TEXT];
	struct leg_record r;
	size_t at = 0, len;

	while (leg_next_record(parent, &at, &r)) {
		if (!leg_record_is(&r, "sealed") || leg_record_value(&r, "inserted", &len) == NULL)
			continue;
		clock_format(r.time, time);
		buf_addf(out, "%s %.*s\n", time, (int)r.len, r.text);
	}
}

/* Addresses that people took away are taken out of each child's header, and a restored leg is one. */
static void write_whole(struct buf *out, const struct leg *parent, const char *time)
{
	char restored[CLOCK_TEXT];
	struct leg_record r;
	size_t at = 0, len, skip = 0;

	if (parent->restores > 0) {
		clock_format(parent->restored, restored);
		buf_addf(out, "%s restored by=division times=%u\n", restored, parent->restores);
	}
	while (leg_next_record(parent, &at, &r))
		skip += leg_record_is(&r, "removed");
	skip -= parent->removals <= skip ? parent->removals : skip;
	for (at = 0; leg_next_record(parent, &at, &r);) {
		const char *address =
		    leg_record_is(&r, "removed") ? leg_record_value(&r, "address", &len) : NULL;

		if (!leg_record_is(&r, "removed") || skip > 0) {
			skip -= leg_record_is(&r, "removed");
			continue;
		}
		buf_addf(out, "%s removed address=", time);
		if (address != NULL)
			buf_add(out, address, len);
		buf_add_text(out, " by=division\n");
	}
}

/* Law 5: what people and remote hosts did to these recipients binds in the child too. */
static bool write_binding(
    struct buf *out, const struct leg *parent, const struct split_child *child, int64_t now)
{
	struct leg_record *failed = reallocarray(NULL, parent->rcpts, sizeof *failed);
	char time[CLOCK_TEXT], until[CLOCK_TEXT];

	if (failed == NULL)
		return false;
	leg_last_records(parent, "failed", failed);
	clock_format(now, time);
	write_whole(out, parent, time);
	write_sealed(out, parent);
	if (parent->amended_until > 0) {
		clock_format(parent->amended_until, until);
		buf_addf(out, "%s extended until=%s by=division\n", time, until);
	}
	for (size_t i = 0; i < child->rcpts; i++) {
		size_t rcpt = child->rcpt[i];

		write_fate(out, &parent->rcpt[rcpt], i + 1, time, &failed[rcpt]);
	}
	free(failed);
	return true;
}

/* Copies the content into the child, at its end. */
static bool copy_content(int from, off_t at, uint64_t size, int to)
{
	char bytes[COPY_ROOM];

	while (size > 0) {
		ssize_t n = copy_file_range(from, &at, to, NULL, size, 0);

		if (n < 0 &&
		    (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)) {
			n = pread(
			    from, bytes, size < sizeof bytes ? (size_t)size : sizeof bytes, at);
			if (n > 0 && write(to, bytes, (size_t)n) != n)
				return false;
			at += n > 0 ? n : 0;
		}
		if (n <= 0) {
			errno = n == 0 ? EIO : errno;
			return false;
		}
		size -= (uint64_t)n;
	}
	return true;
}

static bool write_all(int fd, const struct buf *b)
{
	ssize_t n = write(fd, b->bytes, b->len);

	if (n >= 0 && (size_t)n != b->len)
		errno = ENOSPC;
	return n >= 0 && (size_t)n == b->len;
}

/* Writes and syncs split/STAGE/.ID.K.n as a whole. False with errno. */
static bool write_child(struct stage *stage, struct stage_opened *o, const char *k,
    const struct split_child *child, int64_t now)
{
	const struct leg *parent = &o->leg;
	struct buf head, tail;
	char file[CHILD_NAME];
	int fd;
	bool done = false;

	buf_init(&head, LEG_HEAD_MAX);
	buf_init(&tail, (size_t)stage->limits.trailer_max);
	write_head(&head, parent, k, child);
	leg_write_separator(&tail, parent->name.id);
	if (!write_binding(&tail, parent, child, now))
		tail.failed = true;
	plan_write(&tail, parent->name.id, k, child->plan, child->plan_len);
	leg_stamp_records(&tail, now, child->records, child->records_len);

	child_file(parent->name.id, k, file);
	fd = spool_split_create(&stage->spool, file);
	if (fd < 0)
		goto out;
	if (!buf_ok(&head) || !buf_ok(&tail)) {
		errno = ENOMEM;
		goto out;
	}
	/* Room first: better to fail before the copying than after it. */
	done = spool_reserve(fd, (off_t)(head.len + parent->size + tail.len)) &&
	       write_all(fd, &head) && copy_content(o->fd, parent->content, parent->size, fd) &&
	       write_all(fd, &tail) && spool_sync(fd);
out:
	if (fd >= 0)
		(void)close(fd);
	buf_free(&head);
	buf_free(&tail);
	return done;
}

/* ---- moving children on ------------------------------------------------------------------- */

/* Moves one whole child to its first state. False: it could not be, and stays. */
static bool move_child(struct stage *stage, const char *file, int64_t now)
{
	struct leg_name name;
	struct leg leg;
	struct law law = {.verdict = LAW_MOVE, .state = STATE_BAD};
	char text[NAME_TEXT];
	const char *why = "child";
	int fd = spool_split_open(&stage->spool, file);
	enum leg_fault fault;

	if (fd < 0 || !name_parse(file + 1, &name))
		goto fail;
	fault = leg_read(fd, (size_t)stage->limits.trailer_max, &leg, &why);
	if (fault == LEG_ENVIRON)
		goto fail;
	if (fault == LEG_FINE) {
		law = law_first(&leg, now / CLOCK_SECOND);
		leg_free(&leg);
		why = "child";
	} else {
		LOG_ALARM("quarantined", kv("name", file + 1), kv("from", "split"), kv("why", why));
	}

	name.due = law.due;
	name_format(&name, law.state, text);
	switch (spool_split_move_child(&stage->spool, file, law.state, text)) {
	case SPOOL_MOVED:
		LOG("divided", kv("id", file + 1), kv("to", state_name(law.state)));
		break;
	case SPOOL_MOVE_GONE:
		break;
	case SPOOL_MOVE_TAKEN:
		/* Its twin is on its way: this one is a second copy, and must not stop the others. */
		LOG_ALARM("second-child", kv("id", file + 1), kv("to", state_name(law.state)));
		if (spool_split_move_child(&stage->spool, file, STATE_BAD, file + 1) != SPOOL_MOVED)
			goto fail;
		break;
	case SPOOL_MOVE_FAILED:
		goto fail;
	}
	(void)close(fd);
	return true;
fail:
	LOG_ALARM("child-not-moved", kv("id", file + 1), kv("why", why), kv_errno(errno));
	if (fd >= 0)
		(void)close(fd);
	return false;
}

/* ---- the division ------------------------------------------------------------------------- */

static bool within_limits(const struct stage *stage, const struct leg *parent, size_t n)
{
	uint64_t bytes;

	return n <= (uint64_t)stage->limits.legs_max &&
	       !__builtin_mul_overflow(parent->size, (uint64_t)n, &bytes) &&
	       bytes <= (uint64_t)stage->limits.split_max;
}

/* Before the commit point children are nothing: takes the first `n` away again. */
static void remove_children(struct stage *stage, const struct leg_name *parent, size_t n)
{
	char k[K_MAX], file[CHILD_NAME];
	int error = errno;

	for (size_t i = 0; i < n; i++) {
		if (!k_child(parent->k, i + 1, k))
			break;
		child_file(parent->id, k, file);
		if (!spool_split_remove(&stage->spool, file))
			LOG_ALARM("child-not-removed", kv("id", file + 1), kv_errno(errno));
	}
	errno = error;
}

/* Writes all children; on failure removes what there is of them. */
static bool write_children(struct stage *stage, struct stage_opened *o,
    const struct split_child *children, size_t n, int64_t now)
{
	char k[K_MAX];
	size_t i;

	for (i = 0; i < n; i++) {
		errno = ENAMETOOLONG;
		if (!k_child(o->leg.name.k, i + 1, k) ||
		    !write_child(stage, o, k, &children[i], now))
			break;
	}
	if (i == n)
		return true;

	remove_children(stage, &o->leg.name, i + 1);
	return false;
}

enum split_result split_leg(struct stage *stage, enum spool_state state, struct stage_opened *o,
    const struct split_child *children, size_t n, int64_t now)
{
	char parent[NAME_TEXT], file[CHILD_NAME], k[K_MAX];
	bool all = true;

	if (!within_limits(stage, &o->leg, n))
		return SPLIT_TOO_MANY;
	if (!write_children(stage, o, children, n, now))
		return SPLIT_FAILED;

	/* THE commit: from here on the children are the message. */
	name_format(&o->leg.name, STATE_NEW, parent);
	if (spool_split_commit(&stage->spool, state, o->text, parent) != SPOOL_MOVED) {
		LOG_ALARM("division-not-committed", kv("id", parent), kv_errno(errno));
		remove_children(stage, &o->leg.name, n);
		return SPLIT_FAILED;
	}

	for (size_t i = 0; i < n; i++) {
		if (k_child(o->leg.name.k, i + 1, k)) {
			child_file(o->leg.name.id, k, file);
			all = move_child(stage, file, now) && all;
		}
	}
	if (!all)
		return SPLIT_UNFINISHED;
	return spool_split_remove(&stage->spool, parent) ? SPLIT_DONE : SPLIT_UNFINISHED;
}

/* ---- recovery ----------------------------------------------------------------------------- */

/* The parent's name of a child's file: ".ID.1.2" -> "ID.1". False if it is no child's. */
static bool parent_of(const char *file, char parent[NAME_TEXT])
{
	struct leg_name name;
	char *dot;

	if (file[0] != '.' || !name_parse(file + 1, &name) || name.due != DUE_NONE)
		return false;
	dot = strrchr(name.k, '.');
	if (dot == NULL)
		return false;
	*dot = '\0';
	name_format(&name, STATE_NEW, parent);
	return true;
}

/* A parent whose child could not be moved is not to be unlinked. */
struct recovery {
	struct stage *stage;
	size_t stuck;
};

static bool recover_child(void *context, const char *file)
{
	struct recovery *r = context;
	char parent[NAME_TEXT];
	bool there;

	if (!parent_of(file, parent))
		return true;
	if (!spool_split_has(&r->stage->spool, parent, &there)) {
		LOG_ALARM(
		    "recovery-failed", kv("where", "split"), kv("id", parent), kv_errno(errno));
		r->stuck++;
	} else if (!there) {
		LOG("division-undone", kv("id", file + 1));
		if (!spool_split_remove(&r->stage->spool, file)) {
			LOG_ALARM("child-not-removed", kv("id", file + 1), kv_errno(errno));
			r->stuck++;
		}
	} else if (!move_child(r->stage, file, watch_now(&r->stage->watch))) {
		r->stuck++;
	}
	return true;
}

static bool recover_parent(void *context, const char *file)
{
	struct recovery *r = context;
	struct leg_name name;

	if (file[0] == '.')
		return true;
	if (!name_parse(file, &name) || name.due != DUE_NONE) {
		LOG_ALARM("foreign-in-split", kv("name", file));
		return true;
	}
	if (!spool_split_remove(&r->stage->spool, file)) {
		LOG_ALARM("parent-not-removed", kv("id", file), kv_errno(errno));
		r->stuck++;
	}
	return true;
}

bool split_recover(struct stage *stage)
{
	struct recovery r = {.stage = stage};

	if (!spool_list_split(&stage->spool, recover_child, &r) || r.stuck > 0)
		return false;
	return spool_list_split(&stage->spool, recover_parent, &r) && r.stuck == 0;
}
