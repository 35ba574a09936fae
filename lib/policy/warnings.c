#include <stdio.h>
#include <string.h>

#include "lib/policy/policy.h"
#include "lib/policy/warnings_inside.h"
#include "lib/rules/show.h"

#define WARNINGS_MAX 1000
#define PAIRS_MAX    1000000 /* of rules that are compared: some seconds at most */
#define WHERE_MAX    ((size_t)640)
#define TEXT_MAX     ((size_t)400)
#define SHOWN_MAX    ((size_t)120)

struct warning {
	const struct policy *policy;
	policy_warn *warn;
	void *context;
	unsigned said;
	unsigned long pairs;
	bool stopped;
};

static void say(struct warning *w, const struct rule *rule, unsigned line, const char *text)
{
	char where[WHERE_MAX];

	if (w->stopped)
		return;
	(void)snprintf(where, sizeof where, "%s:%u", rule->file, line);
	if (w->said++ == WARNINGS_MAX) {
		w->stopped = true;
		(void)w->warn(w->context, where, "there is more of this; the rest is not told");
		return;
	}
	w->stopped = !w->warn(w->context, where, text);
}

/* A condition as a warning quotes it. */
static const char *shown(const struct rule_condition *condition, char text[SHOWN_MAX])
{
	struct buf all;

	buf_init(&all, 65536);
	rule_condition_show(condition, false, &all);
	(void)snprintf(text, SHOWN_MAX, "%.*s", (int)(all.len < 100 ? all.len : 100),
	    all.len > 0 ? all.bytes : "");
	if (all.len > 100)
		(void)strcat(text, " ...");
	buf_free(&all);
	return text;
}

/* ---- one rule ---- */

/* What of it makes that nothing ever matches. */
static bool contradicts(struct warning *w, const struct rule *rule, const struct rule_condition *a,
    const struct rule_condition *b)
{
	char text[TEXT_MAX], one[SHOWN_MAX], other[SHOWN_MAX];

	if (a->unless && b->unless)
		return false;
	if (!a->unless && !b->unless ? !conditions_exclude(a, b)
	    : a->unless              ? !condition_implies(b, a)
				     : !condition_implies(a, b))
		return false;
	(void)snprintf(text, sizeof text,
	    "never matches: \"%s\" (line %u) and \"%s\" cannot both hold", shown(a, one), a->line,
	    shown(b, other));
	say(w, rule, b->line, text);
	return true;
}

static void find_contradiction(struct warning *w, const struct rule *rule)
{
	for (size_t i = 0; i < rule->conditions; i++) {
		for (size_t k = i + 1; k < rule->conditions; k++) {
			if (contradicts(w, rule, &rule->condition[i], &rule->condition[k]))
				return;
		}
	}
}

static void warn_of_action(
    struct warning *w, const struct rule *rule, const struct rule_action *action)
{
	char text[TEXT_MAX];

	if (rule->layer == LAYER_USER && (w->policy->user_may & (1u << action->function)) == 0) {
		const char *word = policy_function_word(action->function);

		(void)snprintf(text, sizeof text,
		    "is left out: a user's file may not decide %s; the line \"user %s\" in "
		    "etc/allow "
		    "would permit it",
		    word, word);
		say(w, rule, action->line, text);
		return;
	}
	if (!rule->shadow && !policy_can(action)) {
		(void)snprintf(text, sizeof text,
		    "mail that matches waits: this version cannot \"%.100s\" yet", action->written);
		say(w, rule, action->line, text);
	}
	if (action->function == FUNCTION_FILES && action->files == FILES_ZIP && action->twice)
		say(w, rule, action->line,
		    "Gmail and others refuse an archive within an archive: such mail comes back");
}

static bool is_unknown(const struct policy *policy, const struct rule *rule)
{
	for (const struct policy_unknown *u = policy->unknown; u != NULL; u = u->next) {
		if (u->line == rule->line && strcmp(u->file, rule->file) == 0)
			return true;
	}
	return false;
}

static void look_at_rule(struct warning *w, const struct rule *rule)
{
	if (rule->conditions == 0)
		say(w, rule, rule->line,
		    "has no condition, so it matches all mail: say \"always\"");
	if (rule->layer == LAYER_USER && is_unknown(w->policy, rule))
		say(w, rule, rule->line, "names a text or password that is not there any more");
	find_contradiction(w, rule);
	for (size_t i = 0; i < rule->actions; i++)
		warn_of_action(w, rule, &rule->action[i]);
}

/* ---- scales ---- */

