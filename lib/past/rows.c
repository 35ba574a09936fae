/* What seki-db has counted: months, and what rules did. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/past/past.h"
#include "lib/past/wire.h"

#define ROWS_MAX ((size_t)200000)

/* ---- months ---- */

static bool take_month(const struct past_line *line, struct past_month *m)
{
	*m = (struct past_month){.peak = 0};
	if (line->words != 3 || strlen(line->word[1]) >= sizeof m->month ||
	    !past_number(line->word[2], &m->peak))
		return false;
	(void)snprintf(m->month, sizeof m->month, "%s", line->word[1]);
	return true;
}

/* The last line: how many there are now. */
static bool take_now(const struct past_line *line, struct past_month *months, size_t n)
{
	uint64_t now, enrolled;

	if (line->words != 3 || strcmp(line->word[0], "end") != 0 ||
	    !past_number(line->word[1], &now) || !past_number(line->word[2], &enrolled))
		return false;
	for (size_t i = 0; i < n; i++) {
		months[i].now = now;
		months[i].enrolled = enrolled;
	}
	return true;
}

static ssize_t take_months(
    struct wire *w, const char *month, struct past_month *months, size_t room)
{
	struct past_line line;
	struct past_month m;
	size_t n = 0;

	while (wire_line(w, &line)) {
		if (strcmp(line.word[0], "month") != 0) {
			if (take_now(&line, months, n))
				return (ssize_t)n;
			errno = EPROTO;
			return -1;
		}
		if (!take_month(&line, &m)) {
			errno = EPROTO;
			return -1;
		}
		if (room == 0 || (month[0] != '\0' && strcmp(month, m.month) != 0))
			continue;
		if (n == room)
			memmove(months, months + 1, --n * sizeof *months);
		months[n++] = m;
	}
	return -1;
}

ssize_t past_months(const char *month, struct past_month *months, size_t room, int64_t patience)
{
	struct wire w;
	ssize_t n = -1;

	wire_init(&w, patience);
	buf_add_text(&w.out, "months\n");
	if (wire_connect(&w))
		n = take_months(&w, month, months, room);
	wire_free(&w);
	return n;
}

/* ---- rows ---- */

/* While they are gathered: the texts stand in one buffer that still moves. */
struct gathering {
	struct past_rows *rows;
	size_t room;
	struct buf texts;
};

static bool take_day(const struct past_line *line, struct past_rows *rows)
{
	if (line->words != 7 || strcmp(line->word[0], "day") != 0 || strlen(line->word[1]) != 10 ||
	    strlen(line->word[2]) != 10)
		return false;
	memcpy(rows->from, line->word[1], sizeof rows->from);
	memcpy(rows->to, line->word[2], sizeof rows->to);
	return past_number(line->word[3], &rows->judged) &&
	       past_number(line->word[4], &rows->legs) &&
	       past_number(line->word[5], &rows->refused) &&
	       past_number(line->word[6], &rows->held);
}

static bool kind_of(const char *word, enum past_kind *kind)
{
	for (*kind = PAST_DID; *kind <= PAST_WATCH; *kind = (enum past_kind)(*kind + 1)) {
		if (strcmp(past_kind_word(*kind), word) == 0)
			return true;
	}
	return false;
}

static bool grow(struct gathering *g)
{
	size_t room = g->room == 0 ? 64 : g->room * 2;
	struct past_row *more;

	if (g->rows->rows < g->room)
		return true;
	more = g->room < ROWS_MAX ? reallocarray(g->rows->row, room, sizeof *more) : NULL;
	if (more == NULL)
		return false;
	g->rows->row = more;
	g->room = room;
	return true;
}

static bool take_row(const struct past_line *line, struct gathering *g)
{
	struct past_row row = {.kind = PAST_DID};

	if (line->words != 8 || strcmp(line->word[0], "row") != 0 ||
	    !kind_of(line->word[1], &row.kind) || !past_number(line->word[6], &row.mails) ||
	    !past_number(line->word[7], &row.rcpts)) {
		errno = EPROTO;
		return false;
	}
	for (size_t i = 2; i < 6; i++)
		buf_add(&g->texts, line->word[i], strlen(line->word[i]) + 1);
	if (!buf_ok(&g->texts) || !grow(g)) {
		errno = ENOMEM;
		return false;
	}
	g->rows->row[g->rows->rows++] = row;
	return true;
}

/* The texts stay where they are now. */
static void settle(struct gathering *g)
{
	const char *at = g->texts.bytes;

	for (size_t i = 0; i < g->rows->rows; i++) {
		struct past_row *row = &g->rows->row[i];
		const char **text[] = {&row->where, &row->rule, &row->function, &row->outcome};

		for (size_t k = 0; k < COUNT_OF(text); k++) {
			*text[k] = at;
			at += strlen(at) + 1;
		}
	}
	g->rows->memory = g->texts.bytes;
}

static int by_weight(const void *a, const void *b)
{
	const struct past_row *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->mails != y->mails)
		return x->mails > y->mails ? -1 : 1;
	return strcmp(x->where, y->where);
}

static bool gather(struct wire *w, struct gathering *g)
{
	struct past_line line;

	if (!wire_line(w, &line))
		return false;
	if (!take_day(&line, g->rows)) {
		errno = EPROTO;
		return false;
	}
	while (wire_line(w, &line)) {
		if (line.words == 1 && strcmp(line.word[0], "end") == 0)
			return true;
		if (!take_row(&line, g))
			return false;
	}
	return false;
}

struct past_rows *past_rows(unsigned days, bool today, int64_t patience)
{
	struct gathering g = {.rows = calloc(1, sizeof *g.rows)};
	struct wire w;
	bool good;

	if (g.rows == NULL)
		return NULL;
	wire_init(&w, patience);
	buf_init(&g.texts, ROWS_MAX * 512);
	buf_addf(&w.out, "report %u %s\n", days, today ? "today" : "before");
	good = wire_connect(&w) && gather(&w, &g);
	wire_free(&w);
	if (!good) {
		int error = errno;

		buf_free(&g.texts);
		past_rows_free(g.rows);
		errno = error;
		return NULL;
	}
	settle(&g);
	if (g.rows->rows > 0)
		qsort(g.rows->row, g.rows->rows, sizeof *g.rows->row, by_weight);
	return g.rows;
}

void past_rows_free(struct past_rows *rows)
{
	if (rows == NULL)
		return;
	free(rows->row);
	free(rows->memory);
	free(rows);
}
