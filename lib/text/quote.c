#include "lib/text/quote.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOOK             ((size_t)1024) /* bytes of a line by which it is known */
#define HELD             ((size_t)8192) /* of lines whose kind the next ones tell */
#define NAME_MAX_LETTERS 20

enum kind {
	PLAIN,
	EMPTY,
	MARKED,
	DIVIDER, /* all behind it is quoted */
	WROTE,   /* who wrote what follows; surely so, or only if what follows is marked */
	WRITER,
	BEGAN, /* "On ..." whose end may be on the next line */
	FROM,  /* of a header */
	FIELD
};

/* What the lines that are held may turn out to be. */
enum waiting { NOTHING, ATTRIBUTION, FIRST_OF_TWO, HEADER };

struct quote {
	quote_take *take;
	void *context;
	bool refused;
	bool rest;   /* all that comes is quoted */
	bool inside; /* of a line that was told already up to here */
	bool as;     /* how: quoted, whatever HTML says */

	enum waiting waiting;
	bool sure;        /* ATTRIBUTION: even if nothing marked follows */
	unsigned fields;  /* HEADER: a bit for each kind that was seen */
	bool held_quoted; /* by HTML */
	size_t held_len;
	char held[HELD];

	bool quoted; /* what HTML says of the line that is being read */
	size_t len;
	char line[LOOK];
};

struct quote *quote_open(quote_take *take, void *context)
{
	struct quote *q = malloc(sizeof *q);

	if (q == NULL)
		return NULL;
	memset(q, 0, sizeof *q);
	q->take = take;
	q->context = context;
	return q;
}

void quote_free(struct quote *q)
{
	free(q);
}

/* ---- what a line is ---- */

/* A line without the blanks around it. */
struct line {
	const char *text;
	size_t len;
};

static bool begins(struct line l, const char *with)
{
	size_t n = strlen(with);

	return l.len >= n && strncasecmp(l.text, with, n) == 0;
}

static bool ends(struct line l, const char *with)
{
	size_t n = strlen(with);

	return l.len >= n && strncasecmp(l.text + l.len - n, with, n) == 0;
}

static bool has(struct line l, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= l.len; i++) {
		if (strncasecmp(l.text + i, word, n) == 0)
			return true;
	}
	return false;
}

static struct line trimmed(const char *text, size_t len)
{
	while (len > 0 && (*text == ' ' || *text == '\n')) {
		text++;
		len--;
	}
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\n'))
		len--;
	return (struct line){text, len};
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.';
}

/* > and |, or a name and >: "a>b" is none, and a row of a table neither. */
static bool is_marked(struct line l)
{
	size_t n = 0;

	if (l.len == 0)
		return false;
	if (l.text[0] == '>')
		return true;
	if (l.text[0] == '|')
		return l.len == 1 || l.text[l.len - 1] != '|';
	while (n < l.len && n <= NAME_MAX_LETTERS && is_name(l.text[n]))
		n++;
	return n > 0 && n < l.len && l.text[n] == '>' &&
	       (n + 1 == l.len || !is_name(l.text[n + 1]));
}

static bool is_divider(struct line l)
{
	static const char *const words[] = {"original message", "original appointment",
	    "元のメッセージ", "元のメール", "返信元メッセージ"};

	if (!begins(l, "--") && !begins(l, "==") && !begins(l, "__") && !begins(l, "**"))
		return false;
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (has(l, words[i]) && l.len < 120)
			return true;
	}
	return false;
}

static bool begins_with_date(struct line l)
{
	size_t n = 0;

	while (n < l.len && l.text[n] >= '0' && l.text[n] <= '9')
		n++;
	return n > 0 && n <= 4 && n < l.len &&
	       (l.text[n] == '/' || l.text[n] == '-' || l.text[n] == '.' ||
		   begins((struct line){l.text + n, l.len - n}, "年"));
}

static enum kind attribution(struct line l)
{
	static const char *const wrote[] = {"は書きました:", "のメール:", "のメッセージ:",
	    "さんからのメール:", "wrote:", "writes:"};
	bool address = has(l, "@") && ends(l, ">:");

