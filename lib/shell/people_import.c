/* people import: etc/people from a table that another system keeps. */
#include "lib/shell/people.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/die.h"
#include "lib/org/people_csv.h"
#include "lib/shell/check.h"

#define USAGE     "usage: seki people import [--dry-run] [--remove-missing] FILE.csv"
#define WRONG_MAX 100 /* rows that are complained about, before it is given up */
#define READ_STEP 65536

struct import {
	struct people_desk desk;
	const char *name; /* of the file */
	bool dry;
	bool remove_missing;
	size_t rows, wrong, removed;
};

static void put_row(struct import *m, const char *name, const char *what, unsigned line)
{
	out_text(&m->desk.out, "name", name);
	out_text(&m->desk.out, "what", what);
	out_number(&m->desk.out, "line", line);
	out_end(&m->desk.out);
}

/* "people.csv:12: …" */
static bool wrong(struct import *m, unsigned line, const char *text)
{
	struct conf_fault fault = {.line = 0};

	(void)snprintf(fault.file, sizeof fault.file, "%.120s", m->name);
	(void)conf_blame(&fault, line, 0, "%s", text);
	complain_fault(&fault);
	m->desk.code = EXIT_NO;
	return ++m->wrong < WRONG_MAX;
}

static bool take_row(
    void *context, unsigned line, const struct people_change *change, const char *why)
{
	static const char *const words[] = {
	    [PEOPLE_ADDED] = "added", [PEOPLE_CHANGED] = "changed", [PEOPLE_SAME] = "unchanged"};
	struct import *m = context;
	enum people_done done;
	char text[64];
	unsigned before;

	m->rows++;
	if (change == NULL)
		return wrong(m, line, why);
	before = people_file_mark(m->desk.file, change->address);
	if (before > 0) {
		(void)snprintf(text, sizeof text, "this person stands in line %u already", before);
		return wrong(m, line, text);
	}
	people_desk_groups(&m->desk, &change->key[PEOPLE_GROUP]);
	done = people_file_change(m->desk.file, change, line);
	if (done == PEOPLE_FAILED) {
		complain("no memory");
		m->desk.code = EXIT_ENVIRON;
		return false;
	}
	put_row(m, change->address, words[done], line);
	return true;
}

static void see_removed(void *context, const char *address, size_t len)
{
	struct import *m = context;

	m->removed++;
	out_bytes(&m->desk.out, "name", address, len);
	out_text(&m->desk.out, "what", "removed");
	out_none(&m->desk.out, "line");
	out_end(&m->desk.out);
}

static void import(struct import *m, const struct buf *csv)
{
	struct conf_fault fault;

	if (!people_csv_read(
		csv->bytes != NULL ? csv->bytes : "", csv->len, m->name, take_row, m, &fault)) {
		if (fault.text[0] != '\0')
			complain_fault(&fault);
		m->desk.code = m->desk.code == EXIT_FINE ? EXIT_NO : m->desk.code;
	} else if (m->desk.code == EXIT_FINE && m->remove_missing && m->rows == 0) {
		complain("there is nobody in it: nobody is removed for that");
		m->desk.code = EXIT_NO;
	} else if (m->desk.code == EXIT_FINE && m->remove_missing) {
		people_file_remove_unmarked(m->desk.file, see_removed, m);
	}
	if (m->wrong > 0)
		complain("nothing is changed");
	people_desk_save(&m->desk, m->dry);
	if (m->dry && m->desk.code == EXIT_FINE)
		complain("a dry run: nothing is changed");
}

/* The whole file. False after a complaint. */
static bool read_file(const char *name, struct buf *csv)
{
	int fd = open(name, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? 1 : -1;

	while (n > 0) {
		char *end = buf_reserve(csv, READ_STEP);

		errno = EFBIG;
		n = end != NULL ? read(fd, end, READ_STEP) : -1;
		csv->len += n > 0 ? (size_t)n : 0;
	}
	if (n < 0)
		complain_about(name, "%s", strerrordesc_np(errno));
	if (fd >= 0)
		(void)close(fd); /* only read: nothing can be lost */
	return n == 0;
}

static bool take_arguments(struct import *m, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--dry-run") == 0)
			m->dry = true;
		else if (strcmp(argv[i], "--remove-missing") == 0)
			m->remove_missing = true;
		else if (argv[i][0] == '-' || m->name != NULL)
			return false;
		else
			m->name = argv[i];
	}
	return m->name != NULL;
}

int people_import(const struct shell *sh, int argc, char **argv)
{
	struct import m = {.name = NULL};
	struct buf csv;
	int code = EXIT_NO;

	if (!take_arguments(&m, argc, argv))
		return complain_usage(USAGE);
	buf_init(&csv, PEOPLE_CSV_MAX + READ_STEP);
	if (!read_file(m.name, &csv))
		goto done;
	if (chdir(sh->root) != 0) {
		complain_about(sh->root, "%s; --root or SEKISHO_ROOT names the instance",
		    strerrordesc_np(errno));
		code = EXIT_ENVIRON;
		goto done;
	}
	if (people_desk_open(&m.desk, sh, "NAME\tWHAT\tLINE"))
		import(&m, &csv);
	code = people_desk_close(&m.desk);

done:
	buf_free(&csv);
	return code;
}
