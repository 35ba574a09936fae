/* What an element's own style attribute says about whether it is seen. Not a parser of CSS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/text/html_inside.h"

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

bool html_style_hides(const char *style)
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
		return true;
	return look.hidden || (look.no_size && look.no_overflow) ||
	       (look.colour != NULL && look.ground != NULL &&
		   html_same_colour(look.colour, look.ground));
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
