/*
 * Names of persons, line by line: MeCab reads the line, each place at which a name may begin is given
 * points (names_score.h), and of names that overlap the better one stands.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/detect/detect.h"
#include "lib/detect/names_inside.h"

#define HEADER_LETTERS 8  /* of a column */
#define COLUMNS        32 /* of a table whose names are looked for */

/* A table in lines of text, as far as it was seen in this window. */
struct table {
	uint32_t names; /* columns whose header says so */
	uint8_t seen[COLUMNS];
};

static bool open_mecab(struct namer *namer, const char *folder)
{
	const mecab_dictionary_info_t *info;
	char *options;

	/* No resource file, and this dictionary alone. */
	if (asprintf(&options, "-C -d %s", folder) < 0)
		return false;
	namer->model = mecab_model_new2(options);
	free(options);
	if (namer->model == NULL)
		return false;

	info = mecab_model_dictionary_info(namer->model);
	if (info == NULL || strcmp(info->charset, "UTF-8") != 0)
		return false;
	namer->tagger = mecab_model_new_tagger(namer->model);
	namer->lattice = mecab_model_new_lattice(namer->model);
	return namer->tagger != NULL && namer->lattice != NULL;
}

struct namer *namer_open(const char *folder)
{
	struct namer *namer;

	/* It stands in MeCab's options, which are cut at blanks. */
	if (strpbrk(folder, " \t\n\"'") != NULL) {
		errno = EINVAL;
		return NULL;
	}
	namer = calloc(1, sizeof(*namer));
	if (namer == NULL)
		return NULL;

	namer->lexicon = lexicon_open(folder);
	if (namer->lexicon == NULL)
		goto fail;
	titles_prepare(&namer->titles, namer->lexicon);
	if (!open_mecab(namer, folder)) {
		errno = EILSEQ;
		goto fail;
	}
	return namer;

fail:
	namer_free(namer);
	return NULL;
}

void namer_free(struct namer *namer)
{
	int error = errno;

	if (namer == NULL)
		return;
	if (namer->lattice != NULL)
		mecab_lattice_destroy(namer->lattice);
	if (namer->tagger != NULL)
		mecab_destroy(namer->tagger);
	if (namer->model != NULL)
		mecab_model_destroy(namer->model);
	lexicon_free(namer->lexicon);
	free(namer);
	errno = error;
}

static bool comma(const struct clause *c, size_t at)
{
	return c->point[at] == ',' || c->point[at] == '|' || c->point[at] == ';';
}

static bool has_columns(const struct clause *c)
{
	for (size_t i = 0; i < c->n; i++) {
		if (comma(c, i))
			return true;
	}
	return false;
}

/* The header of a table says which of its columns have names; a line without columns ends it. */
static void read_header(struct table *table, const struct clause *c)
{
	size_t column = 0;
	size_t start = 0;
	uint32_t names = 0;

	if (!has_columns(c)) {
		*table = (struct table){0};
		return;
	}
	for (size_t i = 0; i <= c->n && column < COLUMNS; i++) {
		size_t end = i;

		if (i < c->n && !comma(c, i))
			continue;
		while (start < end && (c->kind[start] == KIND_BLANK || c->point[start] == '"'))
			start++;
		while (end > start && (c->kind[end - 1] == KIND_BLANK || c->point[end - 1] == '"'))
			end--;
		if (end - start <= HEADER_LETTERS && header_of_names(c, start, end))
			names |= (uint32_t)1 << column;
		start = i + 1;
		column++;
	}

	if (names != 0)
		*table = (struct table){.names = names};
}

static int column_points(const struct table *table, size_t column)
{
	if (column >= COLUMNS)
		return 0;
	if ((table->names >> column & 1) != 0)
		return 3;
	return table->seen[column] >= 2 ? 2 : 0;
}

static void count_in_table(struct table *table, const struct clause *c, size_t column)
{
	if (!has_columns(c) || column >= COLUMNS)
		return;
	if (table->seen[column] < UINT8_MAX)
		table->seen[column]++;
}

/* Whether only signs stand between a name and the next, as between it and its reading. */
static bool beside(const struct clause *c, size_t end, size_t start)
{
	for (size_t i = end; i < start; i++) {
		if (c->kind[i] != KIND_OTHER && c->kind[i] != KIND_BLANK)
			return false;
	}
	return true;
}

/*
 * By how many points a name must be better that begins within another, to stand in its place. Two words
 * are a family name and a given name, rather than that the second is both.
 */
static int better_by(const struct candidate *first, const struct candidate *within)
{
	if (first->end != within->end)
		return 3;
	return first->family_end < first->given && within->start >= first->given ? 8 : 5;
}

/* All names of the clause, none of which overlaps another. */
static size_t find_names(struct namer *namer, struct table *table)
{
	const struct clause *c = &namer->clause;
	struct candidate *found = namer->found;
	size_t n = 0;
	size_t column = 0;

	for (size_t i = 0; i < c->n; i++) {
		struct surroundings around = {.column = column_points(table, column)};
		struct candidate name;

		if (comma(c, i))
			column++;
		if (!clause_japanese(c, i))
			continue;
		around.neighbour = n > 0 && !found[n - 1].kana && beside(c, found[n - 1].end, i);
		if (!name_at(c, i, &around, &name))
			continue;
		if (n > 0 && name.start < found[n - 1].end) {
			if (name.points > found[n - 1].points + better_by(&found[n - 1], &name))
				found[n - 1] = name;
			continue;
		}
		found[n++] = name;
		count_in_table(table, c, column);
	}
	return n;
}

static void tell(const struct clause *c, const struct candidate *name,
    const struct detect_window *window, struct hits *hits)
{
	char value[HITS_VALUE_MAX];
	size_t family = c->at[name->family_end] - c->at[name->start];
	size_t given = c->at[name->end] - c->at[name->given];

	if (c->at[name->start] < window->from || c->at[name->start] >= window->settled)
		return;
	memcpy(value, c->text + c->at[name->start], family);
	memcpy(value + family, c->text + c->at[name->given], given);
	hits_add(hits, DETECT_NAME, window->place, value, family + given);
}

/* Names of the clause that was read. */
static void look_at(
    struct namer *namer, struct table *table, const struct detect_window *window, struct hits *hits)
{
	struct clause *c = &namer->clause;
	size_t start = 0;
	size_t end;
	bool promising = false;
	size_t n;

	titles_mark(&namer->titles, c);
	memset(c->word, WORD_NONE, c->n);
	for (; clause_promising(c, namer->lexicon, &start, &end); start = end)
		promising |= clause_split(c, start, end, namer->tagger, namer->lattice);
	if (!promising)
		return;

	titles_confirm(c);
	clause_look_up(c, namer->lexicon);
	n = find_names(namer, table);
	for (size_t i = 0; i < n; i++)
		tell(c, &namer->found[i], window, hits);
}

void detect_names(struct namer *namer, const struct detect_window *window, struct hits *hits)
{
	struct table table = {0};
	size_t at = 0;

	while (at < window->len && at < window->settled) {
		at = clause_read(&namer->clause, window->text, at, window->len);
		read_header(&table, &namer->clause);
		if (at > window->from)
			look_at(namer, &table, window, hits);
	}
}
