/*
 * A rule as sekisho-policy(5) writes it, read and checked: what is matched, and what is done. Pure
 * data; made by lib/rules/parse.h, evaluated by lib/policy/judge.c. Texts are UTF-8, NUL-ended and
 * live as long as the set of rules.
 */
#ifndef SEKISHO_RULES_RULE_H
#define SEKISHO_RULES_RULE_H

#include "lib/base/compat.h"
#include "lib/detect/hits.h"

/* ---- words of the language: X(NAME, word) ---- */

#define POLICY_LAYERS(X) X(MUST, "must") X(GROUP, "group") X(USER, "user") X(DEFAULT, "default")

/* The functions, in the order in which a plan and "seki why" tell them. */
#define POLICY_FUNCTIONS(X)                                                                        \
	X(REFUSE, "refuse")                                                                        \
	X(BOUNCE, "bounce")                                                                        \
	X(APPROVE, "approve")                                                                      \
	X(HOLD, "hold")                                                                            \
	X(FILES, "files")                                                                          \
	X(PASSWORD, "password")                                                                    \
	X(BCC, "bcc")                                                                              \
	X(STAGGER, "stagger")                                                                      \
	X(TLS, "tls")                                                                              \
	X(NOTICE, "notice")                                                                        \
	X(SIGN, "sign")                                                                            \
	X(ROUTE, "route")                                                                          \
	X(ADD_BCC, "add-bcc") /* from here on additive */                                          \
	X(INSERT, "insert")                                                                        \
	X(FORWARD, "forward")                                                                      \
	X(COPY, "copy")                                                                            \
	X(ARCHIVE, "archive")

#define POLICY_CLASSES(X)                                                                          \
	X(INTERNAL, "internal") X(AFFILIATED, "affiliated") X(EXTERNAL, "external")
#define POLICY_TRAITS(X)                                                                           \
	X(UNINSPECTABLE, "uninspectable")                                                          \
	X(AMBIGUOUS, "ambiguous")                                                                  \
	X(VIRUS, "virus")                                                                          \
	X(SIGNED, "signed")                                                                        \
	X(ENCRYPTED, "encrypted")                                                                  \
	X(AUTOMATIC, "automatic") X(REPLY, "reply") X(PROMISES_FILE, "promises-file")
#define POLICY_TLS(X)                                                                              \
	X(NONE, "none") /* not a word of rules */                                                  \
	X(STARTTLS, "starttls") X(VERIFIED, "verified") X(STS, "sts") X(DANE, "dane")

#define X(name, word) LAYER_##name,
enum policy_layer { POLICY_LAYERS(X) LAYER_COUNT };
#undef X
#define X(name, word) FUNCTION_##name,
enum policy_function { POLICY_FUNCTIONS(X) FUNCTION_COUNT };
#undef X
#define FUNCTION_ADDITIVE FUNCTION_ADD_BCC /* this and those behind it */
#define X(name, word)     CLASS_##name,
enum policy_class { POLICY_CLASSES(X) CLASS_COUNT };
#undef X
#define X(name, word) TRAIT_##name,
enum policy_trait { POLICY_TRAITS(X) TRAIT_COUNT };
#undef X
#define X(name, word) LEVEL_##name,
enum policy_tls { POLICY_TLS(X) LEVEL_COUNT };
#undef X

const char *policy_layer_word(enum policy_layer layer);
const char *policy_function_word(enum policy_function function);
const char *policy_class_word(enum policy_class class);
const char *policy_trait_word(enum policy_trait trait);
const char *policy_tls_word(enum policy_tls level);

/* ---- conditions ---- */

enum rule_compare { CMP_GE, CMP_GT, CMP_LE, CMP_LT, CMP_EQ };

/* "visible >= 5", "files size >= 2MB" (bytes). */
struct rule_count {
	enum rule_compare compare;
	uint64_t number;
};

/* "first-time", "first-time for group", "first-time for site". */
enum rule_scope { SCOPE_SENDER, SCOPE_GROUP, SCOPE_SITE };

enum rule_who_kind {
	WHO_ADDRESS,    /* text: in the normal form of org_normal() */
	WHO_DOMAIN,     /* text: the domain alone */
	WHO_SUBDOMAINS, /* "@.example.co.jp": text: "example.co.jp" */
	WHO_NULL,       /* <> */
	WHO_GROUP,
	WHO_LIST,
	WHO_BOSS, /* of the sender */
	WHO_SENDER,
	WHO_ANY,
	/* of `to` alone: */
	WHO_CLASS,
	WHO_PARTNER,
	WHO_FIRST_TIME,
	WHO_LOOKALIKE,
	WHO_TABLE,
	WHO_TLS,
};

struct rule_who {
	enum rule_who_kind kind;
	const char *text;
	enum policy_class class;
	enum rule_scope scope;
	struct rule_count tls; /* number: enum policy_tls */
};

/* A text to be found: itself, or a list of etc/words. */
struct rule_text {
	bool list;
	const char *text;
	size_t number; /* of what seki-inspect is asked: "word number=…"; from 1, 0: a list */
};

