/*
 * Who is to be told what about a leg in approve/, hold/ or trash/: a function of what the leg says, of
 * its times and of the settings. What is owed is done by a job (tell.c) and then written into the leg:
 *
 *     TIME noticed what=WORD [step=N] to=XTEXT notice=ID | none reason=WORD
 *
 * A leg owes nothing that such a record names; those before its last `restored` count no more, and of
 * drafts and results those before its last `discarded`.
 */
#ifndef SEKISHO_HOLD_NOTICES_H
#define SEKISHO_HOLD_NOTICES_H

#include "lib/gate/gate.h"
#include "lib/hold/absences.h"
#include "lib/hold/clock.h"
#include "lib/notice/notice.h"
#include "lib/org/org.h"
#include "queue/stage.h"

#define WINDOW_SHOWN ((size_t)1024) /* bytes of a forbidden time of day that are told */
#define NOTICES_MAX  256            /* owed at once by one leg; the rest is owed behind them */

/* With what it is judged who is told; made by the main loop, and only read while jobs have it. */
struct hold_view {
	struct settings settings;
	struct org *org; /* NULL: nobody is known, and nobody told */
	struct gate_key key;
	bool keyed;    /* `key` is one */
	unsigned refs; /* main loop alone */
};

/* What is told: the word of its record. */
enum notice_what {
	TELL_HOLD,    /* to the sender: it waits */
	TELL_REQUEST, /* to who can approve it */
	TELL_WARNING, /* it will be thrown away, or its approval expires */
	TELL_DRAFT,   /* to the sender: he has it back */
	TELL_RESULT,  /* to who was asked: it has been decided */
	TELL_WHATS,
};

const char *notice_what_name(enum notice_what what);

struct notice_owed {
	enum notice_what what;
	size_t step; /* number of the stage of an approval, from 1; 0: none */
	bool asked;  /* he is told as somebody who can approve, and not as the sender */
	bool english;
	const char *none; /* nothing is made, and this is the reason; NULL */
	char to[ORG_ADDRESS_MAX];
};

struct notices {
	struct notice_owed *owed; /* NOTICES_MAX at most */
	size_t n;
	bool more;    /* there are more than that */
	int64_t next; /* when to look again, microseconds; 0: not by itself */

	/* For what is told. */
	enum step_form form; /* STEP_NO in trash/ */
	struct hold_times times;
	int64_t ends;   /* when it leaves by itself; 0: it does not */
	int64_t since;  /* since when it is owed, for the pace of trying again */
	size_t stage;   /* of an approval, from 1 */
	uint64_t group; /* of copies of one message; 0: none */
	bool digest;    /* the sender is told by the digest */
	bool must_act;  /* only the sender ends it */
	bool silent;    /* its rule has the sender told nothing, not even warned */
};

enum notices_read { NOTICES_READ, NOTICES_NO_MEMORY };

/*
 * Fills `notices`: what `opened`, which stands in `state` and whose law is known (LAW_ACT), owes at the
 * time `now`. `frozen`: the clock is suspect, and nobody is warned. After NOTICES_READ: notices_free.
 */
NODISCARD enum notices_read notices_of(const struct hold_view *view,
    const struct absences *absences, enum spool_state state, const struct stage_opened *opened,
    int64_t now, bool frozen, struct notices *notices);
void notices_free(struct notices *notices);

/*
 * Each for whom the leg waits: who can approve it, and its sender if only he ends it, or if he is told by
 * the digest. `since`: when he was last told of it, microseconds; 0: never, and he is to be. Whoever is
 * still owed a notice of his own is left out. False: no memory.
 */
typedef bool waiting_see(void *context, const char *address, bool asked, int64_t since);
NODISCARD bool notices_waiting(const struct hold_view *view, const struct absences *absences,
    const struct stage_opened *opened, int64_t now, waiting_see *see, void *context);

/* Whether time ends it now, so that it owes nothing more. What has expired and waits on still waits. */
NODISCARD bool notices_over(
    const struct hold_view *view, const struct notices *notices, int64_t now);

/* When nobody acts: the time at which it would leave, behind all its open steps that wait for time, microseconds;
 * 0: it does not by itself, or at once. */
NODISCARD int64_t notices_leaves(
    const struct hold_view *view, const struct stage_opened *opened, int64_t now);

/* Whether somebody may be told of mail of this leg: its sender is not null, and it is not the gateway's own. */
NODISCARD bool notices_of_people(const struct leg *leg);

/* Whether notices go there: `address` (normal form) is a person's, or of an own domain. */
NODISCARD bool notices_to(const struct hold_view *view, const char *address);

/* Whether he reads English. */
NODISCARD bool notices_english(const struct hold_view *view, const char *address);

/* Whom notices to the sender go to: the person whose reverse-path it is, or the shared mailbox that it is.
 * False: nobody. */
NODISCARD bool notices_sender(
    const struct hold_view *view, const struct leg *leg, char address[ORG_ADDRESS_MAX]);

/* ---- about.c: what the leg says of itself ---- */

struct about {
	char subject[256]; /* "" if it is not known */
	uint64_t group;    /* 0: none */
};

void about_read(const struct leg *leg, struct about *about);

/* A link for `address` to the page of the message, "" if there is none: web-url, and a capability. */
#define NOTICE_URL_MAX (SETTING_TEXT_MAX + 80)
void notice_url(const struct hold_view *view, const struct leg *leg, const char *address,
    unsigned rights, int64_t now, char url[NOTICE_URL_MAX]);

/* ---- letters.c: the words ---- */

/* One notice, and its variables. */
struct letter {
	struct notice_gate gate;
	char to[ORG_ADDRESS_MAX];
	struct notice_var *var;
	char **text; /* the values */
	size_t room;
	bool failed; /* no memory */
};

/* Fills it for one owed notice. False: no memory. Free with letter_free in any case. */
NODISCARD bool letter_of(const struct hold_view *view, const struct absences *absences,
    const struct stage_opened *opened, const struct notices *notices,
    const struct notice_owed *owed, int64_t now, struct letter *letter);

/* For other texts: begins an empty one; adds a value, copied. */
void letter_begin(struct letter *letter, const char *template, const char *to, bool english);
void letter_add(struct letter *letter, const char *name, const char *value);
void letter_free(struct letter *letter);

/* Asks seki-notice; `leg` as for notice_ask_gate. */
void letter_ask(struct letter *letter, int leg, int timeout_ms, struct notice_answer *answer);

/* ---- copies.c: copies of one message, of which one is told ---- */

struct copies;

enum copies_answer {
	COPIES_FIRST, /* tell: copies_done or copies_failed follows */
	COPIES_COPY,  /* it was told of another copy */
	COPIES_BUSY,  /* another copy is being told just now */
};

NODISCARD struct copies *copies_new(void);
void copies_free(struct copies *copies);

/* Any thread. `leg`: whose notice it would be. */
enum copies_answer copies_ask(struct copies *copies, enum spool_state state, const struct leg *leg,
    uint64_t group, const struct notice_owed *owed);
void copies_done(struct copies *copies, const struct leg *leg);
void copies_failed(struct copies *copies, const struct leg *leg);

#endif
