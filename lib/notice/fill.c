/* Making a text from a template and its variables. */
#include <errno.h>
#include <string.h>

#include "lib/notice/template.h"

static const char cut[] = "…\n";

static bool is_named(const struct template_piece *piece, const char *name)
{
	return piece->len == strlen(name) && memcmp(piece->text, name, piece->len) == 0;
}

/* ---- the subject -------------------------------------------------------------------------- */

size_t template_prefix(const struct notice_template *t, const char **prefix)
{
	const struct template_piece *piece = t->piece;

	if (t->line[0].pieces < 2 || piece[0].kind != PIECE_TEXT || piece[1].kind != PIECE_VALUE ||
	    !is_named(&piece[1], "subject"))
		return 0;
	*prefix = piece[0].text;
	return piece[0].len;
}

static void add_all(
    const struct notice_vars *vars, const struct template_piece *piece, struct buf *out)
{
	size_t rows = notice_vars_rows(vars, piece->text, piece->len), added = 0;

	for (size_t i = 0; i < rows; i++) {
		const char *value = notice_vars_value(vars, piece->text, piece->len, i);

		if (value == NULL)
			continue;
		buf_add_text(out, added++ > 0 ? ", " : "");
		buf_add_text(out, value);
	}
}

bool template_subject(const struct notice_template *t, const struct notice_vars *vars,
    const char *subject, struct buf *out)
{
	const struct template_line *line = &t->line[0];

	for (size_t i = 0; i < line->pieces; i++) {
		const struct template_piece *piece = &t->piece[line->first + i];

		if (piece->kind == PIECE_TEXT)
			buf_add(out, piece->text, piece->len);
		else if (is_named(piece, "subject"))
			buf_add_text(out, subject != NULL ? subject : "");
		else
			add_all(vars, piece, out);
	}
	return buf_ok(out);
}

/* ---- the text ----------------------------------------------------------------------------- */

/* How often the lines from `first` up to `end` are repeated. */
static size_t rows_of(
    const struct notice_template *t, const struct notice_vars *vars, size_t first, size_t end)
{
	size_t most = 1;

	for (size_t i = first; i < end; i++) {
		for (size_t k = 0; k < t->line[i].pieces; k++) {
			const struct template_piece *piece = &t->piece[t->line[i].first + k];
			size_t rows = piece->kind == PIECE_VALUE
					  ? notice_vars_rows(vars, piece->text, piece->len)
					  : 0;

			most = rows > most ? rows : most;
		}
	}
	return most;
}

/* One line in one row, into an empty `text`. False: it is left out. */
static bool fill_line(const struct notice_template *t, const struct template_line *line,
    const struct notice_vars *vars, size_t row, struct buf *text)
{
	for (size_t i = 0; i < line->pieces; i++) {
		const struct template_piece *piece = &t->piece[line->first + i];
		const char *value = NULL;

		if (piece->kind == PIECE_TEXT) {
			buf_add(text, piece->text, piece->len);
			continue;
		}
		value = notice_vars_value(vars, piece->text, piece->len, row);
		if ((value == NULL) != (piece->kind == PIECE_UNLESS))
			return false;
		if (piece->kind == PIECE_VALUE)
			buf_add_text(text, value);
	}
	buf_add_text(text, "\n");
	return true;
}

struct filling {
	const struct notice_template *t;
	const struct notice_vars *vars;
	struct buf line;
	struct buf *out;
	size_t start; /* of the text in `out` */
	size_t most;
	bool full;
};

/* An empty line is written when something follows it, so that none ends the text. */
static void add_line(struct filling *f, size_t number, size_t row, bool *gap)
{
	bool first = f->out->len == f->start;

	buf_clear(&f->line);
	if (!fill_line(f->t, &f->t->line[number], f->vars, row, &f->line))
		return;
	if (f->line.len == 1) {
		*gap = !first;
		return;
	}
	if (!buf_ok(&f->line) || f->out->len - f->start + f->line.len + 1 + sizeof cut > f->most) {
		f->full = true;
		return;
	}
	buf_add_text(f->out, *gap ? "\n" : "");
	buf_add(f->out, f->line.bytes, f->line.len);
	*gap = false;
}

bool template_text(
    const struct notice_template *t, const struct notice_vars *vars, size_t most, struct buf *out)
{
	struct filling f = {.t = t, .vars = vars, .out = out, .start = out->len, .most = most};
	bool gap = false;
	size_t end;

	buf_init(&f.line, most);
	for (size_t first = 1; first < t->lines && !f.full; first = end) {
		size_t rows;

		for (end = first + 1; end < t->lines && t->line[end - 1].joined;)
			end++;
		rows = rows_of(t, vars, first, end);
		for (size_t row = 0; row < rows; row++) {
			for (size_t i = first; i < end && !f.full; i++)
				add_line(&f, i, row, &gap);
		}
	}
	if (f.full)
		buf_add_text(out, cut);
	buf_free(&f.line);
	if (!buf_ok(out))
		errno = ENOMEM;
	return buf_ok(out);
}
