#include <string.h>

#include "lib/rules/inside.h"

static bool read_always(struct parser *p, struct rule_condition *condition)
{
	if (condition->unless)
		return parser_blame(
		    p, lex_peek(p), "\"unless always\" would cancel the rule for ever");
	condition->kind = COND_ALWAYS;
	return true;
}

static bool read_from(struct parser *p, struct rule_condition *condition)
{
	if (lex_take(p, "mismatched")) {
		condition->kind = COND_MISMATCHED;
		return true;
	}
	if (lex_take(p, "unregistered")) {
		condition->kind = COND_UNREGISTERED;
		return true;
	}
	condition->kind = COND_FROM;
	return parse_whos(p, condition, WHO_OF_FROM);
}

static bool read_to(struct parser *p, struct rule_condition *condition)
{
	condition->kind = COND_TO;
	return parse_whos(p, condition, WHO_OF_TO);
}

/* ---- header ---- */

/* RFC 5322 section 3.6.8; 76 letters, so that a folded line has room for it. */
static bool field_good(const char *text)
{
	size_t n = 0;

	while (text[n] > ' ' && text[n] < 0x7f && text[n] != ':')
		n++;
	return n > 0 && n <= 76 && text[n] == '\0';
}

static const char *small(struct parser *p, const struct token *token)
{
	char text[77] = "";

	for (size_t i = 0; i < token->len && i < sizeof text - 1; i++) {
		char c = token->text[i];

		text[i] = c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
	}
	return parser_keep(p, text, strlen(text));
}

static bool has_addresses(const char *field)
{
	static const char *const fields[] = {"to", "cc", "from", "reply-to"};

	return rule_word_find(fields, COUNT_OF(fields), field) < COUNT_OF(fields);
}

/* Lists of words are looked for where words are: in the subject, and in no other field. */
static bool read_header_texts(
    struct parser *p, const struct token *field, struct rule_condition *condition)
{
	bool lists = false;

	condition->kind = COND_HEADER_TEXT;
	if (!parse_texts(p, condition, &lists))
		return false;
	if (!lists)
		return true;
	if (strcmp(condition->field, "subject") != 0)
		return parser_blame(p, field,
		    "a list of words is looked for in subject, body, names and files, not in %s",
		    condition->field);
	condition->kind = COND_WORDS;
	condition->places = 1u << PLACE_SUBJECT;
	return true;
}

static bool read_header(struct parser *p, struct rule_condition *condition)
{
	const struct token *field = lex_next(p);
	const struct token *value;

	if (field->kind != TOKEN_WORD)
		return parser_expected(p, field, "the name of a header field", NULL, 0, 0);
	if (field->text[field->len - 1] == ':')
		return parser_blame(p, field, "the name of a field is written without its colon");
	if (!field_good(field->text))
		return parser_blame(p, field, "this cannot be the name of a header field");
	condition->field = small(p, field);
	if (condition->field == NULL)
		return false;

	value = lex_is(lex_peek(p), "not") ? lex_peek_second(p) : lex_peek(p);
	if (!has_addresses(condition->field) || value->kind == TOKEN_STRING)
		return read_header_texts(p, field, condition);
	condition->kind = COND_HEADER_WHO;
	return parse_whos(p, condition, WHO_OF_HEADER);
}

/* ---- counts ---- */

static bool read_class(struct parser *p, struct rule_condition *condition)
{
	const struct token *token = lex_peek(p);
	size_t class;

	if (token->kind != TOKEN_WORD)
		return true;
	class = rule_word_find(rule_class_words, CLASS_COUNT, token->text);
	if (class == CLASS_COUNT)
		return parser_expected(p, token, "internal, affiliated, external or a count",
		    rule_class_words, CLASS_COUNT, sizeof rule_class_words[0]);
	condition->has_class = true;
	condition->class = (enum policy_class) class;
	(void)lex_next(p);
	return true;
}

