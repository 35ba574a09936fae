/* Attributes and styles that are allowed, by their values. Whatever is written is letters of our own choice. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/inspect/sanitise.h"

#define SPAN_MOST   1000 /* colspan, rowspan */
#define SIZE_MOST   4096 /* pixels */
#define BORDER_MOST 100

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(const char *text, size_t least, size_t most)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz");

	return text[len] == '\0' && len >= least && len <= most;
}

static bool is_one_of(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(text, words[i]) == 0)
			return true;
	}
	return false;
}

#define IS_ONE_OF(text, words) is_one_of((text), (words), COUNT_OF(words))

/*
 * The value without the blanks around it, in lower case. False: it is longer than any that is allowed, or has a
 * letter that none of them has.
 */
static bool plain(const char *value, size_t len, char out[SANITISE_VALUE_MAX])
{
	size_t n = 0;

	while (len > 0 && strchr(" \t\r\n\f", value[0]) != NULL) {
		value++;
		len--;
	}
	while (len > 0 && strchr(" \t\r\n\f", value[len - 1]) != NULL)
		len--;
	if (len == 0 || len >= SANITISE_VALUE_MAX)
		return false;
	for (; n < len; n++) {
		char c = value[n];

		c = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
		if (!(c >= 'a' && c <= 'z') && !is_digit(c) &&
		    (c == '\0' || strchr("#%.,()+- ", c) == NULL))
			return false;
		out[n] = c;
	}
	out[n] = '\0';
	return true;
}

/* ---- colours ---- */

/* CSS Color Module Level 4, section 6.1, and what Office writes; each between blanks. */
static const char colours[] =
    " aliceblue antiquewhite aqua aquamarine azure beige bisque black blanchedalmond blue "
    "blueviolet brown burlywood cadetblue chartreuse chocolate coral cornflowerblue cornsilk "
    "crimson cyan darkblue darkcyan darkgoldenrod darkgray darkgreen darkgrey darkkhaki "
    "darkmagenta darkolivegreen darkorange darkorchid darkred darksalmon darkseagreen "
    "darkslateblue darkslategray darkslategrey darkturquoise darkviolet deeppink deepskyblue "
    "dimgray dimgrey dodgerblue firebrick floralwhite forestgreen fuchsia gainsboro "
    "ghostwhite gold goldenrod gray green greenyellow grey honeydew hotpink indianred indigo "
    "ivory khaki lavender lavenderblush lawngreen lemonchiffon lightblue lightcoral "
    "lightcyan lightgoldenrodyellow lightgray lightgreen lightgrey lightpink lightsalmon "
    "lightseagreen lightskyblue lightslategray lightslategrey lightsteelblue lightyellow "
    "lime limegreen linen magenta maroon mediumaquamarine mediumblue mediumorchid "
    "mediumpurple mediumseagreen mediumslateblue mediumspringgreen mediumturquoise "
    "mediumvioletred midnightblue mintcream mistyrose moccasin navajowhite navy oldlace "
    "olive olivedrab orange orangered orchid palegoldenrod palegreen paleturquoise "
    "palevioletred papayawhip peachpuff peru pink plum powderblue purple rebeccapurple red "
    "rosybrown royalblue saddlebrown salmon sandybrown seagreen seashell sienna silver "
    "skyblue slateblue slategray slategrey snow springgreen steelblue tan teal thistle "
    "tomato turquoise violet wheat white whitesmoke window windowtext yellow yellowgreen ";

static bool is_colour_name(const char *value)
{
	size_t len = strlen(value);

	if (!is_word(value, 3, 24))
		return false;
	for (const char *at = colours; (at = strstr(at, value)) != NULL; at += len) {
		if (at[-1] == ' ' && at[len] == ' ')
			return true;
	}
	return false;
}

static bool is_hex(const char *digits, size_t len)
{
	return strlen(digits) == len && strspn(digits, "0123456789abcdef") == len;
}

/* rgb(1, 2, 3): numbers and what stands between them. */
static bool is_function(const char *value)
{
	size_t len = strlen(value), from;

	if (strncmp(value, "rgb(", 4) != 0 && strncmp(value, "rgba(", 5) != 0)
		return false;
	from = strcspn(value, "(") + 1;
	return len > from + 1 && value[len - 1] == ')' &&
	       strspn(value + from, "0123456789.,% ") == len - from - 1;
}

static bool is_colour(const char *value)
{
	if (value[0] == '#')
		return is_hex(value + 1, 3) || is_hex(value + 1, 4) || is_hex(value + 1, 6) ||
		       is_hex(value + 1, 8);
	return is_colour_name(value) || is_function(value);
}

/* Of an attribute: a name, or digits, which old programs wrote without the "#". */
static bool colour_attribute(const char *value, char out[SANITISE_VALUE_MAX])
{
	bool bare = is_hex(value, 6);

	if (!bare && !is_colour_name(value) &&
	    (value[0] != '#' || (!is_hex(value + 1, 3) && !is_hex(value + 1, 6))))
		return false;
	(void)snprintf(out, SANITISE_VALUE_MAX, "%s%.30s", bare ? "#" : "", value);
	return true;
}

