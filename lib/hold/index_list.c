/*
 * A person's list. His rows are kept in order while he asks, and a change puts one in or takes one out; the lines
 * that they come to are kept until something of his changes. So a page takes no longer when there are more.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/hold/index_inside.h"

#define PEOPLE_KEPT  ((size_t)64)  /* whose rows are in order */
#define VIEWS        3             /* lists of one of them: other states, or a query */
#define LOOKED_MAX   ((size_t)100) /* legs of one list whose recipients are not all in the index */
#define ROOM_AT_ONCE ((size_t)64)

struct entry {
	struct row *row;
	unsigned as; /* what the person is to it */
};

struct list_line {
	const struct row *row; /* the newest of its rows */
	uint32_t copies;
	unsigned char risk; /* the highest of theirs */
};

struct view {
	unsigned as, states;
	bool by_risk;
	char *query; /* folded; "" */
	uint64_t version;
	uint64_t asked; /* when it was asked for last, as index->asked counts; 0: it is none */
	struct list_line *line;
	size_t n;
	bool complete;
};

struct sorted {
	struct sorted *prev, *next;
	struct person *person;
	uint64_t asked, version;
	struct entry *entry; /* the oldest first */
	size_t n, room;
	uint64_t counted; /* the version of which `legs` is, and 1; 0: of none */
	size_t legs;      /* in approve/, about which he is asked */
	struct view view[VIEWS];
};

/* ---- order -------------------------------------------------------------------------------- */

static int order(const struct row *a, const struct row *b)
{
	int by_id = memcmp(a->id, b->id, INDEX_ID_BYTES);
	size_t len = a->k_len < b->k_len ? a->k_len : b->k_len;

	/* Of one message the first leg is the newest, so that it comes first. */
	if (by_id == 0)
		by_id = memcmp(b->text, a->text, len);
	return by_id != 0 ? by_id : (int)b->k_len - (int)a->k_len;
}

static int by_order(const void *a, const void *b)
{
	return order(((const struct entry *)a)->row, ((const struct entry *)b)->row);
}

