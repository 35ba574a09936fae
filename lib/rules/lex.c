#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/mime/utf8.h"
#include "lib/rules/inside.h"

/* ---- letters ---- */

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Letters that look like what the grammar has, and are not. */
static const char *instead(uint32_t point)
{
	switch (point) {
	case 0x3001:
	case 0xff0c:
	case 0xff64:
		return "a plain comma";
	case 0x201c:
	case 0x201d:
	case 0xff02:
		return "plain quotes";
	case 0xff1e:
	case 0xff1c:
	case 0xff1d:
	case 0x2265:
	case 0x2264:
		return ">=, >, <=, < or =";
	case 0xff20:
		return "a plain @";
	case 0x3000:
		return "a plain blank";
	default:
		return NULL;
	}
}

static unsigned column_of(const struct parser *p, size_t at)
{
	return p->margin + (unsigned)at + 1;
}

static bool blame_at(struct parser *p, size_t at, const char *text)
{
	return conf_blame(p->fault, p->number, column_of(p, at), "%s", text);
}

/* The bytes of the letter at `at`, 0: blamed. Within a string any letter may stand that is seen. */
static size_t letter(struct parser *p, size_t at, bool string)
{
	unsigned char c = (unsigned char)p->bytes[at];
	uint32_t point;
	size_t n;

	if (c < ' ' || c == 0x7f) {
		(void)conf_blame(
		    p->fault, p->number, column_of(p, at), "a control character (byte 0x%02x)", c);
		return 0;
	}
	if (c < 0x80)
		return 1;
	n = utf8_step(p->bytes + at, p->len - at, &point);
	if (n == 0) {
		(void)blame_at(p, at, "this is not UTF-8");
		return 0;
	}
	if (string)
		return n;
	if (instead(point) != NULL) {
		(void)conf_blame(p->fault, p->number, column_of(p, at), "\"%.*s\": use %s", (int)n,
		    p->bytes + at, instead(point));
		return 0;
	}
	if (utf8_unseen(point)) {
		(void)conf_blame(p->fault, p->number, column_of(p, at),
		    "U+%04X, which nobody sees, stands here", (unsigned)point);
		return 0;
	}
	return n;
}

/* ---- tokens ---- */

static struct token *add(struct parser *p, enum token_kind kind, size_t at, const char *text)
{
	struct token *token = &p->token[p->tokens++];

	*token = (struct token){.kind = kind, .text = text, .column = column_of(p, at)};
	return token;
}

static bool compares(struct parser *p, size_t *at)
{
	static const struct {
		const char *text;
		enum rule_compare compare;
	} all[] = {{">=", CMP_GE}, {"<=", CMP_LE}, {">", CMP_GT}, {"<", CMP_LT}, {"=", CMP_EQ}};

	for (size_t i = 0; i < COUNT_OF(all); i++) {
		size_t n = strlen(all[i].text);

		if (p->len - *at >= n && memcmp(p->bytes + *at, all[i].text, n) == 0) {
			struct token *token = add(p, TOKEN_COMPARE, *at, all[i].text);

			token->compare = all[i].compare;
			token->len = n;
			*at += n;
			token->end = column_of(p, *at);
			return true;
		}
	}
	return false;
}

/* Where the string that begins at `at` ends, behind its quote; 0: blamed. */
static size_t string_end(struct parser *p, size_t at)
{
	size_t i = at + 1;

	while (i < p->len && p->bytes[i] != '"') {
		size_t n;

		if (p->bytes[i] == '\\' && i + 1 < p->len)
			i++;
		n = letter(p, i, true);
		if (n == 0)
			return 0;
		i += n;
	}
	if (i >= p->len) {
		(void)blame_at(p, at, "the quote is not closed in this line");
		return 0;
	}
	return i + 1;
}

