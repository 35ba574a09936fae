#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rules/inside.h"

/* ---- rules ---- */

static uint32_t hash(const char *text)
{
	uint32_t h = 2166136261; /* FNV-1a */

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 16777619;
	return h;
}

static const struct rule **place_of(const struct rule **seen, size_t room, const char *name)
{
	size_t i = hash(name) & (room - 1);

	while (seen[i] != NULL && strcmp(seen[i]->name, name) != 0)
		i = (i + 1) & (room - 1);
	return &seen[i];
}

/* Kept half empty at least. */
static bool grow_seen(struct parser *p)
{
	size_t room = p->seen_room == 0 ? 64 : p->seen_room * 2;
	const struct rule **seen;

	if (p->rules * 2 < p->seen_room)
		return true;
	seen = calloc(room, sizeof(struct rule *));
	if (seen == NULL)
		return conf_blame(p->fault, p->number, 0, "no memory");
	for (size_t i = 0; i < p->seen_room; i++) {
		if (p->seen[i] != NULL)
			*place_of(seen, room, p->seen[i]->name) = p->seen[i];
	}
	free(p->seen);
	p->seen = seen;
	p->seen_room = room;
	return true;
}

static bool remember(struct parser *p, const struct rule *rule)
{
	if (!grow_seen(p))
		return false;
	*place_of(p->seen, p->seen_room, rule->name) = rule;
	p->rules++;
	return true;
}

/* The rule is whole: it gets memory of its own. */
static bool close_rule(struct parser *p)
{
	struct rule *rule;

	if (!p->open)
		return true;
	p->open = false;
	if (p->rule.actions == 0)
		return conf_blame(
		    p->fault, p->rule.line, 0, "rule \"%s\" has no \"do\" line", p->rule.name);

	rule = parser_take(p, 1, sizeof *rule);
	if (rule == NULL)
		return false;
	*rule = p->rule;
	rule->condition = parser_take(p, rule->conditions, sizeof p->condition[0]);
	rule->action = parser_take(p, rule->actions, sizeof p->action[0]);
	if (rule->condition == NULL || rule->action == NULL)
		return false;
	memcpy(rule->condition, p->condition, rule->conditions * sizeof p->condition[0]);
	memcpy(rule->action, p->action, rule->actions * sizeof p->action[0]);
	return remember(p, rule) && p->see(p->context, rule, p->fault);
}

static bool open_rule(struct parser *p)
{
	const struct token *name;

	(void)lex_next(p);
	name = lex_peek(p);
	if (p->rules == RULES_MAX)
		return conf_blame(p->fault, p->number, 0, "more than %zu rules", RULES_MAX);
	p->rule.line = p->number;
	p->rule.shadow = false;
	p->rule.conditions = p->rule.actions = 0;
	if (!parse_name(p, "the name of a rule", &p->rule.name))
		return false;
	if (p->rules > 0 && *place_of(p->seen, p->seen_room, p->rule.name) != NULL)
		return parser_blame(p, name, "rule \"%s\" stands in line %u already", p->rule.name,
		    (*place_of(p->seen, p->seen_room, p->rule.name))->line);
	p->rule.shadow = lex_take(p, "shadow");
	if (lex_peek(p)->kind != TOKEN_END) {
		static const char shadow[] = "shadow";
		const char *word = shadow;

		return parser_expected(
		    p, lex_peek(p), "shadow, or the end of the line", &word, 1, sizeof word);
	}
	p->open = true;
	return true;
}

/* ---- lines ---- */

static bool administrators_alone(enum policy_function function)
{
	return function == FUNCTION_REFUSE || function == FUNCTION_BOUNCE ||
	       function == FUNCTION_FORWARD;
}

