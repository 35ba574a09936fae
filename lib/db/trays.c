#include "lib/db/trays.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/db/inside.h"

#define CHUNK      ((size_t)256 * 1024) /* read at once */
#define LINES_MAX  500                  /* of one transaction: questions wait for it */
#define HASHED     ((size_t)4096)       /* bytes before the offset by which a tray is known again */
#define HASHED_AT  ((size_t)64)         /* and those that it begins with */
#define HASH_BEGIN 0xcbf29ce484222325u
#define SAY_EVERY  (60 * CLOCK_SECOND)

/* seki-scan tells the groups of a sender before seki-deliver tells of his mail. */
static const char *const names[] = {"seki", "seki-scan", "seki-deliver"};

struct one {
	const char *name;
	struct tray_reader reader;
};

struct trays {
	struct store *store;
	struct history *history;
	int dir, inotify;
	struct one one[COUNT_OF(names)];
	int64_t said; /* boot clock: when a failure was logged last */
	char chunk[CHUNK + 1];
};

/* ---- where it was read to ----------------------------------------------------------------- */

static uint64_t hash(uint64_t h, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)bytes[i]) * 0x100000001b3u;
	return h;
}

/* Of its beginning and the bytes before `offset`. False: the file is shorter, or cannot be read. */
static bool hash_before(const struct one *o, uint64_t offset, uint64_t *value)
{
	char bytes[HASHED];
	size_t first = offset < HASHED_AT ? (size_t)offset : HASHED_AT;
	size_t len = offset < sizeof bytes ? (size_t)offset : sizeof bytes;

	if (offset > INT64_MAX || pread(o->reader.fd, bytes, first, 0) != (ssize_t)first)
		return false;
	*value = hash(HASH_BEGIN, bytes, first);
	if (pread(o->reader.fd, bytes, len, (off_t)(offset - len)) != (ssize_t)len)
		return false;
	*value = hash(*value, bytes, len);
	return true;
}

static void offset_key(const struct one *o, struct key *k)
{
	k->len = 0;
	key_last(k, "tray/");
	key_last(k, o->name);
}

/*
 * The file is looked at for the first time. If its bytes before the offset are those that were read, it
 * goes on there; else it was emptied behind our last transaction, and all that is in it is new.
 */
static bool find_offset(struct trays *t, struct one *o)
{
	uint64_t number[2], here;
	struct key k;

	offset_key(o, &k);
	switch (numbers_get(t->store, STORE_META, &k, number, 2)) {
	case STORE_FAILED:
		return false;
	case STORE_NONE:
		o->reader.offset = 0;
		break;
	case STORE_FOUND:
		o->reader.offset =
		    hash_before(o, number[0], &here) && here == number[1] ? number[0] : 0;
		break;
	}
	o->reader.known = true;
	return true;
}

static bool put_offset(struct trays *t, const struct one *o, uint64_t offset)
{
	uint64_t number[2] = {offset, 0};
	struct key k;

	offset_key(o, &k);
	return hash_before(o, offset, &number[1]) &&
	       numbers_set(t->store, STORE_META, &k, number, 2);
}

/* ---- opening ------------------------------------------------------------------------------ */

static void fail(struct trays *t, const char *what, int error)
{
	if (t->said != 0 && clock_boot() - t->said < SAY_EVERY)
		return;
	t->said = clock_boot();
	LOG_ALARM("tray-unread", kv("what", what), kv_errno(error));
}

static bool open_one(struct trays *t, struct one *o)
{
	switch (tray_reader_open(&o->reader, t->dir, o->name)) {
	case TRAY_SAME:
		return true;
	case TRAY_NONE:
		return false;
	case TRAY_FAILED:
		break;
	}
	fail(t, o->name, errno);
	return false;
}

