#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mime/address.h"
#include "lib/rules/inside.h"

#define ADDRESS_MAX ((size_t)511) /* bytes, as the organisation's data has them */

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The digits in front of `text`, `n` of them, and their number. False: none, or too large. */
static bool digits(const char *text, size_t *n, uint64_t *number)
{
	*number = 0;
	for (*n = 0; digit(text[*n]); ++*n) {
		*number = *number * 10 + (uint64_t)(text[*n] - '0');
		if (*number > RULE_NUMBER_MAX * 1000)
			return false;
	}
	return *n > 0;
}

bool parse_number(struct parser *p, uint64_t smallest, uint64_t largest, uint64_t *number)
{
	const struct token *token = lex_next(p);
	size_t n;

	if (token->kind != TOKEN_WORD || !digits(token->text, &n, number) || n != token->len)
		return parser_expected(p, token, "a number", NULL, 0, 0);
	if (*number < smallest || *number > largest)
		return parser_blame(p, token, "a number from %llu to %llu can stand here",
		    (unsigned long long)smallest, (unsigned long long)largest);
	return true;
}

/* ---- comparisons ---- */

static bool read_compare(struct parser *p, enum rule_compare *compare)
{
	const struct token *token = lex_next(p);

	if (token->kind != TOKEN_COMPARE)
		return parser_expected(p, token, ">=, >, <=, < or =", NULL, 0, 0);
	*compare = token->compare;
	return true;
}

/* What no number, or every one, fulfils is not what was meant. */
static bool possible(struct parser *p, const struct token *token, const struct rule_count *count)
{
	if (count->number != 0)
		return true;
	if (count->compare == CMP_LT)
		return parser_blame(p, token, "nothing is less than 0: this can never hold");
	if (count->compare == CMP_GE)
		return parser_blame(p, token, "everything is 0 or more: this always holds");
	return true;
}

bool parse_count(struct parser *p, struct rule_count *count)
{
	const struct token *token = lex_peek(p);

	return read_compare(p, &count->compare) &&
	       parse_number(p, 0, RULE_NUMBER_MAX, &count->number) && possible(p, token, count);
}

static bool blame_unit(struct parser *p, const struct token *token, const char *example)
{
	char text[QUOTED_MAX];

	return parser_blame(p, token, "\"%s\" needs a unit: %s%s?",
	    parser_quoted(token->text, text), text, example);
}

static const struct unit {
	const char *text;
	uint64_t factor;
} sizes[] = {{"B", 1}, {"KB", 1024}, {"MB", 1024 * 1024}, {"GB", 1024 * 1024 * 1024}},
  spans[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 7 * 86400}};

/* "60m": digits and a unit in one word. */
static bool read_united(struct parser *p, const char *what, const struct unit *unit, size_t units,
    const char *example, uint64_t *value)
{
	const struct token *token = lex_next(p);
	uint64_t number;
	size_t n;

	if (token->kind != TOKEN_WORD || !digits(token->text, &n, &number))
		return parser_expected(p, token, what, NULL, 0, 0);
	if (n == token->len)
		return blame_unit(p, token, example);
	for (size_t i = 0; i < units; i++) {
		if (strcmp(unit[i].text, token->text + n) == 0 &&
		    !__builtin_mul_overflow(number, unit[i].factor, value))
			return true;
	}
	return parser_expected(p, token, what, NULL, 0, 0);
}

bool parse_amount(struct parser *p, struct rule_count *amount)
{
	const struct token *token = lex_peek(p);

	return read_compare(p, &amount->compare) &&
	       read_united(p, "a size as 2MB (B, KB, MB, GB)", sizes, COUNT_OF(sizes), "MB",
		   &amount->number) &&
	       possible(p, token, amount);
}

bool parse_duration(struct parser *p, int64_t *span)
{
	const struct token *token = lex_peek(p);
	uint64_t seconds;

	if (!read_united(p, "a time as 60m (s, m, h, d, w)", spans, COUNT_OF(spans), "m", &seconds))
		return false;
	if (seconds == 0)
		return parser_blame(p, token, "no time at all: say so by \"no\"");
	if (seconds > (uint64_t)RULE_SPAN_MAX / 1000000)
		return parser_blame(p, token, "longer than 366 days");
	*span = (int64_t)seconds * 1000000;
	return true;
}

bool parse_time(struct parser *p, const struct token *token, const char *text, size_t len, int last,
    int *minute)
{
	char shown[QUOTED_MAX];
	bool shaped = len == 5 && digit(text[0]) && digit(text[1]) && text[2] == ':' &&
		      digit(text[3]) && digit(text[4]);
	bool short_of =
	    len == 4 && digit(text[0]) && text[1] == ':' && digit(text[2]) && digit(text[3]);
	int hours, minutes;

	if (short_of)
		return parser_blame(p, token, "a time has four digits: 0%.4s?", text);
	if (!shaped)
		return parser_blame(p, token, "expected a time as 09:30, not \"%s\"",
		    parser_quoted(token->text, shown));
	hours = (text[0] - '0') * 10 + text[1] - '0';
	minutes = (text[3] - '0') * 10 + text[4] - '0';
	*minute = hours * 60 + minutes;
	if (minutes > 59 || *minute > last)
		return parser_blame(p, token, "there is no time %.5s here", text);
	return true;
}

/* ---- strings and names ---- */

