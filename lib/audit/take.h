/*
 * Taking what programs have said out of their trays, into a batch of the log. A tray is synced before its
 * lines go into the chain, and emptied when they are durable there; how far it was taken stands in
 * each line (at=), so that after a crash no line is chained twice, and none is left out.
 */
#ifndef SEKISHO_AUDIT_TAKE_H
#define SEKISHO_AUDIT_TAKE_H

#include "lib/audit/log.h"

struct take;

/* In the current directory. NULL with errno. */
NODISCARD struct take *take_open(void);
void take_close(struct take *take);

/* Readable when something was said; -1: look from time to time. take_heard empties it. */
int take_fd(const struct take *take);
void take_heard(const struct take *take);

enum take_result {
	TAKE_NOTHING,
	TAKE_SOME,   /* the batch has lines; more may be waiting */
	TAKE_LATER,  /* a tray is just being written to; the batch may have lines of others */
	TAKE_FAILED, /* a tray cannot be read: `reason` of the log */
};

/* Adds lines to the batch that was begun. The trays' names are read anew if `look`. */
enum take_result take_lines(struct take *take, struct audit_log *log, bool look);

/* The batch is durable: empties what was taken. */
void take_done(struct take *take);

#endif
