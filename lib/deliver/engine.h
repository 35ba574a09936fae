/*
 * The main loop's side of delivery: which legs are visited, where their batches wait, and which
 * sessions carry them. Everything here belongs to the main loop; threads have visits alone.
 *
 *   leg -> visit -> one batch for each destination -> a session with it -> results -> visit -> leg
 *
 * Internal to lib/deliver.
 */
#ifndef SEKISHO_DELIVER_ENGINE_H
#define SEKISHO_DELIVER_ENGINE_H

#include <sys/epoll.h>

#include "lib/deliver/gate.h"
#include "lib/deliver/routing.h"
#include "lib/deliver/visit.h"
#include "queue/pool.h"
#include "queue/stage.h"

struct engine;
struct session;
struct lookups;

/* What a descriptor is waited for: `ready` is called with `owner`. */
struct watcher {
	void (*ready)(struct engine *e, void *owner, uint32_t events);
	void *owner;
};

enum asking { ASK_UNKNOWN, ASK_WAITING, ASK_KNOWN };

/* A place that mail goes to: a domain by its MX, or a list of smart hosts. */
struct destination {
	char *key;
	char *label; /* for people */
	char *domain;
	struct routing *routing; /* manner points into it */
	struct manner manner;

	struct batch *first, **last; /* waiting for a session */
	size_t queued;
	struct session *sessions; /* by session.next */
	size_t open;              /* of them */
	size_t opening;
	size_t window;       /* sessions that it is trusted with for now */
	int64_t only4_until; /* it refused mail over IPv6: boot clock */

	enum asking asking;
	size_t nth; /* of the questions about it */
	enum resolve_kind asked_kind;
	char asked[RESOLVE_NAME_MAX + 1];
	struct peers *found; /* while it is asked */
	struct peer *peer;
	size_t peers;
	int64_t known_until; /* boot clock */
	struct destination *next_asking;

	struct verdict *dead; /* why it is left alone, or NULL */
	char *dead_host;
	int64_t dead_until;       /* boot clock */
	int64_t rest_until;       /* a fault of our own: boot clock */
	unsigned silent;          /* sessions that ended without a word, one after another */
	bool worked;              /* some session was opened */
	struct timetable backlog; /* legs that found no room */
	size_t holds;             /* visits that will say so when they end */

	struct destination *busy_next, **busy_at;     /* has waiting batches */
	struct destination *hungry_next, **hungry_at; /* has a backlog */
	struct destination *older, *newer;            /* by last use */
};

#define VISIT_CHAINS 1024
#define LANE         4                   /* legs that are opened at once which are not new mail */
#define PACE         8                   /* visits to new mail for each visit to one of those */
#define CLOSERS      2                   /* threads that close visits, beside other work */
#define CLOSE_WAIT   (CLOCK_SECOND / 20) /* and how long fewer wait for more of them */

/* A queue, by visit.next. */
struct visits {
	struct visit *first, **end;
};

struct engine {
	struct stage *stage;
	struct pool *pool; /* for visits */
	struct pool *tell; /* for notifications, which wait for another program */
	struct gate *gate;
	struct routing *routing;
	struct known *known;
	int epoll;
	struct watcher pool_done, tell_done;
	struct lookups *lookups;

	struct visit *visit[VISIT_CHAINS];
	struct visits ready, ready_tell; /* waiting for a thread */
	struct visits closing;           /* to be closed together */
	size_t n_closing;
	size_t closers;        /* threads that close */
	int64_t closing_since; /* boot clock: of the first of them */
	size_t visits;
	size_t rcpts;            /* of their legs */
	size_t telling;          /* visits whose sender is being told, or is to be */
	size_t late_visits;      /* from `late` or a backlog, not yet opened */
	struct timetable parked; /* frozen by an operator */
	struct timetable fresh;  /* new mail that has just come */
	struct timetable held;   /* has just come, and waited long before it did */
	bool held_next;          /* whose turn it is of these two */
	struct timetable late;   /* any other that is due: they may not keep new mail waiting */
	int64_t allowance;       /* of `late` and backlogs, in legs times PACE */
	int64_t fresh_at;        /* boot clock: when mail came last */
	unsigned freezes;        /* how often what is frozen has changed */
	struct flushes *flushes; /* what operators asked for; NULL: nothing */

