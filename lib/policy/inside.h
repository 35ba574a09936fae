/*
 * Between the files of lib/policy: facts as they are kept (facts.c), and one judging (judge.c), with
 * what its steps ask of each other.
 */
#ifndef SEKISHO_POLICY_INSIDE_H
#define SEKISHO_POLICY_INSIDE_H

#include <time.h>

#include "lib/policy/policy.h"

/* Kleene's: what is not known stays unknown unless the rest decides. */
enum truth { TRUTH_NO, TRUTH_YES, TRUTH_UNKNOWN };

/* ---- facts.c ---- */

#define PLACE_MASKS (1u << PLACE_COUNT)
#define ALL_PLACES  (PLACE_MASKS - 1)

enum fact_field { FIELD_FROM, FIELD_REPLY_TO, FIELD_TO, FIELD_CC, FIELD_OTHER };

struct fact_address {
	enum fact_field field;
	bool envelope; /* the mail goes to it */
	const char *address, *name;
};

/* Of some members of a ZIP: the others lie open, so it is encrypted and is not. */
enum fact_encrypted { ENCRYPTED_NO, ENCRYPTED_ALL, ENCRYPTED_SOME, ENCRYPTED_UNKNOWN };

/* A name of a file, folded as globs are compared. */
struct fact_name {
	const char *part, *folded;
	struct fact_name *next; /* of the same file */
};

struct fact_file {
	const char *part, *name;
	size_t number; /* in the order in which they were told */
	uint64_t size;
	bool nameless;
	bool nested; /* in a message that is attached */
	bool closed; /* it, or something in it, could not be looked into */
	bool as_named;
	enum fact_encrypted encrypted;
	struct fact_name *names; /* `name` and other ones */
};

struct fact_part {
	const char *path, *role;
};

struct fact_closed {
	const char *part, *reason;
};

/* Values of a kind, or words of a list, as they may be shown. */
struct fact_shown {
	size_t number; /* the kind, or the number of an expression */
	const char *list;
	unsigned places;
	const char *text;
};

/*
 * Of a list, a word, an expression: how often it was found. Where an expression reached its limit that
 * is the least there is.
 */
struct fact_count {
	const char *list;
	size_t number;
	unsigned limited; /* places */
	uint64_t count[PLACE_COUNT];
};

struct fact_company {
	const char *name, *domain;
	unsigned places;
};

struct fact_text {
	size_t number;
	const char *text, *folded;
};

/* X(type, plural): an array that grows. */
#define FACT_LISTS(X)                                                                              \
	X(fact_address, addresses)                                                                 \
	X(fact_file, files)                                                                        \
	X(fact_name, names)                                                                        \
	X(fact_part, parts)                                                                        \
	X(fact_closed, closed)                                                                     \
	X(fact_shown, values)                                                                      \
	X(fact_shown, list_words)                                                                  \
	X(fact_shown, regex_values)                                                                \
	X(fact_count, lists)                                                                       \
	X(fact_count, words)                                                                       \
	X(fact_count, regexes)                                                                     \
	X(fact_company, companies)                                                                 \
	X(fact_text, texts)

/* Why something is not known: NULL if it is. */
struct facts_unknown {
	const char *all;                /* everything */
	const char *place[PLACE_COUNT]; /* texts there */
	const char *persons;            /* names of persons anywhere */
	const char *files;              /* whether there are more */
	const char *fields;             /* texts of header fields */
};

struct facts {
	struct arena *arena;
	size_t bytes;
	bool over; /* more than is kept: nothing is known */
	struct facts_against against;
	bool message; /* its line was told */
	bool is_signed, is_encrypted, automatic, reply, promises;
	bool virus_unknown, virus_clean;
	size_t hidden;
	const char *subject, *message_id; /* NULL: not told */
	bool greeting_other;              /* who is greeted is no recipient */
	const char *greeting_company, *greeting_person;
	uint64_t pii[DETECT_KIND_COUNT][PLACE_MASKS];
	bool pii_more[DETECT_KIND_COUNT];
#define X(type, plural)                                                                            \
	struct {                                                                                   \
		struct type *at;                                                                   \
		size_t n, room;                                                                    \
	} plural;
	FACT_LISTS(X)
#undef X
	struct facts_unknown unknown; /* filled by facts_end */
};

