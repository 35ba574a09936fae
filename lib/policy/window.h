/*
 * " hold window=TEXT": times of day in which mail may not leave, as rules refuse it then
 * (sekisho-policy(5), "Times"). Whoever would let a leg go in one of them waits for its end.
 *
 *   TEXT   RULE [";" RULE]...      of one rule or the other
 *   RULE   TERM ["&" TERM]...      when all of its times hold
 *   TERM   ["not "] SPAN[,SPAN]... as behind `when`: "Mon-Fri 19:00-09:30", "holiday"
 */
#ifndef SEKISHO_POLICY_WINDOW_H
#define SEKISHO_POLICY_WINDOW_H

#include "lib/base/compat.h"
#include "lib/org/org.h"

#define WINDOW_TEXT_MAX ((size_t)32768) /* as it stands in the plan */

struct window {
	bool inside; /* now it may not leave */
	int64_t
	    ends; /* when that is over, microseconds; -1: not within 400 days. If it is not inside: now */
};

/*
 * Looks the time `now` (microseconds) up in `text`, the value of window= as it stands in the plan
 * (xtext), by the zone of the process (lib/base/zone.h) and the holidays of `org`; NULL: there are none.
 * False: the text is none that this version can read, or no memory.
 */
NODISCARD bool window_look(
    const char *text, size_t len, const struct org *org, int64_t now, struct window *window);

#endif
