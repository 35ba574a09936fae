#include "lib/shell/verdict.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS    4
#define WIDTH_MAX  ((size_t)48) /* what is longer pushes the rest of its line along */
#define GAP        2
#define INDENT     "  "
#define FIELD_TEXT ((size_t)64)

/* ---- columns ------------------------------------------------------------------------------ */

/* East Asian letters take two columns (Unicode's UAX #11, in ranges broad enough for that). */
static size_t columns_of(uint32_t c)
{
	bool wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
		    (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
		    (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
		    (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) ||
		    (c >= 0x20000 && c <= 0x3fffd);

	return wide ? 2 : 1;
}

size_t verdict_width(const char *text)
{
	char *shown = NULL;
	size_t len = 0, width = 0;
	FILE *file = open_memstream(&shown, &len);

	if (file == NULL)
		return strlen(text);
	out_visible(file, text, strlen(text), false);
	if (fclose(file) != 0) {
		free(shown);
		return strlen(text);
	}
	for (size_t i = 0; i < len; i++) {
		unsigned char b = (unsigned char)shown[i];
		uint32_t c = b;

		if ((b & 0xc0) == 0x80)
			continue;
		for (size_t n = 1; b >= 0xc0 && n < 4 && i + n < len; n++) {
			if (((unsigned char)shown[i + n] & 0xc0) != 0x80)
				break;
			c = n == 1 ? b & (b >= 0xf0 ? 0x07u : b >= 0xe0 ? 0x0fu : 0x1fu) : c;
			c = c << 6 | ((unsigned char)shown[i + n] & 0x3fu);
		}
		width += columns_of(c);
	}
	free(shown);
	return width;
}

/* The text of a column; `room` is for what has to be put together. */
static const char *column(const struct verdict_line *line, size_t i, char room[FIELD_TEXT])
{
	switch (i) {
	case 0:
		if (line->would == NULL)
			return line->function;
		(void)snprintf(room, FIELD_TEXT, "would %s", line->function);
		return room;
	case 1:
		return line->outcome;
	case 2:
		return line->where;
	default:
		return line->rule;
	}
}

static void pad(struct out *o, size_t n)
{
	(void)fprintf(o->file, "%*s", (int)n, "");
}

static void print_line(struct out *o, const struct verdict_line *line, const size_t width[COLUMNS])
{
	char room[FIELD_TEXT];
	bool more = line->evidence[0] != '\0' || line->would != NULL;

	(void)fputs(INDENT, o->file);
	if (line->mark != NULL)
		(void)fprintf(o->file, "%s ", line->mark);
	for (size_t i = 0; i < COLUMNS; i++) {
		const char *text = column(line, i, room);
		size_t taken = verdict_width(text);

		out_visible(o->file, text, strlen(text), false);
		if (more || i + 1 < COLUMNS)
			pad(o, (taken < width[i] ? width[i] - taken : 0) + GAP);
	}
	if (line->would != NULL)
		(void)fprintf(o->file, "(%s)%s", line->would, line->evidence[0] != '\0' ? " " : "");
	out_visible(o->file, line->evidence, strlen(line->evidence), false);
	(void)fputc('\n', o->file);
}

static void print_table(struct out *o, const struct verdict *v)
{
	size_t width[COLUMNS] = {0};
	char room[FIELD_TEXT];

	out_visible(o->file, v->address, strlen(v->address), false);
	if (v->class != NULL)
		(void)fprintf(o->file, "   %s", v->class);
	if (v->fate[0] != '\0') {
		(void)fputs(v->class != NULL ? ", " : "   ", o->file);
		out_visible(o->file, v->fate, strlen(v->fate), false);
	}
	(void)fputc('\n', o->file);

	for (size_t n = 0; n < v->lines; n++) {
		for (size_t i = 0; i < COLUMNS; i++) {
			size_t taken = verdict_width(column(&v->line[n], i, room));

			if (taken > width[i])
				width[i] = taken < WIDTH_MAX ? taken : WIDTH_MAX;
		}
	}
	for (size_t n = 0; n < v->lines; n++)
		print_line(o, &v->line[n], width);
}

/* ---- JSON --------------------------------------------------------------------------------- */

static void put_or_none(struct out *o, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		out_text(o, key, text);
	else
		out_none(o, key);
}

static void print_object(struct out *o, const struct verdict *v, const struct verdict_line *line)
{
	out_text(o, v->key, v->value);
	out_text(o, "rcpt", v->address);
	put_or_none(o, "class", v->class);
	put_or_none(o, "fate", v->fate);
	if (line == NULL) {
		out_none(o, "function");
		out_end(o);
		return;
	}
	if (line->mark != NULL)
		out_text(o, "change", line->mark);
	out_text(o, "function", line->function);
	out_text(o, "outcome", line->outcome);
	put_or_none(o, "rule", line->where);
	put_or_none(o, "name", line->rule);
	put_or_none(o, "evidence", line->evidence);
	put_or_none(o, "would", line->would);
	out_end(o);
}

void verdict_print(struct out *o, const struct verdict *v)
{
	if (!o->json) {
		print_table(o, v);
		return;
	}
	for (size_t n = 0; n < v->lines; n++)
		print_object(o, v, &v->line[n]);
	if (v->lines == 0)
		print_object(o, v, NULL);
}
