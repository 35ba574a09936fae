#include "lib/org/people_csv.h"

#include <csv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/mime/utf8.h"
#include "lib/text/charset.h"

#define MARK        "\xef\xbb\xbf"
#define COLUMNS_MAX ((size_t)64)
#define VALUES_MAX  ((size_t)1024) /* of one row */
#define ROW_MAX     ((size_t)65536)
#define WRONG_MAX   ((size_t)256)

enum { COLUMN_ADDRESS = PEOPLE_KEY_COUNT };

struct table {
	people_csv_see *see;
	void *context;
	struct conf_fault *fault;
	int column[COLUMNS_MAX]; /* a key, or COLUMN_ADDRESS */
	size_t columns;          /* 0: the headings are still to come */
	unsigned line;           /* where the row in hand begins */
	unsigned passed;         /* line ends within it */
	size_t fields;           /* of the row in hand so far */
	bool blank;              /* … and nothing in them */
	char *row;               /* their bytes, each with a NUL behind it */
	size_t used;
	size_t at[COLUMNS_MAX]; /* where they begin */
	const char *text[VALUES_MAX];
	size_t values;
	bool stop; /* `fault` says why, or `see` wants no more */
	char wrong[WRONG_MAX];
};

static void blame(struct table *t, const char *text)
{
	t->stop = true;
	(void)conf_blame(t->fault, t->line, 0, "%s", text);
}

/* ---- fields ---- */

static void take_field(void *bytes, size_t len, void *context)
{
	struct table *t = context;
	const char *text = bytes;

	if (t->stop)
		return;
	for (size_t i = 0; i < len; i++)
		t->passed += text[i] == '\n';
	t->blank = t->blank && len == 0;
	if (t->fields == COLUMNS_MAX || len >= ROW_MAX - t->used) {
		blame(t, "the row is too long");
		return;
	}
	t->at[t->fields++] = t->used;
	memcpy(t->row + t->used, text, len);
	t->row[t->used + len] = '\0';
	t->used += len + 1;
}

/* Without blanks in front and behind, where it stands. */
static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r\n");
	len = strlen(text);
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		len--;
	text[len] = '\0';
	return text;
}

/* ---- headings ---- */

static int column_called(const char *name)
{
	if (strcasecmp(name, "address") == 0)
		return COLUMN_ADDRESS;
	for (int key = 0; key < PEOPLE_KEY_COUNT; key++) {
		if (strcasecmp(name, people_key_word((enum people_key)key)) == 0)
			return key;
	}
	return -1;
}

static void take_headings(struct table *t)
{
	bool seen[PEOPLE_KEY_COUNT + 1] = {false};

	for (size_t i = 0; i < t->fields; i++) {
		const char *name = trim(t->row + t->at[i]);

		t->column[i] = column_called(name);
		if (t->column[i] < 0 || seen[t->column[i]]) {
			t->stop = true;
			(void)conf_blame(t->fault, t->line, 0,
			    t->column[i] < 0
				? "no column \"%.40s\": address, name, group, boss, deputy, lang, "
				  "alias, login, shared and foreign are known"
				: "the column %.40s stands there twice",
			    name);
			return;
		}
		seen[t->column[i]] = true;
	}
	if (!seen[COLUMN_ADDRESS]) {
		blame(t, "the first row has the headings, address among them");
		return;
	}
	t->columns = t->fields;
}

/* ---- rows ---- */

/* "A; B": the values of a field. False: one cannot be. */
static bool take_values(struct table *t, enum people_key key, char *field, struct people_wish *wish)
{
	wish->given = true;
	wish->whole = true;
	wish->text = &t->text[t->values];
	for (char *rest = field, *value; (value = strsep(&rest, ";")) != NULL;) {
		value = trim(value);
		if (value[0] == '\0')
			continue;
		if (t->values == VALUES_MAX || !people_value_good(key, value)) {
			(void)snprintf(t->wrong, sizeof t->wrong, "%s cannot be \"%.60s\"",
			    people_key_word(key), value);
			return false;
		}
		t->text[t->values++] = value;
		wish->n++;
	}
	return true;
}

