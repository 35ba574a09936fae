/*
 * What seki-inspect is asked for: each rule's conditions add to it, and texts that several rules look for
 * are looked for once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xtext.h"
#include "lib/inspect/protocol.h"
#include "lib/policy/set_inside.h"

#define LINE_ROOM ((size_t)16) /* of the word before a text, in an ask */

#define BYTES_MAX (ASK_TEXT_MAX / 4 * 3)

struct policy_bounds policy_bounds(void)
{
	return (struct policy_bounds){ASK_WORDS_MAX, ASK_REGEXES_MAX, ASK_FIELDS_MAX, BYTES_MAX};
}

size_t policy_text_takes(const char *text)
{
	return LINE_ROOM + xtext_room(strlen(text));
}

/* Distinct texts with their numbers, from 1. */
struct texts {
	const char **text;
	size_t n, room;
	size_t *slot; /* hashed: number, 0: free */
	size_t slots;
	size_t most;
};

struct numbers {
	struct policy *policy;
	struct texts list, word, regex, field;
	size_t bytes;
	const struct rule *rule; /* of whom a fault tells */
	const struct rule_condition *condition;
	struct conf_fault *fault;
};

static bool blame(struct numbers *n, const char *text)
{
	*n->fault = (struct conf_fault){.line = 0};
	(void)snprintf(n->fault->file, sizeof n->fault->file, "%s", n->rule->file);
	return conf_blame(n->fault, n->condition->line, n->condition->column, "%s", text);
}

static size_t hash(const char *text)
{
	size_t h = 2166136261u; /* FNV-1a */

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 16777619u;
	return h;
}

static size_t *slot_of(const struct texts *texts, const char *text)
{
	size_t i = hash(text) & (texts->slots - 1);

	while (texts->slot[i] != 0 && strcmp(texts->text[texts->slot[i] - 1], text) != 0)
		i = (i + 1) & (texts->slots - 1);
	return &texts->slot[i];
}

static bool grow(struct texts *texts)
{
	size_t room = texts->room == 0 ? 16 : texts->room * 2;
	const char **text = reallocarray(texts->text, room, sizeof(const char *));
	size_t *slot;

	if (text == NULL)
		return false;
	texts->text = text;
	slot = calloc(2 * room, sizeof *slot);
	if (slot == NULL)
		return false;
	free(texts->slot);
	texts->slot = slot;
	texts->slots = 2 * room;
	texts->room = room;
	for (size_t i = 0; i < texts->n; i++)
		*slot_of(texts, texts->text[i]) = i + 1;
	return true;
}

/* The number of a text, new or not. */
static bool number(struct numbers *n, struct texts *texts, const char *text, size_t *number)
{
	size_t *slot;

	if (texts->n == texts->room && !grow(texts))
		return blame(n, "no memory");
	slot = slot_of(texts, text);
	if (*slot == 0) {
		if (texts->n == texts->most)
			return blame(
			    n, "all rules together look for too many words, expressions or fields");
		n->bytes += policy_text_takes(text);
		if (n->bytes > BYTES_MAX)
			return blame(n, "what all rules together look for is too long");
		texts->text[texts->n++] = text;
		*slot = texts->n;
	}
	*number = *slot;
	return true;
}

/* ---- what conditions want ---- */

static void want(struct numbers *n, enum inspect_want what)
{
	n->policy->want |= 1u << what;
	n->policy->asks_facts = true;
}

static void want_file(struct numbers *n, const struct rule_condition *c)
{
	want(n, WANT_FILES);
	for (size_t i = 0; i < c->files; i++) {
		enum rule_property property = c->file[i].property;

		/* These are known of a file that was opened, and of no other. */
		if (property == FILE_ENCRYPTED || property == FILE_INSPECTABLE ||
		    property == FILE_AS_NAMED)
			want(n, WANT_INSIDE);
	}
}

static void want_trait(struct numbers *n, const struct rule_condition *c)
{
	n->policy->asks_facts = true;
	if (c->trait == TRAIT_REPLY) {
		want(n, WANT_FILES);
		n->policy->asks_past = true;
	}
	if (c->trait == TRAIT_PROMISES_FILE)
		want(n, WANT_PROMISE);
	if (c->trait == TRAIT_UNINSPECTABLE || c->trait == TRAIT_AMBIGUOUS)
		want(n, WANT_INSIDE);
}

static void want_past(struct numbers *n, const struct rule_condition *c)
{
	for (size_t i = 0; i < c->whos; i++) {
		n->policy->asks_past |=
		    c->who[i].kind == WHO_FIRST_TIME || c->who[i].kind == WHO_LOOKALIKE;
		/* Of somebody known at another company the name is compared. */
		if (c->who[i].kind == WHO_LOOKALIKE)
			want(n, WANT_ADDRESSES);
	}
}

static void want_kinds(struct numbers *n, const struct rule_condition *c)
{
	n->policy->asks_facts = true;
	for (size_t i = 0; i < c->piis; i++)
		n->policy->kinds |= 1u << c->pii[i].kind;
}

/* Texts of words, and lists. */
static bool want_words(struct numbers *n, struct rule_condition *c)
{
	n->policy->asks_facts = true;
	for (size_t i = 0; i < c->texts; i++) {
		struct rule_text *text = &c->text[i];
		size_t listed;

		if (text->list ? !number(n, &n->list, text->text, &listed)
			       : !number(n, &n->word, text->text, &text->number))
			return false;
	}
	return true;
}

