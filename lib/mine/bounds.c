/*
 * How much of what all rules together may look for people's own rules take: whoever writes many must not keep others,
 * and the administrator, from writing any.
 */
#include <string.h>

#include "lib/mine/work.h"

#define OWN_TEXTS_MAX ((size_t)200)       /* different words of one person */
#define OWN_BYTES_MAX ((size_t)64 * 1024) /* of them */

/* Different texts, by their numbers in the set. */
struct taken {
	const struct policy *policy;
	bool *word, *regex, *field;
	size_t words, regexes, fields, rules;
	size_t bytes, asked; /* of the texts, and of what is asked with them */
};

static bool begin(struct mine_work *w, struct taken *taken)
{
	const struct policy *p = w->checked;

	*taken = (struct taken){.policy = p,
	    .word = arena_take(w->arena, p->words + 1),
	    .regex = arena_take(w->arena, p->regexes + 1),
	    .field = arena_take(w->arena, p->fields + 1)};
	if (taken->word == NULL || taken->regex == NULL || taken->field == NULL)
		return false;
	memset(taken->word, 0, p->words + 1);
	memset(taken->regex, 0, p->regexes + 1);
	memset(taken->field, 0, p->fields + 1);
	return true;
}

static void take(struct taken *t, bool *seen, size_t *n, const char *const *text, size_t number)
{
	if (number == 0 || seen[number])
		return;
	seen[number] = true;
	++*n;
	t->bytes += strlen(text[number - 1]);
	t->asked += policy_text_takes(text[number - 1]);
}

static void take_rule(struct taken *t, const struct rule *rule)
{
	const struct policy *p = t->policy;

	t->rules++;
	for (size_t i = 0; i < rule->conditions; i++) {
		const struct rule_condition *c = &rule->condition[i];

		if (c->kind == COND_HEADER_TEXT)
			take(t, t->field, &t->fields, p->field, c->field_number);
		else if (c->kind == COND_REGEX)
			take(t, t->regex, &t->regexes, p->regex, c->text[0].number);
		for (size_t k = 0; c->kind == COND_WORDS && k < c->texts; k++) {
			if (!c->text[k].list)
				take(t, t->word, &t->words, p->word, c->text[k].number);
		}
	}
}

/* `user` NULL: of all of them. */
static void take_all(struct taken *t, const char *user)
{
	for (size_t i = 0; i < t->policy->blocks; i++) {
		const struct policy_block *block = &t->policy->block[i];

		if (block->layer != LAYER_USER || (user != NULL && strcmp(block->owner, user) != 0))
			continue;
		for (size_t k = 0; k < block->rules; k++)
			take_rule(t, &block->rule[k]);
	}
}

bool mine_bounds(struct mine_work *w)
{
	const struct policy_bounds most = policy_bounds();
	struct taken own, all;

	if (!begin(w, &own) || !begin(w, &all))
		return mine_later(w, "memory", "");
	take_all(&own, w->address);
	if (own.words + own.regexes + own.fields > OWN_TEXTS_MAX || own.bytes > OWN_BYTES_MAX)
		return mine_no(w, "large");
	take_all(&all, NULL);
	if (all.words > most.words / 2 || all.regexes > most.regexes / 2 ||
	    all.fields > most.fields / 2 || all.rules > RULES_MAX / 2 || all.asked > most.bytes / 2)
		return mine_no(w, "full");
	return true;
}
