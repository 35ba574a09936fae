#include "queue/record.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"

#define TIME_LEN ((size_t)(CLOCK_TEXT - 1))

/* One record as it stands in the trailer. */
struct record {
	const char *at;
	size_t len; /* all its lines */
	bool plan;
	const char *lines; /* of a plan: behind its first line */
	size_t plan_lines;
	char digest[PLAN_DIGEST_LEN + 1];
	int64_t time;
	const char *word; /* of any other record */
	size_t word_len;
};

static size_t line_length(const char *p, const char *end)
{
	const char *newline = memchr(p, '\n', (size_t)(end - p));

	if (newline == NULL || memchr(p, '\0', (size_t)(newline - p)) != NULL)
		return 0;
	return (size_t)(newline - p) + 1;
}

/* "plan N sha256=DIGEST\n" with its N lines. */
static bool scan_plan(const char *end, size_t first, struct record *r)
{
	static const char key[] = " sha256=";
	const char *p = r->at + 5, *line;
	size_t n = 0;

	while (p < r->at + first && *p >= '0' && *p <= '9' && n < 10 * PLAN_STEPS_MAX)
		n = n * 10 + (size_t)(*p++ - '0');
	if (n == 0 || (size_t)(r->at + first - p) != sizeof key - 1 + PLAN_DIGEST_LEN + 1 ||
	    memcmp(p, key, sizeof key - 1) != 0)
		return false;
	memcpy(r->digest, p + sizeof key - 1, PLAN_DIGEST_LEN);
	r->digest[PLAN_DIGEST_LEN] = '\0';

	r->lines = line = r->at + first;
	for (size_t i = 0; i < n; i++) {
		size_t len = line < end && *line == ' ' ? line_length(line, end) : 0;

		if (len == 0)
			return false;
		line += len;
	}
	r->plan = true;
	r->plan_lines = n;
	r->len = (size_t)(line - r->at);
	return true;
}

/* Reads the record at `p`; false if what stands there is no whole record. */
static bool scan_record(const char *p, const char *end, struct record *r)
{
	size_t first = p < end ? line_length(p, end) : 0;

	*r = (struct record){.at = p, .len = first};
	if (first == 0)
		return false;
	if (first > 5 && memcmp(p, "plan ", 5) == 0)
		return scan_plan(end, first, r);

	if (first < TIME_LEN + 3 || p[TIME_LEN] != ' ')
		return false;
	r->time = clock_parse(p, TIME_LEN);
	if (r->time < 0)
		return false;
	r->word = p + TIME_LEN + 1;
	while (r->word[r->word_len] >= 'a' && r->word[r->word_len] <= 'z')
		r->word_len++;
	return r->word_len > 0 && (r->word[r->word_len] == ' ' || r->word[r->word_len] == '\n');
}

size_t record_whole(const char *bytes, size_t len)
{
	struct record r;
	size_t at = 0;

	while (at < len && scan_record(bytes + at, bytes + len, &r))
		at += r.len;
	return at;
}

/* Whether any later line in the damage is a whole record. */
static bool whole_record_behind(const char *p, const char *end)
{
	struct record r;

	while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL && ++p < end) {
		if (scan_record(p, end, &r))
			return true;
	}
	return false;
}

/* ---- what records say --------------------------------------------------------------------- */

static bool is_word(const struct record *r, const char *word)
{
	return strlen(word) == r->word_len && memcmp(r->word, word, r->word_len) == 0;
}

/* The value of key= in the record's line, or NULL. */
static const char *argument(const struct record *r, const char *key, size_t *len)
{
	struct plan_step line = {.text = r->word, .len = (size_t)(r->at + r->len - 1 - r->word)};

	return plan_argument(&line, key, len);
}

/* Reads a recipient's number; 0 if there is none. Never looks at or behind `end`. */
static size_t read_number(const char **p, const char *end)
{
	size_t n = 0;

	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		if (n <= LEG_RCPTS_MAX)
			n = n * 10 + (size_t)(**p - '0');
	}
	return n;
}

typedef void rcpt_named(void *context, struct leg_rcpt *rcpt, const struct record *r);

/* Calls for each recipient that rcpt=1,3-5 names; what is no such list ends it. */
static void each_rcpt(
    const struct leg *leg, const struct record *r, rcpt_named *named, void *context)
{
	size_t len = 0;
	const char *p = argument(r, "rcpt", &len), *end;

	if (p == NULL)
		return;
	for (end = p + len; p < end; p++) {
		size_t from = read_number(&p, end), to = from;

		if (p < end && *p == '-') {
			p++;
			to = read_number(&p, end);
		}
		if (from == 0 || to < from || (p < end && *p != ','))
			return;
		for (size_t i = from; i <= to && i <= leg->rcpts; i++)
			named(context, &leg->rcpt[i - 1], r);
	}
}

