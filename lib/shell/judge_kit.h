/*
 * Judging messages without sending them: a set of rules, and an inspector that is started when a
 * rule first asks for what is in a message. For seki test, try, replay and the rule tests.
 */
#ifndef SEKISHO_SHELL_JUDGE_KIT_H
#define SEKISHO_SHELL_JUDGE_KIT_H

#include "lib/base/source.h"
#include "lib/policy/policy.h"
#include "lib/shell/envelope.h"
#include "lib/shell/out.h"
#include "lib/shell/verdict.h"

struct judge_kit;

/*
 * Both are borrowed. `offline`: seki-db is not asked. Works in the instance's directory, the current
 * one. NULL: no memory.
 */
NODISCARD struct judge_kit *judge_kit_new(
    const struct settings *settings, const struct policy *policy, bool offline);
void judge_kit_free(struct judge_kit *kit);

/* One message. */
struct judge_case {
	const struct leg *leg;
	const struct source *content; /* NULL: it is gone */
	int64_t since;                /* judged as of then, microseconds */
	const struct past *past;      /* what has happened before; NULL: seki-db is asked */
	bool
	    registered; /* with `past`: its sender is enrolled, even without a line in etc/people */
};

enum judged_how {
	JUDGED,
	JUDGED_UNKNOWN, /* a rule asks for the content, and it is gone */
	JUDGED_FAILED,  /* complained about */
};

/* What came of it. Free with judged_free, whatever was returned. */
struct judged {
	struct policy_judgement judgement;
	bool inspected;
	bool cut;          /* not all facts were told: something could not be inspected */
	bool past_asked;   /* a rule asked what has happened before, */
	bool past_unknown; /* and nobody could say */
	struct past *past; /* seki-db's answer; NULL: there is none */
};

NODISCARD enum judged_how judge_message(
    struct judge_kit *kit, const struct judge_case *c, struct judged *judged);
void judged_free(struct judged *judged);

/* ---- what was decided ---- */

/* Whether the decision is about that recipient. */
NODISCARD bool judged_concerns(const struct policy_decision *decision, size_t rcpt);

/* "external". */
const char *judge_kit_class(const struct judge_kit *kit, const char *address);

/*
 * Prints, for each recipient, class, every function's outcome, rule and evidence. `key` and `value`: which
 * message, for JSON ("path" and its path). False: no memory.
 */
NODISCARD bool judged_print(struct out *o, const struct judge_kit *kit, const struct leg *leg,
    const struct judged *judged, const char *key, const char *value);

/* Adds what becomes of a recipient: "refused: …", or what his plan comes to (fate.h). */
void judged_fate(struct buf *fate, const struct judged *judged, size_t rcpt);

/* A decision as it is printed. */
struct verdict_line judged_line(const struct policy_decision *decision);

/* The plan of a recipient's group, " …\n"; "" if there is none. */
const char *judged_plan(const struct judged *judged, size_t rcpt, size_t *len);

/* ---- whom a message names ---- */

/*
 * Adds the addresses of its From to `from`, those of To, Cc and Bcc to `to`. False after a complaint:
 * it could not be read.
 */
NODISCARD bool judge_kit_addresses(struct judge_kit *kit, const struct source *content,
    struct addresses *from, struct addresses *to);

#endif
