/*
 * Lines of lists as they were made: a page that is looked at again, as pages are, opens no leg again. A line is good
 * while its leg's file and the organisation are as they were. 2,048 lines of some 3 kB each at most, 6 MB; lines of
 * mail that is to be approved, about whom time and absences have a say, are not kept.
 *
 * Internal to the door's files; by the main loop alone.
 */
#ifndef SEKISHO_HOLD_LINES_H
#define SEKISHO_HOLD_LINES_H

#include <jansson.h>
#include <sys/types.h>

#include "lib/hold/asking.h"

#define LINES_KEPT ((size_t)2048)

/* What the line was made from. */
struct line_source {
	struct leg_place place;
	ino_t inode;
	off_t size;
	struct timespec changed;
	uint64_t views; /* hold->views */
};

struct lines {
	struct line_kept {
		struct line_source source;
		char *address; /* whose line it is */
		json_t *line;  /* NULL: nothing stands here */
	} kept[LINES_KEPT];
};

/* Looks at the leg's file. False: it is not there, or cannot be looked at. */
NODISCARD bool line_source(
    const struct hold *h, const struct leg_place *place, struct line_source *source);

/* The line as it was made from that, a new reference; NULL: it was not, or is not kept. */
json_t *lines_find(
    const struct lines *lines, const struct line_source *source, const char *address);

/* Keeps it; a reference of its own. */
void lines_keep(
    struct lines *lines, const struct line_source *source, const char *address, json_t *line);

/* Lets go of all. */
void lines_clear(struct lines *lines);

#endif
