/* Reading a template: the whole of it is looked at before anything is made from it. */
#include "lib/notice/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mime/utf8.h"

static const char subject_word[] = "Subject: ";

struct parser {
	struct notice_template *t;
	struct conf_fault *fault;
	const char *const *known;
	size_t knowns;
	const char *start; /* of the line, for columns */
	unsigned number;
};

static unsigned column_of(const struct parser *p, const char *at)
{
	return (unsigned)(at - p->start) + 1;
}

/* ---- pieces ------------------------------------------------------------------------------- */

/* Room for every piece was made: none is longer than its text, and a name has three bytes or more. */
static void add_piece(struct parser *p, enum template_piece_kind kind, const char *text, size_t len)
{
	if (kind == PIECE_TEXT && len == 0)
		return;
	p->t->piece[p->t->pieces++] =
	    (struct template_piece){.kind = kind, .text = text, .len = len};
	p->t->line[p->t->lines - 1].pieces++;
}

/* "NAME" or "NAME-more" */
static bool is_known(const struct parser *p, const char *name, size_t len)
{
	static const char more[] = "-more";
	size_t tail = sizeof more - 1;

	for (size_t i = 0; i < p->knowns; i++) {
		size_t n = strlen(p->known[i]);

		if (len >= n && memcmp(p->known[i], name, n) == 0 &&
		    (len == n || (len == n + tail && memcmp(name + n, more, tail) == 0)))
			return true;
	}
	return false;
}

static bool name_fine(const struct parser *p, const char *name, size_t len)
{
	char text[NOTICE_NAME_MAX + 1];
	const char *near;

	if (!notice_name_fits(name, len))
		return conf_blame(p->fault, p->number, column_of(p, name),
		    "a { that begins no variable, as {subject}: write {{ for a brace");
	if (is_known(p, name, len))
		return true;
	memcpy(text, name, len);
	text[len] = '\0';
	near = conf_near(text, p->known, p->knowns, sizeof *p->known);
	return conf_blame(p->fault, p->number, column_of(p, name),
	    near != NULL ? "no variable is called {%s}: {%s}?" : "no variable is called {%s}", text,
	    near);
}

/* "{…}" at `at`; what is behind it, or NULL with a fault. */
static const char *read_variable(struct parser *p, const char *at, const char *end)
{
	const char *close = memchr(at, '}', (size_t)(end - at));
	enum template_piece_kind kind = PIECE_VALUE;
	const char *name = at + 1;

	if (name < end && (*name == '?' || *name == '!')) {
		kind = *name == '?' ? PIECE_IF : PIECE_UNLESS;
		name++;
	}
	if (!name_fine(p, name, close != NULL && close > name ? (size_t)(close - name) : 0))
		return NULL;
	if (kind != PIECE_VALUE && p->t->lines == 1) {
		(void)conf_blame(p->fault, p->number, column_of(p, at),
		    "the subject cannot be left out: no {? and no {! there");
		return NULL;
	}
	add_piece(p, kind, name, (size_t)(close - name));
	return close + 1;
}

static bool read_pieces(struct parser *p, const char *at, const char *end)
{
	const char *text = at;

	while (at < end) {
		if (*at != '{') {
			at++;
			continue;
		}
		if (at + 1 < end && at[1] == '{') {
			add_piece(p, PIECE_TEXT, text, (size_t)(at + 1 - text));
			at += 2;
			text = at;
			continue;
		}
		add_piece(p, PIECE_TEXT, text, (size_t)(at - text));
		at = read_variable(p, at, end);
		if (at == NULL)
			return false;
		text = at;
	}
	add_piece(p, PIECE_TEXT, text, (size_t)(end - text));
	return true;
}

/* ---- lines -------------------------------------------------------------------------------- */