/* ---- numbers ---- */

/* Digits alone, from `least` to `most`. `*rest`: what stands behind. */
static bool number(const char *value, long least, long most, const char **rest)
{
	size_t len = strspn(value, "0123456789");
	long n;

	if (len == 0 || len > 6)
		return false;
	n = strtol(value, NULL, 10);
	*rest = value + len;
	return n >= least && n <= most;
}

static bool whole_number(const char *value, long least, long most)
{
	const char *rest;

	return number(value, least, most, &rest) && *rest == '\0';
}

/* 120, 120px, 50%. */
static bool length_attribute(const char *value, char out[SANITISE_VALUE_MAX])
{
	const char *rest;

	if (!number(value, 0, SIZE_MOST, &rest))
		return false;
	if (strcmp(rest, "%") == 0 && strtol(value, NULL, 10) <= 100) {
		(void)snprintf(out, SANITISE_VALUE_MAX, "%s", value);
		return true;
	}
	if (*rest != '\0' && strcmp(rest, "px") != 0)
		return false;
	(void)snprintf(out, SANITISE_VALUE_MAX, "%.*s", (int)(rest - value), value);
	return true;
}

/* Of font: 1 to 7, or that much more or less. */
static bool font_size(const char *value)
{
	return whole_number(value, 1, 7) ||
	       ((*value == '+' || *value == '-') && whole_number(value + 1, 1, 6));
}

/* ---- attributes ---- */

enum attribute_kind {
	KIND_DIRECTION,
	KIND_ALIGN,
	KIND_VALIGN,
	KIND_SPAN,
	KIND_LENGTH,
	KIND_BORDER,
	KIND_COLOUR,
	KIND_FONT_SIZE,
	KIND_START,
};

static const struct {
	const char *name;
	enum attribute_kind kind;
} attributes[] = {
    {"dir", KIND_DIRECTION},
    {"align", KIND_ALIGN},
    {"valign", KIND_VALIGN},
    {"colspan", KIND_SPAN},
    {"rowspan", KIND_SPAN},
    {"width", KIND_LENGTH},
    {"height", KIND_LENGTH},
    {"border", KIND_BORDER},
    {"cellpadding", KIND_BORDER},
    {"cellspacing", KIND_BORDER},
    {"bgcolor", KIND_COLOUR},
    {"color", KIND_COLOUR},
    {"size", KIND_FONT_SIZE},
    {"start", KIND_START},
};

static bool value_of(enum attribute_kind kind, const char *value, char out[SANITISE_VALUE_MAX])
{
	static const char *const directions[] = {"ltr", "rtl", "auto"};
	static const char *const aligns[] = {
	    "left", "right", "center", "justify", "top", "middle", "bottom"};
	static const char *const valigns[] = {"top", "middle", "bottom", "baseline"};
	bool good = false;

	switch (kind) {
	case KIND_DIRECTION:
		good = IS_ONE_OF(value, directions);
		break;
	case KIND_ALIGN:
		good = IS_ONE_OF(value, aligns);
		break;
	case KIND_VALIGN:
		good = IS_ONE_OF(value, valigns);
		break;
	case KIND_SPAN:
		good = whole_number(value, 1, SPAN_MOST);
		break;
	case KIND_BORDER:
		good = whole_number(value, 0, BORDER_MOST);
		break;
	case KIND_FONT_SIZE:
		good = font_size(value);
		break;
	case KIND_START:
		good = whole_number(value, 0, 99999);
		break;
	case KIND_LENGTH:
		return length_attribute(value, out);
	case KIND_COLOUR:
		return colour_attribute(value, out);
	}
	if (good)
		(void)snprintf(out, SANITISE_VALUE_MAX, "%s", value);
	return good;
}

bool sanitise_attribute(const char *name, const char *value, char out[SANITISE_VALUE_MAX])
{
	char text[SANITISE_VALUE_MAX];

	for (size_t i = 0; i < COUNT_OF(attributes); i++) {
		if (strcasecmp(name, attributes[i].name) == 0)
			return plain(value, strlen(value), text) &&
			       value_of(attributes[i].kind, text, out);
	}
	return false;
}

/* ---- styles ---- */

enum property {
	PROPERTY_COLOR,
	PROPERTY_GROUND,
	PROPERTY_WEIGHT,
	PROPERTY_STYLE,
	PROPERTY_DECORATION,
	PROPERTY_ALIGN,
	PROPERTY_SIZE,
	PROPERTY_COUNT
};

static const char *const properties[] = {
    [PROPERTY_COLOR] = "color",
    [PROPERTY_GROUND] = "background-color",
    [PROPERTY_WEIGHT] = "font-weight",
    [PROPERTY_STYLE] = "font-style",
    [PROPERTY_DECORATION] = "text-decoration",
    [PROPERTY_ALIGN] = "text-align",
    [PROPERTY_SIZE] = "font-size",
};

