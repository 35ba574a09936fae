/*
 * Judging. For now the plan is fixed by the settings plan-states, plan-hold, plan-stagger and
 * plan-divide; the rule language takes this place. Mail whose client line says hold=WORD waits for
 * an operator before all that, in one step; so does mail with a virus, mail that could not be
 * inspected and mail that has two readings, if plan-facts asks for it. The gateway's own mail
 * (queue/intake.h) is not judged at all: it is one leg with the plan "deliver".
 */
#ifndef SEKISHO_POLICY_H
#define SEKISHO_POLICY_H

#include "lib/base/buf.h"
#include "lib/base/settings.h"
#include "queue/leg.h"

#define POLICY_REASON ((size_t)64) /* a word of sekisho-facts(5), xtext, with its NUL */

/* What seki-inspect found out; of several reasons the first, "" if there is none. */
struct policy_facts {
	bool known;                    /* it was asked */
	bool virus;                    /* clamd found one */
	bool uninspectable;            /* something in the message could not be looked into */
	bool ambiguous;                /* another mail program would read another message */
	char reason[POLICY_REASON];    /* why it is uninspectable */
	char ambiguity[POLICY_REASON]; /* why it is ambiguous */
};

/* A group of recipients with one plan: these become one leg. */
struct policy_group {
	size_t *rcpt; /* indices into leg->rcpt; owned by the judgement */
	size_t rcpts;
	struct buf plan; /* the plan's lines */
};

struct policy_judgement {
	struct policy_group *group;
	size_t groups;   /* at least 1 */
	size_t *indices; /* the storage behind all groups */
};

/*
 * Judges every recipient of a leg as of `since`: its accepted time, or the time that is believed
 * where the clock that stamped it was suspect. False: no memory. Free with
 * policy_judgement_free.
 */
NODISCARD bool policy_judge(const struct settings *settings, const struct leg *leg,
    const struct policy_facts *facts, int64_t since, struct policy_judgement *judgement);
void policy_judgement_free(struct policy_judgement *judgement);

#endif