	void *destinations; /* tsearch(3), by key */
	size_t n_destinations;
	struct destination *busy, **busy_end, *hungry, *oldest, *newest;
	struct session *all;    /* by session.all_next */
	struct session *closed; /* to be freed at the end of the turn */
	size_t sessions;
	bool flush_wanted;   /* an operator asked for everything to be tried */
	bool draining;       /* the program ends: nothing is begun any more */
	size_t most_visits;  /* deliver-legs, or what descriptors allow */
	int64_t ticked;      /* boot clock */
	int64_t remote_down; /* boot clock until which seki-remote is not asked */
	int64_t
	    complained[2]; /* boot clock of the last alarm about seki-remote, and seki-resolve */
};

/* ---- deliver.c ---- */

/* Waits for a descriptor; `watcher` lives as long. */
void engine_watch(struct engine *e, int fd, uint32_t events, struct watcher *watcher);

/* Says once a minute that another program of ours is not there. */
void engine_complain(struct engine *e, bool resolver, const char *why);

/* ---- visits.c ---- */

/*
 * Begins a visit. `lane`: it is no new mail, and reading it may take the disk some time. False: not now,
 * there is enough to do.
 */
NODISCARD bool visits_begin(struct engine *e, const struct leg_name *name, bool lane);

/* Whether the leg is being visited; its chain of the table. */
bool visits_have(struct engine *e, const struct leg_name *name);
struct visit **visits_chain(struct engine *e, const struct leg_name *name);

/* What has to be done next for a visit that no thread has. */
void engine_step(struct engine *e, struct visit *v);

/* A thread has done its task. */
void visit_done(struct engine *e, struct visit *v);

/* Gives threads what waits for them, and has those closed that have waited long enough. */
void visits_start_ready(struct engine *e);
void visits_start_closing(struct engine *e);

/* Visits whose records are owed rest; nothing else may touch their legs meanwhile. */
void visits_run_again(struct engine *e);

/* Brings the parked legs back when the operator has said something new. */
void visits_unpark(struct engine *e);

void flushes_leave(struct flushes *f);

/* ---- destination.c ---- */

/* Gives the batch to its destination. False: it has no room (`*full` says which). */
NODISCARD bool destination_put(struct engine *e, struct batch *b, struct destination **full);

/* Does what can be done for it now. */
void destination_work(struct engine *e, struct destination *d);

/* The first that waits; there is one. */
struct batch *destination_take(struct destination *d);

/*
 * Back to the front of the queue: the batch was not tried. False: the program ends, it was given up, and
 * its visit may be gone.
 */
NODISCARD bool destination_return(struct engine *e, struct batch *b);

/* All of them that wait: sessions have become free, or time has passed. */
void destinations_work(struct engine *e);

/* Keeps a leg until the destination has room. */
void destination_keep(struct engine *e, struct destination *d, const struct leg_name *name);

/* Whether one more batch may wait there. */
bool destination_has_room(const struct engine *e, const struct destination *d);

/* It could not be reached: everything that waits is put off, and it is left alone for a while. */
void destination_dead(
    struct engine *e, struct destination *d, const struct verdict *why, const char *host);

/* Every batch that waits has this outcome. */
void destination_fail(
    struct engine *e, struct destination *d, const struct verdict *why, const char *host);

/* Everything is tried anew: of one domain (A-labels), or of all (NULL). */
void destinations_revive(struct engine *e, const char *domain);

/* It has no backlog any more. */
void destination_sated(struct engine *e, struct destination *d);

/* Takes a visit's batches out of the queues, unless a session has one: it ends. */
void destinations_withdraw(struct engine *e, struct visit *v);

/* The program ends: what no session has yet is left as it is. */
void destinations_give_up(struct engine *e);

/* The sweep is about to schedule every leg again: backlogs are forgotten. */
void destinations_forget(struct engine *e);

/* Frees what nobody uses, beyond the bound. */
void destinations_trim(struct engine *e);

/* ---- lookup.c ---- */

NODISCARD struct lookups *lookups_new(struct engine *e);

/* Has the addresses of a destination looked up; destination_work is called when that is over. */
void lookup_ask(struct engine *e, struct destination *d);

/* Once in a while: gives up what takes too long. */
void lookups_tick(struct engine *e);

/* ---- session.c ---- */

/* Opens a session; batches are given to it as soon as it is open. False: not now. */
NODISCARD bool session_open(struct engine *e, struct destination *d);

/* Gives the next waiting batch to a session that has nothing to do. False: there is none. */
NODISCARD bool session_offer(struct engine *e, struct destination *d);

/* Closes a session that has nothing to do, wherever it leads. False: there is none. */
NODISCARD bool session_close_idle(struct engine *e);

/* Sessions that have been idle, or there, for too long. */
void sessions_tick(struct engine *e);

/* Frees what was closed. */
void sessions_bury(struct engine *e);

#endif
