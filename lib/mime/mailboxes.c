#include "lib/mime/mailboxes.h"

#include <string.h>

#include "lib/mime/utf8.h"

#define COMMENT_DEPTH 16

enum token {
	TOKEN_END,
	TOKEN_WORD,    /* atoms and dots without a blank between them */
	TOKEN_QUOTED,  /* a quoted string; `text` is without its quotes, escapes as they stand */
	TOKEN_LITERAL, /* "[192.0.2.1]" */
	TOKEN_MARK,    /* one of <>@,:; */
	TOKEN_BAD,
};

struct word {
	enum token token;
	const char *text;
	size_t len;     /* of a word, quoted string or literal */
	bool apart;     /* blanks or comments stand before it */
	bool commented; /* a comment does */
};

struct reader {
	const char *at;
	const char *end;
	struct word now;  /* the token that is looked at */
	bool quoted_fold; /* a quoted string of this field has a fold */
	bool quoted_at;   /* one has an '@' */
	mailboxes_see *see;
	void *context;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_wide(char c)
{
	return (unsigned char)c >= 0x80;
}

/* atext of RFC 5322 section 3.2.3 with RFC 6532, and the dot. */
static bool is_word(char c)
{
	return is_alnum(c) || is_wide(c) ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

/* ---- bytes ---- */

/* Whether a fold stands at `text`; a line of blanks alone ends the header for some programs. */
static bool fold(const char *text, size_t len)
{
	size_t i = 2;

	if (len < 3 || text[1] != '\n' || (text[2] != ' ' && text[2] != '\t'))
		return false;
	while (i < len && (text[i] == ' ' || text[i] == '\t'))
		i++;
	return i < len && text[i] != '\r';
}

/* Valid UTF-8 without control characters and line ends other than folds. */
static bool printable(const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint32_t point;
		size_t step = utf8_step(text + i, len - i, &point);

		if (step == 0 || (point >= 0x7f && point < 0xa0) || point == 0x2028 ||
		    point == 0x2029)
			return false;
		if (point == '\r') {
			if (!fold(text + i, len - i))
				return false;
			step = 2;
		} else if (point < ' ' && point != '\t') {
			return false;
		}
		i += step;
	}
	return true;
}

/* ---- tokens ---- */

/* From a backslash to what it escapes; nobody needs to escape these but to hide an address. */
static bool skip_escape(struct reader *r)
{
	r->at++;
	return r->at < r->end && !is_blank(*r->at) && strchr("@<>", *r->at) == NULL;
}

/*
 * Skips the comment that begins here. One that looks as if it held an address is not taken: some
 * programs find it. Nor is one with a fold, where it ends for others.
 */
static bool skip_comment(struct reader *r)
{
	unsigned depth = 0;

	for (; r->at < r->end; r->at++) {
		switch (*r->at) {
		case '(':
			if (++depth > COMMENT_DEPTH)
				return false;
			break;
		case ')':
			if (--depth == 0) {
				r->at++;
				return true;
			}
			break;
		case '\\':
			if (!skip_escape(r))
				return false;
			break;
		case '@':
		case '<':
		case '>':
		case '\r':
			return false;
		default:
			break;
		}
	}
	return false;
}

static bool skip_blanks(struct reader *r)
{
	while (r->at < r->end && (is_blank(*r->at) || *r->at == '(')) {
		r->now.apart = true;
		if (is_blank(*r->at)) {
			r->at++;
			continue;
		}
		r->now.commented = true;
		if (!skip_comment(r))
			return false;
	}
	return true;
}

/*
 * Behind its first quote. Angle brackets in it would be an address to those who do not see quotes.
 * To some a fold ends it, and what was outside is then inside; long names are folded, so that this
 * is let through when there is no address to be found in any.
 */
static enum token quoted(struct reader *r)
{
	r->now.text = r->at;
	for (; r->at < r->end && *r->at != '"'; r->at++) {
		if (*r->at == '<' || *r->at == '>' || (*r->at == '\\' && !skip_escape(r)))
			return TOKEN_BAD;
		r->quoted_fold = r->quoted_fold || *r->at == '\r';
		r->quoted_at = r->quoted_at || *r->at == '@';
	}
	if (r->at == r->end || (r->quoted_fold && r->quoted_at))
		return TOKEN_BAD;

