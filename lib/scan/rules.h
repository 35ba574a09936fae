/* The rules in force: taken at the start, at a reload, and when others have been put in force since. */
#ifndef SEKISHO_SCAN_RULES_H
#define SEKISHO_SCAN_RULES_H

#include "lib/scan/scan.h"
#include "queue/stage.h"

/* Opens them for the first time, and the site's time zone. Dies if that fails. */
void rules_open(struct stage *stage);

/*
 * All of what is in force now, or none of it, and `text` says why. `changed`: settings are, too. What jobs are
 * finding out stays good if these rules ask the same.
 */
NODISCARD bool rules_take(
    struct scan *scan, const struct settings *settings, bool changed, char *text, size_t room);

/*
 * People change rules of their own, and nobody reloads: before a leg is judged this looks whether others are in
 * force, and takes them; those that ask something else not within 10 seconds of the last that did, as what jobs
 * have found out is lost by that. If they cannot be read, the old ones go on, and an alarm says so, once.
 */
void rules_look(struct stage *stage);

#endif
