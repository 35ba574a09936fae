/*
 * A plan: what must have happened to a leg before it is delivered. N lines, one word and its
 * arguments each, in the order in which they are carried out; the last is `deliver`.
 */
#ifndef SEKISHO_QUEUE_PLAN_H
#define SEKISHO_QUEUE_PLAN_H

#include "lib/base/buf.h"
#include "lib/base/compat.h"
#include "queue/name.h"

#define PLAN_STEPS_MAX  64
#define PLAN_DIGEST_LEN 16

enum plan_word {
	WORD_APPROVE,
	WORD_HOLD,
	WORD_ENCRYPT,
	WORD_STAGGER,
	WORD_DELIVER,
	WORD_UNKNOWN, /* a later version's: stops the leg */
};

struct plan_step {
	enum plan_word word;
	const char *text; /* "hold until=…": the line without its space and newline */
	size_t len;
	bool closed; /* its closing record, naming this plan, stands in the trailer */
};

struct plan {
	char digest[PLAN_DIGEST_LEN + 1];
	size_t steps; /* 0: there is no plan */
	struct plan_step step[PLAN_STEPS_MAX];
};

/* The digest of the lines `text` (each " …\n") as the plan of leg ID.K. */
void plan_digest(
    const char *id, const char *k, const char *lines, size_t len, char digest[PLAN_DIGEST_LEN + 1]);

/*
 * Reads the N lines of a plan record. `lines` must outlive the plan. False if they are not N
 * lines, the digest is another, or there is no `deliver` at the end and only there.
 */
NODISCARD bool plan_read(struct plan *plan, const char *id, const char *k, const char *lines,
    size_t len, size_t n, const char *digest);

/*
 * Reads the lines alone, whatever their digest, into steps that are all open; leaves plan->digest
 * as it is. False if they are no plan.
 */
NODISCARD bool plan_parse(struct plan *plan, const char *lines, size_t len);

/* Adds the whole record for `lines` to `out`: "plan N sha256=DIGEST\n" and the lines. */
void plan_write(struct buf *out, const char *id, const char *k, const char *lines, size_t len);

/* The state in which a word is carried out. WORD_UNKNOWN has none: do not ask. */
enum spool_state plan_word_state(enum plan_word word);

/* The word of a closing record: held, approved, sealed, staggered. NULL if there is none. */
const char *plan_closing(enum plan_word word);

/* The first step that is not closed; NULL if there is no plan. */
const struct plan_step *plan_open_step(const struct plan *plan);

/* The step of that word, or NULL. */
const struct plan_step *plan_find(const struct plan *plan, enum plan_word word);

/* Whether a step says exactly this. */
bool plan_step_is(const struct plan_step *step, const char *text);

/*
 * Whether each word of a step is one of `plain` or an argument with one of `keys`; both end in NULL.
 * What a program does not know it must not pass over: what it does not read may make the step stricter.
 */
bool plan_knows(const struct plan_step *step, const char *const *plain, const char *const *keys);

/*
 * The value of argument `key` ("until") of a step, or NULL. `len` is its length; it points into
 * the step's text.
 */
const char *plan_argument(const struct plan_step *step, const char *key, size_t *len);

#endif
