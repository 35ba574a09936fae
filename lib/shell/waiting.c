#include "lib/shell/waiting.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/xtext.h"

#define ASKED_MAX ((size_t)16 * 1024)

/* ---- approve/ ----------------------------------------------------------------------------- */

/* A stage of an approval: "boss:ADDRESS,…", "any:GROUP", "2:GROUP". */
struct stage {
	const char *who; /* xtext, points into the plan */
	size_t len;
	unsigned number; /* from 1, as votes name it */
	unsigned need;
};

/* How many different people a stage wants: the number before its colon, or one. */
static unsigned need_of(const char *who, size_t len)
{
	unsigned need = 0;
	size_t i = 0;

	for (; i < len && i < 4 && who[i] >= '0' && who[i] <= '9'; i++)
		need = need * 10 + (unsigned)(who[i] - '0');
	return i > 0 && i < len && who[i] == ':' && need > 0 ? need : 1;
}

/* The next "by=…" or "then=…" of the step. False: there is none. */
static bool next_stage(const struct plan_step *step, size_t *at, struct stage *stage)
{
	while (*at < step->len) {
		const char *word = step->text + *at;
		const char *blank = memchr(word, ' ', step->len - *at);
		size_t len = blank != NULL ? (size_t)(blank - word) : step->len - *at;
		size_t key = len > 3 && memcmp(word, "by=", 3) == 0     ? 3
			     : len > 5 && memcmp(word, "then=", 5) == 0 ? 5
									: 0;

		*at += len + 1;
		if (key == 0)
			continue;
		stage->who = word + key;
		stage->len = len - key;
		stage->number++;
		stage->need = need_of(stage->who, stage->len);
		return true;
	}
	return false;
}

/* A number in a record; 0 if it is none. */
static unsigned number_in(const struct leg_record *record, const char *key)
{
	size_t len = 0;
	const char *value = leg_record_value(record, key, &len);
	unsigned number = 0;

	for (size_t i = 0; value != NULL && i < len && i < 4; i++) {
		if (value[i] < '0' || value[i] > '9')
			return 0;
		number = number * 10 + (unsigned)(value[i] - '0');
	}
	return number;
}

static bool record_says(const struct leg_record *record, const char *key, const char *text)
{
	size_t len = 0;
	const char *value = leg_record_value(record, key, &len);

	return value != NULL && len == strlen(text) && memcmp(value, text, len) == 0;
}

/*
 * How many have said yes in this stage, for this plan, since the leg was last brought back. seki-hold counts
 * a person once and takes no second vote of his, so that votes are people.
 */
static unsigned yes_of(const struct leg *leg, unsigned stage)
{
	struct leg_record record;
	unsigned yes = 0;
	size_t at = 0;

	while (leg_next_record(leg, &at, &record)) {
		if (leg_record_is(&record, "restored"))
			yes = 0;
		else if (leg_record_is(&record, "vote") &&
			 record_says(&record, "plan", leg->plan.digest) &&
			 record_says(&record, "say", "yes") && number_in(&record, "step") == stage)
			yes++;
	}
	return yes;
}

static void put_approval(struct out *o, const struct leg *leg)
{
	const struct plan_step *step = plan_find(&leg->plan, WORD_APPROVE);
	struct stage stage = {.number = 0};
	size_t at = 0;
	unsigned yes = 0;
	bool found = false;

	/* The first stage that has not got all that it wants. */
	while (step != NULL && !step->closed && (found = next_stage(step, &at, &stage))) {
		yes = yes_of(leg, stage.number);
		if (yes < stage.need)
			break;
	}
	if (!found) {
		out_none(o, "asked");
		out_none(o, "yes");
		if (o->json)
			out_none(o, "needed");
		return;
	}
	out_xtext(o, "asked", stage.who, stage.len);
	if (o->json) {
		out_number(o, "yes", yes);
		out_number(o, "needed", stage.need);
	} else {
		struct buf text;

		buf_init(&text, 32);
		buf_addf(&text, "%u/%u", yes, stage.need);
		out_bytes(o, "yes", text.bytes, text.len);
		buf_free(&text);
	}
}

/* ---- hold/ -------------------------------------------------------------------------------- */

static int64_t time_in(const struct plan_step *step, const char *key)
{
	size_t len = 0;
	const char *value = plan_argument(step, key, &len);
	int64_t wall = value != NULL ? clock_parse(value, len) : 0;

	return wall > 0 ? wall : 0;
}

