/*
 * Which legs there are: the names in the state directories, read at one go and sorted. A leg may
 * move on at any moment; who opens one is ready for it to be gone.
 */
#ifndef SEKISHO_SHELL_NAMES_H
#define SEKISHO_SHELL_NAMES_H

#include "lib/base/buf.h"
#include "lib/shell/shell.h"
#include "queue/leg.h"
#include "queue/spool.h"

/* A set of states, a bit each. */
#define STATE_BIT(state) (1u << (unsigned)(state))
#define STATES_ACTIVE                                                                              \
	(STATE_BIT(STATE_NEW) | STATE_BIT(STATE_APPROVE) | STATE_BIT(STATE_HOLD) |                 \
	    STATE_BIT(STATE_ENCRYPT) | STATE_BIT(STATE_STAGGER) | STATE_BIT(STATE_DELIVER))
#define STATES_ENDED  (STATE_BIT(STATE_SENT) | STATE_BIT(STATE_TRASH) | STATE_BIT(STATE_REFUSED))
#define STATES_LISTED (STATES_ACTIVE | STATES_ENDED | STATE_BIT(STATE_BAD))

struct entry {
	int64_t due; /* seconds, or DUE_NONE */
	size_t name; /* where its name begins in `text` */
	size_t leg;  /* where ID.K begins in `text` */
	enum spool_state state;
	bool foreign; /* no leg's name; leg == name */
	bool gone;    /* the visitor found nothing under this name */
};

struct names {
	struct buf text;
	struct entry *entry;
	size_t n, room;
	int64_t read_at; /* clock_boot */
};

static inline const char *entry_name(const struct names *names, const struct entry *e)
{
	return names->text.bytes + e->name;
}

static inline const char *entry_leg(const struct names *names, const struct entry *e)
{
	return names->text.bytes + e->leg;
}

/*
 * Lists these states in the order in which mail passes them, so that a leg which moves on
 * meanwhile is seen at least once. False with errno; the names are then to be freed only.
 */
NODISCARD bool names_read(struct names *names, const struct spool *spool, unsigned states);
void names_free(struct names *names);

/* By ID.K, so by age. */
void names_sort_id(struct names *names);

/* The first entry, of names sorted by id, whose ID.K is not before `prefix` in length `len`. */
size_t names_find(const struct names *names, const char *prefix, size_t len);

/* What came of looking at one leg. */
enum visit {
	VISIT_DONE,
	VISIT_GONE, /* it is not there any more */
	VISIT_STOP, /* look at no further one */
};

typedef enum visit names_visit(void *context, const struct names *names, const struct entry *e);

/*
 * Visits every name in these states, by id or in due order: what has no time comes first, what is no leg
 * last. Legs that moved on before they were
 * visited are then looked for again where they stand now, a bounded number of times. False with
 * errno if a state cannot be listed.
 */
NODISCARD bool names_walk(
    const struct spool *spool, unsigned states, bool by_due, names_visit *visit, void *context);

#endif
