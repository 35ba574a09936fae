/*
 * What becomes of the mail of one recipient: layer by layer, for each function the first rule that
 * matches. What cannot be known yet, or any more, and would matter, is noted beside it.
 */
#include <string.h>

#include "lib/policy/inside.h"

#define BIT(function)    (1u << (function))
#define ALL_FUNCTIONS    (BIT(FUNCTION_COUNT) - 1)
#define SINGLE_FUNCTIONS (BIT(FUNCTION_ADDITIVE) - 1)
#define ROW_ACTIONS      8

/* ---- scales ------------------------------------------------------------------------------- */

bool function_has_scale(enum policy_function function)
{
	return (BIT(function) & (BIT(FUNCTION_REFUSE) | BIT(FUNCTION_APPROVE) | BIT(FUNCTION_HOLD) |
				    BIT(FUNCTION_FILES) | BIT(FUNCTION_BCC) |
				    BIT(FUNCTION_STAGGER) | BIT(FUNCTION_TLS))) != 0;
}

/* When it leaves by itself, or is thrown away; -1: there is no such time. */
static int64_t hold_end(struct judging *j, const struct rule_action *action)
{
	return action->hold == HOLD_UNTIL ? hold_until(j, action) : j->c->since + action->span;
}

/*
 * Ways to hold stand apart further than any time. Spans and times of day are one: what ends later is
 * stricter. What is thrown away unless a person confirms it outranks all that leaves by itself, or a user's
 * "hold 3h" would undo the floor "hold 2h else discard".
 */
static int64_t hold_rank(struct judging *j, const struct rule_action *action)
{
	const int64_t step = INT64_C(1) << 58;
	int64_t end;

	switch (action->hold) {
	case HOLD_NO:
		return 0;
	case HOLD_FOR:
	case HOLD_UNTIL:
		end = hold_end(j, action);
		return end < 0 ? 5 * step : (action->discard ? 2 : 1) * step + end;
	case HOLD_CONFIRMED:
		return 3 * step;
	case HOLD_CHECKED:
		return 4 * step;
	case HOLD_OPERATOR:
		break;
	}
	return 5 * step;
}

int64_t action_rank(struct judging *j, const struct rule_action *action)
{
	if (!function_has_scale(action->function))
		return 0;
	if (action->function == FUNCTION_HOLD)
		return hold_rank(j, action);
	if (action->function == FUNCTION_FILES)
		return action->files != FILES_KEEP;
	if (action->function == FUNCTION_BCC)
		return (int64_t)action->bcc;
	if (action->function == FUNCTION_TLS)
		return (int64_t)action->tls;
	if (action->function == FUNCTION_STAGGER)
		return action->yes ? action->span : 0;
	return action->yes;
}

/* ---- rules that this message does not rule out --------------------------------------------- */

/* What of a rule its layer may decide. */
static unsigned functions_of(const struct policy *policy, const struct rule *rule)
{
	unsigned functions = 0, may = ALL_FUNCTIONS;

	for (size_t i = 0; i < rule->actions; i++) {
		functions |= BIT(rule->action[i].function);
		/* Its row may have both. */
		if (rule->action[i].function == FUNCTION_FILES &&
		    rule->action[i].files == FILES_TABLE)
			functions |= BIT(FUNCTION_PASSWORD);
	}
	if (rule->layer == LAYER_GROUP)
		may = policy->group_may;
	else if (rule->layer == LAYER_USER)
		may = policy->user_may;
	return functions & may;
}

static bool refuses(const struct live *live)
{
	const struct rule *rule = live->rule;

	for (size_t i = 0; i < rule->actions; i++) {
		if (rule->action[i].function == FUNCTION_REFUSE)
			return rule->action[i].yes && !rule->shadow &&
			       (live->functions & BIT(FUNCTION_REFUSE)) != 0;
	}
	return false;
}

/* What would be refused at another time may come to that time while it waits. */
static void add_late(struct judging *j, const struct live *live)
{
	if (refuses(live))
		j->late[j->lates++] = (struct late){*live, j->lives};
}

static void add_live(struct judging *j, const struct rule *rule)
{
	struct answer is = answer_of(true), timely = is;
	struct live live = {.rule = rule, .functions = functions_of(j->policy, rule)};

	if (live.functions == 0)
		return;
	for (size_t i = 0; i < rule->conditions; i++) {
		const struct rule_condition *condition = &rule->condition[i];
		struct answer *to = condition->kind == COND_WHEN ? &timely : &is;
		struct answer one;

		if (condition_of_recipient(condition)) {
			live.of_recipient = true;
			continue;
		}
		one = condition_holds(j, condition, SIZE_MAX);
		*to = answer_and(*to, condition->unless ? answer_not(one) : one);
		if (is.truth == TRUTH_NO)
			return;
	}
	live.message = is;
	if (timely.truth == TRUTH_NO)
		add_late(j, &live);
	else
		j->live[j->lives++] = live;
}

