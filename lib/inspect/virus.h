/*
 * Asks clamd(8) about a message, which goes to it whole (its command INSTREAM): it looks into archives
 * by itself. It is the employer who asks, for the sandbox reaches no socket.
 */
#ifndef SEKISHO_INSPECT_VIRUS_H
#define SEKISHO_INSPECT_VIRUS_H

#include "lib/base/source.h"

#define VIRUS_NAME_MAX ((size_t)200)

enum virus_verdict {
	VIRUS_CLEAN,
	VIRUS_FOUND,
	VIRUS_UNKNOWN, /* no clamd, no answer in time, or one that is none: too long for it */
};

/*
 * Asks the clamd at the Unix socket `path`; `patience` is microseconds for all of it. `name` gets what
 * it found, printable ASCII, or why nothing is known; NUL-ended.
 */
NODISCARD enum virus_verdict virus_ask(
    const char *path, const struct source *message, int64_t patience, char name[VIRUS_NAME_MAX]);

#endif