enum rule_property {
	FILE_ANY,
	FILE_NAME,
	FILE_SIZE,
	FILE_NAMELESS,
	FILE_ENCRYPTED,
	FILE_INSPECTABLE,
	FILE_AS_NAMED
};

struct rule_file {
	enum rule_property property;
	bool not ;
	const char **glob; /* FILE_NAME: "*.tar.gz", case and width folded; `?` and `*` */
	size_t globs;
	struct rule_count size;
};

struct rule_kind_count {
	enum detect_kind kind;
	struct rule_count count;
};

/* "Mon-Fri 19:00-09:30", "holiday", "workday". Minutes of the day; half open. */
struct rule_span {
	bool holiday, workday;
	unsigned days; /* a bit for each, Sunday is 1 << 0; 0: any */
	bool timed;
	int begin, end; /* minutes; begin > end runs over midnight; 24:00 is 1440 */
};

enum rule_condition_kind {
	COND_ALWAYS,
	COND_FROM,
	COND_MISMATCHED,
	COND_UNREGISTERED,
	COND_TO,
	COND_HEADER_WHO,  /* "header Cc group employees" */
	COND_HEADER_TEXT, /* "header Subject "…"" */
	COND_VISIBLE,
	COND_RECIPIENTS,
	COND_HIDDEN,
	COND_COMPANIES,
	COND_FILE,
	COND_FILES_COUNT,
	COND_FILES_SIZE,
	COND_WORDS,
	COND_REGEX,
	COND_PII,
	COND_COMPANY_OTHER,
	COND_COMPANY_NONE,
	COND_MESSAGE_SIZE,
	COND_MESSAGE_TRAIT,
	COND_WHEN,
};

/* One line. Which members mean something says the kind. */
struct rule_condition {
	enum rule_condition_kind kind;
	bool unless;
	bool not ; /* of the whole list; it turns the value round, not the search */
	unsigned line, column;
	struct rule_who *who;
	size_t whos;
	const char *field;   /* COND_HEADER_*: in lower case, "to" */
	size_t field_number; /* COND_HEADER_TEXT: of what seki-inspect is asked, from 1 */
	bool has_class;
	enum policy_class class;
	bool has_count; /* COND_WORDS, COND_REGEX: optional */
	struct rule_count count;
	unsigned places; /* 1 << enum detect_place; all four if none was written */
	struct rule_file *file;
	size_t files;
	struct rule_text *text; /* COND_REGEX: one, text is the expression */
	size_t texts;
	struct rule_kind_count *pii;
	size_t piis;
	enum policy_trait trait;
	struct rule_span *span;
	size_t spans;
};

/* ---- actions ---- */

enum rule_hold { HOLD_NO, HOLD_FOR, HOLD_UNTIL, HOLD_CONFIRMED, HOLD_CHECKED, HOLD_OPERATOR };
enum rule_files { FILES_KEEP, FILES_ZIP, FILES_LINK, FILES_TABLE };
enum rule_zip { ZIP_DEFAULT, ZIP_AES, ZIP_CRYPTO };
enum rule_bcc { BCC_NO, BCC_EXTERNAL, BCC_ALL, BCC_EACH };
enum rule_notice { TELL_NEVER, TELL_DIGEST, TELL_RISKY, TELL_ALWAYS };
enum rule_insert { INSERT_TOP, INSERT_END, INSERT_HISTORY };
enum rule_else { ELSE_HOLD, ELSE_LINK };

/* One of those who approve, in turn. */
enum rule_approver_kind { APPROVER_BOSS, APPROVER_ADDRESS, APPROVER_GROUP };
struct rule_approver {
	enum rule_approver_kind kind;
	const char *text; /* the address, or the group */
	unsigned n;       /* of the group; 1: any */
};

struct rule_action {
	enum policy_function function;
	unsigned line, column;
	const char *written; /* as it stands in the rule, blanks folded: "hold 60m" */
	bool yes; /* REFUSE: refuse; BOUNCE: sender; APPROVE: by somebody; STAGGER: wait */
	const char *
	    text; /* REFUSE why, PASSWORD policy, SIGN domain, ROUTE and INSERT name, FILES table */
	int64_t span; /* HOLD_FOR, STAGGER, link for: microseconds; 0: not said */
	enum rule_hold hold;
	int minute; /* HOLD_UNTIL: of the day */
	bool workday;
	bool discard; /* … else discard */
	enum rule_files files;
	enum rule_zip zip;
	bool twice;
	const char *suffix; /* as .zi_ */
	unsigned times;
	enum rule_bcc bcc;
	enum policy_tls tls;
	enum rule_else otherwise;
	enum rule_notice notice;
	enum rule_insert insert;
	struct rule_approver *approver;
	size_t approvers;
	struct rule_who who; /* ADD_BCC, FORWARD, COPY: address, boss or group */
};

/* ---- a rule ---- */

struct rule {
	const char *name;
	const char *file; /* "must/50-external", "group/sales/10-zip", "user/alice@example.co.jp" */
	unsigned line;    /* of the word "rule" */
	bool shadow;
	enum policy_layer layer;
	const char
	    *owner; /* the group, or the user's address in normal form; NULL in must, default */
	struct rule_condition *condition;
	size_t conditions;
	struct rule_action *action;
	size_t actions;
};

#endif
