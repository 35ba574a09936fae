/* Sheets of OOXML workbooks: rows of cells, whose texts are shared strings for the most part. */
#include <string.h>

#include "lib/extract/office.h"

enum holds { HOLDS_NOTHING, HOLDS_VALUE, HOLDS_SHARED };
enum field { FIELD_NONE, FIELD_VALUE, FIELD_LETTERS, FIELD_FORMULA, FIELD_SOUND, FIELD_MARGIN };

/* f->index counts the shared string; f->letters is what the cell holds; f->field what is open. */

static bool is(const char *name, const char *other)
{
	return strcmp(name, other) == 0;
}

/* ---- headers and footers ---- */

#define COLOUR_LEN ((size_t)6) /* behind &K: FF0000, or 01+000 */

static size_t count_of(const char *text, size_t len, const char *letters)
{
	size_t n = 0;

	while (n < len && text[n] != '\0' && strchr(letters, text[n]) != NULL)
		n++;
	return n;
}

/* The length of the code at `code`, and what stands for it; 0: nothing. */
static size_t margin_code(const char *code, size_t len, char *becomes)
{
	const char *end;
	size_t n;

	*becomes = '\0';
	if (len < 2)
		return 1;
	if (code[1] == '&') {
		*becomes = '&';
		return 2;
	}
	if (strchr("LCRlcr", code[1]) != NULL && code[1] != '\0') {
		*becomes = '\n'; /* another section */
		return 2;
	}
	if (code[1] == '"') {
		end = memchr(code + 2, '"', len - 2);
		return end != NULL ? (size_t)(end - code) + 1 : 2;
	}
	/* Of a longer number the size of the letters is but the beginning: from 10 to 99. */
	n = count_of(code + 1, len - 1, "0123456789");
	if (n > 0)
		return 1 + (n > 3 ? 2 : n);
	if ((code[1] == 'K' || code[1] == 'k') &&
	    count_of(code + 2, len - 2, "0123456789ABCDEFabcdef+-") >= COLOUR_LEN)
		return 2 + COLOUR_LEN;
	return (code[1] | 0x20) >= 'a' && (code[1] | 0x20) <= 'z' ? 2 : 1;
}

size_t margin_plain(char *text, size_t len)
{
	size_t to = 0;

	for (size_t at = 0; at < len;) {
		char becomes = text[at];

		at += becomes == '&' ? margin_code(text + at, len - at, &becomes) : 1;
		if (becomes != '\0')
			text[to++] = becomes;
	}
	return to;
}

static bool is_margin(const char *name)
{
	size_t len = strlen(name);

	return len > 6 && (is(name + len - 6, "Header") || is(name + len - 6, "Footer")) &&
	       !is(name, "headerFooter");
}

static void end_margin(struct flow *f)
{
	if (f->string.len > 0)
		office_text_add(
		    &f->text, f->string.bytes, margin_plain(f->string.bytes, f->string.len));
	buf_clear(&f->string);
	office_text_break(&f->text, '\n');
}

bool sheet_starts(struct flow *f, const char *name, const char **attributes)
{
	if (is(name, "c")) {
		const char *type = attribute(attributes, "t");

		f->letters = type != NULL && is(type, "s") ? HOLDS_SHARED : HOLDS_VALUE;
	} else if (is(name, "v")) {
		f->field = FIELD_VALUE;
		f->index = 0;
	} else if (is(name, "rPh")) {
		f->field = FIELD_SOUND;
	} else if (is(name, "t") && f->field != FIELD_SOUND) {
		f->field = FIELD_LETTERS;
	} else if (is(name, "f")) {
		f->field = FIELD_FORMULA;
		buf_clear(&f->string);
	} else if (is_margin(name)) {
		f->field = FIELD_MARGIN;
		buf_clear(&f->string);
	} else if (is(name, "hyperlink")) {
		const char *display = attribute(attributes, "display");

		if (display != NULL && *display != '\0') {
			office_text_add(&f->text, display, strlen(display));
			office_text_break(&f->text, '\n');
		}
	}
	return true;
}

