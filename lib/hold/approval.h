/*
 * An `approve` step of a plan and the votes about it, as one state; who may vote, and who is to be asked.
 * Pure: asks the leg, the organisation and a given time, and nothing else.
 *
 *   approve by=WHO [then=WHO]… [notice=W] [rule=WHERE]
 *   WHO: boss:ADDRESS[,ADDRESS…] | address:ADDRESS | any:GROUP | N:GROUP      xtext
 *
 * xtext keeps the comma: between bosses it is one outside of a quoted local part (RFC 5321 section 4.1.2).
 *
 * A vote counts if it names the plan's digest and the first 16 hex digits of the leg's sha256, is about
 * the stage that was being asked, and is the first of that person in this step, all its stages together: for
 * himself, as a deputy, or by a deputy. Later restores begin anew: votes before the last `restored` do not
 * count.
 */
#ifndef SEKISHO_HOLD_APPROVAL_H
#define SEKISHO_HOLD_APPROVAL_H

#include "lib/org/org.h"
#include "queue/leg.h"

#define APPROVAL_STAGES_MAX 16
#define APPROVAL_VOTES_MAX  256

enum approver_kind { APPROVE_BOSS, APPROVE_ADDRESS, APPROVE_GROUP };

struct approval_stage {
	enum approver_kind kind;
	unsigned need; /* different people; 1 but for N:GROUP */
	unsigned yes;  /* so far */
	const char
	    *who; /* decoded, NUL-ended: addresses parted by ',', or the group; to be shown */
};

enum vote_say { VOTE_YES, VOTE_NO, VOTE_RETURN };

struct approval_vote {
	size_t stage; /* from 0 */
	enum vote_say say;
	int64_t time;
	char by[ORG_ADDRESS_MAX];
	char for_whom[ORG_ADDRESS_MAX]; /* ""; a deputy's vote: whose */
};

struct approval {
	size_t stages;
	size_t at;     /* the stage that is being asked, from 0; == stages: all have approved */
	int64_t since; /* microseconds: since when it is being asked */
	bool refused;  /* somebody has said no, or return: it goes to trash/ */
	struct approval_stage stage[APPROVAL_STAGES_MAX];
	size_t votes;
	struct approval_vote *vote;
	struct buf texts;
};

enum approval_read {
	APPROVAL_READ,
	APPROVAL_ODD, /* a form that this version does not know: the leg stops */
	APPROVAL_NO_MEMORY,
};

/* Free with approval_free after APPROVAL_READ. */
NODISCARD enum approval_read approval_read(
    const struct leg *leg, const struct plan_step *step, struct approval *approval);
void approval_free(struct approval *approval);

struct absences; /* lib/hold/absences.h */

/* What decides about rights beside the leg. */
struct approval_place {
	const struct org *org; /* NULL: nobody has a right */
	const struct absences *absences;
	int64_t now; /* microseconds */
	bool
	    escalated; /* the stage has waited so long that deputies and the boss's boss may vote, too */
};

enum approval_right {
	RIGHT_NONE,   /* nobody who is asked */
	RIGHT_OWN,    /* he is asked himself */
	RIGHT_DEPUTY, /* for somebody who is absent, or after the escalation */
	RIGHT_VOTED,  /* he has voted in this step: a person counts once */
	RIGHT_AUTHOR, /* he may have written it: nobody approves his own mail */
};

/* `address` in normal form; `for_whom` is filled for RIGHT_DEPUTY. */
enum approval_right approval_right(const struct approval_place *place, const struct leg *leg,
    const struct approval *approval, const char *address, char for_whom[ORG_ADDRESS_MAX]);

/* Each person, once, who can vote now, in normal form: at most APPROVAL_ASKED_MAX are told. */
#define APPROVAL_ASKED_MAX 100
typedef bool approval_see(void *context, const char *address, enum approval_right right);
void approval_each_asked(const struct approval_place *place, const struct leg *leg,
    const struct approval *approval, approval_see *see, void *context);

/* Whether so many different people can ever vote, with everybody's deputies, as the stage that is being asked
 * still needs. */
NODISCARD bool approval_possible(
    const struct approval_place *place, const struct leg *leg, const struct approval *approval);

/* The length of the first of several addresses parted by ','; that of a quoted local part parts none. */
size_t approval_address_len(const char *addresses);

/* Adds "by=A,B" of everybody who approved, xtext: for a closing record. */
void approval_write_by(const struct approval *approval, struct buf *out);

#endif
