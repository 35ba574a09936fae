/*
 * The field is cut into items: words, then perhaps an address in angle brackets. What opens and is
 * never closed (a quote, a comment, letters of ISO-2022-JP) is not looked for a second time, so that
 * each byte is read a bounded number of times.
 */
#include "lib/mime/address_inside.h"

#include <string.h>
#include <strings.h>

#include "lib/mime/word.h"

#define COMMENT_DEPTH 1000

static const char *const flag_words[ADDRESS_FLAG_COUNT] = {
#define F(name, word) [ADDRESS_##name##_NUMBER] = (word),
    ADDRESS_FLAGS(F)
#undef F
};

/* A stretch of the field. */
struct piece {
	const char *text;
	size_t len;
};

struct reader {
	const char *at;
	const char *end;
	address_see *see;
	void *context;
	unsigned all;    /* flags of all of the field */
	bool stopped;    /* no memory, or `see` said so */
	bool no_quote;   /* a quote was not closed: from there on it is a letter */
	bool no_comment; /* the same of comments */

	/* The item that is being read. */
	struct buf words; /* apart by one space; quoted strings with their quotes */
	struct buf angle; /* between angle brackets, comments taken out */
	struct piece comment;
	bool has_angle;
	bool gap; /* blanks or a comment stand behind the words */
	unsigned flags;

	/* The group. */
	struct buf group;
	bool in_group;
	bool member; /* it has one */

	/* What is told. */
	struct buf plain;
	struct buf name;
	char text[ADDRESS_TEXT_MAX + 1];
};

