/*
 * What every stage does: it owns one or more state directories, takes what appears there, lets its
 * one decision be made, and moves the leg on. The laws are kept here, once, so that a stage's own
 * program is short: it is asked only about legs that belong to it and whose step is next.
 *
 * A stage is single-threaded but for jobs it gives to a pool (queue/pool.h). Everything it knows
 * is on disk; it may die at any system call.
 */
#ifndef SEKISHO_QUEUE_STAGE_H
#define SEKISHO_QUEUE_STAGE_H

#include "lib/base/buf.h"
#include "lib/base/settings.h"
#include "queue/law.h"
#include "queue/leg.h"
#include "queue/order.h"
#include "queue/spool.h"
#include "queue/timetable.h"
#include "queue/watch.h"

#define STAGE_SAID  1024 /* stopped legs that are not told of again */
#define STAGE_AGAIN 5    /* seconds until a leg that could not be dealt with is looked at again */

struct stage;
struct stage_opened;

enum stage_action {
	STAGE_PASS,        /* this step is done: append `record` and move the leg on */
	STAGE_WAIT,        /* not before `until` */
	STAGE_STOP,        /* only a person can act; alarm with `why` */
	STAGE_TAKEN,       /* the role has dealt with the leg, or has given it to a job */
	STAGE_AGAIN_LATER, /* it failed for now: ask again in STAGE_AGAIN seconds */
	STAGE_KEEP,        /* it stays where it is and nothing is to happen to it */
};

struct stage_outcome {
	enum stage_action action;
	const char *details; /* STAGE_PASS: arguments of the closing record, xtext values */
	int64_t until;       /* STAGE_WAIT: seconds */
	const char *why;     /* STAGE_STOP: literal */
};

struct stage_role {
	const char *program;            /* "seki-hold"; also names the clock mark */
	const enum spool_state *states; /* owned */
	size_t n_states;
	const char *split_of; /* "hold", or NULL if it never divides */

	/* Asked about a leg that belongs in `state` and, in a plan's state, has come to `step`. */
	struct stage_outcome (*decide)(
	    struct stage *stage, enum spool_state state, struct stage_opened *opened);

	/* If set: whether a job of the role has this leg in hand, so that nobody else touches it. */
	bool (*in_hand)(struct stage *stage, const struct leg_name *name);

	/* If set: a person has an order for a leg in hand; what can be put back is put back. */
	void (*let_go)(struct stage *stage, const struct leg_name *name);

	/*
	 * If set, asked first for each name that is due in `state`; true: the role has taken it over
	 * unread. `fresh`: it has just appeared. NULL: the stage reads each leg itself.
	 */
	bool (*take)(
	    struct stage *stage, enum spool_state state, const struct leg_name *name, bool fresh);

	/* If set: how long, in milliseconds, the role can do without a turn; or -1. */
	int (*nap)(const struct stage *stage);

	/* Milliseconds for which legs may come together while at_rest says that no job runs; or 0. */
	int gather_ms;
	bool (*at_rest)(struct stage *stage);

	/* May be NULL. Called once before the first leg; and each turn. */
	void (*start)(struct stage *stage);
	void (*turn)(struct stage *stage);

	/* May be NULL. Takes a new configuration as a whole; false: the old one stays, and `text` says why. */
	bool (*reload)(struct stage *stage, const struct settings *fresh, char *text, size_t room);
	void (*sweeping)(struct stage *stage); /* forget what you keep: every leg is seen again */
	void (*alarm)(struct stage *stage);    /* SIGALRM: an operator asks for it now */
	void (*drain)(struct stage *stage);    /* SIGTERM: finish what is being done */
	int (*wake_fd)(struct stage *stage);   /* one more descriptor to wake for, or -1 */

	/* What a person may order (queue/order.h), and in which state; none: nobody listens. */
	const struct stage_order *orders;
	size_t n_orders;

	/*
	 * If set: carries out an order about an opened leg itself, out of what queue/order_leg.h has: once it
	 * knows that it may, it tells the audit first.
	 */
	struct order_answer (*obey)(
	    struct stage *stage, const struct order *order, struct stage_opened *opened);

	/* ORDER_FLUSH: looks for a domain's mail now, in so many legs. NULL: it takes no such order. */
	size_t (*flush)(struct stage *stage, const char *domain);
};

/* One order in one state of the role. */
struct stage_order {
	enum order_word word;
	enum spool_state state;
	const char *why_not; /* NULL: it is done */
};

/* The settings that jobs ask for: a reload may change them while a job runs. */
struct stage_limits {
	_Atomic int64_t trailer_max, legs_max, split_max;
};