	r->now.len = (size_t)(r->at++ - r->now.text);
	return TOKEN_QUOTED;
}

static enum token literal(struct reader *r)
{
	while (r->at < r->end && (is_alnum(*r->at) || *r->at == ':' || *r->at == '.'))
		r->at++;
	if (r->at == r->end || *r->at != ']' || r->at == r->now.text + 1)
		return TOKEN_BAD;
	r->now.len = (size_t)(++r->at - r->now.text);
	return TOKEN_LITERAL;
}

static enum token scan(struct reader *r)
{
	if (!skip_blanks(r))
		return TOKEN_BAD;
	if (r->at == r->end)
		return TOKEN_END;

	r->now.text = r->at;
	if (is_word(*r->at)) {
		while (r->at < r->end && is_word(*r->at))
			r->at++;
		r->now.len = (size_t)(r->at - r->now.text);
		return TOKEN_WORD;
	}
	switch (*r->at++) {
	case '"':
		return quoted(r);
	case '[':
		return literal(r);
	case '<':
	case '>':
	case '@':
	case ',':
	case ':':
	case ';':
		return TOKEN_MARK;
	default:
		return TOKEN_BAD;
	}
}

static void advance(struct reader *r)
{
	r->now = (struct word){.text = r->at};
	r->now.token = scan(r);
}

static bool at_mark(const struct reader *r, char mark)
{
	return r->now.token == TOKEN_MARK && r->now.text[0] == mark;
}

static bool at_phrase(const struct reader *r)
{
	return r->now.token == TOKEN_WORD || r->now.token == TOKEN_QUOTED;
}

/* ---- addresses ---- */

static bool has_unseen(const struct word *word)
{
	uint32_t point;
	size_t step;

	for (size_t i = 0; i < word->len; i += step) {
		step = utf8_step(word->text + i, word->len - i, &point);
		if (step == 0 || utf8_unseen(point))
			return true;
	}
	return false;
}

/* Atoms with single dots between them. */
static bool dotted(const char *text, size_t len)
{
	bool atom = false;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '.' && !atom)
			return false;
		atom = text[i] != '.';
	}
	return atom;
}

/*
 * Of the quoted ones only those whose quotes are there for their dots ("a..b"): how many programs
 * see two addresses in "a@b"@c nobody knows. An encoded word is an atom to some and text to others.
 */
static bool local_fits(const struct word *local)
{
	for (size_t i = 0; i < local->len; i++) {
		if (!is_word(local->text[i]))
			return false;
	}
	if (local->len == 0 || has_unseen(local) ||
	    memmem(local->text, local->len, "=?", 2) != NULL)
		return false;
	return local->token == TOKEN_QUOTED || dotted(local->text, local->len);
}

static bool domain_fits(const struct word *domain)
{
	if (domain->token == TOKEN_LITERAL)
		return true;
	if (domain->token != TOKEN_WORD || has_unseen(domain))
		return false;
	for (size_t i = 0; i < domain->len; i++) {
		char c = domain->text[i];

		if (!is_alnum(c) && !is_wide(c) && c != '-' && c != '.')
			return false;
	}
	return dotted(domain->text, domain->len);
}

static enum mailboxes give(struct reader *r, const struct word *local, const struct word *domain)
{
	char address[MAILBOX_MAX];
	size_t quotes = dotted(local->text, local->len) ? 0 : 1;
	size_t len = 0;

	/* Both lie within one body, so that the sum fits. */
	if (local->len + domain->len + 2 * quotes + 1 > MAILBOX_MAX)
		return MAILBOXES_UNCLEAR;