const char *address_flag_word(enum address_flag_number flag)
{
	return flag_words[flag];
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A letter of ASCII that may stand in an address. */
static bool is_shown(char c)
{
	return (unsigned char)c < 0x80 && address_atom(c);
}

/* ---- telling ---- */

static const char *text_of(struct buf *b)
{
	buf_add(b, "", 1);
	return buf_ok(b) ? b->bytes : "";
}

/* Decodes a name; nothing that would end a line or a string is left in it. */
static void decode(struct reader *r, const char *raw, size_t len, struct buf *into)
{
	unsigned seen = 0;

	if (len > ADDRESS_NAME_MAX) {
		len = ADDRESS_NAME_MAX;
		r->flags |= ADDRESS_LONG;
	}
	buf_clear(into);
	if (!word_decode(raw, len, into, &seen)) {
		r->flags |= ADDRESS_LONG;
		into->failed = false;
		into->len = address_whole(into->bytes, into->len);
	}
	if ((seen & (WORD_RAW | WORD_HALF)) != 0)
		r->flags |= ADDRESS_RAW;
	for (size_t i = 0; i < into->len; i++)
		if ((unsigned char)into->bytes[i] < ' ' || into->bytes[i] == 0x7f)
			into->bytes[i] = ' ';
	while (into->len > 0 && into->bytes[into->len - 1] == ' ')
		into->len--;
}

static void tell(struct reader *r, size_t domain, unsigned flags)
{
	struct address a = {.text = r->text, .domain = r->text + domain, .flags = flags};

	a.name = text_of(&r->name);
	a.group = r->in_group ? text_of(&r->group) : "";
	r->name.len -= buf_ok(&r->name) ? 1 : 0;
	r->group.len -= r->in_group && buf_ok(&r->group) ? 1 : 0;
	a.in_group = r->in_group;
	r->member = true;
	r->all |= flags;
	if (!r->stopped && !r->see(r->context, &a))
		r->stopped = true;
}

static void tell_spec(struct reader *r, const char *spec, size_t len, unsigned flags)
{
	size_t domain = address_canonical(spec, len, &r->plain, r->text, &flags);

	if (r->text[0] == '\0' && r->name.len == 0) {
		r->all |= (flags & ~(unsigned)ADDRESS_DOMAIN) | ADDRESS_JUNK;
		return;
	}
	tell(r, domain, flags);
}

/* Addresses in a text that is only shown: each '@' with what may stand on both sides of it. */
static void tell_shown(
    struct reader *r, const char *text, size_t len, const char *own, unsigned flags)
{
	size_t from = 0;

	for (size_t i = 0; i < len && !r->stopped; i++) {
		size_t start = i, end = i + 1;
		unsigned odd = flags;

		if (text[i] != '@')
			continue;
		while (start > from && is_shown(text[start - 1]))
			start--;
		while (end < len && is_shown(text[end]))
			end++;
		from = end;
		if (start == i || end == i + 1)
			continue;
		(void)address_canonical(text + start, end - start, &r->plain, r->text, &odd);
		if (own == NULL || !address_same(own, r->text))
			tell_spec(r, text + start, end - start, flags);
		i = end - 1;
	}
}

/* ---- words ---- */

/* The end of the word at `at`: a space outside of quotes. */
static size_t word_end(const struct buf *words, size_t at)
{
	bool quoted = false;

	for (; at < words->len; at++) {
		size_t jis = address_jis(words->bytes + at, words->len - at);

		if (jis > 0)
			at += jis - 1;
		else if (quoted && words->bytes[at] == '\\')
			at++;
		else if (words->bytes[at] == '"')
			quoted = !quoted;
		else if (words->bytes[at] == ' ' && !quoted)
			break;
	}
	return at < words->len ? at : words->len;
}

/* Takes the blanks away that stand within addresses: next to '@', or to a dot behind one. */
static bool join(struct buf *words)
{
	size_t kept = 0, end;
	bool joined = false, at = false;

	for (size_t i = 0; i < words->len; i = end + 1) {
		size_t count;

		end = word_end(words, i);
		if (kept > 0) {
			bool glue =
			    words->bytes[kept - 1] == '@' || words->bytes[i] == '@' ||
			    (at && (words->bytes[kept - 1] == '.' || words->bytes[i] == '.'));

			joined |= glue;
			if (!glue) {
				words->bytes[kept++] = ' ';
				at = false;
			}
		}
		at |= address_find_at(words->bytes + i, end - i, &count) < end - i;
		memmove(words->bytes + kept, words->bytes + i, end - i);
		kept += end - i;
	}
	words->len = kept;
	return joined;
}

/* The words [from, end) without quotes and escapes, decoded, as the name. */
static void name_of(struct reader *r, size_t from, size_t end)
{
	bool quoted = false;

	buf_clear(&r->plain);
	for (size_t i = from; i < end; i++) {
		char c = r->words.bytes[i];
		size_t jis = address_jis(r->words.bytes + i, end - i);

		if (jis > 0) {
			buf_add(&r->plain, r->words.bytes + i, jis);
			i += jis - 1;
		} else if (c == '"')
			quoted = !quoted;
		else if (quoted && c == '\\' && i + 1 < end)
			buf_add(&r->plain, &r->words.bytes[++i], 1);
		else
			buf_add(&r->plain, &c, 1);
	}
	if (!buf_ok(&r->plain))
		r->stopped = true;
	else
		decode(r, r->plain.bytes, r->plain.len, &r->name);
}

static void name_of_comment(struct reader *r)
{
	size_t len = r->comment.len < ADDRESS_NAME_MAX ? r->comment.len : ADDRESS_NAME_MAX;

	if (len < r->comment.len)
		r->flags |= ADDRESS_LONG;
	buf_clear(&r->plain);
	for (size_t i = 0; i < len; i++) {
		if (r->comment.text[i] == '\\' && i + 1 < len)
			i++;
		buf_add(&r->plain, &r->comment.text[i], 1);
	}
	decode(r, r->plain.bytes, r->plain.len, &r->name);
}

static void name_the_item(struct reader *r, size_t end)
{
	name_of(r, 0, end);
	if (r->name.len == 0 && r->comment.len > 0)
		name_of_comment(r);
}

static bool starts_like(const char *text, size_t len, const char *with)
{
	return len >= strlen(with) && strncasecmp(text, with, strlen(with)) == 0;
}

/*
 * One of the addresses between angle brackets. Blanks in it are nothing for some programs, and for
 * others the end of what is no part of the address.
 */
static void tell_bracketed(struct reader *r, const char *text, size_t len, unsigned flags)
{
	struct buf joined;
	size_t last = 0;
	bool quoted = false;

	while (len > 0 && text[len - 1] == ' ')
		len--;
	for (; len > 0 && *text == ' '; len--)
		text++;
	if (starts_like(text, len, "mailto:")) {
		text += 7;
		len -= 7;
		flags |= ADDRESS_JUNK;
	}

	buf_init(&joined, len + 1);
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"')
			quoted = !quoted;
		if (text[i] != ' ' || quoted) {
			buf_add(&joined, text + i, 1);
			continue;
		}
		flags |= ADDRESS_BLANK;
		if (i > 0 && i + 1 < len && address_atom(text[i - 1]) &&
		    address_atom(text[i + 1]) && text[i - 1] != '.' && text[i + 1] != '.')
			last = joined.len;
	}
	if (!buf_ok(&joined))
		r->stopped = true;
	else
		tell_spec(r, joined.bytes, joined.len, flags);
	if (buf_ok(&joined) && last > 0 && memchr(joined.bytes + last, '@', joined.len - last))
		tell_spec(r, joined.bytes + last, joined.len - last, flags);
	buf_free(&joined);
}