static bool action_fits(struct parser *p, const struct rule_action *action)
{
	const char *word = policy_function_word(action->function);

	if (p->rule.layer == LAYER_USER && administrators_alone(action->function))
		return conf_blame(p->fault, p->number, action->column,
		    "\"%s\" is for administrators: no user's file has it", word);
	if (action->function >= FUNCTION_ADDITIVE)
		return true;
	for (size_t i = 0; i < p->rule.actions; i++) {
		if (p->action[i].function == action->function)
			return conf_blame(p->fault, p->number, action->column,
			    "line %u of this rule decides %s already: \"%.60s\"", p->action[i].line,
			    word, p->action[i].written);
	}
	return true;
}

static bool read_do(struct parser *p)
{
	struct rule_action *action = &p->action[p->rule.actions];

	(void)lex_next(p);
	if (p->rule.actions == RULE_ACTIONS_MAX)
		return conf_blame(
		    p->fault, p->number, 0, "more than %zu actions in a rule", RULE_ACTIONS_MAX);
	*action = (struct rule_action){.yes = false};
	if (!parse_action(p, action) || !action_fits(p, action))
		return false;
	p->rule.actions++;
	return true;
}

static bool read_line_of_rule(struct parser *p)
{
	struct rule_condition *condition = &p->condition[p->rule.conditions];

	if (lex_is(lex_peek(p), "do"))
		return read_do(p);
	if (p->rule.conditions == RULE_CONDITIONS_MAX)
		return conf_blame(p->fault, p->number, 0, "more than %zu conditions in a rule",
		    RULE_CONDITIONS_MAX);
	*condition = (struct rule_condition){.unless = lex_take(p, "unless")};
	if (!parse_condition(p, condition))
		return false;
	p->rule.conditions++;
	return true;
}

static bool read_line(struct parser *p, const char *bytes, size_t len)
{
	bool indented = len > 0 && (bytes[0] == ' ' || bytes[0] == '\t');
	const struct token *token;
	static const char rule[] = "rule";
	const char *word = rule;

	p->number++;
	if (!lex_line(p, bytes, len))
		return false;
	token = lex_peek(p);
	if (token->kind == TOKEN_END)
		return true;

	if (!indented) {
		if (lex_is(token, rule))
			return close_rule(p) && open_rule(p);
		if (token->kind == TOKEN_WORD &&
		    (rule_condition_word(token->text) || lex_is(token, "do") ||
			lex_is(token, "unless") || rule_action_word(token->text)))
			return parser_blame(p, token, "a line of a rule begins with a blank");
		return parser_expected(p, token, "rule and its name", &word, 1, sizeof word);
	}
	if (!p->open)
		return parser_blame(p, token, "no rule begins before this line: rule NAME");
	return read_line_of_rule(p);
}

/* ---- files ---- */

/* What is wrong with a file as a whole, before any of it is used. */
static bool whole(const char *bytes, size_t len, struct conf_fault *fault)
{
	unsigned line = 1;
	size_t start = 0;

	if (len > RULE_FILE_MAX)
		return conf_blame(fault, 0, 0, "is larger than %zu KB", RULE_FILE_MAX / 1024);
	if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		return conf_blame(fault, 1, 1, "a byte order mark: save the file without it");
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\r')
			return conf_blame(fault, line, (unsigned)(i - start) + 1,
			    "a carriage return: lines end in a newline alone, save the file so");
		if (bytes[i] == '\0')
			return conf_blame(fault, line, (unsigned)(i - start) + 1,
			    "a control character (byte 0x00)");
		if (bytes[i] == '\n') {
			line++;
			start = i + 1;
		}
	}
	if (start < len)
		return conf_blame(fault, line, 0,
		    "the last line does not end in a newline: is the file half-written?");
	return true;
}

static bool read_lines(struct parser *p, const char *bytes, size_t len)
{
	size_t at = 0;

	while (at < len) {
		const char *end = memchr(bytes + at, '\n', len - at);
		size_t n = (size_t)(end - (bytes + at)); /* whole() has seen the newline */

		if (!read_line(p, bytes + at, n))
			return false;
		at += n + 1;
	}
	return close_rule(p);
}

static void parser_free(struct parser *p)
{
	free(p->seen);
	free(p->token);
	free(p->text);
	free(p->condition);
	free(p->action);
	free(p);
}

