#include "lib/seal/text.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/mime/utf8.h"
#include "lib/text/charset.h"

#define LINE_MAX_BYTES 990 /* of 998, RFC 5322 section 2.1.1 */
#define HTML_LETTERS   60  /* of one line of HTML, as references */
#define CHARSET_NONE   ((iconv_t)-1)

/* What a text is converted to; the first name is iconv's. Others become UTF-8. */
static const char *const names[][10] = {
    {"ISO-2022-JP", "csiso2022jp", "iso2022jp"},
    {"CP932", "shift_jis", "shift-jis", "x-sjis", "sjis", "ms_kanji", "csshiftjis", "windows-31j",
	"ms932"},
    {"EUC-JP", "x-euc-jp", "eucjp", "cseucpkdfmtjapanese"},
    {"ISO-8859-1", "latin1", "l1"},
    {"ISO-8859-15", "latin-9"},
    {"CP1252", "windows-1252"},
};

struct seal_tables {
	struct charset_tables *from;
	iconv_t to[COUNT_OF(names)];
};

const struct seal_tables *seal_prepare(void)
{
	struct seal_tables *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->from = charset_prepare();
	for (size_t i = 0; i < COUNT_OF(names); i++)
		t->to[i] = iconv_open(names[i][0], "UTF-8");
	if (t->from == NULL || t->to[0] == CHARSET_NONE || t->to[1] == CHARSET_NONE) {
		for (size_t i = 0; i < COUNT_OF(names); i++) {
			if (t->to[i] != CHARSET_NONE)
				(void)iconv_close(t->to[i]);
		}
		charset_tables_free(t->from);
		free(t);
		return NULL;
	}
	return t;
}

static bool one_of(const char *label, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n && list[i] != NULL; i++) {
		if (strcasecmp(label, list[i]) == 0)
			return true;
	}
	return false;
}

static iconv_t table_of(const struct seal_tables *tables, const char *label)
{
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (one_of(label, names[i], COUNT_OF(names[i])))
			return tables->to[i];
	}
	return CHARSET_NONE;
}

enum text_kind text_kind_of(const char *label)
{
	static const char *const ascii[] = {"", "us-ascii", "ascii", "ansi_x3.4-1968"};
	static const char *const utf8[] = {"utf-8", "utf8", "unicode-1-1-utf-8"};
	static const char *const wide[] = {"utf-16", "utf-32", "utf-7", "utf7", "utf16", "utf32",
	    "ucs-", "unicode", "iso-10646", "csunicode", "hz-gb", "ibm", "cp037"};

	if (one_of(label, ascii, COUNT_OF(ascii)))
		return TEXT_ASCII;
	if (one_of(label, utf8, COUNT_OF(utf8)))
		return TEXT_UTF8;
	if (one_of(label, names[0], COUNT_OF(names[0])))
		return TEXT_JIS;
	for (size_t i = 0; i < COUNT_OF(wide); i++) {
		if (strncasecmp(label, wide[i], strlen(wide[i])) == 0)
			return TEXT_WIDE;
	}
	/* Other charsets with escapes have letters that look like ASCII, too. */
	if (strncasecmp(label, "iso-2022-", 9) == 0)
		return TEXT_WIDE;
	return charset_known(label) ? TEXT_OTHER : TEXT_UNKNOWN;
}

/* ---- lines ---- */

/* The next line of a text, without its end and the blanks before that. */
static bool next_line(const struct buf *text, size_t *at, const char **line, size_t *len)
{
	const char *newline;

	if (*at >= text->len)
		return false;
	*line = text->bytes + *at;
	newline = memchr(*line, '\n', text->len - *at);
	*len = newline != NULL ? (size_t)(newline - *line) : text->len - *at;
	*at += *len + 1;
	while (*len > 0 && memchr(" \t\r", (*line)[*len - 1], 3) != NULL)
		(*len)--;
	return true;
}