/* ---- fold.c: letters of either case and width are the same ---- */

/* NFKC with case folded, in the arena; invalid UTF-8 is only made small. NULL: no memory. */
const char *text_fold(struct arena *arena, const char *text);

/* Whether the folded name is matched by a glob ("*.tar.gz", `?` is one letter), in time linear in it. */
NODISCARD bool glob_matches(const char *glob, const char *folded);

/* Whether the folded text has `text` in it. */
NODISCARD bool text_has(struct arena *arena, const char *folded, const char *text);

/* ---- times.c: local times ---- */

#define MOMENT_DAYS_MAX 400 /* holidays beyond are a mistake */

struct moment {
	struct tm day;    /* then */
	struct tm before; /* the day before it */
};

/* Of microseconds. */
void moment_of(int64_t time, struct moment *moment);

/* Whether a condition `when` holds then; `org` NULL: there are no holidays. */
NODISCARD bool moment_within(
    const struct org *org, const struct rule_condition *condition, const struct moment *moment);

/* ---- judging ---- */

/* What could make something known that is not. */
#define NEED_FACTS  1u
#define NEED_NAMES  2u /* facts, before the past is asked */
#define NEED_PAST   4u
#define NEED_NOBODY 8u /* nothing could: it was looked for, and is not there */

struct answer {
	enum truth truth;
	unsigned needs;     /* of an unknown one */
	const char *reason; /* of NEED_NOBODY: a word */
};

/* Somebody, in the forms in which rules may mean him. */
struct subject {
	const char *address; /* normal form */
	const char *plain;   /* without the +detail, at an own domain */
	const char *own;     /* of the person whose address it is; else `plain` */
	const char *domain;  /* in `address`; "" if there is none */
	bool person;         /* he is in etc/people */
	bool known_partner;
	enum policy_class class;
	uint32_t partner;
};

/* A rule that this message does not rule out. */
struct live {
	const struct rule *rule;
	struct answer message;  /* of the conditions that do not speak of a recipient */
	bool of_recipient;      /* there are others */
	unsigned functions;     /* 1 << enum policy_function, that it may decide */
	const char *evidence;   /* NULL: not written yet */
	const char *where;      /* the same */
	bool told_of_recipient; /* there is evidence that speaks of a recipient */
};

/* A rule that would refuse it at another time of day: all but its times speaks against it. */
struct late {
	struct live live;
	size_t place; /* in `live`: those before it come first in its layer */
};

/* What a function is to be. */
struct choice {
	struct live *live; /* NULL: nobody decided */
	const struct rule_action *action;
	int64_t rank;
};

/* An action beside others. */
struct addition {
	struct live *live;
	const struct rule_action *action;
	struct addition *next;
};

/* What becomes of the mail of one recipient. */
struct outcome {
	struct choice choice[FUNCTION_ADDITIVE];
	struct addition *additions, *last;
	unsigned unsure;      /* functions that an unknown rule may decide */
	bool surely_refused;  /* whatever unknown rules are */
	struct live *pending; /* the first unknown rule that matters, */
	const char *reason;   /* and why it is unknown */
	bool shadows;         /* a shadow rule matches */
};

#define WHO_CACHE   ((size_t)1024)
#define UNTIL_CACHE 8
#define ASKED_CACHE 16

struct who_cached {
	const struct subject *subject;
	const char *text;
	enum rule_who_kind kind;
	bool is;
};

