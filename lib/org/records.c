#include "lib/org/records.h"

#include <cdb.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/org/digest.h"

#define TEXT_MAX   ((size_t)512 * 1024 * 1024)
#define FIRST_ROOM ((size_t)1024)

struct record {
	uint32_t key; /* where they stand in `text`; the value behind the key */
	uint32_t key_len;
	uint32_t value_len;
	unsigned line;
};

struct records {
	struct record *record;
	size_t n;
	size_t room;
	struct buf text;
	bool failed;
};

struct records *records_new(void)
{
	struct records *r = calloc(1, sizeof *r);

	if (r != NULL)
		buf_init(&r->text, TEXT_MAX);
	return r;
}

void records_free(struct records *r)
{
	if (r == NULL)
		return;
	free(r->record);
	buf_free(&r->text);
	free(r);
}

/* ---- collecting ---- */

static bool make_room(struct records *r)
{
	size_t room = r->room > 0 ? 2 * r->room : FIRST_ROOM;
	struct record *bigger;

	if (r->n < r->room)
		return true;
	bigger = reallocarray(r->record, room, sizeof *bigger);
	if (bigger == NULL)
		return false;
	r->record = bigger;
	r->room = room;
	return true;
}

void records_add(
    struct records *r, const struct record_key *key, const void *value, size_t value_len)
{
	char kind = (char)key->kind;
	struct record record = {.key = (uint32_t)r->text.len, .line = key->line};

	if (r->failed || !make_room(r)) {
		r->failed = true;
		return;
	}
	buf_add(&r->text, &kind, 1);
	if (key->scope != NULL)
		buf_add(&r->text, key->scope, strlen(key->scope) + 1);
	buf_add_text(&r->text, key->prefix);
	buf_add_text(&r->text, key->text);
	record.key_len = (uint32_t)(r->text.len - record.key);
	buf_add(&r->text, value, value_len);
	record.value_len = (uint32_t)value_len;
	r->failed = !buf_ok(&r->text);
	r->record[r->n++] = record;
}

/* ---- joining ---- */

static const char *key_of(const struct records *r, const struct record *record)
{
	return r->text.bytes + record->key;
}

static const char *value_of(const struct records *r, const struct record *record)
{
	return r->text.bytes + record->key + record->key_len;
}

static int order(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int by_bytes = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return by_bytes != 0 ? by_bytes : (a_len > b_len) - (a_len < b_len);
}

static int record_order(const void *a, const void *b, void *context)
{
	const struct records *r = context;
	const struct record *x = a, *y = b;
	int by_key = order(key_of(r, x), x->key_len, key_of(r, y), y->key_len);
	int by_value;

	if (by_key != 0)
		return by_key;
	by_value = order(value_of(r, x), x->value_len, value_of(r, y), y->value_len);
	return by_value != 0 ? by_value : (x->line > y->line) - (x->line < y->line);
}

static bool same_key(const struct records *r, const struct record *a, const struct record *b)
{
	return order(key_of(r, a), a->key_len, key_of(r, b), b->key_len) == 0;
}

/* In which file the key stands, and what is to be said of it; `text` is what of it is shown. */
static void describe(const struct records *r, const struct record *record, char *file, size_t room,
    const char **text)
{
	const char *key = key_of(r, record) + 1;
	const char *folder = "";

	*text = key;
	switch ((enum org_kind)key[-1]) {
	case ORG_KIND_CLASS:
		folder = "etc/domains";
		break;
	case ORG_KIND_TLS:
		folder = "etc/tables/tls";
		break;
	case ORG_KIND_HOLIDAY:
		folder = "etc/holidays";
		break;
	case ORG_KIND_PARTNER:
	case ORG_KIND_COMPANY:
		folder = "etc/partners";
		break;
	case ORG_KIND_ROW:
		*text = key + strlen(key) + 1;
		(void)snprintf(file, room, "etc/tables/%s", key);
		return;
	case ORG_KIND_LIST:
	case ORG_KIND_VERSION:
	case ORG_KIND_GROUPS:
	case ORG_KIND_MEMBERS:
	case ORG_KIND_SHARERS:
	case ORG_KIND_SENDS_AS:
	case ORG_KIND_OWN:
		break; /* are joined */
	case ORG_KIND_PERSON:
	case ORG_KIND_LOGIN:
	case ORG_KIND_LOGIN_OF:
	case ORG_KIND_BOSSES:
	case ORG_KIND_DEPUTIES:
		folder = "etc/people";
		break;
	}
	(void)snprintf(file, room, "%s", folder);
}

static bool blame_twice(const struct records *r, const struct record *a, const struct record *b,
    struct conf_fault *fault)
{
	const struct record *first = a->line < b->line ? a : b;
	const struct record *second = first == a ? b : a;
	const char *text;

