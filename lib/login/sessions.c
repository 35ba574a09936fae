#include "lib/login/sessions.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "lib/base/die.h"
#include "lib/base/hex.h"
#include "lib/base/log.h"
#include "lib/login/folder.h"
#include "queue/state_file.h"

#define FILE_MODE   0600
#define MARK_EVERY  (60 * CLOCK_SECOND)
#define SHIFT_MOST  (60 * CLOCK_SECOND) /* by which clocks may drift apart within one boot */
#define BUCKETS_MIN ((size_t)1024)

struct sessions {
	int dir;
	char boot[RECORD_BOOT_TEXT];
	struct sessions_limits limits;
	struct sessions_one **bucket;
	size_t mask; /* buckets - 1 */
	size_t n;
};

/* ---- the table ---------------------------------------------------------------------------- */

static size_t bucket_of(const struct sessions *s, const unsigned char name[RECORD_NAME_LEN])
{
	size_t n;

	/* A SHA-256 of what nobody can choose. */
	memcpy(&n, name, sizeof n);
	return n & s->mask;
}

static struct sessions_one *look_up(
    const struct sessions *s, const unsigned char name[RECORD_NAME_LEN])
{
	struct sessions_one *one = s->bucket[bucket_of(s, name)];

	while (one != NULL && CRYPTO_memcmp(one->record.name, name, RECORD_NAME_LEN) != 0)
		one = one->next;
	return one;
}

static void put_in(struct sessions *s, struct sessions_one *one)
{
	struct sessions_one **head = &s->bucket[bucket_of(s, one->record.name)];

	one->next = *head;
	*head = one;
	s->n++;
}

static void take_out(struct sessions *s, const struct sessions_one *one)
{
	struct sessions_one **at = &s->bucket[bucket_of(s, one->record.name)];

	while (*at != one)
		at = &(*at)->next;
	*at = one->next;
	s->n--;
}

/* Without memory for more it stays as it is, and only gets slower. */
static void grow(struct sessions *s)
{
	size_t old = s->mask + 1;
	struct sessions_one **before = s->bucket, **more;

	if (s->n < old)
		return;
	more = calloc(2 * old, sizeof(struct sessions_one *));
	if (more == NULL)
		return;
	s->bucket = more;
	s->mask = 2 * old - 1;
	s->n = 0;
	for (size_t i = 0; i < old; i++) {
		for (struct sessions_one *one = before[i], *next; one != NULL; one = next) {
			next = one->next;
			put_in(s, one);
		}
	}
	free(before);
}

/* For each; `one` may be taken out meanwhile. */
#define EACH(s, one, i, after)                                                                     \
	for (size_t i = 0; i <= (s)->mask; i++)                                                    \
		for (struct sessions_one *one = (s)->bucket[i], *after;                            \
		     one != NULL && (after = one->next, true); one = after)

/* ---- ends --------------------------------------------------------------------------------- */

int64_t sessions_left(
    const struct sessions *s, const struct sessions_one *one, struct sessions_now now)
{
	int64_t idle = one->seen + s->limits.idle - now.boot;
	int64_t longest = one->begun + s->limits.longest - now.boot;

	return idle < longest ? idle : longest;
}

/* Out of memory, and its name away. False with errno. */
static bool drop(struct sessions *s, const struct sessions_one *one)
{
	char name[RECORD_NAME_TEXT];
	struct sessions_one *mine = look_up(s, one->record.name);
	bool gone;

	if (mine == NULL)
		return true;
	hex_encode(mine->record.name, RECORD_NAME_LEN, name);
	gone = unlinkat(s->dir, name, 0) == 0 || errno == ENOENT;
	if (!gone)
		LOG_ALARM("login-unforgotten", kv("session", name), kv_errno(errno));
	take_out(s, mine);
	free(mine);
	return gone;
}

bool sessions_end(struct sessions *s, const struct sessions_one *one)
{
	bool gone = drop(s, one);

	return fsync(s->dir) == 0 && gone;
}