struct judging {
	const struct policy_case *c;
	const struct policy *policy;
	const struct org *org;
	const struct facts *facts;
	struct arena *arena;
	struct policy_judgement *out;
	bool failed; /* no memory */
	bool watch;
	bool refused; /* a rule refuses it for one of its recipients; watch-only is not looked at */
	struct subject sender;
	const char **boss;
	size_t bosses;
	struct subject *rcpt;
	struct subject *header; /* of the facts' addresses; NULL: not made yet */
	bool *gets_it;          /* the same: whether the mail goes to them */
	struct outcome *outcome;
	struct live *live;
	size_t lives;
	size_t layer[LAYER_COUNT + 1]; /* where each begins in `live` */
	struct late *late;
	size_t lates;
	unsigned needs_refusal, needs_refused, needs_other, needs_shadow;
	struct who_cached cache[WHO_CACHE];
	uint32_t *partner; /* of the facts' companies; NULL: not asked yet */
	bool counted, timed;
	size_t visible[CLASS_COUNT + 1], recipients[CLASS_COUNT + 1], companies;
	struct moment moment; /* c->since */
	struct {
		int minute;
		bool workday;
		int64_t time;
	} until[UNTIL_CACHE];
	size_t untils;
	const struct choice *bcc; /* the strictest that any recipient gets: it is everybody's */
	struct {
		const char *address;
		bool is; /* a recipient */
	} asked[ASKED_CACHE];
	size_t askeds;
};

/* Memory of the judgement; NULL sets j->failed. */
void *judge_take(struct judging *j, size_t n, size_t size);
const char *judge_text(struct judging *j, const char *text, size_t len);

/* ---- who.c ---- */

/* The address as it stands in an envelope or in facts. */
void subject_of(struct judging *j, const char *address, struct subject *subject);
NODISCARD bool subject_same(const struct subject *a, const struct subject *b);
uint32_t subject_partner(const struct judging *j, struct subject *subject);

/* The subjects of the facts' addresses, made when they are first asked for; NULL: no memory. */
struct subject *header_subjects(struct judging *j);

/* Whether one of the list is meant; `rcpt` is its index, SIZE_MAX: it is no recipient. */
struct answer who_is(struct judging *j, struct subject *subject, size_t rcpt,
    const struct rule_condition *condition);
NODISCARD bool sender_in_group(struct judging *j, const char *group);
enum fact_field field_of(const char *name);

/* ---- conditions.c, content.c, times.c ---- */

struct answer answer_of(bool is);
struct answer answer_unknown(const struct judging *j, const char *reason);
struct answer answer_not(struct answer a);
struct answer answer_and(struct answer a, struct answer b);
struct answer answer_or(struct answer a, struct answer b);

/* Of a number of which at least `n` were seen; `reason`: there may be more. */
struct answer answer_count(
    const struct judging *j, const struct rule_count *count, uint64_t n, const char *reason);
NODISCARD bool count_compares(const struct rule_count *count, uint64_t n);

/* Fills j->visible, j->recipients and j->companies; place CLASS_COUNT is for all classes. */
void judge_count(struct judging *j);

/* Whether the condition speaks of a recipient. */
NODISCARD bool condition_of_recipient(const struct rule_condition *condition);

/* One condition, `unless` not looked at; `rcpt` only for those of a recipient. */
struct answer condition_holds(
    struct judging *j, const struct rule_condition *condition, size_t rcpt);

struct answer file_holds(struct judging *j, const struct rule_condition *condition);
/* How one file answers a line's words. */
struct answer file_answer(
    struct judging *j, const struct rule_condition *condition, const struct fact_file *file);
struct answer content_holds(struct judging *j, const struct rule_condition *condition);
struct answer company_other(struct judging *j, const struct rule_condition *condition, size_t rcpt);
NODISCARD bool company_is_other(struct judging *j, const struct fact_company *company, size_t rcpt);
uint64_t pii_count(const struct facts *facts, enum detect_kind kind, unsigned places);
const struct fact_count *count_of(const struct facts *facts, const struct rule_condition *condition,
    const struct rule_text *text);