static bool is_owner(struct judging *j, const struct policy_block *block)
{
	if (block->layer == LAYER_GROUP)
		return sender_in_group(j, block->owner);
	if (block->layer == LAYER_USER)
		return j->sender.address[0] != '\0' &&
		       (strcmp(block->owner, j->sender.own) == 0 ||
			   strcmp(block->owner, j->sender.address) == 0 ||
			   strcmp(block->owner, j->sender.plain) == 0);
	return true;
}

void find_live(struct judging *j)
{
	const struct policy *policy = j->policy;
	size_t all = 0;

	for (size_t i = 0; i < policy->blocks; i++)
		all += policy->block[i].rules;
	j->live = judge_take(j, all + 1, sizeof *j->live);
	j->late = judge_take(j, all + 1, sizeof *j->late);
	if (j->failed)
		return;
	for (unsigned layer = 0; layer < LAYER_COUNT; layer++) {
		j->layer[layer] = j->lives;
		for (size_t i = 0; i < policy->blocks; i++) {
			const struct policy_block *block = &policy->block[i];

			if (block->layer != layer || !is_owner(j, block))
				continue;
			for (size_t k = 0; k < block->rules; k++)
				add_live(j, &block->rule[k]);
		}
	}
	j->layer[LAYER_COUNT] = j->lives;
}

struct answer live_matches(struct judging *j, const struct live *live, size_t rcpt)
{
	const struct rule *rule = live->rule;
	struct answer is = live->message;

	if (!live->of_recipient)
		return is;
	for (size_t i = 0; i < rule->conditions && is.truth != TRUTH_NO; i++) {
		const struct rule_condition *condition = &rule->condition[i];
		struct answer one;

		if (!condition_of_recipient(condition))
			continue;
		one = condition_holds(j, condition, rcpt);
		is = answer_and(is, condition->unless ? answer_not(one) : one);
	}
	return is;
}

/* ---- one layer ---------------------------------------------------------------------------- */

/* What rules of a layer say about one function. */
struct ballot {
	struct choice final;
	struct live *unknown; /* the first unknown one before it */
	struct answer answer;
	int64_t most, least; /* ranks of the unknown ones */
};

struct walk {
	struct judging *j;
	size_t rcpt;
	bool shadows;
	struct outcome *o;
	unsigned open; /* functions that no rule of this layer has decided yet */
	struct ballot ballot[FUNCTION_ADDITIVE];
};

/* An unknown rule that matters is asked about; if nobody can answer, the mail waits. */
static void note_unknown(
    struct walk *w, enum policy_function function, struct live *live, struct answer answer)
{
	struct judging *j = w->j;

	if (w->shadows)
		return;
	w->o->unsure |= BIT(function);
	if (function == FUNCTION_REFUSE)
		j->needs_refusal |= answer.needs;
	else if (function == FUNCTION_BOUNCE || function == FUNCTION_FORWARD)
		j->needs_refused |= answer.needs;
	else
		j->needs_other |= answer.needs;
	if (function == FUNCTION_BOUNCE || function == FUNCTION_FORWARD || w->o->pending != NULL)
		return;
	w->o->pending = live;
	w->o->reason = answer.reason;
}

static void add_action(struct walk *w, struct live *live, const struct rule_action *action)
{
	struct addition *add = judge_take(w->j, 1, sizeof *add);

	if (add == NULL)
		return;
	*add = (struct addition){live, action, NULL};
	if (w->o->last != NULL)
		w->o->last->next = add;
	else
		w->o->additions = add;
	w->o->last = add;
}

static void vote(
    struct walk *w, struct live *live, const struct rule_action *action, struct answer is)
{
	enum policy_function f = action->function;
	struct ballot *b;
	int64_t rank;

	if ((live->functions & BIT(f)) == 0)
		return;
	if (f >= FUNCTION_ADDITIVE) {
		if (is.truth == TRUTH_YES)
			add_action(w, live, action);
		else
			note_unknown(w, f, live, is);
		return;
	}
	if ((w->open & BIT(f)) == 0)
		return;
	b = &w->ballot[f];
	rank = action_rank(w->j, action);
	if (is.truth == TRUTH_YES) {
		b->final = (struct choice){live, action, rank};
		w->open &= ~BIT(f);
	} else if (b->unknown == NULL) {
		b->unknown = live;
		b->answer = is;
		b->most = b->least = rank;
	} else {
		b->answer.needs |= is.needs;
		b->most = rank > b->most ? rank : b->most;
		b->least = rank < b->least ? rank : b->least;
	}
}

/*
 * "as table T": what the row of the recipient says, in the place of the rule's own words. A row that
 * cannot be read is as good as one that cannot be known. A recipient without a row is not spoken of.
 */
