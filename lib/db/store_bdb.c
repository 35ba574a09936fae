/*
 * Berkeley DB 5.3 with transactions. This process is the only opener, by a lock on the directory; so
 * there are no locks within, the regions are private memory, and each start is a recovery. Pages carry
 * checksums: what a disk has forgotten is found, and not counted.
 */
#include <db.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/db/store.h"

#define CACHE_BYTES   ((uint32_t)32 << 20)
#define LOG_FILE      ((uint32_t)4 << 20)
#define LOG_BUFFER    ((uint32_t)1 << 20)
#define CHECKPOINT_KB 1024 /* of log, behind which a checkpoint is worth it */
#define CHECKPOINT_M  10   /* or so many minutes */
#define MODE          0600

static const char *const files[STORE_TABLES] = {
    [STORE_META] = "meta.db",
    [STORE_COUNT] = "count.db",
    [STORE_SENDER] = "sender.db",
    [STORE_NAME] = "name.db",
    [STORE_DAY] = "day.db",
    [STORE_SENT] = "sent.db",
};

struct store {
	int dir; /* locked as long as we are here */
	DB_ENV *env;
	DB *table[STORE_TABLES];
	DB_TXN *txn;
	char said[256]; /* by the library, last */
};

/* ---- what is wrong ---- */

static void hear(const DB_ENV *env, const char *prefix, const char *text)
{
	struct store *s = env->app_private;

	(void)prefix;
	(void)snprintf(s->said, sizeof s->said, "%s", text);
}

static bool passes(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case ENOMEM:
	case EACCES:
	case EPERM:
	case EROFS:
	case EMFILE:
	case ENFILE:
	case EAGAIN:
	case EBUSY:
	case EINTR:
		return true;
	default:
		return false;
	}
}

/* Logs it. A library that has lost its footing would only fail from now on: better anew. */
static bool failed(struct store *s, const char *what, int error)
{
	LOG_ALARM("history-failed", kv("what", what), kv("error", db_strerror(error)),
	    kv("text", s->said));
	if (error == DB_RUNRECOVERY) {
		errno = EIO;
		die_environ("the database is to be recovered");
	}
	s->said[0] = '\0';
	return false;
}

/* ---- opening ---- */

static int open_env(struct store *s, const char *dir)
{
	DB_ENV *env;
	int error = db_env_create(&env, 0);

	if (error != 0)
		return error;
	s->env = env;
	env->app_private = s;
	env->set_errcall(env, hear);
	if ((error = env->set_cachesize(env, 0, CACHE_BYTES, 1)) != 0 ||
	    (error = env->set_lg_max(env, LOG_FILE)) != 0 ||
	    (error = env->set_lg_bsize(env, LOG_BUFFER)) != 0 ||
	    (error = env->log_set_config(env, DB_LOG_AUTO_REMOVE, 1)) != 0)
		return error;
	return env->open(env, dir,
	    DB_CREATE | DB_INIT_MPOOL | DB_INIT_LOG | DB_INIT_TXN | DB_RECOVER | DB_PRIVATE, MODE);
}

static int open_table(struct store *s, enum store_table table)
{
	DB *db;
	int error = db_create(&db, s->env, 0);

	if (error != 0)
		return error;
	s->table[table] = db;
	error = db->set_flags(db, DB_CHKSUM | (table == STORE_SENT ? DB_RECNUM : 0));
	if (error == 0)
		error = db->open(
		    db, NULL, files[table], NULL, DB_BTREE, DB_CREATE | DB_AUTO_COMMIT, MODE);
	return error;
}

static int open_all(struct store *s, const char *dir)
{
	int error = open_env(s, dir);

	for (unsigned i = 0; i < STORE_TABLES && error == 0; i++)
		error = open_table(s, (enum store_table)i);
	return error;
}

enum store_opening store_open(const char *dir, struct store **store, char *fault, size_t room)
{
	struct store *s = calloc(1, sizeof *s);
	int error;

	*store = NULL;
	if (s == NULL) {
		(void)snprintf(fault, room, "no memory");
		return STORE_UNABLE;
	}
	s->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir < 0 || flock(s->dir, LOCK_EX | LOCK_NB) != 0) {
		(void)snprintf(fault, room, "%s: %s", dir,
		    errno == EWOULDBLOCK ? "another program has it" : strerrordesc_np(errno));
		store_close(s);
		return STORE_UNABLE;
	}
	error = open_all(s, dir);
	if (error == 0) {
		*store = s;
		return STORE_OPEN;
	}
	(void)snprintf(
	    fault, room, "%s%s%s", db_strerror(error), s->said[0] != '\0' ? ": " : "", s->said);
	store_close(s);
	return passes(error) ? STORE_UNABLE : STORE_DAMAGED;
}

void store_close(struct store *s)
{
	int error = 0, last;

	if (s->txn != NULL)
		store_abort(s);
	for (unsigned i = 0; i < STORE_TABLES; i++) {
		if (s->table[i] == NULL)
			continue;
		last = s->table[i]->close(s->table[i], 0);
		error = last != 0 ? last : error;
	}
	if (s->env != NULL) {
		if (s->table[STORE_TABLES - 1] != NULL) /* else it was never opened */
			(void)s->env->txn_checkpoint(s->env, 0, 0, DB_FORCE);
		last = s->env->close(s->env, 0);
		error = last != 0 ? last : error;
	}
	/* The log has it all. */
	if (error != 0)
		LOG("history-unclosed", kv("error", db_strerror(error)));
	if (s->dir >= 0)
		(void)close(s->dir);
	free(s);
}

