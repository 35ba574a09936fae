/* What is going to be written into org.cdb, as it is collected: records of lib/org/layout.h. */
#ifndef SEKISHO_ORG_RECORDS_H
#define SEKISHO_ORG_RECORDS_H

#include "lib/org/layout.h"

struct records;

/* NULL: no memory. Free with records_free. */
NODISCARD struct records *records_new(void);
void records_free(struct records *r);

/* Where a record comes from, and what it is called: a key is kind, scope, prefix and text. */
struct record_key {
	enum org_kind kind;
	const char *scope; /* the name of a list or table; NULL: none */
	const char *prefix;
	const char *text;
	unsigned line; /* of its file */
};

/* The first failure sticks and is told by records_close. */
void records_add(
    struct records *r, const struct record_key *key, const void *value, size_t value_len);

/*
 * Sorts and joins them: groups of one address, or members of one group, become one record, an entry that stands twice in a list
 * is one, and a mailbox that is somebody's own is theirs. False with `fault`: no memory, too much, or
 * two lines say different things of one key.
 */
NODISCARD bool records_close(struct records *r, struct conf_fault *fault);

/* Writes the database into `fd`, which is empty and open for reading and writing, with mark and sum
 * behind it. False with errno. */
NODISCARD bool records_write(const struct records *r, int fd, struct org_counts counts);

#endif