/* A row is read for every recipient that a table has: it costs no more than it needs. */
static struct parser *parser_new(struct arena *arena, const char *file, bool row,
    const struct rule_names *names, struct conf_fault *fault)
{
	struct parser *p = calloc(1, sizeof *p);

	*fault = (struct conf_fault){.line = 0};
	(void)snprintf(fault->file, sizeof fault->file, "%s", file);
	if (p == NULL)
		goto fail;
	p->arena = arena;
	p->names = names;
	p->fault = fault;
	p->row = row;
	p->tokens_max = row ? ROW_TOKENS_MAX : LINE_TOKENS_MAX;
	p->len_max = row ? ROW_LINE_MAX : RULE_LINE_MAX;

	p->token = calloc(p->tokens_max + 1, sizeof *p->token);
	p->text = malloc(2 * p->len_max + 2);
	if (!row) {
		p->condition = calloc(RULE_CONDITIONS_MAX, sizeof *p->condition);
		p->action = calloc(RULE_ACTIONS_MAX, sizeof *p->action);
	}
	if (p->token != NULL && p->text != NULL &&
	    (row || (p->condition != NULL && p->action != NULL)))
		return p;
	parser_free(p);
fail:
	(void)conf_blame(fault, 0, 0, "no memory");
	return NULL;
}

bool rules_parse(struct arena *arena, const char *bytes, size_t len, const char *file,
    enum policy_layer layer, const char *owner, const struct rule_names *names, rule_see *see,
    void *context, struct conf_fault *fault)
{
	struct parser *p = parser_new(arena, file, false, names, fault);
	bool fine = false;

	if (p == NULL)
		return false;
	if (!whole(bytes, len, fault))
		goto end;
	p->see = see;
	p->context = context;
	p->rule.layer = layer;
	p->rule.file = parser_keep(p, file, strlen(file));
	p->rule.owner = owner != NULL ? parser_keep(p, owner, strlen(owner)) : NULL;
	if (p->rule.file == NULL || (owner != NULL && p->rule.owner == NULL))
		goto end;
	fine = read_lines(p, bytes, len);
end:
	parser_free(p);
	return fine;
}

/* ---- rows of tables ---- */

static bool read_row(struct parser *p, struct rule_action *action, size_t room, size_t *n)
{
	for (;;) {
		const struct token *token = lex_peek(p);

		if (*n == room)
			return parser_blame(p, token, "more than %zu actions in a row", room);
		action[*n] = (struct rule_action){.yes = false};
		if (!parse_action(p, &action[*n]))
			return false;
		for (size_t i = 0; i < *n; i++) {
			if (action[i].function == action[*n].function)
				return parser_blame(p, token,
				    "this row decides %s already: \"%.60s\"",
				    policy_function_word(action[i].function), action[i].written);
		}
		++*n;
		if (lex_peek(p)->kind == TOKEN_END)
			return true;
		(void)lex_next(p);
	}
}

bool rule_row_parse(struct arena *arena, const char *text, size_t len, const char *file,
    unsigned line, unsigned column, const struct rule_names *names, struct rule_action *action,
    size_t room, size_t *n, struct conf_fault *fault)
{
	struct parser *p = parser_new(arena, file, true, names, fault);
	bool fine;

	*n = 0;
	if (p == NULL)
		return false;
	p->number = line;
	p->margin = column > 0 ? column - 1 : 0;
	fine = lex_line(p, text, len) && read_row(p, action, room, n);
	parser_free(p);
	return fine;
}

bool rule_when_parse(struct arena *arena, const char *text, size_t len,
    struct rule_condition *condition, struct conf_fault *fault)
{
	struct parser *p = parser_new(arena, "when", false, NULL, fault);
	bool fine;

	*condition = (struct rule_condition){.kind = COND_WHEN};
	if (p == NULL)
		return false;
	fine = lex_line(p, text, len) && parse_when(p, condition) && lex_expect_end(p);
	parser_free(p);
	return fine;
}
