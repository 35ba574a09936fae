/*
 * The field is cut at its commas; quoted strings, comments, brackets and encoded words hide theirs.
 * Who an item names is asked of lib/mime/address.h, which also reads the result once more.
 */
#include "lib/seal/recipients.h"

#include <string.h>
#include <strings.h>

#include "lib/mime/address.h"

#define ESC 0x1b

struct cutting {
	const char *body;
	size_t len;
	const char *const *address;
	size_t addresses;
	size_t removed;
	bool unclear;
	bool no_memory;
};

/* A list: that of the field, or of a group. */
struct list {
	struct buf *out;
	size_t lead, lead_end; /* the blanks before its first item */
	size_t written;        /* items */
	bool somebody;         /* one of them is more than blanks and comments */
	bool cut;              /* somebody was taken out */
};

/* ---- who is meant ---- */

static char low(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool wanted(const struct cutting *c, const char *text)
{
	for (size_t i = 0; i < c->addresses; i++) {
		const char *other = c->address[i];

		/* Most differ in their first letter already. */
		if (low(*text) != low(*other) && *text != '"' && *other != '"')
			continue;
		if (address_same(text, other))
			return true;
	}
	return false;
}

/* Letters that would make another address of the one behind or before them. */
static bool belongs(char c)
{
	return (c >= '0' && c <= '9') || (low(c) >= 'a' && low(c) <= 'z') || (c & 0x80) != 0 ||
	       strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL;
}

static bool shows(const char *text, size_t len, const char *address)
{
	size_t n = strlen(address);

	for (size_t i = 0; n > 0 && i + n <= len; i++) {
		if (low(text[i]) != low(*address) || strncasecmp(text + i, address, n) != 0)
			continue;
		if ((i == 0 || !belongs(text[i - 1])) &&
		    (i + n == len || !belongs(text[i + n]) ||
			(text[i + n] == '.' && (i + n + 1 == len || !belongs(text[i + n + 1])))))
			return true;
	}
	return false;
}

bool recipients_shown(const char *text, size_t len, const char *const *address, size_t addresses)
{
	for (size_t i = 0; i < addresses; i++) {
		if (shows(text, len, address[i]))
			return true;
	}
	return false;
}

struct found {
	const struct cutting *c;
	size_t own, match; /* addresses in their place, and those of them that are wanted */
	size_t within;     /* wanted ones that are only shown */
};

static bool see(void *context, const struct address *address)
{
	struct found *f = context;
	bool match = address->text[0] != '\0' && wanted(f->c, address->text);

	if ((address->flags & ADDRESS_WITHIN) != 0) {
		f->within += match;
		return true;
	}
	f->own += address->text[0] != '\0';
	f->match += match;
	return true;
}

static struct found look(struct cutting *c, const char *text, size_t len)
{
	struct found f = {.c = c};
	unsigned flags;

	if (!addresses_read(text, len, see, &f, &flags))
		c->no_memory = true;
	return f;
}

/* Whether any reading of the text has one of them. */
static bool has_one(struct cutting *c, const char *text, size_t len)
{
	struct found f = look(c, text, len);

	return f.match > 0 || f.within > 0 || recipients_shown(text, len, c->address, c->addresses);
}

/* ---- tokens ---- */

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Behind the closing `close`, or 0. A backslash hides what stands behind it. */
static size_t closed(const struct cutting *c, size_t at, char close)
{
	for (; at < c->len; at++) {
		if (c->body[at] == '\\')
			at++;
		else if (c->body[at] == close)
			return at + 1;
	}
	return 0;
}

static size_t behind_comment(const struct cutting *c, size_t at)
{
	size_t depth = 0;

	for (; at < c->len; at++) {
		if (c->body[at] == '\\')
			at++;
		else if (c->body[at] == '(')
			depth++;
		else if (c->body[at] == ')' && --depth == 0)
			return at + 1;
	}
	return 0;
}

static size_t behind_angle(const struct cutting *c, size_t at)
{
	for (at++; at < c->len; at++) {
		if (c->body[at] == '>')
			return at + 1;
		if (c->body[at] == '<')
			return 0;
		if (c->body[at] == '"') {
			at = closed(c, at + 1, '"');
			if (at == 0)
				return 0;
			at--;
		}
	}
	return 0;
}

/* Behind "=?…?…?…?=" without a blank in it; the next byte if it is none. */
static size_t behind_word(const struct cutting *c, size_t at)
{
	size_t marks = 0;

	if (at + 1 >= c->len || c->body[at + 1] != '?')
		return at + 1;
	for (size_t i = at + 2; i < c->len && !blank(c->body[i]); i++) {
		if (c->body[i] != '?')
			continue;
		marks++;
		if (marks >= 3 && i + 1 < c->len && c->body[i + 1] == '=')
			return i + 2;
	}
	return at + 1;
}

/* Letters of ISO-2022-JP, up to the escape back to ASCII. */
static size_t behind_jis(const struct cutting *c, size_t at)
{
	if (at + 1 >= c->len || c->body[at + 1] != '$')
		return at + 1;
	for (size_t i = at + 2; i + 2 < c->len; i++) {
		if (c->body[i] == ESC && c->body[i + 1] == '(')
			return i + 3;
	}
	return 0;
}

/* The end of the token at `at`; 0: it is not closed. */
static size_t token(const struct cutting *c, size_t at)
{
	switch (c->body[at]) {
	case '"':
		return closed(c, at + 1, '"');
	case '(':
		return behind_comment(c, at);
	case '<':
		return behind_angle(c, at);
	case '[':
		return closed(c, at + 1, ']');
	case '=':
		return behind_word(c, at);
	case ESC:
		return behind_jis(c, at);
	default:
		return at + 1;
	}
}

/* ---- items ---- */

static size_t lead_end(const struct cutting *c, size_t from, size_t to)
{
	while (from < to && blank(c->body[from]))
		from++;
	return from;
}

/* Whether there is anything but blanks and comments. */
static bool says_something(const struct cutting *c, size_t from, size_t to)
{
	while (from < to) {
		if (!blank(c->body[from]) && c->body[from] != '(')
			return true;
		from = c->body[from] == '(' ? behind_comment(c, from) : from + 1;
		if (from == 0)
			return true;
	}
	return false;
}

static void begin_list(const struct cutting *c, struct list *list, struct buf *out, size_t at)
{
	*list = (struct list){.out = out, .lead = at, .lead_end = lead_end(c, at, c->len)};
}

/* Adds what stands before an item that stays; its text begins at the return. */
static size_t write_lead(
    const struct cutting *c, struct list *list, size_t separator, size_t from, size_t to)
{
	if (list->written++ > 0) {
		buf_add(list->out, c->body + separator, 1);
		return from;
	}
	buf_add(list->out, c->body + list->lead, list->lead_end - list->lead);
	return lead_end(c, from, to);
}

/* One mailbox, or nothing at all: [from, to) behind the separator. */
static void end_item(struct cutting *c, struct list *list, size_t separator, size_t from, size_t to)
{
	struct found f = look(c, c->body + from, to - from);

	if (f.match > 0 && f.match < f.own)
		c->unclear = true;
	if (f.match > 0) {
		c->removed++;
		list->cut = true;
		return;
	}
	list->somebody |= says_something(c, from, to);
	from = write_lead(c, list, separator, from, to);
	buf_add(list->out, c->body + from, to - from);
}

/* The members of a group from `at` on. Returns the offset of its semicolon, or 0. */
static size_t read_members(struct cutting *c, struct list *list, size_t at)
{
	size_t from = at, separator = at;

	while (at < c->len && !c->unclear) {
		if (c->body[at] == ',' || c->body[at] == ';') {
			end_item(c, list, separator, from, at);
			if (c->body[at] == ';')
				return at;
			separator = at;
			from = ++at;
			continue;
		}
		if (c->body[at] == ':') /* a group in a group */
			return 0;
		at = token(c, at);
		if (at == 0)
			return 0;
	}
	return 0;
}

/*
 * A group whose name stands at [from, colon). Returns where the item ends: at a comma or at the end of
 * the field; 0: it is unclear.
 */
static size_t read_group(
    struct cutting *c, struct list *list, size_t separator, size_t from, size_t colon)
{
	struct buf members;
	struct list inner;
	size_t semicolon, end;

	buf_init(&members, c->len + 1);
	begin_list(c, &inner, &members, colon + 1);
	semicolon = end = read_members(c, &inner, colon + 1);
	while (end > 0 && end < c->len && c->body[end] != ',')
		end = token(c, end);
	if (semicolon == 0 || end == 0 || says_something(c, semicolon + 1, end)) {
		c->unclear = true;
	} else if (inner.cut && !inner.somebody) {
		list->cut = true;
	} else {
		from = write_lead(c, list, separator, from, colon);
		buf_add(list->out, c->body + from, colon + 1 - from);
		buf_add(list->out, members.bytes != NULL ? members.bytes : "", members.len);
		buf_add(list->out, c->body + semicolon, end - semicolon);
		list->cut |= inner.cut;
		list->somebody = true;
	}
	if (!buf_ok(&members))
		c->no_memory = true;
	buf_free(&members);
	return c->unclear ? 0 : end;
}

static void read_list(struct cutting *c, struct list *list)
{
	size_t at = 0, from = 0, separator = 0;
	bool address = false; /* there is one before, so that a colon begins no group */

	while (at < c->len && !c->unclear) {
		char byte = c->body[at];

		if (byte == ',' || byte == ';') {
			end_item(c, list, separator, from, at);
		} else if (byte == ':' && !address) {
			at = read_group(c, list, separator, from, at);
			if (at == 0 || at == c->len)
				return;
		} else {
			address |= byte == '@' || byte == '<';
			at = token(c, at);
			c->unclear |= at == 0;
			continue;
		}
		separator = at;
		from = ++at;
		address = false;
	}
	if (!c->unclear)
		end_item(c, list, separator, from, c->len);
}

/* ---- the field ---- */

enum recipients recipients_take_out(const char *body, size_t len, const char *const *address,
    size_t addresses, struct buf *out, size_t *removed)
{
	struct cutting c = {.body = body, .len = len, .address = address, .addresses = addresses};
	struct list list;
	bool there = addresses > 0 && has_one(&c, body, len);

	if (c.no_memory)
		return RECIPIENTS_NO_MEMORY;
	if (!there)
		return RECIPIENTS_SAME;
	begin_list(&c, &list, out, 0);
	read_list(&c, &list);
	if (c.no_memory || !buf_ok(out))
		return RECIPIENTS_NO_MEMORY;
	if (c.unclear || !list.cut)
		return RECIPIENTS_UNCLEAR;
	if (list.somebody && has_one(&c, out->bytes, out->len))
		return c.no_memory ? RECIPIENTS_NO_MEMORY : RECIPIENTS_UNCLEAR;
	*removed += c.removed;
	return list.somebody ? RECIPIENTS_LEFT : RECIPIENTS_NONE;
}