bool sessions_end_all(struct sessions *s, const char *address, size_t *ended)
{
	bool gone = true;

	*ended = 0;
	EACH(s, one, i, after)
	{
		if (strcmp(one->record.address, address) == 0) {
			gone = drop(s, one) && gone;
			++*ended;
		}
	}
	return *ended == 0 || (fsync(s->dir) == 0 && gone);
}

void sessions_sweep(struct sessions *s, struct sessions_now now)
{
	size_t before = s->n;

	EACH(s, one, i, after)
	{
		/* What a power cut brings back is over then, too. */
		if (sessions_left(s, one, now) <= 0)
			(void)drop(s, one);
	}
	if (s->n != before)
		LOG("login-over", kv_num("sessions", (int64_t)(before - s->n)),
		    kv_num("left", (int64_t)s->n));
}

/* Of all sessions, or of one person's, the one that was used longest ago; how many there are. */
static const struct sessions_one *least(const struct sessions *s, const char *address, size_t *n)
{
	const struct sessions_one *oldest = NULL;

	*n = 0;
	EACH(s, one, i, after)
	{
		if (address != NULL && strcmp(one->record.address, address) != 0)
			continue;
		++*n;
		if (oldest == NULL || one->seen < oldest->seen)
			oldest = one;
	}
	return oldest;
}

static void displace(struct sessions *s, const struct sessions_one *one, const char *address)
{
	LOG("login-displaced", kv("who", one->record.address),
	    kv("by", address != NULL ? "person" : "sessions"));
	(void)drop(s, one);
}

/* The one used longest ago first. */
static int by_use(const void *a, const void *b)
{
	const struct sessions_one *const *x = a, *const *y = b;

	return ((*x)->seen > (*y)->seen) - ((*x)->seen < (*y)->seen);
}

/* Until fewer than `most` of these are there. At a login that is one at most; under new limits it may be many. */
static void make_room(struct sessions *s, const char *address, size_t most)
{
	size_t n, listed = 0;
	const struct sessions_one *oldest = least(s, address, &n), **list;

	if (n < most || oldest == NULL)
		return;
	if (n == most) {
		displace(s, oldest, address);
		return;
	}
	list = calloc(n, sizeof(const struct sessions_one *));
	if (list == NULL)
		die_environ("memory");
	EACH(s, one, i, after)
	{
		if (address == NULL || strcmp(one->record.address, address) == 0)
			list[listed++] = one;
	}
	qsort(list, n, sizeof *list, by_use);
	for (size_t i = 0; i + most <= n; i++)
		displace(s, list[i], address);
	free(list);
}

/* ---- reading ------------------------------------------------------------------------------ */

/* How long ago it began and was used, by clocks that may have been set. False: in doubt. */
static bool take_ages(const struct sessions *s, struct sessions_one *one, struct sessions_now now)
{
	int64_t by_wall = now.wall - one->record.begun;
	int64_t by_boot = now.boot - one->record.begun_boot;
	bool same = strcmp(one->record.boot, s->boot) == 0;
	int64_t age = same ? by_boot : by_wall, idle = now.wall - one->seen_wall;

	/* Within one boot both tell the same, unless somebody has set the clock. */
	if (same && (by_wall - by_boot > SHIFT_MOST || by_boot - by_wall > SHIFT_MOST))
		return false;
	if (age < 0 || idle < 0)
		return false;
	one->begun = now.boot - age;
	one->seen = now.boot - idle;
	one->marked = one->seen;
	return true;
}

static int64_t wall_of(const struct timespec *t)
{
	return (int64_t)t->tv_sec * CLOCK_SECOND + t->tv_nsec / 1000;
}

