#include "lib/hold/index_inside.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/base/xtext.h"
#include "lib/text/fold.h"

#define SUBJECT_MAX   ((size_t)96) /* bytes of it that are kept; recipients get the rest */
#define QUERY_MAX     ((size_t)1024)
#define BUCKETS_LEAST ((size_t)64)

/* Between the subject and each recipient: no query has one. */
#define PART '\n'

/* ---- tables ------------------------------------------------------------------------------- */

static size_t hash_of(const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
	return (size_t)(hash ^ hash >> 32);
}

/* Ids are random behind their time: no leg of a stranger chooses its bucket. */
static size_t hash_id(const unsigned char id[INDEX_ID_BYTES])
{
	return hash_of(id, INDEX_ID_BYTES);
}

static void **bucket_of(const struct table *table, size_t hash)
{
	return &table->bucket[hash & (table->buckets - 1)];
}

typedef void **table_next(void *entry);
typedef size_t table_hash(const void *entry);

/* Makes room for one more. False: no memory. */
static bool table_grow(struct table *table, table_next *next, table_hash *hash)
{
	size_t more = table->buckets == 0 ? BUCKETS_LEAST : 2 * table->buckets;
	struct table grown = {.buckets = more, .n = table->n};

	if (table->n < table->buckets)
		return true;
	grown.bucket = calloc(more, sizeof *grown.bucket);
	if (grown.bucket == NULL)
		return false;
	for (size_t i = 0; i < table->buckets; i++) {
		void *entry = table->bucket[i];

		while (entry != NULL) {
			void *rest = *next(entry), **bucket = bucket_of(&grown, hash(entry));

			*next(entry) = *bucket;
			*bucket = entry;
			entry = rest;
		}
	}
	free(table->bucket);
	*table = grown;
	return true;
}

static void table_add(struct table *table, void *entry, table_next *next, table_hash *hash)
{
	void **bucket = bucket_of(table, hash(entry));

	*next(entry) = *bucket;
	*bucket = entry;
	table->n++;
}

static void table_take(struct table *table, void *entry, table_next *next, table_hash *hash)
{
	void **at = bucket_of(table, hash(entry));

	while (*at != entry)
		at = next(*at);
	*at = *next(entry);
	table->n--;
}

/* The links of the four kinds of entries. */
static void **row_next_id(void *entry)
{
	return &((struct row *)entry)->next_id;
}

static size_t row_hash_id(const void *entry)
{
	return hash_id(((const struct row *)entry)->id);
}

static void **row_next_group(void *entry)
{
	return &((struct row *)entry)->next_group;
}

static size_t hash_group(uint64_t group)
{
	return hash_of(&group, sizeof group);
}

static size_t row_hash_group(const void *entry)
{
	return hash_group(((const struct row *)entry)->group);
}

static void **set_next(void *entry)
{
	return &((struct set *)entry)->next_hash;
}

static size_t set_hash(const void *entry)
{
	return ((const struct set *)entry)->hash;
}

static void **person_next(void *entry)
{
	return &((struct person *)entry)->next_hash;
}

static size_t person_hash(const void *entry)
{
	return ((const struct person *)entry)->hash;
}

/* ---- people ------------------------------------------------------------------------------- */

struct person *index_person(const struct index *index, const char *address)
{
	size_t hash = hash_of(address, strlen(address));
	struct person *p = index->persons.n > 0 ? *bucket_of(&index->persons, hash) : NULL;

	while (p != NULL && (p->hash != hash || strcmp(p->address, address) != 0))
		p = p->next_hash;
	return p;
}

static struct person *make_person(struct index *index, const char *address)
{
	struct person *p = index_person(index, address);
	size_t len = strlen(address) + 1;

	if (p != NULL || !table_grow(&index->persons, person_next, person_hash))
		return p;
	p = malloc(sizeof *p + len);
	if (p == NULL)
		return NULL;
	*p = (struct person){.hash = hash_of(address, len - 1)};
	memcpy(p->address, address, len);
	table_add(&index->persons, p, person_next, person_hash);
	return p;
}

static void drop_person(struct index *index, struct person *p)
{
	if (p->members != NULL)
		return;
	if (p->sorted != NULL)
		index_sorted_drop(index, p->sorted);
	table_take(&index->persons, p, person_next, person_hash);
	free(p);
}

/* Those of one leg, as they are handed in. */
struct people {
	const char *const *address;
	size_t senders, asked;
};