	if (quotes > 0)
		address[len++] = '"';
	memcpy(address + len, local->text, local->len);
	len += local->len;
	if (quotes > 0)
		address[len++] = '"';
	address[len++] = '@';
	memcpy(address + len, domain->text, domain->len);
	len += domain->len;
	return r->see(r->context, address, len) ? MAILBOXES_OK : MAILBOXES_STOPPED;
}

/*
 * Reads on behind the local part, at the '@'. Blanks and comments within an address are obsolete
 * (section 4.4), and what belongs to it then is seen differently.
 */
static enum mailboxes read_address(struct reader *r, const struct word *local)
{
	struct word domain;

	if (!at_mark(r, '@') || r->now.apart || !local_fits(local))
		return MAILBOXES_UNCLEAR;
	advance(r);
	if (r->now.apart || !domain_fits(&r->now))
		return MAILBOXES_UNCLEAR;

	domain = r->now;
	advance(r);
	return give(r, local, &domain);
}

/* "<local@domain>": blanks at its ends are let through, routes and the null address are not. */
static enum mailboxes read_angle(struct reader *r)
{
	enum mailboxes verdict;
	struct word local;

	advance(r);
	if (!at_phrase(r) || r->now.commented)
		return MAILBOXES_UNCLEAR;
	local = r->now;
	advance(r);

	verdict = read_address(r, &local);
	if (verdict != MAILBOXES_OK)
		return verdict;
	if (!at_mark(r, '>') || r->now.commented)
		return MAILBOXES_UNCLEAR;
	advance(r);
	return MAILBOXES_OK;
}

/*
 * A word of a name. What begins like an encoded word must be a whole one, "=?charset?B?text?=" (RFC
 * 2047 section 2): where a broken one ends, if anywhere, each program decides for itself.
 */
static bool name_fits(const struct word *word)
{
	const char *end = word->text + word->len;
	const char *mark;

	if (word->token == TOKEN_QUOTED || memmem(word->text, word->len, "=?", 2) == NULL)
		return true;
	if (word->len < 8 || memcmp(word->text, "=?", 2) != 0 || memcmp(end - 2, "?=", 2) != 0)
		return false;

	mark = memchr(word->text + 2, '?', word->len - 2);
	if (mark == NULL || mark == word->text + 2 || end - mark < 5 || mark[2] != '?' ||
	    strchr("BbQq", mark[1]) == NULL)
		return false;
	return memchr(mark + 3, '?', (size_t)(end - mark) - 3) == end - 2;
}

/* What stands between two commas; and the name of a group, whose first element follows. */
static enum mailboxes read_element(struct reader *r, bool *group)
{
	struct word first = r->now;

	if (!at_phrase(r))
		return at_mark(r, '<') ? read_angle(r) : MAILBOXES_OK;

	advance(r);
	if (at_mark(r, '@'))
		return read_address(r, &first);
	if (!name_fits(&first))
		return MAILBOXES_UNCLEAR;
	for (; at_phrase(r); advance(r)) {
		if (!name_fits(&r->now))
			return MAILBOXES_UNCLEAR;
	}
	if (at_mark(r, '<'))
		return read_angle(r);
	if (!at_mark(r, ':') || *group)
		return MAILBOXES_UNCLEAR;

	*group = true;
	advance(r);
	return MAILBOXES_OK;
}

enum mailboxes mailboxes_read(const char *body, size_t len, mailboxes_see *see, void *context)
{
	struct reader r = {.at = body, .end = body + len, .see = see, .context = context};
	bool group = false;

	if (!printable(body, len))
		return MAILBOXES_UNCLEAR;

	advance(&r);
	for (;;) {
		bool outside = !group;
		enum mailboxes verdict = read_element(&r, &group);

		if (verdict != MAILBOXES_OK)
			return verdict;
		if (outside && group)
			continue; /* at the group's first element */

		if (group && at_mark(&r, ';')) {
			group = false;
			advance(&r);
		}
		if (r.now.token == TOKEN_END)
			return group ? MAILBOXES_UNCLEAR : MAILBOXES_OK;
		if (!at_mark(&r, ','))
			return MAILBOXES_UNCLEAR;
		advance(&r);
	}
}