/* What stands between angle brackets: an address, behind a route; against all rules, a list. */
static void tell_angle(struct reader *r)
{
	const char *text = r->angle.len > 0 ? r->angle.bytes : "";
	const char *colon;
	size_t len = r->angle.len, from = 0;
	unsigned flags = r->flags;
	bool quoted = false, several = false;

	while (len > 0 && *text == ' ') {
		text++;
		len--;
	}
	colon = len > 0 && *text == '@' ? memrchr(text, ':', len) : NULL;
	if (colon != NULL) {
		flags |= ADDRESS_ROUTE;
		len -= (size_t)(colon + 1 - text);
		text = colon + 1;
	}
	for (size_t i = 0; i <= len; i++) {
		if (i < len && text[i] == '"')
			quoted = !quoted;
		if (i < len && (quoted || (text[i] != ',' && text[i] != ';')))
			continue;
		several |= i < len;
		tell_bracketed(r, text + from, i - from, flags | (several ? ADDRESS_SEPARATOR : 0));
		buf_clear(&r->name);
		from = i + 1;
	}
}

/* An item of words alone: those with an '@' are addresses; the others before it name it. */
static void tell_words(struct reader *r)
{
	size_t count, end, named = 0, found = 0;

	if (join(&r->words))
		r->flags |= ADDRESS_BLANK;
	for (size_t i = 0; i < r->words.len && !r->stopped; i = end + 1) {
		end = word_end(&r->words, i);
		if (address_find_at(r->words.bytes + i, end - i, &count) == end - i)
			continue;
		if (found++ > 0)
			r->flags |= ADDRESS_SEPARATOR;
		name_of(r, named, i);
		if (r->name.len > 0)
			r->flags |= ADDRESS_JUNK;
		else if (r->comment.len > 0 && found == 1)
			name_of_comment(r);
		tell_spec(r, r->words.bytes + i, end - i, r->flags);
		named = end;
	}
	if (found > 0 && named < r->words.len)
		r->all |= ADDRESS_JUNK;
	if (found > 0)
		return;

	name_the_item(r, r->words.len);
	if (memchr(r->name.bytes != NULL ? r->name.bytes : "", '@', r->name.len) != NULL)
		tell_shown(r, r->name.bytes, r->name.len, NULL, r->flags | ADDRESS_ENCODED);
	else if (r->words.len > 0 && word_end(&r->words, 0) == r->words.len &&
		 !starts_like(r->words.bytes, r->words.len, "=?")) {
		buf_clear(&r->name);
		tell_spec(r, r->words.bytes, r->words.len, r->flags);
	} else if (r->name.len > 0) {
		r->text[0] = '\0';
		tell(r, 0, r->flags | ADDRESS_JUNK);
	}
}

/* ---- items ---- */

static void begin_item(struct reader *r)
{
	buf_clear(&r->words);
	buf_clear(&r->angle);
	buf_clear(&r->name);
	r->comment = (struct piece){0};
	r->has_angle = false;
	r->gap = false;
	r->flags = 0;
}

/* The item ends: its addresses, then those that it only shows. */
static void end_item(struct reader *r, unsigned flags)
{
	char own[ADDRESS_TEXT_MAX + 1] = "";
	struct buf shown;

	r->flags |= flags;
	if (!r->has_angle && r->words.len == 0 && r->comment.len == 0) {
		r->all |= r->flags;
		begin_item(r);
		return;
	}
	if (r->has_angle) {
		name_the_item(r, r->words.len);
		buf_init(&shown, ADDRESS_NAME_MAX);
		buf_add(&shown, r->name.bytes, r->name.len);
		tell_angle(r);
		memcpy(own, r->text, sizeof own);
		if (memchr(shown.bytes != NULL ? shown.bytes : "", '@', shown.len) != NULL)
			tell_shown(r, shown.bytes, shown.len, own, ADDRESS_WITHIN);
		buf_free(&shown);
	} else {
		tell_words(r);
		memcpy(own, r->text, sizeof own);
	}
	buf_clear(&r->name);
	if (r->comment.len > 0)
		tell_shown(r, r->comment.text, r->comment.len, own, ADDRESS_WITHIN);
	if (!buf_ok(&r->words) || !buf_ok(&r->angle) || !buf_ok(&r->plain) || !buf_ok(&r->name))
		r->stopped = true;
	r->all |= r->flags;
	begin_item(r);
}