static bool want_of(struct numbers *n, struct rule_condition *c)
{
	switch (c->kind) {
	case COND_ALWAYS:
	case COND_FROM:
	case COND_UNREGISTERED:
	case COND_RECIPIENTS:
	case COND_COMPANIES:
	case COND_MESSAGE_SIZE: /* the leg tells it */
	case COND_WHEN:
		return true;
	case COND_TO:
		want_past(n, c);
		return true;
	case COND_MISMATCHED:
	case COND_HEADER_WHO:
	case COND_VISIBLE:
	case COND_HIDDEN:
		want(n, WANT_ADDRESSES);
		return true;
	case COND_HEADER_TEXT:
		n->policy->asks_facts = true;
		return number(n, &n->field, c->field, &c->field_number);
	case COND_FILE:
		want_file(n, c);
		return true;
	case COND_FILES_COUNT:
	case COND_FILES_SIZE:
		want(n, WANT_FILES);
		return true;
	case COND_WORDS:
		return want_words(n, c);
	case COND_REGEX:
		n->policy->asks_facts = true;
		return number(n, &n->regex, c->text[0].text, &c->text[0].number);
	case COND_PII:
		want_kinds(n, c);
		return true;
	case COND_COMPANY_OTHER:
	case COND_COMPANY_NONE:
		want(n, WANT_COMPANY);
		return true;
	case COND_MESSAGE_TRAIT:
		want_trait(n, c);
		return true;
	}
	return true;
}

/*
 * What the sender of mail that waits is to look at (lib/policy/check.c). Neither names of persons nor
 * what is in archives is asked for that alone: what cannot be found out of these would be a fault of the
 * message to rules that speak of such.
 */
static void want_checks(struct numbers *n)
{
	struct policy *policy = n->policy;

	policy->asks_checks = policy->asks_past = true;
	want(n, WANT_ADDRESSES);
	want(n, WANT_FILES);
	want(n, WANT_PROMISE);
	want(n, WANT_GREETING);
	policy->kinds |= 1u << DETECT_CARD | 1u << DETECT_MYNUMBER | 1u << DETECT_PHONE |
			 1u << DETECT_ADDRESS | 1u << DETECT_MAIL;
}

static bool waits(const struct rule_action *action)
{
	if (action->function == FUNCTION_APPROVE)
		return action->yes;
	return action->function == FUNCTION_HOLD && action->hold != HOLD_NO &&
	       action->hold != HOLD_OPERATOR && (action->hold != HOLD_FOR || action->span > 0);
}

/* A user's rule may speak of nothing that users may decide: nobody asks it. */
static bool is_left_out(const struct policy *policy, const struct rule *rule)
{
	if (rule->layer != LAYER_USER)
		return false;
	for (size_t i = 0; i < rule->actions; i++) {
		if ((policy->user_may & (1u << rule->action[i].function)) != 0)
			return false;
	}
	return true;
}

static bool want_rule(struct numbers *n, const struct rule *rule)
{
	if (is_left_out(n->policy, rule))
		return true;
	for (size_t i = 0; i < rule->actions && !rule->shadow; i++) {
		if (waits(&rule->action[i]))
			want_checks(n);
	}
	n->rule = rule;
	for (size_t i = 0; i < rule->conditions; i++) {
		n->condition = &rule->condition[i];
		if (!want_of(n, &rule->condition[i]))
			return false;
	}
	return true;
}

/* ---- all of them ---- */

/* Hands the texts over to the set. */
static bool keep(
    struct numbers *n, const struct texts *texts, const char ***kept, size_t *number_of)
{
	*kept = arena_take(n->policy->arena, texts->n * sizeof(const char *));
	if (*kept == NULL)
		return conf_blame(n->fault, 0, 0, "no memory");
	if (texts->n > 0)
		memcpy(*kept, texts->text, texts->n * sizeof(const char *));
	*number_of = texts->n;
	return true;
}

static void texts_free(struct texts *texts)
{
	free(texts->text);
	free(texts->slot);
}

bool numbers_give(struct policy *policy, struct conf_fault *fault)
{
	struct numbers n = {.policy = policy,
	    .list = {.most = ASK_WORDS_MAX},
	    .word = {.most = ASK_WORDS_MAX},
	    .regex = {.most = ASK_REGEXES_MAX},
	    .field = {.most = ASK_FIELDS_MAX},
	    .fault = fault};
	bool fine = true;

	for (size_t i = 0; fine && i < policy->blocks; i++) {
		for (size_t k = 0; fine && k < policy->block[i].rules; k++)
			fine = want_rule(&n, &policy->block[i].rule[k]);
	}
	fine = fine && keep(&n, &n.list, &policy->list, &policy->lists) &&
	       keep(&n, &n.word, &policy->word, &policy->words) &&
	       keep(&n, &n.regex, &policy->regex, &policy->regexes) &&
	       keep(&n, &n.field, &policy->field, &policy->fields);
	texts_free(&n.list);
	texts_free(&n.word);
	texts_free(&n.regex);
	texts_free(&n.field);
	return fine;
}
