/*
 * What mail waits for, and the times of day in which it may not leave when that is over: a rule that
 * refuses mail by the clock is judged at acceptance, and mail that waits may come into its hours.
 */
#include <string.h>

#include "lib/policy/inside.h"
#include "lib/policy/window.h"
#include "lib/rules/show.h"

/* ---- what it waits for -------------------------------------------------------------------- */

static bool is_approved(const struct outcome *o)
{
	const struct rule_action *approve = o->choice[FUNCTION_APPROVE].action;

	return approve != NULL && approve->yes;
}

static bool is_held(struct judging *j, const struct outcome *o)
{
	const struct rule_action *hold = o->choice[FUNCTION_HOLD].action;

	if (hold == NULL)
		return false;
	switch (hold->hold) {
	case HOLD_NO:
	case HOLD_OPERATOR:
		return false;
	case HOLD_FOR:
		return hold->span > 0;
	case HOLD_UNTIL:
		return hold_until(j, hold) >= 0;
	case HOLD_CONFIRMED:
	case HOLD_CHECKED:
		break;
	}
	return true;
}

bool outcome_waits(struct judging *j, const struct outcome *o)
{
	return is_approved(o) || is_held(j, o);
}

bool outcome_is_late(struct judging *j, const struct outcome *o)
{
	const struct rule_action *hold = o->choice[FUNCTION_HOLD].action;
	const struct rule_action *stagger = o->choice[FUNCTION_STAGGER].action;

	return outcome_waits(j, o) || o->pending != NULL || wants_operator(j->c) ||
	       (hold != NULL && (hold->hold == HOLD_OPERATOR || hold->hold == HOLD_UNTIL)) ||
	       (stagger != NULL && stagger->yes && stagger->span > 0);
}

/* ---- forbidden times ---------------------------------------------------------------------- */

static bool decides_refusal(const struct live *live)
{
	return (live->functions & 1u << FUNCTION_REFUSE) != 0 && !live->rule->shadow;
}

/* Whether a rule before it in its layer has the word, an exception from it for one. */
static bool is_forestalled(struct judging *j, const struct late *late, size_t rcpt)
{
	unsigned layer = late->live.rule->layer;

	for (size_t i = j->layer[layer]; i < late->place; i++) {
		if (decides_refusal(&j->live[i]) &&
		    live_matches(j, &j->live[i], rcpt).truth == TRUTH_YES)
			return true;
	}
	/* The default layer speaks where nobody did. */
	for (size_t i = 0; layer == LAYER_DEFAULT && i < j->layer[LAYER_DEFAULT]; i++) {
		if (decides_refusal(&j->live[i]) &&
		    live_matches(j, &j->live[i], rcpt).truth == TRUTH_YES)
			return true;
	}
	return false;
}

/* "19:00-09:30" of "when 19:00-09:30": without the blanks behind commas. */
static void add_times(struct buf *text, const struct rule_condition *condition)
{
	struct rule_condition when = *condition;
	struct buf shown;

	when.not = condition->not != condition->unless;
	when.unless = false;
	buf_init(&shown, WINDOW_TEXT_MAX);
	rule_condition_show(&when, true, &shown);
	for (size_t i = strlen("when "); buf_ok(&shown) && i < shown.len; i++) {
		if (shown.bytes[i] != ' ' || shown.bytes[i - 1] != ',')
			buf_add(text, &shown.bytes[i], 1);
	}
	text->failed = text->failed || !buf_ok(&shown);
	buf_free(&shown);
}

static void add_rule(struct buf *text, const struct rule *rule)
{
	bool said = false;

	for (size_t i = 0; i < rule->conditions; i++) {
		if (rule->condition[i].kind != COND_WHEN)
			continue;
		if (said)
			buf_add_text(text, "&");
		add_times(text, &rule->condition[i]);
		said = true;
	}
}

/* Whether the rule's times, which end the text, stand in it already. */
static bool is_told(const struct buf *text, size_t from)
{
	size_t len = text->len - from;
	const char *one = text->bytes + from;

	for (size_t at = 0; at < from;) {
		const char *end = memchr(text->bytes + at, ';', from - at);
		size_t n = end != NULL ? (size_t)(end - text->bytes) - at : from - at;

		if (n == len && memcmp(text->bytes + at, one, len) == 0)
			return true;
		at += n + 1;
	}
	return false;
}

/* Nobody can say whether it is meant: it waits. */
static bool is_meant(struct judging *j, const struct late *late, size_t rcpt)
{
	return live_matches(j, &late->live, rcpt).truth != TRUTH_NO &&
	       !is_forestalled(j, late, rcpt);
}

struct live *add_window(struct judging *j, size_t rcpt, struct buf *window)
{
	struct live *first = NULL;
	struct buf text;

	buf_init(&text, WINDOW_TEXT_MAX);
	for (size_t i = 0; i < j->lates; i++) {
		size_t before = text.len, from = before;

		if (!is_meant(j, &j->late[i], rcpt))
			continue;
		if (first != NULL) {
			buf_add_text(&text, ";");
			from++;
		}
		add_rule(&text, j->late[i].live.rule);
		if (buf_ok(&text) && is_told(&text, from))
			text.len = before;
		first = first != NULL ? first : &j->late[i].live;
	}
	if (buf_ok(&text) && text.len > 0)
		buf_add_xtext(window, text.bytes, text.len);
	window->failed = window->failed || !buf_ok(&text);
	buf_free(&text);
	return first;
}

unsigned needs_of_windows(struct judging *j)
{
	unsigned needs = 0;

	for (size_t r = 0; r < j->c->leg->rcpts && j->lates > 0; r++) {
		if (!outcome_is_late(j, &j->outcome[r]))
			continue;
		for (size_t i = 0; i < j->lates; i++) {
			struct answer is = live_matches(j, &j->late[i].live, r);

			if (is.truth == TRUTH_UNKNOWN && !is_forestalled(j, &j->late[i], r))
				needs |= is.needs;
		}
	}
	return needs & ~NEED_NOBODY;
}
