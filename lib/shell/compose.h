/*
 * A message made up for a trial: text, and files as a mail program would attach them (RFC 2045 base64,
 * RFC 2047 subject, RFC 2231 names).
 */
#ifndef SEKISHO_SHELL_COMPOSE_H
#define SEKISHO_SHELL_COMPOSE_H

#include "lib/base/source.h"

struct compose_file {
	const char *name; /* as it is called in the mail */
	int fd;           /* read from its current position to its end */
};

struct compose {
	const char *from; /* "" is no From field */
	const char *const *to;
	size_t tos;
	const char *const *cc;
	size_t ccs;
	const char *subject; /* UTF-8 */
	const char *text;    /* UTF-8, lines end in a newline */
	size_t text_len;
	const struct compose_file *file;
	size_t files;
	int64_t date; /* microseconds */
};

/*
 * Writes it into a file without a name below /var/tmp; `content` is all of it, and its descriptor the
 * caller's to close. False with errno.
 */
NODISCARD bool compose_message(const struct compose *c, struct source *content);

#endif