static bool letters_fine(const struct parser *p, const char *at, const char *end)
{
	for (size_t step; at < end; at += step) {
		uint32_t point = 0;

		step = utf8_step(at, (size_t)(end - at), &point);
		if (step == 0)
			return conf_blame(p->fault, p->number, column_of(p, at),
			    "no UTF-8 (byte 0x%02x): save the file as UTF-8", (unsigned char)*at);
		if (point == '\r')
			return conf_blame(p->fault, p->number, column_of(p, at),
			    "a carriage return: lines end in a newline alone, save the file so");
		if (point == 0xfeff && p->number == 1)
			return conf_blame(
			    p->fault, p->number, 1, "a byte order mark: save the file without it");
		if ((point < ' ' && point != '\t') || (point >= 0x7f && point < 0xa0))
			return conf_blame(p->fault, p->number, column_of(p, at),
			    "a control character (0x%02x)", (unsigned)point);
	}
	return true;
}

/* Behind the subject and the empty line. */
static bool read_text_line(struct parser *p, const char *at, const char *end)
{
	struct template_line *line = &p->t->line[p->t->lines++];

	*line = (struct template_line){.first = p->t->pieces};
	if (end > at && end[-1] == '\\') {
		line->joined = true;
		end--;
	}
	return read_pieces(p, at, end);
}

static bool read_line(struct parser *p, const char *at, const char *end)
{
	size_t word = sizeof subject_word - 1, len = (size_t)(end - at);

	if (len > TEMPLATE_LINE_MAX)
		return conf_blame(
		    p->fault, p->number, 0, "the line is longer than %zu bytes", TEMPLATE_LINE_MAX);
	if (!letters_fine(p, at, end))
		return false;
	if (p->number == 1) {
		if (len <= word || memcmp(at, subject_word, word) != 0)
			return conf_blame(p->fault, 1, 0,
			    "a notice begins with its subject, as \"Subject: {subject}\"");
		p->t->line[p->t->lines++] = (struct template_line){.pieces = 0};
		return read_pieces(p, at + word, end);
	}
	if (p->number == 2)
		return len == 0 || conf_blame(p->fault, 2, 0,
				       "an empty line stands between the subject and the text");
	return read_text_line(p, at, end);
}

static bool read_lines(struct parser *p, size_t len)
{
	const char *end = p->t->bytes + len;

	for (const char *at = p->t->bytes; at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		p->start = at;
		p->number++;
		if (newline == NULL)
			return conf_blame(p->fault, p->number, 0,
			    "the last line does not end in a newline: is the file half-written?");
		if (!read_line(p, at, newline))
			return false;
		at = newline + 1;
	}
	if (p->number < 3)
		return conf_blame(p->fault, 0, 0, "there is no text behind the subject");
	if (p->t->line[p->t->lines - 1].joined)
		return conf_blame(
		    p->fault, p->number, 0, "the last line ends in a \\, but no other follows");
	return true;
}

/* ---- all of it ---------------------------------------------------------------------------- */

/* A line has at most one text piece before each brace, and one behind the last. */
static bool make_room(struct notice_template *t, const char *bytes, size_t len)
{
	size_t lines = 1, braces = 0;

	for (size_t i = 0; i < len; i++) {
		lines += bytes[i] == '\n';
		braces += bytes[i] == '{';
	}
	t->bytes = malloc(len + 1);
	t->line = calloc(lines, sizeof *t->line);
	t->piece = calloc(2 * braces + lines + 1, sizeof *t->piece);
	if (t->bytes == NULL || t->line == NULL || t->piece == NULL)
		return false;
	memcpy(t->bytes, bytes, len);
	t->bytes[len] = '\0';
	return true;
}

bool template_read(const char *bytes, size_t len, const char *file, const char *const *known,
    size_t knowns, struct notice_template *t, struct conf_fault *fault)
{
	struct parser p = {.t = t, .fault = fault, .known = known, .knowns = knowns};
	bool fine;

	*t = (struct notice_template){.lines = 0};
	*fault = (struct conf_fault){.line = 0};
	(void)snprintf(fault->file, sizeof fault->file, "%s", file);
	if (len > TEMPLATE_MAX)
		return conf_blame(fault, 0, 0, "is larger than %zu KB", TEMPLATE_MAX / 1024);
	fine = make_room(t, bytes, len);
	if (!fine)
		(void)conf_blame(fault, 0, 0, "no memory");
	fine = fine && read_lines(&p, len);
	if (!fine)
		template_free(t);
	return fine;
}

void template_free(struct notice_template *t)
{
	free(t->bytes);
	free(t->line);
	free(t->piece);
	*t = (struct notice_template){.lines = 0};
}
