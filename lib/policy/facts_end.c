/* When all facts are told: what of them is not known, and what belongs together. */
#include <stdlib.h>
#include <string.h>

#include "lib/policy/inside.h"

#define UNTOLD "facts" /* the reason when none was told */

/* ---- order -------------------------------------------------------------------------------- */

static int by_part(const void *a, const void *b)
{
	const struct fact_file *x = a, *y = b;
	int order = strcmp(x->part, y->part);

	return order != 0 ? order : x->number < y->number ? -1 : x->number > y->number;
}

static int by_path(const void *a, const void *b)
{
	const struct fact_part *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static int by_number(const void *a, const void *b)
{
	const struct fact_count *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static void sort(void *at, size_t n, size_t size, int (*order)(const void *a, const void *b))
{
	if (n > 1)
		qsort(at, n, size, order);
}

/* One for each number. */
static size_t join_counts(struct fact_count *at, size_t n)
{
	size_t kept = 0;

	sort(at, n, sizeof *at, by_number);
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || at[kept - 1].number != at[i].number) {
			at[kept++] = at[i];
			continue;
		}
		at[kept - 1].limited |= at[i].limited;
		for (unsigned p = 0; p < PLACE_COUNT; p++) {
			if (at[i].count[p] > 0)
				at[kept - 1].count[p] = at[i].count[p];
		}
	}
	return kept;
}

/* ---- parts -------------------------------------------------------------------------------- */

/* The files of a part; a part with two encodings is two. */
static struct fact_file *files_of(struct facts *facts, const char *part, size_t *n)
{
	size_t low = 0, high = facts->files.n;

	*n = 0;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(facts->files.at[middle].part, part) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + *n < facts->files.n && strcmp(facts->files.at[low + *n].part, part) == 0)
		(*n)++;
	return *n > 0 ? &facts->files.at[low] : NULL;
}

static void give_names(struct facts *facts)
{
	for (size_t i = facts->names.n; i-- > 0;) {
		struct fact_name *name = &facts->names.at[i];
		size_t n = 0;
		struct fact_file *file = files_of(facts, name->part, &n);

		/* Both readings of a part share all its names: one chain. */
		if (n == 0)
			continue;
		name->next = file->names;
		for (size_t k = 0; k < n; k++)
			file[k].names = name;
	}
}

/* The part itself, or the one around it: "2.1" of "2.1.3". Returns its length, 0: none. */
static size_t above(const char *part, size_t len)
{
	while (len > 0 && part[len - 1] != '.')
		len--;
	return len > 0 ? len - 1 : 0;
}

/* A second reading of a part has a letter behind its number. */
static size_t without_letter(const char *part)
{
	size_t len = strlen(part);

	while (len > 0 && (part[len - 1] < '0' || part[len - 1] > '9'))
		len--;
	return len;
}

/* Marks the files that it is in. Returns whether there are any, in `*itself` whether it is one. */
static bool close_files(struct facts *facts, const char *part, bool *itself)
{
	char path[256];
	bool any = false;
	size_t len = strlen(part);

	*itself = false;
	for (size_t first = len; len > 0; len = above(part, len)) {
		struct fact_file *file;
		size_t n = 0;

		if (len >= sizeof path)
			continue;
		memcpy(path, part, len);
		path[len] = '\0';
		file = files_of(facts, path, &n);
		for (size_t k = 0; k < n; k++)
			file[k].closed = true;
		any = any || n > 0;
		*itself = *itself || (n > 0 && len == first);
	}
	return any;
}

static const char *role_of(const struct facts *facts, const char *part)
{
	struct fact_part wanted = {.path = part}, *found = NULL;

	if (facts->parts.n > 0)
		found = bsearch(&wanted, facts->parts.at, facts->parts.n, sizeof wanted, by_path);
	return found != NULL ? found->role : "";
}

/* ---- what is not known -------------------------------------------------------------------- */

static bool is_one_of(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(words[i], word) == 0)
			return true;
	}
	return false;
}

static void set(const char **unknown, const char *reason)
{
	if (*unknown == NULL)
		*unknown = reason;
}

static void set_place(struct facts_unknown *u, enum detect_place place, const char *reason)
{
	set(&u->place[place], reason);
}

static void set_all(struct facts_unknown *u, const char *reason)
{
	set(&u->all, reason);
	set(&u->files, reason);
	set(&u->fields, reason);
	set(&u->persons, reason);
	for (unsigned p = 0; p < PLACE_COUNT; p++)
		set_place(u, p, reason);
}

/* The message as a whole: most reasons leave nothing that could be relied on. */
static void close_whole(struct facts_unknown *u, const char *reason)
{
	if (strcmp(reason, "dictionary") == 0 || strcmp(reason, "names") == 0) {
		set(&u->persons, reason);
	} else if (strcmp(reason, "charset") == 0) {
		/* Letters of a field that nobody can read: addresses and files are what they are. */
		set_place(u, PLACE_SUBJECT, reason);
		set_place(u, PLACE_BODY, reason);
		set(&u->fields, reason);
	} else if (strcmp(reason, "virus") != 0) {
		set_all(u, reason);
	}
}

/* A file that was not opened. Some reasons leave no doubt about the names in it. */
static void close_file(struct facts_unknown *u, const char *reason)
{
	static const char *const named[] = {
	    "encrypted", "format", "converter", "size", "html", "unreachable"};

	set_place(u, PLACE_FILES, reason);
	if (!is_one_of(reason, named, COUNT_OF(named)))
		set_place(u, PLACE_NAMES, reason);
}

static void close_part(struct facts *facts, struct facts_unknown *u, const struct fact_closed *c)
{
	static const char *const shown[] = {"body", "calendar", "report"};
	char part[256];
	size_t len = without_letter(c->part);
	const char *role;
	bool itself, inside;

	if (len == 0 || len >= sizeof part || strcmp(c->part, "0") == 0) {
		close_whole(u, c->reason);
		return;
	}
	memcpy(part, c->part, len);
	part[len] = '\0';
	inside = close_files(facts, part, &itself);
	role = role_of(facts, part);
	if (inside)
		close_file(u, c->reason);
	/* Whatever is sealed may be all of a message, its files included. */
	if (strcmp(role, "sealed") == 0)
		set_all(u, c->reason);
	else if (is_one_of(role, shown, COUNT_OF(shown)) && (!inside || itself))
		set_place(u, PLACE_BODY, c->reason);
	else if (!inside) {
		set_place(u, PLACE_BODY, c->reason);
		close_file(u, c->reason);
	}
}

void facts_end(struct facts *facts, bool complete)
{
	struct facts_unknown *u = &facts->unknown;
	const char *last = UNTOLD;

	sort(facts->files.at, facts->files.n, sizeof *facts->files.at, by_part);
	sort(facts->parts.at, facts->parts.n, sizeof *facts->parts.at, by_path);
	facts->words.n = join_counts(facts->words.at, facts->words.n);
	facts->regexes.n = join_counts(facts->regexes.at, facts->regexes.n);
	give_names(facts);

	*u = (struct facts_unknown){.all = NULL};
	for (size_t i = 0; i < facts->closed.n; i++) {
		close_part(facts, u, &facts->closed.at[i]);
		if (strcmp(facts->closed.at[i].part, "0") == 0)
			last = facts->closed.at[i].reason;
	}
	/* Who was cut off says why in his last line. */
	if (facts->over || !complete)
		set_all(u, facts->over ? UNTOLD : last);
}
