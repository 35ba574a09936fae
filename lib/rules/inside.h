/*
 * Between the files of lib/rules: one line of a file of rules as tokens, and what reads them. Every
 * reader takes its tokens, fills what it is given, and returns false once the fault is told.
 */
#ifndef SEKISHO_RULES_INSIDE_H
#define SEKISHO_RULES_INSIDE_H

#include "lib/rules/parse.h"

#define LINE_TOKENS_MAX     ((size_t)2048)
#define ROW_TOKENS_MAX      ((size_t)64) /* of a row of a table */
#define ROW_LINE_MAX        ((size_t)1024)
#define RULE_CONDITIONS_MAX ((size_t)100) /* lines of one rule */
#define RULE_ACTIONS_MAX    ((size_t)50)
#define RULE_APPROVERS_MAX  ((size_t)8)
#define RULE_NAME_MAX       ((size_t)64)
#define RULE_TEXT_MAX       ((size_t)1000) /* of one string */
#define RULE_NUMBER_MAX     UINT64_C(1000000000)
#define RULE_SPAN_MAX       (INT64_C(366) * 86400 * 1000000) /* microseconds */
#define QUOTED_MAX          ((size_t)64) /* of what errors quote, with its NUL */

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_STRING,
	TOKEN_COMMA,
	TOKEN_COMPARE,
	TOKEN_SEMICOLON
};

struct token {
	enum token_kind kind;
	enum rule_compare compare;
	const char *text; /* NUL-ended; a string without its quotes */
	size_t len;
	unsigned column, end; /* where it begins, and where what is behind it does */
	unsigned escape;      /* a string: column of a backslash before another letter; 0: none */
};

struct parser {
	struct arena *arena;
	const struct rule_names *names;
	struct conf_fault *fault;
	rule_see *see;
	void *context;

	/* The line. */
	const char *bytes;
	size_t len;
	unsigned number;
	unsigned margin; /* columns before `bytes` */
	bool row;        /* of a table: ';' separates, and only FILES and PASSWORD are said */
	size_t tokens, at;
	size_t tokens_max, len_max;
	struct token *token; /* one more than tokens_max */
	char *text;          /* of the tokens */

	/* The rule. */
	bool open;
	struct rule rule;
	struct rule_condition *condition;
	struct rule_action *action;

	/* The names of the file's rules so far, hashed. */
	const struct rule **seen;
	size_t seen_room;
	size_t rules;
};

/* ---- words.c ---- */

/* The number of the word in a table of `n`, or n. */
size_t rule_word_find(const char *const *words, size_t n, const char *text);

extern const char *const rule_kind_words[DETECT_KIND_COUNT];
extern const char *const rule_place_words[PLACE_COUNT];
extern const char *const rule_class_words[CLASS_COUNT];
extern const char *const rule_trait_words[TRAIT_COUNT];
extern const char *const rule_level_words[LEVEL_COUNT]; /* with "none" in front */

/* ---- lex.c ---- */

/* Cuts the line into tokens; a comment is none. */
NODISCARD bool lex_line(struct parser *p, const char *bytes, size_t len);

const struct token *lex_peek(const struct parser *p);
const struct token *lex_peek_second(const struct parser *p);
const struct token *lex_next(struct parser *p);

bool lex_is(const struct token *token, const char *word);

/* Takes the next token if it is that word. */
bool lex_take(struct parser *p, const char *word);
bool lex_take_comma(struct parser *p);

bool parser_blame(struct parser *p, const struct token *token, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* "expected WHAT, not "x": near?"; the near word out of `words`, each `stride` apart. */
bool parser_expected(struct parser *p, const struct token *token, const char *what,
    const void *words, size_t n, size_t stride);

/* False, blaming, if there is something behind. */
NODISCARD bool lex_expect_end(struct parser *p);
NODISCARD bool lex_expect(struct parser *p, const char *word, const char *what);

/* Memory of the arena; NULL: blamed. */
NODISCARD void *parser_take(struct parser *p, size_t n, size_t size);
NODISCARD const char *parser_keep(struct parser *p, const char *text, size_t len);

/* The most items that a list beginning here can have. */
size_t lex_list_room(const struct parser *p);

/* `text` as errors quote it, whole letters. */
const char *parser_quoted(const char *text, char into[QUOTED_MAX]);

/* ---- values.c ---- */

NODISCARD bool parse_number(
    struct parser *p, uint64_t smallest, uint64_t largest, uint64_t *number);
NODISCARD bool parse_count(struct parser *p, struct rule_count *count);
NODISCARD bool parse_amount(struct parser *p, struct rule_count *amount);
NODISCARD bool parse_duration(struct parser *p, int64_t *span);
NODISCARD bool parse_string(struct parser *p, const char *what, const char **text);

/* "09:30", minutes of the day; `last` is the latest that can be. */
NODISCARD bool parse_time(struct parser *p, const struct token *token, const char *text, size_t len,
    int last, int *minute);

/* Letters, digits, '-', '_' and '.', which is not the first. */
bool rule_name_good(const char *text);
NODISCARD bool parse_name(struct parser *p, const char *what, const char **name);

/* The name of something that must exist. */
NODISCARD bool parse_known(struct parser *p, enum rule_name_kind kind, const char **name);

NODISCARD bool parse_address(struct parser *p, const struct token *token, const char **address);
NODISCARD bool parse_domain(
    struct parser *p, const struct token *token, const char *text, const char **domain);

/* ---- who.c ---- */

enum who_use { WHO_OF_FROM, WHO_OF_TO, WHO_OF_HEADER };

NODISCARD bool parse_whos(struct parser *p, struct rule_condition *condition, enum who_use use);

/* One address, boss or group, of an action. */
NODISCARD bool parse_whom(struct parser *p, struct rule_who *who);

/* ---- conditions*.c ---- */

NODISCARD bool parse_condition(struct parser *p, struct rule_condition *condition);

NODISCARD bool parse_file(struct parser *p, struct rule_condition *condition);
NODISCARD bool parse_files(struct parser *p, struct rule_condition *condition);
NODISCARD bool parse_words(struct parser *p, struct rule_condition *condition);
NODISCARD bool parse_texts(struct parser *p, struct rule_condition *condition, bool *lists);
NODISCARD bool parse_regex(struct parser *p, struct rule_condition *condition);
NODISCARD bool parse_pii(struct parser *p, struct rule_condition *condition);
NODISCARD bool parse_company(struct parser *p, struct rule_condition *condition);
NODISCARD bool parse_when(struct parser *p, struct rule_condition *condition);

/* Whether the word begins a condition, or an action: for those who mix them up. */
bool rule_condition_word(const char *word);
bool rule_action_word(const char *word);

/* ---- actions*.c ---- */

/* Up to the end of the line, or in a row up to ';'. */
NODISCARD bool parse_action(struct parser *p, struct rule_action *action);

NODISCARD bool parse_approve(struct parser *p, struct rule_action *action);
NODISCARD bool parse_hold(struct parser *p, struct rule_action *action);
NODISCARD bool parse_zip(struct parser *p, struct rule_action *action);
NODISCARD bool parse_link(struct parser *p, struct rule_action *action);
NODISCARD bool parse_as(struct parser *p, struct rule_action *action);

/* The words that the choice may be, "a, b or c" in errors. */
NODISCARD bool parse_choice(
    struct parser *p, const char *const *words, size_t n, const char *what, unsigned *choice);

#endif
