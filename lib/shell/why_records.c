#include "lib/shell/why_records.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/xtext.h"

char *why_value(const struct leg_record *record, const char *key)
{
	size_t len = 0, n = 0;
	const char *value = record->text != NULL ? leg_record_value(record, key, &len) : NULL;
	char *text = malloc(len + 1);

	if (text == NULL)
		return NULL;
	if (value != NULL && xtext_decode(value, len, text, &n))
		len = n;
	else if (value != NULL)
		memcpy(text, value, len);
	else
		len = 0;
	text[len] = '\0';
	return text;
}

static bool has_value(const struct leg_record *record, const char *key)
{
	size_t len = 0;

	return leg_record_value(record, key, &len) != NULL;
}

/* Reads "TIME WORD …" at `line`. False: it is no record with a time. */
static bool read_record(const char *line, size_t len, struct leg_record *record)
{
	const char *blank = memchr(line, ' ', len);

	if (blank == NULL || blank == line)
		return false;
	record->time = clock_parse(line, (size_t)(blank - line));
	record->text = blank + 1;
	record->len = len - (size_t)(blank + 1 - line);
	return record->time >= 0;
}

static bool is_word(const struct leg_record *record, const char *word)
{
	size_t len = strlen(word);

	return record->len >= len && memcmp(record->text, word, len) == 0 &&
	       (record->len == len || record->text[len] == ' ');
}

typedef void see_any(void *context, const struct leg_record *record);

static void each_record(const struct leg *leg, see_any *see, void *context)
{
	const char *p = leg->trailer_bytes.bytes, *end = p + leg->trailer_bytes.len, *newline;
	struct leg_record record;

	for (; p < end; p = newline + 1) {
		newline = memchr(p, '\n', (size_t)(end - p));
		if (newline == NULL)
			break;
		if (read_record(p, (size_t)(newline - p), &record))
			see(context, &record);
	}
}

struct seeing {
	const char *word;
	why_see *see;
	void *context;
};

static void see_word(void *context, const struct leg_record *record)
{
	const struct seeing *s = context;

	if (is_word(record, s->word))
		s->see(s->context, record);
}

void why_each(const struct leg *leg, const char *word, why_see *see, void *context)
{
	struct seeing s = {word, see, context};

	each_record(leg, see_word, &s);
}

/* ---- decisions ---------------------------------------------------------------------------- */

static void decision_free(struct why_decision *d)
{
	free(d->function);
	free(d->outcome);
	free(d->where);
	free(d->rule);
	free(d->evidence);
	free(d->rcpt);
}

static void forget(struct why_records *w)
{
	for (size_t i = 0; i < w->n; i++)
		decision_free(&w->decision[i]);
	w->n = 0;
	free(w->rules);
	free(w->org);
	w->rules = w->org = NULL;
}

static void take_judged(struct why_records *w, const struct leg_record *record)
{
	/* Judged again: what was decided before is not in force. */
	forget(w);
	w->judged = record->time;
	w->rules = why_value(record, "rules");
	w->org = why_value(record, "org");
	w->watch = has_value(record, "watch");
	w->failed = w->failed || w->rules == NULL || w->org == NULL;
}

static bool make_room(struct why_records *w)
{
	size_t room = w->room == 0 ? 16 : 2 * w->room;
	struct why_decision *more;

	if (w->n < w->room)
		return true;
	more = w->n < WHY_DECISIONS_MAX ? reallocarray(w->decision, room, sizeof *more) : NULL;
	if (more == NULL)
		return false;
	w->decision = more;
	w->room = room;
	return true;
}

static void take_decided(struct why_records *w, const struct leg_record *record)
{
	bool some = has_value(record, "rcpt");
	struct why_decision d = {
	    .function = why_value(record, "function"),
	    .outcome = why_value(record, "outcome"),
	    .where = why_value(record, "rule"),
	    .rule = why_value(record, "name"),
	    .evidence = why_value(record, "evidence"),
	    .rcpt = some ? why_value(record, "rcpt") : NULL,
	    .shadow = has_value(record, "shadow"),
	    .watch = has_value(record, "watch"),
	};

	if (d.function == NULL || d.outcome == NULL || d.where == NULL || d.rule == NULL ||
	    d.evidence == NULL || (some && d.rcpt == NULL) || !make_room(w)) {
		decision_free(&d);
		w->failed = true;
		return;
	}
	w->decision[w->n++] = d;
}

static void take(void *context, const struct leg_record *record)
{
	struct why_records *w = context;

	if (is_word(record, "judged")) {
		take_judged(w, record);
	} else if (is_word(record, "decided")) {
		take_decided(w, record);
	} else if (is_word(record, "refused")) {
		w->refused = *record;
		w->told = (struct leg_record){.text = NULL};
	} else if (is_word(record, "restored")) {
		w->refused = w->discarded = (struct leg_record){.text = NULL};
	} else if (is_word(record, "discarded")) {
		w->discarded = *record;
	} else if (is_word(record, "told") && w->refused.text != NULL) {
		w->told = *record;
	}
}

void why_records_read(struct why_records *w, const struct leg *leg)
{
	*w = (struct why_records){.judged = 0};
	each_record(leg, take, w);
}

void why_records_free(struct why_records *w)
{
	forget(w);
	free(w->decision);
	*w = (struct why_records){.judged = 0};
}

/* A number at `*p`; moves behind it. */
static size_t number_at(const char **p)
{
	size_t number = 0;

	for (; **p >= '0' && **p <= '9' && number < LEG_RCPTS_MAX * 10; (*p)++)
		number = number * 10 + (size_t)(**p - '0');
	return number;
}

bool why_concerns(const struct why_decision *decision, size_t number)
{
	const char *p = decision->rcpt;

	if (p == NULL)
		return true;
	while (*p != '\0') {
		size_t from = number_at(&p), to = from;

		if (*p == '-') {
			p++;
			to = number_at(&p);
		}
		if (number >= from && number <= to)
			return true;
		if (*p == '\0')
			break;
		p++; /* the comma, or whatever stands there */
	}
	return false;
}
