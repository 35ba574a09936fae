/*
 * When something is to happen to which leg: the names of a state directory, in memory, the
 * earliest first. It is a hint and never an authority: an entry whose leg is gone means nothing,
 * and the directory is read anew every so often. 32 bytes a leg.
 */
#ifndef SEKISHO_QUEUE_TIMETABLE_H
#define SEKISHO_QUEUE_TIMETABLE_H

#include "queue/name.h"

struct timetable_entry {
	int64_t due;  /* as in the name, or DUE_NONE */
	int64_t look; /* when to look at it, seconds: `due`, or later after a failure */
	unsigned char id[16];
	char *k; /* owned, unless it is the shared "1" */
};

struct timetable {
	struct timetable_entry *entry; /* a heap by `look`, then by id */
	size_t n;
	size_t room;
};

void timetable_init(struct timetable *t);
void timetable_clear(struct timetable *t);

/* Adds a leg to be looked at at `look`. False: no memory. */
NODISCARD bool timetable_add(struct timetable *t, const struct leg_name *name, int64_t look);

/* When the earliest is to be looked at; DUE_NEVER if there is none. */
int64_t timetable_next(const struct timetable *t);

/* Takes the earliest out. False if it is empty. */
NODISCARD bool timetable_pop(struct timetable *t, struct leg_name *name);

#endif
