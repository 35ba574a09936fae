/*
 * What is asked at the people's door of seki-hold(8), over the Unix stream socket GATE_SOCKET; see
 * sekisho-gate(5). One line from the client, one JSON object and a newline back, then the connection ends.
 *
 *   CREDENTIAL VERB [KEY=XTEXT]…       CREDENTIAL: cap=TOKEN or session=TEXT
 *
 * How its words are read: lib/gate/words.h.
 */
#ifndef SEKISHO_GATE_PROTOCOL_H
#define SEKISHO_GATE_PROTOCOL_H

#include "lib/base/buf.h"
#include "lib/base/compat.h"
#include "lib/gate/words.h"

#define GATE_SOCKET      "run/gate/socket"
#define GATE_REQUEST_MAX ((size_t)16384)           /* bytes of a request, with its newline */
#define GATE_ANSWER_MAX  ((size_t)4 * 1024 * 1024) /* bytes of an answer, with its newline */
#define GATE_WORDS_MAX   12

enum gate_verb {
	GATE_LIST,
	GATE_SHOW,
	GATE_ACT,
	GATE_BODY,
	GATE_ABSENT,
	GATE_REVIEW,
	GATE_VERBS, /* how many */
};

struct gate_request {
	bool session;           /* the credential is one; else a capability */
	const char *credential; /* without "cap=" or "session="; NUL-ended */
	enum gate_verb verb;
	size_t words;
	struct words_pair word[GATE_WORDS_MAX];
	char text[GATE_REQUEST_MAX]; /* what the pointers point into */
};

/* "list", "show"… */
const char *gate_verb_name(enum gate_verb verb);

/* Reads a line without its newline, `len` bytes of anything. False: it is no request. */
NODISCARD bool gate_request_parse(const char *line, size_t len, struct gate_request *request);

/* The value of `key`, decoded; NULL if it was not said. */
const char *gate_request_value(const struct gate_request *request, const char *key);

/* Writing one: the credential, "cap=…" or "session=…", and the verb; then its words; then its newline. */
void gate_request_begin(struct buf *out, const char *credential, const char *verb);
void gate_request_add(struct buf *out, const char *key, const char *value);
void gate_request_end(struct buf *out);

#endif
