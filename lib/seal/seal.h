/*
 * Changing a message before it leaves: addresses are taken out of its header, and texts are put into
 * its body. Everything else stays byte by byte what it was. What could be read in two ways is not
 * changed: a header that is unclear is refused, and a body that is goes whole into a new one.
 *
 * seki-seal(8) does it, in a sandbox, for seki-encrypt(8).
 */
#ifndef SEKISHO_SEAL_SEAL_H
#define SEKISHO_SEAL_SEAL_H

#include "lib/base/settings.h"
#include "lib/base/source.h"
#include "lib/seal/order.h"

#define SEAL_SOCKET "run/seal/socket"

enum seal_end {
	SEAL_DONE,
	SEAL_LATER, /* the system failed: `why` */
	SEAL_NO,    /* this mail cannot be changed like that: `why` */
};

enum seal_inserted {
	SEAL_INSERTED_NO,
	SEAL_INSERTED_YES,     /* into the texts that are shown */
	SEAL_INSERTED_WRAPPED, /* beside the whole message, which is a part of a new one */
};

struct seal_result {
	enum seal_end end;
	uint64_t size;  /* of what was written */
	size_t removed; /* addresses, each where it stood */
	enum seal_inserted inserted;
	char why[32]; /* a word */
};

/* "no", "yes", "wrapped". */
const char *seal_inserted_word(enum seal_inserted inserted);

struct seal_limits {
	size_t depth, parts; /* of lib/mime/scan.h */
	size_t header;       /* bytes of the header of one part, or of the message */
};

/* The tables of charsets, which a process that will have no files needs first. NULL: no memory, or
 * libc has none. For the life of the process. */
struct seal_tables;
NODISCARD const struct seal_tables *seal_prepare(void);

/* Reads `content` and writes the changed one to the empty file `output`. */
void seal_content(const struct source *content, int output, const struct seal_order *order,
    const struct seal_limits *limits, const struct seal_tables *tables, struct seal_result *result);

/* ---- the program ---- */

/* Gives up what the process of one request needs no more. Dies if that fails. */
void seal_confine(const struct settings *settings);

/* One request over `socket`. Returns an exit code. */
int seal_serve(int socket, const struct settings *settings, const struct seal_tables *tables);

/* The service: a process for each request, until SIGTERM. */
void seal_run(int listener, int signals, struct settings *settings,
    const struct seal_tables *tables, void (*ready)(void));

#endif
