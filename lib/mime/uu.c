#include "lib/mime/uu.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/mime/transfer.h"

enum place {
	PLACE_TEXT,
	PLACE_BEGIN, /* behind a line that may begin a file; it is kept in `begin` */
	PLACE_FILE,
};

struct uu_reader {
	struct uu_events events;
	enum place place;
	enum uu_kind kind;
	char line[UU_LINE_MAX]; /* as it comes, its end included */
	size_t len;
	bool over; /* the line is longer than that, and goes by in pieces */
	char begin[UU_LINE_MAX];
	size_t begin_len;
	size_t name; /* of the file: a range of `begin` */
	size_t name_len;
	bool damaged; /* a line of the file is too short */
	bool escape;  /* yEnc: behind '=' */
	struct transfer_reader base64;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The line without its end, and without the blanks before that. */
static size_t trimmed(const char *line, size_t len, bool blanks)
{
	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r' ||
			      (blanks && is_blank(line[len - 1]))))
		len--;
	return len;
}

/* ---- who is told ---- */

static bool text(struct uu_reader *r, const char *bytes, size_t len)
{
	return sink_put(&r->events.text, bytes, len);
}

static bool data(void *context, const char *bytes, size_t len)
{
	struct uu_reader *r = context;

	return len == 0 || r->events.data == NULL || r->events.data(r->events.context, bytes, len);
}

static bool begin(struct uu_reader *r)
{
	const char *name = r->begin + r->name;

	r->place = PLACE_FILE;
	r->damaged = false;
	r->escape = false;
	transfer_open(&r->base64, TRANSFER_BASE64, (struct sink){data, r});
	return r->events.begin == NULL ||
	       r->events.begin(r->events.context, r->kind, name, r->name_len);
}

static bool end(struct uu_reader *r, bool whole)
{
	r->place = PLACE_TEXT;
	if (r->kind == UU_BASE64 && !transfer_end(&r->base64))
		return false;
	return r->events.end == NULL || r->events.end(r->events.context, whole && !r->damaged);
}

/* ---- the line that begins a file ---- */

static bool starts(const char *line, size_t len, const char *word)
{
	size_t n = strlen(word);

	return len >= n && strncasecmp(line, word, n) == 0;
}

static size_t skip_blanks(const char *line, size_t len, size_t at)
{
	while (at < len && is_blank(line[at]))
		at++;
	return at;
}

/* "begin 644 name"; some programs take it without the mode, too. */
static bool begin_name(const char *line, size_t len, size_t at, size_t *name)
{
	size_t digit;

	if (at >= len || !is_blank(line[at]))
		return false;
	*name = digit = skip_blanks(line, len, at);
	while (digit < len && line[digit] >= '0' && line[digit] <= '7')
		digit++;
	if (digit > *name && digit < len && is_blank(line[digit]))
		*name = skip_blanks(line, len, digit);
	return *name < len;
}

/* "=ybegin line=128 size=123 name=..." */
static bool yenc_name(const char *line, size_t len, size_t *name)
{
	for (size_t at = strlen("=ybegin"); at + 6 <= len; at++) {
		if (is_blank(line[at]) && strncasecmp(line + at + 1, "name=", 5) == 0) {
			*name = skip_blanks(line, len, at + 6);
			return true;
		}
	}
	*name = len;
	return starts(line, len, "=ybegin ");
}

/* Whether this line may begin a file, which is then kept. */
static bool may_begin(struct uu_reader *r, const char *line, size_t whole)
{
	size_t len = trimmed(line, whole, true);
	size_t name;

	if (starts(line, len, "=ybegin ") && yenc_name(line, len, &name))
		r->kind = UU_YENC;
	else if (starts(line, len, "begin-base64") &&
		 begin_name(line, len, strlen("begin-base64"), &name))
		r->kind = UU_BASE64;
	else if (starts(line, len, "begin") && begin_name(line, len, strlen("begin"), &name))
		r->kind = UU_UUENCODE;
	else
		return false;

	memcpy(r->begin, line, whole);
	r->begin_len = whole;
	r->name = name;
	r->name_len = len - name < UU_NAME_MAX ? len - name : UU_NAME_MAX;
	return true;
}

