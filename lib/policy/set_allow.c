#include <stdio.h>
#include <string.h>

#include "lib/policy/set_inside.h"

#define X(name, word) word,
static const char *const functions[] = {POLICY_FUNCTIONS(X)};
#undef X

/* What is decided for whole messages by who refuses is no user's, whatever a file says. */
static bool administrators_alone(enum policy_function function)
{
	return function == FUNCTION_REFUSE || function == FUNCTION_BOUNCE ||
	       function == FUNCTION_FORWARD;
}

static bool take_word(unsigned *may, bool user, const struct conf_line *line,
    const struct conf_word *word, struct conf_fault *fault)
{
	unsigned function = 0;
	const char *near;

	while (function < FUNCTION_COUNT && strcmp(functions[function], word->text) != 0)
		function++;
	if (function == FUNCTION_COUNT) {
		near = conf_near(word->text, functions, FUNCTION_COUNT, sizeof functions[0]);
		return conf_blame(fault, line->number, word->column, "no function \"%.40s\"%s%s%s",
		    word->text, near != NULL ? ": " : "", near != NULL ? near : "",
		    near != NULL ? "?" : "");
	}
	if (user && administrators_alone((enum policy_function)function))
		return conf_blame(fault, line->number, word->column,
		    "\"%s\" is for administrators: no user may", functions[function]);
	*may |= 1u << function;
	return true;
}

static bool take_line(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	struct policy *policy = context;
	const char *who = line->word[0].text;
	bool user = strcmp(who, "user") == 0;
	unsigned *may = user ? &policy->user_may : &policy->group_may;

	if (!user && strcmp(who, "group") != 0)
		return conf_blame(fault, line->number, line->word[0].column,
		    "expected group or user, and functions, not \"%.40s\"", who);
	if (line->words < 2)
		return conf_blame(fault, line->number, 0, "expected functions behind \"%s\"", who);
	for (size_t i = 1; i < line->words; i++) {
		if (!take_word(may, user, line, &line->word[i], fault))
			return false;
	}
	return true;
}

bool allow_read(struct policy *policy, const char *bytes, size_t len, struct conf_fault *fault)
{
	return conf_parse(bytes, len, "etc/allow", take_line, policy, fault);
}

bool allow_fits(const struct policy *policy, const struct rule *rule, struct conf_fault *fault)
{
	unsigned may = rule->layer == LAYER_GROUP ? policy->group_may : policy->user_may;

	if (rule->layer != LAYER_GROUP && rule->layer != LAYER_USER)
		return true;
	for (size_t i = 0; i < rule->actions; i++) {
		const struct rule_action *action = &rule->action[i];
		const char *word = policy_function_word(action->function);

		/* People's files must not keep the administrator from taking a function away. */
		if (rule->layer == LAYER_USER && !administrators_alone(action->function))
			continue;
		if ((may & (1u << action->function)) == 0)
			return conf_blame(fault, action->line, action->column,
			    "a %s's file may not decide %s; the line \"%s %s\" in etc/allow would "
			    "permit it",
			    policy_layer_word(rule->layer), word, policy_layer_word(rule->layer),
			    word);
	}
	return true;
}