/* ---- reading ---- */

static DBT thing(const void *bytes, size_t len)
{
	return (DBT){.data = (void *)(uintptr_t)bytes, .size = (uint32_t)len};
}

enum store_found store_get(struct store *s, enum store_table table, const void *key, size_t key_len,
    void *value, size_t room, size_t *len)
{
	DB *db = s->table[table];
	DBT k = thing(key, key_len);
	DBT v = {.data = value, .ulen = (uint32_t)room, .flags = DB_DBT_USERMEM};
	int error = db->get(db, s->txn, &k, &v, 0);

	if (error == 0) {
		*len = v.size;
		return STORE_FOUND;
	}
	if (error == DB_NOTFOUND)
		return STORE_NONE;
	(void)failed(s, "get", error);
	return STORE_FAILED;
}

/* From where `how` and the key say, which is overwritten. */
static bool walk(
    struct store *s, enum store_table table, DBT k, uint32_t how, store_see *see, void *context)
{
	DB *db = s->table[table];
	DBT v = {.data = NULL};
	DBC *cursor;
	int error = db->cursor(db, s->txn, &cursor, 0), closed;

	if (error != 0)
		return failed(s, "cursor", error);
	while ((error = cursor->get(cursor, &k, &v, how)) == 0) {
		how = DB_NEXT;
		if (!see(context, k.data, k.size, v.data, v.size))
			break;
	}
	closed = cursor->close(cursor);
	if (error == 0 || error == DB_NOTFOUND)
		error = closed;
	return error == 0 || failed(s, "walk", error);
}

bool store_walk(struct store *s, enum store_table table, const void *from, size_t from_len,
    store_see *see, void *context)
{
	return walk(s, table, thing(from, from_len), DB_SET_RANGE, see, context);
}

/* The number of the pair at which the cursor stands, from 1. */
static int number_at(DBC *cursor, uint64_t *number)
{
	db_recno_t at = 0;
	DBT k = {.data = NULL}, v = {.data = &at, .ulen = sizeof at, .flags = DB_DBT_USERMEM};
	int error = cursor->get(cursor, &k, &v, DB_GET_RECNO);

	*number = at;
	return error;
}

bool store_rank(
    struct store *s, enum store_table table, const void *key, size_t key_len, uint64_t *rank)
{
	DB *db = s->table[table];
	DBT k = thing(key, key_len), v = {.flags = DB_DBT_PARTIAL};
	DBC *cursor;
	int error = db->cursor(db, s->txn, &cursor, 0), closed;
	uint64_t number = 0;

	if (error != 0)
		return failed(s, "cursor", error);
	error = cursor->get(cursor, &k, &v, DB_SET_RANGE);
	if (error == 0) {
		error = number_at(cursor, &number);
		number--;
	} else if (error == DB_NOTFOUND) {
		error = cursor->get(cursor, &k, &v, DB_LAST);
		if (error == 0)
			error = number_at(cursor, &number);
		else if (error == DB_NOTFOUND)
			error = 0; /* there is none at all */
	}
	closed = cursor->close(cursor);
	*rank = number;
	if (error == 0)
		error = closed;
	return error == 0 || failed(s, "rank", error);
}

bool store_walk_at(
    struct store *s, enum store_table table, uint64_t rank, store_see *see, void *context)
{
	db_recno_t number = (db_recno_t)(rank + 1);

	return rank >= UINT32_MAX ||
	       walk(s, table, thing(&number, sizeof number), DB_SET_RECNO, see, context);
}

/* ---- writing ---- */

bool store_begin(struct store *s)
{
	int error = s->env->txn_begin(s->env, NULL, &s->txn, 0);

	return error == 0 || failed(s, "begin", error);
}

bool store_put(struct store *s, enum store_table table, const void *key, size_t key_len,
    const void *value, size_t len)
{
	DB *db = s->table[table];
	DBT k = thing(key, key_len), v = thing(value, len);
	int error = db->put(db, s->txn, &k, &v, 0);

	return error == 0 || failed(s, "put", error);
}

bool store_delete(struct store *s, enum store_table table, const void *key, size_t key_len)
{
	DB *db = s->table[table];
	DBT k = thing(key, key_len);
	int error = db->del(db, s->txn, &k, 0);

	return error == 0 || error == DB_NOTFOUND || failed(s, "delete", error);
}

bool store_commit(struct store *s)
{
	int error = s->txn->commit(s->txn, DB_TXN_SYNC);

	s->txn = NULL; /* in any case */
	return error == 0 || failed(s, "commit", error);
}

void store_abort(struct store *s)
{
	int error = s->txn->abort(s->txn);

	s->txn = NULL;
	if (error != 0)
		(void)failed(s, "abort", error);
}

void store_checkpoint(struct store *s)
{
	int error = s->env->txn_checkpoint(s->env, CHECKPOINT_KB, CHECKPOINT_M, 0);

	if (error != 0)
		(void)failed(s, "checkpoint", error);
}
