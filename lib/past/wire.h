/* The client's side of run/db/socket. Internal to lib/past. */
#ifndef SEKISHO_PAST_WIRE_H
#define SEKISHO_PAST_WIRE_H

#include "lib/past/protocol.h"

struct wire {
	int fd;
	int64_t until;  /* boot clock */
	struct buf out; /* the request */
	size_t sent;    /* of it */
	struct buf in;  /* what was heard and not yet taken */
	size_t taken;   /* of it */
	size_t heard;   /* bytes so far, which are bounded */
	bool ended;     /* nothing more will be said */
};

/* Nothing is connected yet: fill `out` first. */
void wire_init(struct wire *w, int64_t patience);
void wire_free(struct wire *w);

/* Connects to PAST_SOCKET. False with errno. */
NODISCARD bool wire_connect(struct wire *w);

/* The same without waiting: EAGAIN if too many do. */
NODISCARD bool wire_connect_now(struct wire *w);

/*
 * The next line of the answer, cut; it lives until the next call. Sends what is still to be sent of the
 * request meanwhile. False with errno: ETIMEDOUT, ECONNRESET, EIO for "failed", EPROTO.
 */
NODISCARD bool wire_line(struct wire *w, struct past_line *line);

/* The same without waiting for anything: nothing, too, if it is not there yet. */
enum wire_now { WIRE_LINE, WIRE_WAIT, WIRE_FAILED };
NODISCARD enum wire_now wire_line_now(struct wire *w, struct past_line *line);

/* The same, and its first word is `word` and it has `words` of them; else EPROTO. */
NODISCARD bool wire_expect(struct wire *w, const char *word, size_t words, struct past_line *line);

#endif
