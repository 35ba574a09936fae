/*
 * What was decided about a recipient, in lines for people or as JSON: the same for mail that was
 * never sent ("seki test") and for mail that was ("seki why"). Whatever strangers wrote is shown as
 * out_visible does.
 */
#ifndef SEKISHO_SHELL_VERDICT_H
#define SEKISHO_SHELL_VERDICT_H

#include "lib/shell/out.h"

struct verdict_line {
	const char *function; /* "hold" */
	const char *outcome;  /* "60m" */
	const char *where;    /* "must/50-external:12" */
	const char *rule;     /* its name */
	const char *evidence; /* masked; "" */
	const char *would;    /* NULL: it is so. "shadow", "watch-only": it would have been so */
	const char *mark;     /* "-" or "+" before it, of a comparison; NULL */
};

struct verdict {
	const char *key;   /* in JSON: "path" or "leg" */
	const char *value; /* and its value */
	const char *address;
	const char *class; /* "external"; NULL: not known */
	const char *fate;  /* "leaves 2026-11-22 19:35:01 +0900"; "" if there is nothing to say */
	const struct verdict_line *line;
	size_t lines;
};

/*
 * For people: a line with address, class and fate, and below it a line for each decision, in columns. JSON:
 * an object for each decision; for none, one with "function" null.
 */
void verdict_print(struct out *o, const struct verdict *verdict);

/* How many columns of a terminal the text takes, as out_visible shows it. */
size_t verdict_width(const char *text);

#endif