static bool argument_is(const struct record *r, const char *key, const char *value)
{
	size_t len;
	const char *text = argument(r, key, &len);

	return text != NULL && len == strlen(value) && memcmp(text, value, len) == 0;
}

static void set_delivered(void *context, struct leg_rcpt *rcpt, const struct record *r)
{
	(void)context;
	rcpt->fate = RCPT_DELIVERED;
	rcpt->owed = argument_is(r, "notice", "owed");
}

/* Not a recipient whose copy is out of our hands already, whoever says it. */
static void set_failed(void *context, struct leg_rcpt *rcpt, const struct record *r)
{
	(void)context;
	(void)r;
	if (rcpt->fate != RCPT_OPEN)
		return;
	rcpt->fate = RCPT_FAILED;
	rcpt->owed = true;
}

static void set_bounced(void *context, struct leg_rcpt *rcpt, const struct record *r)
{
	(void)context;
	(void)r;
	rcpt->fate = RCPT_BOUNCED;
	rcpt->owed = false;
}

static void set_told(void *context, struct leg_rcpt *rcpt, const struct record *r)
{
	(void)context;
	(void)r;
	rcpt->owed = false;
}

static void set_warned(void *context, struct leg_rcpt *rcpt, const struct record *r)
{
	(void)context;
	(void)r;
	rcpt->warned = true;
}

static void set_dropped(void *context, struct leg_rcpt *rcpt, const struct record *r)
{
	(void)context;
	(void)r;
	if (rcpt->fate == RCPT_OPEN)
		rcpt->fate = RCPT_DROPPED;
}

static void set_deferred(void *context, struct leg_rcpt *rcpt, const struct record *r)
{
	size_t len;
	const char *until = argument(r, "until", &len);
	int64_t at = until == NULL ? -1 : clock_parse(until, len);

	(void)context;
	rcpt->retry = at > 0 ? at : 0;
	if (rcpt->tries == 0)
		rcpt->first_tried = r->time;
	rcpt->last_tried = r->time;
	rcpt->doubts += argument_is(r, "doubt", "yes");
	rcpt->tries++;
}

/* The words that say something about recipients. */
static bool take_rcpt_word(struct leg *leg, const struct record *r)
{
	static const struct {
		const char *word;
		rcpt_named *named;
	} words[] = {
	    {"delivered", set_delivered},
	    {"failed", set_failed},
	    {"bounced", set_bounced},
	    {"told", set_told},
	    {"warned", set_warned},
	    {"drop", set_dropped},
	    {"deferred", set_deferred},
	};

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (is_word(r, words[i].word)) {
			each_rcpt(leg, r, words[i].named, NULL);
			return true;
		}
	}
	return false;
}

static void take_closing(struct leg *leg, const struct record *r, enum plan_word word)
{
	size_t len;
	const char *digest = argument(r, "plan", &len);

	if (digest == NULL || len != PLAN_DIGEST_LEN || memcmp(digest, leg->plan.digest, len) != 0)
		return;
	for (size_t i = 0; i < leg->plan.steps; i++) {
		struct plan_step *step = &leg->plan.step[i];

		if (step->word == word && !step->closed) {
			step->closed = true; /* one record closes one step */
			return;
		}
	}
}

static void take_plan(struct leg *leg, const struct record *r)
{
	struct plan plan = {.steps = 0};
	size_t len = (size_t)(r->at + r->len - r->lines);

	if (plan_read(&plan, leg->name.id, leg->name.k, r->lines, len, r->plan_lines, r->digest))
		leg->plan = plan;
}

/*
 * It is judged anew, and waits anew: what was proven before proves nothing any more. A child of a division has
 * one record for all of its parent's: times=N.
 */
static void take_restored(struct leg *leg, const struct record *r)
{
	size_t len;
	const char *times = argument(r, "times", &len);
	size_t n = times != NULL ? read_number(&times, times + len) : 1;

	leg->verdict = LEG_STANDS;
	leg->plan = (struct plan){.steps = 0};
	leg->restored = r->time;
	leg->restores += (unsigned)n;
}

/* What was found out and decided, what people said of it, and who was told. */
static bool binds_nothing(const struct record *r)
{
	static const char *const words[] = {
	    "note", "judged", "decided", "forwarded", "about", "check", "vote", "noticed"};

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (is_word(r, words[i]))
			return true;
	}
	return false;
}