/* ---- the lines of a file ---- */

/* How many letters a line of so many bytes has. */
static size_t letters_for(size_t bytes)
{
	return (bytes + 2) / 3 * 4;
}

/*
 * How many bytes a line of uuencode has, -1 if it is none: its letters are others, or more than its
 * first one says. One more, a sum of the line, is what some programs write.
 */
static int uu_bytes(const char *line, size_t len)
{
	int bytes = len > 0 ? (line[0] - ' ') & 63 : 0;

	for (size_t i = 0; i < len; i++) {
		if (line[i] < ' ' || line[i] > '`')
			return -1;
	}
	return len > letters_for((size_t)bytes) + 3 ? -1 : bytes;
}

/* Whether a line may be the first of a file: as long as it says, but for blanks at its end. */
static bool uu_first(const char *line, size_t len)
{
	int bytes = uu_bytes(line, len);

	if (bytes <= 0)
		return bytes == 0 && len == 1; /* an empty file */
	return len + 4 >= letters_for((size_t)bytes) + 1;
}

static uint32_t uu_letter(const char *line, size_t len, size_t at)
{
	return at < len ? (uint32_t)((line[at] - ' ') & 63) : 0;
}

static bool uu_line(struct uu_reader *r, const char *line, size_t whole, size_t len, size_t bytes)
{
	char out[63];
	size_t made = 0;

	if (len + 4 < letters_for(bytes) + 1) {
		/* Blanks that were lost at its end, or a line of text in capitals: it is both. */
		r->damaged = true;
		if (!text(r, line, whole))
			return false;
	}
	for (size_t at = 1; made < bytes; at += 4) {
		uint32_t bits = uu_letter(line, len, at) << 18 |
				uu_letter(line, len, at + 1) << 12 |
				uu_letter(line, len, at + 2) << 6 | uu_letter(line, len, at + 3);

		for (int shift = 16; shift >= 0 && made < bytes; shift -= 8)
			out[made++] = (char)(bits >> shift);
	}
	return data(r, out, made);
}

static bool yenc_piece(struct uu_reader *r, const char *line, size_t len)
{
	char out[UU_LINE_MAX];
	size_t made = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned byte = (unsigned char)line[i];

		if (byte == '=' && !r->escape) {
			r->escape = true;
			continue;
		}
		out[made++] = (char)(byte - 42 - (r->escape ? 64 : 0));
		r->escape = false;
	}
	return data(r, out, made);
}

static bool base64_first(const char *line, size_t len)
{
	if (starts(line, len, "===="))
		return true;
	for (size_t i = 0; i < len; i++) {
		if (memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=",
			line[i], 65) == NULL)
			return false;
	}
	return len >= 4;
}

/* A line of a file; `*taken` says whether it is one. */
static bool file_line(struct uu_reader *r, const char *line, size_t whole, bool *taken)
{
	size_t len = trimmed(line, whole, false);
	int bytes;

	*taken = true;
	switch (r->kind) {
	case UU_BASE64:
		if (starts(line, len, "===="))
			return end(r, true);
		return transfer_feed(&r->base64, line, whole);
	case UU_YENC:
		if (starts(line, len, "=yend"))
			return end(r, true);
		return starts(line, len, "=ypart ") || yenc_piece(r, line, len);
	case UU_UUENCODE:
		break;
	}

	if (trimmed(line, whole, true) == 3 && starts(line, len, "end"))
		return end(r, true);
	bytes = uu_bytes(line, len);
	if (bytes >= 0)
		return uu_line(r, line, whole, len, (size_t)bytes);
	*taken = false;
	return end(r, false);
}

/* ---- lines ---- */

