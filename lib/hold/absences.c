/* Who is away, in order of address; a change is durable before it is true. */
#include "lib/hold/absences.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/xtext.h"
#include "queue/state_file.h"

#define PLACE    "lib/hold"
#define NAME     "absences"
#define FILE_MAX ((size_t)64 * 1024 * 1024)
#define TEXT_MAX ((size_t)1024) /* of an address, or of who said so */

struct entry {
	char *address, *by;
	int64_t from, until;
};

struct absences {
	pthread_rwlock_t lock;
	struct entry *entry; /* by address, then by `from` */
	size_t n, room;
	uint64_t serial;
};

static void lock_to_read(const struct absences *absences)
{
	/* The lock is no part of what the caller is promised not to see change. */
	(void)pthread_rwlock_rdlock(&((struct absences *)(uintptr_t)absences)->lock);
}

static void unlock(const struct absences *absences)
{
	(void)pthread_rwlock_unlock(&((struct absences *)(uintptr_t)absences)->lock);
}

/* ---- entries ------------------------------------------------------------------------------ */

static void clear(struct entry *entry, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(entry[i].address);
		free(entry[i].by);
	}
	free(entry);
}

static bool add(struct absences *a, const struct absence *absence)
{
	struct entry one = {.from = absence->from, .until = absence->until};

	if (a->n >= ABSENCES_MAX) {
		errno = EFBIG;
		return false;
	}
	if (a->n == a->room) {
		size_t more = a->room == 0 ? 16 : a->room * 2;
		struct entry *grown = reallocarray(a->entry, more, sizeof *grown);

		if (grown == NULL)
			return false;
		a->entry = grown;
		a->room = more;
	}
	one.address = strdup(absence->address);
	one.by = strdup(absence->by);
	if (one.address == NULL || one.by == NULL) {
		free(one.address);
		free(one.by);
		return false;
	}
	a->entry[a->n++] = one;
	return true;
}

static int in_order(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = strcmp(a->address, b->address);

	if (order != 0)
		return order;
	return a->from < b->from ? -1 : a->from > b->from;
}

static void sort(struct absences *a)
{
	if (a->n > 1)
		qsort(a->entry, a->n, sizeof *a->entry, in_order);
}

