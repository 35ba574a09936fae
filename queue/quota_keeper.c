#include "queue/quota_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "queue/freeze.h"
#include "queue/state_file.h"

#define COUNTS_MAX  ((size_t)1024 * 1024 * 1024)
#define COUNTS_MODE 0640
#define SAVE_EVERY  (60 * CLOCK_SECOND)
#define PROGRAM     "seki-queue"

struct quota_keeper {
	int lib;
	pthread_mutex_t lock;   /* for the counts and the limits: held for moments only */
	pthread_mutex_t writer; /* for what writes lib/quota/: taken before the other */
	struct quota *quota;
	struct quota_limits limits[2]; /* by kind */
	struct freeze *freeze;         /* lib/quota/freeze as it was last read */
	bool changed;
	int64_t saved; /* boot clock */
};

static enum freeze_kind freeze_kind_of(enum quota_kind kind)
{
	return kind == QUOTA_LOGIN ? FREEZE_LOGIN : FREEZE_SOURCE;
}

/* ---- the start ---------------------------------------------------------------------------- */

static int open_folder(const struct quota_keeper *k)
{
	return openat(k->lib, QUOTA_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Nothing that was counted may make the start fail: mail is more than its count. */
static void give_up_counts(int dir, const char *why, int error)
{
	bool aside = state_file_put_aside(dir, QUOTA_COUNTS);

	LOG_ALARM("quota-counts-lost", kv("file", "lib/" QUOTA_FOLDER "/" QUOTA_COUNTS),
	    kv("why", why), kv("error", error != 0 ? strerrordesc_np(error) : ""),
	    kv("kept", aside ? QUOTA_COUNTS ".bad" : ""));
}

static void read_counts(struct quota_keeper *k)
{
	int dir = open_folder(k);
	const char *why = "malformed";
	struct buf text;

	if (dir < 0) {
		LOG_ALARM("quota-counts-lost", kv("file", "lib/" QUOTA_FOLDER), kv_errno(errno));
		return;
	}
	buf_init(&text, COUNTS_MAX);
	if (!state_file_read(dir, QUOTA_COUNTS, &text)) {
		if (errno != ENOENT)
			give_up_counts(dir, "unreadable", errno);
	} else if (!quota_read(k->quota, text.bytes != NULL ? text.bytes : "", text.len,
		       clock_boot(), clock_wall(), &why)) {
		give_up_counts(dir, why, 0);
	}
	buf_free(&text);
	(void)close(dir);
}

static void take_frozen(void *context, const struct freeze_entry *e)
{
	struct quota_keeper *k = context;
	bool known = true;

	if (e->kind == FREEZE_LOGIN)
		known = quota_set_frozen(k->quota, QUOTA_LOGIN, e->address, clock_boot());
	else if (e->kind == FREEZE_SOURCE)
		known = quota_set_frozen(k->quota, QUOTA_SOURCE, e->address, clock_boot());
	if (!known)
		LOG_ALARM("quota-counts-lost", kv("why", "no memory"));
}

static bool still_frozen(void *context, enum quota_kind kind, const char *who)
{
	struct quota_keeper *k = context;
	bool known, there = freeze_has(k->freeze, freeze_kind_of(kind), who, &known);

	return there || !known; /* of a damaged file nobody can say that it thawed anything */
}

void quota_keeper_configure(struct quota_keeper *k, const struct settings *s)
{
	(void)pthread_mutex_lock(&k->lock);
	k->limits[QUOTA_LOGIN] = (struct quota_limits){s->quota_login_hour, s->quota_login_day};
	k->limits[QUOTA_SOURCE] = (struct quota_limits){s->quota_source_hour, s->quota_source_day};
	quota_set_entries(k->quota, (size_t)s->quota_entries);
	(void)pthread_mutex_unlock(&k->lock);
}

struct quota_keeper *quota_keeper_new(const struct settings *s)
{
	struct quota_keeper *k = calloc(1, sizeof *k);
	struct conf_fault fault;
	char text[512];

	if (k == NULL)
		return NULL;
	(void)pthread_mutex_init(&k->lock, NULL);
	(void)pthread_mutex_init(&k->writer, NULL);
	k->lib = open("lib", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	k->quota = quota_new((size_t)s->quota_entries);
	k->freeze = k->lib >= 0 ? freeze_open(k->lib, FREEZE_QUOTA_FILE) : NULL;
	if (k->quota == NULL || k->freeze == NULL) {
		int error = errno;

		quota_keeper_free(k);
		errno = error;
		return NULL;
	}

	quota_keeper_configure(k, s);
	read_counts(k);
	/* Who was thawed while nobody looked begins at zero; who is frozen is known as such. */
	quota_thaw(k->quota, still_frozen, k);
	if (!freeze_list(k->lib, FREEZE_QUOTA_FILE, take_frozen, k, &fault)) {
		conf_fault_show(&fault, text, sizeof text);
		LOG_ALARM("quota-freeze-failed", kv("error", text));
	}
	k->saved = clock_boot();
	return k;
}

void quota_keeper_free(struct quota_keeper *k)
{
	if (k == NULL)
		return;
	freeze_close(k->freeze);
	quota_free(k->quota);
	if (k->lib >= 0)
		(void)close(k->lib);
	(void)pthread_mutex_destroy(&k->lock);
	(void)pthread_mutex_destroy(&k->writer);
	free(k);
}

/* ---- one message -------------------------------------------------------------------------- */

/* Sees who was thawed since. Under the lock: it is read again only if the file has changed. */
static void look_for_thaws(struct quota_keeper *k)
{
	if (freeze_refresh(k->freeze, NULL))
		quota_thaw(k->quota, still_frozen, k);
}

/* What the log says about one who was frozen just now. */
static void say_frozen(const struct quota_charge *c, const struct quota_count *over)
{
	LOG_ALARM("quota-frozen", kv(c->kind == QUOTA_LOGIN ? "login" : "source", c->who),
	    kv("window", over->verdict == QUOTA_OVER_HOUR ? "hour" : "day"),
	    kv_num("count", over->count), kv_num("limit", over->limit));
}

/*
 * Writes the entry. Whoever else is over the same limit at this moment waits here, and finds it
 * done: none of his mail is committed before it is durable.
 */
static bool freeze(
    struct quota_keeper *k, const struct quota_charge *c, const struct quota_count *over)
{
	char since[CLOCK_TEXT];
	struct freeze_entry e = {.kind = freeze_kind_of(c->kind),
	    .address = c->who,
	    .since = since,
	    .by = PROGRAM,
	    .reason = over->verdict == QUOTA_OVER_HOUR ? "quota-hour" : "quota-day"};
	struct conf_fault fault;
	enum freeze_done done;
	char text[512];

	clock_format(clock_wall(), since);
	(void)pthread_mutex_lock(&k->writer);
	done = freeze_add(k->lib, FREEZE_QUOTA_FILE, &e, &fault);
	if (done == FREEZE_FAILED)
		LOG_ALARM("quota-freeze-failed", kv("who", c->who), kv_errno(errno));
	if (done == FREEZE_BAD) {
		conf_fault_show(&fault, text, sizeof text);
		LOG_ALARM("quota-freeze-failed", kv("who", c->who), kv("error", text));
	}
	if (done == FREEZE_DONE)
		say_frozen(c, over);

	if (done == FREEZE_DONE || done == FREEZE_NOTHING) {
		(void)pthread_mutex_lock(&k->lock);
		/* The file as it stands now is the one by which a later thaw is told. */
		if (!freeze_refresh(k->freeze, NULL) ||
		    !quota_set_frozen(k->quota, c->kind, c->who, clock_boot()))
			LOG_ALARM("quota-counts-lost", kv("why", "it is not known who was frozen"));
		(void)pthread_mutex_unlock(&k->lock);
	}
	(void)pthread_mutex_unlock(&k->writer);
	return done == FREEZE_DONE || done == FREEZE_NOTHING;
}

bool quota_keeper_count(struct quota_keeper *k, struct quota_charge *c)
{
	struct quota_limits limits;
	struct quota_count result;
	bool frozen;

	c->counted_at = 0;
	(void)pthread_mutex_lock(&k->lock);
	limits = c->own_limits ? c->limits : k->limits[c->kind];
	if (limits.hour == 0 && limits.day == 0) {
		(void)pthread_mutex_unlock(&k->lock);
		return true;
	}
	if (quota_is_frozen(k->quota, c->kind, c->who))
		look_for_thaws(k);
	c->counted_at = clock_boot();
	result = quota_count(k->quota, c->kind, c->who, c->rcpts, c->counted_at, &limits);
	frozen = quota_is_frozen(k->quota, c->kind, c->who);
	k->changed = true;
	(void)pthread_mutex_unlock(&k->lock);

	if (result.verdict == QUOTA_WITHIN || (result.verdict != QUOTA_NO_MEMORY && frozen))
		return true;
	if (result.verdict == QUOTA_NO_MEMORY) {
		c->counted_at = 0;
		LOG_ALARM("quota-freeze-failed", kv("who", c->who), kv("error", "no memory"));
		return false;
	}
	if (freeze(k, c, &result))
		return true;
	quota_keeper_take_back(k, c);
	return false;
}

void quota_keeper_take_back(struct quota_keeper *k, struct quota_charge *c)
{
	if (c->counted_at == 0)
		return;
	(void)pthread_mutex_lock(&k->lock);
	quota_take_back(k->quota, c->kind, c->who, c->rcpts, c->counted_at, clock_boot());
	(void)pthread_mutex_unlock(&k->lock);
	c->counted_at = 0;
}

/* ---- from time to time -------------------------------------------------------------------- */

static bool write_counts(const struct quota_keeper *k, const struct buf *text)
{
	int dir = open_folder(k), error;
	bool done;

	if (dir < 0)
		return false;
	done = state_file_replace(dir, QUOTA_COUNTS, text->bytes, text->len, COUNTS_MODE);
	error = errno;
	(void)close(dir);
	errno = error;
	return done;
}

void quota_keeper_save(struct quota_keeper *k)
{
	struct buf text;
	size_t forgotten;
	bool changed;

	buf_init(&text, COUNTS_MAX);
	(void)pthread_mutex_lock(&k->writer);
	(void)pthread_mutex_lock(&k->lock);
	changed = k->changed;
	k->changed = false;
	k->saved = clock_boot();
	forgotten = quota_forgotten(k->quota);
	if (changed)
		quota_write(k->quota, &text, k->saved, clock_wall());
	(void)pthread_mutex_unlock(&k->lock);

	errno = ENOMEM;
	if (changed && (!buf_ok(&text) || !write_counts(k, &text)))
		LOG_ALARM("quota-counts-failed", kv_errno(errno));
	(void)pthread_mutex_unlock(&k->writer);
	if (forgotten > 0)
		LOG_ALARM("quota-forgotten", kv_num("entries", (int64_t)forgotten));
	buf_free(&text);
}

void quota_keeper_tick(struct quota_keeper *k)
{
	(void)pthread_mutex_lock(&k->lock);
	look_for_thaws(k);
	(void)pthread_mutex_unlock(&k->lock);
	if (clock_boot() - k->saved >= SAVE_EVERY)
		quota_keeper_save(k);
}