struct declarations {
	char value[PROPERTY_COUNT][SANITISE_VALUE_MAX]; /* "": there is none */
};

/* A size that can be read, and that covers nothing else. */
static bool is_size(const char *value)
{
	static const struct {
		const char *unit;
		double least, most;
	} units[] = {{"px", 6, 72}, {"pt", 5, 54}, {"em", 0.5, 5}, {"rem", 0.5, 5}, {"%", 50, 500}};
	static const char *const words[] = {"xx-small", "x-small", "small", "medium", "large",
	    "x-large", "xx-large", "smaller", "larger"};
	size_t digits = strspn(value, "0123456789"), len = digits;
	double n;

	if (IS_ONE_OF(value, words))
		return true;
	if (value[len] == '.') {
		size_t behind = strspn(value + len + 1, "0123456789");

		digits += behind;
		len += 1 + behind;
	}
	if (digits == 0 || len > 8)
		return false;
	/* Of digits and one dot: the locale of this process is C. */
	n = strtod(value, NULL);
	for (size_t i = 0; i < COUNT_OF(units); i++) {
		if (strcmp(value + len, units[i].unit) == 0)
			return n >= units[i].least && n <= units[i].most;
	}
	return false;
}

static bool is_weight(const char *value)
{
	static const char *const words[] = {"normal", "bold", "bolder", "lighter"};

	return IS_ONE_OF(value, words) || (strlen(value) == 3 && value[0] >= '1' &&
					      value[0] <= '9' && strcmp(value + 1, "00") == 0);
}

static bool is_allowed(enum property property, const char *value)
{
	static const char *const styles[] = {"normal", "italic", "oblique"};
	static const char *const lines[] = {"none", "underline", "line-through", "overline"};
	static const char *const aligns[] = {"left", "right", "center", "justify", "start", "end"};

	switch (property) {
	case PROPERTY_COLOR:
	case PROPERTY_GROUND:
		return is_colour(value);
	case PROPERTY_WEIGHT:
		return is_weight(value);
	case PROPERTY_STYLE:
		return IS_ONE_OF(value, styles);
	case PROPERTY_DECORATION:
		return IS_ONE_OF(value, lines);
	case PROPERTY_ALIGN:
		return IS_ONE_OF(value, aligns);
	case PROPERTY_SIZE:
		return is_size(value);
	case PROPERTY_COUNT:
		break;
	}
	return false;
}

/* "!important" says nothing more here. */
static size_t without_important(const char *value, size_t len)
{
	const char *mark = memrchr(value, '!', len);

	return mark == NULL ? len : (size_t)(mark - value);
}

static void take_value(
    struct declarations *d, enum property property, const char *value, size_t len)
{
	char text[SANITISE_VALUE_MAX];

	if (plain(value, without_important(value, len), text) && is_allowed(property, text))
		memcpy(d->value[property], text, sizeof text);
}

/* "name: value"; of what is written later the last counts, as programs take it. */
static void take_declaration(struct declarations *d, const char *text, size_t len)
{
	const char *colon = memchr(text, ':', len);
	char name[SANITISE_VALUE_MAX];
	const char *value;
	size_t left;

	if (colon == NULL || !plain(text, (size_t)(colon - text), name))
		return;
	value = colon + 1;
	left = len - (size_t)(value - text);
	/* A ground that is a colour and nothing else. */
	if (strcmp(name, "background") == 0)
		take_value(d, PROPERTY_GROUND, value, left);
	for (int p = 0; p < PROPERTY_COUNT; p++) {
		if (strcmp(name, properties[p]) == 0)
			take_value(d, (enum property)p, value, left);
	}
}

void sanitise_style(
    const char *value, const char *ground, const char *colour, char style[SANITISE_STYLE_MAX])
{
	struct declarations d = {.value = {{'\0'}}};
	size_t used = 0;

	if (ground != NULL && !sanitise_attribute("bgcolor", ground, d.value[PROPERTY_GROUND]))
		d.value[PROPERTY_GROUND][0] = '\0';
	if (colour != NULL && !sanitise_attribute("color", colour, d.value[PROPERTY_COLOR]))
		d.value[PROPERTY_COLOR][0] = '\0';
	while (value != NULL && *value != '\0') {
		size_t len = strcspn(value, ";");

		take_declaration(&d, value, len);
		value += len + (value[len] == ';');
	}
	style[0] = '\0';
	for (int p = 0; p < PROPERTY_COUNT; p++) {
		/* All of them together have room: 7 * (16 + 40 + 2). */
		if (d.value[p][0] != '\0')
			used += (size_t)snprintf(style + used, SANITISE_STYLE_MAX - used, "%s%s:%s",
			    used > 0 ? ";" : "", properties[p], d.value[p]);
	}
}