/* The session in a file. NULL: no memory, or it cannot be read (errno); or it is none (EBADMSG). */
static struct sessions_one *read_one(
    const struct sessions *s, const char *name, const unsigned char bytes[RECORD_NAME_LEN])
{
	struct sessions_one *one = calloc(1, sizeof *one);
	struct buf b;
	struct stat st;
	int error = ENOMEM;

	buf_init(&b, RECORD_MAX + 4096);
	if (one == NULL)
		goto fail;
	if (!state_file_read(s->dir, name, &b) ||
	    fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		error = errno;
		goto fail;
	}
	error = EBADMSG;
	if (b.len == 0 || !record_session_read(b.bytes, b.len, bytes, &one->record))
		goto fail;
	one->seen_wall = wall_of(&st.st_mtim);
	buf_free(&b);
	return one;
fail:
	buf_free(&b);
	free(one);
	errno = error;
	return NULL;
}

struct reading {
	struct sessions *s;
	int64_t newest; /* the latest time that was seen */
};

static bool read_file(void *context, const char *name, const unsigned char bytes[RECORD_NAME_LEN])
{
	struct reading *r = context;
	struct sessions_one *one = read_one(r->s, name, bytes);

	if (one == NULL && errno != EBADMSG && errno != EFBIG && errno != ELOOP)
		return false;
	if (one == NULL) {
		LOG_ALARM("login-damaged", kv("file", name));
		return state_file_put_aside(r->s->dir, name);
	}
	if (one->seen_wall > r->newest)
		r->newest = one->seen_wall;
	grow(r->s);
	put_in(r->s, one);
	return true;
}

/* Which of those that were read are still good. */
static void judge_all(struct sessions *s, int64_t newest, struct sessions_now now)
{
	size_t doubted = 0, over = 0;

	EACH(s, one, i, after)
	{
		bool sure = now.wall >= newest && take_ages(s, one, now);

		if (sure && sessions_left(s, one, now) > 0)
			continue;
		doubted += sure ? 0 : 1;
		over += sure ? 1 : 0;
		(void)drop(s, one);
	}
	if (doubted > 0)
		LOG_ALARM("login-clock", kv_num("sessions", (int64_t)doubted));
	LOG("login-read", kv_num("sessions", (int64_t)s->n), kv_num("over", (int64_t)over));
}

struct sessions *sessions_open(int dir, const char boot[RECORD_BOOT_TEXT],
    const struct sessions_limits *limits, struct sessions_now now)
{
	struct sessions *s = calloc(1, sizeof *s);
	struct reading r = {.s = s};
	int error;

	if (s == NULL) {
		(void)close(dir);
		errno = ENOMEM;
		return NULL;
	}
	s->dir = dir;
	s->limits = *limits;
	s->mask = BUCKETS_MIN - 1;
	s->bucket = calloc(BUCKETS_MIN, sizeof(struct sessions_one *));
	memcpy(s->boot, boot, RECORD_BOOT_TEXT);
	if (s->bucket == NULL || !hashes_read(dir, read_file, &r)) {
		error = errno;
		sessions_close(s);
		errno = error;
		return NULL;
	}
	judge_all(s, r.newest, now);
	make_room(s, NULL, s->limits.most + 1);
	return s;
}

void sessions_close(struct sessions *s)
{
	if (s == NULL)
		return;
	if (s->bucket != NULL) {
		EACH(s, one, i, after)
		free(one);
	}
	free(s->bucket);
	(void)close(s->dir);
	free(s);
}

void sessions_limit(
    struct sessions *s, const struct sessions_limits *limits, struct sessions_now now)
{
	s->limits = *limits;
	sessions_sweep(s, now);
	make_room(s, NULL, s->limits.most + 1);
}

/* ---- one session -------------------------------------------------------------------------- */

enum sessions_found sessions_find(
    struct sessions *s, const char *token, struct sessions_now now, const struct sessions_one **one)
{
	unsigned char name[RECORD_NAME_LEN];

	*one = NULL;
	if (strlen(token) != LOGIN_TOKEN_LEN)
		return SESSIONS_UNKNOWN;
	record_name(token, name);
	*one = look_up(s, name);
	if (*one == NULL)
		return SESSIONS_UNKNOWN;
	if (sessions_left(s, *one, now) > 0)
		return SESSIONS_GOOD;
	(void)drop(s, *one);
	*one = NULL;
	return SESSIONS_OVER;
}