static void vote_row(
    struct walk *w, struct live *live, const struct rule_action *action, struct answer is)
{
	static const struct rule_names any = {NULL, NULL};
	struct judging *j = w->j;
	struct rule_action *row = judge_take(j, ROW_ACTIONS, sizeof *row);
	struct conf_fault fault = {.line = 0};
	size_t len = 0, n = 0;
	unsigned line = 0;
	const char *text =
	    org_table_row(j->org, action->text, j->rcpt[w->rcpt].address, &len, &line);

	if (row == NULL || text == NULL)
		return;
	if (!rule_row_parse(
		j->arena, text, len, action->text, line, 0, &any, row, ROW_ACTIONS, &n, &fault)) {
		vote(w, live, action, (struct answer){TRUTH_UNKNOWN, NEED_NOBODY, "table"});
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (row[i].function == FUNCTION_FILES || row[i].function == FUNCTION_PASSWORD)
			vote(w, live, &row[i], is);
	}
}

static void vote_all(struct walk *w, struct live *live, struct answer is)
{
	for (size_t i = 0; i < live->rule->actions; i++) {
		const struct rule_action *action = &live->rule->action[i];

		if (action->function == FUNCTION_FILES && action->files == FILES_TABLE)
			vote_row(w, live, action, is);
		else
			vote(w, live, action, is);
	}
}

/* A shadow rule decides nothing; but what it would have done is to be known. */
static void look_at_shadow(struct walk *w, const struct live *live)
{
	struct answer is = live_matches(w->j, live, w->rcpt);

	if (is.truth == TRUTH_YES)
		w->o->shadows = true;
	else if (is.truth == TRUTH_UNKNOWN)
		w->j->needs_shadow |= is.needs;
}

static void hear_layer(struct walk *w, unsigned layer)
{
	for (size_t i = w->j->layer[layer]; i < w->j->layer[layer + 1]; i++) {
		struct live *live = &w->j->live[i];
		struct answer is;

		if ((live->functions & (w->open | ~SINGLE_FUNCTIONS)) == 0)
			continue;
		if (live->rule->shadow && !w->shadows) {
			look_at_shadow(w, live);
			continue;
		}
		is = live_matches(w->j, live, w->rcpt);
		if (is.truth == TRUTH_YES || (is.truth == TRUTH_UNKNOWN && !w->shadows))
			vote_all(w, live, is);
	}
}

/* ---- layers together ---------------------------------------------------------------------- */

static bool unknown_matters(const struct walk *w, enum policy_function f, const struct ballot *b)
{
	const struct choice *stands = &w->o->choice[f];

	if (stands->live == NULL || (w->o->unsure & BIT(f)) != 0)
		return true;
	/* A later layer can but raise what stands. */
	return function_has_scale(f) &&
	       (b->most > stands->rank || (b->final.live != NULL && b->final.rank > stands->rank));
}

/* A floor cannot be undone; but what default says does not count if a higher layer spoke. */
static bool is_final(const struct walk *w, unsigned layer, enum policy_function f)
{
	return layer != LAYER_DEFAULT || (w->o->unsure & BIT(f)) == 0;
}

static void count_ballot(
    struct walk *w, unsigned layer, enum policy_function f, const struct ballot *b)
{
	struct choice *stands = &w->o->choice[f];

	if (f == FUNCTION_REFUSE && b->final.live != NULL && b->final.rank > 0 &&
	    (b->unknown == NULL || b->least > 0) && is_final(w, layer, f))
		w->o->surely_refused = true;
	if (b->unknown != NULL && unknown_matters(w, f, b))
		note_unknown(w, f, b->unknown, b->answer);
	if (b->final.live != NULL &&
	    (stands->live == NULL || (function_has_scale(f) && b->final.rank > stands->rank)))
		*stands = b->final;
}

void find_outcome(struct judging *j, size_t rcpt, bool shadows, struct outcome *o)
{
	struct walk w = {.j = j, .rcpt = rcpt, .shadows = shadows, .o = o};

	*o = (struct outcome){.unsure = 0};
	for (unsigned layer = 0; layer < LAYER_COUNT; layer++) {
		if (j->layer[layer] == j->layer[layer + 1])
			continue;
		w.open = SINGLE_FUNCTIONS;
		memset(w.ballot, 0, sizeof w.ballot);
		/* Speaks where nobody did. */
		for (unsigned f = 0; layer == LAYER_DEFAULT && f < FUNCTION_ADDITIVE; f++) {
			if (o->choice[f].live != NULL)
				w.open &= ~BIT(f);
		}
		hear_layer(&w, layer);
		for (unsigned f = 0; f < FUNCTION_ADDITIVE; f++)
			count_ballot(&w, layer, f, &w.ballot[f]);
	}
}
