/*
 * Checking the chain, one line after another. What is wrong is told and gone on from, so that a second
 * fault is found, too. Nothing here logs.
 */
#ifndef SEKISHO_AUDIT_CHECK_H
#define SEKISHO_AUDIT_CHECK_H

#include "lib/audit/chain.h"

struct check {
	struct digest *digest;
	struct chain_end end;      /* of what was checked; its chain as the line says it */
	bool begun;                /* `end` is known; else the first line is believed */
	bool shaken;               /* the line before was wrong, or is not known */
	char computed[DIGEST_HEX]; /* of the line before, if it was wrong */
	char file[CHAIN_FILE];
	uint64_t lines; /* of this file so far */
	char fault[256];
};

/* Nothing before it: the first line of the log is to come. False: no memory. */
NODISCARD bool check_init(struct check *check);
void check_free(struct check *check);

/* From here on lines are believed where they begin: the log is not read from its beginning. */
void check_trust(struct check *check);

/* The lines of another file follow. `middle`: it is not read from its beginning. */
void check_file(struct check *check, const char *file, bool middle);

/* Takes a line without its newline. NULL: it is right, and `line` is cut; else what is wrong. */
const char *check_line(struct check *check, const char *bytes, size_t len, struct chain_line *line);

/* There is something that is no line: it is longer than any, or has no end. */
void check_no_line(struct check *check);

#endif
