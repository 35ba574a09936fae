/*
 * One visit to a leg: it is opened and proved, its recipients whose time has come are put together
 * by destination, what became of them is written down, their sender is told, and the leg is moved on
 * or left for later. Its tasks block (a read, a sync, another program) and are done by threads; in
 * between the visit belongs to the main loop. Internal to lib/deliver.
 */
#ifndef SEKISHO_DELIVER_VISIT_H
#define SEKISHO_DELIVER_VISIT_H

#include "lib/base/buf.h"
#include "lib/deliver/gate.h"
#include "lib/deliver/known.h"
#include "lib/deliver/routing.h"
#include "lib/deliver/verdict.h"
#include "lib/dsn/dsn.h"
#include "queue/stage.h"

#define VISIT_TELL_AGAIN  60 /* seconds until a notification that was not possible is tried again */
#define VISIT_TELL_RARELY 3600 /* one that makes no sense */

#define FLUSHES_MAX 8

/*
 * "seki flush": who was last tried before `at` is due, of one domain or of all (""). Never changed: a
 * new word of an operator is a new list.
 */
struct flushes {
	size_t users; /* counted by the main loop alone */
	size_t n;
	struct flush {
		int64_t at;
		char domain[RESOLVE_NAME_MAX + 1];
	} flush[FLUSHES_MAX];
};

struct destination;

/* The recipients of a leg that one destination gets. */
struct batch {
	struct batch *next; /* in its destination's queue */
	struct visit *visit;
	struct destination *destination;
	char *key;            /* names the destination; owned */
	char *domain;         /* what is looked up; owned */
	struct manner manner; /* lives as long as the visit's routing */
	size_t *rcpt;         /* indices into the leg's recipients, rising; owned */
	bool *answered;       /* of each of them; owned */
	bool local;           /* a Maildir: no session is needed */
	size_t rcpts;
	int64_t since;    /* when it began to wait, boot clock */
	unsigned untried; /* sessions that were lost before they said anything */
	bool want4;       /* refused over IPv6 for its policy: once more over IPv4 */
	bool had4;        /* that has been done */
};

/* What became of some recipients; texts stand behind it in the same allocation. */
struct result {
	struct result *next;
	struct result *more; /* the same of other recipients */
	size_t *rcpt;        /* indices into the leg's recipients */
	size_t rcpts;
	enum remote_class class;
	enum remote_phase phase;
	char status[VERDICT_STATUS_MAX];
	bool dsn;                  /* the server sends notifications itself (RFC 3461) */
	bool damaged;              /* the content is not what its digest says: nothing was sent */
	const struct batch *batch; /* NULL: no session was needed */
	char sent[LEG_DIGEST_LEN + 1]; /* the digest of the content as it was sent, or "-" */
	const char *host;              /* "-": none */
	const char *tls;               /* "-": none */
	const char *reply;             /* xtext */
};

struct results {
	struct result *first, **end;
};

enum visit_task {
	TASK_OPEN,
	TASK_LOCAL,  /* fill the Maildirs */
	TASK_RECORD, /* write the results down and sync: others are still to come */
	TASK_TELL,   /* have the sender notified, and write that down */
	TASK_CLOSE,  /* sync it, and those that hang on it by `next`, and give up their bodies */
};

enum visit_end {
	VISIT_ONGOING,
	VISIT_GONE,   /* dealt with: sent, put off under a new name, or moved elsewhere */
	VISIT_LEFT,   /* the same, but nobody has seen to its body in sent/ */
	VISIT_FROZEN, /* the red button: look again when it changes */
	VISIT_FULL,   /* its destination has enough to do: look again when it has less */
	VISIT_WAIT,   /* nothing to do before `due` */
	VISIT_AGAIN,  /* the spool failed: look again in a few seconds */
};

struct visit {
	struct visit *chain; /* the main loop's table */
	struct visit *next;  /* the main loop's queues; visits that are closed together */
	struct stage *stage; /* its spool, and what reads a leg */
	struct gate *gate;
	struct routing *routing;
	struct known *known;
	struct leg_name name;
	unsigned freezes;        /* what the operator had said when it began */
	bool clock_frozen;       /* nothing expires */
	int64_t now, boot;       /* believed time and boot clock at the start, microseconds */
	struct flushes *flushes; /* who else is due, or NULL */

