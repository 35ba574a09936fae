#include "lib/remote/reply.h"

#include <string.h>

#define CODE_DIGITS 3

void reply_init(struct reply *r, size_t bound, reply_line *show, void *context)
{
	*r = (struct reply){.bound = bound, .show = show, .context = context};
}

/* ---- text ---- */

static void keep(struct reply *r, char c)
{
	if (r->text_len == REPLY_TEXT_MAX) {
		r->cut = true;
		return;
	}
	r->text[r->text_len++] = c;
	r->text[r->text_len] = '\0';
}

static void keep_text(struct reply *r, char c)
{
	bool control = (unsigned char)c < ' ' || c == 0x7f;
	char shown = c == '\t' ? ' ' : control ? '?' : c;

	if (r->line_len < REPLY_LINE_MAX)
		r->line[r->line_len++] = shown;
	keep(r, shown);
}

/* Up to three digits without a superfluous zero; returns how many, or 0. */
static size_t number(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && text[n] >= '0' && text[n] <= '9')
		n++;
	return n > 3 || (n > 1 && text[0] == '0') ? 0 : n;
}

/* The enhanced status code at the front of the line, if it says the same as the code. */
static void find_status(struct reply *r)
{
	const char *t = r->line;
	size_t subject, detail, end;

	if (r->status[0] != '\0' || r->line_len < 5 || t[1] != '.' ||
	    t[0] != '0' + r->line_code / 100 || t[0] == '3')
		return;
	subject = number(t + 2, r->line_len - 2);
	end = 2 + subject;
	if (subject == 0 || end >= r->line_len || t[end] != '.')
		return;
	detail = number(t + end + 1, r->line_len - end - 1);
	end += 1 + detail;
	if (detail == 0 || (end < r->line_len && t[end] != ' '))
		return;
	memcpy(r->status, t, end);
	r->status[end] = '\0';
}

/* ---- lines ---- */

/* The code and what stands behind it; false if that is none. */
static bool code_byte(struct reply *r, char c)
{
	if (r->column == CODE_DIGITS) {
		r->last = c != '-';
		if (c != ' ' && c != '-')
			return false;
		keep(r, r->lines == 0 ? ' ' : '\n');
		return true;
	}
	if (c < '0' || c > '9' || (r->column == 0 && (c < '2' || c > '5')))
		return false;
	r->line_code = r->line_code * 10 + (c - '0');
	if (r->lines == 0)
		keep(r, c);
	return true;
}

/* At a line's LF. False: it was no line of a reply. */
static bool end_line(struct reply *r)
{
	if (r->column < CODE_DIGITS)
		return false;
	if (r->column == CODE_DIGITS)
		r->last = true; /* "250" alone */
	/* Lines of several codes happen; lines that contradict each other tell nothing. */
	if (r->lines > 0 && r->code / 100 != r->line_code / 100)
		return false;
	r->code = r->line_code;
	find_status(r);
	if (r->show != NULL)
		r->show(r->context, r->line, r->line_len, r->lines == 0);
	r->lines++;
	r->column = 0;
	r->line_len = 0;
	r->line_code = 0;
	return true;
}

static enum reply_status one_byte(struct reply *r, char c)
{
	if (c == '\n') {
		r->cr = false;
		if (!end_line(r))
			return REPLY_MALFORMED;
		return r->last ? REPLY_DONE : REPLY_MORE;
	}
	if (r->cr) {
		r->cr = false;
		if (r->column <= CODE_DIGITS)
			return REPLY_MALFORMED;
		keep_text(r, '\r');
	}
	if (c == '\r') {
		r->cr = true;
		return REPLY_MORE;
	}
	if (r->column > CODE_DIGITS)
		keep_text(r, c);
	else if (!code_byte(r, c))
		return REPLY_MALFORMED;
	if (r->column <= CODE_DIGITS)
		r->column++;
	return REPLY_MORE;
}

enum reply_status reply_feed(struct reply *r, const char *bytes, size_t len, size_t *used)
{
	for (*used = 0; *used < len;) {
		enum reply_status status;

		if (r->seen++ >= r->bound)
			return REPLY_TOO_LONG;
		status = one_byte(r, bytes[(*used)++]);
		if (status != REPLY_MORE)
			return status;
	}
	return REPLY_MORE;
}
