/*
 * What seki-hold remembers of the legs in approve/, hold/, trash/ and refused/, so that a person's list needs
 * no look at 100,000 files: who may act on which, and which are copies of one message. It is made from the
 * legs as they are looked at, is never an authority, and may lag: whoever acts opens the leg. 400 bytes a
 * leg at most.
 */
#ifndef SEKISHO_HOLD_INDEX_H
#define SEKISHO_HOLD_INDEX_H

#include "queue/leg.h"
#include "queue/stage.h"

struct index;

NODISCARD struct index *index_new(void);
void index_free(struct index *index);

/* A leg that was opened in `state`: what is known of it is that from now on. `people`: addresses in normal
 * form of those who may act (its senders first, then those who are asked); `risk`: lib/hold/risk.h. False: no memory. */
NODISCARD bool index_put(struct index *index, enum spool_state state, const struct leg *leg,
    const char *const *people, size_t senders, size_t asked, uint64_t group, unsigned risk);
void index_remove(struct index *index, const struct leg_name *name);

/* It stays in its state, and is called that from now on: who asks before it is looked at finds it. */
void index_rename(struct index *index, const struct leg_name *name);

/* It has gone to a state whose names carry no time: who asks before it is looked at there finds it. */
void index_moved(struct index *index, const struct leg_name *name, enum spool_state state);

/*
 * It was not found under that name: it is forgotten, unless the index knows it under another by now. Then that is
 * in `name` and `state`, and true is returned.
 */
NODISCARD bool index_gone(struct index *index, struct leg_name *name, enum spool_state *state);

/* Each leg that concerns the address, the newest first; `asked`: only those about which he is asked. */
/* Called for one leg; changes nothing of the index. False stops. */
typedef bool index_see(void *context, enum spool_state state, const struct leg_name *name);
void index_of_person(
    const struct index *index, const char *address, bool asked, index_see *see, void *context);

/* Each leg of that message, and of the other copies in its group. */
void index_of_message(const struct index *index, const char *id, index_see *see, void *context);

size_t index_count(const struct index *index);

/* ---- for a person's list at the door ---- */

#define INDEX_TEXT_MAX                                                                             \
	((size_t)144) /* bytes of a subject and recipients that are kept for a search */

enum index_as { INDEX_SENDER = 1, INDEX_ASKED = 2 }; /* may be added */

/* ---- a page of a person's list ---- */

#define INDEX_RISKS 4 /* levels of risk, from 0 */

/* A mail: one leg of it, and how many legs and copies it is. */
struct index_line {
	enum spool_state state;
	struct leg_name name;
	size_t copies;
};

/* Whether the query is in a leg whose recipients are not all in the index; may change the index. */
enum index_looked { INDEX_IN, INDEX_NOT_IN, INDEX_UNKNOWN };
typedef enum index_looked index_look(
    void *context, enum spool_state state, const struct leg_name *name);

struct index_question {
	const char *address; /* normal form */
	unsigned as, states; /* INDEX_…; a bit for each state */
	const char *query;   /* "" or what is looked for, UTF-8 of any case and width */
	bool by_risk;        /* what is risky first; else, and among equals, what is new */
	size_t first, count;
	index_look *look;
	void *context;
};

/*
 * Fills `line`, room for q->count, of which `*lines` are filled; `*total`: how many there are in all. The order of
 * those who ask often is kept in memory, 16 bytes a row and 16 a line: what has not changed is not sorted again.
 * Legs of one message, and copies of it, are one line. `*complete`: nothing was left out. False: no memory.
 */
NODISCARD bool index_list(struct index *index, const struct index_question *q,
    struct index_line *line, size_t *lines, size_t *total, bool *complete);

/*
 * How many legs in all are in approve/ about which the address is asked now, copies of a message too; counted once
 * for as long as nothing of his changes. False: no memory.
 */
NODISCARD bool index_asked(struct index *index, const char *address, size_t *legs);

/* A query that is looked for in what is not in the index, folded once. NULL: no memory. */
struct index_query;
NODISCARD struct index_query *index_query_new(const char *query);
void index_query_free(struct index_query *query);

/* Whether it is in the text. */
NODISCARD bool index_query_in(const struct index_query *query, const char *text);

#endif
