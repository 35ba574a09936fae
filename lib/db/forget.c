/* What nobody has touched for long is forgotten: a little at a time, so that nobody waits for it. */
#include <string.h>

#include "lib/db/inside.h"
#include "lib/db/sent.h"

#define LOOKED_AT 5000 /* pairs of one time */
#define FORGOTTEN 500  /* of them that are taken away */

/* Where the time stands in a value: of a count behind it. */
static const enum store_table tables[] = {
    STORE_COUNT, STORE_NAME, STORE_SENDER, STORE_DAY, STORE_SENT};

struct forgetting {
	struct history *h;
	enum store_table table;
	int64_t before; /* seconds */
	char before_day[DAY_TEXT];
	size_t looked;
	bool ended;      /* the table has no more */
	struct buf keys; /* length and bytes of each that is old */
	size_t n;
};

static bool is_old(
    const struct forgetting *f, const char *key, size_t key_len, const char *value, size_t len)
{
	switch (f->table) {
	case STORE_COUNT:
		return (int64_t)numbers_at(value, len, 1) < f->before;
	case STORE_NAME:
		return (int64_t)numbers_at(value, len, 0) < f->before;
	case STORE_SENDER:
		return key[0] == 'm' && (int64_t)numbers_at(value, len, 0) < f->before;
	case STORE_DAY:
		return key[0] != 'm' && key_len >= DAY_TEXT &&
		       memcmp(key + 1, f->before_day, DAY_TEXT - 1) < 0;
	case STORE_SENT:
		return sent_old(value, len, f->before);
	case STORE_META:
	case STORE_TABLES:
		break;
	}
	return false;
}

static bool look_at(void *context, const char *key, size_t key_len, const char *value, size_t len)
{
	struct forgetting *f = context;
	struct history *h = f->h;

	if (key_len > sizeof h->forget_from)
		return true; /* none of ours */
	if (f->looked == LOOKED_AT || f->n == FORGOTTEN) {
		/* Here it goes on. */
		memcpy(h->forget_from, key, key_len);
		h->forget_len = key_len;
		f->ended = false;
		return false;
	}
	f->looked++;
	if (is_old(f, key, key_len, value, len)) {
		buf_add(&f->keys, &key_len, sizeof key_len);
		buf_add(&f->keys, key, key_len);
		f->n++;
	}
	return true;
}

/* A recipient to whom nobody wrote is not known any more. */
static void unknow(struct history *h, const char *key, size_t len)
{
	char address[STORE_KEY_MAX + 1];

	memcpy(address, key + 1, len - 1);
	address[len - 1] = '\0';
	look_remove(h->look, address);
}

static bool delete_all(struct forgetting *f)
{
	size_t at = 0, len;

	while (at < f->keys.len) {
		const char *key = f->keys.bytes + at + sizeof len;

		memcpy(&len, f->keys.bytes + at, sizeof len);
		if (!store_delete(f->h->store, f->table, key, len))
			return false;
		if (f->table == STORE_COUNT && len > 0 && key[0] == 'a')
			unknow(f->h, key, len);
		at += sizeof len + len;
	}
	return true;
}

static bool forget(struct forgetting *f)
{
	struct history *h = f->h;

	f->ended = true;
	if (!store_walk(h->store, f->table, h->forget_from, h->forget_len, look_at, f) ||
	    !buf_ok(&f->keys))
		return false;
	if (f->ended) {
		h->forget_len = 0;
		h->forget_table = (h->forget_table + 1) % COUNT_OF(tables);
	}
	if (f->n == 0)
		return true;
	if (!store_begin(h->store))
		return false;
	if (delete_all(f))
		return store_commit(h->store);
	store_abort(h->store);
	return false;
}

bool history_forget(struct history *h, int64_t now)
{
	struct forgetting f = {.h = h, .table = tables[h->forget_table]};
	int64_t keep = f.table == STORE_SENT ? h->keep_sent : h->keep;
	bool good;

	if (keep <= 0) { /* for ever: the next table's turn */
		h->forget_table = (h->forget_table + 1) % COUNT_OF(tables);
		h->forget_len = 0;
		return true;
	}
	f.before = now - keep;
	days_text(f.before, 0, f.before_day);
	buf_init(&f.keys, FORGOTTEN * (STORE_KEY_MAX + sizeof(size_t)));
	good = forget(&f);
	buf_free(&f.keys);
	return good;
}
