/* etc/auth, sekisho-auth(5): which back end checks the passwords of which logins. */
#ifndef SEKISHO_AUTH_TABLE_H
#define SEKISHO_AUTH_TABLE_H

#include "lib/base/compat.h"
#include "lib/base/conf.h"

#define TABLE_FILE_PROGRAM "seki-auth-file"
#define TABLE_FILE_PATH    "etc/passwd" /* what that program reads */

struct table_line {
	char *domain; /* without '@', or NULL: every login */
	char *path;   /* of the program, relative to the instance if without a '/' in front */
	char **argv;  /* as it is started; ends in NULL */
	unsigned number;
};

struct table {
	struct table_line *lines;
	size_t n;
};

/* An empty table: seki-auth-file checks everybody. */
void table_init(struct table *t);
void table_free(struct table *t);

/*
 * Reads the file "auth" in the directory `etc` into an empty table; a missing file is an empty
 * one. Returns false with the first fault. The table is to be freed either way.
 */
NODISCARD bool table_read(int etc, struct table *t, struct conf_fault *fault);

/* The first line that speaks for the login; never NULL. */
const struct table_line *table_find(const struct table *t, const char *login);

/* Whether the line's program is the gateway's own seki-auth-file. */
NODISCARD bool table_is_file(const struct table_line *line);

#endif