	if (begins(l, "on ") && ends(l, "wrote:"))
		return WROTE;
	if (ends(l, ":") && (begins_with_date(l) || begins(l, "令和"))) {
		if (address)
			return WRITER;
	}
	for (size_t i = 0; i < COUNT_OF(wrote); i++) {
		if (ends(l, wrote[i]))
			return WRITER;
	}
	if (begins(l, "on ") && l.len < 200 && !ends(l, ".") && has(l, ","))
		return BEGAN;
	if (begins_with_date(l) && l.len < 200 && !ends(l, "。"))
		return BEGAN;
	return PLAIN;
}

/* The kind of a header's field, as a bit; 0: it is none. */
static unsigned field(struct line l)
{
	static const struct {
		const char *name;
		unsigned bit;
	} names[] = {{"from", 1}, {"差出人", 1}, {"送信者", 1}, {"送信元", 1}, {"発信者", 1},
	    {"sent", 2}, {"date", 2}, {"送信日時", 2}, {"送信日", 2}, {"日時", 2}, {"日付", 2},
	    {"to", 4}, {"宛先", 4}, {"subject", 8}, {"件名", 8}, {"cc", 16}, {"bcc", 16},
	    {"importance", 16}, {"重要度", 16}, {"attachments", 16}, {"添付ファイル", 16},
	    {"reply-to", 16}, {"返信先", 16}, {"priority", 16}};

	while (l.len > 0 && *l.text == '*') { /* bold, by a mail program without HTML */
		l.text++;
		l.len--;
	}
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		size_t n = strlen(names[i].name);

		if (!begins(l, names[i].name))
			continue;
		while (n < l.len && (l.text[n] == ' ' || l.text[n] == '*'))
			n++;
		if (n < l.len && l.text[n] == ':')
			return names[i].bit;
	}
	return 0;
}

static enum kind kind_of(const char *text, size_t len, unsigned *bit)
{
	struct line l = trimmed(text, len);

	*bit = 0;
	if (l.len == 0)
		return EMPTY;
	if (is_marked(l))
		return MARKED;
	if (is_divider(l))
		return DIVIDER;
	*bit = field(l);
	if (*bit != 0)
		return *bit == 1 ? FROM : FIELD;
	return attribution(l);
}

/* ---- telling ---- */

static void tell(struct quote *q, const char *text, size_t len, bool quoted)
{
	if (len > 0 && !q->refused && !q->take(q->context, text, len, quoted))
		q->refused = true;
}

static void tell_held(struct quote *q, bool quoted)
{
	q->as = quoted || q->rest;
	tell(q, q->held, q->held_len, q->as || q->held_quoted);
	q->held_len = 0;
	q->held_quoted = false;
	q->waiting = NOTHING;
	q->fields = 0;
}

/* How long the marks before a quoted line are. */
static size_t marks(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && (text[n] == '>' || text[n] == '|' || text[n] == ' '))
		n++;
	return n;
}

/* Waits with a line until the next ones tell what it is. */
static void hold(struct quote *q, enum waiting waiting)
{
	if (q->held_len + q->len > HELD)
		tell_held(q, false);
	memcpy(q->held + q->held_len, q->line, q->len);
	q->held_len += q->len;
	q->held_quoted = q->held_quoted || q->quoted;
	q->waiting = waiting;
}

static void tell_line(struct quote *q, bool quoted)
{
	size_t skip = quoted ? marks(q->line, q->len) : 0;

	q->as = quoted || q->rest;
	tell(q, q->line + skip, q->len - skip, q->as || q->quoted);
}

/* ---- lines together ---- */

/* "On ..." and "wrote:" on two lines are one. */
static enum kind joined(struct quote *q)
{
	char both[2 * LOOK];
	struct line first = trimmed(q->held, q->held_len);
	size_t n = first.len < LOOK ? first.len : LOOK;
	enum kind kind;

