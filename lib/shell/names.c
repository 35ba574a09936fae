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

/* `n` digits as a number; -1 if they are not all digits. */
static int number_at(const char *text, size_t n)
{
	int number = 0;

	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		number = number * 10 + (text[i] - '0');
	}
	return number;
}

/* Seconds since 1970 of a day and a time of day: the era of 400 years that begins in March. */
static int64_t seconds_of(int year, int month, int day, int second)
{
	int64_t y = year - (month <= 2 ? 1 : 0), era = y / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;

	return days * 86400 + second;
}

/*
 * The due time of a name as nearly all of them are, DUE.ID.1: what name_parse says of it, in a tenth of the
 * time. DUE_NONE: it has to be asked; so it has about the last days of a month.
 */
static int64_t plain_due(const char *text, size_t len)
{
	static const unsigned char hex[256] = {['0'] = 1,
	    ['1'] = 1,
	    ['2'] = 1,
	    ['3'] = 1,
	    ['4'] = 1,
	    ['5'] = 1,
	    ['6'] = 1,
	    ['7'] = 1,
	    ['8'] = 1,
	    ['9'] = 1,
	    ['a'] = 1,
	    ['b'] = 1,
	    ['c'] = 1,
	    ['d'] = 1,
	    ['e'] = 1,
	    ['f'] = 1};
	const char *id = text + DUE_LEN + 1;
	int date, time, year, month, day, hour, minute, second;
	unsigned good = 1;

	if (len != DUE_LEN + 1 + ID_LEN + 2 || text[8] != 'T' || text[15] != 'Z' ||
	    text[DUE_LEN] != '.' || id[ID_LEN] != '.' || id[ID_LEN + 1] != '1')
		return DUE_NONE;
	date = number_at(text, 8);
	time = number_at(text + 9, 6);
	if (date < 19700101 || time < 0)
		return DUE_NONE;
	year = date / 10000, month = date / 100 % 100, day = date % 100;
	hour = time / 10000, minute = time / 100 % 100, second = time % 100;
	if (month < 1 || month > 12 || day < 1 || day > 28 || hour > 23 || minute > 59 ||
	    second > 59)
		return DUE_NONE;
	for (size_t i = 0; i < ID_LEN; i++)
		good &= hex[(unsigned char)id[i]];
	return good != 0 ? seconds_of(year, month, day, hour * 3600 + minute * 60 + second)
			 : DUE_NONE;
}

static bool take_name(void *context, const char *text)
{
	struct reading *r = context;
	struct names *names = r->names;
	struct entry *e = add_entry(names);
	size_t len = strlen(text);
	struct leg_name name = {.due = DUE_NONE};

	if (e == NULL) {
		r->failed = true;
		return false;
	}
	*e = (struct entry){.due = DUE_NONE, .name = names->text.len, .state = r->state};
	e->leg = e->name;
	name.due = plain_due(text, len);
	e->foreign = name.due == DUE_NONE && !name_parse(text, &name);
	if (!e->foreign && name.due != DUE_NONE) {
		e->due = name.due;
		e->leg += DUE_LEN + 1;
	}
	buf_add(&names->text, text, len + 1);
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

void names_sort_id(struct names *names)
{
	if (names->n > 1) /* an empty list has no array, and qsort wants one */
		qsort_r(names->entry, names->n, sizeof names->entry[0], by_id, names);
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

typedef int compare_names(const void *, const void *, void *);

/* The entry at `i` of the heap of the first `n` goes down to where it belongs: the least is on top. */
static void sift(struct names *names, size_t i, size_t n, compare_names *compare)
{
	struct entry moved = names->entry[i];
	size_t child;

	for (; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n &&
		    compare(&names->entry[child + 1], &names->entry[child], names) < 0)
			child++;
		if (compare(&moved, &names->entry[child], names) <= 0)
			break;
		names->entry[i] = names->entry[child];
	}
	names->entry[i] = moved;
}

/* Takes the least of the first `n` out of the heap; it stands behind the others then. */
static struct entry *take_least(struct names *names, size_t n, compare_names *compare)
{
	struct entry least = names->entry[0];

	names->entry[0] = names->entry[n - 1];
	names->entry[n - 1] = least;
	sift(names, 0, n - 1, compare);
	return &names->entry[n - 1];
}

/*
 * Visits each in order, and sorts no further than that: the first of a hundred thousand is not to wait
 * for the last. Returns how many were gone, or SIZE_MAX if the visitor wants no more.
 */
static size_t visit_each(
    struct names *names, compare_names *compare, names_visit *visit, void *context)
{
	size_t gone = 0;

	for (size_t i = names->n / 2; i > 0; i--)
		sift(names, i - 1, names->n, compare);
	for (size_t left = names->n; left > 0; left--) {
		struct entry *e = take_least(names, left, compare);

		switch (visit(context, names, e)) {
		case VISIT_DONE:
			break;
		case VISIT_GONE:
			e->gone = true;
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
		gone = visit_each(&names, in_due_order ? by_due : by_id, visit, context);
		for (int round = 0; read && round < ROUNDS && gone > 0 && gone < SIZE_MAX;
		     round++) {
			before = names;
			names_sort_id(&before);
			read = names_read(&names, spool, states);
			if (read) {
				keep_missed(&names, &before);
				gone = visit_each(
				    &names, in_due_order ? by_due : by_id, visit, context);
			}
			names_free(&before);
		}
	}
	names_free(&names);
	return read;
}