/* A string: the two escapes are taken out, others kept, and told. */
static size_t string(struct parser *p, size_t at, size_t end, size_t used)
{
	struct token *token = add(p, TOKEN_STRING, at, p->text + used);
	char *to = p->text + used;

	for (size_t i = at + 1; i + 1 < end; i++) {
		char c = p->bytes[i];

		if (c == '\\' && i + 2 < end) {
			char escaped = p->bytes[i + 1];

			if (escaped == '"' || escaped == '\\')
				c = p->bytes[++i];
			else if (token->escape == 0)
				token->escape = column_of(p, i);
		}
		*to++ = c;
	}
	*to++ = '\0';
	token->len = (size_t)(to - token->text) - 1;
	token->end = column_of(p, end);
	return (size_t)(to - p->text);
}

static bool ends_word(const struct parser *p, size_t at)
{
	char c = p->bytes[at];

	return blank(c) || c == ',' || c == '<' || c == '>' || (p->row && c == ';');
}

/* A word from `begin`, whose first letters up to `at` were looked at; the place behind it, or 0. */
static size_t word(struct parser *p, size_t begin, size_t at, size_t *used)
{
	struct token *token;
	size_t n;

	while (at < p->len && !ends_word(p, at)) {
		if (p->bytes[at] == '"') {
			(void)blame_at(
			    p, at, "a quote within a word: is a blank missing before it?");
			return 0;
		}
		n = letter(p, at, false);
		if (n == 0)
			return 0;
		at += n;
	}
	n = at - begin;
	token = add(p, TOKEN_WORD, begin, p->text + *used);
	memcpy(p->text + *used, p->bytes + begin, n);
	p->text[*used + n] = '\0';
	*used += n + 1;
	token->len = n;
	token->end = column_of(p, at);
	return at;
}

/* "a b"@example.jp is an address, and so one word. */
static size_t string_or_address(struct parser *p, size_t at, size_t *used)
{
	size_t end = string_end(p, at);

	if (end == 0)
		return 0;
	if (end < p->len && p->bytes[end] == '@')
		return word(p, at, end, used);
	if (end < p->len && !ends_word(p, end)) {
		(void)blame_at(p, end, "expected a blank or a comma behind the quote");
		return 0;
	}
	*used = string(p, at, end, *used);
	return end;
}

static bool sign(struct parser *p, enum token_kind kind, size_t *at, const char *text)
{
	struct token *token = add(p, kind, *at, text);

	token->len = 1;
	token->end = column_of(p, ++*at);
	return true;
}

static bool lex_one(struct parser *p, size_t *at, size_t *used)
{
	char c = p->bytes[*at];

	if (c == ',')
		return sign(p, TOKEN_COMMA, at, ",");
	if (c == ';' && p->row)
		return sign(p, TOKEN_SEMICOLON, at, ";");
	if (c == '"') {
		*at = string_or_address(p, *at, used);
		return *at != 0;
	}
	if (p->len - *at >= 2 && memcmp(p->bytes + *at, "<>", 2) == 0) {
		*at = word(p, *at, *at + 2, used);
		return *at != 0;
	}
	if (compares(p, at))
		return true;
	*at = word(p, *at, *at, used);
	return *at != 0;
}

bool lex_line(struct parser *p, const char *bytes, size_t len)
{
	size_t at = 0, used = 0;
	struct token *end;

	p->bytes = bytes;
	p->len = len;
	p->tokens = p->at = 0;
	if (len > p->len_max)
		return conf_blame(
		    p->fault, p->number, 0, "the line is longer than %zu bytes", p->len_max);

	for (;;) {
		while (at < len && blank(bytes[at]))
			at++;
		if (at == len || bytes[at] == '#')
			break;
		if (p->tokens == p->tokens_max)
			return conf_blame(p->fault, p->number, column_of(p, at),
			    "more than %zu words in a line", p->tokens_max);
		if (!lex_one(p, &at, &used))
			return false;
	}
	end = add(p, TOKEN_END, at, "");
	p->tokens--;
	/* What is missing is missing behind the last word, not behind the blanks there. */
	if (p->tokens > 0)
		end->column = end[-1].end;
	end->end = end->column;
	return true;
}

