/*
 * What style attributes and simple rules of style sheets say about whether an element is seen. Not a
 * parser of CSS.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/text/html_inside.h"

#define TINY      2              /* pixels or points */
#define NEARLY    0xf8           /* of red, green and blue: as good as white */
#define STYLE_MAX ((size_t)2048) /* behind it a declaration counts as not there: the text is seen */

/* What the declarations say of it. */
struct look {
	const char *colour;
	const char *ground;
	bool hidden;
	bool no_size;
	bool no_overflow;
};

/* Lower case, without blanks and comments of CSS. */
static void plain(const char *style, char *text)
{
	size_t len = 0;

	while (*style != '\0' && len + 1 < STYLE_MAX) {
		if (style[0] == '/' && style[1] == '*') {
			const char *end = strstr(style + 2, "*/");

			if (end == NULL)
				break;
			style = end + 2;
		} else if (strchr(" \t\r\n\f", *style) != NULL) {
			style++;
		} else {
			char byte = *style++;

			text[len++] =
			    byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
		}
	}
	text[len] = '\0';
}

/* Letters that nobody reads. */
static bool is_tiny(const char *value)
{
	char *unit;
	double size = strtod(value, &unit);

	return unit != value && size >= 0 && size <= TINY &&
	       (strcmp(unit, "px") == 0 || strcmp(unit, "pt") == 0);
}

/* 0, 0px, 0.0em, 0%: no length at all. */
static bool is_zero(const char *value)
{
	const char *p = value;
	bool digit = false;

	for (; *p == '0' || *p == '.'; p++)
		digit = digit || *p == '0';
	return digit && strspn(p, "abcdefghijklmnopqrstuvwxyz%") == strlen(p);
}

static bool is_one_of(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(word, words[i]) == 0)
			return true;
	}
	return false;
}

static void declaration(struct look *look, const char *name, char *value)
{
	static const char *const lengths[] = {
	    "height", "max-height", "width", "max-width", "line-height"};
	char *important = strstr(value, "!important");

	if (important != NULL)
		*important = '\0';
	if (strcmp(name, "display") == 0)
		look->hidden = look->hidden || strcmp(value, "none") == 0;
	else if (strcmp(name, "visibility") == 0)
		look->hidden = look->hidden || strcmp(value, "visible") != 0;
	else if (strcmp(name, "mso-hide") == 0)
		look->hidden = look->hidden || strcmp(value, "all") == 0;
	else if (strcmp(name, "font-size") == 0 && is_tiny(value))
		look->hidden = true;
	else if (strcmp(name, "font-size") == 0 || strcmp(name, "opacity") == 0)
		look->hidden = look->hidden || is_zero(value);
	else if (strcmp(name, "text-indent") == 0)
		look->hidden = look->hidden || strtol(value, NULL, 10) <= -999;
	else if (strcmp(name, "color") == 0)
		look->colour = value;
	else if (strcmp(name, "background") == 0 || strcmp(name, "background-color") == 0)
		look->ground = value;
	else if (strcmp(name, "overflow") == 0)
		look->no_overflow = strcmp(value, "hidden") == 0;
	else if (is_one_of(name, lengths, COUNT_OF(lengths)))
		look->no_size = look->no_size || is_zero(value);
}

unsigned html_style_says(const char *style)
{
	struct look look = {.hidden = false};
	char text[STYLE_MAX], *rest = text, *part;

	plain(style, text);
	while ((part = strsep(&rest, ";")) != NULL) {
		char *value = strchr(part, ':');

		if (value != NULL) {
			*value = '\0';
			declaration(&look, part, value + 1);
		}
	}
	if (look.colour != NULL && strcmp(look.colour, "transparent") == 0)
		return HTML_HIDES;
	if (look.hidden || (look.no_size && look.no_overflow) ||
	    (look.colour != NULL && look.ground != NULL &&
		html_same_colour(look.colour, look.ground)))
		return HTML_HIDES;
	return html_colour_says(look.colour, look.ground);
}

/* The colour as a number, or -1. */
static long colour(const char *text)
{
	static const struct {
		const char *name;
		long value;
	} names[] = {{"white", 0xffffff}, {"black", 0}, {"red", 0xff0000}, {"blue", 0xff},
	    {"yellow", 0xffff00}, {"gray", 0x808080}, {"silver", 0xc0c0c0}};
	unsigned red, green, blue;
	size_t digits;
	long value;

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strcasecmp(text, names[i].name) == 0)
			return names[i].value;
	}
	if (sscanf(text, "rgb(%3u,%3u,%3u)", &red, &green, &blue) == 3)
		return (long)(red << 16 | green << 8 | blue);
	text += *text == '#';
	digits = strspn(text, "0123456789abcdefABCDEF");
	if (text[digits] != '\0' || (digits != 3 && digits != 6))
		return -1;
	value = strtol(text, NULL, 16);
	if (digits == 3)
		value = (value >> 8) * 0x110000 + (value >> 4 & 15) * 0x1100 + (value & 15) * 0x11;
	return value;
}