struct trays *trays_open(struct store *store, struct history *history)
{
	struct trays *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->store = store;
	t->history = history;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		t->one[i] = (struct one){.name = names[i], .reader.fd = -1};
	t->inotify = -1;
	t->dir = open(PAST_TRAYS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->dir < 0) {
		fail(t, PAST_TRAYS, errno);
		trays_close(t);
		return NULL;
	}
	t->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (t->inotify < 0 || inotify_add_watch(t->inotify, PAST_TRAYS, IN_MODIFY) < 0)
		LOG("tray-unwatched", kv_errno(errno)); /* they are looked at each minute */
	return t;
}

void trays_close(struct trays *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		tray_reader_close(&t->one[i].reader);
	if (t->inotify >= 0)
		(void)close(t->inotify);
	if (t->dir >= 0)
		(void)close(t->dir);
	free(t);
}

int trays_fd(const struct trays *t)
{
	return t->inotify;
}

void trays_heard(const struct trays *t)
{
	char events[4096];

	while (read(t->inotify, events, sizeof events) > 0)
		;
}

/* ---- reading ------------------------------------------------------------------------------ */

struct reading {
	size_t used; /* bytes of whole lines that were read */
	size_t lines, none;
	bool failed;
};

static void read_lines(struct trays *t, size_t len, int64_t now, struct reading *r)
{
	while (r->used < len && r->lines < LINES_MAX) {
		char *begin = t->chunk + r->used, *end = memchr(begin, '\n', len - r->used);
		struct past_line line;
		size_t size;

		/* What is longer than a line can be is passed over in pieces; its end is no line. */
		if (end == NULL && len - r->used <= PAST_LINE_MAX)
			return; /* it may yet be finished */
		size = end != NULL ? (size_t)(end - begin) : PAST_LINE_MAX;
		r->lines++;
		r->used += end != NULL ? size + 1 : size;
		if (end == NULL || !past_line_cut(begin, size, &line)) {
			r->none++;
			continue;
		}
		if (line.words == 2 && strcmp(line.word[0], "tray") == 0)
			continue; /* its head, which is there to be hashed */
		switch (history_take(t->history, &line, now)) {
		case HISTORY_TOOK:
			break;
		case HISTORY_NO_LINE:
			r->none++;
			break;
		case HISTORY_FAILED:
			r->failed = true;
			return;
		}
	}
}

/* What was read is in the store: away with it, unless somebody has just told more. */
static void empty(struct trays *t, struct one *o)
{
	if (!tray_reader_empty(&o->reader))
		fail(t, o->name, errno);
}

static enum trays_read keep(struct trays *t, struct one *o, size_t len, int64_t now)
{
	struct reading r = {.used = 0};

	if (!history_month(t->history, now) || !store_begin(t->store))
		return TRAYS_LATER;
	read_lines(t, len, now, &r);
	if (r.used == 0 && !r.failed) {
		store_abort(t->store);
		return TRAYS_EMPTY;
	}
	if (r.failed || !put_offset(t, o, o->reader.offset + r.used)) {
		store_abort(t->store);
		return TRAYS_LATER;
	}
	if (!store_commit(t->store))
		return TRAYS_LATER;
	o->reader.offset += r.used;
	if (r.none > 0)
		LOG("tray-lines", kv("tray", o->name), kv_num("lines", (int64_t)r.none));
	return TRAYS_MORE;
}

static enum trays_read read_one(struct trays *t, struct one *o, int64_t now)
{
	enum trays_read result;
	ssize_t n;

	if (!open_one(t, o))
		return TRAYS_EMPTY;
	if (!o->reader.known && !find_offset(t, o))
		return TRAYS_LATER;
	n = tray_reader_read(&o->reader, t->chunk, CHUNK, false);
	if (n < 0) {
		fail(t, o->name, errno);
		return TRAYS_LATER;
	}
	if (n == 0) {
		empty(t, o);
		return TRAYS_EMPTY;
	}
	result = keep(t, o, (size_t)n, now);
	empty(t, o);
	return result;
}

enum trays_read trays_read(struct trays *t, int64_t now)
{
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		enum trays_read result = read_one(t, &t->one[i], now);

		if (result != TRAYS_EMPTY)
			return result;
	}
	return TRAYS_EMPTY;
}