/* The words that say something about the leg as a whole. */
static bool take_leg_word(struct leg *leg, const struct record *r)
{
	size_t len;
	const char *until;
	int64_t at;

	if (is_word(r, "discarded")) {
		leg->verdict = LEG_DISCARDED;
	} else if (is_word(r, "refused")) {
		leg->verdict = LEG_REFUSED;
	} else if (is_word(r, "restored")) {
		take_restored(leg, r);
	} else if (is_word(r, "removed")) {
		leg->removals++;
	} else if (is_word(r, "rewritten")) {
		leg->removals = 0;
		leg->rewritten = true;
	} else if (is_word(r, "emptied")) {
		leg->emptied = true;
	} else if (is_word(r, "extended")) {
		until = argument(r, "until", &len);
		at = until == NULL ? -1 : clock_parse(until, len);
		leg->amended_until = at > leg->amended_until ? at : leg->amended_until;
	} else {
		return binds_nothing(r);
	}
	return true;
}

/* Whether this version knows the record's word; what it says is taken into `leg`. */
static bool take_record(struct leg *leg, const struct record *r)
{
	if (r->plan) {
		take_plan(leg, r);
		return true;
	}
	for (int word = WORD_APPROVE; word < WORD_UNKNOWN; word++) {
		const char *closing = plan_closing((enum plan_word)word);

		if (closing != NULL && is_word(r, closing)) {
			take_closing(leg, r, (enum plan_word)word);
			return true;
		}
	}

	return take_rcpt_word(leg, r) || take_leg_word(leg, r);
}

bool record_read_all(struct leg *leg, const char **why)
{
	struct buf *b = &leg->trailer_bytes;
	const char *p = b->bytes, *end = b->bytes + b->len;
	struct record r;

	leg->end = leg->trailer;
	if (b->len == 0)
		return true;

	for (; p < end && scan_record(p, end, &r); p += r.len) {
		if (!take_record(leg, &r) && leg->unknown == NULL)
			leg->unknown = r.word;
	}

	*why = "whole record behind damage";
	if (p < end && whole_record_behind(p, end))
		return false;
	b->len = (size_t)(p - b->bytes);
	leg->end = leg->trailer + (off_t)b->len;
	return true;
}

void leg_stamp_records(struct buf *out, int64_t now, const char *lines, size_t len)
{
	const char *end = lines + len, *newline;
	char time[CLOCK_TEXT];

	clock_format(now, time);
	for (; len > 0 && lines < end; lines = newline + 1) {
		newline = memchr(lines, '\n', (size_t)(end - lines));
		if (newline == NULL)
			return;
		buf_addf(out, "%s ", time);
		buf_add(out, lines, (size_t)(newline - lines) + 1);
	}
}

/* ---- looking back ------------------------------------------------------------------------- */

bool leg_next_record(const struct leg *leg, size_t *at, struct leg_record *record)
{
	const char *bytes = leg->trailer_bytes.bytes, *end = bytes + leg->trailer_bytes.len;
	struct record r;

	while (*at < leg->trailer_bytes.len && scan_record(bytes + *at, end, &r)) {
		*at += r.len;
		if (r.plan)
			continue;
		*record = (struct leg_record){
		    .time = r.time, .text = r.word, .len = (size_t)(r.at + r.len - 1 - r.word)};
		return true;
	}
	return false;
}

bool leg_record_is(const struct leg_record *record, const char *word)
{
	size_t len = strlen(word);

	return record->len >= len && memcmp(record->text, word, len) == 0 &&
	       (record->len == len || record->text[len] == ' ');
}

struct looking {
	const struct leg *leg;
	struct leg_record *last;
};

static void note_last(void *context, struct leg_rcpt *rcpt, const struct record *r)
{
	const struct looking *l = context;

	l->last[rcpt - l->leg->rcpt] = (struct leg_record){
	    .time = r->time, .text = r->word, .len = (size_t)(r->at + r->len - 1 - r->word)};
}

void leg_last_records(const struct leg *leg, const char *word, struct leg_record *last)
{
	const char *p = leg->trailer_bytes.bytes, *end = p + leg->trailer_bytes.len;
	struct looking looking = {.leg = leg, .last = last};
	struct record r;

	for (size_t i = 0; i < leg->rcpts; i++)
		last[i] = (struct leg_record){.text = NULL};
	for (; p < end && scan_record(p, end, &r); p += r.len) {
		if (!r.plan && is_word(&r, word))
			each_rcpt(leg, &r, note_last, &looking);
	}
}

const char *leg_record_value(const struct leg_record *record, const char *key, size_t *len)
{
	struct plan_step line = {.text = record->text, .len = record->len};

	return plan_argument(&line, key, len);
}
