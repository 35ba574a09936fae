/* Legs as JSON, for the people's door (sekisho-gate(5)). Internal to the door's files. */
#ifndef SEKISHO_HOLD_SHOW_H
#define SEKISHO_HOLD_SHOW_H

#include <jansson.h>

#include "lib/hold/asking.h"

#define SHOW_LEGS_MAX    ((size_t)50)  /* of a message, whole; nobody decides about more at once */
#define SHOW_RCPTS_MAX   ((size_t)500) /* of a leg */
#define SHOW_RECORDS_MAX ((size_t)200) /* of its history: the last ones */
#define LIST_PAGE        ((size_t)50)
#define LIST_LOOKED_MAX  ((size_t)5000) /* recipients that a search looks at in legs */
#define LIST_RCPTS       ((size_t)3)    /* that a line of a list names */

struct lines; /* lib/hold/lines.h */

/* A string; bytes that are no UTF-8 become U+FFFD. NULL: no memory. */
json_t *show_text(const char *text, size_t len);

/* "2026-11-22T09:35:01.123456Z"; null for 0 and less. */
json_t *show_time(int64_t time);

/* The state as people know it: "approval", "held", "discarded", "refused", "sent". */
const char *show_state(enum spool_state state);

/*
 * What becomes of the leg if nobody approves it in time, the setting approve-expiry: "wait" or "discard"; null if it
 * waits for no approval.
 */
json_t *show_expires(const struct asker *asker, const struct asked_leg *leg);

/* Everything that the page of a message says of one leg, to somebody who is `role` to it. */
json_t *show_leg(struct asker *asker, struct asked_leg *leg, const struct asker_role *role,
    bool english, bool copy);

/* What was last decided about a leg: what, by, via, at, reason; null if nothing was. */
json_t *show_last(const struct leg *leg, const struct asker_role *role);

/* What a list is asked for: a page's number, from 1, and as what, INDEX_…; 0: that cannot be understood. */
size_t show_page_asked(const char *text);
unsigned show_as(const char *word);

/* Adds what every list has. `mails` is the answer's from now on. */
void show_page(json_t *answer, size_t page, size_t total, bool complete, json_t *mails);

/* Adds the answer to `list` to `answer`; lines that were made are kept in `lines`. False: no memory. */
NODISCARD bool show_list(
    struct asker *asker, struct lines *lines, const struct gate_request *request, json_t *answer);

/* ---- words.c ---- */

/* Appends what a rule decided as a sentence, Japanese or English. All decoded, NUL-ended, "" if unsaid. */
struct rule_said {
	const char *function, *outcome, *rule, *where, *evidence;
	bool shadow, watch;
};
void words_of_rule(struct buf *out, bool english, const struct rule_said *said);

/* Appends what will happen to the leg next by itself: "It will be sent at …". Nothing if nothing will. */
void words_of_times(struct buf *out, bool english, const struct asked_leg *leg);

#endif