static void end_formula(struct flow *f)
{
	/* References alone are no text; a formula with words may be. */
	if (f->string.len > 0 && memchr(f->string.bytes, '"', f->string.len) != NULL) {
		office_text_aside(&f->text, f->string.bytes, f->string.len);
		office_text_aside(&f->text, "\n", 1);
	}
	buf_clear(&f->string);
}

bool sheet_ends(struct flow *f, const char *name)
{
	if (is(name, "c")) {
		office_text_break(&f->text, '\t');
		f->letters = HOLDS_NOTHING;
	} else if (is(name, "v")) {
		if (f->letters == HOLDS_SHARED &&
		    (f->strings == NULL || !strings_get(f->strings, f->index, &f->text)))
			f->no_string = true;
		f->field = FIELD_NONE;
	} else if (is(name, "f")) {
		end_formula(f);
		f->field = FIELD_NONE;
	} else if (is_margin(name)) {
		end_margin(f);
		f->field = FIELD_NONE;
	} else if (is(name, "t")) {
		f->field = f->field == FIELD_SOUND ? FIELD_SOUND : FIELD_NONE;
	} else if (is(name, "rPh")) {
		f->field = FIELD_NONE;
	} else if (is(name, "row")) {
		office_text_break(&f->text, '\n');
		office_text_join(&f->text);
	} else if (f->letters == HOLDS_NOTHING) {
		/* Headers, footers, messages of validation: a line each. */
		office_text_break(&f->text, f->text.pending == '\t' ? '\t' : '\n');
	}
	return !f->text.unwanted;
}

static void count_index(struct flow *f, const char *digits, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (digits[i] >= '0' && digits[i] <= '9' && f->index < UINT64_MAX / 16)
			f->index = f->index * 10 + (uint64_t)(digits[i] - '0');
	}
}

bool sheet_text(struct flow *f, const char *utf8, size_t len)
{
	if (f->field == FIELD_VALUE && f->letters == HOLDS_SHARED) {
		count_index(f, utf8, len);
	} else if (f->field == FIELD_FORMULA || f->field == FIELD_MARGIN) {
		buf_add(&f->string, utf8, len);
		if (!buf_ok(&f->string)) { /* a formula has 8192 letters at most */
			inside_fault(f->in, EXTRACT_DAMAGED);
			return false;
		}
	} else if (f->field == FIELD_SOUND) {
		office_text_aside(&f->text, utf8, len);
	} else if (f->field != FIELD_NONE || strspn(utf8, " \t\r\n") < len) {
		office_text_add(&f->text, utf8, len);
	}
	return !f->text.unwanted;
}

/* ---- the shared strings ----------------------------------------------------------------------- */

bool shared_starts(struct flow *f, const char *name, const char **attributes)
{
	(void)attributes;
	if (is(name, "si"))
		buf_clear(&f->string);
	else if (is(name, "rPh"))
		f->field = FIELD_SOUND;
	else if (is(name, "t") && f->field != FIELD_SOUND)
		f->field = FIELD_LETTERS;
	return true;
}

bool shared_ends(struct flow *f, const char *name)
{
	if (is(name, "t") || is(name, "rPh")) {
		bool sound = f->field == FIELD_SOUND;

		f->field = sound && is(name, "t") ? FIELD_SOUND : FIELD_NONE;
		if (sound)
			office_text_aside(&f->text, "\n", 1);
		return true;
	}
	if (is(name, "si")) {
		enum parse_state state = strings_add(f->strings, f->string.bytes, f->string.len);

		f->failed_memory = state == PARSE_MEMORY;
		buf_clear(&f->string);
		return state == PARSE_FINE;
	}
	return true;
}

bool shared_text(struct flow *f, const char *utf8, size_t len)
{
	if (f->field == FIELD_LETTERS) {
		buf_add(&f->string, utf8, len);
		if (!buf_ok(&f->string)) { /* a cell holds 32767 letters at most */
			inside_fault(f->in, EXTRACT_DAMAGED);
			return false;
		}
	} else if (f->field == FIELD_SOUND) {
		office_text_aside(&f->text, utf8, len);
	}
	return true;
}
