#include "lib/shell/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"

#define TEXT_MAX ((size_t)1 << 32)
#define ROUNDS   3 /* of looking again for legs that moved on */

/* ---- reading ------------------------------------------------------------------------------ */

/* One state as it is being listed. */
struct reading {
	struct names *names;
	enum spool_state state;
	bool failed;
};

static struct entry *add_entry(struct names *names)
{
	if (names->n == names->room) {
		size_t more = names->room == 0 ? 256 : names->room * 2;
		struct entry *grown = reallocarray(names->entry, more, sizeof *grown);

		if (grown == NULL)
			return NULL;
		names->entry = grown;
		names->room = more;
	}
	return &names->entry[names->n++];
}

static bool take_name(void *context, const char *text)
{
	struct reading *r = context;
	struct names *names = r->names;
	struct entry *e = add_entry(names);
	struct leg_name name;

	if (e == NULL) {
		r->failed = true;
		return false;
	}
	*e = (struct entry){.due = DUE_NONE, .name = names->text.len, .state = r->state};
	e->leg = e->name;
	e->foreign = !name_parse(text, &name);
	if (!e->foreign && name.due != DUE_NONE) {
		e->due = name.due;
		e->leg += DUE_LEN + 1;
	}
	buf_add(&names->text, text, strlen(text) + 1);
	r->failed = !buf_ok(&names->text);
	return !r->failed;
}

bool names_read(struct names *names, const struct spool *spool, unsigned states)
{
	*names = (struct names){.read_at = clock_boot()};
	buf_init(&names->text, TEXT_MAX);
	for (unsigned state = 0; state < STATE_COUNT; state++) {
		struct reading r = {.names = names, .state = (enum spool_state)state};

		if ((states & STATE_BIT(state)) == 0)
			continue;
		if (!spool_list(spool, r.state, take_name, &r))
			return false;
		if (r.failed) {
			errno = ENOMEM;
			return false;
		}
	}
	return true;
}

void names_free(struct names *names)
{
	buf_free(&names->text);
	free(names->entry);
	*names = (struct names){.n = 0};
}

/* ---- order -------------------------------------------------------------------------------- */

static int by_id(const void *va, const void *vb, void *context)
{
	const struct names *names = context;
	const struct entry *a = va, *b = vb;
	int order = (int)a->foreign - (int)b->foreign;

	if (order == 0)
		order = strcmp(entry_leg(names, a), entry_leg(names, b));
	return order != 0 ? order : (int)a->state - (int)b->state;
}

static int by_due(const void *va, const void *vb, void *context)
{
	const struct entry *a = va, *b = vb;

	if (a->due != b->due && !a->foreign && !b->foreign)
		return a->due < b->due ? -1 : 1;
	return by_id(va, vb, context);
}

/* An empty list has no array, and qsort wants one. */
static void sort(struct names *names, int compare(const void *, const void *, void *))
{
	if (names->n > 1)
		qsort_r(names->entry, names->n, sizeof names->entry[0], compare, names);
}

void names_sort_due(struct names *names)
{
	sort(names, by_due);
}

void names_sort_id(struct names *names)
{
	sort(names, by_id);
}

size_t names_find(const struct names *names, const char *prefix, size_t len)
{
	size_t low = 0, high = names->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct entry *e = &names->entry[middle];

		if (!e->foreign && strncmp(entry_leg(names, e), prefix, len) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- walking ------------------------------------------------------------------------------ */

/* Whether a visitor came too late for the leg, and met it nowhere else. `before` is by id. */
static bool missed(const struct names *before, const char *leg)
{
	bool gone = false;

	for (size_t i = names_find(before, leg, strlen(leg) + 1); i < before->n; i++) {
		const struct entry *e = &before->entry[i];

		if (e->foreign || strcmp(entry_leg(before, e), leg) != 0)
			break;
		if (!e->gone)
			return false;
		gone = true;
	}
	return gone;
}

static void keep_missed(struct names *now, const struct names *before)
{
	size_t kept = 0;

	for (size_t i = 0; i < now->n; i++) {
		const struct entry *e = &now->entry[i];

		if (!e->foreign && missed(before, entry_leg(now, e)))
			now->entry[kept++] = *e;
	}
	now->n = kept;
}

/* Visits each; returns how many were gone, or SIZE_MAX if the visitor wants no more. */
static size_t visit_each(struct names *names, names_visit *visit, void *context)
{
	size_t gone = 0;

	for (size_t i = 0; i < names->n; i++) {
		switch (visit(context, names, &names->entry[i])) {
		case VISIT_DONE:
			break;
		case VISIT_GONE:
			names->entry[i].gone = true;
			gone++;
			break;
		case VISIT_STOP:
			return SIZE_MAX;
		}
	}
	return gone;
}

bool names_walk(const struct spool *spool, unsigned states, bool in_due_order, names_visit *visit,
    void *context)
{
	struct names names, before;
	size_t gone;
	bool read = names_read(&names, spool, states);

	if (read) {
		sort(&names, in_due_order ? by_due : by_id);
		gone = visit_each(&names, visit, context);
		for (int round = 0; read && round < ROUNDS && gone > 0 && gone < SIZE_MAX;
		     round++) {
			before = names;
			names_sort_id(&before);
			read = names_read(&names, spool, states);
			if (read) {
				keep_missed(&names, &before);
				gone = visit_each(&names, visit, context);
			}
			names_free(&before);
		}
	}
	names_free(&names);
	return read;
}