	memcpy(both, first.text, n);
	both[n++] = ' ';
	memcpy(both + n, q->line, q->len < LOOK - 1 ? q->len : LOOK - 1);
	n += q->len < LOOK - 1 ? q->len : LOOK - 1;
	kind = attribution(trimmed(both, n));
	return kind == WROTE || kind == WRITER ? kind : PLAIN;
}

/* What the line means for those that are held. True: it is held, or told, with them. */
static bool goes_on(struct quote *q, enum kind kind, unsigned bit)
{
	enum kind both;

	switch (q->waiting) {
	case NOTHING:
		return false;
	case ATTRIBUTION:
		if (kind == EMPTY) {
			hold(q, ATTRIBUTION);
			return true;
		}
		q->rest = q->rest || (kind != MARKED && q->sure);
		tell_held(q, kind == MARKED);
		return false;
	case FIRST_OF_TWO:
		if (kind == MARKED || kind == EMPTY || kind == DIVIDER) {
			tell_held(q, false);
			return false;
		}
		both = joined(q);
		if (both == PLAIN) {
			tell_held(q, false);
			return false;
		}
		q->sure = both == WROTE;
		hold(q, ATTRIBUTION);
		return true;
	case HEADER:
		if (kind != FIELD && kind != EMPTY) {
			tell_held(q, false);
			return false;
		}
		hold(q, HEADER);
		q->fields |= bit;
		if ((q->fields & 2) != 0 && (q->fields & 12) != 0) {
			q->rest = true;
			tell_held(q, true);
		}
		return true;
	}
	return false;
}

/* A line that is not a part of what is held. */
static void tell_or_hold(struct quote *q, enum kind kind, unsigned bit)
{
	if (q->rest) {
		tell_line(q, kind == MARKED);
		return;
	}
	switch (kind) {
	case PLAIN:
	case EMPTY:
	case FIELD:
		tell_line(q, false);
		break;
	case MARKED:
		tell_line(q, true);
		break;
	case DIVIDER:
		q->rest = true;
		tell_line(q, false);
		break;
	case WROTE:
	case WRITER:
		q->sure = kind == WROTE;
		hold(q, ATTRIBUTION);
		break;
	case BEGAN:
		hold(q, FIRST_OF_TWO);
		break;
	case FROM:
		hold(q, HEADER);
		q->fields = bit;
		break;
	}
}

/* The line is whole, or as long as anyone looks. */
static void line_known(struct quote *q)
{
	unsigned bit;
	enum kind kind = kind_of(q->line, q->len, &bit);

	if (q->rest || !goes_on(q, kind, bit))
		tell_or_hold(q, kind, bit);
	q->len = 0;
}

/* A long line, whose kind its beginning told, or one that HTML's marks cut, goes on. */
static void cut_line(struct quote *q)
{
	line_known(q);
	if (q->waiting != NOTHING)
		tell_held(q, false);
	q->inside = true;
}

bool quote_feed(struct quote *q, const char *text, size_t len, bool quoted)
{
	if (quoted != q->quoted && q->len > 0)
		cut_line(q);
	q->quoted = quoted;

	while (len > 0 && !q->refused) {
		const char *end = memchr(text, '\n', len);
		size_t n = end != NULL ? (size_t)(end - text) + 1 : len;

		if (q->inside) {
			tell(q, text, n, q->as || quoted);
			q->inside = end == NULL;
		} else if (n > LOOK - q->len) { /* between letters */
			n = LOOK - q->len;
			while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
				n--;
			memcpy(q->line + q->len, text, n);
			q->len += n;
			cut_line(q);
		} else {
			memcpy(q->line + q->len, text, n);
			q->len += n;
			if (end != NULL)
				line_known(q);
		}
		text += n;
		len -= n;
	}
	return !q->refused;
}

bool quote_end(struct quote *q)
{
	if (q->len > 0)
		line_known(q);
	if (q->waiting == ATTRIBUTION)
		tell_held(q, q->sure);
	else
		tell_held(q, false);
	return !q->refused;
}
