/*
 * A set of rules that is in force: what lib/org/compile.h made, read and made ready to judge by.
 * Read-only once it is there; private memory beside the mapped database is a few hundred bytes a rule.
 */
#ifndef SEKISHO_POLICY_SET_H
#define SEKISHO_POLICY_SET_H

#include "lib/base/buf.h"
#include "lib/org/org.h"
#include "lib/rules/parse.h"

#define POLICY_DIGEST ((size_t)17) /* 16 hex digits and NUL */

/* Rules of one layer and owner, in order: files by name, rules as they stand. */
struct policy_block {
	enum policy_layer layer;
	const char *owner; /* NULL in must and default */
	const struct rule *rule;
	size_t rules;
};

/* A user's rule that names a text or a password that is not there. */
struct policy_unknown {
	const char *file;
	unsigned line;
	const struct policy_unknown *next;
};

struct policy {
	struct arena *arena;
	struct org *org;
	char rules_digest[POLICY_DIGEST];
	char org_digest[POLICY_DIGEST];
	struct policy_block *block; /* must; groups in order of name; users; default */
	size_t blocks;
	size_t rules;
	/*
	 * What group and user files may decide: 1 << enum policy_function. A group's rules beyond are errors, and
	 * what a user's decide beyond counts for nothing.
	 */
	unsigned group_may, user_may;
	const struct policy_unknown *unknown; /* found by policy_open_checked alone */
	/* What seki-inspect is asked for, over all rules. */
	unsigned want;  /* 1 << enum inspect_want */
	unsigned kinds; /* 1 << enum detect_kind */
	const char **list;
	size_t lists;
	const char **word;
	size_t words; /* number 1 is word[0] */
	const char **regex;
	size_t regexes;
	const char **field;
	size_t fields; /* header fields whose texts are searched */
	bool asks_facts;
	bool asks_past; /* first-time, lookalike or reply */
	bool
	    asks_checks; /* some mail waits for people or time: its sender is told what to look at */
};

/*
 * Opens a generation: `dir` is its directory, `name` its name "RULES-ORG" (digests). NULL with `fault`
 * filled. Free with policy_close.
 */
NODISCARD struct policy *policy_open(int dir, const char *name, struct conf_fault *fault);

/*
 * The same, with what rules may name: a group, list, table … that does not exist is a fault; of a text or a password
 * in a user's file a warning tells.
 */
NODISCARD struct policy *policy_open_checked(
    int dir, const char *name, const struct rule_names *names, struct conf_fault *fault);

/*
 * Reads the bytes of a file `rules` alone: no digests, and `org` stays NULL. `file` is what faults of the
 * bundle call it; those in rules name the rules' file ("must/50-external"), etc/allow its own.
 */
NODISCARD struct policy *policy_read(const char *bytes, size_t len, const char *file,
    const struct rule_names *names, struct conf_fault *fault);

/* Opens COMPILED_CURRENT below the current directory. */
NODISCARD struct policy *policy_open_current(struct conf_fault *fault);
void policy_close(struct policy *policy);

/* Whether seki-inspect will take what the rules look for, as policy_open asks. False with `fault`. */
NODISCARD bool policy_texts_good(const struct policy *policy, struct conf_fault *fault);

/* ---- one file of the set ---- */

/* Appends the bytes of the file `rules` of the current generation, whole and unchanged. False with `fault`. */
NODISCARD bool policy_current_rules(struct buf *bytes, struct conf_fault *fault);

/* The bytes of the file `name` ("user/alice@example.co.jp") in them; NULL: it is not there. */
const char *policy_rules_find(const char *rules, size_t len, const char *name, size_t *n);

/*
 * Appends to `into` what rules_bundle would write if the file `name` had these bytes; with `n` 0, if it were not
 * there. False with `fault`.
 */
NODISCARD bool policy_rules_change(const char *rules, size_t len, const char *name,
    const char *bytes, size_t n, struct buf *into, struct conf_fault *fault);

/* How much all rules together may look for: different texts of a kind, and bytes of what is asked with them. */
struct policy_bounds {
	size_t words, regexes, fields, bytes;
};
struct policy_bounds policy_bounds(void);

/* Bytes that a text takes of these. */
size_t policy_text_takes(const char *text);

/* The lines of an "ask" (lib/inspect/protocol.h) but for limits and "go": want, pii, list, word, regex,
 * field, evidence; and `own` for each of our domains. */
void policy_ask(const struct policy *policy, struct buf *ask);

/* ---- what is odd about rules, for seki check: warnings, never errors ---- */

/* "must/50-external:12: never reached: …". False stops. */
typedef bool policy_warn(void *context, const char *where, const char *text);

/*
 * Rules that are never reached, contradictions, and actions that this version cannot carry out yet
 * (such mail waits). At most quadratic in the rules of one function, and bounded.
 */
void policy_warnings(const struct policy *policy, policy_warn *warn, void *context);

/* The same of the rules of one user alone. */
void policy_warnings_of(
    const struct policy *policy, const char *user, policy_warn *warn, void *context);

#endif
