/* An order of queue/order.h, given to a stage, and its answer. Internal to lib/shell/. */
#ifndef SEKISHO_SHELL_TELL_H
#define SEKISHO_SHELL_TELL_H

#include "lib/base/compat.h"
#include "queue/order.h"

enum told {
	TOLD,            /* there is an answer */
	TOLD_NOBODY,     /* the order was not given; complained about */
	TOLD_UNANSWERED, /* it was given, and nobody can say what became of it */
};

/* An order of this word from whoever runs us; what it is about is the caller's to fill in. */
struct order order_by_us(enum order_word word);

/* Sends it to `program` and waits half a minute at most. */
NODISCARD enum told tell_stage(
    const char *program, const struct order *order, struct order_answer *answer);

#endif
