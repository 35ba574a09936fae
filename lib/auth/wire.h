/*
 * Lines to and from a mail server, over whatever carries them. A reply is bounded: so many bytes a
 * line, so many lines a session. The first failure sticks in `why`.
 */
#ifndef SEKISHO_AUTH_WIRE_H
#define SEKISHO_AUTH_WIRE_H

#include "lib/base/compat.h"

#define WIRE_LINE  8192 /* bytes of a line with its end */
#define WIRE_LINES 1000 /* lines of a session */

struct wire {
	/* Reads at least one byte, waiting for it a bounded time. 0: nothing comes any more. */
	size_t (*get)(struct wire *w, char *bytes, size_t room);
	/* Writes all of it, or returns false. */
	bool (*put)(struct wire *w, const char *bytes, size_t len);
	/* Begins TLS, or returns false. */
	bool (*start_tls)(struct wire *w);
	const char *why; /* what went wrong, or NULL */
	size_t lines;
	size_t at, end; /* unread bytes of input */
	char input[WIRE_LINE];
};

/* Notes what went wrong, if nothing did before; returns false. */
bool wire_fail(struct wire *w, const char *why);

/* Reads a line and ends it with a NUL in the place of its CRLF (LF will do). */
NODISCARD bool wire_line(struct wire *w, char line[WIRE_LINE]);

/* Sends all of the text. */
NODISCARD bool wire_say(struct wire *w, const char *text);

/* Sends the bytes as base64 with CRLF behind; leaves no copy. At most WIRE_BASE64_MAX of them. */
#define WIRE_BASE64_MAX 2048
NODISCARD bool wire_say_base64(struct wire *w, const char *before, const char *bytes, size_t len);

/* The initial response of SASL PLAIN (RFC 4616): NUL login NUL password. */
NODISCARD bool wire_say_plain(
    struct wire *w, const char *before, const char *login, const char *password);

/* Begins TLS; what came before it and was not read would not have been protected: a failure. */
NODISCARD bool wire_start_tls(struct wire *w);

#endif
