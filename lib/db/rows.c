/* What happened each day, and the report of several days. */
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/db/inside.h"

#define ROWS_A_DAY 2000               /* different ones; others are not counted */
#define ROWS_MAX   20000              /* of a report */
#define KEY_HEAD   ((size_t)DAY_TEXT) /* "r" and the day */
#define TEXTS      4                  /* of a row */

/* ---- telling ------------------------------------------------------------------------------ */

static bool add(struct history *h, const struct key *k, const uint64_t *more, size_t n)
{
	uint64_t number[NUMBERS_MAX];

	if (numbers_get(h->store, STORE_DAY, k, number, n) == STORE_FAILED)
		return false;
	for (size_t i = 0; i < n; i++)
		number[i] += more[i];
	return numbers_set(h->store, STORE_DAY, k, number, n);
}

/* judged TIME LEGS refused|- held|- */
static enum history_took take_judged(struct history *h, const struct past_line *line, int64_t time)
{
	uint64_t more[4] = {1, 0, 0, 0};
	char day[DAY_TEXT];
	struct key k;

	if (line->words != 5 || !past_number(line->word[2], &more[1]) || more[1] > INT32_MAX)
		return HISTORY_NO_LINE;
	more[2] = strcmp(line->word[3], "refused") == 0;
	more[3] = strcmp(line->word[4], "held") == 0;
	days_text(time, 0, day);
	key_begin(&k, 'd');
	key_last(&k, day);
	return add(h, &k, more, COUNT_OF(more)) ? HISTORY_TOOK : HISTORY_FAILED;
}

/* Whether a row of the day may be new: so that nobody can fill the store with rows. */
static bool has_room(struct history *h, const char *day, const struct key *k)
{
	uint64_t number[2];

	if (strcmp(h->row_day, day) != 0) {
		memcpy(h->row_day, day, sizeof h->row_day);
		h->row_count = 0;
	}
	if (numbers_get(h->store, STORE_DAY, k, number, 2) != STORE_NONE)
		return true;
	if (++h->row_count == ROWS_A_DAY)
		LOG_ALARM("history-rows", kv("day", day), kv_num("rows", ROWS_A_DAY));
	return h->row_count < ROWS_A_DAY;
}

/* would TIME WHERE RULE FUNCTION OUTCOME N shadow|watch, did TIME WHERE RULE FUNCTION OUTCOME N */
static enum history_took take_decision(
    struct history *h, const struct past_line *line, char kind, int64_t time)
{
	uint64_t more[2] = {1, 0};
	char day[DAY_TEXT];
	struct key k;

	if (!past_number(line->word[6], &more[1]) || more[1] > INT32_MAX)
		return HISTORY_NO_LINE;
	days_text(time, 0, day);
	key_begin(&k, 'r');
	key_last(&k, day);
	key_add(&k, &kind, 1);
	for (size_t i = 0; i < TEXTS - 1; i++)
		key_part(&k, line->word[2 + i]);
	key_last(&k, line->word[2 + TEXTS - 1]);
	if (k.len == sizeof k.bytes || !has_room(h, day, &k))
		return HISTORY_NO_LINE;
	return add(h, &k, more, COUNT_OF(more)) ? HISTORY_TOOK : HISTORY_FAILED;
}

enum history_took day_take(struct history *h, const struct past_line *line)
{
	const char *word = line->word[0];
	uint64_t time;

	if (!past_number(line->word[1], &time) || time > INT64_MAX)
		return HISTORY_NO_LINE;
	if (strcmp(word, "judged") == 0)
		return take_judged(h, line, (int64_t)time);
	if (strcmp(word, "did") == 0 && line->words == 7)
		return take_decision(h, line, 'd', (int64_t)time);
	if (strcmp(word, "would") == 0 && line->words == 8) {
		if (strcmp(line->word[7], "shadow") == 0)
			return take_decision(h, line, 's', (int64_t)time);
		if (strcmp(line->word[7], "watch") == 0)
			return take_decision(h, line, 'w', (int64_t)time);
	}
	return HISTORY_NO_LINE;
}

/* ---- the report --------------------------------------------------------------------------- */

