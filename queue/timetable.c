#include "queue/timetable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hex.h"

/* Nearly every leg is its message's only one: they share this K. */
static char only_k[] = "1";

void timetable_init(struct timetable *t)
{
	*t = (struct timetable){.n = 0};
}

static void drop_k(struct timetable_entry *e)
{
	if (e->k != only_k)
		free(e->k);
}

void timetable_clear(struct timetable *t)
{
	for (size_t i = 0; i < t->n; i++)
		drop_k(&t->entry[i]);
	free(t->entry);
	timetable_init(t);
}

static bool earlier(const struct timetable_entry *a, const struct timetable_entry *b)
{
	if (a->look != b->look)
		return a->look < b->look;
	return memcmp(a->id, b->id, sizeof a->id) < 0;
}

static void swap(struct timetable_entry *a, struct timetable_entry *b)
{
	struct timetable_entry kept = *a;

	*a = *b;
	*b = kept;
}

bool timetable_add(struct timetable *t, const struct leg_name *name, int64_t look)
{
	struct timetable_entry *e;

	if (t->n == t->room) {
		size_t more = t->room == 0 ? 64 : t->room + t->room / 2;

		e = reallocarray(t->entry, more, sizeof *e);
		if (e == NULL)
			return false;
		t->entry = e;
		t->room = more;
	}

	e = &t->entry[t->n];
	*e = (struct timetable_entry){.due = name->due, .look = look, .k = only_k};
	if (!hex_decode(name->id, e->id, sizeof e->id))
		return true; /* no leg's name: nothing can ever happen to it */
	if (strcmp(name->k, only_k) != 0 && (e->k = strdup(name->k)) == NULL)
		return false;

	for (size_t i = t->n++; i > 0 && earlier(&t->entry[i], &t->entry[(i - 1) / 2]);
	     i = (i - 1) / 2)
		swap(&t->entry[i], &t->entry[(i - 1) / 2]);
	return true;
}

int64_t timetable_next(const struct timetable *t)
{
	return t->n == 0 ? DUE_NEVER : t->entry[0].look;
}

static void sink(struct timetable *t)
{
	for (size_t i = 0;;) {
		size_t least = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < t->n; child++) {
			if (earlier(&t->entry[child], &t->entry[least]))
				least = child;
		}
		if (least == i)
			return;
		swap(&t->entry[i], &t->entry[least]);
		i = least;
	}
}

bool timetable_pop(struct timetable *t, struct leg_name *name)
{
	struct timetable_entry first;

	if (t->n == 0)
		return false;

	first = t->entry[0];
	t->entry[0] = t->entry[--t->n];
	sink(t);

	name->due = first.due;
	hex_encode(first.id, sizeof first.id, name->id);
	(void)snprintf(name->k, sizeof name->k, "%s", first.k);
	drop_k(&first);
	return true;
}
