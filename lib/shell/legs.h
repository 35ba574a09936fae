/*
 * The instance as a command sees it: settings, spool, one leg after another. Internal to
 * lib/shell/.
 */
#ifndef SEKISHO_SHELL_LEGS_H
#define SEKISHO_SHELL_LEGS_H

#include <sys/stat.h>

#include "lib/base/settings.h"
#include "lib/shell/names.h"
#include "lib/shell/out.h"

struct instance {
	struct settings settings;
	struct spool spool;
};

/*
 * Opens the spool. With settings that cannot be read it uses the defaults, and says so: an
 * operator must see his mail just then. Returns EXIT_FINE, or an exit code after a complaint.
 */
NODISCARD int instance_open(struct instance *in);
void instance_close(struct instance *in);

/* A leg that was opened: read, or not, and why. */
struct found {
	int fd; /* to read; the caller closes it by found_close */
	struct stat st;
	bool read; /* `leg` is there */
	struct leg leg;
	const char *why; /* a literal, if it was not read */
};

enum finding {
	FOUND,         /* the file is open; see `read` */
	FOUND_GONE,    /* no such name any more */
	FOUND_FOREIGN, /* something that is no leg of ours; not opened */
	FOUND_FAILED,  /* the system failed; complained about */
};

/* Opens and reads one leg. On FOUND close it with found_close. */
NODISCARD enum finding found_open(
    const struct instance *in, const struct names *names, const struct entry *e, struct found *f);
void found_close(struct found *f);

/* Prints the one line that list and find have for a leg. `f` NULL: only its name is known. */
#define LEG_LINE_HEADING "STATE\tDUE\tLEG\tACCEPTED\tFROM\tTO\tSIZE"
void leg_line(
    struct out *o, const struct names *names, const struct entry *e, const struct found *f);

/* The same without its end: more fields can follow. */
void leg_fields(
    struct out *o, const struct names *names, const struct entry *e, const struct found *f);

/*
 * Fields about the last tries, for list deliver. Of several recipients: the earliest next try, the
 * most tries, the latest reply.
 */
#define LEG_TRIES_HEADING "\tNEXT\tTRIES\tREPLY\tHOST"
void leg_tries(struct out *o, const struct found *f);

/*
 * Called for each leg that the arguments name; `nth` counts the legs of one argument from 0. For
 * VISIT_GONE the leg is looked for again.
 */
typedef enum visit legs_visit(
    void *context, const struct names *names, const struct entry *e, size_t nth);

/*
 * Visits the legs named by arguments: ID (all its legs), ID.K, or a unique prefix of at least 8
 * hex digits; "-" reads more of them from standard input, the first field of each line that
 * is one. Complains about what is none, unknown or ambiguous. Returns the worst exit code.
 */
NODISCARD int legs_named(
    const struct instance *in, int argc, char **argv, legs_visit *visit, void *context);

#endif