bool html_same_colour(const char *a, const char *b)
{
	long one = colour(a);

	return strcasecmp(a, b) == 0 || (one >= 0 && one == colour(b));
}

static bool is_white(const char *text)
{
	long value = colour(text);

	return value >= 0 && (value & 0xff) >= NEARLY && (value >> 8 & 0xff) >= NEARLY &&
	       (value >> 16 & 0xff) >= NEARLY;
}

unsigned html_colour_says(const char *text, const char *ground)
{
	static const char *const none[] = {"", "none", "transparent", "inherit", "initial"};

	if (ground != NULL && !is_white(ground) && !is_one_of(ground, none, COUNT_OF(none)))
		return HTML_GROUND;
	return text != NULL && is_white(text) ? HTML_WHITE : 0;
}

/* ---- style sheets ------------------------------------------------------------------------------- */

/* Behind the bracket that closes the block whose inside begins at `at`; or the end. */
static const char *behind_block(const char *at)
{
	for (size_t depth = 1; *at != '\0' && depth > 0; at++)
		depth = *at == '{' ? depth + 1 : *at == '}' ? depth - 1 : depth;
	return at;
}

static void add_rule(struct html_rules *r, const char *selector, size_t len, unsigned says)
{
	while (len > 0 && strchr(" \t\r\n\f", selector[len - 1]) != NULL)
		len--;
	for (; len > 0 && strchr(" \t\r\n\f", *selector) != NULL; len--)
		selector++;
	if (len == 0 || len >= SELECTOR_MOST || r->n == RULES_MOST)
		return;
	for (size_t i = 0; i < len; i++) { /* one tag, class or id */
		if (strchr(" \t\r\n\f>+~:[*\\", selector[i]) != NULL ||
		    (i > 0 && strchr(".#", selector[i]) != NULL))
			return;
	}
	memcpy(r->rules[r->n].selector, selector, len);
	r->rules[r->n].selector[len] = '\0';
	r->rules[r->n++].says = says;
}

static void add_rules(struct html_rules *r, const char *selectors, size_t len, unsigned says)
{
	const char *end = selectors + len;

	while (selectors < end) {
		const char *comma = memchr(selectors, ',', (size_t)(end - selectors));
		size_t n = (size_t)((comma != NULL ? comma : end) - selectors);

		add_rule(r, selectors, n, says);
		selectors += n + 1;
	}
}

/* `at` moved over blanks, comments and the signs of a comment of HTML. */
static const char *skip_blanks(const char *at)
{
	for (;;) {
		const char *end;

		at += strspn(at, " \t\r\n\f");
		if (strncmp(at, "<!--", 4) == 0) {
			at += 4;
		} else if (strncmp(at, "-->", 3) == 0) {
			at += 3;
		} else if (strncmp(at, "/*", 2) == 0) {
			end = strstr(at + 2, "*/");
			at = end != NULL ? end + 2 : at + strlen(at);
		} else {
			return at;
		}
	}
}

void html_rules_read(struct html_rules *r, const char *sheet)
{
	char style[STYLE_MAX];

	while (*(sheet = skip_blanks(sheet)) != '\0' && r->n < RULES_MOST) {
		size_t len = strcspn(sheet, "{;");
		const char *body = sheet + len + 1, *end;
		size_t size;
		unsigned says;

		if (sheet[len] == '\0')
			return;
		if (sheet[len] == ';') { /* @import */
			sheet = body;
			continue;
		}
		end = behind_block(body);
		size = (size_t)(end - body);
		if (*sheet != '@' && size > 0 && size < sizeof style) {
			memcpy(style, body, size);
			style[end[-1] == '}' ? size - 1 : size] = '\0';
			says = html_style_says(style);
			if (says != 0)
				add_rules(r, sheet, len, says);
		}
		sheet = end;
	}
}

unsigned html_rules_say(
    const struct html_rules *r, const char *tag, const char *classes, const char *id)
{
	unsigned says = 0;

	for (size_t i = 0; i < r->n; i++) {
		const char *selector = r->rules[i].selector;
		bool fits = *selector == '.'   ? html_has_word(classes, selector + 1)
			    : *selector == '#' ? id != NULL && strcmp(id, selector + 1) == 0
					       : strcasecmp(tag, selector) == 0;

		says |= fits ? r->rules[i].says : 0;
	}
	return says;
}