static size_t hash_people(const struct people *people)
{
	size_t hash = people->senders;

	for (size_t i = 0; i < people->senders + people->asked; i++)
		hash = hash * 31 + hash_of(people->address[i], strlen(people->address[i]));
	return hash;
}

static bool same_people(const struct set *set, const struct people *people)
{
	if (set->members != people->senders + people->asked)
		return false;
	for (size_t i = 0; i < set->members; i++) {
		if (set->member[i].asked != (i >= people->senders) ||
		    strcmp(set->member[i].person->address, people->address[i]) != 0)
			return false;
	}
	return true;
}

static void drop_set(struct index *index, struct set *set)
{
	if (set->rows != NULL)
		return;
	table_take(&index->sets, set, set_next, set_hash);
	for (size_t i = 0; i < set->members; i++) {
		struct member *m = &set->member[i];

		if (m->prev != NULL)
			m->prev->next = m->next;
		else
			m->person->members = m->next;
		if (m->next != NULL)
			m->next->prev = m->prev;
		drop_person(index, m->person);
	}
	free(set);
}

static bool join(struct index *index, struct set *set, const char *address, bool asked)
{
	struct person *p = make_person(index, address);
	struct member *m = &set->member[set->members];

	if (p == NULL)
		return false;
	*m = (struct member){.person = p, .set = set, .next = p->members, .asked = asked};
	if (m->next != NULL)
		m->next->prev = m;
	p->members = m;
	set->members++;
	return true;
}

/* The set of these people, made if there is none. NULL: no memory. */
static struct set *set_of(struct index *index, const struct people *people)
{
	size_t hash = hash_people(people), n = people->senders + people->asked, room;
	struct set *set = index->sets.n > 0 ? *bucket_of(&index->sets, hash) : NULL;

	while (set != NULL && (set->hash != hash || !same_people(set, people)))
		set = set->next_hash;
	if (set != NULL || !table_grow(&index->sets, set_next, set_hash) ||
	    !size_mul(n, sizeof set->member[0], &room) || !size_add(room, sizeof *set, &room))
		return set;
	set = malloc(room);
	if (set == NULL)
		return NULL;
	*set = (struct set){.hash = hash};
	table_add(&index->sets, set, set_next, set_hash);
	for (size_t i = 0; i < n; i++) {
		if (!join(index, set, people->address[i], i >= people->senders)) {
			drop_set(index, set);
			return NULL;
		}
	}
	return set;
}

/* ---- what a query looks at ---------------------------------------------------------------- */

/* Adds the text, folded, up to `most` bytes in whole letters. False: not all of it is there. */
static bool add_folded(
    char into[INDEX_TEXT_MAX], size_t *len, const char *text, size_t text_len, size_t most)
{
	char *fold = fold_for_search(text, text_len);
	size_t n = fold != NULL ? strlen(fold) : 0, whole = n;

	if (*len + n + 1 > most)
		whole = *len + 1 < most ? most - *len - 1 : 0;
	while (whole < n && whole > 0 && ((unsigned char)fold[whole] & 0xc0) == 0x80)
		whole--;
	if (whole > 0) {
		memcpy(into + *len, fold, whole);
		*len += whole;
		into[(*len)++] = PART;
	}
	free(fold);
	return whole == n && fold != NULL;
}

static void add_subject(const struct leg *leg, char into[INDEX_TEXT_MAX], size_t *len)
{
	struct leg_record record;
	const char *value = NULL, *last;
	size_t at = 0, value_len = 0, n, last_len;
	char subject[1024];

	while (leg_next_record(leg, &at, &record)) {
		if (!leg_record_is(&record, "about"))
			continue;
		last = leg_record_value(&record, "subject", &last_len);
		value = last != NULL && last_len <= sizeof subject ? last : NULL;
		value_len = value != NULL ? last_len : 0;
	}
	if (value != NULL && xtext_decode(value, value_len, subject, &n))
		(void)add_folded(into, len, subject, n, SUBJECT_MAX);
}

/* The subject and as many recipients as there is room for. False: some were left out. */
static bool text_of(const struct leg *leg, char into[INDEX_TEXT_MAX], size_t *len)
{
	*len = 0;
	add_subject(leg, into, len);
	for (size_t i = 0; i < leg->rcpts; i++) {
		const char *address = leg->rcpt[i].address;

		if (!add_folded(into, len, address, strlen(address), INDEX_TEXT_MAX))
			return false;
	}
	return true;
}

/* ---- legs --------------------------------------------------------------------------------- */

struct index *index_new(void)
{
	return calloc(1, sizeof(struct index));
}

