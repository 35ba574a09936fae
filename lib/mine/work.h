/* Between the files that answer: one request and what was found out for it. */
#ifndef SEKISHO_MINE_WORK_H
#define SEKISHO_MINE_WORK_H

#include "lib/mine/answer.h"
#include "lib/mine/file.h"
#include "lib/mine/form.h"
#include "lib/policy/policy.h"

#define MINE_ARENA_MAX ((size_t)16 * 1024 * 1024)
#define MINE_PATH_MAX  (MINE_ADDRESS_MAX + 8) /* "user/ADDRESS" */

/* Rules of a file, in order; they live in the arena. */
struct mine_rules {
	const struct rule **rule;
	size_t n, room;
};

struct mine_work {
	const struct mine *mine;
	struct mine_request request;
	json_t *json; /* the answer */
	char address[ORG_ADDRESS_MAX];
	char path[MINE_PATH_MAX]; /* "user/ADDRESS" */
	struct arena *arena;
	int lock;              /* of lib/compiled; -1: not taken */
	struct policy *policy; /* in force */
	struct buf rules;      /* its file `rules` */
	struct mine_file file;
	struct mine_rules own; /* of the file */
	struct conf_fault fault;
	bool readable; /* the file can be read as rules; else `fault` says why not */

	/* What it is to become. */
	struct buf fresh;  /* the file */
	struct buf bundle; /* the file `rules` */
	struct mine_rules next;
	char name[68];    /* of a rule that has none */
	struct rule rule; /* that is added */
	unsigned line;    /* of it in `fresh`; 0: none is added */
	struct buf text;  /* of it */
	enum mine_key key[MINE_LINES];
	struct policy *checked;
};

/* ---- answer.c ---- */

void mine_set(json_t *object, const char *key, json_t *value);

/* Bytes as text of JSON; what is no UTF-8 becomes "?". */
json_t *mine_text(const char *bytes, size_t len);

/* "no", with its code. Returns false. */
bool mine_no(struct mine_work *w, const char *code);

/* It cannot be done just now: says so, and why in the log. Returns false. */
bool mine_later(struct mine_work *w, const char *what, const char *why);

bool mine_no_fault(struct mine_work *w, const struct conf_fault *fault);

/* Reads rules into `rules`. `known` (or NULL) as rules_parse has it. False with `fault`. */
NODISCARD bool mine_parse(struct mine_work *w, const char *bytes, size_t len,
    const struct rule_names *known, struct mine_rules *rules, struct conf_fault *fault);

/* Opens what is in force and reads the person's file. False: answered. */
NODISCARD bool mine_look(struct mine_work *w);

/* ---- list.c ---- */

void mine_list(struct mine_work *w);

/* Where a rule begins and ends in the bytes of its file; without the blank lines behind it. */
void mine_rule_place(const struct buf *file, const struct rule *rule, size_t *begin, size_t *end);

/* Whether this version carries out the function. */
NODISCARD bool mine_can(enum policy_function function);

/* ---- check.c ---- */

/* Makes `fresh` and `bundle` of the form, or without rule `n`, and checks them. False: answered. */
NODISCARD bool mine_try(struct mine_work *w);
NODISCARD bool mine_cut(struct mine_work *w);

/* name, text and warnings of the rule that is added. */
void mine_tell_rule(struct mine_work *w);

/* ---- bounds.c ---- */

/* Whether people's rules leave room for others, in `checked`. False: answered. */
NODISCARD bool mine_bounds(struct mine_work *w);

/* ---- change.c ---- */

/* Takes the lock, until the work ends, and ends what others have begun. False: answered. */
NODISCARD bool mine_lock(struct mine_work *w);

/* Puts `fresh` and `bundle` in force. False: answered. */
NODISCARD bool mine_change(struct mine_work *w);

#endif
