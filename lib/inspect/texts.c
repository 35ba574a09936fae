/*
 * Every text of a message comes through here: it is brought into its normal form once, and each
 * detector that was asked for sees it. Nothing of it is kept but what they find.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/inspect/facts.h"
#include "lib/inspect/said.h"
#include "lib/inspect/tables.h"
#include "lib/inspect/texts.h"

static bool wants(const struct texts *t, enum inspect_want want)
{
	return (t->by->ask.want & (1u << want)) != 0;
}

/* ---- readers of windows ---- */

static void look_for_numbers(void *context, const struct detect_window *window)
{
	struct texts *t = context;

	detect_numbers(window, t->by->ask.kinds, t->hits);
}

static void look_for_mail(void *context, const struct detect_window *window)
{
	struct texts *t = context;

	detect_mail(window, t->hits);
}

static void look_for_addresses(void *context, const struct detect_window *window)
{
	struct texts *t = context;

	detect_addresses(window, t->hits);
}

/* The dictionary is slow: so much text of a message is looked at, and no more. */
static void look_for_names(void *context, const struct detect_window *window)
{
	struct texts *t = context;
	uint64_t fresh = window->settled - window->from;

	if (fresh > t->names_left) {
		t->names_left = 0;
		t->cut = true;
		return;
	}
	t->names_left -= fresh;
	detect_names(t->by->namer, window, t->hits);
}

#define NUMBER_KINDS                                                                               \
	((1u << DETECT_CARD) | (1u << DETECT_MYNUMBER) | (1u << DETECT_CORPORATE) |                \
	    (1u << DETECT_PHONE))

static size_t choose_readers(struct texts *t, struct window_reader readers[TEXTS_READERS])
{
	unsigned kinds = t->by->ask.kinds;
	size_t n = 0;

	if ((kinds & NUMBER_KINDS) != 0)
		readers[n++] = (struct window_reader){look_for_numbers, t};
	if ((kinds & (1u << DETECT_MAIL)) != 0)
		readers[n++] = (struct window_reader){look_for_mail, t};
	if ((kinds & (1u << DETECT_ADDRESS)) != 0)
		readers[n++] = (struct window_reader){look_for_addresses, t};
	if ((kinds & (1u << DETECT_NAME)) != 0 && t->by->namer != NULL)
		readers[n++] = (struct window_reader){look_for_names, t};
	if (t->named != NULL)
		readers[n++] = (struct window_reader){partners_look, t->named};
	return n;
}

/* ---- in and out ---- */

struct texts *texts_new(const struct inspector *by)
{
	struct texts *t = calloc(1, sizeof *t);
	struct window_reader readers[TEXTS_READERS];
	size_t n;

	if (t == NULL)
		return NULL;
	t->by = by;
	t->names_left = (uint64_t)by->ask.limits.inspect_names;
	t->hits = hits_new();
	if (wants(t, WANT_COMPANY))
		t->named = partners_named_new(tables_partners(by->tables));
	t->said = said_begin(by->said);
	promise_open(&t->promise);
	n = choose_readers(t, readers);
	t->windows = windows_new(readers, n);
	if (t->hits == NULL || t->windows == NULL || (by->said != NULL && t->said == NULL) ||
	    (wants(t, WANT_COMPANY) && t->named == NULL)) {
		texts_free(t);
		return NULL;
	}
	return t;
}

void texts_free(struct texts *t)
{
	if (t == NULL)
		return;
	norm_free(t->norm);
	quote_free(t->quote);
	windows_free(t->windows);
	said_end(t->said);
	partners_named_free(t->named);
	hits_free(t->hits);
	free(t);
}

/* To each of them. */
static bool spread(void *context, const char *text, size_t len, bool quoted)
{
	struct texts *t = context;

	if (quoted && t->by->ask.unquoted)
		return true;
	if (!t->words_only)
		windows_feed(t->windows, text, len);
	if (t->said != NULL && !t->values_only)
		said_feed(t->said, text, len);
	if (t->place != PLACE_BODY || quoted)
		return true;
	if (wants(t, WANT_GREETING) && t->greets)
		(void)greeting_take(&t->head, text, len);
	if (wants(t, WANT_PROMISE))
		(void)promise_take(&t->promise, text, len);
	return true;
}

/* Behind the normal form. What only looks like a quotation is one in a body alone. */
static bool take_normal(void *context, const char *text, size_t len)
{
	struct texts *t = context;

	return t->place == PLACE_BODY ? quote_feed(t->quote, text, len, t->quoted)
				      : spread(t, text, len, t->quoted);
}

static bool open_norm(struct texts *t)
{
	t->norm = norm_open(tables_norm(t->by->tables), (struct sink){take_normal, t});
	if (t->norm == NULL)
		t->failed = true;
	return t->norm != NULL;
}

static void close_norm(struct texts *t)
{
	if (t->norm != NULL && !norm_end(t->norm))
		t->failed = true;
	norm_free(t->norm);
	t->norm = NULL;
}

void texts_begin(struct texts *t, enum detect_place place)
{
	t->place = place;
	t->quoted = false;
	/* The first body text that has any greets; its alternative says the same. */
	t->greets = place == PLACE_BODY && t->head.len == 0;
	t->quote = quote_open(spread, t);
	if (t->quote == NULL) {
		t->failed = true;
		return;
	}
	windows_begin(t->windows, place);
	if (t->said != NULL)
		said_text_begins(t->said, place);
	(void)!open_norm(t);
}

/* Nothing of a quoted reply is joined with what stands around it. */
static bool turn_to(struct texts *t, bool quoted)
{
	if (t->norm == NULL || t->quoted == quoted)
		return t->norm != NULL;
	close_norm(t);
	t->quoted = quoted;
	return open_norm(t);
}

/* The detectors take everything: what stops on its way stops for want of memory. */
static bool feed(struct texts *t, const char *utf8, size_t len, bool quoted)
{
	if (turn_to(t, quoted) && norm_feed(t->norm, utf8, len))
		return true;
	t->failed = true;
	return false;
}

bool texts_feed(struct texts *t, const char *utf8, size_t len)
{
	return feed(t, utf8, len, false);
}

bool texts_feed_quoted(struct texts *t, const char *utf8, size_t len)
{
	return feed(t, utf8, len, true);
}

void texts_end(struct texts *t)
{
	if (t->quote == NULL)
		return;
	close_norm(t);
	if (!quote_end(t->quote))
		t->failed = true;
	quote_free(t->quote);
	t->quote = NULL;
	windows_end(t->windows);
	if (t->said != NULL)
		said_text_ends(t->said);
	if (t->place == PLACE_BODY)
		promise_end(&t->promise);
}

static bool take(void *context, const char *bytes, size_t len)
{
	return texts_feed(context, bytes, len);
}

struct sink texts_sink(struct texts *t)
{
	return (struct sink){take, t};
}

void texts_names(struct texts *t, const char *names, const char *values, size_t len)
{
	t->words_only = true;
	texts_one(t, PLACE_NAMES, names, len);
	t->words_only = false;
	t->values_only = true;
	texts_one(t, PLACE_NAMES, values, len);
	t->values_only = false;
}

void texts_one(struct texts *t, enum detect_place place, const char *utf8, size_t len)
{
	texts_begin(t, place);
	(void)!texts_feed(t, utf8, len);
	texts_end(t);
}