static bool read_counted(
    struct parser *p, struct rule_condition *condition, enum rule_condition_kind kind, bool classes)
{
	condition->kind = kind;
	condition->has_count = true;
	return (!classes || read_class(p, condition)) && parse_count(p, &condition->count);
}

static bool read_visible(struct parser *p, struct rule_condition *condition)
{
	return read_counted(p, condition, COND_VISIBLE, true);
}

static bool read_recipients(struct parser *p, struct rule_condition *condition)
{
	return read_counted(p, condition, COND_RECIPIENTS, true);
}

static bool read_hidden(struct parser *p, struct rule_condition *condition)
{
	return read_counted(p, condition, COND_HIDDEN, false);
}

static bool read_companies(struct parser *p, struct rule_condition *condition)
{
	return read_counted(p, condition, COND_COMPANIES, false);
}

/* ---- message ---- */

static bool read_message(struct parser *p, struct rule_condition *condition)
{
#define X(name, word) word,
	static const char *const words[] = {POLICY_TRAITS(X) "size"};
#undef X
	unsigned choice = 0;
	const struct token *token;

	condition->not = lex_take(p, "not");
	token = lex_peek(p);
	if (!parse_choice(p, words, COUNT_OF(words),
		"size, uninspectable, ambiguous, virus, signed, encrypted, automatic, reply or "
		"promises-file",
		&choice))
		return false;
	if (choice < TRAIT_COUNT) {
		condition->kind = COND_MESSAGE_TRAIT;
		condition->trait = (enum policy_trait)choice;
		return true;
	}
	if (condition->not )
		return parser_blame(p, token, "\"not\" and a size: turn the sign round");
	condition->kind = COND_MESSAGE_SIZE;
	condition->has_count = true;
	return parse_amount(p, &condition->count);
}

/* ---- a line ---- */

static const struct reader {
	const char *word;
	bool (*read)(struct parser *p, struct rule_condition *condition);
} readers[] = {
    {"from", read_from},
    {"to", read_to},
    {"header", read_header},
    {"visible", read_visible},
    {"recipients", read_recipients},
    {"hidden", read_hidden},
    {"companies", read_companies},
    {"file", parse_file},
    {"files", parse_files},
    {"words", parse_words},
    {"regex", parse_regex},
    {"pii", parse_pii},
    {"company", parse_company},
    {"message", read_message},
    {"when", parse_when},
    {"always", read_always},
    /* Begin a line as well; here so that their near words are found. */
    {"unless", NULL},
    {"do", NULL},
};

static const struct reader *reader_of(const char *word)
{
	for (size_t i = 0; i < COUNT_OF(readers); i++) {
		if (readers[i].read != NULL && strcmp(readers[i].word, word) == 0)
			return &readers[i];
	}
	return NULL;
}

bool rule_condition_word(const char *word)
{
	return reader_of(word) != NULL;
}

static bool blame_word(struct parser *p, const struct token *token)
{
	char text[QUOTED_MAX];

	if (lex_is(token, "rule"))
		return parser_blame(p, token, "\"rule\" begins a line: no blanks before it");
	if (lex_is(token, "do"))
		return parser_blame(
		    p, token, "\"unless\" stands before a condition: it cancels the rule");
	if (lex_is(token, "not") || lex_is(token, "unless"))
		return parser_blame(p, token,
		    "\"%s\" cannot stand here; a condition follows \"unless\"", token->text);
	if (token->kind == TOKEN_WORD && rule_action_word(token->text))
		return parser_blame(p, token, "\"%s\" is an action: do %s?", token->text,
		    parser_quoted(token->text, text));
	return parser_expected(
	    p, token, "a condition, unless or do", readers, COUNT_OF(readers), sizeof readers[0]);
}

bool parse_condition(struct parser *p, struct rule_condition *condition)
{
	const struct token *token = lex_next(p);
	const struct reader *reader = token->kind == TOKEN_WORD ? reader_of(token->text) : NULL;

	if (reader == NULL)
		return blame_word(p, token);
	condition->line = p->number;
	condition->column = token->column;
	return reader->read(p, condition) && lex_expect_end(p);
}
