/*
 * Output for people and for pipes: records of named fields, tab-separated or as JSON lines, in
 * which no byte that a stranger wrote can act on a terminal.
 */
#ifndef SEKISHO_SHELL_OUT_H
#define SEKISHO_SHELL_OUT_H

#include <stdio.h>

#include "lib/shell/shell.h"

struct out {
	FILE *file;
	bool json;
	size_t fields; /* of the record so far */
};

/* Standard output. A terminal gets `heading` (names joined by tabs; NULL: none) first. */
void out_open(struct out *o, const struct shell *sh, const char *heading);

/* Flushes. Returns `code`, or EXIT_ENVIRON if something could not be written. */
NODISCARD int out_close(struct out *o, int code);

/* One field each. `key` is its name in JSON; NULL there is "value". */
void out_bytes(struct out *o, const char *key, const char *bytes, size_t len);
void out_text(struct out *o, const char *key, const char *text);
void out_number(struct out *o, const char *key, uint64_t number);

/* Nothing is known: "-", and null in JSON. */
void out_none(struct out *o, const char *key);

/* A time in seconds: "2026-11-22T09:35:01Z"; none below 0; "never" for DUE_NEVER. */
void out_time(struct out *o, const char *key, int64_t seconds);

/* xtext, decoded; what is no xtext is shown as it is. */
void out_xtext(struct out *o, const char *key, const char *bytes, size_t len);

/* The same, at most `most` bytes of what it says, in whole characters, and "..." for the rest. */
void out_xtext_cut(struct out *o, const char *key, const char *bytes, size_t len, size_t most);

/*
 * The words of a line, a field each: "key=xtext" is decoded and keeps its key, another word is
 * decoded and called `word` (and further ones "word2", "word3"…).
 */
void out_words(struct out *o, const char *word, const char *line, size_t len);

/* Ends the record. */
void out_end(struct out *o);

/*
 * Writes bytes so that they are harmless: printable UTF-8 as it is; each byte of a control
 * character, of a character that changes the direction or is not seen, and of what is no UTF-8,
 * as \xNN; a backslash as \x5c. `quote`: within a JSON string.
 */
void out_visible(FILE *file, const char *bytes, size_t len, bool quote);

/* "seki: …" on standard error. Arguments that strangers wrote go through complain_about. */
void complain(const char *format, ...) PRINTF_LIKE(1, 2);

/* "seki: SUBJECT: …" with a subject that is made visible. */
void complain_about(const char *subject, const char *format, ...) PRINTF_LIKE(2, 3);

/* Complains, and returns EXIT_USAGE. */
int complain_usage(const char *format, ...) PRINTF_LIKE(1, 2);

/* The worse of two exit codes. */
static inline int worse(int a, int b)
{
	return a > b ? a : b;
}

#endif
