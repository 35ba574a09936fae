/* Conditions about what is in a message: files, words, personal data, companies. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <string.h>

#include "lib/rules/inside.h"

#define REGEX_LONGEST ((size_t)4096) /* as seki-inspect takes them (lib/words/regexes.h) */

#define ALL_PLACES ((1u << PLACE_COUNT) - 1)

/* "in body, files"; all four if it is not said. */
static bool read_places(struct parser *p, unsigned *places)
{
	*places = ALL_PLACES;
	if (!lex_take(p, "in"))
		return true;
	*places = 0;
	do {
		unsigned place = 0;

		if (!parse_choice(
			p, rule_place_words, PLACE_COUNT, "subject, body, names or files", &place))
			return false;
		*places |= 1u << place;
	} while (lex_take_comma(p));
	return true;
}

/* ---- file ---- */

static bool read_glob(struct parser *p, const char **glob)
{
	const struct token *token = lex_next(p);
	char text[QUOTED_MAX];

	if (token->kind != TOKEN_WORD && token->kind != TOKEN_STRING)
		return parser_expected(p, token, "a name as *.pdf", NULL, 0, 0);
	if (token->escape != 0 || token->len == 0)
		return parser_blame(p, token, "this cannot be the name of a file");
	if (token->kind == TOKEN_WORD && token->text[0] == '.')
		return parser_blame(p, token, "\"%s\" is a whole name: *%s?",
		    parser_quoted(token->text, text), text);
	if (strchr(token->text, '/') != NULL)
		return parser_blame(
		    p, token, "names of files have no folders: no / stands in them");
	*glob = parser_keep(p, token->text, token->len);
	return *glob != NULL;
}

static bool read_globs(struct parser *p, struct rule_file *file)
{
	file->property = FILE_NAME;
	file->not = lex_take(p, "not");
	file->glob = parser_take(p, lex_list_room(p), sizeof *file->glob);
	if (file->glob == NULL)
		return false;
	do {
		if (!read_glob(p, &file->glob[file->globs++]))
			return false;
	} while (lex_take_comma(p));
	return true;
}

static bool read_type(struct parser *p, struct rule_file *file)
{
	file->property = FILE_AS_NAMED;
	file->not = lex_take(p, "not");
	return lex_expect(p, "as-named", "\"as-named\" or \"not as-named\"");
}

static bool read_property(struct parser *p, struct rule_file *file)
{
	static const char *const words[] = {
	    "nameless", "encrypted", "inspectable", "name", "size", "type", "any"};
	static const enum rule_property properties[] = {
	    FILE_NAMELESS, FILE_ENCRYPTED, FILE_INSPECTABLE};
	const struct token *token;
	unsigned choice = 0;

	if (lex_take(p, "name"))
		return read_globs(p, file);
	if (lex_take(p, "type"))
		return read_type(p, file);
	if (lex_take(p, "size")) {
		file->property = FILE_SIZE;
		return parse_amount(p, &file->size);
	}

	file->not = lex_take(p, "not");
	token = lex_peek(p);
	if (file->not &&lex_is(token, "any"))
		return parser_blame(p, token, "mail without a file: unless file any");
	if (file->not &&lex_is(token, "name"))
		return parser_blame(p, token, "\"not\" stands behind \"name\": name not *.pdf");
	if (!parse_choice(p, words, COUNT_OF(words),
		"any, name, size, nameless, encrypted, inspectable or type as-named", &choice))
		return false;
	if (choice >= COUNT_OF(properties))
		return parser_blame(p, token, "\"%s\" cannot stand here", words[choice]);
	file->property = properties[choice];
	return true;
}

bool parse_file(struct parser *p, struct rule_condition *condition)
{
	condition->kind = COND_FILE;
	/* Of properties there are no more than words. */
	condition->file = parser_take(p, 1 + p->tokens - p->at, sizeof *condition->file);
	if (condition->file == NULL)
		return false;
	if (lex_take(p, "any")) {
		condition->file[condition->files++].property = FILE_ANY;
		return true;
	}
	do {
		if (!read_property(p, &condition->file[condition->files++]))
			return false;
	} while (lex_peek(p)->kind == TOKEN_WORD);
	return true;
}

