#include <string.h>

#include "lib/rules/inside.h"

bool parse_choice(
    struct parser *p, const char *const *words, size_t n, const char *what, unsigned *choice)
{
	const struct token *token = lex_next(p);
	size_t i = token->kind == TOKEN_WORD ? rule_word_find(words, n, token->text) : n;

	if (i == n)
		return parser_expected(p, token, what, words, n, sizeof words[0]);
	*choice = (unsigned)i;
	return true;
}

/* ---- what becomes of the message ---- */

static bool read_refuse(struct parser *p, struct rule_action *action)
{
	action->function = FUNCTION_REFUSE;
	if (lex_take(p, "no"))
		return true;
	action->yes = true;
	return parse_string(p, "no, or why it is refused, in quotes", &action->text);
}

static bool read_bounce(struct parser *p, struct rule_action *action)
{
	static const char *const words[] = {"nobody", "sender"};
	unsigned choice = 0;

	action->function = FUNCTION_BOUNCE;
	if (!parse_choice(p, words, COUNT_OF(words), "sender or nobody", &choice))
		return false;
	action->yes = choice == 1;
	return true;
}

static bool read_bcc(struct parser *p, struct rule_action *action)
{
	static const char *const words[] = {
	    [BCC_NO] = "no", [BCC_EXTERNAL] = "external", [BCC_ALL] = "all", [BCC_EACH] = "each"};
	unsigned choice = 0;

	action->function = FUNCTION_BCC;
	if (!parse_choice(p, words, COUNT_OF(words), "no, external, all or each", &choice))
		return false;
	action->bcc = (enum rule_bcc)choice;
	return true;
}

/* ---- how it is sent ---- */

static bool read_stagger(struct parser *p, struct rule_action *action)
{
	action->function = FUNCTION_STAGGER;
	if (lex_take(p, "no"))
		return true;
	action->yes = true;
	return parse_duration(p, &action->span);
}

static bool read_tls(struct parser *p, struct rule_action *action)
{
	static const char *const words[] = {[ELSE_HOLD] = "hold", [ELSE_LINK] = "link"};
	unsigned choice = 0;

	action->function = FUNCTION_TLS;
	if (!parse_choice(p, rule_level_words + 1, LEVEL_COUNT - 1,
		"starttls, verified, sts or dane", &choice))
		return false;
	action->tls = (enum policy_tls)(choice + 1);
	action->otherwise = ELSE_HOLD;
	if (!lex_take(p, "else"))
		return true;
	if (!parse_choice(p, words, COUNT_OF(words), "hold or link", &choice))
		return false;
	action->otherwise = (enum rule_else)choice;
	return true;
}

static bool read_notice(struct parser *p, struct rule_action *action)
{
	static const char *const words[] = {[TELL_NEVER] = "never",
	    [TELL_DIGEST] = "digest",
	    [TELL_RISKY] = "risky",
	    [TELL_ALWAYS] = "always"};
	unsigned choice = 0;

	action->function = FUNCTION_NOTICE;
	if (!parse_choice(p, words, COUNT_OF(words), "never, digest, risky or always", &choice))
		return false;
	action->notice = (enum rule_notice)choice;
	return true;
}

static bool read_sign(struct parser *p, struct rule_action *action)
{
	const struct token *token = lex_next(p);

	action->function = FUNCTION_SIGN;
	if (token->kind != TOKEN_WORD)
		return parser_expected(p, token, "the domain that signs", NULL, 0, 0);
	return parse_domain(p, token, token->text, &action->text);
}

static bool read_route(struct parser *p, struct rule_action *action)
{
	action->function = FUNCTION_ROUTE;
	return parse_name(p, "the name of a route", &action->text);
}

/* ---- what is added ---- */

static bool read_add(struct parser *p, struct rule_action *action)
{
	action->function = FUNCTION_ADD_BCC;
	return lex_expect(p, "bcc", "bcc and an address") && parse_whom(p, &action->who);
}

static bool read_insert(struct parser *p, struct rule_action *action)
{
	static const char *const words[] = {"top", "end"};
	const struct token *token;
	unsigned choice = 0;

	action->function = FUNCTION_INSERT;
	if (!parse_choice(p, words, COUNT_OF(words), "top or end", &choice))
		return false;
	action->insert = choice == 0 ? INSERT_TOP : INSERT_END;
	token = lex_peek(p);
	if (!lex_is(token, "history"))
		return parse_known(p, RULE_NAME_TEXT, &action->text);
	if (action->insert == INSERT_TOP)
		return parser_blame(p, token, "the history stands at the end: insert end history");
	(void)lex_next(p);
	action->insert = INSERT_HISTORY;
	return true;
}

