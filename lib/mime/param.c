#include "lib/mime/param.h"

#include <string.h>
#include <strings.h>

#define ESCAPE    '\033'
#define PIECE_MAX 9999 /* the largest number of a piece */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static char look(const struct param_reader *r)
{
	return r->at < r->len ? r->body[r->at] : '\0';
}

/* ---- what is skipped ---- */

/* Where the comment that begins at `at` ends, behind its parenthesis; 0: it does not. */
static size_t comment_end(const struct param_reader *r, size_t at)
{
	size_t depth = 0;

	for (; at < r->len; at++) {
		char c = r->body[at];

		if (c == '\\')
			at++;
		else if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0)
			return at + 1;
	}
	return 0;
}

/* Whether a program that knows no comments would see something else here. */
static bool comment_hides(const struct param_reader *r, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		if (strchr(";=\"\\", r->body[i]) != NULL)
			return true; /* a NUL, too */
	}
	return from > 0 && !is_blank(r->body[from - 1]) && r->body[from - 1] != ';';
}

static bool skip_comment(struct param_reader *r)
{
	size_t end;

	if (look(r) != '(' || (r->mode & PARAM_COMMENTS) == 0 || r->comment_open)
		return false;

	end = comment_end(r, r->at);
	if (end == 0) {
		r->comment_open = true;
		r->flags |= PARAM_COMMENT;
		return false;
	}
	if (comment_hides(r, r->at, end))
		r->flags |= PARAM_COMMENT;
	r->at = end;
	return true;
}

static void skip_blanks(struct param_reader *r)
{
	while (r->at < r->len && (is_blank(r->body[r->at]) || skip_comment(r))) {
		if (is_blank(look(r)))
			r->at++;
	}
}

/*
 * Steps over one letter, or over letters of ISO-2022-JP with the escapes around them, in which the
 * bytes of quotes and semicolons stand for others.
 */
static void step(struct param_reader *r)
{
	const char *end;
	size_t at = r->at++;

	if ((r->mode & PARAM_JIS) == 0 || r->letters_open || r->len - at < 3 ||
	    r->body[at] != ESCAPE || r->body[at + 1] != '$')
		return;

	end = memmem(r->body + at, r->len - at, "\033(", 2);
	if (end == NULL || r->len - (size_t)(end - r->body) < 3) {
		r->letters_open = true;
		return;
	}
	r->at = (size_t)(end - r->body) + 3;
}

/* ---- a parameter ---- */

/* A word: up to a blank, a mark that ends one, or a comment. */
static size_t read_word(struct param_reader *r)
{
	size_t start = r->at;

	while (r->at < r->len && !is_blank(look(r)) && memchr(";=\"", look(r), 3) == NULL &&
	       (look(r) != '(' || (r->mode & PARAM_COMMENTS) == 0 || r->comment_open))
		r->at++;
	return r->at - start;
}

/* Takes the stars and the number off a name: "filename*0*". */
static void read_stars(struct param_reader *r, struct param *param)
{
	const char *star = memchr(param->name, '*', param->name_len);
	const char *end = param->name + param->name_len;
	const char *digit;
	int piece = 0;

	param->piece = -1;
	param->extended = false;
	if (star == NULL)
		return;

	param->name_len = (size_t)(star - param->name);
	param->extended = end[-1] == '*';
	for (digit = star + 1; digit < end && *digit >= '0' && *digit <= '9'; digit++) {
		if (piece <= PIECE_MAX)
			piece = 10 * piece + (*digit - '0');
	}
	if (digit == star + 1)
		return;

	param->piece = piece;
	r->flags |= PARAM_PIECES;
	if (star[1] == '0' && digit > star + 2)
		r->flags |= PARAM_GAP;
}

static void read_quoted(struct param_reader *r, struct param *param)
{
	size_t start = ++r->at;

	param->quoted = true;
	param->value = r->body + start;
	while (r->at < r->len && look(r) != '"') {
		if (look(r) == '\\' && r->len - r->at > 1)
			r->at++;
		step(r);
	}
	param->value_len = r->at - start;
	if (r->at < r->len)
		r->at++;
	else
		r->flags |= PARAM_UNENDED;
}

static void read_bare(struct param_reader *r, struct param *param)
{
	size_t start = r->at;
	bool comments = (r->mode & PARAM_COMMENTS) != 0 && !r->comment_open;

	param->quoted = false;
	param->value = r->body + start;
	while (
	    r->at < r->len && !is_blank(look(r)) && look(r) != ';' && (look(r) != '(' || !comments))
		step(r);
	param->value_len = r->at - start;
}

static void read_value(struct param_reader *r, struct param *param)
{
	r->at++; /* the '=' */
	skip_blanks(r);
	if (look(r) == '"')
		read_quoted(r, param);
	else
		read_bare(r, param);
	skip_blanks(r);
	if (r->at < r->len && look(r) != ';')
		r->flags |= PARAM_SEMICOLON;
}

/* Over a word that is quoted, against the grammar. */
static void skip_quotes(struct param_reader *r)
{
	const char *end = memchr(r->body + r->at + 1, '"', r->len - r->at - 1);

	r->at = end == NULL ? r->len : (size_t)(end - r->body) + 1;
}

struct param_reader param_open(
    const char *body, size_t len, unsigned mode, const char **first, size_t *first_len)
{
	struct param_reader r = {.body = body, .len = len, .mode = mode};
	size_t start, end;

	skip_blanks(&r);
	start = end = r.at;
	if (look(&r) == '"')
		skip_quotes(&r);
	if (r.at > start || (look(&r) != '=' && look(&r) != ';' && read_word(&r) > 0)) {
		end = r.at;
		skip_blanks(&r);
		/* Blanks around the slash of a type: what is behind them belongs to it. */
		if (look(&r) == '/' || (body[end - 1] == '/' && r.at > end)) {
			if (look(&r) == '/')
				r.at++;
			skip_blanks(&r);
			(void)read_word(&r);
			end = r.at;
		}
	}
	if (look(&r) == '=') {
		/* It begins with a parameter: the word was its name. */
		r.at = end = start;
	}

	if (first != NULL) {
		*first = body + start;
		*first_len = end - start;
	}
	return r;
}

bool param_next(struct param_reader *r, struct param *param)
{
	for (;;) {
		skip_blanks(r);
		if (r->at >= r->len)
			return false;
		if (look(r) == ';') {
			r->at++;
			continue;
		}

		param->name = r->body + r->at;
		param->name_len = read_word(r);
		if (param->name_len == 0) {
			r->flags |= PARAM_SEMICOLON;
			r->at++;
			continue;
		}
		skip_blanks(r);
		if (look(r) != '=') {
			r->flags |= PARAM_SEMICOLON;
			continue;
		}
		read_stars(r, param);
		read_value(r, param);
		return true;
	}
}
