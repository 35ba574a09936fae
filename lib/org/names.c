#include "lib/org/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/org/folder.h"

struct name {
	char *text; /* first: conf_near() looks here */
	unsigned line;
};

struct org_names {
	struct {
		struct name *name; /* in order of their bytes, once they are sorted */
		size_t n, room;
	} kind[RULE_NAME_COUNT];
	bool sorted;
};

static const char *const words[] = {
#define S(name, word, place) word,
    RULE_NAMES(S)
#undef S
};

static const char *const places[] = {
#define S(name, word, place) place,
    RULE_NAMES(S)
#undef S
};

struct org_names *org_names_new(void)
{
	return calloc(1, sizeof(struct org_names));
}

void org_names_free(struct org_names *names)
{
	if (names == NULL)
		return;
	for (size_t kind = 0; kind < RULE_NAME_COUNT; kind++) {
		for (size_t i = 0; i < names->kind[kind].n; i++)
			free(names->kind[kind].name[i].text);
		free(names->kind[kind].name);
	}
	free(names);
}

static int by_text(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return strcmp(x->text, y->text);
}

/* Of names by a text: as bsearch() has it. */
static int text_order(const void *text, const void *name)
{
	return strcmp(text, ((const struct name *)name)->text);
}

static const struct name *find(
    const struct org_names *names, enum rule_name_kind kind, const char *text)
{
	const struct name *all = names->kind[kind].name;
	size_t n = names->kind[kind].n;

	if (names->sorted)
		return n > 0 ? bsearch(text, all, n, sizeof *all, text_order) : NULL;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(all[i].text, text) == 0)
			return &all[i];
	}
	return NULL;
}

bool org_names_add(
    struct org_names *names, enum rule_name_kind kind, const char *text, unsigned line)
{
	size_t n = names->kind[kind].n, room = names->kind[kind].room;
	struct name *bigger;

	if (find(names, kind, text) != NULL)
		return true;
	if (n == room) {
		room = room > 0 ? 2 * room : 16;
		bigger = reallocarray(names->kind[kind].name, room, sizeof *bigger);
		if (bigger == NULL)
			return false;
		names->kind[kind].name = bigger;
		names->kind[kind].room = room;
	}
	names->kind[kind].name[n] = (struct name){.text = strdup(text), .line = line};
	if (names->kind[kind].name[n].text == NULL)
		return false;
	names->kind[kind].n++;
	return true;
}

void org_names_sort(struct org_names *names)
{
	for (size_t kind = 0; kind < RULE_NAME_COUNT; kind++) {
		if (names->kind[kind].n > 0)
			qsort(names->kind[kind].name, names->kind[kind].n, sizeof(struct name),
			    by_text);
	}
	names->sorted = true;
}

const char *org_names_at(const struct org_names *names, enum rule_name_kind kind, size_t i)
{
	return i < names->kind[kind].n ? names->kind[kind].name[i].text : NULL;
}

/* ---- files ---- */

static bool add_files(
    struct org_names *names, enum rule_name_kind kind, int etc, struct conf_fault *fault)
{
	const char *path = places[kind] + strlen("etc/");
	struct folder folder;
	bool good = folder_read(etc, path, &folder, fault);

	for (size_t i = 0; good && i < folder.n; i++) {
		char file[sizeof fault->file];

		(void)snprintf(file, sizeof file, "%.40s/%.80s", path, folder.entry[i].name);
		good = folder_name_good(file, folder.entry[i].name, fault);
		if (good && folder.entry[i].folder)
			good = folder_blame(fault, file, "is a directory; a file is expected");
		else if (good)
			good = org_names_add(names, kind, folder.entry[i].name, 0) ||
			       folder_blame(fault, file, "no memory");
	}
	folder_free(&folder);
	return good;
}

bool org_names_files(struct org_names *names, int etc, struct conf_fault *fault)
{
	static const enum rule_name_kind kinds[] = {
	    RULE_NAME_LIST, RULE_NAME_TABLE, RULE_NAME_WORDS, RULE_NAME_PASSWORD, RULE_NAME_TEXT};

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (!add_files(names, kinds[i], etc, fault))
			return false;
	}
	return true;
}

/* ---- questions ---- */

bool org_name_known(
    void *context, enum rule_name_kind kind, const char *name, char *near, size_t room)
{
	const struct org_names *names = context;
	bool special = kind == RULE_NAME_TABLE && strcmp(name, ORG_TLS_TABLE) == 0;
	const struct name *found;
	const char *meant;

	if (room > 0)
		near[0] = '\0';
	if (special)
		return false;
	if (find(names, kind, name) != NULL)
		return true;
	meant = conf_near(name, names->kind[kind].name, names->kind[kind].n, sizeof *found);
	found = meant != NULL ? find(names, kind, meant) : NULL;
	if (found != NULL && found->line > 0)
		(void)snprintf(near, room, "%s (%s:%u)", found->text, places[kind], found->line);
	else if (found != NULL)
		(void)snprintf(near, room, "%s (%s/%s)", found->text, places[kind], found->text);
	return false;
}

bool org_names_blame(struct org_names *names, enum rule_name_kind kind, const char *name,
    unsigned line, unsigned column, struct conf_fault *fault)
{
	char near[160];

	if (org_name_known(names, kind, name, near, sizeof near))
		near[0] = '\0';
	return conf_blame(fault, line, column, "no %s \"%.64s\"%s%s", words[kind], name,
	    near[0] != '\0' ? "; near: " : "", near);
}
