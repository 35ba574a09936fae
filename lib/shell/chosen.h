/* The mail that an order is about: ids that were given, or whatever fits a filter. Internal to lib/shell/. */
#ifndef SEKISHO_SHELL_CHOSEN_H
#define SEKISHO_SHELL_CHOSEN_H

#include "lib/shell/filter.h"
#include "lib/shell/legs.h"

struct chosen {
	struct filter filter;
	const char *verb; /* "release": what is asked about */
	bool yes;         /* --yes: do it without asking */
	unsigned states;  /* where a filter looks if it names no state */
	int ids;
	char **id; /* points into argv, or to `text` */
	struct buf text;
	char **made; /* owned; what `id` points to if a filter chose */
};

void chosen_init(struct chosen *c, const char *verb, unsigned states);
void chosen_free(struct chosen *c);

/*
 * Takes argv[*at] if it is --yes or a filter; otherwise, if it is no option, keeps it as an id. `id` has room
 * for argc words. EXIT_FINE; EXIT_NO: an option of somebody else; EXIT_USAGE after a complaint.
 */
NODISCARD int chosen_argument(struct chosen *c, int argc, char **argv, int *at);

/*
 * Behind all arguments: ids are left as they are. Of a filter it finds what fits, says how much it is, and
 * asks at a terminal; elsewhere --yes has to be there. EXIT_FINE: `id` is to be done; another exit code after
 * a complaint, or after a no.
 */
NODISCARD int chosen_settle(struct chosen *c, const struct instance *in);

#endif
