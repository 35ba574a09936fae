/*
 * seki-inspect: opens messages and tells what is in them (sekisho-facts(5)). A process for each
 * employer; it opens plain text itself, and forks one of its own for any other message, so that a
 * message that lies can wrong nobody but itself.
 */
#ifndef SEKISHO_INSPECT_INSPECT_H
#define SEKISHO_INSPECT_INSPECT_H

#include "lib/base/settings.h"
#include "lib/inspect/protocol.h"

/* The reason told when a part is to be shown that is not there, and nothing else is told. */
#define INSPECT_NO_PART "no-part"

#define INSPECT_DICTIONARY "/var/lib/mecab/dic/ipadic-utf8"

/* Tables that every process shares with the one it was forked from; read only. */
struct inspect_tables;

/*
 * Makes them: the normal forms, the types of files, the dictionary, the lists of etc/words and
 * etc/partners (with `etc` -1 there are none). NULL with `fault` filled, in words for the operator.
 */
NODISCARD struct inspect_tables *inspect_prepare(int etc, char *fault, size_t room);
void inspect_tables_free(struct inspect_tables *tables);

/* The same without what only facts need: no dictionary, no lists, no partners. */
NODISCARD struct inspect_tables *inspect_prepare_view(char *fault, size_t room);

/* Whether etc/partners and the lists of etc/words can be read. False with the first fault. */
NODISCARD bool inspect_check(int etc, struct conf_fault *fault);

#define INSPECT_PROCESSES 1024 /* of its user together */
#define INSPECT_CPU_ALL   3600 /* seconds that the process of one employer may use, in all its life */

/*
 * Gives up what is not needed: no file can be opened or made, no socket, no program started; what
 * is there can be read, and scratch written. Memory, processor time, processes and the size of files
 * are bounded by the settings. Dies if that fails.
 */
void inspect_confine(const struct settings *settings);

/* And in a process that opens one message: no further process, no signal can be held off. */
void inspect_confine_more(void);

/* Serves the employer at `socket` until it leaves. Returns the exit code. */
NODISCARD int inspect_serve(int socket, const struct inspect_tables *tables);

/* The service: a process for each connection to `listener`, until SIGTERM. */
void inspect_run(int listener, int signals, struct settings *settings,
    struct inspect_tables *tables, void (*ready)(void));

#endif
