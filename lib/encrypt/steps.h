/* What a leg is to be changed into. Internal to lib/encrypt. */
#ifndef SEKISHO_ENCRYPT_STEPS_H
#define SEKISHO_ENCRYPT_STEPS_H

#include "queue/leg.h"

enum step_word {
	STEP_KEEP,    /* nothing is changed */
	STEP_TOP,     /* etc/texts/NAME before the text */
	STEP_END,     /* and behind it */
	STEP_HISTORY, /* who checked it, behind it */
	STEP_OTHER,   /* a sealing that this version cannot do */
};

struct step {
	enum step_word word;
	const char *text; /* the name below etc/texts, not NUL-ended: letters, digits, '-', '_' */
	size_t text_len;
};

/* Reads one step, strictly. */
struct step step_read(const struct plan_step *step);

/* Whether a text of that step is in the content already, by an earlier plan's step. */
bool step_is_inserted(const struct leg *leg, const struct step *step);

#define STEP_ETC_TEXT_MAX ((size_t)65536)

/*
 * Appends the text, UTF-8. NULL if it is there; else why not, a literal, and `*later` if only the
 * system failed. `etc`: the configuration's directory.
 */
const char *step_read_text(int etc, const struct step *step, struct buf *text, bool *later);

/* Appends the history of what people decided about the leg, as outsiders may see it; nothing if nobody
 * has. False: no memory. */
NODISCARD bool step_write_history(const struct leg *leg, struct buf *text);

#endif