static bool text_line(struct uu_reader *r, const char *line, size_t len)
{
	if (!may_begin(r, line, len))
		return text(r, line, len);
	r->place = PLACE_BEGIN;
	return r->kind != UU_YENC || begin(r);
}

static bool one_line(struct uu_reader *r, const char *line, size_t len)
{
	bool taken = false;

	if (r->place == PLACE_BEGIN) {
		size_t letters = trimmed(line, len, false);
		bool first = r->kind == UU_BASE64 ? base64_first(line, trimmed(line, len, true))
						  : uu_first(line, letters);

		if (!first) {
			r->place = PLACE_TEXT;
			return text(r, r->begin, r->begin_len) && text_line(r, line, len);
		}
		if (!begin(r))
			return false;
	}

	if (r->place == PLACE_FILE) {
		if (!file_line(r, line, len, &taken))
			return false;
		if (taken)
			return true;
	}
	return text_line(r, line, len);
}

/* A piece of a line that is too long for `line`: never one of uuencode. */
static bool one_piece(struct uu_reader *r, const char *bytes, size_t len)
{
	if (r->place == PLACE_BEGIN) {
		r->place = PLACE_TEXT;
		if (!text(r, r->begin, r->begin_len))
			return false;
	}
	if (r->place == PLACE_FILE && r->kind == UU_UUENCODE && !end(r, false))
		return false;
	if (r->place == PLACE_TEXT)
		return text(r, bytes, len);
	return r->kind == UU_BASE64 ? transfer_feed(&r->base64, bytes, len)
				    : yenc_piece(r, bytes, trimmed(bytes, len, false));
}

/* The lines that cannot begin a file, as many of them as there are: they go through in one. */
static size_t plain_lines(const struct uu_reader *r, const char *bytes, size_t len)
{
	size_t at = 0;

	if (r->place != PLACE_TEXT || r->len > 0 || r->over)
		return 0;
	while (at < len && bytes[at] != 'b' && bytes[at] != 'B' && bytes[at] != '=') {
		const char *newline = memchr(bytes + at, '\n', len - at);

		if (newline == NULL)
			break;
		at = (size_t)(newline - bytes) + 1;
	}
	return at;
}

/* Bytes of a line, with its end or not. */
static bool gather(struct uu_reader *r, const char *bytes, size_t len)
{
	bool ends = bytes[len - 1] == '\n';
	size_t held = r->len;

	if (!r->over && len <= sizeof r->line - held) {
		memcpy(r->line + held, bytes, len);
		r->len = ends ? 0 : held + len;
		return !ends || one_line(r, r->line, held + len);
	}

	r->len = 0;
	r->over = !ends;
	return (held == 0 || one_piece(r, r->line, held)) && one_piece(r, bytes, len);
}

struct uu_reader *uu_open(const struct uu_events *events)
{
	struct uu_reader *r = calloc(1, sizeof *r);

	if (r != NULL)
		r->events = *events;
	return r;
}

bool uu_feed(struct uu_reader *r, const char *bytes, size_t len)
{
	size_t at = 0;

	while (at < len) {
		size_t plain = plain_lines(r, bytes + at, len - at);
		size_t most, now;
		const char *newline;

		if (!text(r, bytes + at, plain))
			return false;
		at += plain;

		most = len - at < UU_LINE_MAX ? len - at : UU_LINE_MAX;
		newline = memchr(bytes + at, '\n', most);
		now = newline == NULL ? most : (size_t)(newline - (bytes + at)) + 1;
		if (now > 0 && !gather(r, bytes + at, now))
			return false;
		at += now;
	}
	return true;
}

bool uu_end(struct uu_reader *r)
{
	size_t held = r->len;

	r->len = 0;
	if (held > 0 && !one_line(r, r->line, held))
		return false;
	if (r->place == PLACE_BEGIN) {
		r->place = PLACE_TEXT;
		return text(r, r->begin, r->begin_len);
	}
	return r->place != PLACE_FILE || end(r, false);
}

void uu_free(struct uu_reader *r)
{
	free(r);
}
