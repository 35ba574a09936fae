/*
 * A form as a rule, and a rule as text and as a form. What the form says becomes data first, read by what stands
 * here; its text is written from that data, and read again by the language's own reader: both must be the same
 * rule. So no value can be more than a value, whatever stands in it.
 */
#ifndef SEKISHO_MINE_FORM_H
#define SEKISHO_MINE_FORM_H

#include <jansson.h>

#include "lib/base/buf.h"
#include "lib/mine/request.h"
#include "lib/rules/parse.h"

#define MINE_TEXT_MAX   ((size_t)300) /* bytes of one word that is looked for, or name of a file */
#define MINE_ITEMS_MAX  ((size_t)20)  /* of them in a field */
#define MINE_PEOPLE_MAX ((size_t)100) /* addresses in a field, as long as the line holds them */
#define MINE_CONDITIONS ((size_t)9)
#define MINE_RULE_MAX   ((size_t)65536) /* bytes of a rule's text */
#define MINE_WORDS_MAX  ((size_t)200)

/* What is wrong with a field. */
struct mine_wrong {
	enum mine_key field;
	const char *why;           /* missing, wrong, long, many, unknown */
	char text[MINE_WORDS_MAX]; /* in English, for people */
};

/*
 * Reads a form into `rule`, whose texts live in `arena`; its name is `name` unless the form has one. False with
 * `wrong`.
 */
NODISCARD bool mine_form_read(struct arena *arena, const struct mine_form *form, const char *name,
    struct rule *rule, struct mine_wrong *wrong);

/* The function that `do` names; FUNCTION_COUNT: none. */
enum policy_function mine_form_function(const struct mine_form *form);

/* Appends its text. `line`, unless NULL, gets for each line of it, the first is 0, the field it comes from. */
#define MINE_LINES (MINE_CONDITIONS + 2)
void mine_rule_write(const struct rule *rule, struct buf *out, enum mine_key line[MINE_LINES]);

/* Whether they say the same: name, conditions and actions. */
NODISCARD bool mine_rule_same(const struct rule *a, const struct rule *b);

/* The fields of a form that makes this very rule, a new object; NULL: there is no such form. */
json_t *mine_rule_fields(struct arena *arena, const struct rule *rule);

/* The next of a field's list of words, in `*text` from `*at`; 0: there is none. Blanks around it are left out. */
size_t mine_next_word(const char **at, const char **text);

#endif