static bool read_forward(struct parser *p, struct rule_action *action)
{
	const struct token *whom;

	action->function = FUNCTION_FORWARD;
	if (!lex_expect(p, "refused", "refused and an address"))
		return false;
	/* A boss may be unknown, and then the refusal would go by unseen. */
	whom = lex_peek(p);
	if (lex_is(whom, "group") || lex_is(whom, "boss"))
		return parser_blame(p, whom, "an address is expected: one that is always there");
	return parse_whom(p, &action->who);
}

static bool read_copy(struct parser *p, struct rule_action *action)
{
	action->function = FUNCTION_COPY;
	return parse_whom(p, &action->who);
}

static bool read_archive(struct parser *p, struct rule_action *action)
{
	(void)p;
	action->function = FUNCTION_ARCHIVE;
	return true;
}

/* ---- files ---- */

static bool read_keep(struct parser *p, struct rule_action *action)
{
	(void)p;
	action->function = FUNCTION_FILES;
	action->files = FILES_KEEP;
	return true;
}

static bool read_password(struct parser *p, struct rule_action *action)
{
	action->function = FUNCTION_PASSWORD;
	return parse_known(p, RULE_NAME_PASSWORD, &action->text);
}

/* ---- a line ---- */

static const struct reader {
	const char *word;
	bool (*read)(struct parser *p, struct rule_action *action);
	bool row; /* may stand in a row of a table */
} readers[] = {
    {"refuse", read_refuse, false},
    {"bounce", read_bounce, false},
    {"approve", parse_approve, false},
    {"hold", parse_hold, false},
    {"keep", read_keep, true},
    {"zip", parse_zip, true},
    {"link", parse_link, true},
    {"as", parse_as, false},
    {"password", read_password, true},
    {"bcc", read_bcc, false},
    {"stagger", read_stagger, false},
    {"tls", read_tls, false},
    {"notice", read_notice, false},
    {"sign", read_sign, false},
    {"route", read_route, false},
    {"add", read_add, false},
    {"insert", read_insert, false},
    {"forward", read_forward, false},
    {"copy", read_copy, false},
    {"archive", read_archive, false},
};

static const struct reader *reader_of(const char *word)
{
	for (size_t i = 0; i < COUNT_OF(readers); i++) {
		if (strcmp(readers[i].word, word) == 0)
			return &readers[i];
	}
	return NULL;
}

bool rule_action_word(const char *word)
{
	return reader_of(word) != NULL;
}

static bool blame_word(struct parser *p, const struct token *token)
{
	static const char *const row_words[] = {"keep", "zip", "link", "password"};

	if (p->row)
		return parser_expected(p, token, "keep, zip, link or password", row_words,
		    COUNT_OF(row_words), sizeof row_words[0]);
	if (token->kind == TOKEN_WORD && rule_condition_word(token->text))
		return parser_blame(
		    p, token, "\"%s\" is a condition: it stands without \"do\"", token->text);
	return parser_expected(
	    p, token, "an action", readers, COUNT_OF(readers), sizeof readers[0]);
}

/* The letters from `first` up to the token before the next one, blanks between words made one. */
static const char *written(struct parser *p, const struct token *first)
{
	const struct token *token = first, *behind = lex_peek(p);
	char text[RULE_LINE_MAX + LINE_TOKENS_MAX];
	size_t used = 0;

	for (; token < behind; token++) {
		size_t len = token->end - token->column;

		if (token > first && token->kind != TOKEN_COMMA)
			text[used++] = ' ';
		memcpy(text + used, p->bytes + (token->column - p->margin - 1), len);
		used += len;
	}
	return parser_keep(p, text, used);
}

bool parse_action(struct parser *p, struct rule_action *action)
{
	const struct token *token = lex_next(p);
	const struct reader *reader = token->kind == TOKEN_WORD ? reader_of(token->text) : NULL;

	if (reader == NULL || (p->row && !reader->row))
		return blame_word(p, token);
	action->line = p->number;
	action->column = token->column;
	if (!reader->read(p, action) || !lex_expect_end(p))
		return false;
	action->written = written(p, token);
	return action->written != NULL;
}