struct row {
	uint64_t mails, rcpts;
	size_t len;
	char key[]; /* behind the day */
};

struct reporting {
	void *rows; /* tsearch(3) */
	size_t n;
	uint64_t sum[4];
	const char *to;
	struct buf *out;
	bool failed;
};

static int by_key(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	size_t len = x->len < y->len ? x->len : y->len;
	int order = memcmp(x->key, y->key, len);

	return order != 0 ? order : x->len < y->len ? -1 : x->len > y->len;
}

/* Days are compared as they are written. */
static bool is_within(const struct reporting *r, char kind, const char *key, size_t key_len)
{
	return key_len >= KEY_HEAD && key[0] == kind && memcmp(key + 1, r->to, DAY_TEXT - 1) <= 0;
}

static bool sum_day(void *context, const char *key, size_t key_len, const char *value, size_t len)
{
	struct reporting *r = context;

	if (!is_within(r, 'd', key, key_len))
		return false;
	for (size_t i = 0; i < COUNT_OF(r->sum); i++)
		r->sum[i] += numbers_at(value, len, i);
	return true;
}

static bool sum_row(void *context, const char *key, size_t key_len, const char *value, size_t len)
{
	struct reporting *r = context;
	struct row *row, **at;

	if (!is_within(r, 'r', key, key_len) || key_len == KEY_HEAD)
		return false;
	row = malloc(sizeof *row + key_len);
	r->failed = row == NULL;
	if (r->failed)
		return false;
	*row = (struct row){.len = key_len - KEY_HEAD};
	memcpy(row->key, key + KEY_HEAD, row->len);
	row->key[row->len] = '\0';
	at = r->n < ROWS_MAX ? tsearch(row, &r->rows, by_key) : tfind(row, &r->rows, by_key);
	if (at == NULL || *at != row) {
		free(row);
		r->failed = at == NULL && r->n < ROWS_MAX;
	} else {
		r->n++;
	}
	if (at != NULL) {
		(*at)->mails += numbers_at(value, len, 0);
		(*at)->rcpts += numbers_at(value, len, 1);
	}
	return !r->failed;
}

static void put_row(const void *node, VISIT visit, void *context)
{
	const struct row *row = *(struct row *const *)node;
	struct reporting *r = context;
	enum past_kind kind = row->key[0] == 's'   ? PAST_SHADOW
			      : row->key[0] == 'w' ? PAST_WATCH
						   : PAST_DID;
	size_t at = 1;

	if (visit != postorder && visit != leaf)
		return;
	buf_addf(r->out, "row %s", past_kind_word(kind));
	for (unsigned i = 0; i < TEXTS; i++) {
		past_put(r->out, at < row->len ? row->key + at : "");
		at += at < row->len ? strlen(row->key + at) + 1 : 0;
	}
	buf_addf(
	    r->out, " %llu %llu\n", (unsigned long long)row->mails, (unsigned long long)row->rcpts);
}

static bool put_report(struct history *h, struct reporting *r, const char *from)
{
	struct key k;

	key_begin(&k, 'd');
	key_last(&k, from);
	if (!store_walk(h->store, STORE_DAY, k.bytes, k.len, sum_day, r))
		return false;
	k.bytes[0] = 'r';
	if (!store_walk(h->store, STORE_DAY, k.bytes, k.len, sum_row, r) || r->failed)
		return false;
	buf_addf(r->out, "day %s %s", from, r->to);
	for (size_t i = 0; i < COUNT_OF(r->sum); i++)
		buf_addf(r->out, " %llu", (unsigned long long)r->sum[i]);
	buf_add_text(r->out, "\n");
	twalk_r(r->rows, put_row, r);
	buf_add_text(r->out, "end\n");
	return buf_ok(r->out);
}

bool history_report(struct history *h, unsigned days, bool today, int64_t now, struct buf *out)
{
	char from[DAY_TEXT], to[DAY_TEXT];
	struct reporting r = {.to = to, .out = out};
	bool good;

	days_text(now, today ? 0 : -1, to);
	days_text(now, (today ? 1 : 0) - (int)days, from);
	good = put_report(h, &r, from);
	tdestroy(r.rows, free);
	return good;
}