static bool make_token(char token[LOGIN_TOKEN_TEXT])
{
	unsigned char bytes[32];

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return false;
	(void)gate_letters(bytes, sizeof bytes, token);
	explicit_bzero(bytes, sizeof bytes);
	return true;
}

/* Durably; and its time is that at which it was used last. */
static bool write_one(const struct sessions *s, const struct sessions_one *one)
{
	const struct timespec times[2] = {
	    {.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)(one->seen_wall / CLOCK_SECOND),
					 .tv_nsec = (long)(one->seen_wall % CLOCK_SECOND) * 1000}};
	char name[RECORD_NAME_TEXT];
	struct buf b;
	bool made;
	int error;

	hex_encode(one->record.name, RECORD_NAME_LEN, name);
	buf_init(&b, RECORD_MAX);
	record_session_write(&one->record, &b);
	errno = ENOMEM;
	made = buf_ok(&b) && state_file_make(s->dir, name, b.bytes, b.len, FILE_MODE);
	if (made && utimensat(s->dir, name, times, AT_SYMLINK_NOFOLLOW) != 0) {
		/* Nobody has its token: it would only be counted after a restart. */
		error = errno;
		(void)unlinkat(s->dir, name, 0);
		errno = error;
		made = false;
	}
	error = errno;
	buf_free(&b);
	errno = error;
	return made;
}

bool sessions_begin(struct sessions *s, const char *address, const char *source, bool by_link,
    struct sessions_now now, char token[LOGIN_TOKEN_TEXT], const struct sessions_one **made)
{
	struct sessions_one *one = calloc(1, sizeof *one);
	int error;

	token[0] = '\0';
	if (one == NULL || !make_token(token)) {
		free(one);
		return false;
	}
	one->record =
	    (struct record_session){.begun = now.wall, .begun_boot = now.boot, .by_link = by_link};
	record_name(token, one->record.name);
	(void)snprintf(one->record.address, sizeof one->record.address, "%s", address);
	(void)snprintf(one->record.source, sizeof one->record.source, "%s", source);
	memcpy(one->record.boot, s->boot, RECORD_BOOT_TEXT);
	one->begun = one->seen = one->marked = now.boot;
	one->seen_wall = now.wall;
	if (!write_one(s, one)) {
		error = errno;
		explicit_bzero(token, LOGIN_TOKEN_TEXT);
		free(one);
		errno = error;
		return false;
	}
	make_room(s, address, SESSIONS_PERSON_MAX);
	make_room(s, NULL, s->limits.most);
	grow(s);
	put_in(s, one);
	*made = one;
	return true;
}

void sessions_use(struct sessions *s, const struct sessions_one *one, struct sessions_now now)
{
	const struct timespec times[2] = {
	    {.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)(now.wall / CLOCK_SECOND),
					 .tv_nsec = (long)(now.wall % CLOCK_SECOND) * 1000}};
	struct sessions_one *mine = look_up(s, one->record.name);
	char name[RECORD_NAME_TEXT];

	if (mine == NULL)
		return;
	mine->seen = now.boot;
	mine->seen_wall = now.wall;
	if (now.boot - mine->marked < MARK_EVERY)
		return;
	/* If it is lost, the session is over sooner. */
	hex_encode(mine->record.name, RECORD_NAME_LEN, name);
	if (utimensat(s->dir, name, times, AT_SYMLINK_NOFOLLOW) != 0)
		LOG("login-unmarked", kv_errno(errno));
	mine->marked = now.boot;
}

size_t sessions_of(
    const struct sessions *s, const char *address, const struct sessions_one **list, size_t room)
{
	size_t n = 0;

	EACH(s, one, i, after)
	{
		if (n < room && strcmp(one->record.address, address) == 0)
			list[n++] = one;
	}
	return n;
}

size_t sessions_count(const struct sessions *s)
{
	return s->n;
}