static void add_word(struct reader *r, const char *text, size_t len)
{
	if (r->has_angle)
		end_item(r, ADDRESS_SEPARATOR);
	if (r->gap && r->words.len > 0)
		buf_add(&r->words, " ", 1);
	r->gap = false;
	buf_add(&r->words, text, len);
}

/* ---- what opens and closes ---- */

/* The quoted string at `at`, with its quotes; 0 if it is not closed. */
static size_t quoted_string(struct reader *r)
{
	const char *start = r->at;
	size_t len = 0;

	if (r->no_quote)
		return 0;
	for (r->at++; r->at < r->end && len == 0; r->at++) {
		size_t skip = address_jis(r->at, (size_t)(r->end - r->at));

		if (skip > 0)
			r->at += skip - 1;
		else if (*r->at == '\\')
			r->at++;
		else if (*r->at == '"')
			len = (size_t)(r->at + 1 - start);
	}
	r->at = start;
	if (len == 0) {
		r->no_quote = true;
		r->flags |= ADDRESS_UNENDED;
	}
	return len;
}

/* The comment at `at`, with its brackets; 0 if it is not closed. */
static size_t comment(struct reader *r)
{
	const char *start = r->at;
	size_t depth = 0, len = 0;

	if (r->no_comment)
		return 0;
	for (; r->at < r->end && len == 0; r->at++) {
		size_t skip = address_jis(r->at, (size_t)(r->end - r->at));

		if (skip > 0)
			r->at += skip - 1;
		else if (*r->at == '\\')
			r->at++;
		else if (*r->at == '(' && ++depth > COMMENT_DEPTH)
			break;
		else if (*r->at == ')' && --depth == 0)
			len = (size_t)(r->at + 1 - start);
	}
	r->at = start;
	if (len == 0) {
		r->no_comment = true;
		r->flags |= ADDRESS_UNENDED;
	}
	return len;
}

static bool take_comment(struct reader *r)
{
	size_t len = comment(r);

	if (len == 0)
		return false;
	if (r->comment.len > 0)
		tell_shown(r, r->comment.text, r->comment.len, NULL, ADDRESS_WITHIN);
	r->comment = (struct piece){.text = r->at + 1, .len = len - 2};
	r->gap = true;
	r->at += len;
	return true;
}

/* From '<' to '>', or to the next '<', or to the end. */
static void take_angle(struct reader *r)
{
	if (r->has_angle)
		end_item(r, ADDRESS_SEPARATOR);
	r->has_angle = true;
	r->at++;
	while (r->at < r->end && *r->at != '>' && *r->at != '<') {
		size_t len = *r->at == '"' ? quoted_string(r) : 0;

		if (len > 0) {
			buf_add(&r->angle, r->at, len);
			r->at += len;
		} else if (*r->at == '(' && take_comment(r)) {
			buf_add(&r->angle, " ", 1);
		} else {
			buf_add(&r->angle, is_blank(*r->at) ? " " : r->at, 1);
			r->at++;
		}
	}
	if (r->at < r->end && *r->at == '>')
		r->at++;
	else
		r->flags |= ADDRESS_UNENDED;
}

/*
 * What was read behind an open bracket up to the next: words behind its last comma or '>' that was
 * forgotten name the next address.
 */
static void take_bracket(struct reader *r)
{
	struct buf name;
	const char *last;
	size_t at;

	take_angle(r);
	if (r->at == r->end || *r->at != '<')
		return;
	last = r->angle.len > 0 ? memrchr(r->angle.bytes, '@', r->angle.len) : NULL;
	at = last != NULL ? (size_t)(last - r->angle.bytes) : r->angle.len;
	while (at < r->angle.len && memchr(",; ", r->angle.bytes[at], 3) == NULL)
		at++;

	buf_init(&name, r->angle.len + 1);
	if (at + 1 < r->angle.len) {
		buf_add(&name, r->angle.bytes + at + 1, r->angle.len - at - 1);
		r->angle.len = at;
	}
	end_item(r, ADDRESS_SEPARATOR);
	for (at = 0; at < name.len && name.bytes[at] == ' '; at++)
		continue;
	if (at < name.len)
		add_word(r, name.bytes + at, name.len - at);
	if (!buf_ok(&name))
		r->stopped = true;
	buf_free(&name);
}

