/*
 * Asking seki-inspect(8). An inspection carries the questions of one employer; it reconnects by itself
 * when the other end has gone, and never takes longer than the limits allow: whatever happens, the
 * facts end, and when they could not be told, `uninspectable` says so.
 */
#ifndef SEKISHO_INSPECT_CLIENT_H
#define SEKISHO_INSPECT_CLIENT_H

#include "lib/base/source.h"
#include "lib/inspect/protocol.h"

struct inspect_setup {
	const char *inspect; /* the program to be started for oneself; NULL: the service's socket */
	const char *convert;
	const char *clamd; /* its socket; NULL: it is not asked. Copied */
	int folder;        /* where scratch files are made (O_TMPFILE); the caller may close it */
	int64_t patience;  /* microseconds for one message; beyond, it is `uninspectable` */
	int64_t converts;  /* microseconds for one conversion */
	int64_t virus;     /* and for clamd's answer */
};

struct inspect_client;

/*
 * `ask` is lines as protocol.h has them, without "go"; copied. NULL: no memory, no scratch (errno).
 * The caller frees it.
 */
NODISCARD struct inspect_client *inspect_open(
    const struct inspect_setup *setup, const char *ask, size_t len);
void inspect_close(struct inspect_client *client);

/* A message, and what of its envelope is known. */
struct inspect_message {
	struct source content;
	const char *from; /* reverse-path; NULL: not known */
	const char *const *rcpt;
	size_t rcpts;
	const char *view; /* a part to be rendered, or NULL */
};

enum inspect_result {
	INSPECT_TOLD,    /* all facts were told */
	INSPECT_CUT,     /* some may be missing; `uninspectable` was told */
	INSPECT_REFUSED, /* the questions were not understood: `fault` says why */
};

/*
 * Has it inspected. `take` gets the facts, whole lines, or the bytes of the view; false from it
 * stops. `fault` is filled for INSPECT_REFUSED.
 */
NODISCARD enum inspect_result inspect_ask(struct inspect_client *client,
    const struct inspect_message *message,
    bool (*take)(void *context, const char *lines, size_t len), void *context, char *fault,
    size_t room);

#endif
