#include <stdlib.h>
#include <string.h>

#include "lib/policy/inside.h"
#include "queue/intake.h"

#define ARENA_MAX ((size_t)256 * 1024 * 1024) /* of 10,000 recipients with rows of their own */

void *judge_take(struct judging *j, size_t n, size_t size)
{
	void *taken = NULL;
	size_t all;

	if (size_mul(n, size, &all))
		taken = arena_take(j->arena, all);
	j->failed = j->failed || taken == NULL;
	return taken;
}

const char *judge_text(struct judging *j, const char *text, size_t len)
{
	const char *copy = arena_text(j->arena, text, len);

	/* Never NULL, so that what reads it need not ask; the judgement is thrown away. */
	j->failed = j->failed || copy == NULL;
	return copy != NULL ? copy : "";
}

/* ---- beginning ---------------------------------------------------------------------------- */

static bool add_boss(void *context, const char *address, size_t len)
{
	struct judging *j = context;
	const char *boss = judge_text(j, address, len);

	/* Nobody is asked to approve, or is shown as having read, what he wrote himself. */
	if (strcmp(boss, j->sender.own) == 0 || strcmp(boss, j->sender.address) == 0)
		return true;
	if ((j->bosses & (j->bosses - 1)) == 0) {
		const char **more = judge_take(j, j->bosses == 0 ? 1 : 2 * j->bosses, sizeof *more);

		if (more == NULL)
			return false;
		if (j->bosses > 0)
			memcpy(more, j->boss, j->bosses * sizeof *more);
		j->boss = more;
	}
	j->boss[j->bosses++] = boss;
	return true;
}

static void begin(struct judging *j)
{
	const struct leg *leg = j->c->leg;

	subject_of(j, leg->from, &j->sender);
	if (j->sender.address[0] != '\0')
		org_bosses(j->org, j->sender.own, add_boss, j);
	j->rcpt = judge_take(j, leg->rcpts, sizeof *j->rcpt);
	j->outcome = judge_take(j, leg->rcpts, sizeof *j->outcome);
	if (j->failed)
		return;
	for (size_t i = 0; i < leg->rcpts; i++)
		subject_of(j, leg->rcpt[i].address, &j->rcpt[i]);
}

/* ---- what is missing ---------------------------------------------------------------------- */

/* What somebody could still find out, and would change something. */
static unsigned needs_of(const struct judging *j)
{
	bool may_be = j->refused;
	unsigned needs = j->needs_refusal;

	for (size_t i = 0; i < j->c->leg->rcpts && !may_be; i++)
		may_be = (j->outcome[i].unsure & (1u << FUNCTION_REFUSE)) != 0;
	if (may_be)
		needs |= j->needs_refused;
	/* Of a message that nobody gets nothing else is asked. */
	if (!j->refused || j->watch)
		needs |= j->needs_other | j->needs_shadow;
	return needs;
}

/* Whom one has written to is found out sooner than what one writes, unless names are needed for it. */
static enum policy_verdict verdict_of(unsigned needs)
{
	if ((needs & NEED_NAMES) != 0)
		return POLICY_NEEDS_FACTS;
	if ((needs & NEED_PAST) != 0)
		return POLICY_NEEDS_PAST;
	return (needs & NEED_FACTS) != 0 ? POLICY_NEEDS_FACTS : POLICY_JUDGED;
}

/* The hours in which it may leave are decided first; then come the sender's checks. */
static enum policy_verdict verdict_of_waiting(struct judging *j)
{
	enum policy_verdict verdict = verdict_of(needs_of_windows(j));

	return verdict == POLICY_JUDGED ? verdict_of_checks(j) : verdict;
}

/* ---- the end ------------------------------------------------------------------------------ */

/* Each recipient stands in one leg, once, and each plan is one: what is not so is never sent. */
static bool is_sound(const struct judging *j)
{
	const struct policy_judgement *out = j->out;
	size_t n = j->c->leg->rcpts, seen = 0;
	bool *there = arena_take(j->arena, n);
	struct plan plan;

	if (there == NULL || out->groups == 0)
		return false;
	for (size_t g = 0; g < out->groups; g++) {
		const struct policy_group *group = &out->group[g];

		if (group->rcpts == 0 ||
		    (!out->refusal.refused &&
			!plan_parse(&plan, group->plan.bytes, group->plan.len)))
			return false;
		for (size_t i = 0; i < group->rcpts; i++, seen++) {
			if (group->rcpt[i] >= n || there[group->rcpt[i]])
				return false;
			there[group->rcpt[i]] = true;
		}
	}
	return seen == n;
}

