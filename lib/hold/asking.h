/* Who asks at the people's door, and the legs that he asks about. Internal to the door's files. */
#ifndef SEKISHO_HOLD_ASKING_H
#define SEKISHO_HOLD_ASKING_H

#include "lib/gate/protocol.h"
#include "lib/hold/act.h"
#include "lib/hold/approval.h"
#include "lib/hold/clock.h"
#include "lib/hold/inside.h"
#include "lib/hold/notices.h"

#define ASKING_LEGS_MAX ((size_t)500) /* of one message and its copies: that one request is about */

/* ---- legs --------------------------------------------------------------------------------- */

struct leg_place {
	enum spool_state state;
	struct leg_name name;
};

struct leg_places {
	struct leg_place *place; /* the message's own first, then copies of it */
	size_t n;
	bool more; /* there are more than ASKING_LEGS_MAX */
};

/*
 * Where the legs of a message stand, and those of the other copies in its group: by the index, or, for
 * what has not been looked at since the start, by the stage's timetables. False: no memory.
 */
NODISCARD bool places_of(struct hold *h, const char *id, struct leg_places *places);
void places_free(struct leg_places *places);

/* A leg that was opened for somebody. */
struct asked_leg {
	enum spool_state state;
	struct stage_opened o; /* with its law: the step is NULL if there is none to be acted on */
	const struct plan_step *approve; /* of its plan; NULL: there is none */
	bool approving;                  /* `approval` was read */
	struct approval approval;
	bool open; /* its open step is seki-hold's: `step` and `times` are filled */
	struct hold_plan_step step;
	struct hold_times times;
	struct about about;
};

/*
 * Opens a leg, without moving it; `place` becomes where it stands now. STAGE_OPEN_ACT: it is closed by
 * asked_leg_close. STAGE_OPEN_GONE: it is not there, and the index has forgotten it. STAGE_OPEN_AGAIN: it
 * cannot be read just now.
 */
NODISCARD enum stage_open asked_leg_open(
    struct hold *h, struct leg_place *place, struct asked_leg *leg);

/* The same in sent/, by its id: legs that were not divided, or once. */
NODISCARD bool asked_leg_sent(struct hold *h, const char *id, struct asked_leg *leg);
void asked_leg_close(struct asked_leg *leg);

/* ---- people ------------------------------------------------------------------------------- */

struct asker {
	struct hold *h;
	bool session;
	struct gate_capability cap; /* of who has no session */
	char address
	    [ORG_ADDRESS_MAX]; /* in normal form; "" until a leg has told whose capability it is */
	const char *via;       /* for records: "web", or "link" */
};

/* What somebody is to a leg. */
struct asker_role {
	bool sender;
	bool approver;             /* he is asked, was asked, or will be */
	enum approval_right right; /* now */
	char for_whom[ORG_ADDRESS_MAX];
};

/*
 * What the asker is to the leg, as things stand now. For a capability this finds out who he is. False: he is
 * nothing to it, or the organisation is not known just now.
 */
NODISCARD bool asker_role(
    struct asker *asker, const struct asked_leg *leg, struct asker_role *role);

/* Whether the capability is of another life of the message: it was brought back from trash/ since. */
bool asker_outdated(const struct asker *asker, const struct asked_leg *leg);

/* Whether a capability (and any session) gives this GATE_ right. */
bool asker_may(const struct asker *asker, unsigned right);

/* Pseudonyms of all who have to do with the leg, at most `most`; how many. */
size_t asker_each_who(
    struct hold *h, const struct asked_leg *leg, unsigned char (*who)[GATE_WHO_LEN], size_t most);

int64_t asking_now(const struct hold *h);

/* With what the rights of an approval are decided. */
struct approval_place asking_place(const struct hold *h, const struct asked_leg *leg);

/*
 * Whether his credential is one for that act: a sender's, or an approver's. Who is asked to approve it may
 * throw it away, and take a recipient out, too; `role`: what he is to the leg, NULL if that is not looked at.
 */
bool asking_word_allowed(
    const struct asker *asker, enum act_word word, const struct asker_role *role);

/* Fills who orders what leg: the rest of the order is as it was. */
void asking_order(const struct asker *asker, enum spool_state state, const struct leg_name *name,
    struct act *act);

#endif