	*fault = (struct conf_fault){.line = 0};
	describe(r, second, fault->file, sizeof fault->file, &text);
	return conf_blame(fault, second->line, 0, "%.*s stands in line %u already",
	    (int)(second->key_len - (size_t)(text - key_of(r, second))), text, first->line);
}

static bool is_shared(const struct records *r, const struct record *record)
{
	return ((unsigned char)value_of(r, record)[0] & ORG_PERSON_SHARED) != 0;
}

/* Kinds of which different values of one key stand behind each other. */
static bool is_joined(char kind)
{
	return kind == ORG_KIND_GROUPS || kind == ORG_KIND_MEMBERS || kind == ORG_KIND_SHARERS ||
	       kind == ORG_KIND_SENDS_AS || kind == ORG_KIND_OWN;
}

/* Two records of one key, in order. Leaves what is kept in `*a`; `*both`: both are. */
static bool join(const struct records *r, struct record *a, struct record *b, bool *both,
    struct conf_fault *fault)
{
	char kind = key_of(r, a)[0];

	*both = false;
	if (kind == ORG_KIND_LIST)
		return true;
	if (is_joined(kind)) {
		*both = order(value_of(r, a), a->value_len, value_of(r, b), b->value_len) != 0;
		return true;
	}
	if (kind == ORG_KIND_PERSON && (is_shared(r, a) || is_shared(r, b))) {
		if (is_shared(r, a))
			*a = *b;
		return true;
	}
	return blame_twice(r, a, b, fault);
}

bool records_close(struct records *r, struct conf_fault *fault)
{
	size_t kept = 0;

	if (r->failed) {
		*fault = (struct conf_fault){.file = "etc"};
		return conf_blame(fault, 0, 0, "no memory for what its files say");
	}
	if (r->n > 0)
		qsort_r(r->record, r->n, sizeof *r->record, record_order, r);
	for (size_t i = 0; i < r->n; i++) {
		bool both = true;

		if (kept > 0 && same_key(r, &r->record[kept - 1], &r->record[i]) &&
		    !join(r, &r->record[kept - 1], &r->record[i], &both, fault))
			return false;
		if (both)
			r->record[kept++] = r->record[i];
	}
	r->n = kept;
	return true;
}

/* ---- writing ---- */

/* One record, or all groups of an address. Returns how many were taken; 0: errno. */
static size_t put(const struct records *r, size_t at, struct cdb_make *cdb, struct buf *joined)
{
	const struct record *first = &r->record[at];
	size_t n = 0;

	buf_clear(joined);
	do {
		buf_add(joined, value_of(r, first + n), first[n].value_len);
		n++;
	} while (at + n < r->n && same_key(r, first, first + n));
	if (!buf_ok(joined)) {
		errno = ENOMEM;
		return 0;
	}
	return cdb_make_add(cdb, key_of(r, first), first->key_len,
		   joined->len > 0 ? joined->bytes : "", (unsigned)joined->len) == 0
		   ? n
		   : 0;
}

static bool put_version(struct cdb_make *cdb, struct org_counts counts)
{
	static const char key = ORG_KIND_VERSION;
	const size_t len = strlen(ORG_VERSION);
	unsigned char value[sizeof ORG_VERSION + 3 * ORG_NUMBER];

	memcpy(value, ORG_VERSION, len);
	cdb_pack(counts.people, value + len);
	cdb_pack(counts.addresses, value + len + ORG_NUMBER);
	cdb_pack(counts.partners, value + len + 2 * ORG_NUMBER);
	return cdb_make_add(cdb, &key, 1, value, (unsigned)(len + 3 * ORG_NUMBER)) == 0;
}

static bool put_all(const struct records *r, int fd, struct org_counts counts)
{
	struct cdb_make cdb;
	struct buf joined;
	size_t at = 0, n = 1;
	bool good;

	if (cdb_make_start(&cdb, fd) != 0)
		return false;
	buf_init(&joined, TEXT_MAX);
	good = put_version(&cdb, counts);
	for (; good && at < r->n && n > 0; at += n)
		n = put(r, at, &cdb, &joined);
	buf_free(&joined);
	/* It frees what it has, whatever happened before. */
	return cdb_make_finish(&cdb) == 0 && good && n > 0;
}

bool records_write(const struct records *r, int fd, struct org_counts counts)
{
	char tail[ORG_MARK_LEN + DIGEST_HEX];
	const ssize_t len = (ssize_t)(ORG_MARK_LEN + ORG_SUM_LEN);
	uint64_t size;

	errno = 0;
	if (!put_all(r, fd, counts) || !digest_file(fd, UINT64_MAX, tail + ORG_MARK_LEN, &size)) {
		errno = errno != 0 ? errno : ENOMEM;
		return false;
	}
	memcpy(tail, ORG_MARK, ORG_MARK_LEN);
	errno = EIO; /* of a short write */
	return pwrite(fd, tail, (size_t)len, (off_t)size) == len;
}