static bool convert(iconv_t table, const struct buf *from, struct buf *out)
{
	char *in = from->bytes, *to;
	size_t left = from->len, room = 4 * from->len + 64, all = room;

	to = buf_reserve(out, room);
	if (to == NULL) {
		errno = ENOMEM;
		return false;
	}
	(void)iconv(table, NULL, NULL, NULL, NULL);
	/* A letter that is not the same but only like it is none (a count above 0). */
	if (iconv(table, &in, &left, &to, &room) != 0 ||
	    iconv(table, NULL, NULL, &to, &room) == (size_t)-1) {
		errno = EILSEQ;
		return false;
	}
	out->len += all - room;
	return true;
}

bool text_plain(const struct seal_tables *tables, const struct buf *text, const char *label,
    bool flowed, struct buf *out)
{
	struct buf lines;
	const char *line;
	size_t at = 0, len;
	bool done = true;

	buf_init(&lines, 2 * text->len + 1024);
	while (next_line(text, &at, &line, &len)) {
		if (flowed && len > 0 &&
		    (*line == ' ' || *line == '>' || (len >= 5 && memcmp(line, "From ", 5) == 0)))
			buf_add_text(&lines, " ");
		buf_add(&lines, line, len);
		buf_add_text(&lines, "\r\n");
	}
	if (!buf_ok(&lines)) {
		errno = ENOMEM;
		done = false;
	} else if (text_is_ascii(&lines) || text_kind_of(label) == TEXT_UTF8) {
		buf_add(out, lines.bytes, lines.len);
	} else if (table_of(tables, label) == CHARSET_NONE) {
		errno = EILSEQ;
		done = false;
	} else {
		done = convert(table_of(tables, label), &lines, out);
	}
	buf_free(&lines);
	if (done && !buf_ok(out)) {
		errno = ENOMEM;
		done = false;
	}
	return done;
}

/* ---- HTML ---- */

static void add_letter(struct buf *out, const char *letter, size_t len, uint32_t point)
{
	switch (point) {
	case '&':
		buf_add_text(out, "&amp;");
		break;
	case '<':
		buf_add_text(out, "&lt;");
		break;
	case '>':
		buf_add_text(out, "&gt;");
		break;
	case '"':
		buf_add_text(out, "&quot;");
		break;
	default:
		if (point < 0x80)
			buf_add(out, letter, len);
		else
			buf_addf(out, "&#%u;", (unsigned)point);
		break;
	}
}

/* A long line is broken within a tag that shows nothing, where no blank would come of it. */
static void add_html_line(struct buf *out, const char *line, size_t len)
{
	size_t letters = 0;

	for (size_t at = 0; at < len;) {
		uint32_t point;
		size_t step = utf8_step(line + at, len - at, &point);

		if (step == 0) /* the order was checked */
			return;
		if (++letters % HTML_LETTERS == 0)
			buf_add_text(out, "<wbr\r\n>");
		add_letter(out, line + at, step, point);
		at += step;
	}
	buf_add_text(out, "<br>\r\n");
}

bool text_html(const struct buf *text, struct buf *out)
{
	const char *line;
	size_t at = 0, len;

	buf_add_text(out, "<div>\r\n");
	while (next_line(text, &at, &line, &len))
		add_html_line(out, line, len);
	buf_add_text(out, "</div>\r\n");
	return buf_ok(out);
}

/* ---- bytes ---- */

bool text_is_ascii(const struct buf *bytes)
{
	for (size_t i = 0; i < bytes->len; i++) {
		if ((bytes->bytes[i] & 0x80) != 0)
			return false;
	}
	return true;
}

bool text_is_long(const struct buf *bytes)
{
	size_t line = 0;

	for (size_t i = 0; i < bytes->len; i++) {
		line = bytes->bytes[i] == '\n' ? 0 : line + 1;
		if (line > LINE_MAX_BYTES)
			return true;
	}
	return false;
}