/* The first entry of an address, or where it would stand. */
static size_t first_of(const struct absences *a, const char *address)
{
	size_t low = 0, high = a->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(a->entry[middle].address, address) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- the file ----------------------------------------------------------------------------- */

/* The next word of a line, cut off; "" if there is none. */
static char *next_word(char **at)
{
	char *word = *at, *blank = strchr(word, ' ');

	if (blank != NULL)
		*blank = '\0';
	*at = blank != NULL ? blank + 1 : word + strlen(word);
	return word;
}

/* In its place. False: it is no xtext of one to TEXT_MAX bytes. */
static bool decode(char *word)
{
	size_t len = strlen(word);

	if (len == 0 || len > 3 * TEXT_MAX || !xtext_decode(word, len, word, &len) ||
	    len > TEXT_MAX || memchr(word, '\0', len) != NULL)
		return false;
	word[len] = '\0';
	return true;
}

/* One line, NUL-ended. */
static bool read_line(struct absences *a, char *line)
{
	char *address = next_word(&line), *from = next_word(&line), *until = next_word(&line);
	char *by = next_word(&line);
	struct absence one = {.address = address};

	errno = EPROTO;
	if (line[0] != '\0' || strncmp(by, "by=", 3) != 0)
		return false;
	one.by = by + 3;
	one.from = clock_parse(from, strlen(from));
	one.until = clock_parse(until, strlen(until));
	if (one.from < 0 || one.until <= one.from)
		return false;
	return decode(address) && decode(by + 3) && add(a, &one);
}

static bool read_lines(struct absences *a, char *text, size_t len)
{
	char *at = text, *end = text + len, *newline;

	errno = EPROTO;
	if (memchr(text, '\0', len) != NULL)
		return false;
	for (; at < end; at = newline + 1) {
		newline = memchr(at, '\n', (size_t)(end - at));
		if (newline == NULL)
			return false;
		*newline = '\0';
		if (!read_line(a, at))
			return false;
	}
	return true;
}

static struct absences *make(void)
{
	struct absences *a = calloc(1, sizeof *a);

	if (a != NULL)
		(void)pthread_rwlock_init(&a->lock, NULL);
	return a;
}

struct absences *absences_read(void)
{
	struct absences *a = make();
	int dir = open(PLACE, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = 0;
	struct buf text;

	buf_init(&text, FILE_MAX);
	if (a == NULL || dir < 0 || !state_file_read(dir, NAME, &text))
		error = errno;
	else if (text.len > 0 && !read_lines(a, text.bytes, text.len))
		error = errno;
	if (dir >= 0)
		(void)close(dir);
	buf_free(&text);
	if (a != NULL && (error == 0 || error == ENOENT)) { /* ENOENT: nobody has ever been away */
		sort(a);
		return a;
	}
	absences_free(a);
	errno = error;
	return NULL;
}

struct absences *absences_none(void)
{
	int dir = open(PLACE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir >= 0) {
		/* If it cannot be kept, the next change writes over it: nobody can read it anyway. */
		if (!state_file_put_aside(dir, NAME))
			LOG_ALARM("absences-not-kept", kv("file", PLACE "/" NAME), kv_errno(errno));
		(void)close(dir);
	}
	return make();
}

void absences_free(struct absences *absences)
{
	if (absences == NULL)
		return;
	clear(absences->entry, absences->n);
	(void)pthread_rwlock_destroy(&absences->lock);
	free(absences);
}

static void write_line(struct buf *text, const struct entry *entry)
{
	char time[CLOCK_TEXT];

	buf_add_xtext(text, entry->address, strlen(entry->address));
	clock_format(entry->from, time);
	buf_addf(text, " %s", time);
	clock_format(entry->until, time);
	buf_addf(text, " %s by=", time);
	buf_add_xtext(text, entry->by, strlen(entry->by));
	buf_add_text(text, "\n");
}

static bool write_all(const struct absences *a)
{
	int dir = open(PLACE, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error;
	struct buf text;
	bool done = false;

	buf_init(&text, FILE_MAX);
	for (size_t i = 0; i < a->n; i++)
		write_line(&text, &a->entry[i]);
	errno = dir < 0 ? errno : ENOMEM;
	if (dir >= 0 && buf_ok(&text))
		done = state_file_replace(
		    dir, NAME, text.bytes != NULL ? text.bytes : "", text.len, 0640);
	error = errno;
	if (dir >= 0)
		(void)close(dir);
	buf_free(&text);
	errno = error;
	return done;
}

/* ---- changing ----------------------------------------------------------------------------- */

static bool sensible(const struct absence *absence)
{
	return absence->address[0] != '\0' && strlen(absence->address) <= TEXT_MAX &&
	       absence->by[0] != '\0' && strlen(absence->by) <= TEXT_MAX &&
	       (absence->until == 0 || (absence->from >= 0 && absence->from < absence->until));
}

static bool meet(const struct entry *e, const struct absence *one)
{
	return strcmp(e->address, one->address) == 0 && e->from <= one->until &&
	       one->from <= e->until;
}

/* What is to stand there. */
struct change {
	struct absence one; /* with all that it meets in it; until 0: all of the address go */
	size_t kept;        /* others of the address */
	bool nothing;       /* it stands there already, or there is none to take away */
};

/* Makes `one` as long as it is together with all that it meets, and those that these meet. */
static void join(const struct absences *a, struct absence *one, int64_t now)
{
	bool grown = true;

	while (grown) {
		grown = false;
		for (size_t i = first_of(a, one->address);
		     i < a->n && strcmp(a->entry[i].address, one->address) == 0; i++) {
			const struct entry *e = &a->entry[i];

			if (e->until <= now || !meet(e, one) ||
			    (e->from >= one->from && e->until <= one->until))
				continue;
			one->from = e->from < one->from ? e->from : one->from;
			one->until = e->until > one->until ? e->until : one->until;
			grown = true;
		}
	}
}

static struct change change_of(const struct absences *a, const struct absence *absence, int64_t now)
{
	struct change c = {.one = *absence, .nothing = absence->until == 0};
	bool away = absence->until == 0;

	if (!away)
		join(a, &c.one, now);
	for (size_t i = first_of(a, absence->address);
	     i < a->n && strcmp(a->entry[i].address, absence->address) == 0; i++) {
		const struct entry *e = &a->entry[i];

		if (away)
			c.nothing = false;
		else if (e->from == c.one.from && e->until == c.one.until)
			c.nothing = true;
		else if (e->until > now && !meet(e, &c.one))
			c.kept++;
	}
	return c;
}

static bool fill(
    struct absences *fresh, const struct absences *old, const struct change *c, int64_t now)
{
	bool away = c->one.until == 0;

	for (size_t i = 0; i < old->n; i++) {
		const struct entry *e = &old->entry[i];
		const struct absence same = {e->address, e->from, e->until, e->by};

		if (e->until <= now || (away && strcmp(e->address, c->one.address) == 0) ||
		    (!away && meet(e, &c->one)))
			continue;
		if (!add(fresh, &same))
			return false;
	}
	if (!away && !add(fresh, &c->one))
		return false;
	sort(fresh);
	return true;
}

bool absences_set(struct absences *absences, const struct absence *absence, int64_t now)
{
	struct absences fresh = {.n = 0};
	struct change c;

	errno = EINVAL;
	if (!sensible(absence) || (absence->until != 0 && absence->until <= now))
		return false;
	/* Only this thread changes it: it can be read without the lock. */
	c = change_of(absences, absence, now);
	if (c.nothing)
		return true;
	errno = EDQUOT;
	if (absence->until != 0 && c.kept >= ABSENCES_EACH)
		return false;
	if (!fill(&fresh, absences, &c, now) || !write_all(&fresh)) {
		int error = errno;

		clear(fresh.entry, fresh.n);
		errno = error;
		return false;
	}
	(void)pthread_rwlock_wrlock(&absences->lock);
	clear(absences->entry, absences->n);
	absences->entry = fresh.entry;
	absences->n = fresh.n;
	absences->room = fresh.room;
	absences->serial++;
	unlock(absences);
	return true;
}

/* ---- asking ------------------------------------------------------------------------------- */

bool absent(const struct absences *absences, const char *address, int64_t now)
{
	bool away = false;

	lock_to_read(absences);
	for (size_t i = first_of(absences, address);
	     i < absences->n && !away && strcmp(absences->entry[i].address, address) == 0; i++)
		away = absences->entry[i].from <= now && now < absences->entry[i].until;
	unlock(absences);
	return away;
}

void absences_each(const struct absences *absences, absences_see *see, void *context)
{
	lock_to_read(absences);
	for (size_t i = 0; i < absences->n; i++) {
		const struct entry *e = &absences->entry[i];
		const struct absence one = {e->address, e->from, e->until, e->by};

		if (!see(context, &one))
			break;
	}
	unlock(absences);
}

uint64_t absences_serial(const struct absences *absences)
{
	return absences->serial;
}

int64_t absences_next(const struct absences *absences, int64_t now)
{
	int64_t next = 0;

	lock_to_read(absences);
	for (size_t i = 0; i < absences->n; i++) {
		int64_t from = absences->entry[i].from;

		if (from > now && (next == 0 || from < next))
			next = from;
	}
	unlock(absences);
	return next;
}