static bool has_scale(enum policy_function function)
{
	switch (function) {
	case FUNCTION_REFUSE:
	case FUNCTION_APPROVE:
	case FUNCTION_HOLD:
	case FUNCTION_FILES:
	case FUNCTION_BCC:
	case FUNCTION_STAGGER:
	case FUNCTION_TLS:
		return true;
	case FUNCTION_BOUNCE:
	case FUNCTION_PASSWORD:
	case FUNCTION_NOTICE:
	case FUNCTION_SIGN:
	case FUNCTION_ROUTE:
	case FUNCTION_ADD_BCC:
	case FUNCTION_INSERT:
	case FUNCTION_FORWARD:
	case FUNCTION_COPY:
	case FUNCTION_ARCHIVE:
	case FUNCTION_COUNT:
		break;
	}
	return false;
}

static int64_t strictness(const struct rule_action *action)
{
	switch (action->function) {
	case FUNCTION_FILES:
		return action->files != FILES_KEEP;
	case FUNCTION_BCC:
		return (int64_t)action->bcc;
	case FUNCTION_STAGGER:
		return action->span;
	case FUNCTION_TLS:
		return (int64_t)action->tls;
	case FUNCTION_REFUSE:
	case FUNCTION_APPROVE:
	case FUNCTION_BOUNCE:
	case FUNCTION_HOLD:
	case FUNCTION_PASSWORD:
	case FUNCTION_NOTICE:
	case FUNCTION_SIGN:
	case FUNCTION_ROUTE:
	case FUNCTION_ADD_BCC:
	case FUNCTION_INSERT:
	case FUNCTION_FORWARD:
	case FUNCTION_COPY:
	case FUNCTION_ARCHIVE:
	case FUNCTION_COUNT:
		break;
	}
	return action->yes;
}

/* Ways to hold, as lib/policy/outcome.c ranks them: times are of one way, and of another with "else discard". */
static unsigned hold_way(const struct rule_action *action)
{
	switch (action->hold) {
	case HOLD_NO:
		return 0;
	case HOLD_FOR:
	case HOLD_UNTIL:
		return action->discard ? 2 : 1;
	case HOLD_CONFIRMED:
		return 3;
	case HOLD_CHECKED:
		return 4;
	case HOLD_OPERATOR:
		break;
	}
	return 5;
}

static bool hold_below(const struct rule_action *floor, const struct rule_action *later)
{
	unsigned way = hold_way(floor), other = hold_way(later);

	if (way != other)
		return other < way;
	if (way != 1 && way != 2)
		return true;
	/* Which of two times of day is later, or of one and a span, depends on the time: the same one is not. */
	if (floor->hold == HOLD_UNTIL && later->hold == HOLD_UNTIL)
		return floor->minute == later->minute && floor->workday == later->workday;
	return floor->hold == later->hold && later->span <= floor->span;
}

/* Whether `later`, of a higher layer, surely changes nothing where `floor` has decided. */
static bool below_floor(const struct rule_action *floor, const struct rule_action *later)
{
	if (!has_scale(floor->function))
		return true;
	if (floor->function == FUNCTION_HOLD)
		return hold_below(floor, later);
	/* A table says for each recipient what is done. */
	if (floor->function == FUNCTION_FILES && later->files == FILES_TABLE)
		return false;
	return strictness(later) <= strictness(floor);
}

/* ---- two rules ---- */

/* The action of the rule that decides the function for whatever it matches, or NULL. */
static const struct rule_action *deciding(const struct rule *rule, enum policy_function function)
{
	for (size_t i = 0; i < rule->actions; i++) {
		const struct rule_action *action = &rule->action[i];

		/* A table decides nothing for who does not stand in it. */
		if (action->function == function &&
		    !(function == FUNCTION_FILES && action->files == FILES_TABLE))
			return action;
	}
	return NULL;
}

static const char *reach_of(const struct rule *first)
{
	if (first->conditions == 0)
		return "all mail";
	if (first->conditions == 1 && first->condition[0].kind == COND_ALWAYS)
		return "all mail";
	return "everything that matches here";
}

static void warn_never(struct warning *w, const struct rule *first, const struct rule *rule,
    const struct rule_action *action, bool whole)
{
	char text[TEXT_MAX];

	(void)snprintf(text, sizeof text, "%s%.60s%snever reached: %.120s:%u decides %s for %s",
	    whole ? "" : "\"", whole ? "" : action->written, whole ? "" : "\" is ", first->file,
	    first->line, policy_function_word(action->function), reach_of(first));
	say(w, rule, whole ? rule->line : action->line, text);
}