int64_t waiting_until(const struct leg *leg)
{
	int64_t until = 0;

	for (size_t i = 0; i < leg->plan.steps; i++) {
		const struct plan_step *step = &leg->plan.step[i];
		int64_t ends;

		if (step->closed || step->word != WORD_HOLD)
			continue;
		ends = time_in(step, "until");
		if (ends == 0)
			ends = time_in(step, "discard");
		if (ends > 0 && ends < leg->amended_until)
			ends = leg->amended_until;
		if (ends > until)
			until = ends;
	}
	return until;
}

static bool has_word(const struct plan_step *step, const char *word)
{
	size_t len = strlen(word);

	for (size_t at = 0; at < step->len;) {
		const char *begin = step->text + at;
		const char *blank = memchr(begin, ' ', step->len - at);
		size_t n = blank != NULL ? (size_t)(blank - begin) : step->len - at;

		if (n == len && memcmp(begin, word, n) == 0)
			return true;
		at += n + 1;
	}
	return false;
}

static const char *end_of(const struct plan_step *step)
{
	size_t len = 0;
	const char *value;

	if (has_word(step, "operator"))
		return "operator";
	value = plan_argument(step, "discard", &len);
	if (value != NULL)
		return len == 9 && memcmp(value, "confirmed", 9) == 0 ? "confirmed, or discarded"
		       : len == 7 && memcmp(value, "checked", 7) == 0 ? "checked, or discarded"
								      : "discarded";
	if (has_word(step, "confirmed"))
		return "confirmed";
	if (has_word(step, "checked"))
		return "checked";
	if (plan_argument(step, "window", &len) != NULL)
		return "window";
	return plan_argument(step, "until", &len) != NULL ? "sent" : NULL;
}

static void put_hold(struct out *o, const struct leg *leg)
{
	const struct plan_step *step = plan_open_step(&leg->plan);
	const char *end = step != NULL && step->word == WORD_HOLD ? end_of(step) : NULL;

	if (end != NULL)
		out_text(o, "ends", end);
	else
		out_none(o, "ends");
}

/* ---- trash/ ------------------------------------------------------------------------------- */

static void put_value(
    struct out *o, const char *key, const struct leg_record *record, const char *name)
{
	size_t len = 0;
	const char *value = record->text != NULL ? leg_record_value(record, name, &len) : NULL;

	if (value != NULL)
		out_xtext(o, key, value, len);
	else
		out_none(o, key);
}

/* The last record of a word; text NULL: there is none. */
static struct leg_record last_of(const struct leg *leg, const char *word)
{
	struct leg_record record, last = {.text = NULL};
	size_t at = 0;

	while (leg_next_record(leg, &at, &record)) {
		if (leg_record_is(&record, word))
			last = record;
	}
	return last;
}

static void put_trash(struct out *o, const struct instance *in, const struct found *f)
{
	struct leg_record said = last_of(&f->leg, "discarded");
	int64_t keep = in->settings.keep_trash / CLOCK_SECOND;
	size_t len = 0;

	if (said.text != NULL && leg_record_value(&said, "cause", &len) == NULL)
		out_text(o, "why", "person");
	else
		put_value(o, "why", &said, "cause");
	put_value(o, "by", &said, "by");
	out_time(o, "removed", keep > 0 ? f->st.st_mtim.tv_sec + keep : DUE_NEVER);
	if (o->json)
		put_value(o, "reason", &said, "reason");
}

/* ---- all of them -------------------------------------------------------------------------- */

static void put_nothing(struct out *o, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out_none(o, keys[i]);
}

void waiting_fields(
    struct out *o, const struct instance *in, enum spool_state state, const struct found *f)
{
	static const char *const approve[] = {"asked", "yes"}, *const hold[] = {"ends"},
				 *const trash[] = {"why", "by", "removed"};
	const struct leg *leg = f != NULL && f->read ? &f->leg : NULL;

	if (state == STATE_APPROVE)
		leg != NULL ? put_approval(o, leg) : put_nothing(o, approve, COUNT_OF(approve));
	else if (state == STATE_HOLD)
		leg != NULL ? put_hold(o, leg) : put_nothing(o, hold, COUNT_OF(hold));
	else if (state == STATE_TRASH)
		leg != NULL ? put_trash(o, in, f) : put_nothing(o, trash, COUNT_OF(trash));
}