bool parse_string(struct parser *p, const char *what, const char **text)
{
	const struct token *token = lex_next(p);

	if (token->kind != TOKEN_STRING)
		return parser_expected(p, token, what, NULL, 0, 0);
	if (token->escape != 0)
		return conf_blame(p->fault, p->number, token->escape,
		    "a backslash stands before \" and \\ alone: write it twice");
	if (token->text[strspn(token->text, " ")] == '\0')
		return parser_blame(p, token, "there is nothing between the quotes");
	if (token->len > RULE_TEXT_MAX)
		return parser_blame(p, token, "a text is at most %zu bytes long", RULE_TEXT_MAX);
	*text = parser_keep(p, token->text, token->len);
	return *text != NULL;
}

static bool name_letter(char c)
{
	return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
	       c == '_' || c == '.';
}

bool rule_name_good(const char *text)
{
	size_t n = 0;

	while (name_letter(text[n]))
		n++;
	return n > 0 && n <= RULE_NAME_MAX && text[n] == '\0' && text[0] != '.';
}

bool parse_name(struct parser *p, const char *what, const char **name)
{
	const struct token *token = lex_next(p);
	char text[QUOTED_MAX];

	if (token->kind == TOKEN_STRING)
		return parser_blame(p, token, "%s is written without quotes", what);
	if (token->kind != TOKEN_WORD)
		return parser_expected(p, token, what, NULL, 0, 0);
	if (!rule_name_good(token->text))
		return parser_blame(p, token,
		    "\"%s\" cannot be %s: letters A to Z, digits, - _ . and at most %zu of them",
		    parser_quoted(token->text, text), what, RULE_NAME_MAX);
	*name = parser_keep(p, token->text, token->len);
	return *name != NULL;
}

bool parse_known(struct parser *p, enum rule_name_kind kind, const char **name)
{
	static const struct {
		const char *word, *what, *place;
	} kinds[RULE_NAME_COUNT] = {
#define S(id, word, place) {word, "the name of a " word, place},
	    RULE_NAMES(S)
#undef S
	};
	const struct token *token = lex_peek(p);
	char near[128] = "", text[QUOTED_MAX];

	if (!parse_name(p, kinds[kind].what, name))
		return false;
	if (p->names == NULL || p->names->known == NULL ||
	    p->names->known(p->names->context, kind, *name, near, sizeof near))
		return true;
	if (near[0] != '\0')
		return parser_blame(p, token, "no %s \"%s\"; near: %s", kinds[kind].word,
		    parser_quoted(*name, text), near);
	return parser_blame(p, token, "no %s \"%s\" in %s", kinds[kind].word,
	    parser_quoted(*name, text), kinds[kind].place);
}

/* ---- addresses ---- */

bool parse_domain(
    struct parser *p, const struct token *token, const char *text, const char **domain)
{
	char normal[ADDRESS_TEXT_MAX], shown[QUOTED_MAX];

	if (text[0] == '*')
		return parser_blame(
		    p, token, "write @example.jp for a domain, @.example.jp for all below it");
	if (text[0] == '\0' || !address_domain(text, strlen(text), normal) ||
	    strlen(normal) > ADDRESS_MAX)
		return parser_blame(
		    p, token, "\"%s\" cannot be a domain", parser_quoted(text, shown));
	*domain = parser_keep(p, normal, strlen(normal));
	return *domain != NULL;
}

/* The local part: its letters without quotes, in lower case. False: it can be none. */
static bool bare_local(const char *text, size_t len, char *bare, size_t *n)
{
	bool inside = false;

	*n = 0;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '"') {
			if (i != 0 && i + 1 != len)
				return false;
			inside = !inside;
			continue;
		}
		if (c == '\\' && (!inside || i + 2 >= len))
			return false;
		if (c == '\\')
			c = text[++i];
		bare[(*n)++] = c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
	}
	return !inside && *n > 0;
}

/* RFC 5322 section 3.2.3 with RFC 6532. */
static bool atom_letter(char c)
{
	return (unsigned char)c >= 0x80 || digit(c) || (c >= 'a' && c <= 'z') ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

/* As an envelope has it: in quotes only if it needs them. Returns the bytes written. */
static size_t put_local(const char *bare, size_t n, char *into)
{
	bool quotes = false;
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		quotes = quotes || !atom_letter(bare[i]);
	if (quotes)
		into[used++] = '"';
	for (size_t i = 0; i < n; i++) {
		if (bare[i] == '"' || bare[i] == '\\')
			into[used++] = '\\';
		into[used++] = bare[i];
	}
	if (quotes)
		into[used++] = '"';
	return used;
}

/* The same form as that of org_normal() (lib/org/org.h), in which all addresses are compared. */
bool parse_address(struct parser *p, const struct token *token, const char **address)
{
	const char *at = strrchr(token->text, '@');
	const char *domain;
	char bare[ADDRESS_MAX + 1], text[3 * ADDRESS_MAX + 4], shown[QUOTED_MAX];
	size_t len = at != NULL ? (size_t)(at - token->text) : 0;
	size_t n = 0;
	bool fine = len > 0 && len < ADDRESS_MAX / 2;

	if (len == 1 && token->text[0] == '*')
		return parser_blame(
		    p, token, "write %s for all of a domain", parser_quoted(at, shown));
	fine = fine && bare_local(token->text, len, bare, &n);
	/* What has an '@' in front of the last one is two addresses without a comma, unless quoted. */
	if (!fine || (token->text[0] != '"' && memchr(token->text, '@', len) != NULL))
		return parser_blame(
		    p, token, "\"%s\" cannot be an address", parser_quoted(token->text, shown));
	if (!parse_domain(p, token, at + 1, &domain))
		return false;

	len = put_local(bare, n, text);
	if (len + strlen(domain) + 1 > ADDRESS_MAX)
		return parser_blame(p, token, "the address is too long");
	text[len++] = '@';
	memcpy(text + len, domain, strlen(domain));
	*address = parser_keep(p, text, len + strlen(domain));
	return *address != NULL;
}
