#include "queue/freeze.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "queue/freeze_table.h"
#include "queue/origin.h"

/* What the lock guards lies behind a pointer, so that a reader's object can be const. */
struct freeze {
	int lib;
	const char *file;
	pthread_rwlock_t *lock;
	struct guarded {
		struct freeze_table table;
		struct conf_fault fault;
		bool bad; /* everything is frozen */
	} * now;
};

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/*
 * Whether the file is the one that was read. A bad one is read again each time, since what was
 * wrong (no memory, a read error) may have passed without a change of the file.
 */
static bool unchanged(const struct freeze *f)
{
	struct stat st = {.st_ino = 0};

	if (f->now->bad)
		return false;
	if (fstatat(f->lib, f->file, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno != ENOENT)
			return false;
		st = (struct stat){.st_ino = 0};
	}
	return same_file(&st, &f->now->table.seen);
}

static void read_again(struct freeze *f)
{
	freeze_table_free(&f->now->table);
	f->now->bad = !freeze_table_read(f->lib, f->file, &f->now->table, &f->now->fault);
}

void freeze_close(struct freeze *f)
{
	if (f == NULL)
		return;
	if (f->lock != NULL)
		(void)pthread_rwlock_destroy(f->lock);
	if (f->now != NULL)
		freeze_table_free(&f->now->table);
	free(f->lock);
	free(f->now);
	free(f);
}

struct freeze *freeze_open(int lib, const char *file)
{
	struct freeze *f = calloc(1, sizeof *f);

	if (f == NULL)
		return NULL;
	f->lib = lib;
	f->file = file;
	f->now = calloc(1, sizeof *f->now);
	f->lock = malloc(sizeof *f->lock);
	if (f->now == NULL || f->lock == NULL)
		goto fail;
	if (pthread_rwlock_init(f->lock, NULL) != 0) {
		free(f->lock);
		f->lock = NULL;
		goto fail;
	}
	read_again(f);
	return f;
fail:
	freeze_close(f);
	return NULL;
}

bool freeze_refresh(struct freeze *f, struct conf_fault *fault)
{
	bool fine;

	(void)pthread_rwlock_rdlock(f->lock);
	fine = unchanged(f);
	(void)pthread_rwlock_unlock(f->lock);
	if (fine)
		return true;

	(void)pthread_rwlock_wrlock(f->lock);
	if (!unchanged(f)) /* unless another thread was faster */
		read_again(f);
	fine = !f->now->bad;
	if (!fine && fault != NULL)
		*fault = f->now->fault;
	(void)pthread_rwlock_unlock(f->lock);
	return fine;
}

/* Whether the entry `pattern` speaks of `address`: equal, or "@domain" and of that domain. */
static bool speaks_of(const char *pattern, const char *address)
{
	const char *at = strrchr(address, '@');

	if (pattern[0] == '@')
		return at != NULL && strcasecmp(pattern, at) == 0;
	return strcasecmp(pattern, address) == 0;
}

/* What a leg's entries are compared with; login and source are read when one first asks. */
struct subject {
	const struct leg *leg;
	const char *to;
	bool origin_read;
	char login[ORIGIN_ROOM]; /* "" if there is none: no entry has that */
	char source[ORIGIN_SOURCE_ROOM];
};

static void read_origin(struct subject *s)
{
	if (s->origin_read)
		return;
	if (origin_login(s->leg->client, s->login) != ORIGIN_LOGIN)
		s->login[0] = '\0';
	origin_source(s->leg->client, s->source);
	s->origin_read = true;
}

static bool entry_holds(const struct freeze_entry *e, struct subject *s)
{
	switch (e->kind) {
	case FREEZE_ALL:
		return true;
	case FREEZE_SENDER:
		return speaks_of(e->address, s->leg->from[0] == '\0' ? "<>" : s->leg->from);
	case FREEZE_RECIPIENT:
		return speaks_of(e->address, s->to);
	case FREEZE_LOGIN:
		read_origin(s);
		return strcasecmp(e->address, s->login) == 0;
	case FREEZE_SOURCE:
		read_origin(s);
		return strcasecmp(e->address, s->source) == 0;
	}
	return true; /* no such kind: fail closed */
}

bool freeze_holds(const struct freeze *f, const struct leg *leg, size_t rcpt, const char **why)
{
	struct subject subject = {.leg = leg, .to = leg->rcpt[rcpt].address};
	const char *reason = NULL;

	(void)pthread_rwlock_rdlock(f->lock);
	if (f->now->bad)
		reason = "freeze-file-unreadable";
	for (size_t i = 0; reason == NULL && i < f->now->table.n; i++) {
		const struct freeze_entry *e = &f->now->table.entry[i];

		if (entry_holds(e, &subject))
			reason = freeze_kind_name(e->kind);
	}
	(void)pthread_rwlock_unlock(f->lock);

	if (why != NULL && reason != NULL)
		*why = reason;
	return reason != NULL;
}

size_t freeze_count(const struct freeze *f)
{
	size_t n;

	(void)pthread_rwlock_rdlock(f->lock);
	n = f->now->bad ? SIZE_MAX : f->now->table.n;
	(void)pthread_rwlock_unlock(f->lock);
	return n;
}

bool freeze_has(const struct freeze *f, enum freeze_kind kind, const char *address, bool *known)
{
	bool there = false;

	(void)pthread_rwlock_rdlock(f->lock);
	*known = !f->now->bad;
	for (size_t i = 0; *known && !there && i < f->now->table.n; i++) {
		const struct freeze_entry *e = &f->now->table.entry[i];

		there = e->kind == kind && strcasecmp(e->address, address) == 0;
	}
	(void)pthread_rwlock_unlock(f->lock);
	return there;
}
