/*
 * Compiling the configuration into what daemons open: one generation, a directory
 *
 *     lib/compiled/RULES-ORG/rules     the rules of etc/policy and etc/allow, their very bytes
 *     lib/compiled/RULES-ORG/org.cdb   people, groups, domains, lists, tables, partners, holidays
 *     lib/compiled/current             a symbolic link to it, replaced by one rename
 *
 * so that whoever opens `current` once sees all of one generation, or all of another. RULES and ORG are
 * the first 16 hex digits of the SHA-256 of the two files. The file `rules` of each generation is
 * kept: a leg names it. org.cdb is kept of the newest two. All of it belongs to the owner of lib/compiled.
 *
 * rules: "sekisho-rules 1\n", then for each file "file NAME SIZE\n" and SIZE bytes, in order of layer
 * and name: "allow", "must/50-external", "group/sales/10-zip", "user/alice@example.co.jp/10-a",
 * "default/90-rest".
 */
#ifndef SEKISHO_ORG_COMPILE_H
#define SEKISHO_ORG_COMPILE_H

#include "lib/base/conf.h"
#include "lib/rules/parse.h"

#define COMPILED         "lib/compiled"
#define COMPILED_CURRENT "lib/compiled/current"
#define COMPILED_RULES   "rules"
#define COMPILED_NAME    40 /* RULES-ORG with its NUL */

/* What may be named, of all files of etc/. */
struct org_names;

/*
 * Reads people, groups, domains, lists/, tables/, partners, holidays, passwords/, texts/, and the
 * names of words/ below `etc`, and writes org.cdb in the directory `dir`; 100,000 partners and 10,000
 * people within 2 seconds. False with `fault` filled. `names` (or NULL) is given to the caller, who
 * frees it.
 */
NODISCARD bool org_compile(int etc, int dir, struct org_names **names, struct conf_fault *fault);

/* The same without writing anything, for seki check. */
NODISCARD bool org_check(int etc, struct org_names **names, struct conf_fault *fault);
void org_names_free(struct org_names *names);

/* For struct rule_names. */
rule_name_known org_name_known;

/*
 * Writes the file `rules` in `dir` from etc/policy and etc/allow, without looking into them. Counted are
 * regular files in must/ and default/, and the file, or the files of the directory, group/NAME of a
 * group that etc/groups declares and user/ADDRESS. Passed over are tests/, README and what editors
 * leave (lib/org/folder.h); anything else is a fault.
 */
NODISCARD bool rules_bundle(int etc, int dir, struct conf_fault *fault);

/* Writes the file `rules` in `dir`, which has none. False with `fault`. */
NODISCARD bool rules_write(int dir, const char *bytes, size_t len, struct conf_fault *fault);

/* ---- generations ---- */

/* One that compile_prepare has made, and that is not the current one yet. */
struct generation {
	char name[COMPILED_NAME];
	bool made;    /* it was not there before */
	bool current; /* it is the current one already: nothing was changed */
};

/*
 * Takes the lock below the directory `compiled`: a file that only its owner and root can open, since whoever can
 * open a file can lock it for ever. Waits `seconds` at most. Returns a descriptor, whose close gives the lock back;
 * -1 with errno, EWOULDBLOCK: somebody else has it.
 */
#define COMPILED_LOCK ".lock"
NODISCARD int compile_lock(int compiled, unsigned seconds);

/*
 * Makes a generation out of `etc` below the directory `compiled`, durably. The caller has the lock, from before
 * this until it has published or abandoned. `names` (or NULL) is as org_compile has it, for policy_open_checked. False with
 * `fault`: then there is nothing to publish or to abandon.
 */
NODISCARD bool compile_prepare(int etc, int compiled, struct generation *generation,
    struct org_names **names, struct conf_fault *fault);

/*
 * The same out of `rules`, the bytes of the file of that name, and of the org.cdb that is in force; nothing of
 * etc/ is read, so that what an administrator has not put in force yet stays so.
 */
NODISCARD bool compile_rules(int compiled, const char *rules, size_t len,
    struct generation *generation, struct conf_fault *fault);

/*
 * Makes it the current one, durably, by one rename; then org.cdb of all but this and the one that was
 * current before is removed. False with `fault`: what was current stays so.
 */
NODISCARD bool compile_publish(
    int compiled, const struct generation *generation, struct conf_fault *fault);

/* Takes it away again, if compile_prepare has made it: no leg can name it. */
void compile_abandon(int compiled, const struct generation *generation);

/*
 * compile_prepare and compile_publish, for tests: whether rules name what exists, and whether they can be
 * read, nobody has looked. `name` gets its name. Nothing is changed if it is the current
 * one already. False with `fault`.
 */
NODISCARD bool compile_generation(
    int etc, int compiled, char name[COMPILED_NAME], struct conf_fault *fault);

#endif
