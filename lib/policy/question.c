/* What seki-db is asked about a message: who writes to whom, and under what names. */
#include <stdlib.h>
#include <string.h>

#include "lib/inspect/protocol.h"
#include "lib/policy/inside.h"

#define GROUPS_MAX ((size_t)200) /* of the sender; more are not looked at */

/* One block: the recipients, then the groups, then texts. */
struct asking {
	struct past_question *q;
	const struct policy_case *c;
	char *text;
	size_t room; /* of `text` that is left */
	bool full;
};

/* ---- display names ------------------------------------------------------------------------ */

struct named {
	char address[ORG_ADDRESS_MAX];
	const char *name;
};

static int by_address(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return strcmp(x->address, y->address);
}

/* The names in To and Cc, in order of address. NULL: no memory, or there are none. */
static struct named *find_names(const struct facts *facts, size_t *n)
{
	struct named *named;

	*n = 0;
	if (facts == NULL || facts->addresses.n == 0)
		return NULL;
	named = reallocarray(NULL, facts->addresses.n, sizeof *named);
	if (named == NULL)
		return NULL;
	for (size_t i = 0; i < facts->addresses.n; i++) {
		const struct fact_address *a = &facts->addresses.at[i];

		if ((a->field != FIELD_TO && a->field != FIELD_CC) || a->name[0] == '\0')
			continue;
		if (org_normal(a->address, named[*n].address))
			named[(*n)++].name = a->name;
	}
	if (*n > 1)
		qsort(named, *n, sizeof *named, by_address);
	return named;
}

static const char *name_of(const struct named *named, size_t n, const char *address)
{
	struct named wanted = {.name = NULL};
	const struct named *found;

	(void)!org_normal(address, wanted.address);
	found = n > 0 ? bsearch(&wanted, named, n, sizeof wanted, by_address) : NULL;
	return found != NULL ? found->name : "";
}

/* ---- the question ------------------------------------------------------------------------- */

static const char *keep(struct asking *a, const char *text, size_t len)
{
	char *kept = a->text;

	if (len + 1 > a->room) {
		a->full = true;
		return "";
	}
	memcpy(kept, text, len);
	kept[len] = '\0';
	a->text += len + 1;
	a->room -= len + 1;
	return kept;
}

static const char *keep_normal(struct asking *a, const char *address)
{
	char normal[ORG_ADDRESS_MAX];

	(void)!org_normal(address, normal);
	return keep(a, normal, strlen(normal));
}

static bool add_group(void *context, const char *name, size_t len)
{
	struct asking *a = context;

	if (a->q->groups == GROUPS_MAX)
		return false;
	a->q->group[a->q->groups++] = keep(a, name, len);
	return true;
}

static bool has_lookalike(const struct rule *rule)
{
	for (size_t i = 0; i < rule->conditions; i++) {
		const struct rule_condition *c = &rule->condition[i];

		for (size_t k = 0; c->kind == COND_TO && k < c->whos; k++) {
			if (c->who[k].kind == WHO_LOOKALIKE)
				return true;
		}
	}
	return false;
}

static bool asks_lookalike(const struct policy *policy)
{
	for (size_t b = 0; policy != NULL && b < policy->blocks; b++) {
		for (size_t i = 0; i < policy->block[b].rules; i++) {
			if (has_lookalike(&policy->block[b].rule[i]))
				return true;
		}
	}
	return false;
}

static bool ask_same(const struct policy *a, const struct policy *b)
{
	struct buf one, other;
	bool same;

	buf_init(&one, ASK_TEXT_MAX + 65536);
	buf_init(&other, ASK_TEXT_MAX + 65536);
	policy_ask(a, &one);
	policy_ask(b, &other);
	same = buf_ok(&one) && buf_ok(&other) && one.len == other.len &&
	       (one.len == 0 || memcmp(one.bytes, other.bytes, one.len) == 0);
	buf_free(&one);
	buf_free(&other);
	return same;
}

bool policy_asks_same(const struct policy *a, const struct policy *b)
{
	return strcmp(a->org_digest, b->org_digest) == 0 && a->asks_past == b->asks_past &&
	       a->asks_facts == b->asks_facts && a->asks_checks == b->asks_checks &&
	       asks_lookalike(a) == asks_lookalike(b) && ask_same(a, b);
}

/* The block, and where texts begin in it. False: no memory. */
static bool make_room(struct asking *a, size_t names)
{
	size_t n = a->c->leg->rcpts, all = GROUPS_MAX * sizeof(char *), texts;
	size_t rcpts;

	if (!size_mul(n, sizeof *a->q->rcpt, &rcpts) || !size_mul(n + 1, ORG_ADDRESS_MAX, &texts) ||
	    !size_add(texts, names, &texts) || !size_add(texts, GROUPS_MAX * 256, &a->room) ||
	    !size_add(all, rcpts, &all) || !size_add(all, a->room, &all))
		return false;
	a->q->memory = malloc(all);
	if (a->q->memory == NULL)
		return false;
	a->q->rcpt = a->q->memory;
	a->q->group = (const char **)(a->q->rcpt + n);
	a->text = (char *)(a->q->group + GROUPS_MAX);
	return true;
}

static size_t length_of_names(const struct leg *leg, const struct named *named, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < leg->rcpts; i++)
		sum += strlen(name_of(named, n, leg->rcpt[i].address)) + 1;
	return sum;
}

bool policy_past_question(const struct policy_case *c, struct past_question *question)
{
	struct asking a = {.q = question, .c = c};
	const struct leg *leg = c->leg;
	size_t n = 0;
	struct named *named = find_names(c->facts, &n);

	*question = (struct past_question){.sender = ""};
	if (!make_room(&a, length_of_names(leg, named, n)))
		goto fail;
	question->sender = keep_normal(&a, leg->from);
	if (c->policy != NULL && question->sender[0] != '\0')
		org_groups(c->policy->org, question->sender, add_group, &a);
	for (size_t i = 0; i < leg->rcpts; i++) {
		const char *name = name_of(named, n, leg->rcpt[i].address);

		question->rcpt[i].address = keep_normal(&a, leg->rcpt[i].address);
		question->rcpt[i].name = keep(&a, name, strlen(name));
	}
	question->rcpts = leg->rcpts;
	question->lookalike = asks_lookalike(c->policy) ||
			      (c->policy != NULL && c->policy->asks_checks && c->checks != 0);
	free(named);
	if (!a.full)
		return true;
	past_question_free(question);
	return false;
fail:
	free(named);
	return false;
}