static void warn_floor(struct warning *w, const struct rule *first, const struct rule_action *floor,
    const struct rule *rule, const struct rule_action *action)
{
	char text[TEXT_MAX];

	(void)snprintf(text, sizeof text,
	    "\"%.60s\" changes nothing: %.120s:%u has decided \"%.60s\", and a later layer may "
	    "only be "
	    "stricter",
	    action->written, first->file, first->line, floor->written);
	say(w, rule, action->line, text);
}

/* Whether the earlier layer's decision leaves the later one no say at all. */
static bool silenced(enum policy_layer first, enum policy_layer later)
{
	return first == later || later == LAYER_DEFAULT;
}

struct reached {
	unsigned dead;            /* functions that an earlier rule decides */
	const struct rule *first; /* the last such rule */
};

static void compare(
    struct warning *w, const struct rule *first, const struct rule *rule, struct reached *reached)
{
	bool implied = false, known = false;

	for (size_t i = 0; i < rule->actions && !w->stopped; i++) {
		const struct rule_action *action = &rule->action[i];
		const struct rule_action *floor = deciding(first, action->function);

		if (action->function >= FUNCTION_ADDITIVE || floor == NULL ||
		    (reached->dead & (1u << action->function)) != 0)
			continue;
		/* Asked only if there is a function in both. */
		if (!known)
			implied = rule_implies(rule, first);
		known = true;
		if (!implied)
			return;
		if (silenced(first->layer, rule->layer)) {
			reached->dead |= 1u << action->function;
			reached->first = first;
			if (rule->actions > 1)
				warn_never(w, first, rule, action, false);
		} else if (below_floor(floor, action)) {
			reached->dead |= 1u << action->function;
			warn_floor(w, first, floor, rule, action);
		}
	}
}

/* Whether a rule of the one block comes before one of the other, for a recipient of both. */
static bool comes_before(const struct policy_block *first, const struct policy_block *later)
{
	if (first == later || first->layer == LAYER_MUST)
		return true;
	/* Not everybody is in a group, or has rules of his own. */
	return false;
}

static void look_before(struct warning *w, const struct policy_block *block, size_t r)
{
	const struct rule *rule = &block->rule[r];
	struct reached reached = {.dead = 0};

	for (const struct policy_block *first = w->policy->block; first <= block; first++) {
		if (!comes_before(first, block))
			continue;
		for (size_t i = 0; i < (first == block ? r : first->rules); i++) {
			if (w->stopped || w->pairs++ > PAIRS_MAX)
				return;
			if (!first->rule[i].shadow && !rule->shadow)
				compare(w, &first->rule[i], rule, &reached);
		}
	}
	if (rule->actions == 1 && reached.first != NULL)
		warn_never(w, reached.first, rule, &rule->action[0], true);
}

/* ---- all of them ---- */

static void look_at_owner(struct warning *w, const struct policy_block *block)
{
	struct org_person person;

	if (block->layer != LAYER_USER || w->policy->org == NULL || block->rules == 0 ||
	    org_person(w->policy->org, block->owner, &person))
		return;
	say(w, &block->rule[0], block->rule[0].line, "nobody in etc/people has this address");
}

void policy_warnings_of(
    const struct policy *policy, const char *user, policy_warn *warn, void *context)
{
	struct warning w = {.policy = policy, .warn = warn, .context = context};

	for (size_t b = 0; b < policy->blocks; b++) {
		const struct policy_block *block = &policy->block[b];

		if (block->layer != LAYER_USER || strcmp(block->owner, user) != 0)
			continue;
		for (size_t r = 0; r < block->rules && !w.stopped; r++) {
			look_at_rule(&w, &block->rule[r]);
			look_before(&w, block, r);
		}
	}
}

void policy_warnings(const struct policy *policy, policy_warn *warn, void *context)
{
	struct warning w = {.policy = policy, .warn = warn, .context = context};

	for (size_t b = 0; b < policy->blocks && !w.stopped; b++) {
		const struct policy_block *block = &policy->block[b];

		look_at_owner(&w, block);
		for (size_t r = 0; r < block->rules && !w.stopped; r++) {
			look_at_rule(&w, &block->rule[r]);
			look_before(&w, block, r);
		}
	}
	for (size_t b = 0; w.pairs > PAIRS_MAX && b < policy->blocks; b++) {
		if (policy->block[b].rules == 0)
			continue;
		say(&w, &policy->block[b].rule[0], policy->block[b].rule[0].line,
		    "there are too many rules: not all of them were compared with each other");
		return;
	}
}