/* ---- taking them ---- */

const struct token *lex_peek(const struct parser *p)
{
	return &p->token[p->at];
}

const struct token *lex_peek_second(const struct parser *p)
{
	return &p->token[p->at < p->tokens ? p->at + 1 : p->at];
}

const struct token *lex_next(struct parser *p)
{
	const struct token *token = &p->token[p->at];

	if (p->at < p->tokens)
		p->at++;
	return token;
}

bool lex_is(const struct token *token, const char *word)
{
	return token->kind == TOKEN_WORD && strcmp(token->text, word) == 0;
}

bool lex_take(struct parser *p, const char *word)
{
	if (!lex_is(lex_peek(p), word))
		return false;
	(void)lex_next(p);
	return true;
}

bool lex_take_comma(struct parser *p)
{
	if (lex_peek(p)->kind != TOKEN_COMMA)
		return false;
	(void)lex_next(p);
	return true;
}

size_t lex_list_room(const struct parser *p)
{
	size_t room = 1;

	for (size_t i = p->at; i < p->tokens; i++)
		room += p->token[i].kind == TOKEN_COMMA;
	return room;
}

/* ---- faults ---- */

const char *parser_quoted(const char *text, char into[QUOTED_MAX])
{
	size_t len = strlen(text), n = 0;

	if (len < QUOTED_MAX) {
		memcpy(into, text, len + 1);
		return into;
	}
	n = QUOTED_MAX - 4;
	while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	memcpy(into, text, n);
	memcpy(into + n, "...", 4);
	return into;
}

bool parser_blame(struct parser *p, const struct token *token, const char *format, ...)
{
	va_list args;

	p->fault->line = p->number;
	p->fault->column = token->column;
	va_start(args, format);
	(void)vsnprintf(p->fault->text, sizeof p->fault->text, format, args);
	va_end(args);
	return false;
}

bool parser_expected(struct parser *p, const struct token *token, const char *what,
    const void *words, size_t n, size_t stride)
{
	const char *near = NULL;
	char text[QUOTED_MAX];

	if (token->kind == TOKEN_END)
		return parser_blame(p, token, "expected %s here", what);
	if (token->kind == TOKEN_WORD && words != NULL)
		near = conf_near(token->text, words, n, stride);
	return parser_blame(p, token, "expected %s, not \"%s\"%s%s%s", what,
	    parser_quoted(token->text, text), near != NULL ? ": " : "", near != NULL ? near : "",
	    near != NULL ? "?" : "");
}

bool lex_expect_end(struct parser *p)
{
	const struct token *token = lex_peek(p);
	char text[QUOTED_MAX];

	if (token->kind == TOKEN_END || (p->row && token->kind == TOKEN_SEMICOLON))
		return true;
	if (token->kind == TOKEN_COMMA)
		return parser_blame(p, token, "no list can stand here");
	return parser_blame(p, token, "nothing more is expected here, not \"%s\"",
	    parser_quoted(token->text, text));
}

bool lex_expect(struct parser *p, const char *word, const char *what)
{
	if (lex_take(p, word))
		return true;
	return parser_expected(p, lex_peek(p), what, &word, 1, sizeof word);
}

void *parser_take(struct parser *p, size_t n, size_t size)
{
	size_t all;
	void *memory = size_mul(n, size, &all) ? arena_take(p->arena, all) : NULL;

	if (memory == NULL)
		(void)conf_blame(p->fault, p->number, 0, "there is no memory for so many rules");
	return memory;
}

const char *parser_keep(struct parser *p, const char *text, size_t len)
{
	const char *copy = arena_text(p->arena, text, len);

	if (copy == NULL)
		(void)conf_blame(p->fault, p->number, 0, "there is no memory for so many rules");
	return copy;
}
