/*
 * Words, lists and regular expressions that an employer asked about: made ready once, looked for in
 * every text of a message.
 */
#ifndef SEKISHO_INSPECT_SAID_H
#define SEKISHO_INSPECT_SAID_H

#include "lib/inspect/facts.h"

/*
 * Makes the words, lists and expressions of `ask` ready. `*said` is NULL if there are none. False with
 * `fault` filled: a list that is not there, an expression that is none, no memory.
 */
NODISCARD bool said_new(const struct inspect_tables *tables, const struct ask *ask,
    struct said **said, char *fault, size_t room);
void said_free(struct said *said);

/* One message. NULL: no memory, or `said` is. */
struct said_run;
NODISCARD struct said_run *said_begin(const struct said *said);
void said_end(struct said_run *run);

void said_text_begins(struct said_run *run, enum detect_place place);
void said_feed(struct said_run *run, const char *normalised, size_t len);
void said_text_ends(struct said_run *run);

/* Tells what was found: lines "words", "word" and "regex". */
void said_tell(const struct said_run *run, struct facts_out *out);

#endif
