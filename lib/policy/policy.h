/*
 * Judging: what becomes of a message for each of its recipients, by the rules in force, and why.
 *
 * Without any rule the plan is fixed by the settings plan-states, plan-hold, plan-stagger and
 * plan-divide (tests and trials). Before all rules mail whose client line says hold=WORD waits for an
 * operator in one step; so does mail with a virus, mail that could not be inspected and mail that
 * has two readings, if plan-facts asks for it, and mail about which a rule asks what nobody could
 * find out. The gateway's own mail (queue/intake.h) is not judged: it is one leg with the plan
 * "deliver".
 */
#ifndef SEKISHO_POLICY_POLICY_H
#define SEKISHO_POLICY_POLICY_H

#include "lib/base/buf.h"
#include "lib/base/settings.h"
#include "lib/past/past.h"
#include "lib/policy/facts.h"
#include "lib/policy/set.h"
#include "queue/leg.h"

/* A group of recipients with one plan: these become one leg. */
struct policy_group {
	size_t *rcpt; /* indices into leg->rcpt, ascending; owned by the judgement */
	size_t rcpts;
	struct buf plan; /* the plan's lines */
	struct buf
	    records; /* "judged …", "decided …": lines without time, for queue/README.md section 1;
	                       recipients in them are numbered within the group */
};

/* One decision, of some recipients. Texts belong to the judgement. */
struct policy_decision {
	enum policy_function function;
	enum policy_layer layer;
	bool shadow;  /* the rule is a shadow: it would have been so */
	bool watched; /* watch-only: it would have been so */
	const char
	    *outcome; /* "60m", "by boss", "zip", as the rule has it, without the function's word */
	const char *where; /* "must/50-external:12" */
	const char *rule;  /* its name */
	const char
	    *evidence; /* masked, of the conditions that held; "" if there is nothing to tell */
	size_t *rcpt;  /* indices into leg->rcpt */
	size_t rcpts;
};

/* What becomes of a message that is refused: nobody gets it. */
struct policy_refusal {
	bool refused;
	const char *why;   /* as the rule has it; several rules: the first recipient's */
	const char *where; /* "must/20-temps:3" */
	const char *rule;  /* its name; "" if no rule did it */
	bool tell_sender;
	const char **forward; /* addresses, normal form */
	size_t forwards;
};

enum policy_verdict {
	POLICY_JUDGED,
	POLICY_NEEDS_FACTS, /* judge again with facts */
	POLICY_NEEDS_PAST,  /* judge again with the past */
	POLICY_NEEDS_BODY,  /* judge again with the digest of the body */
	POLICY_FAILED,      /* no memory */
};

struct policy_judgement {
	struct policy_group *group;
	size_t groups; /* at least 1; if it is refused, 1 with all recipients and an empty plan */
	struct policy_decision
	    *decision; /* by recipient, then function; shadows behind all others */
	size_t decisions;
	struct policy_refusal refusal;
	size_t *indices;     /* the storage behind all groups */
	struct arena *arena; /* and behind all texts */
};

/*
 * What may be asked for the sender's checks and the group alone, of mail that waits anyway. No decision
 * hangs on it; what may not be asked is told as unknown.
 */
#define POLICY_CHECK_FACTS 1u
#define POLICY_CHECK_PAST  2u
#define POLICY_CHECK_BODY  4u
#define POLICY_CHECK_ALL   7u

/* What is judged. */
struct policy_case {
	const struct settings *settings;
	const struct policy *policy; /* NULL: no rules */
	const struct leg *leg;
	const struct facts *facts; /* NULL: it was not inspected yet */
	const struct past *past;   /* NULL: not asked yet */
	uint64_t added; /* bytes of it that the gateway put on top: sizes are as it came */
	int64_t since;  /* judged as of this time, microseconds: its acceptance, or the time that is
	                    believed where the clock that stamped it was suspect */
	bool unregistered;  /* its sender is in no etc/people, and not enrolled */
	unsigned checks;    /* POLICY_CHECK_* */
	bool past_nameless; /* the past was asked for before the display names were known */
	const char *body;   /* SHA-256 of what copies have in common, hex; NULL: not known */
};

/* Free with policy_judgement_free, whatever the verdict. */
NODISCARD enum policy_verdict policy_judge(
    const struct policy_case *c, struct policy_judgement *judgement);
void policy_judgement_free(struct policy_judgement *judgement);

/* What seki-db is to be asked for a case that needs the past: filled from the leg and, if they are
 * there, the facts (display names). Free with past_question_free. False: no memory. */
NODISCARD bool policy_past_question(const struct policy_case *c, struct past_question *question);

/*
 * Whether what was found out about a message for one set answers the questions of the other: both ask the same of
 * seki-inspect and of seki-db. False also without memory.
 */
NODISCARD bool policy_asks_same(const struct policy *a, const struct policy *b);

/* "refuse", "notice" …: whether this version carries the action out; such that do not make mail wait. */
NODISCARD bool policy_can(const struct rule_action *action);

#endif
