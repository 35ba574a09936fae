/*
 * States and leg names. A name is untrusted until name_parse has read it whole.
 */
#ifndef SEKISHO_QUEUE_NAME_H
#define SEKISHO_QUEUE_NAME_H

#include "lib/base/compat.h"
#include "queue/id.h"

enum spool_state {
	STATE_TMP,
	STATE_NEW,
	STATE_APPROVE,
	STATE_HOLD,
	STATE_ENCRYPT,
	STATE_STAGGER,
	STATE_DELIVER,
	STATE_SENT,
	STATE_TRASH,
	STATE_REFUSED,
	STATE_BAD,
};

#define STATE_COUNT (STATE_BAD + 1)

#define K_MAX     64                    /* "1.2.3" with its NUL: a path of divisions */
#define DUE_LEN   16                    /* YYYYMMDDTHHMMSSZ */
#define DUE_NEVER INT64_C(253402300799) /* 9999-12-31T23:59:59Z: only a person can act */
#define DUE_NONE  INT64_C(-1)           /* the name carries no time */
#define NAME_TEXT (DUE_LEN + 1 + ID_LEN + 1 + K_MAX)

struct leg_name {
	int64_t due; /* seconds since 1970, or DUE_NONE */
	char id[ID_TEXT];
	char k[K_MAX];
};

/* "hold"; never NULL for a state. */
const char *state_name(enum spool_state state);

/* Finds a state by its name. False if there is none. */
NODISCARD bool state_by_name(const char *name, enum spool_state *state);

/* Whether names in this state carry a DUE. */
bool state_has_due(enum spool_state state);

/* Reads `text`, with or without DUE. False if it is no leg name. */
NODISCARD bool name_parse(const char *text, struct leg_name *name);

/* Writes DUE.ID.K if the state's names carry a DUE, ID.K otherwise. */
void name_format(const struct leg_name *name, enum spool_state state, char text[NAME_TEXT]);

/* Whether both names are of one leg (DUE does not count). */
bool name_same_leg(const struct leg_name *a, const struct leg_name *b);

/* Whether `k` is a path of divisions: numbers from 1, without leading zeros, joined by dots. */
bool k_valid(const char *k);

/* Writes child n of `parent`; false if it is too long. */
NODISCARD bool k_child(const char *parent, size_t n, char k[K_MAX]);

#endif