	enum visit_task task;
	bool working; /* a thread has it, or it waits for one */
	bool begun;   /* its batches have been given to their destinations */
	bool opened;
	struct stage_opened o;
	int content; /* the leg, for reading alone; -1 */
	struct batch *batch;
	size_t batches;
	size_t running;           /* batches that have not ended; the main loop's */
	bool locals;              /* Maildirs are still to be filled, by TASK_LOCAL */
	struct results results;   /* not yet given to a task; the main loop's, but for TASK_OPEN */
	struct results taken;     /* the task's */
	struct destination *full; /* one that had no room; the main loop's */

	size_t *
	    scratch; /* three times the recipients: what was sent is written down without asking for memory */
	struct buf said;    /* for the log, when the records stand */
	struct buf owed;    /* records that could not be written: nothing is sent again before */
	struct buf past;    /* for seki-db, when the records stand */
	bool *late;         /* recipients whose sender is to be told of the delay, or NULL */
	bool tell;          /* somebody is to be told: TASK_TELL next */
	bool tell_failed;   /* not now */
	int64_t tell_again; /* seconds until then */
	bool sync;          /* something was delivered that is not synced yet */
	bool
	    urgent; /* among the results is one that must be written down at once; the main loop's */
	bool finished;          /* it stands in sent/, and has its body */
	bool damaged;           /* the content is not what its digest says */
	bool late_lane;         /* the main loop's */
	enum visit_end left_as; /* how it ends if recipients are left: frozen, or full */
	enum visit_end end;
	int64_t due;        /* VISIT_WAIT: seconds */
	int64_t rest_until; /* the main loop's: when an owed record is tried again */
};

/* A visit to come, with TASK_OPEN. NULL: no memory. */
NODISCARD struct visit *visit_new(struct stage *stage, const struct leg_name *name);
void visit_free(struct visit *v);

/* Does v->task. Called by a thread. */
void visit_run(void *visit);

/* The time that is believed, microseconds. */
int64_t visit_now(const struct visit *v);

void results_init(struct results *list);

/* Moves all of `from` to the end of `to`. */
void results_move(struct results *to, struct results *from);
/* Those that must not be forgotten: what a server has, or may have. */
void results_move_urgent(struct results *to, struct results *from);
void results_free(struct results *list);

/* Adds a result for the leg's recipients `rcpt` (copied). False: no memory. */
NODISCARD bool results_add(struct results *list, const struct batch *batch, const size_t *rcpt,
    size_t rcpts, const struct verdict *verdict, const char *host, const char *tls, bool dsn);

/* ---- between the files of a visit ---- */

/* Chooses who is due and makes the batches, or results for whom none is needed. */
NODISCARD bool visit_plan(struct visit *v);

/* Fills the Maildirs; what comes of it is added to v->taken. */
void visit_local(struct visit *v);

/*
 * Writes v->taken down. False: v->owed could not be written (logged). By the main loop, too: it waits
 * for no disk, and what a server has taken must not be forgotten if the program dies.
 */
NODISCARD bool visit_record(struct visit *v);

/* Appends v->owed, if there is something. */
NODISCARD bool visit_append(struct visit *v);

/*
 * Renames the leg: to sent/, to the time of its next try, or nowhere; v->end says which. If v->sync, a
 * sync is still due. By the main loop: it waits for no disk.
 */
void visit_move_on(struct visit *v);

/* Has those told who are to be, and writes it down. */
void visit_tell(struct visit *v);

/* "rcpt=1,3-5" with a blank in front; indices rise. */
void visit_put_rcpts(struct buf *out, const size_t *rcpt, size_t n);

/* ID.K, for logs. */
void visit_id(const struct visit *v, char id[NAME_TEXT]);

/* Whether the sender is to be told that of a recipient (lib/dsn). */
bool visit_wants(const struct visit *v, size_t rcpt, enum dsn_action action);

/* How long mail for a recipient is tried, microseconds. */
int64_t visit_expire(const struct visit *v, size_t rcpt);

#endif
