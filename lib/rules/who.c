#include <string.h>

#include "lib/rules/inside.h"

#define USE(use) (1u << (use))
#define ANYWHERE (USE(WHO_OF_FROM) | USE(WHO_OF_TO) | USE(WHO_OF_HEADER))
#define OF_TO    USE(WHO_OF_TO)

/* Words that stand for somebody, and where they may. */
static const struct who_word {
	const char *word;
	unsigned uses;
	enum rule_who_kind kind;
	enum policy_class class;
} words[] = {
    {"group", ANYWHERE, WHO_GROUP, 0},
    {"list", ANYWHERE, WHO_LIST, 0},
    {"boss", ANYWHERE, WHO_BOSS, 0},
    {"sender", ANYWHERE, WHO_SENDER, 0},
    {"any", ANYWHERE, WHO_ANY, 0},
    {"internal", OF_TO, WHO_CLASS, CLASS_INTERNAL},
    {"affiliated", OF_TO, WHO_CLASS, CLASS_AFFILIATED},
    {"external", OF_TO, WHO_CLASS, CLASS_EXTERNAL},
    {"partner", OF_TO, WHO_PARTNER, 0},
    {"first-time", OF_TO, WHO_FIRST_TIME, 0},
    {"lookalike", OF_TO, WHO_LOOKALIKE, 0},
    {"table", OF_TO, WHO_TABLE, 0},
    {"tls", OF_TO, WHO_TLS, 0},
    /* Stand alone; here so that their near words are found. */
    {"mismatched", 0, 0, 0},
    {"unregistered", 0, 0, 0},
};

static const char *const what[] = {
    [WHO_OF_FROM] = "an address, @domain, <>, group, list, boss, any, mismatched or unregistered",
    [WHO_OF_TO] =
	"an address, @domain, a class of recipients, group, list, partner, first-time ...",
    [WHO_OF_HEADER] = "an address, @domain, group, list, boss, sender or any",
};

static bool read_first_time(struct parser *p, struct rule_who *who)
{
	static const char *const scopes[] = {"group", "site"};
	unsigned choice = 0;

	if (!lex_take(p, "for"))
		return true;
	if (!parse_choice(p, scopes, COUNT_OF(scopes), "group or site", &choice))
		return false;
	who->scope = choice == 0 ? SCOPE_GROUP : SCOPE_SITE;
	return true;
}

static bool level_holds(const struct rule_count *count, uint64_t level)
{
	switch (count->compare) {
	case CMP_GE:
		return level >= count->number;
	case CMP_GT:
		return level > count->number;
	case CMP_LE:
		return level <= count->number;
	case CMP_LT:
		return level < count->number;
	case CMP_EQ:
		break;
	}
	return level == count->number;
}

static bool read_tls(struct parser *p, struct rule_who *who)
{
	const struct token *compare = lex_next(p);
	unsigned level = 0, holds = 0;

	if (compare->kind != TOKEN_COMPARE)
		return parser_expected(p, compare, ">=, >, <=, < or =", NULL, 0, 0);
	if (!parse_choice(p, rule_level_words + 1, LEVEL_COUNT - 1,
		"starttls, verified, sts or dane", &level))
		return false;
	who->tls = (struct rule_count){.compare = compare->compare, .number = level + 1};
	for (unsigned i = 0; i < LEVEL_COUNT; i++)
		holds += level_holds(&who->tls, i);
	if (holds == 0 || holds == LEVEL_COUNT)
		return parser_blame(p, compare, "this %s holds", holds == 0 ? "never" : "always");
	return true;
}

static bool read_at(struct parser *p, const struct token *token, struct rule_who *who)
{
	const char *text = token->text;

	if (text[0] != '@') {
		who->kind = WHO_ADDRESS;
		return parse_address(p, token, &who->text);
	}
	who->kind = text[1] == '.' ? WHO_SUBDOMAINS : WHO_DOMAIN;
	return parse_domain(p, token, text + (who->kind == WHO_SUBDOMAINS ? 2 : 1), &who->text);
}

static bool read_word(
    struct parser *p, const struct token *token, enum who_use use, struct rule_who *who)
{
	const struct who_word *word = NULL;

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (strcmp(words[i].word, token->text) == 0)
			word = &words[i];
	}
	if (word == NULL)
		return parser_expected(
		    p, token, what[use], words, COUNT_OF(words), sizeof words[0]);
	if (word->uses == 0)
		return parser_blame(p, token, "\"%s\" stands alone, behind \"from\"", word->word);
	if ((word->uses & USE(use)) == 0)
		return parser_blame(
		    p, token, "\"%s\" speaks of a recipient: it stands behind \"to\"", word->word);

	who->kind = word->kind;
	who->class = word->class;
	if (word->kind == WHO_GROUP)
		return parse_known(p, RULE_NAME_GROUP, &who->text);
	if (word->kind == WHO_LIST)
		return parse_known(p, RULE_NAME_LIST, &who->text);
	if (word->kind == WHO_TABLE)
		return parse_known(p, RULE_NAME_TABLE, &who->text);
	if (word->kind == WHO_FIRST_TIME)
		return read_first_time(p, who);
	return word->kind != WHO_TLS || read_tls(p, who);
}

static bool read_who(struct parser *p, enum who_use use, struct rule_who *who)
{
	const struct token *token = lex_next(p);

	if (token->kind == TOKEN_WORD && strcmp(token->text, "<>") == 0) {
		who->kind = WHO_NULL;
		if (use == WHO_OF_HEADER)
			return parser_blame(
			    p, token, "<> is a sender of the envelope: it stands in no header");
		return true;
	}
	if (token->kind == TOKEN_COMPARE)
		return parser_blame(p, token, "addresses are written without < and >");
	if (token->kind != TOKEN_WORD)
		return parser_expected(p, token, what[use], NULL, 0, 0);
	if (strchr(token->text, '@') != NULL)
		return read_at(p, token, who);
	if (lex_is(token, "not"))
		return parser_blame(
		    p, token, "\"not\" stands once, before the list: it turns all of it round");
	return read_word(p, token, use, who);
}

bool parse_whos(struct parser *p, struct rule_condition *condition, enum who_use use)
{
	condition->not = lex_take(p, "not");
	condition->who = parser_take(p, lex_list_room(p), sizeof *condition->who);
	if (condition->who == NULL)
		return false;
	do {
		if (!read_who(p, use, &condition->who[condition->whos++]))
			return false;
	} while (lex_take_comma(p));
	return true;
}

bool parse_whom(struct parser *p, struct rule_who *who)
{
	const struct token *token = lex_next(p);
	static const char *const known[] = {"boss", "group"};

	if (token->kind == TOKEN_WORD && strchr(token->text, '@') != NULL &&
	    token->text[0] != '@') {
		who->kind = WHO_ADDRESS;
		return parse_address(p, token, &who->text);
	}
	if (lex_is(token, "boss")) {
		who->kind = WHO_BOSS;
		return true;
	}
	if (lex_is(token, "group")) {
		who->kind = WHO_GROUP;
		return parse_known(p, RULE_NAME_GROUP, &who->text);
	}
	return parser_expected(
	    p, token, "an address, boss or group NAME", known, COUNT_OF(known), sizeof known[0]);
}
