#include <string.h>

#include "lib/rules/inside.h"

static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

#define DAYS COUNT_OF(days)

static size_t day_of(const char *text, size_t len)
{
	size_t i = 0;

	while (i < DAYS && (len != 3 || memcmp(days[i], text, 3) != 0))
		i++;
	return i;
}

/* "Sat", "Sat-Sun", "Fri-Mon". */
static bool read_days(struct parser *p, struct rule_span *span)
{
	static const char *const known[] = {
	    "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "holiday", "workday"};
	const struct token *token = lex_next(p);
	const char *dash = strchr(token->text, '-');
	size_t len = dash != NULL ? (size_t)(dash - token->text) : token->len;
	size_t day = day_of(token->text, len);
	size_t last = dash != NULL ? day_of(dash + 1, strlen(dash + 1)) : day;

	if (day == DAYS || last == DAYS)
		return parser_expected(p, token,
		    "a time as 19:00-09:30, a day (Mon), days (Mon-Fri), "
		    "holiday or workday",
		    known, COUNT_OF(known), sizeof known[0]);
	for (;; day = (day + 1) % DAYS) {
		span->days |= 1u << day;
		if (day == last)
			return true;
	}
}

static bool read_times(struct parser *p, struct rule_span *span)
{
	const struct token *token = lex_next(p);
	const char *dash = strchr(token->text, '-');
	char text[QUOTED_MAX];

	if (dash == NULL)
		return parser_blame(p, token,
		    "expected from when to when, as 19:00-09:30, not \"%s\"",
		    parser_quoted(token->text, text));
	if (!parse_time(
		p, token, token->text, (size_t)(dash - token->text), 24 * 60 - 1, &span->begin) ||
	    !parse_time(p, token, dash + 1, strlen(dash + 1), 24 * 60, &span->end))
		return false;
	span->timed = true;
	if (span->begin == span->end)
		return parser_blame(p, token, "this span is empty; all of a day is 00:00-24:00");
	return true;
}

static bool timed(const struct token *token)
{
	return token->kind == TOKEN_WORD && token->text[0] >= '0' && token->text[0] <= '9';
}

static bool read_span(struct parser *p, struct rule_span *span)
{
	const struct token *token = lex_peek(p);

	if (token->kind != TOKEN_WORD)
		return parser_expected(
		    p, token, "a time as 19:00-09:30, a day, holiday or workday", NULL, 0, 0);
	span->holiday = lex_take(p, "holiday");
	span->workday = !span->holiday && lex_take(p, "workday");
	if (!span->holiday && !span->workday && !timed(token) && !read_days(p, span))
		return false;
	return !timed(lex_peek(p)) || read_times(p, span);
}

bool parse_when(struct parser *p, struct rule_condition *condition)
{
	condition->kind = COND_WHEN;
	condition->not = lex_take(p, "not");
	condition->span = parser_take(p, lex_list_room(p), sizeof *condition->span);
	if (condition->span == NULL)
		return false;
	do {
		if (!read_span(p, &condition->span[condition->spans++]))
			return false;
	} while (lex_take_comma(p));
	return true;
}
