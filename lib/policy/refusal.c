/* A message that nobody gets. */
#include <string.h>

#include "lib/policy/inside.h"

#define UNKNOWN_WHERE "settings:unknown-senders"
#define UNKNOWN_WHY   "送信者が登録されていません。 (The sender is not registered.)"

static const struct choice *refused_by(const struct judging *j, size_t rcpt)
{
	const struct choice *c = &j->outcome[rcpt].choice[FUNCTION_REFUSE];

	return c->live != NULL && c->action->yes ? c : NULL;
}

/* For whom an unknown rule may yet decide otherwise, it is not refused for sure. */
void find_refusal(struct judging *j)
{
	for (size_t i = 0; i < j->c->leg->rcpts && !j->refused; i++)
		j->refused = j->outcome[i].surely_refused && refused_by(j, i) != NULL;
}

/* What any recipient gets, all get: of several the one of the higher layer. */
static const struct choice *bounce_of_all(const struct judging *j)
{
	const struct choice *best = NULL;

	for (size_t i = 0; i < j->c->leg->rcpts; i++) {
		const struct choice *c = &j->outcome[i].choice[FUNCTION_BOUNCE];

		if (c->live != NULL &&
		    (best == NULL || c->live->rule->layer < best->live->rule->layer))
			best = c;
	}
	return best;
}

static void add_forward(struct judging *j, size_t room, const char *address)
{
	struct policy_refusal *r = &j->out->refusal;

	for (size_t i = 0; i < r->forwards; i++) {
		if (strcmp(r->forward[i], address) == 0)
			return;
	}
	if (r->forwards < room)
		r->forward[r->forwards++] = address;
}

/* Whom rules name: the parser takes addresses alone. */
static void add_forwards(struct judging *j)
{
	size_t room = 0;

	for (size_t i = j->layer[0]; i < j->lives; i++)
		room += j->live[i].rule->actions;
	j->out->refusal.forward = judge_take(j, room + 1, sizeof *j->out->refusal.forward);
	if (j->out->refusal.forward == NULL)
		return;
	for (size_t i = 0; i < j->c->leg->rcpts; i++) {
		for (const struct addition *a = j->outcome[i].additions; a != NULL; a = a->next) {
			if (a->action->function != FUNCTION_FORWARD)
				continue;
			add_forward(j, room, a->action->who.text);
		}
	}
}

void make_refusal(struct judging *j)
{
	struct policy_refusal *r = &j->out->refusal;
	const struct choice *bounce = bounce_of_all(j);

	for (size_t i = 0; i < j->c->leg->rcpts && !r->refused; i++) {
		const struct choice *c = refused_by(j, i);

		if (c == NULL)
			continue;
		*r = (struct policy_refusal){.refused = true,
		    .why = c->action->text != NULL ? c->action->text : "",
		    .where = live_where(j, c->live),
		    .rule = c->live->rule->name};
	}
	r->tell_sender = bounce == NULL || bounce->action->yes;
	add_forwards(j);
}

void refuse_unknown(struct judging *j)
{
	struct policy_decision *d = judge_take(j, 1, sizeof *d);
	struct policy_group *g;

	make_one_group(j);
	if (d == NULL || j->failed)
		return;
	g = &j->out->group[0];
	*d = (struct policy_decision){.function = FUNCTION_REFUSE,
	    .layer = LAYER_MUST,
	    .outcome = UNKNOWN_WHY,
	    .where = UNKNOWN_WHERE,
	    .rule = "unknown-senders",
	    .evidence = "",
	    .rcpt = g->rcpt,
	    .rcpts = g->rcpts};
	j->out->decision = d;
	j->out->decisions = 1;
	j->out->refusal = (struct policy_refusal){.refused = true,
	    .why = UNKNOWN_WHY,
	    .where = UNKNOWN_WHERE,
	    .rule = "",
	    .tell_sender = true};
	if (j->policy != NULL)
		make_records(j);
}