/* ---- groups ---- */

static void end_group(struct reader *r)
{
	struct address a = {.text = "", .domain = "", .name = "", .empty_group = true};

	if (r->in_group && !r->member && !r->stopped) {
		a.in_group = true;
		a.group = text_of(&r->group);
		if (!r->see(r->context, &a))
			r->stopped = true;
	}
	r->in_group = false;
	buf_clear(&r->group);
}

/* A colon behind words that are no address begins a group. */
static bool take_colon(struct reader *r)
{
	size_t count;

	if (r->has_angle || address_find_at(r->words.bytes, r->words.len, &count) < r->words.len)
		return false;
	if (r->in_group) {
		r->all |= ADDRESS_UNENDED;
		end_group(r);
	}
	name_of(r, 0, r->words.len);
	buf_add(&r->group, r->name.bytes, r->name.len);
	r->all |= r->flags;
	r->in_group = true;
	r->member = false;
	begin_item(r);
	return true;
}

/* ---- the field ---- */

static void take_separator(struct reader *r)
{
	bool semicolon = *r->at == ';';

	r->at++;
	end_item(r, semicolon && !r->in_group ? ADDRESS_SEPARATOR : 0);
	if (semicolon)
		end_group(r);
}

/* A literal "[…]" behind an '@' holds colons, which begin no group. */
static size_t literal(const struct reader *r)
{
	size_t n = 1;

	if (r->words.len == 0 || r->words.bytes[r->words.len - 1] != '@')
		return 0;
	while (r->at + n < r->end && n < 64 && (address_atom(r->at[n]) || r->at[n] == ':'))
		n++;
	return r->at + n < r->end && r->at[n] == ']' ? n + 1 : 0;
}

/* A stretch of letters, or what looked like more and is none. */
static void take_letters(struct reader *r)
{
	size_t n = *r->at == '[' ? literal(r) : address_jis(r->at, (size_t)(r->end - r->at));

	if (n == 0) {
		for (n = 1; r->at + n < r->end && (address_atom(r->at[n]) || r->at[n] == '@'); n++)
			continue;
	}
	add_word(r, r->at, n);
	r->at += n;
}

static void step(struct reader *r)
{
	size_t len;

	switch (*r->at) {
	case ' ':
	case '\t':
	case '\r':
	case '\n':
		r->gap = true;
		r->at++;
		return;
	case ',':
	case ';':
		take_separator(r);
		return;
	case '<':
		take_bracket(r);
		return;
	case ':':
		if (take_colon(r)) {
			r->at++;
			return;
		}
		break;
	case '(':
		if (take_comment(r))
			return;
		break;
	case '"':
		len = quoted_string(r);
		if (len > 0) {
			add_word(r, r->at, len);
			r->at += len;
			return;
		}
		r->at++;
		r->gap = true;
		return;
	default:
		break;
	}
	take_letters(r);
}

bool addresses_read(const char *body, size_t len, address_see *see, void *context, unsigned *flags)
{
	struct reader r = {.at = body, .end = body + len, .see = see, .context = context};
	size_t bound;

	*flags = 0;
	if (len == 0)
		return true;
	if (!size_add(len, len, &bound) || !size_add(bound, 64, &bound))
		return false;
	buf_init(&r.words, bound);
	buf_init(&r.angle, bound);
	buf_init(&r.plain, 2 * bound);
	buf_init(&r.name, ADDRESS_NAME_MAX + 1);
	buf_init(&r.group, ADDRESS_NAME_MAX + 2);

	while (r.at < r.end && !r.stopped)
		step(&r);
	if (!r.stopped)
		end_item(&r, 0);
	if (r.in_group && !r.stopped) {
		r.all |= ADDRESS_UNENDED;
		end_group(&r);
	}

	buf_free(&r.words);
	buf_free(&r.angle);
	buf_free(&r.plain);
	buf_free(&r.name);
	buf_free(&r.group);
	*flags = r.all;
	return !r.stopped;
}
