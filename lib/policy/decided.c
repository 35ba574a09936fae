/* Who decided what, and why: for people, and as records of the legs. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/xtext.h"
#include "lib/policy/inside.h"

/* While they are collected; the judgement's decision is made of it. */
struct entry {
	struct policy_decision decision;
	struct live *live;
	struct entry *next;   /* in the order of the first recipient */
	struct entry *hashed; /* in the same slot */
};

struct collecting {
	struct judging *j;
	struct entry **slot;
	size_t slots;
	struct entry *first, **end;
	size_t n;
};

/* ---- one decision ------------------------------------------------------------------------- */

static const char *behind(const char *text, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(text, word, len) != 0 || text[len] != ' ')
		return text;
	return text + len + 1;
}

/* As the rule has it, without the function's word. */
static const char *outcome_of(const struct rule_action *action)
{
	const char *written = action->written != NULL ? action->written : "";

	switch (action->function) {
	case FUNCTION_REFUSE:
		return action->yes && action->text != NULL ? action->text : "no";
	case FUNCTION_FILES:
		return written;
	case FUNCTION_ADD_BCC:
		return behind(behind(written, "add"), "bcc");
	case FUNCTION_FORWARD:
		return behind(behind(written, "forward"), "refused");
	case FUNCTION_BOUNCE:
	case FUNCTION_APPROVE:
	case FUNCTION_HOLD:
	case FUNCTION_PASSWORD:
	case FUNCTION_BCC:
	case FUNCTION_STAGGER:
	case FUNCTION_TLS:
	case FUNCTION_NOTICE:
	case FUNCTION_SIGN:
	case FUNCTION_ROUTE:
	case FUNCTION_INSERT:
	case FUNCTION_COPY:
	case FUNCTION_ARCHIVE:
	case FUNCTION_COUNT:
		break;
	}
	return behind(written, policy_function_word(action->function));
}

static uint64_t mix(uint64_t hash, const char *text)
{
	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return hash;
}

static bool is_same(const struct entry *e, const struct policy_decision *d, const struct live *live)
{
	return e->live == live && e->decision.function == d->function &&
	       e->decision.shadow == d->shadow && strcmp(e->decision.outcome, d->outcome) == 0 &&
	       strcmp(e->decision.evidence, d->evidence) == 0;
}

static struct entry *new_entry(
    struct collecting *c, const struct policy_decision *d, struct live *live)
{
	struct entry *e = judge_take(c->j, 1, sizeof *e);

	if (e == NULL)
		return NULL;
	e->decision = *d;
	e->live = live;
	*c->end = e;
	c->end = &e->next;
	c->n++;
	return e;
}

static void add_rcpt(struct judging *j, struct policy_decision *d, size_t rcpt)
{
	/* The same action of two rules' rows, or of two layers, is said once. */
	if (d->rcpts > 0 && d->rcpt[d->rcpts - 1] == rcpt)
		return;
	if ((d->rcpts & (d->rcpts - 1)) == 0) {
		size_t *more = judge_take(j, d->rcpts == 0 ? 1 : 2 * d->rcpts, sizeof *more);

		if (more == NULL)
			return;
		if (d->rcpts > 0)
			memcpy(more, d->rcpt, d->rcpts * sizeof *more);
		d->rcpt = more;
	}
	d->rcpt[d->rcpts++] = rcpt;
}

static void decide(struct collecting *c, struct live *live, const struct rule_action *action,
    size_t rcpt, bool shadow)
{
	struct judging *j = c->j;
	struct policy_decision d = {.function = action->function,
	    .layer = live->rule->layer,
	    .shadow = shadow,
	    .watched = j->watch && !shadow,
	    .outcome = outcome_of(action),
	    .where = live_where(j, live),
	    .rule = live->rule->name,
	    .evidence = evidence_of(j, live, rcpt)};
	uint64_t hash = (uint64_t)(uintptr_t)live / sizeof *live + (uint64_t)d.function;
	struct entry *e, **slot;

	if (j->failed)
		return;
	hash = mix(mix(hash, d.outcome), d.evidence) + shadow;
	slot = &c->slot[(hash ^ hash >> 32) & (c->slots - 1)];
	for (e = *slot; e != NULL && !is_same(e, &d, live);)
		e = e->hashed;
	if (e == NULL) {
		e = new_entry(c, &d, live);
		if (e == NULL)
			return;
		e->hashed = *slot;
		*slot = e;
	}
	add_rcpt(j, &e->decision, rcpt);
}

/* ---- all of them -------------------------------------------------------------------------- */

/*
 * Whether it has come to it: who is told of a refusal is nobody's concern without one, and of mail that
 * nobody gets nothing else is. A refusal that an unknown rule may yet undo is none.
 */
