#include "lib/shell/fate.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/xtext.h"
#include "lib/shell/moment.h"

/* ---- one step ----------------------------------------------------------------------------- */

struct word {
	const char *text;
	size_t len;
};

static bool is(struct word w, const char *text)
{
	return w.len == strlen(text) && memcmp(w.text, text, w.len) == 0;
}

/* The value of "KEY=…", or NULL. */
static const char *value_of(struct word w, const char *key, size_t *len)
{
	size_t n = strlen(key);

	if (w.len <= n || memcmp(w.text, key, n) != 0 || w.text[n] != '=')
		return NULL;
	*len = w.len - n - 1;
	return w.text + n + 1;
}

/* The next word of a step; false behind the last. */
static bool next(const struct plan_step *step, size_t *at, struct word *w)
{
	const char *blank;

	if (*at >= step->len)
		return false;
	w->text = step->text + *at;
	blank = memchr(w->text, ' ', step->len - *at);
	w->len = blank != NULL ? (size_t)(blank - w->text) : step->len - *at;
	*at += w->len + 1;
	return true;
}

static void add_xtext(struct buf *text, const char *bytes, size_t len)
{
	char *room = buf_reserve(text, len);
	size_t n = 0;

	if (room != NULL && xtext_decode(bytes, len, room, &n))
		text->len += n;
	else
		buf_add(text, bytes, len);
}

/* The time in an argument, in microseconds; 0 if there is none. */
static int64_t time_in(const struct plan_step *step, const char *key)
{
	size_t len = 0;
	const char *value = plan_argument(step, key, &len);
	int64_t wall = value != NULL ? clock_parse(value, len) : 0;

	return wall > 0 ? wall : 0;
}

static void add_moment(struct buf *text, int64_t wall)
{
	char moment[MOMENT_TEXT];

	moment_text(wall, moment);
	buf_add_text(text, moment);
}

/* "boss:ADDR", "address:ADDR", "any:GROUP", "2:GROUP". */
static void add_approver(struct buf *text, const char *value, size_t len)
{
	const char *colon = memchr(value, ':', len);
	size_t word = colon != NULL ? (size_t)(colon - value) : len;
	size_t rest = colon != NULL ? len - word - 1 : 0;

	if (colon == NULL) {
		add_xtext(text, value, len);
	} else if (word == 7 && memcmp(value, "address", 7) == 0) {
		add_xtext(text, colon + 1, rest);
	} else if (word == 4 && memcmp(value, "boss", 4) == 0) {
		buf_add_text(text, "boss");
		if (rest > 0) {
			buf_add_text(text, " (");
			add_xtext(text, colon + 1, rest);
			buf_add_text(text, ")");
		}
	} else {
		add_xtext(text, value, word);
		buf_add_text(text, " of group ");
		add_xtext(text, colon + 1, rest);
	}
}

static void add_approval(struct buf *text, const struct plan_step *step)
{
	struct word w;
	const char *value;
	size_t at = 0, len = 0;

	buf_add_text(text, "approval by ");
	while (next(step, &at, &w)) {
		if ((value = value_of(w, "by", &len)) != NULL) {
			add_approver(text, value, len);
		} else if ((value = value_of(w, "then", &len)) != NULL) {
			buf_add_text(text, ", then by ");
			add_approver(text, value, len);
		}
	}
}

/* Everything of a step but where its rule stands, as the plan has it, decoded. */
static void add_rest(struct buf *text, const struct plan_step *step)
{
	struct word w;
	size_t at = 0, len = 0, words = 0;

	while (next(step, &at, &w)) {
		if (value_of(w, "rule", &len) != NULL)
			continue;
		if (words++ > 0)
			buf_add_text(text, " ");
		add_xtext(text, w.text, w.len);
	}
}

static void add_operator(struct buf *text, const struct plan_step *step)
{
	static const char *const keys[] = {"why", "reason", "door", "rule"};
	struct word w;
	size_t at = 0, len = 0, words = 0;
	const char *value;

	buf_add_text(text, "an operator (seki release)");
	while (next(step, &at, &w)) {
		for (size_t i = 0; i < COUNT_OF(keys); i++) {
			if ((value = value_of(w, keys[i], &len)) == NULL)
				continue;
			buf_add_text(text, words++ == 0 ? ": " : ", ");
			add_xtext(text, value, len);
		}
	}
}

