/* Without rules: the plan that the settings of tests and trials ask for. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/policy/inside.h"
#include "queue/intake.h"

#define PLAN_MAX ((size_t)4096)

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

/* What the door and the facts ask for, and one line for each state in plan-states, checked by the settings. */
static void write_fixed(struct buf *plan, const struct policy_case *c)
{
	static const struct operator_wish nobody = {NULL, NULL, NULL};
	const char *word = c->settings->plan_states;

	/* Nobody approves a notice, and nobody holds it: it tells what has happened already. */
	if (intake_is_own(c->leg->client)) {
		buf_add_text(plan, " deliver\n");
		return;
	}
	(void)add_operator(plan, c, &nobody);
	while (*word != '\0') {
		size_t len = strcspn(word, " ");

		if (strncmp(word, "approve", len) == 0)
			buf_add_text(plan, " approve no\n");
		else if (strncmp(word, "hold", len) == 0)
			add_timed(plan, "hold", c->since, c->settings->plan_hold);
		else if (strncmp(word, "encrypt", len) == 0)
			buf_add_text(plan, " encrypt keep\n");
		else if (strncmp(word, "stagger", len) == 0)
			add_timed(plan, "stagger", c->since, c->settings->plan_stagger);
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

bool fixed_judge(const struct policy_case *c, struct policy_judgement *j)
{
	const struct leg *leg = c->leg;
	int64_t divide = intake_is_own(leg->client) ? PLAN_DIVIDE_NO : c->settings->plan_divide;

	j->indices = reallocarray(NULL, leg->rcpts, sizeof *j->indices);
	j->group = reallocarray(NULL, leg->rcpts, sizeof *j->group);
	if (j->indices == NULL || j->group == NULL ||
	    !sort_rcpts(leg, divide == PLAN_DIVIDE_DOMAIN, j->indices))
		return false;

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
		buf_init(&last->records, PLAN_MAX);
		write_fixed(&last->plan, c);
		if (!buf_ok(&last->plan))
			return false;
	}
	return true;
}
