#include "lib/inspect/tables.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/inspect/said.h"
#include "lib/text/charset.h"

struct inspect_tables {
	const struct norm_tables *norm;
	struct charset_tables *charsets;
	struct extract_tables *extract;
	struct partners *partners;
	struct word_lists *lists;
	struct namer *namer;
};

const struct norm_tables *tables_norm(const struct inspect_tables *tables)
{
	return tables->norm;
}

struct extract_tables *tables_extract(const struct inspect_tables *tables)
{
	return tables->extract;
}

const struct partners *tables_partners(const struct inspect_tables *tables)
{
	return tables->partners;
}

const struct word_lists *tables_lists(const struct inspect_tables *tables)
{
	return tables->lists;
}

struct namer *tables_namer(const struct inspect_tables *tables)
{
	return tables->namer;
}

/* One list, called as its file is. */
static bool read_list(struct word_lists *lists, int etc, const char *name, struct conf_fault *fault)
{
	char path[sizeof "words/" + NAME_MAX];

	(void)snprintf(path, sizeof path, "words/%s", name);
	return word_lists_read(lists, etc, path, name, fault);
}

/* Hidden files, copies and what stands there for people are no lists, as in the other folders of etc/. */
static bool is_list(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && name[len - 1] != '~' && strcmp(name, "README") != 0;
}

/* Every other file of etc/words is a list. No folder: no lists. */
static bool read_lists(struct word_lists *lists, int etc, struct conf_fault *fault)
{
	int folder = openat(etc, "words", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *words = folder >= 0 ? fdopendir(folder) : NULL;
	const struct dirent *entry;
	bool good = true;

	if (words == NULL) {
		int error = errno;

		if (folder >= 0)
			(void)close(folder);
		(void)snprintf(fault->file, sizeof fault->file, "etc/words");
		return error == ENOENT || conf_blame(fault, 0, 0, "%s", strerrordesc_np(error));
	}
	while (good && (entry = readdir(words)) != NULL) {
		if (is_list(entry->d_name))
			good = read_list(lists, etc, entry->d_name, fault);
	}
	(void)closedir(words);
	return good;
}

static bool read_etc(struct inspect_tables *t, int etc, struct conf_fault *fault)
{
	*fault = (struct conf_fault){.text = "no memory"};
	t->lists = word_lists_new(t->norm);
	t->partners = etc >= 0 ? partners_read(etc, "partners", t->norm, fault)
			       : partners_parse("", 0, "etc/partners", t->norm, fault);
	return t->lists != NULL && t->partners != NULL &&
	       (etc < 0 || read_lists(t->lists, etc, fault)) && word_lists_build(t->lists);
}

bool inspect_check(int etc, struct conf_fault *fault)
{
	struct inspect_tables *t = calloc(1, sizeof *t);
	bool good = false;

	*fault = (struct conf_fault){.text = "no memory"};
	if (t != NULL)
		t->norm = norm_prepare();
	if (t != NULL && t->norm != NULL)
		good = read_etc(t, etc, fault);
	inspect_tables_free(t);
	return good;
}

struct inspect_tables *inspect_prepare_view(char *fault, size_t room)
{
	struct inspect_tables *t = calloc(1, sizeof *t);

	(void)snprintf(fault, room, "no memory");
	if (t == NULL)
		return NULL;
	t->norm = norm_prepare();
	if (t->norm == NULL)
		goto fail;
	t->charsets = charset_prepare();
	if (t->charsets == NULL) {
		(void)snprintf(fault, room, "the charsets of libc (gconv-modules): %s",
		    strerrordesc_np(errno));
		goto fail;
	}
	t->extract = extract_prepare();
	if (t->extract == NULL) {
		(void)snprintf(
		    fault, room, "the database of file types: %s", strerrordesc_np(errno));
		goto fail;
	}
	return t;
fail:
	inspect_tables_free(t);
	return NULL;
}

struct inspect_tables *inspect_prepare(int etc, char *fault, size_t room)
{
	struct inspect_tables *t = inspect_prepare_view(fault, room);
	struct conf_fault wrong;

	if (t == NULL)
		return NULL;
	/* Without a dictionary everything works but names: asking for them is answered by a fact. */
	t->namer = namer_open(INSPECT_DICTIONARY);
	if (t->namer == NULL)
		LOG_ALARM("no-dictionary", kv("folder", INSPECT_DICTIONARY), kv_errno(errno));
	if (read_etc(t, etc, &wrong))
		return t;
	conf_fault_show(&wrong, fault, room);
	inspect_tables_free(t);
	return NULL;
}

void inspect_tables_free(struct inspect_tables *t)
{
	if (t == NULL)
		return;
	word_lists_free(t->lists);
	partners_free(t->partners);
	namer_free(t->namer);
	extract_tables_free(t->extract);
	charset_tables_free(t->charsets);
	free(t);
}

struct inspector *inspector_new(
    const struct inspect_tables *tables, struct ask *ask, char *fault, size_t room)
{
	struct inspector *inspector = calloc(1, sizeof *inspector);

	(void)snprintf(fault, room, "no memory");
	if (inspector == NULL)
		return NULL;
	inspector->tables = tables;
	inspector->namer = tables->namer;
	inspector->ask = *ask;
	if (said_new(tables, ask, &inspector->said, fault, room))
		return inspector;
	free(inspector);
	return NULL;
}

/* The ask is the caller's. */
void inspector_free(struct inspector *inspector)
{
	if (inspector == NULL)
		return;
	said_free(inspector->said);
	free(inspector);
}
