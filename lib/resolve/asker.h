/* One connection to seki-resolve(8): questions in, answers out. */
#ifndef SEKISHO_RESOLVE_ASKER_H
#define SEKISHO_RESOLVE_ASKER_H

#include "lib/base/buf.h"
#include "lib/resolve/ask.h"

#define ASKER_INPUT     ((size_t)4096)
#define ASKER_UNREAD    RESOLVE_ANSWER_MAX /* with more to be read, it is not heard */
#define ASKER_OUT_MAX   ((size_t)8 << 20)  /* ends it: see asker_answer */
#define ASKER_QUESTIONS ((size_t)32)       /* of one connection at once */

struct asker {
	int fd;
	bool ended;       /* it will ask nothing more */
	bool gone;        /* nobody is there any more, or what came was no question */
	size_t questions; /* that are being worked on */
	size_t have;
	size_t sent; /* of `out` */
	struct buf out;
	struct asker *next;
	char input[ASKER_INPUT];
};

/* Owns the descriptor from here on, if there is memory: else NULL. */
NODISCARD struct asker *asker_new(int fd);
void asker_free(struct asker *a);

/* Whether it may be heard now, as far as it depends on itself. */
NODISCARD bool asker_may_ask(const struct asker *a);

/* Whether it has a question in hand that was not taken yet. */
NODISCARD bool asker_has_line(const struct asker *a);

/* Reads what there is, once. */
void asker_read(struct asker *a);

/*
 * Takes the next question that has been read. False: there is no whole one. What is no question
 * makes it `gone`.
 */
NODISCARD bool asker_take(
    struct asker *a, enum resolve_kind *kind, char name[RESOLVE_NAME_MAX + 1]);

/* Adds an answer to what is to be sent. */
void asker_answer(struct asker *a, const struct resolve_answer *answer);

/* Whether there is something to send. */
NODISCARD bool asker_has_output(const struct asker *a);

/* Sends what can be sent without waiting. */
void asker_send(struct asker *a);

/* Whether nothing is left to be done for it. */
NODISCARD bool asker_done(const struct asker *a);

#endif
