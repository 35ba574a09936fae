/* Actions with a grammar of their own: who approves, how long mail waits, what becomes of files. */
#include <string.h>

#include "lib/rules/inside.h"

/* ---- approve ---- */

static const char approver_what[] =
    "boss, an address, \"any of group NAME\" or \"2 of group NAME\"";

/* "any of group G", "2 of group G". */
static bool read_of_group(struct parser *p, struct rule_approver *approver)
{
	uint64_t number = 1;

	if (!lex_take(p, "any") && !parse_number(p, 1, 100, &number))
		return false;
	approver->kind = APPROVER_GROUP;
	approver->n = (unsigned)number;
	return lex_expect(p, "of", "of group NAME") && lex_expect(p, "group", "group NAME") &&
	       parse_known(p, RULE_NAME_GROUP, &approver->text);
}

static bool read_approver(struct parser *p, struct rule_approver *approver)
{
	static const char *const known[] = {"boss", "any"};
	const struct token *token = lex_peek(p);

	if (lex_take(p, "boss")) {
		approver->kind = APPROVER_BOSS;
		return true;
	}
	if (token->kind == TOKEN_WORD && strchr(token->text, '@') != NULL) {
		(void)lex_next(p);
		approver->kind = APPROVER_ADDRESS;
		return parse_address(p, token, &approver->text);
	}
	if (lex_is(token, "any") ||
	    (token->kind == TOKEN_WORD && token->text[0] >= '0' && token->text[0] <= '9'))
		return read_of_group(p, approver);
	if (lex_is(token, "group"))
		return parser_blame(p, token, "how many of the group: any of group NAME?");
	if (lex_is(token, "sender"))
		return parser_blame(p, token, "nobody approves his own mail");
	return parser_expected(p, token, approver_what, known, COUNT_OF(known), sizeof known[0]);
}

bool parse_approve(struct parser *p, struct rule_action *action)
{
	struct rule_approver approver[RULE_APPROVERS_MAX] = {{.n = 0}};
	size_t n = 0;

	action->function = FUNCTION_APPROVE;
	if (lex_take(p, "no"))
		return true;
	action->yes = true;
	if (!lex_expect(p, "by", "no, or by and who approves"))
		return false;
	do {
		if (n == RULE_APPROVERS_MAX)
			return parser_blame(p, lex_peek(p), "at most %zu approve one after another",
			    RULE_APPROVERS_MAX);
		if (!read_approver(p, &approver[n++]))
			return false;
	} while (lex_take(p, "then"));

	action->approver = parser_take(p, n, sizeof approver[0]);
	if (action->approver == NULL)
		return false;
	memcpy(action->approver, approver, n * sizeof approver[0]);
	action->approvers = n;
	return true;
}

/* ---- hold ---- */

static bool read_until(struct parser *p, struct rule_action *action)
{
	static const char *const known[] = {"confirmed", "checked"};
	const struct token *token = lex_next(p);

	if (lex_is(token, "confirmed")) {
		action->hold = HOLD_CONFIRMED;
		return true;
	}
	if (lex_is(token, "checked")) {
		action->hold = HOLD_CHECKED;
		return true;
	}
	if (token->kind != TOKEN_WORD || strchr(token->text, ':') == NULL)
		return parser_expected(p, token, "a time as 09:00, confirmed or checked", known,
		    COUNT_OF(known), sizeof known[0]);
	action->hold = HOLD_UNTIL;
	if (!parse_time(p, token, token->text, token->len, 24 * 60 - 1, &action->minute))
		return false;
	action->workday = lex_take(p, "workday");
	return true;
}

bool parse_hold(struct parser *p, struct rule_action *action)
{
	const struct token *token;

	action->function = FUNCTION_HOLD;
	if (lex_take(p, "no")) {
		action->hold = HOLD_NO;
	} else if (lex_take(p, "until")) {
		if (!read_until(p, action))
			return false;
	} else if (lex_take(p, "for")) {
		action->hold = HOLD_OPERATOR;
		token = lex_peek(p);
		if (token->kind == TOKEN_WORD && token->text[0] >= '0' && token->text[0] <= '9')
			return parser_blame(
			    p, token, "a time stands without \"for\": hold %.20s?", token->text);
		if (!lex_expect(p, "operator", "operator"))
			return false;
	} else {
		action->hold = HOLD_FOR;
		if (!parse_duration(p, &action->span))
			return false;
	}

	token = lex_peek(p);
	if (!lex_take(p, "else"))
		return true;
	if (action->hold == HOLD_NO || action->hold == HOLD_OPERATOR)
		return parser_blame(
		    p, token, "this hold does not end by itself: nothing else comes of it");
	action->discard = true;
	return lex_expect(p, "discard", "discard");
}

/* ---- files ---- */

/* "as .zi_": what the archive's name ends in. */
static bool read_suffix(struct parser *p, struct rule_action *action)
{
	const struct token *token = lex_next(p);
	char text[QUOTED_MAX];

	if (token->kind != TOKEN_WORD)
		return parser_expected(p, token, "an extension as .zi_", NULL, 0, 0);
	if (token->text[0] != '.' || token->len > 16 || !rule_name_good(token->text + 1))
		return parser_blame(p, token, "\"%s\" cannot be an extension: .zi_?",
		    parser_quoted(token->text, text));
	action->suffix = parser_keep(p, token->text, token->len);
	return action->suffix != NULL;
}

static bool twice_said(struct parser *p, const struct token *token, bool said)
{
	return !said || parser_blame(p, token, "\"%s\" was said already", token->text);
}

bool parse_zip(struct parser *p, struct rule_action *action)
{
	static const char *const words[] = {"aes", "zipcrypto", "twice", "as"};

	action->function = FUNCTION_FILES;
	action->files = FILES_ZIP;
	while (lex_peek(p)->kind == TOKEN_WORD) {
		const struct token *token = lex_peek(p);
		unsigned choice = 0;

		if (!parse_choice(p, words, COUNT_OF(words),
			"aes, zipcrypto, twice or as .EXTENSION", &choice))
			return false;
		if (choice <= 1) {
			if (!twice_said(p, token, action->zip != ZIP_DEFAULT))
				return false;
			action->zip = choice == 0 ? ZIP_AES : ZIP_CRYPTO;
		} else if (choice == 2) {
			if (!twice_said(p, token, action->twice))
				return false;
			action->twice = true;
		} else if (!twice_said(p, token, action->suffix != NULL) ||
			   !read_suffix(p, action)) {
			return false;
		}
	}
	return true;
}

bool parse_link(struct parser *p, struct rule_action *action)
{
	static const char *const words[] = {"for", "times"};

	action->function = FUNCTION_FILES;
	action->files = FILES_LINK;
	while (lex_peek(p)->kind == TOKEN_WORD) {
		const struct token *token = lex_peek(p);
		unsigned choice = 0;
		uint64_t times = 0;

		if (!parse_choice(p, words, COUNT_OF(words), "for 7d or times 5", &choice))
			return false;
		if (choice == 0) {
			if (!twice_said(p, token, action->span != 0) ||
			    !parse_duration(p, &action->span))
				return false;
		} else {
			if (!twice_said(p, token, action->times != 0) ||
			    !parse_number(p, 1, 1000000, &times))
				return false;
			action->times = (unsigned)times;
		}
	}
	return true;
}

bool parse_as(struct parser *p, struct rule_action *action)
{
	action->function = FUNCTION_FILES;
	action->files = FILES_TABLE;
	return lex_expect(p, "table", "table NAME") &&
	       parse_known(p, RULE_NAME_TABLE, &action->text);
}
