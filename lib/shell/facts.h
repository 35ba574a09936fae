/* The facts of one message as JSON (sekisho-facts(5)). */
#ifndef SEKISHO_SHELL_FACTS_H
#define SEKISHO_SHELL_FACTS_H

#include "lib/base/compat.h"

struct facts_json;

/* An empty object for the message in `path`. NULL: no memory. The caller frees it. */
NODISCARD struct facts_json *facts_json_new(const char *path);
void facts_json_free(struct facts_json *f);

/* Takes one line, without its newline. One that is no fact is left out. False: no memory. */
NODISCARD bool facts_json_line(struct facts_json *f, const char *line, size_t len);

/* Writes the object to standard output, on one line. False: it could not be written. */
NODISCARD bool facts_json_print(struct facts_json *f);

#endif