static bool read_row(struct table *t, struct people_change *change)
{
	*change = (struct people_change){.address = NULL};
	t->values = 0;
	if (t->fields > t->columns) {
		(void)snprintf(t->wrong, sizeof t->wrong, "%zu fields, but %zu headings", t->fields,
		    t->columns);
		return false;
	}
	for (size_t i = 0; i < t->columns; i++) {
		static char none[1];
		char *field = i < t->fields ? t->row + t->at[i] : none;

		if (t->column[i] == COLUMN_ADDRESS)
			change->address = trim(field);
		else if (!take_values(
			     t, (enum people_key)t->column[i], field, &change->key[t->column[i]]))
			return false;
	}
	if (people_value_good(PEOPLE_ALIAS, change->address) &&
	    strchr(change->address, '@') != NULL)
		return true;
	(void)snprintf(
	    t->wrong, sizeof t->wrong, "an address is expected, not \"%.60s\"", change->address);
	return false;
}

static void take_row(void *context, bool headings)
{
	struct table *t = context;
	struct people_change change;

	if (headings)
		take_headings(t);
	else if (read_row(t, &change))
		t->stop = !t->see(t->context, t->line, &change, NULL);
	else
		t->stop = !t->see(t->context, t->line, NULL, t->wrong);
}

/* A line end, or the end of it all: -1. A carriage return before a newline ends a row, too. */
static void end_row(int c, void *context)
{
	struct table *t = context;

	if (t->stop)
		return;
	if (t->fields > 0 && !t->blank)
		take_row(t, t->columns == 0);
	if (t->stop)
		return;
	t->line += t->passed + (c == '\n');
	t->passed = 0;
	t->fields = 0;
	t->used = 0;
	t->blank = true;
}

/* ---- the file ---- */

static bool is_utf8(const char *bytes, size_t len)
{
	uint32_t point;
	size_t step;

	for (size_t at = 0; at < len; at += step) {
		step = utf8_step(bytes + at, len - at, &point);
		if (step == 0)
			return false;
	}
	return true;
}

/* Where the first letter stands that could not be read: its line; 0: all could. */
static unsigned unread_line(const struct buf *text)
{
	const char *at = text->len > 0 ? memmem(text->bytes, text->len, "\xef\xbf\xbd", 3) : NULL;
	unsigned line = 1;

	if (at == NULL)
		return 0;
	for (const char *p = text->bytes; p < at; p++)
		line += *p == '\n';
	return line;
}

static bool parse(struct table *t, const char *bytes, size_t len)
{
	struct csv_parser csv;
	bool good;

	if (csv_init(&csv, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL) != 0) {
		blame(t, "no memory");
		return false;
	}
	good = csv_parse(&csv, bytes, len, take_field, end_row, t) == len &&
	       csv_fini(&csv, take_field, end_row, t) == 0;
	if (!good && !t->stop)
		blame(t, csv_error(&csv) == CSV_EPARSE
			     ? "a quote is missing, or stands within a field"
			     : "no memory");
	csv_free(&csv);
	if (!t->stop && t->columns == 0)
		blame(t, "the first row has the headings, address among them");
	return !t->stop;
}

bool people_csv_read(const char *bytes, size_t len, const char *file, people_csv_see *see,
    void *context, struct conf_fault *fault)
{
	struct table *t = calloc(1, sizeof *t);
	char *row = malloc(ROW_MAX);
	struct buf text;
	bool good = false;

	*fault = (struct conf_fault){.line = 0};
	(void)snprintf(fault->file, sizeof fault->file, "%s", file);
	buf_init(&text, 3 * PEOPLE_CSV_MAX);
	if (len >= 3 && memcmp(bytes, MARK, 3) == 0) {
		bytes += 3;
		len -= 3;
	}
	if (t == NULL || row == NULL || len > PEOPLE_CSV_MAX) {
		(void)conf_blame(fault, 0, 0, len > PEOPLE_CSV_MAX ? "is too large" : "no memory");
		goto done;
	}
	*t = (struct table){
	    .see = see, .context = context, .fault = fault, .row = row, .line = 1, .blank = true};
	if (!is_utf8(bytes, len)) {
		if (!charset_convert("", bytes, len, &text)) {
			(void)conf_blame(fault, 0, 0, "no memory");
			goto done;
		}
		t->line = unread_line(&text);
		if (t->line > 0) {
			blame(t, "is neither UTF-8 nor CP932: save it as one of them");
			goto done;
		}
		t->line = 1;
		bytes = text.bytes;
		len = text.len;
	}
	good = parse(t, bytes, len);

done:
	buf_free(&text);
	free(row);
	free(t);
	return good;
}
