/* The texts that a reader of the message sees. */
#ifndef SEKISHO_INSPECT_BODIES_H
#define SEKISHO_INSPECT_BODIES_H

#include "lib/inspect/facts.h"

/* What else is found in a body. Any may be NULL. */
struct body_told {
	void *context;
	struct sink quoted; /* quoted replies; else they go to the text */
};

/*
 * A part's text in UTF-8, HTML as its reader sees it; what stands hidden in HTML follows behind the
 * visible text. `told` NULL: quoted replies are text like any other. False: it could not be read, or
 * a limit was reached, which was told.
 */
NODISCARD bool body_text(
    struct inspection *i, size_t part, struct sink text, const struct body_told *told);

/* The same of any part, read as HTML whatever it is declared as. */
NODISCARD bool body_as_html(struct inspection *i, size_t part, struct sink text);

/* Whatever its type says: of a text that is a file by its bytes, the role becomes that of one. */
void body_settle(struct inspection *i, size_t part);

#endif