/*
 * What one recipient gets of a message's functions, all get: as long as nobody knows whether the message
 * is refused for one of them, or turned into Bcc, the others wait, too.
 */
static void spread_doubt(struct judging *j)
{
	const unsigned scope = 1u << FUNCTION_REFUSE | 1u << FUNCTION_BCC;
	size_t n = j->c->leg->rcpts, doubted = 0;

	while (doubted < n &&
	       ((j->outcome[doubted].unsure & scope) == 0 || j->outcome[doubted].pending == NULL))
		doubted++;
	for (size_t i = 0; doubted < n && i < n; i++) {
		if (j->outcome[i].pending == NULL) {
			j->outcome[i].pending = j->outcome[doubted].pending;
			j->outcome[i].reason = j->outcome[doubted].reason;
		}
	}
}

static enum policy_verdict by_rules(struct judging *j)
{
	enum policy_verdict verdict;

	begin(j);
	if (!j->failed)
		find_live(j);
	for (size_t i = 0; i < j->c->leg->rcpts && !j->failed; i++)
		find_outcome(j, i, false, &j->outcome[i]);
	if (j->failed)
		return POLICY_FAILED;
	find_refusal(j);
	verdict = verdict_of(needs_of(j));
	if (verdict == POLICY_JUDGED && !j->watch && !j->refused)
		verdict = verdict_of_waiting(j);
	if (j->failed)
		return POLICY_FAILED;
	if (verdict != POLICY_JUDGED)
		return verdict;

	if (j->refused && !j->watch) {
		make_one_group(j);
		make_refusal(j);
	} else {
		spread_doubt(j);
		make_groups(j);
	}
	if (!j->failed)
		make_decisions(j);
	if (!j->failed)
		make_records(j);
	if (!j->failed)
		make_checks(j);
	return j->failed ? POLICY_FAILED : POLICY_JUDGED;
}

static enum policy_verdict judge(struct judging *j)
{
	const struct policy_case *c = j->c;
	bool own = intake_is_own(c->leg->client);

	if (c->unregistered && !own && !j->watch &&
	    c->settings->unknown_senders == UNKNOWN_REFUSE) {
		refuse_unknown(j);
		return j->failed ? POLICY_FAILED : POLICY_JUDGED;
	}
	if (!own && c->facts == NULL && c->settings->plan_facts == PLAN_FACTS_YES)
		return POLICY_NEEDS_FACTS;
	if (own || c->policy == NULL || c->policy->rules == 0)
		return fixed_judge(c, j->out) ? POLICY_JUDGED : POLICY_FAILED;
	return by_rules(j);
}

enum policy_verdict policy_judge(const struct policy_case *c, struct policy_judgement *judgement)
{
	enum policy_verdict verdict = POLICY_FAILED;
	struct judging *j = calloc(1, sizeof *j);

	*judgement = (struct policy_judgement){.arena = arena_new(ARENA_MAX)};
	if (j == NULL || judgement->arena == NULL)
		goto end;
	j->c = c;
	j->policy = c->policy;
	j->org = c->policy != NULL ? c->policy->org : NULL;
	j->facts = c->facts;
	j->arena = judgement->arena;
	j->out = judgement;
	j->watch = c->settings->watch_only == WATCH_ONLY_YES;
	verdict = judge(j);
	if (verdict == POLICY_JUDGED && !is_sound(j))
		verdict = POLICY_FAILED;
end:
	free(j);
	if (verdict != POLICY_JUDGED)
		policy_judgement_free(judgement);
	return verdict;
}

void policy_judgement_free(struct policy_judgement *judgement)
{
	for (size_t i = 0; i < judgement->groups; i++) {
		buf_free(&judgement->group[i].plan);
		buf_free(&judgement->group[i].records);
	}
	free(judgement->group);
	free(judgement->indices);
	arena_free(judgement->arena);
	*judgement = (struct policy_judgement){.groups = 0};
}