struct stage {
	const struct stage_role *role;
	struct settings settings; /* for the main loop; a job reads only `limits` of it */
	struct stage_limits limits;
	struct spool spool;
	struct watch watch;
	struct timetable due[STATE_COUNT];
	struct timetable background[STATE_COUNT]; /* to be seen once, when there is time */
	int watch_descriptor[STATE_COUNT];
	int inotify;
	int signals;
	int etc;        /* the configuration directory */
	int64_t swept;  /* boot clock of the last sweep */
	int64_t looked; /* boot clock of the last look into the background */
	unsigned sweeps;
	bool unseen[STATE_COUNT]; /* the first sweep failed there */
	bool overflow;            /* events were lost: sweep now */
	bool full;                /* the role takes no more just now: it wakes us when it does */
	bool draining;            /* SIGTERM was seen */
	_Atomic uint64_t said[STAGE_SAID]; /* of legs that were stopped, and why: a hash */
	_Atomic size_t said_next;
	struct audit *audit;     /* where what is decided is written down */
	struct order_door *door; /* where orders come from, or NULL */
	int64_t door_looked;     /* boot clock */
	bool door_rang;          /* somebody is there */
	void *context;           /* the role's own */
};

/* Runs the stage in the current directory until SIGTERM. Returns an exit code. */
int stage_main(const struct stage_role *role, void *context);

/* Opens, reads and decides about one leg of a state of ours, at once. */
void stage_look(struct stage *stage, enum spool_state state, const struct leg_name *name);

/* The decision of a stage that only waits for a time (hold, stagger): closes with ended=due. */
struct stage_outcome stage_timed(
    struct stage *stage, enum spool_state state, struct stage_opened *opened);

/* Whether a step's text is exactly this. */
bool stage_step_is(const struct stage_opened *opened, const char *text);

/* Refuses (dies) or, in a trial, reports a file system whose crashes were not tested. */
void stage_check_filesystem(const struct spool *spool, const struct settings *settings);

/* Seconds of the time that is believed. */
int64_t stage_now(const struct stage *stage);

/* Has a leg looked at at `when` (seconds), in a state of ours. */
void stage_schedule(
    struct stage *stage, enum spool_state state, const struct leg_name *name, int64_t when);

/*
 * Renames a leg to where it belongs, and says so in the log. A second copy goes to bad/; a leg that
 * is gone was moved by an operator. False: the rename failed (errno); the leg stands where it stood.
 */
bool stage_move(struct stage *stage, enum spool_state from, const char *from_name,
    const struct leg_name *name, enum spool_state to, int64_t due, const char *why);

/* Puts a name into bad/ with an alarm. */
void stage_quarantine(
    struct stage *stage, enum spool_state state, const char *name, const char *why);

/* Whether the timers of `state` stand still now. */
bool stage_timer_frozen(const struct stage *stage, enum spool_state state);

/*
 * Opens and reads a leg and asks the law. Returns true with `fd`, `leg` and `law` filled if it
 * belongs here (LAW_ACT); otherwise everything has been done about it: moved, stopped,
 * quarantined, or scheduled again. The caller closes fd and frees leg. Usable from a job: it
 * touches nothing of the stage but the spool.
 */
struct stage_opened {
	int fd;
	struct leg leg;
	struct law law;
	char text[NAME_TEXT]; /* its name as it stands */
};

enum stage_open {
	STAGE_OPEN_ACT,   /* it is ours to act on */
	STAGE_OPEN_GONE,  /* dealt with, or no longer here */
	STAGE_OPEN_AGAIN, /* could not be read or moved just now: look again later */
};

/* The same without the law: `law` is not filled, and nothing is moved for what the leg says. */
NODISCARD enum stage_open stage_read(struct stage *stage, enum spool_state state,
    const struct leg_name *name, struct stage_opened *opened);

/* Appends one record, "TIME TEXT". False (logged): nothing was appended. */
NODISCARD bool stage_append(struct stage *stage, struct stage_opened *opened, const char *text);

/* Appends the closing record of the step in `opened->law`, and notes that it is closed. */
NODISCARD bool stage_close_step(
    struct stage *stage, struct stage_opened *opened, const char *details);

/* The last line of a decision that passes: appends the closing record and moves the leg on. */
bool stage_pass(
    struct stage *stage, enum spool_state state, struct stage_opened *opened, const char *details);

NODISCARD enum stage_open stage_open(struct stage *stage, enum spool_state state,
    const struct leg_name *name, int64_t now, struct stage_opened *opened);

#endif
