/*
 * Has a file turned into text by a program that is not ours, run by seki-convert(8) in a sandbox.
 *
 * A connection (a Unix socket of packets) carries one request after another, each with its
 * answer; several connections are served at once. A connection that ends instead of an answer means
 * CONVERT_FAILED.
 */
#ifndef SEKISHO_CONVERT_CONVERT_H
#define SEKISHO_CONVERT_CONVERT_H

#include "lib/base/source.h"

#define CONVERT_SOCKET "run/convert/socket"

/* S(NAME, word) */
#define CONVERT_STATUSES(S)                                                                        \
	S(DONE, "done")                                                                            \
	S(ENCRYPTED, "encrypted") /* it cannot be read without a password */                       \
	S(DAMAGED, "damaged")     /* the tool cannot make sense of it */                           \
	S(SIZE, "size")           /* larger than convert-size */                                   \
	S(TIME, "time")           /* convert-time was over */                                      \
	S(MEMORY, "memory")       /* convert-memory was not enough */                              \
	S(FAILED, "failed")       /* anything else: no such tool, it crashed, nobody answered */

enum convert_status {
#define S(name, word) CONVERT_STATUS_##name,
	CONVERT_STATUSES(S)
#undef S
	    CONVERT_STATUS_COUNT
};

struct convert_answer {
	enum convert_status status;
	bool truncated; /* done, but the text is longer than convert-text: this is its beginning */
	bool flawed;    /* done, but the tool found faults in the file and worked round them */
	uint64_t bytes; /* of text */
	int text;       /* done: a file of UTF-8 that nobody can change, the caller's; else -1 */
};

/* Asks for one file; `tool` is a word ("pdf"). The descriptor of the file is sent along. errno. */
NODISCARD bool convert_ask(int socket, const char *tool, const struct source *file);

/*
 * Waits at most `patience` microseconds for the answer. Fills it in any case: without an answer the
 * status is TIME or FAILED, and the connection is of no use any more (false).
 */
NODISCARD bool convert_hear(int socket, int64_t patience, struct convert_answer *answer);

/* Both of them. */
NODISCARD bool convert_file(int socket, const char *tool, const struct source *file,
    int64_t patience, struct convert_answer *answer);

const char *convert_status_word(enum convert_status status);

#endif
