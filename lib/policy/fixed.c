#include "lib/policy/policy.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/xtext.h"
#include "queue/intake.h"

#define PLAN_MAX ((size_t)4096)
#define WHY_MAX  ((size_t)256) /* of hold=, as written */

static void add_timed(struct buf *plan, const char *word, int64_t since, int64_t wait)
{
	char until[CLOCK_TEXT];

	if (wait == 0) {
		buf_addf(plan, " %s no\n", word);
		return;
	}
	clock_format(since + wait, until);
	buf_addf(plan, " %s until=%s\n", word, until);
}

/* hold=WORD of the client line, behind `key`. What is no xtext, or too long, is still a wish. */
static void add_door(struct buf *plan, const char *key, const char *text, size_t len)
{
	char why[WHY_MAX];
	size_t decoded = 0;

	if (len > sizeof why || !xtext_decode(text, len, why, &decoded))
		decoded = 0;
	buf_addf(plan, " %s=", key);
	if (decoded > 0)
		buf_add_xtext(plan, why, decoded);
	else
		buf_add_text(plan, "unknown");
}

static void add_reason(struct buf *plan, const char *why, const char *reason)
{
	buf_addf(plan, " why=%s reason=%s", why, reason[0] != '\0' ? reason : "unknown");
}

/* The worst of what the facts say against a message. */
static void add_facts(struct buf *plan, const struct policy_facts *facts)
{
	if (facts->virus)
		buf_add_text(plan, " why=virus");
	else if (facts->uninspectable)
		add_reason(plan, "uninspectable", facts->reason);
	else
		add_reason(plan, "ambiguous", facts->ambiguity);
}

/*
 * The door or the facts want a person to look, whatever the settings say. It is the first step, so
 * that nobody is asked about mail that an operator may yet throw away, and one step, so that one
 * release ends it. The facts go first: whoever releases all that waits for why=foreign-sender does
 * not mean to release a virus.
 */
static void add_operator(struct buf *plan, const struct leg *leg, const struct policy_facts *facts)
{
	bool against = facts->virus || facts->uninspectable || facts->ambiguous;
	size_t len = 0;
	const char *door = leg_param(leg->client, "hold", &len);

	if (!against && door == NULL)
		return;
	buf_add_text(plan, " hold operator");
	if (against)
		add_facts(plan, facts);
	if (door != NULL)
		add_door(plan, against ? "door" : "why", door, len);
	buf_add_text(plan, "\n");
}

/* What the door and the facts ask for, and one line for each state in plan-states, checked by the settings. */
static void write_plan(struct buf *plan, const struct settings *s, const struct leg *leg,
    const struct policy_facts *facts, int64_t since)
{
	const char *word = s->plan_states;

	/* Nobody approves a notice, and nobody holds it: it tells what has happened already. */
	if (intake_is_own(leg->client)) {
		buf_add_text(plan, " deliver\n");
		return;
	}
	add_operator(plan, leg, facts);
	while (*word != '\0') {
		size_t len = strcspn(word, " ");

		if (strncmp(word, "approve", len) == 0)
			buf_add_text(plan, " approve no\n");
		else if (strncmp(word, "hold", len) == 0)
			add_timed(plan, "hold", since, s->plan_hold);
		else if (strncmp(word, "encrypt", len) == 0)
			buf_add_text(plan, " encrypt keep\n");
		else if (strncmp(word, "stagger", len) == 0)
			add_timed(plan, "stagger", since, s->plan_stagger);
		else
			buf_add_text(plan, " deliver\n");
		word += len;
		word += *word == ' ';
	}
}

static const char *domain_of(const char *address)
{
	const char *at = strrchr(address, '@');

	return at != NULL ? at + 1 : "";
}

static bool together(int64_t divide, const struct leg_rcpt *a, const struct leg_rcpt *b)
{
	switch ((enum plan_divide)divide) {
	case PLAN_DIVIDE_NO:
		return true;
	case PLAN_DIVIDE_DOMAIN:
		return strcasecmp(domain_of(a->address), domain_of(b->address)) == 0;
	case PLAN_DIVIDE_RECIPIENT:
		break;
	}
	return a == b;
}

struct sorted {
	size_t rcpt;
	const char *domain;
};

static int by_domain(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;
	int order = strcasecmp(x->domain, y->domain);

	return order != 0 ? order : x->rcpt < y->rcpt ? -1 : 1;
}

/* Fills `indices` with the recipients, those of one domain side by side. False: no memory. */
static bool sort_rcpts(const struct leg *leg, bool sort, size_t *indices)
{
	struct sorted *sorted = reallocarray(NULL, leg->rcpts, sizeof *sorted);

	if (sorted == NULL)
		return false;
	for (size_t i = 0; i < leg->rcpts; i++)
		sorted[i] = (struct sorted){i, domain_of(leg->rcpt[i].address)};
	if (sort)
		qsort(sorted, leg->rcpts, sizeof *sorted, by_domain);
	for (size_t i = 0; i < leg->rcpts; i++)
		indices[i] = sorted[i].rcpt;
	free(sorted);
	return true;
}

bool policy_judge(const struct settings *s, const struct leg *leg, const struct policy_facts *facts,
    int64_t since, struct policy_judgement *j)
{
	int64_t divide = intake_is_own(leg->client) ? PLAN_DIVIDE_NO : s->plan_divide;

	*j = (struct policy_judgement){.groups = 0};
	j->indices = reallocarray(NULL, leg->rcpts, sizeof *j->indices);
	j->group = reallocarray(NULL, leg->rcpts, sizeof *j->group);
	if (j->indices == NULL || j->group == NULL ||
	    !sort_rcpts(leg, divide == PLAN_DIVIDE_DOMAIN, j->indices))
		goto fail;

	for (size_t i = 0; i < leg->rcpts; i++) {
		struct policy_group *last = j->groups > 0 ? &j->group[j->groups - 1] : NULL;

		if (last != NULL &&
		    together(divide, &leg->rcpt[last->rcpt[0]], &leg->rcpt[j->indices[i]])) {
			last->rcpts++;
			continue;
		}
		last = &j->group[j->groups++];
		*last = (struct policy_group){.rcpt = &j->indices[i], .rcpts = 1};
		buf_init(&last->plan, PLAN_MAX);
		write_plan(&last->plan, s, leg, facts, since);
		if (!buf_ok(&last->plan))
			goto fail;
	}
	return true;
fail:
	policy_judgement_free(j);
	return false;
}

void policy_judgement_free(struct policy_judgement *j)
{
	for (size_t i = 0; i < j->groups; i++)
		buf_free(&j->group[i].plan);
	free(j->group);
	free(j->indices);
	*j = (struct policy_judgement){.groups = 0};
}
