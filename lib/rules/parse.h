/*
 * Reading rules: sekisho-policy(5). The grammar alone; whether names exist is asked of `known`.
 */
#ifndef SEKISHO_RULES_PARSE_H
#define SEKISHO_RULES_PARSE_H

#include "lib/base/conf.h"
#include "lib/rules/rule.h"

#define RULES_MAX     ((size_t)10000) /* of a set */
#define RULE_FILE_MAX ((size_t)1024 * 1024)
#define RULE_LINE_MAX ((size_t)8192)

/* What a rule may name, S(NAME, word as errors have it, where it is looked for) */
#define RULE_NAMES(S)                                                                              \
	S(GROUP, "group", "etc/groups")                                                            \
	S(LIST, "list", "etc/lists")                                                               \
	S(TABLE, "table", "etc/tables")                                                            \
	S(WORDS, "list of words", "etc/words")                                                     \
	S(PASSWORD, "password policy", "etc/passwords")                                            \
	S(TEXT, "text", "etc/texts")

enum rule_name_kind {
#define S(name, word, place) RULE_NAME_##name,
	RULE_NAMES(S)
#undef S
	    RULE_NAME_COUNT
};

/*
 * Whether such a thing exists. If not, `near` may get what the administrator may have meant and
 * where it stands: "temps (etc/groups:7)"; "" if nothing is near.
 */
typedef bool rule_name_known(
    void *context, enum rule_name_kind kind, const char *name, char *near, size_t room);

struct rule_names {
	rule_name_known *known; /* NULL: every name is taken to exist */
	void *context;
};

/* Memory of everything that was read; grows, freed as a whole. */
struct arena;
NODISCARD struct arena *arena_new(size_t bound);
void arena_drop(struct arena *arena);
/* A name that other libraries have for things of their own: none of it is left to the linker. */
static inline void arena_free(struct arena *arena)
{
	arena_drop(arena);
}
/* Zeroed, aligned for anything; NULL: no memory, or the bound. */
NODISCARD void *arena_take(struct arena *arena, size_t size);
NODISCARD char *arena_text(struct arena *arena, const char *text, size_t len);

/* Called for each rule in the order of the file; false after conf_blame stops. */
typedef bool rule_see(void *context, const struct rule *rule, struct conf_fault *fault);

/*
 * Reads `len` bytes, the file `file` ("must/50-external", without "etc/policy/"). False with `fault`
 * filled: file, line, column, what was expected and the near word.
 */
NODISCARD bool rules_parse(struct arena *arena, const char *bytes, size_t len, const char *file,
    enum policy_layer layer, const char *owner, const struct rule_names *names, rule_see *see,
    void *context, struct conf_fault *fault);

/*
 * The actions in a row of etc/tables ("zip as .zi_; password fixed-a"), of FILES and PASSWORD alone.
 * `line` and `column` are where the text begins. At most `room` actions; *n is their number.
 */
NODISCARD bool rule_row_parse(struct arena *arena, const char *text, size_t len, const char *file,
    unsigned line, unsigned column, const struct rule_names *names, struct rule_action *action,
    size_t room, size_t *n, struct conf_fault *fault);

/*
 * The times behind `when` ("not Mon-Fri 09:00-18:00, holiday") into a condition of its own. False with
 * `fault`.
 */
NODISCARD bool rule_when_parse(struct arena *arena, const char *text, size_t len,
    struct rule_condition *condition, struct conf_fault *fault);

#endif
