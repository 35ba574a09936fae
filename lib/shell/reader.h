/*
 * The child that reads the headers of mail for seki find. It gets one open file after another,
 * read-only, and answers each with one byte; it can do nothing else (lib/shell/jail.h).
 */
#ifndef SEKISHO_SHELL_READER_H
#define SEKISHO_SHELL_READER_H

#include "lib/shell/header.h"
#include "lib/shell/jail.h"

struct reader {
	pid_t child; /* 0: not running */
	int socket;
	struct jail_user user;
	const struct header_query *query; /* must outlive the reader */
};

/*
 * Finds out who the child is to be (the user sekix, if we are root) and starts it. False after a
 * complaint. End it with reader_close.
 */
NODISCARD bool reader_open(struct reader *r, const struct header_query *query);
void reader_close(struct reader *r);

/*
 * Which of the query's texts stand in the header of the mail whose content begins at `content` of
 * the open file `fd` and is `size` bytes long: HEADER_BITs, and HEADER_CUT. -1: it cannot be said;
 * the child died, or took too long, and a new one has been started if that was possible.
 */
NODISCARD int reader_ask(struct reader *r, int fd, off_t content, uint64_t size);

#endif
