#include "lib/seal/look.h"

#include <errno.h>
#include <string.h>

#include "lib/mime/transfer.h"

#define NOWHERE        UINT64_MAX
#define NAME_MAX_BYTES 9 /* "!doctype" */
#define ESC            0x1b

enum place { IN_TEXT, IN_NAME, IN_TAG, IN_VALUE, IN_COMMENT };

/* Tags as they go by. A '<' within the letters of ISO-2022-JP is none. */
struct tags {
	enum place place;
	uint64_t tag; /* where it began */
	char name[NAME_MAX_BYTES];
	size_t len;
	char quote;
	char before;                        /* the last byte in a tag that is no blank */
	unsigned dash;                      /* in a row, in a comment */
	uint64_t body, head, html, doctype; /* behind the tags that open */
	uint64_t body_end, html_end;        /* before those that close */
};

struct looking {
	struct text_look *look;
	bool html;
	struct tags tags;
	unsigned escape; /* bytes of an escape sequence so far */
	char escape_byte;
	bool jis;
	char last;
	size_t armour; /* bytes of the line that began like PGP's */
	bool no_armour;
};

/* ---- HTML ---- */

static bool named(const struct tags *t, const char *name)
{
	return t->len == strlen(name) && memcmp(t->name, name, t->len) == 0;
}

static void first(uint64_t *at, uint64_t offset)
{
	if (*at == NOWHERE)
		*at = offset;
}

/* A tag ends before `offset`. */
static void end_tag(struct tags *t, uint64_t offset)
{
	if (named(t, "body"))
		first(&t->body, offset);
	else if (named(t, "/head"))
		first(&t->head, offset);
	else if (named(t, "html"))
		first(&t->html, offset);
	else if (named(t, "!doctype"))
		first(&t->doctype, offset);
	else if (named(t, "/body"))
		t->body_end = t->tag;
	else if (named(t, "/html"))
		t->html_end = t->tag;
	t->place = IN_TEXT;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

static char low(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static void in_name(struct tags *t, char c, uint64_t at)
{
	if (c == '>') {
		end_tag(t, at + 1);
	} else if (blank(c) || (c == '/' && t->len > 0)) {
		t->place = t->len > 0 ? IN_TAG : IN_TEXT;
		t->before = 0;
	} else if (c == '<') {
		t->tag = at;
		t->len = 0;
	} else {
		if (t->len < sizeof t->name)
			t->name[t->len++] = low(c);
		if (named(t, "!--")) {
			t->place = IN_COMMENT;
			t->dash = 2; /* "<!-->" is one */
		}
	}
}

static void in_tag(struct tags *t, char c, uint64_t at)
{
	if (c == '>') {
		end_tag(t, at + 1);
	} else if ((c == '"' || c == '\'') && t->before == '=') {
		t->place = IN_VALUE;
		t->quote = c;
	}
	if (!blank(c))
		t->before = c;
}

static void in_comment(struct tags *t, char c)
{
	if (c == '>' && t->dash >= 2)
		t->place = IN_TEXT;
	t->dash = c == '-' ? t->dash + 1 : 0;
}

static void take_html(struct tags *t, char c, uint64_t at)
{
	switch (t->place) {
	case IN_TEXT:
		if (c == '<') {
			t->place = IN_NAME;
			t->tag = at;
			t->len = 0;
		}
		break;
	case IN_NAME:
		in_name(t, c, at);
		break;
	case IN_TAG:
		in_tag(t, c, at);
		break;
	case IN_VALUE:
		if (c == t->quote)
			t->place = IN_TAG;
		break;
	case IN_COMMENT:
		in_comment(t, c);
		break;
	}
}

/* ---- every text ---- */

/* Follows the escapes of ISO-2022-JP. */
static void take_escape(struct looking *l, char c)
{
	if (c == ESC) {
		l->look->escapes = true;
		l->escape = 1;
	} else if (l->escape == 1) {
		l->escape_byte = c;
		l->escape = 2;
		if (c == '$')
			l->jis = true;
	} else if (l->escape == 2) {
		if (l->escape_byte == '(')
			l->jis = c != 'B' && c != 'J';
		l->escape = 0;
	}
}

static void take_armour(struct looking *l, char c)
{
	static const char armour[] = "-----BEGIN PGP ";

	if (c == '\n') {
		l->armour = 0;
		l->no_armour = false;
	} else if (!l->no_armour) {
		l->no_armour = c != armour[l->armour];
		if (!l->no_armour && ++l->armour == sizeof armour - 1) {
			l->look->pgp = true;
			l->no_armour = true;
		}
	}
}

static bool take(void *context, const char *bytes, size_t len)
{
	struct looking *l = context;

	for (size_t i = 0; i < len; i++) {
		char c = bytes[i];

		l->look->eightbit |= (c & 0x80) != 0;
		if (l->html && !l->jis && l->escape == 0 && c != ESC)
			take_html(&l->tags, c, l->look->size + i);
		l->look->nul |= c == '\0';
		take_escape(l, c);
		take_armour(l, c);
		l->last = c;
	}
	l->look->size += len;
	return true;
}

static uint64_t place(uint64_t best, uint64_t next)
{
	return best != NOWHERE ? best : next;
}

bool text_look(
    const struct source *content, const struct mime_part *part, bool html, struct text_look *look)
{
	struct looking l = {.look = look,
	    .html = html,
	    .tags = {.body = NOWHERE,
		.head = NOWHERE,
		.html = NOWHERE,
		.doctype = NOWHERE,
		.body_end = NOWHERE,
		.html_end = NOWHERE}};
	struct source body = source_part(content, part->body, part->end - part->body);
	struct transfer_reader reader;
	struct tags *t = &l.tags;

	*look = (struct text_look){.top = 0};
	errno = 0;
	if (!transfer_source(&reader, part->encoding, &body, (struct sink){take, &l}))
		return false;
	look->odd = (reader.flags & (TRANSFER_JUNK | TRANSFER_BEHIND | TRANSFER_CUT |
					TRANSFER_ESCAPE | TRANSFER_BARE_CR)) != 0;
	look->line_open = look->size > 0 && l.last != '\n';
	look->jis_open = l.jis;
	look->top = place(place(place(place(t->body, t->head), t->html), t->doctype), 0);
	look->end = place(place(t->body_end, t->html_end), look->size);
	if (look->end < look->top)
		look->end = look->size;
	return true;
}
