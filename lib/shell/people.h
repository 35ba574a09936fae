/* etc/people and etc/groups, while a command changes them: behind "seki people". */
#ifndef SEKISHO_SHELL_PEOPLE_H
#define SEKISHO_SHELL_PEOPLE_H

#include "lib/base/buf.h"
#include "lib/org/names.h"
#include "lib/people/edit.h"
#include "lib/shell/out.h"

struct people_desk {
	struct out out;
	int etc;                  /* locked */
	struct org_names *groups; /* those of etc/groups, and those that are to be declared */
	struct buf old;           /* etc/people as it was */
	struct people_file *file;
	struct buf declared; /* lines for etc/groups */
	bool changed;
	int code; /* EXIT_FINE, or what went wrong so far; then nothing is written */
};

/* Reads both. False after a complaint, `code` says of which kind. Close in either case. */
NODISCARD bool people_desk_open(struct people_desk *d, const struct shell *sh, const char *heading);

/* Declares what it names and etc/groups does not, and says so. */
void people_desk_groups(struct people_desk *d, const struct people_wish *groups);

/* Checks what it has become; writes it unless `dry`. Complains. */
void people_desk_save(struct people_desk *d, bool dry);

/* Returns the exit code. */
NODISCARD int people_desk_close(struct people_desk *d);

/* The command "people import"; `argv` begins behind that word. */
NODISCARD int people_import(const struct shell *sh, int argc, char **argv);

#endif
