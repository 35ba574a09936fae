/*
 * The trays: what programs have told (lib/past/past.h), read into the history, and emptied. How far one
 * was read is written in the same transaction as what was read, with a hash of its last bytes, so that
 * after a crash nothing is counted twice, nor left out because the tray was emptied meanwhile.
 */
#ifndef SEKISHO_DB_TRAYS_H
#define SEKISHO_DB_TRAYS_H

#include "lib/db/history.h"

struct trays;

/* In the current directory. NULL: logged. */
NODISCARD struct trays *trays_open(struct store *store, struct history *history);
void trays_close(struct trays *trays);

/* Readable when something was told; -1: there is none, look from time to time. trays_heard empties it. */
int trays_fd(const struct trays *trays);
void trays_heard(const struct trays *trays);

enum trays_read {
	TRAYS_EMPTY, /* nothing whole is left */
	TRAYS_MORE,  /* call again soon */
	TRAYS_LATER, /* not now: no room, or it failed (logged) */
};

/* Reads some lines, in one transaction. */
enum trays_read trays_read(struct trays *trays, int64_t now);

#endif
