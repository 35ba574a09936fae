#include "lib/auth/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LINES_MAX  10000
#define DOMAIN_MAX 253

/* Programs of the gateway, so that a slip of the pen is seen before a login is. */
static const char *const ours[] = {
    TABLE_FILE_PROGRAM,
    "seki-auth-imap",
    "seki-auth-smtp",
    "seki-auth-pam",
};

void table_init(struct table *t)
{
	*t = (struct table){0};
}

static void free_line(struct table_line *line)
{
	for (size_t i = 0; line->argv != NULL && line->argv[i] != NULL; i++)
		free(line->argv[i]);
	free(line->argv);
	free(line->path);
	free(line->domain);
}

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free_line(&t->lines[i]);
	free(t->lines);
	table_init(t);
}

/* ---- one line ---- */

static bool is_domain(const char *text)
{
	size_t len = strlen(text);

	return len >= 1 && len <= DOMAIN_MAX && strchr(text, '@') == NULL && text[0] != '.' &&
	       text[len - 1] != '.';
}

static bool check_logins(
    const struct table *t, const struct conf_line *line, struct conf_fault *fault)
{
	const struct conf_word *word = &line->word[0];
	bool all = strcmp(word->text, "*") == 0;

	if (!all && (word->text[0] != '@' || !is_domain(word->text + 1)))
		return conf_blame(fault, line->number, word->column,
		    "logins were expected: @example.co.jp (of this domain) or * (all)");

	for (size_t i = 0; i < t->n; i++) {
		const char *domain = t->lines[i].domain;

		if (domain == NULL || (!all && strcasecmp(domain, word->text + 1) == 0))
			return conf_blame(fault, line->number, word->column,
			    "line %u already decides for these logins", t->lines[i].number);
	}
	return true;
}

static bool check_program(const struct conf_line *line, struct conf_fault *fault)
{
	const struct conf_word *word = &line->word[1];
	const char *near;

	if (line->words < 2)
		return conf_blame(fault, line->number, 0,
		    "who checks their passwords? A program such as %s is missing",
		    TABLE_FILE_PROGRAM);
	if (word->text[0] == '-')
		return conf_blame(
		    fault, line->number, word->column, "a program was expected, no option");
	if (strncmp(word->text, "seki-", 5) != 0 || strchr(word->text, '/') != NULL)
		return true;

	for (size_t i = 0; i < COUNT_OF(ours); i++) {
		if (strcmp(ours[i], word->text) == 0)
			return true;
	}
	near = conf_near(word->text, ours, COUNT_OF(ours), sizeof ours[0]);
	return conf_blame(fault, line->number, word->column,
	    "\"%.60s\" is none of the gateway's back ends%s%s", word->text,
	    near != NULL ? "; near: " : "", near != NULL ? near : "");
}

/* Copies the line's words. False without memory; what is there so far is freed with the line. */
static bool copy_line(struct table_line *to, const struct conf_line *line)
{
	const char *logins = line->word[0].text;
	const char *program = line->word[1].text;

	to->number = line->number;
	to->argv = calloc(line->words, sizeof *to->argv);
	if (to->argv == NULL)
		return false;
	for (size_t i = 1; i < line->words; i++) {
		to->argv[i - 1] = strdup(line->word[i].text);
		if (to->argv[i - 1] == NULL)
			return false;
	}
	if (logins[0] == '@') {
		to->domain = strdup(logins + 1);
		if (to->domain == NULL)
			return false;
	}
	return asprintf(&to->path, "%s%s", strchr(program, '/') == NULL ? "bin/" : "", program) > 0;
}

static bool take_line(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	struct table *t = context;
	struct table_line *grown;

	if (!check_logins(t, line, fault) || !check_program(line, fault))
		return false;
	if (t->n >= LINES_MAX)
		return conf_blame(fault, line->number, 0, "more than %d lines", LINES_MAX);

	grown = reallocarray(t->lines, t->n + 1, sizeof *grown);
	if (grown == NULL)
		return conf_blame(fault, line->number, 0, "no memory");
	t->lines = grown;
	t->lines[t->n] = (struct table_line){0};
	if (!copy_line(&t->lines[t->n++], line))
		return conf_blame(fault, line->number, 0, "no memory");
	return true;
}

bool table_read(int etc, struct table *t, struct conf_fault *fault)
{
	return conf_read(etc, "auth", true, take_line, t, fault);
}

/* ---- asking ---- */

const struct table_line *table_find(const struct table *t, const char *login)
{
	static char program[] = TABLE_FILE_PROGRAM;
	static char path[] = "bin/" TABLE_FILE_PROGRAM;
	static char *argv[] = {program, NULL};
	static const struct table_line fallback = {.path = path, .argv = argv};
	const char *at = strrchr(login, '@');

	for (size_t i = 0; i < t->n; i++) {
		const char *domain = t->lines[i].domain;

		if (domain == NULL || (at != NULL && strcasecmp(domain, at + 1) == 0))
			return &t->lines[i];
	}
	return &fallback;
}

bool table_is_file(const struct table_line *line)
{
	return strcmp(line->argv[0], TABLE_FILE_PROGRAM) == 0;
}