static bool is_carried(const struct judging *j, const struct rule_action *action)
{
	bool of_refusal =
	    action->function == FUNCTION_BOUNCE || action->function == FUNCTION_FORWARD;
	bool refuses = action->function == FUNCTION_REFUSE;

	if (j->refused)
		return j->watch || of_refusal || refuses;
	return !of_refusal && !(refuses && action->yes);
}

static void decide_outcome(struct collecting *c, const struct outcome *o, size_t rcpt, bool shadow)
{
	for (unsigned f = 0; f < FUNCTION_ADDITIVE; f++) {
		struct live *live = o->choice[f].live;

		if (live != NULL && live->rule->shadow == shadow &&
		    (shadow || is_carried(c->j, o->choice[f].action)))
			decide(c, live, o->choice[f].action, rcpt, shadow);
	}
	for (const struct addition *a = o->additions; a != NULL; a = a->next) {
		if (a->live->rule->shadow == shadow && (shadow || is_carried(c->j, a->action)))
			decide(c, a->live, a->action, rcpt, shadow);
	}
}

static void decide_shadows(struct collecting *c, size_t rcpt)
{
	struct outcome o;

	if (!c->j->outcome[rcpt].shadows)
		return;
	find_outcome(c->j, rcpt, true, &o);
	decide_outcome(c, &o, rcpt, true);
}

void make_decisions(struct judging *j)
{
	struct collecting c = {.j = j, .slots = 64, .end = &c.first};
	size_t n = j->c->leg->rcpts, i = 0;

	while (c.slots < n)
		c.slots *= 2;
	c.slot = judge_take(j, c.slots, sizeof(struct entry *));
	if (c.slot == NULL)
		return;
	for (size_t r = 0; r < n && !j->failed; r++)
		decide_outcome(&c, &j->outcome[r], r, false);
	for (size_t r = 0; r < n && !j->failed; r++)
		decide_shadows(&c, r);

	j->out->decision = judge_take(j, c.n, sizeof *j->out->decision);
	if (j->failed)
		return;
	for (const struct entry *e = c.first; e != NULL; e = e->next)
		j->out->decision[i++] = e->decision;
	j->out->decisions = c.n;
}

/* ---- records ------------------------------------------------------------------------------ */

static int by_group(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

void add_members(struct buf *line, const struct member *m, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t last = i;

		while (last + 1 < n && m[last + 1].number == m[last].number + 1)
			last++;
		buf_addf(line, i == 0 ? " rcpt=%zu" : ",%zu", m[i].number);
		if (last > i)
			buf_addf(line, "-%zu", m[last].number);
		i = last + 1;
	}
}

static void add_record(
    struct policy_group *g, const struct policy_decision *d, const struct member *m, size_t n)
{
	struct buf *line = &g->records;

	buf_addf(line, "decided function=%s outcome=", policy_function_word(d->function));
	buf_add_xtext(line, d->outcome, strlen(d->outcome));
	buf_addf(line, " rule=%s name=", d->where);
	buf_add_xtext(line, d->rule, strlen(d->rule));
	if (n < g->rcpts)
		add_members(line, m, n);
	if (d->evidence[0] != '\0') {
		buf_add_text(line, " evidence=");
		buf_add_xtext(line, d->evidence, strlen(d->evidence));
	}
	if (d->shadow)
		buf_add_text(line, " shadow=yes");
	else if (d->watched)
		buf_add_text(line, " watch=yes");
	buf_add_text(line, "\n");
}

static void add_decision(struct judging *j, const struct policy_decision *d,
    const struct member *member, struct member *scratch)
{
	for (size_t i = 0; i < d->rcpts; i++)
		scratch[i] = member[d->rcpt[i]];
	qsort(scratch, d->rcpts, sizeof *scratch, by_group);
	for (size_t i = 0, n; i < d->rcpts; i += n) {
		for (n = 1; i + n < d->rcpts && scratch[i + n].group == scratch[i].group;)
			n++;
		add_record(&j->out->group[scratch[i].group], d, &scratch[i], n);
	}
}

void make_records(struct judging *j)
{
	struct policy_judgement *out = j->out;
	struct member *member = judge_take(j, j->c->leg->rcpts, sizeof *member);
	struct member *scratch = judge_take(j, j->c->leg->rcpts, sizeof *scratch);

	if (member == NULL || scratch == NULL)
		return;
	for (size_t g = 0; g < out->groups; g++) {
		struct policy_group *group = &out->group[g];

		buf_addf(&group->records, "judged rules=%s org=%s%s\n", j->policy->rules_digest,
		    j->policy->org_digest, j->watch ? " watch=yes" : "");
		for (size_t i = 0; i < group->rcpts; i++)
			member[group->rcpt[i]] = (struct member){g, i + 1};
	}
	for (size_t i = 0; i < out->decisions; i++)
		add_decision(j, &out->decision[i], member, scratch);
	for (size_t g = 0; g < out->groups; g++)
		j->failed = j->failed || !buf_ok(&out->group[g].records);
}