NODISCARD bool when_holds(struct judging *j, const struct rule_condition *condition);
/* "hold until 09:00 workday": microseconds; -1: no such day for 400 days. */
int64_t hold_until(struct judging *j, const struct rule_action *action);
/* The local time of c->since. */
const struct tm *judge_day(struct judging *j);

/* ---- outcome.c ---- */

/* Fills j->live, then each outcome. */
void find_live(struct judging *j);
void find_outcome(struct judging *j, size_t rcpt, bool shadows, struct outcome *o);
/* How a live rule's conditions answer for a recipient. */
struct answer live_matches(struct judging *j, const struct live *live, size_t rcpt);
/* What outweighs what in a scale; 0 where there is none. */
int64_t action_rank(struct judging *j, const struct rule_action *action);
NODISCARD bool function_has_scale(enum policy_function function);

/* ---- plan.c ---- */

/* What makes an operator look first of all. */
struct operator_wish {
	const char *why;    /* NULL: nothing but what door and settings ask for */
	const char *reason; /* NULL: none is said */
	const char *where;  /* NULL */
};

/* " hold operator …" if somebody wants it: whether it was added. */
bool add_operator(struct buf *plan, const struct policy_case *c, const struct operator_wish *wish);

/* Whether door or settings ask for an operator, whatever is in the mail. */
NODISCARD bool wants_operator(const struct policy_case *c);

/* The plan of a recipient; `rules`: with "rule=", which two recipients may differ in. */
void write_plan(struct judging *j, size_t rcpt, bool rules, struct buf *plan);
/* The strictest bcc that any recipient gets; NULL: no rule speaks of it. */
const struct choice *bcc_of_all(const struct judging *j);
const char *live_where(struct judging *j, struct live *live);

/* ---- waits.c ---- */

/* Whether it waits for time or for people, and not for an operator alone. */
NODISCARD bool outcome_waits(struct judging *j, const struct outcome *o);
/* Whether it leaves later than at once, whatever it waits for. */
NODISCARD bool outcome_is_late(struct judging *j, const struct outcome *o);

/*
 * Adds the times in which rules forbid mail to that recipient to leave, as lib/policy/window.h has them,
 * xtext, and nothing if there are none. Returns the first of these rules, or NULL.
 */
struct live *add_window(struct judging *j, size_t rcpt, struct buf *window);

/* What somebody could find out about the rules of add_window; NEED_NOBODY is none. */
unsigned needs_of_windows(struct judging *j);

/* ---- check.c ---- */

/* Whether the sender's checks, or the group, still need something that may be asked for. */
enum policy_verdict verdict_of_checks(struct judging *j);
/* "about …", "check …": added to each group's records. */
void make_checks(struct judging *j);

/* ---- legs.c, decided.c, evidence.c, refusal.c ---- */

/* By the division law: recipients whose plans are the same are one leg. */
void make_groups(struct judging *j);
/* All recipients, with an empty plan. */
void make_one_group(struct judging *j);

/* Who decided what; behind them the groups' records. */
void make_decisions(struct judging *j);
void make_records(struct judging *j);

/* Which of a leg's recipients a record is about. */
struct member {
	size_t group, number; /* from 1, within the group */
};
/* " rcpt=1,3-5" */
void add_members(struct buf *line, const struct member *m, size_t n);

/* Fills j->refused. */
void find_refusal(struct judging *j);
void make_refusal(struct judging *j);

/* Of mail of senders who are not registered, by the setting unknown-senders. */
void refuse_unknown(struct judging *j);

/* What of the message made the rule match, for that recipient; "" if there is nothing to tell. */
const char *evidence_of(struct judging *j, struct live *live, size_t rcpt);

/* ---- fixed.c ---- */

/* False: no memory. */
NODISCARD bool fixed_judge(const struct policy_case *c, struct policy_judgement *j);

#endif
