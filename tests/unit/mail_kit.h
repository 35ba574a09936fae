/*
 * The labelled mails of tests/corpus, for tests in C: the fields, the labels, and the body in normal
 * form without the lines of quoted replies.
 */
#ifndef SEKISHO_TESTS_MAIL_KIT_H
#define SEKISHO_TESTS_MAIL_KIT_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mime/address.h"
#include "lib/text/norm.h"
#include "lib/words/greeting.h"

#define MAIL_MAX        65536
#define MAIL_RECIPIENTS 16
#define MAIL_LINE       1024

struct mail {
	char greeting[32]; /* labels; "" if it has none of the kind */
	char honorific[32];
	char promise[32];
	bool files; /* something is attached */
	size_t recipients;
	struct greeting_recipient recipient[MAIL_RECIPIENTS];
	char texts[MAIL_RECIPIENTS][2][MAIL_LINE];
	struct buf body;
	char raw[MAIL_MAX];
};

static bool mail_recipient(void *context, const struct address *a)
{
	struct mail *m = context;
	size_t i = m->recipients++;

	assert_true(i < MAIL_RECIPIENTS);
	(void)snprintf(m->texts[i][0], MAIL_LINE, "%s", a->text);
	(void)snprintf(m->texts[i][1], MAIL_LINE, "%s", a->name);
	m->recipient[i] =
	    (struct greeting_recipient){.address = m->texts[i][0], .name = m->texts[i][1]};
	return true;
}

static void mail_line(struct mail *m, char section, char *line)
{
	unsigned flags;

	if (section == 'h' && (strncmp(line, "to:", 3) == 0 || strncmp(line, "cc:", 3) == 0))
		assert_true(addresses_read(line + 3, strlen(line + 3), mail_recipient, m, &flags));
	if (section == 'l' && strncmp(line, "greeting ", 9) == 0)
		(void)snprintf(m->greeting, sizeof m->greeting, "%.31s", line + 9);
	if (section == 'l' && strncmp(line, "honorific ", 10) == 0)
		(void)snprintf(m->honorific, sizeof m->honorific, "%.31s", line + 10);
	if (section == 'l' && strncmp(line, "promise ", 8) == 0)
		(void)snprintf(m->promise, sizeof m->promise, "%.31s", line + 8);
}

/* Reads a mail; the caller frees its body. */
static void mail_read(struct mail *m, const char *path, const struct norm_tables *tables)
{
	char text[MAIL_MAX] = "", line[MAIL_LINE * 4];
	char section = 'h';
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	memset(m, 0, sizeof *m);
	while (fgets(line, sizeof line, file) != NULL) {
		if (strncmp(line, "=== ", 4) == 0) {
			section = line[4]; /* labels, body, file */
			m->files |= section == 'f';
			continue;
		}
		if (section == 'b' && line[0] != '>') {
			assert_true(strlen(text) + strlen(line) < sizeof text);
			strcat(text, line);
		}
		line[strcspn(line, "\n")] = '\0';
		mail_line(m, section, line);
	}
	fclose(file);
	buf_init(&m->body, MAIL_MAX * 4);
	assert_true(norm_text(tables, text, strlen(text), &m->body));
}

/* Calls `see` with each mail of a folder; how many there are. */
static size_t mail_each(const char *folder, const struct norm_tables *tables,
    void (*see)(void *context, const char *path, struct mail *mail), void *context)
{
	struct dirent **names;
	int n = scandir(folder, &names, NULL, alphasort);
	size_t count = 0;
	struct mail *mail = malloc(sizeof *mail);

	assert_true(n >= 0);
	assert_non_null(mail);
	for (int i = 0; i < n; i++) {
		const char *dot = strrchr(names[i]->d_name, '.');
		char path[512];

		if (dot != NULL && strcmp(dot, ".mail") == 0) {
			(void)snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
			mail_read(mail, path, tables);
			see(context, path, mail);
			buf_free(&mail->body);
			count++;
		}
		free(names[i]);
	}
	free(names);
	free(mail);
	return count;
}

#endif