static bool has_word(const struct plan_step *step, const char *word)
{
	struct word w;
	size_t at = 0;

	while (next(step, &at, &w)) {
		if (is(w, word))
			return true;
	}
	return false;
}

/* The words of a hold that somebody ends; `discard`: what becomes of it if nobody does. */
static bool add_asked(struct buf *text, const struct plan_step *step)
{
	static const struct {
		const char *word, *text;
	} holds[] = {{"confirmed", "that its sender confirms it"},
	    {"checked", "that its sender goes through what is to be checked"}};
	size_t len = 0;
	const char *discard = plan_argument(step, "discard", &len);
	struct word value = {.text = discard, .len = len};

	for (size_t i = 0; i < COUNT_OF(holds); i++) {
		bool discards = discard != NULL && is(value, holds[i].word);

		if (!discards && !has_word(step, holds[i].word))
			continue;
		buf_add_text(text, holds[i].text);
		buf_add_text(text, discards ? ", or is thrown away" : "");
		return true;
	}
	if (time_in(step, "discard") == 0)
		return false;
	buf_add_text(text, "that somebody releases it; is thrown away ");
	add_moment(text, time_in(step, "discard"));
	return true;
}

/* Whether it is over by itself. */
static bool passes(const struct plan_step *step)
{
	static const char *const nothing[] = {
	    "approve no", "encrypt keep", "deliver", "hold no", "stagger no"};
	size_t len = 0;

	for (size_t i = 0; i < COUNT_OF(nothing); i++) {
		if (plan_step_is(step, nothing[i]))
			return true;
	}
	if (step->word == WORD_HOLD)
		return time_in(step, "until") > 0 || plan_argument(step, "window", &len) != NULL;
	if (step->word == WORD_ENCRYPT)
		return plan_argument(step, "insert", &len) != NULL;
	return step->word == WORD_STAGGER && time_in(step, "until") > 0;
}

/* What the step waits for, beyond any time that is known; false: it passes. */
static bool add_wait(struct buf *text, const struct plan_step *step)
{
	if (passes(step))
		return false;
	if (step->word == WORD_APPROVE) {
		add_approval(text, step);
		return true;
	}
	if (step->word == WORD_HOLD && has_word(step, "operator")) {
		add_operator(text, step);
		return true;
	}
	if (step->word == WORD_HOLD && add_asked(text, step))
		return true;
	buf_add_text(text, "\"");
	add_rest(text, step);
	buf_add_text(text, "\", which this version cannot do yet");
	return true;
}

/* The hours in which it may not leave, as the rules have them. */
static void add_hours(struct buf *text, const struct plan *plan)
{
	for (size_t i = 0; i < plan->steps; i++) {
		size_t len = 0;
		const char *window = plan_argument(&plan->step[i], "window", &len);

		if (plan->step[i].closed || plan->step[i].word != WORD_HOLD || window == NULL)
			continue;
		buf_add_text(text, ", but never in ");
		add_xtext(text, window, len);
	}
}

/* ---- all of them -------------------------------------------------------------------------- */

void fate_add(struct buf *text, const struct plan *plan, int64_t amended)
{
	int64_t until = 0;
	struct buf waits;

	buf_init(&waits, FATE_TEXT);
	for (size_t i = 0; i < plan->steps; i++) {
		const struct plan_step *step = &plan->step[i];
		int64_t ends;

		if (step->closed)
			continue;
		if (add_wait(&waits, step))
			break;
		ends = time_in(step, "until");
		if (ends > 0 && ends < amended)
			ends = amended;
		if (ends > until)
			until = ends;
	}
	if (waits.len == 0) {
		buf_add_text(text, until > 0 ? "leaves " : "leaves at once");
		if (until > 0)
			add_moment(text, until);
	} else {
		if (until > 0) {
			buf_add_text(text, "held until ");
			add_moment(text, until);
			buf_add_text(text, ", then ");
		}
		buf_add_text(text, "waits: ");
		buf_add(text, waits.bytes, waits.len);
	}
	add_hours(text, plan);
	buf_free(&waits);
}

void fate_add_lines(struct buf *text, const char *lines, size_t len)
{
	struct plan plan = {.steps = 0};

	if (len > 0 && plan_parse(&plan, lines, len))
		fate_add(text, &plan, 0);
}
