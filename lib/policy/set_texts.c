/*
 * Words and expressions that seki-inspect would not take. It would answer no question at all then, and
 * all mail would wait: so they are refused where they are compiled, by the very functions it uses.
 */
#include <stdio.h>
#include <string.h>

#include "lib/policy/set_inside.h"
#include "lib/text/norm.h"
#include "lib/words/keywords.h"
#include "lib/words/regexes.h"

#define STEPS 1000 /* nothing is searched */

static const struct rule_condition *find_in(
    const struct rule *rule, const char *text, enum rule_condition_kind kind)
{
	for (size_t c = 0; c < rule->conditions; c++) {
		const struct rule_condition *condition = &rule->condition[c];

		for (size_t t = 0; condition->kind == kind && t < condition->texts; t++) {
			if (condition->text[t].text == text)
				return condition;
		}
	}
	return NULL;
}

/* Where the text stands first: it is the very one that was numbered. */
static bool blame(const struct policy *policy, const char *text, enum rule_condition_kind kind,
    const char *why, struct conf_fault *fault)
{
	*fault = (struct conf_fault){.line = 0};
	for (size_t b = 0; b < policy->blocks; b++) {
		for (size_t r = 0; r < policy->block[b].rules; r++) {
			const struct rule *rule = &policy->block[b].rule[r];
			const struct rule_condition *found = find_in(rule, text, kind);

			if (found == NULL)
				continue;
			(void)snprintf(fault->file, sizeof fault->file, "%s", rule->file);
			return conf_blame(fault, found->line, found->column, "%s", why);
		}
	}
	return conf_blame(fault, 0, 0, "%s", why);
}

static bool words_good(
    const struct policy *policy, const struct norm_tables *tables, struct conf_fault *fault)
{
	struct keyword_builder *builder = keyword_builder_new(tables);
	bool good = builder != NULL || conf_blame(fault, 0, 0, "no memory");

	for (size_t i = 0; good && i < policy->words; i++) {
		const char *word = policy->word[i];
		char why[200];

		if (keyword_add(builder, word, strlen(word), (uint32_t)i) == KEYWORD_ADDED)
			continue;
		(void)snprintf(why, sizeof why,
		    "\"%.100s\" cannot be found in a text: no letters, or too many", word);
		good = blame(policy, word, COND_WORDS, why, fault);
	}
	keyword_builder_free(builder);
	return good;
}

static bool regexes_good(
    const struct policy *policy, const struct norm_tables *tables, struct conf_fault *fault)
{
	struct regexes *regexes = regexes_new(tables, STEPS);
	bool good = regexes != NULL || conf_blame(fault, 0, 0, "no memory");

	for (size_t i = 0; good && i < policy->regexes; i++) {
		const char *regex = policy->regex[i];
		struct regex_fault why;

		good = regexes_add(regexes, regex, strlen(regex), &why) ||
		       blame(policy, regex, COND_REGEX, why.text, fault);
	}
	regexes_free(regexes);
	return good;
}

bool policy_texts_good(const struct policy *policy, struct conf_fault *fault)
{
	return texts_check(policy, fault);
}

bool texts_check(const struct policy *policy, struct conf_fault *fault)
{
	const struct norm_tables *tables;
	bool good;

	if (policy->words + policy->regexes == 0)
		return true;
	tables = norm_prepare();
	if (tables == NULL)
		return conf_blame(fault, 0, 0, "no memory");
	good = words_good(policy, tables, fault) && regexes_good(policy, tables, fault);
	norm_tables_free(tables);
	return good;
}
