/*
 * What stands between a message's header and the queue. The header is held back, up to a bound,
 * until its end is seen; then it is judged as a whole, and what follows goes straight on.
 *
 * Judged are: whether From and Sender belong to the login; whether a source that strangers share
 * proves whose mail it is (the field that does is taken out); and whether the message has been here
 * before, or goes round in circles.
 */
#ifndef SEKISHO_SMTP_GATE_H
#define SEKISHO_SMTP_GATE_H

#include "lib/base/buf.h"
#include "lib/people/people.h"
#include "lib/smtp/relay.h"
#include "queue/loop.h"

#define GATE_PIECE_MAX ((size_t)65536) /* bytes given to one gate_take at most */

/* Who speaks, and what is asked of his header. What a NULL stands for is not asked. */
struct gate_rules {
	const struct people *people; /* with `login`: From and Sender are its own */
	const char *login;
	const struct relay *relay; /* with `source`: its secret */
	const struct relay_source *source;
	const struct loop_key *loop;
	int64_t header_max;
	int64_t line_max;
	int64_t received_max;
	int64_t loop_passes;
};

enum gate_fault {
	GATE_FINE,
	GATE_FOREIGN,   /* a sender that is not the login's: the caller's to refuse or to hold */
	GATE_UNPROVEN,  /* the secret is missing or wrong */
	GATE_LOOP,      /* it has passed here before, or too many servers */
	GATE_TOO_LARGE, /* the header */
	GATE_LINE,      /* a line longer than line_max */
	GATE_NO_MEMORY,
};

struct gate {
	const struct gate_rules *rules;
	struct buf header;
	size_t scanned; /* header_end's */
	bool open;      /* the header has been judged */
	int64_t line;   /* bytes of the present line */
	enum gate_fault fault;
};

void gate_init(struct gate *gate, const struct gate_rules *rules);
void gate_free(struct gate *gate);

/*
 * Takes the next bytes of the message; `end`: there are no more. Returns true when bytes are to go
 * on: first `*head`, the header without the fields that are taken out and whatever came
 * with its end, and then `*rest` of `bytes`. Before the header is whole there are none. `gate->fault` may be set by any call; after
 * one other than GATE_FOREIGN nothing more is given out.
 */
NODISCARD bool gate_take(struct gate *gate, const char *bytes, size_t len, bool end,
    const char **head, size_t *head_len, const char **rest, size_t *rest_len);

#endif