bool parse_files(struct parser *p, struct rule_condition *condition)
{
	const struct token *token = lex_peek(p);

	condition->has_count = true;
	if (lex_take(p, "size")) {
		condition->kind = COND_FILES_SIZE;
		return parse_amount(p, &condition->count);
	}
	condition->kind = COND_FILES_COUNT;
	if (token->kind != TOKEN_COMPARE)
		return parser_expected(p, token, "a count as >= 3, or size", NULL, 0, 0);
	return parse_count(p, &condition->count);
}

/* ---- words ---- */

static bool read_text(struct parser *p, struct rule_text *text)
{
	if (lex_take(p, "list")) {
		text->list = true;
		return parse_known(p, RULE_NAME_WORDS, &text->text);
	}
	return parse_string(p, "a text in quotes, or list NAME", &text->text);
}

bool parse_texts(struct parser *p, struct rule_condition *condition, bool *lists)
{
	condition->not = lex_take(p, "not");
	condition->text = parser_take(p, lex_list_room(p), sizeof *condition->text);
	if (condition->text == NULL)
		return false;
	do {
		struct rule_text *text = &condition->text[condition->texts++];

		if (!read_text(p, text))
			return false;
		*lists |= text->list;
	} while (lex_take_comma(p));
	return true;
}

/* An optional count, and the places. */
static bool read_found(struct parser *p, struct rule_condition *condition)
{
	if (lex_peek(p)->kind == TOKEN_COMPARE) {
		condition->has_count = true;
		if (!parse_count(p, &condition->count))
			return false;
	}
	return read_places(p, &condition->places);
}

bool parse_words(struct parser *p, struct rule_condition *condition)
{
	bool lists = false;

	condition->kind = COND_WORDS;
	return parse_texts(p, condition, &lists) && read_found(p, condition);
}

/* As lib/words/regexes.c compiles it, so that nothing is taken here that the inspector refuses. */
static bool regex_good(struct parser *p, const struct token *token)
{
	PCRE2_UCHAR why[128] = "";
	size_t offset = 0;
	int error = 0;
	pcre2_code *code;

	if (token->len > REGEX_LONGEST)
		return parser_blame(
		    p, token, "an expression is at most %zu bytes long", REGEX_LONGEST);
	code = pcre2_compile((PCRE2_SPTR)token->text, token->len,
	    PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C |
		PCRE2_USE_OFFSET_LIMIT,
	    &error, &offset, NULL);
	if (code != NULL) {
		pcre2_code_free(code);
		return true;
	}
	(void)pcre2_get_error_message(error, why, sizeof why);
	return parser_blame(
	    p, token, "the expression is wrong at its letter %zu: %s", offset, (const char *)why);
}

bool parse_regex(struct parser *p, struct rule_condition *condition)
{
	const struct token *token = lex_next(p);

	condition->kind = COND_REGEX;
	if (lex_is(token, "not"))
		return parser_blame(p, token, "mail without such a text: unless regex \"...\"");
	if (token->kind != TOKEN_STRING)
		return parser_expected(p, token, "a regular expression in quotes", NULL, 0, 0);
	if (token->len == 0)
		return parser_blame(p, token, "there is nothing between the quotes");
	if (!regex_good(p, token))
		return false;
	condition->text = parser_take(p, 1, sizeof *condition->text);
	if (condition->text == NULL)
		return false;
	condition->texts = 1;
	condition->text->text = parser_keep(p, token->text, token->len);
	return condition->text->text != NULL && read_found(p, condition);
}

/* ---- personal data, companies ---- */

bool parse_pii(struct parser *p, struct rule_condition *condition)
{
	condition->kind = COND_PII;
	condition->pii = parser_take(p, lex_list_room(p), sizeof *condition->pii);
	if (condition->pii == NULL)
		return false;
	do {
		struct rule_kind_count *pii = &condition->pii[condition->piis++];
		unsigned kind = 0;

		if (!parse_choice(p, rule_kind_words, DETECT_KIND_COUNT,
			"card, mynumber, corporate, phone, address, mail or name", &kind))
			return false;
		pii->kind = (enum detect_kind)kind;
		if (!parse_count(p, &pii->count))
			return false;
	} while (lex_take_comma(p));
	return read_places(p, &condition->places);
}

bool parse_company(struct parser *p, struct rule_condition *condition)
{
	static const char *const words[] = {"other", "none"};
	unsigned choice = 0;

	if (!parse_choice(p, words, COUNT_OF(words), "other or none", &choice))
		return false;
	condition->kind = choice == 0 ? COND_COMPANY_OTHER : COND_COMPANY_NONE;
	return read_places(p, &condition->places);
}