/* Where the row stands, or would. */
static size_t find_entry(const struct sorted *s, const struct row *row)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (order(s->entry[middle].row, row) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has_room(struct sorted *s)
{
	size_t room = s->room + s->room / 2 + ROOM_AT_ONCE;
	struct entry *more;

	if (s->n < s->room)
		return true;
	more = reallocarray(s->entry, room, sizeof *more);
	if (more == NULL)
		return false;
	s->entry = more;
	s->room = room;
	return true;
}

/* ---- keeping it --------------------------------------------------------------------------- */

static void free_view(struct view *v)
{
	free(v->query);
	free(v->line);
	*v = (struct view){.asked = 0};
}

void index_sorted_drop(struct index *index, struct sorted *s)
{
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		index->sorted = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	index->n_sorted--;
	s->person->sorted = NULL;
	for (size_t i = 0; i < VIEWS; i++)
		free_view(&s->view[i]);
	free(s->entry);
	free(s);
}

void index_sorted_add(struct index *index, struct row *row)
{
	for (size_t i = 0; index->sorted != NULL && i < row->set->members; i++) {
		const struct member *m = &row->set->member[i];
		struct sorted *s = m->person->sorted;
		unsigned as = m->asked ? INDEX_ASKED : INDEX_SENDER;
		size_t at;

		if (s == NULL)
			continue;
		s->version++;
		at = find_entry(s, row);
		if (at < s->n && s->entry[at].row == row) {
			s->entry[at].as |= as;
			continue;
		}
		if (!has_room(s)) { /* it is made anew when there is memory */
			index_sorted_drop(index, s);
			continue;
		}
		memmove(&s->entry[at + 1], &s->entry[at], (s->n - at) * sizeof *s->entry);
		s->entry[at] = (struct entry){row, as};
		s->n++;
	}
}

void index_sorted_touch(struct index *index, const struct row *row)
{
	for (size_t i = 0; index->sorted != NULL && i < row->set->members; i++) {
		if (row->set->member[i].person->sorted != NULL)
			row->set->member[i].person->sorted->version++;
	}
}

void index_sorted_take(struct index *index, const struct row *row)
{
	for (size_t i = 0; index->sorted != NULL && i < row->set->members; i++) {
		struct sorted *s = row->set->member[i].person->sorted;
		size_t at = s != NULL ? find_entry(s, row) : 0;

		if (s == NULL || at == s->n || s->entry[at].row != row)
			continue;
		s->version++;
		s->n--;
		memmove(&s->entry[at], &s->entry[at + 1], (s->n - at) * sizeof *s->entry);
	}
}

/* Who was not asked about for the longest makes room. */
static void drop_oldest(struct index *index)
{
	struct sorted *oldest = index->sorted;

	for (struct sorted *s = index->sorted; s != NULL; s = s->next) {
		if (s->asked < oldest->asked)
			oldest = s;
	}
	if (oldest != NULL)
		index_sorted_drop(index, oldest);
}

/* All his rows; each once, also if he is in a set twice. */
static bool fill(struct sorted *s)
{
	size_t kept = 0;

	for (const struct member *m = s->person->members; m != NULL; m = m->next) {
		for (struct row *row = m->set->rows; row != NULL; row = row->next) {
			if (!has_room(s))
				return false;
			s->entry[s->n++] =
			    (struct entry){row, m->asked ? INDEX_ASKED : INDEX_SENDER};
		}
	}
	if (s->n > 0)
		qsort(s->entry, s->n, sizeof *s->entry, by_order);
	for (size_t i = 0; i < s->n; i++) {
		if (kept > 0 && s->entry[kept - 1].row == s->entry[i].row)
			s->entry[kept - 1].as |= s->entry[i].as;
		else
			s->entry[kept++] = s->entry[i];
	}
	s->n = kept;
	return true;
}

/* NULL: no memory. */
static struct sorted *sorted_of(struct index *index, struct person *p)
{
	struct sorted *s = p->sorted;

	if (s == NULL) {
		if (index->n_sorted == PEOPLE_KEPT)
			drop_oldest(index);
		s = calloc(1, sizeof *s);
		if (s == NULL)
			return NULL;
		s->person = p;
		p->sorted = s;
		s->next = index->sorted;
		if (s->next != NULL)
			s->next->prev = s;
		index->sorted = s;
		index->n_sorted++;
		if (!fill(s)) {
			index_sorted_drop(index, s);
			return NULL;
		}
	}
	s->asked = ++index->asked;
	return s;
}

/* ---- looking for something ---------------------------------------------------------------- */

/* Legs that were looked into, as not all of their recipients are in the index. */
struct looks {
	struct look {
		enum spool_state state;
		struct leg_name name;
		bool found;
	} look[LOOKED_MAX];
	size_t n, at;
	bool complete;
};

static bool is_in(const struct row *row, const char *folded, size_t len)
{
	return len == 0 || memmem(row->text + row->k_len, row->text_len, folded, len) != NULL;
}

static bool counts(const struct entry *e, unsigned as, unsigned states)
{
	return (e->as & as) != 0 && (states & 1U << e->row->state) != 0;
}

/* They are gathered before any is looked into: that may change the index. */
static void look(
    struct looks *l, const struct sorted *s, const struct index_question *q, const char *folded)
{
	size_t len = strlen(folded);

	l->complete = true;
	for (size_t i = s->n; len > 0 && i > 0; i--) {
		const struct row *row = s->entry[i - 1].row;

		if (!row->cut || !counts(&s->entry[i - 1], q->as, q->states) ||
		    is_in(row, folded, len))
			continue;
		if (l->n == LOOKED_MAX) {
			l->complete = false;
			break;
		}
		l->look[l->n++] = (struct look){
		    .state = (enum spool_state)row->state, .name = index_name_of(row)};
	}
	for (size_t i = 0; i < l->n; i++) {
		enum index_looked looked = q->look(q->context, l->look[i].state, &l->look[i].name);

		l->look[i].found = looked == INDEX_IN;
		l->complete &= looked != INDEX_UNKNOWN;
	}
}

/* Rows are seen in the order in which they were gathered; some may have gone meanwhile. */
static bool was_found(struct looks *l, const struct row *row)
{
	struct leg_name name = index_name_of(row);

	for (size_t i = l->at; i < l->n; i++) {
		if (name_same_leg(&l->look[i].name, &name)) {
			l->at = i + 1;
			return l->look[i].found;
		}
	}
	return false;
}

/* ---- lines -------------------------------------------------------------------------------- */

/* Lines by the group of their copies. */
struct group_table {
	size_t *line; /* its number, and 1; 0: a free place */
	size_t mask;
};

static bool begin_groups(struct group_table *t, size_t rows)
{
	size_t room = 64;

	if (t->line != NULL)
		return true;
	while (room < 2 * rows)
		room *= 2;
	t->line = calloc(room, sizeof *t->line);
	t->mask = room - 1;
	return t->line != NULL;
}

/* Where the group's line is, or is to be. */
static size_t *place_of(const struct group_table *t, const struct view *v, uint64_t group)
{
	size_t at = (size_t)(group * UINT64_C(0x9e3779b97f4a7c15) >> 20) & t->mask;

	while (t->line[at] != 0 && v->line[t->line[at] - 1].row->group != group)
		at = (at + 1) & t->mask;
	return &t->line[at];
}

static void join(struct list_line *line, const struct row *row)
{
	line->copies++;
	if (row->risk > line->risk)
		line->risk = row->risk;
}

static bool add_row(struct view *v, struct group_table *groups, const struct row *row, size_t rows)
{
	struct list_line *last = v->n > 0 ? &v->line[v->n - 1] : NULL;
	size_t *place = NULL;

	if (row->group == 0 && last != NULL && last->row->group == 0 &&
	    memcmp(last->row->id, row->id, INDEX_ID_BYTES) == 0) {
		join(last, row);
		return true;
	}
	if (row->group != 0) {
		if (!begin_groups(groups, rows))
			return false;
		place = place_of(groups, v, row->group);
		if (*place != 0) {
			join(&v->line[*place - 1], row);
			return true;
		}
	}
	v->line[v->n++] = (struct list_line){.row = row, .copies = 1, .risk = row->risk};
	if (place != NULL)
		*place = v->n;
	return true;
}

/* What is risky first. False: no memory. */
static bool sort_by_risk(struct view *v)
{
	struct list_line *sorted = reallocarray(NULL, v->n + 1, sizeof *sorted);
	size_t n = 0;

	if (sorted == NULL)
		return false;
	for (unsigned risk = INDEX_RISKS; risk-- > 0;) {
		for (size_t i = 0; i < v->n; i++) {
			if (v->line[i].risk == risk)
				sorted[n++] = v->line[i];
		}
	}
	free(v->line);
	v->line = sorted;
	return true;
}

/* Nothing changes the index meanwhile. False: no memory. */
static bool fill_view(struct view *v, const struct sorted *s, struct looks *looks)
{
	size_t len = strlen(v->query);
	struct group_table groups = {NULL, 0};
	bool done = true;

	free(v->line);
	v->n = 0;
	v->asked = 0; /* until it is whole */
	v->line = reallocarray(NULL, s->n + 1, sizeof *v->line);
	for (size_t i = s->n; v->line != NULL && done && i > 0; i--) {
		const struct row *row = s->entry[i - 1].row;

		if (counts(&s->entry[i - 1], v->as, v->states) &&
		    (is_in(row, v->query, len) || (row->cut && was_found(looks, row))))
			done = add_row(v, &groups, row, s->n);
	}
	free(groups.line);
	done = done && v->line != NULL && (!v->by_risk || sort_by_risk(v));
	v->complete = looks->complete;
	v->version = s->version;
	return done;
}

static bool is_view(const struct view *v, const struct index_question *q, const char *folded)
{
	return v->asked != 0 && v->as == q->as && v->states == q->states &&
	       v->by_risk == q->by_risk && strcmp(v->query, folded) == 0;
}

/* That of the question, or the one that was not asked for for the longest, taken over for it. */
static struct view *view_of(struct sorted *s, const struct index_question *q, const char *folded)
{
	struct view *v = &s->view[0];

	for (size_t i = 0; i < VIEWS; i++) {
		if (is_view(&s->view[i], q, folded))
			return &s->view[i];
		if (s->view[i].asked < v->asked)
			v = &s->view[i];
	}
	free_view(v);
	v->query = strdup(folded);
	if (v->query == NULL)
		return NULL;
	v->as = q->as;
	v->states = q->states;
	v->by_risk = q->by_risk;
	v->version = s->version - 1;
	return v;
}

/* ---- a page ------------------------------------------------------------------------------- */

static bool ready_view(
    struct index *index, const struct index_question *q, const char *folded, struct view **view)
{
	struct person *p = index_person(index, q->address);
	struct sorted *s = p != NULL ? sorted_of(index, p) : NULL;
	struct looks *looks;
	bool done;

	*view = NULL;
	if (s == NULL)
		return p == NULL;
	*view = view_of(s, q, folded);
	if (*view != NULL && (*view)->version == s->version && (*view)->complete) {
		(*view)->asked = index->asked;
		return true;
	}
	looks = calloc(1, sizeof *looks);
	if (looks == NULL || *view == NULL) {
		free(looks);
		return false;
	}
	look(looks, s, q, folded);
	/* His last row may have gone with what was looked into, and all of this with it. */
	p = index_person(index, q->address);
	s = p != NULL ? sorted_of(index, p) : NULL;
	*view = s != NULL ? view_of(s, q, folded) : NULL;
	done = *view != NULL ? fill_view(*view, s, looks) : p == NULL;
	if (done && *view != NULL)
		(*view)->asked = index->asked;
	free(looks);
	return done;
}

bool index_asked(struct index *index, const char *address, size_t *legs)
{
	struct person *p = index_person(index, address);
	struct sorted *s = p != NULL ? sorted_of(index, p) : NULL;

	*legs = 0;
	if (s == NULL)
		return p == NULL;
	if (s->counted != s->version + 1) {
		s->legs = 0;
		for (size_t i = 0; i < s->n; i++)
			s->legs += counts(&s->entry[i], INDEX_ASKED, 1U << STATE_APPROVE);
		s->counted = s->version + 1;
	}
	*legs = s->legs;
	return true;
}

bool index_list(struct index *index, const struct index_question *q, struct index_line *line,
    size_t *lines, size_t *total, bool *complete)
{
	char *folded = index_fold(q->query);
	struct view *v;
	bool done = folded != NULL && ready_view(index, q, folded, &v);

	*lines = *total = 0;
	*complete = true;
	free(folded);
	if (!done || v == NULL)
		return done;
	*total = v->n;
	*complete = v->complete;
	for (size_t i = q->first; i < v->n && *lines < q->count; i++) {
		const struct list_line *from = &v->line[i];

		line[(*lines)++] = (struct index_line){.state = (enum spool_state)from->row->state,
		    .name = index_name_of(from->row),
		    .copies = from->copies};
	}
	return true;
}
