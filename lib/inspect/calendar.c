#include "lib/inspect/calendar.h"

#include <string.h>

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

/* ---- lines ---- */

static bool flush(struct calendar *c)
{
	size_t used = c->used;

	c->used = 0;
	return used == 0 || sink_put(&c->events.lines, c->piece, used);
}

static bool put(struct calendar *c, char byte)
{
	if (c->used == sizeof c->piece && !flush(c))
		return false;
	c->piece[c->used++] = byte;
	return true;
}

static void begin_line(struct calendar *c)
{
	c->is_attachment = true;
	c->column = c->seen = 0;
	c->quoted = c->in_value = c->is_base64 = false;
}

/* ---- files ---- */

static bool begin_file(struct calendar *c)
{
	if (!c->events.file_begins(c->events.context))
		return false;
	transfer_open(
	    &c->file, TRANSFER_BASE64, (struct sink){c->events.file_goes_on, c->events.context});
	c->in_file = true;
	return true;
}

static bool end_file(struct calendar *c)
{
	bool good;

	if (!c->in_file)
		return true;
	c->in_file = false;
	good = transfer_end(&c->file);
	return c->events.file_ends(
		   c->events.context, (c->file.flags & (TRANSFER_CUT | TRANSFER_JUNK)) == 0) &&
	       good;
}

/* What stands before the colon: the word of the line and its parameters. */
static bool look_at_name(struct calendar *c, char byte)
{
	static const char word[] = "ATTACH", encoding[] = "ENCODING=BASE64";

	if (c->column < sizeof word - 1) {
		c->is_attachment = upper(byte) == word[c->column];
		return true;
	}
	if (c->column == sizeof word - 1 && byte != ';' && byte != ':') {
		c->is_attachment = false;
		return true;
	}
	if (byte == '"')
		c->quoted = !c->quoted;
	if (byte == ':' && !c->quoted) {
		c->in_value = true;
		c->seen = 0;
		return !c->is_base64 || begin_file(c);
	}
	c->seen = upper(byte) == encoding[c->seen] ? c->seen + 1 : upper(byte) == encoding[0];
	if (c->seen == sizeof encoding - 1) {
		c->is_base64 = true;
		c->seen = 0;
	}
	return true;
}

static void look_at_value(struct calendar *c, char byte)
{
	static const char scheme[] = "DATA:";

	if (upper(byte) != scheme[c->seen]) {
		c->is_attachment = false;
	} else if (++c->seen == sizeof scheme - 1) {
		c->events.unopened(c->events.context);
		c->is_attachment = false;
	}
}

/* ---- the text ---- */

static bool take(struct calendar *c, char byte)
{
	if (c->in_file)
		return transfer_feed(&c->file, &byte, 1);
	if (!put(c, byte))
		return false;
	if (c->is_attachment && c->in_value)
		look_at_value(c, byte);
	else if (c->is_attachment && !look_at_name(c, byte))
		return false;
	c->column++;
	return true;
}

/* The line end that was held back is one. */
static bool end_line(struct calendar *c)
{
	bool good = end_file(c);

	for (size_t i = 0; i < c->held_len && good; i++)
		good = put(c, c->held[i]);
	c->held_len = 0;
	begin_line(c);
	return good;
}

void calendar_open(struct calendar *c, const struct calendar_events *events)
{
	*c = (struct calendar){.events = *events};
	begin_line(c);
}

bool calendar_feed(struct calendar *c, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char byte = bytes[i];

		if (byte == '\n' && c->held_len == 1 && c->held[0] == '\r') {
			c->held[c->held_len++] = byte;
			continue;
		}
		if (c->held_len > 0 && (byte == ' ' || byte == '\t')) {
			c->held_len = 0;
			continue;
		}
		if (c->held_len > 0 && !end_line(c))
			return false;
		if (byte == '\r' || byte == '\n')
			c->held[c->held_len++] = byte;
		else if (!take(c, byte))
			return false;
	}
	return true;
}

bool calendar_end(struct calendar *c)
{
	bool good = end_line(c);

	return flush(c) && good;
}

bool calendar_unescape(bool *escaped, const char *utf8, size_t len, struct sink out)
{
	char piece[1024];
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		char c = utf8[i];

		if (used == sizeof piece) {
			if (!sink_put(&out, piece, used))
				return false;
			used = 0;
		}
		if (*escaped) {
			piece[used++] = (char)(c == 'n' || c == 'N' ? '\n' : c);
			*escaped = false;
		} else if (c == '\\') {
			*escaped = true;
		} else {
			piece[used++] = c;
		}
	}
	return used == 0 || sink_put(&out, piece, used);
}