static void drop_row(struct index *index, struct row *row)
{
	struct set *set = row->set;

	index_sorted_take(index, row);
	table_take(&index->ids, row, row_next_id, row_hash_id);
	if (row->group != 0)
		table_take(&index->groups, row, row_next_group, row_hash_group);
	if (row->prev != NULL)
		row->prev->next = row->next;
	else
		set->rows = row->next;
	if (row->next != NULL)
		row->next->prev = row->prev;
	drop_set(index, set);
	free(row);
}

void index_free(struct index *index)
{
	if (index == NULL)
		return;
	for (size_t i = 0; i < index->ids.buckets; i++) {
		while (index->ids.bucket[i] != NULL)
			drop_row(index, index->ids.bucket[i]);
	}
	free(index->ids.bucket);
	free(index->groups.bucket);
	free(index->sets.bucket);
	free(index->persons.bucket);
	free(index);
}

static struct row *rows_of_id(const struct index *index, const unsigned char id[INDEX_ID_BYTES])
{
	return index->ids.n > 0 ? *bucket_of(&index->ids, hash_id(id)) : NULL;
}

static struct row *find_row(const struct index *index, const struct leg_name *name)
{
	unsigned char id[INDEX_ID_BYTES];
	size_t k_len = strlen(name->k);
	struct row *row;

	if (!hex_decode(name->id, id, INDEX_ID_BYTES))
		return NULL;
	row = rows_of_id(index, id);
	while (row != NULL && (memcmp(row->id, id, INDEX_ID_BYTES) != 0 || row->k_len != k_len ||
				  memcmp(row->text, name->k, k_len) != 0))
		row = row->next_id;
	return row;
}

static struct row *make_row(
    enum spool_state state, const struct leg *leg, uint64_t group, unsigned risk)
{
	char text[INDEX_TEXT_MAX];
	size_t len, k_len = strlen(leg->name.k);
	bool all = text_of(leg, text, &len);
	struct row *row = malloc(sizeof *row + k_len + len);

	if (row == NULL)
		return NULL;
	*row = (struct row){.state = (unsigned char)state,
	    .due = leg->name.due,
	    .group = group,
	    .cut = !all,
	    .risk = (unsigned char)(risk < INDEX_RISKS ? risk : INDEX_RISKS - 1),
	    .k_len = (unsigned char)k_len,
	    .text_len = (unsigned char)len};
	memcpy(row->text, leg->name.k, k_len);
	memcpy(row->text + k_len, text, len);
	if (!hex_decode(leg->name.id, row->id, INDEX_ID_BYTES)) {
		free(row);
		return NULL;
	}
	return row;
}

bool index_put(struct index *index, enum spool_state state, const struct leg *leg,
    const char *const *people, size_t senders, size_t asked, uint64_t group, unsigned risk)
{
	struct row *row;

	index_remove(index, &leg->name);
	row = make_row(state, leg, group, risk);
	if (row == NULL)
		return false;
	if (table_grow(&index->ids, row_next_id, row_hash_id) &&
	    (group == 0 || table_grow(&index->groups, row_next_group, row_hash_group)))
		row->set = set_of(index,
		    &(const struct people){.address = people, .senders = senders, .asked = asked});
	if (row->set == NULL) {
		free(row);
		return false;
	}

	row->next = row->set->rows;
	if (row->next != NULL)
		row->next->prev = row;
	row->set->rows = row;
	table_add(&index->ids, row, row_next_id, row_hash_id);
	if (group != 0)
		table_add(&index->groups, row, row_next_group, row_hash_group);
	index_sorted_add(index, row);
	return true;
}

void index_remove(struct index *index, const struct leg_name *name)
{
	struct row *row = find_row(index, name);

	if (row != NULL)
		drop_row(index, row);
}

void index_rename(struct index *index, const struct leg_name *name)
{
	struct row *row = find_row(index, name);

	if (row != NULL)
		row->due = name->due;
}

void index_moved(struct index *index, const struct leg_name *name, enum spool_state state)
{
	struct row *row = find_row(index, name);

	if (row == NULL)
		return;
	row->due = DUE_NONE;
	row->state = (unsigned char)state;
	index_sorted_touch(index, row);
}

bool index_gone(struct index *index, struct leg_name *name, enum spool_state *state)
{
	struct row *row = find_row(index, name);

	if (row == NULL)
		return false;
	if (row->due == name->due && row->state == (unsigned char)*state) {
		drop_row(index, row);
		return false;
	}
	name->due = row->due;
	*state = (enum spool_state)row->state;
	return true;
}

