/* Between the files that read a set of rules: set*.c. */
#ifndef SEKISHO_POLICY_SET_INSIDE_H
#define SEKISHO_POLICY_SET_INSIDE_H

#include "lib/policy/set.h"

#define SET_ARENA_MAX   ((size_t)128 * 1024 * 1024)
#define BUNDLE_NAME_MAX ((size_t)600) /* "user/ADDRESS/NAME" */

/* ---- set_bundle.c: the file `rules`, taken apart ---- */

/* One file of rules. */
struct bundle_file {
	const char *name; /* "must/50-external", in the arena */
	enum policy_layer layer;
	const char *owner; /* NULL in must and default */
	const char *bytes; /* in the bundle */
	size_t len;
};

struct bundle {
	struct bundle_file *file; /* in order of layer, owner, name; free() */
	size_t files, room;
	const char *allow; /* NULL: there is none */
	size_t allow_len;
};

/* Texts are in the arena and in `bytes`. False with `fault`; call bundle_free in any case. */
NODISCARD bool bundle_read(struct bundle *bundle, struct arena *arena, const char *bytes,
    size_t len, struct conf_fault *fault);
void bundle_free(struct bundle *bundle);

/* ---- set_allow.c: etc/allow ---- */

NODISCARD bool allow_read(
    struct policy *policy, const char *bytes, size_t len, struct conf_fault *fault);

/*
 * Whether the rule decides only what its layer may; `fault` has its file already. A user's rule fits that decides
 * what no user may just now: it decides nothing then (lib/policy/outcome.c), and a warning says so.
 */
NODISCARD bool allow_fits(
    const struct policy *policy, const struct rule *rule, struct conf_fault *fault);

/* ---- set_numbers.c: what is looked for, numbered ---- */

/* Numbers words, expressions and fields of all rules and gathers what is asked. False with `fault`. */
NODISCARD bool numbers_give(struct policy *policy, struct conf_fault *fault);

/* ---- set_texts.c ---- */

/* Whether seki-inspect will take the words and expressions. False with `fault`. */
NODISCARD bool texts_check(const struct policy *policy, struct conf_fault *fault);

#endif
