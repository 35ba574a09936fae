/*
 * Which mail is meant, said by what it is: "--sender @example.co.jp --older 2h". What is asked of a name
 * alone opens no file.
 */
#ifndef SEKISHO_SHELL_FILTER_H
#define SEKISHO_SHELL_FILTER_H

#include "lib/base/compat.h"
#include "lib/org/org.h"
#include "lib/shell/names.h"

/* An address in normal form, or "@" and a domain. */
struct filter_address {
	bool set;
	char text[ORG_ADDRESS_MAX];
};

struct filter {
	struct filter_address sender; /* of the envelope; "" is <> */
	struct filter_address to;     /* any recipient that was not taken away */
	struct buf rule;              /* as it was written; len 0: whatever */
	char group[17];               /* of copies of one message; "": whatever */
	int64_t accepted_from;        /* microseconds; INT64_MIN: whenever */
	int64_t accepted_until;       /* INT64_MAX: whenever */
	int64_t due_until;            /* seconds; DUE_NONE: whenever */
	unsigned states;              /* those that were named; 0: none was */
	bool any;                     /* something is asked beside states */
};

void filter_init(struct filter *f);
void filter_free(struct filter *f);

/* What the usage texts say of the options. */
#define FILTER_OPTIONS "--sender --to --rule --group --older --younger --due-within --state"

/*
 * Takes the option at argv[*at], with its value, and leaves *at at the last word of it. EXIT_FINE;
 * EXIT_NO: it is none of ours, or no option at all; EXIT_USAGE after a complaint.
 */
NODISCARD int filter_option(struct filter *f, int argc, char **argv, int *at);

/* Adds a state by its name. False after a complaint. */
NODISCARD bool filter_state(struct filter *f, const char *name);

/* Whether it may fit by what its name says. */
NODISCARD bool filter_name(const struct filter *f, const struct entry *e);

/* Whether filter_leg has anything to ask. */
NODISCARD bool filter_needs_leg(const struct filter *f);

/* Whether it fits by what its head and its records say. */
NODISCARD bool filter_leg(const struct filter *f, const struct leg *leg);

/* Whether argv[*at] is the option `name`, as "--name VALUE" or "--name=VALUE": then `*value`, and `*at` at
 * its last word. NULL in `*value`: there is none, which is complained about. */
NODISCARD bool option_value(int argc, char **argv, int *at, const char *name, char **value);

#endif