size_t index_count(const struct index *index)
{
	return index->ids.n;
}

/* ---- questions ---------------------------------------------------------------------------- */

struct leg_name index_name_of(const struct row *row)
{
	struct leg_name name = {.due = row->due};

	hex_encode(row->id, INDEX_ID_BYTES, name.id);
	memcpy(name.k, row->text, row->k_len);
	return name;
}

static int newest_first(const void *a, const void *b)
{
	const struct row *const *left = a, *const *right = b;
	int order = memcmp((*right)->id, (*left)->id, INDEX_ID_BYTES);
	size_t k_len = (*left)->k_len < (*right)->k_len ? (*left)->k_len : (*right)->k_len;

	if (order == 0)
		order = memcmp((*left)->text, (*right)->text, k_len);
	return order != 0 ? order : (int)(*left)->k_len - (int)(*right)->k_len;
}

static bool wanted(const struct member *m, unsigned as)
{
	return (as & (m->asked ? INDEX_ASKED : INDEX_SENDER)) != 0;
}

/* All rows of a person, in order; who is in a set twice has them twice. `*n` 0 with NULL: none. */
static struct row **rows_of(const struct person *p, unsigned as, size_t *n)
{
	struct row **rows;
	size_t all = 0;

	for (const struct member *m = p->members; m != NULL; m = m->next) {
		for (struct row *row = wanted(m, as) ? m->set->rows : NULL; row != NULL;
		     row = row->next)
			all++;
	}
	*n = all;
	rows = all > 0 ? reallocarray(NULL, all, sizeof *rows) : NULL;
	if (rows == NULL)
		return NULL;
	all = 0;
	for (const struct member *m = p->members; m != NULL; m = m->next) {
		for (struct row *row = wanted(m, as) ? m->set->rows : NULL; row != NULL;
		     row = row->next)
			rows[all++] = row;
	}
	qsort(rows, all, sizeof(*rows), newest_first);
	return rows;
}

char *index_fold(const char *query)
{
	size_t len = strlen(query);

	return fold_for_search(query, len < QUERY_MAX ? len : QUERY_MAX);
}

struct index_query {
	char *folded;
};

struct index_query *index_query_new(const char *query)
{
	struct index_query *q = malloc(sizeof *q);

	if (q == NULL)
		return NULL;
	q->folded = index_fold(query);
	if (q->folded != NULL)
		return q;
	free(q);
	return NULL;
}

void index_query_free(struct index_query *query)
{
	if (query == NULL)
		return;
	free(query->folded);
	free(query);
}

bool index_query_in(const struct index_query *query, const char *text)
{
	char *in = fold_for_search(text, strlen(text));
	bool found = in != NULL && strstr(in, query->folded) != NULL;

	free(in);
	return found;
}

void index_of_person(
    const struct index *index, const char *address, bool asked, index_see *see, void *context)
{
	const struct person *p = index_person(index, address);
	size_t n = 0;
	struct row **rows =
	    p != NULL ? rows_of(p, asked ? INDEX_ASKED : INDEX_ASKED | INDEX_SENDER, &n) : NULL;
	bool more = rows != NULL; /* without memory he is not found: nothing depends on it */

	for (size_t i = 0; i < n && more; i++) {
		struct leg_name name = index_name_of(rows[i]);

		if (i == 0 || rows[i] != rows[i - 1])
			more = see(context, (enum spool_state)rows[i]->state, &name);
	}
	free(rows);
}

void index_of_message(const struct index *index, const char *id, index_see *see, void *context)
{
	unsigned char bytes[INDEX_ID_BYTES];
	uint64_t group = 0;

	if (!id_valid(id, strlen(id)) || !hex_decode(id, bytes, INDEX_ID_BYTES))
		return;
	for (const struct row *row = rows_of_id(index, bytes); row != NULL; row = row->next_id) {
		struct leg_name name = index_name_of(row);

		if (memcmp(row->id, bytes, INDEX_ID_BYTES) != 0)
			continue;
		if (group == 0)
			group = row->group;
		if (!see(context, (enum spool_state)row->state, &name))
			return;
	}
	if (group == 0)
		return;
	for (const struct row *row = *bucket_of(&index->groups, hash_group(group)); row != NULL;
	     row = row->next_group) {
		struct leg_name name = index_name_of(row);

		if (row->group == group && memcmp(row->id, bytes, INDEX_ID_BYTES) != 0 &&
		    !see(context, (enum spool_state)row->state, &name))
			return;
	}
}
