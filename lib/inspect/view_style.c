/* Attributes and styles that are allowed, by their values. Whatever is written is letters of our own choice. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/hex.h"
#include "lib/inspect/sanitise.h"

#define SPAN_MOST   1000 /* colspan, rowspan */
#define SIZE_MOST   4096 /* pixels */
#define BORDER_MOST 100

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
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

/* CSS Color Module Level 4, section 6.1: 0xRRGGBB. */
static const struct {
	const char *name;
	unsigned rgb;
} colours[] = {
    /* clang-format off */
    {"aliceblue", 0xf0f8ff},
    {"antiquewhite", 0xfaebd7},
    {"aqua", 0x00ffff},
    {"aquamarine", 0x7fffd4},
    {"azure", 0xf0ffff},
    {"beige", 0xf5f5dc},
    {"bisque", 0xffe4c4},
    {"black", 0x000000},
    {"blanchedalmond", 0xffebcd},
    {"blue", 0x0000ff},
    {"blueviolet", 0x8a2be2},
    {"brown", 0xa52a2a},
    {"burlywood", 0xdeb887},
    {"cadetblue", 0x5f9ea0},
    {"chartreuse", 0x7fff00},
    {"chocolate", 0xd2691e},
    {"coral", 0xff7f50},
    {"cornflowerblue", 0x6495ed},
    {"cornsilk", 0xfff8dc},
    {"crimson", 0xdc143c},
    {"cyan", 0x00ffff},
    {"darkblue", 0x00008b},
    {"darkcyan", 0x008b8b},
    {"darkgoldenrod", 0xb8860b},
    {"darkgray", 0xa9a9a9},
    {"darkgreen", 0x006400},
    {"darkgrey", 0xa9a9a9},
    {"darkkhaki", 0xbdb76b},
    {"darkmagenta", 0x8b008b},
    {"darkolivegreen", 0x556b2f},
    {"darkorange", 0xff8c00},
    {"darkorchid", 0x9932cc},
    {"darkred", 0x8b0000},
    {"darksalmon", 0xe9967a},
    {"darkseagreen", 0x8fbc8b},
    {"darkslateblue", 0x483d8b},
    {"darkslategray", 0x2f4f4f},
    {"darkslategrey", 0x2f4f4f},
    {"darkturquoise", 0x00ced1},
    {"darkviolet", 0x9400d3},
    {"deeppink", 0xff1493},
    {"deepskyblue", 0x00bfff},
    {"dimgray", 0x696969},
    {"dimgrey", 0x696969},
    {"dodgerblue", 0x1e90ff},
    {"firebrick", 0xb22222},
    {"floralwhite", 0xfffaf0},
    {"forestgreen", 0x228b22},
    {"fuchsia", 0xff00ff},
    {"gainsboro", 0xdcdcdc},
    {"ghostwhite", 0xf8f8ff},
    {"gold", 0xffd700},
    {"goldenrod", 0xdaa520},
    {"gray", 0x808080},
    {"green", 0x008000},
    {"greenyellow", 0xadff2f},
    {"grey", 0x808080},
    {"honeydew", 0xf0fff0},
    {"hotpink", 0xff69b4},
    {"indianred", 0xcd5c5c},
    {"indigo", 0x4b0082},
    {"ivory", 0xfffff0},
    {"khaki", 0xf0e68c},
    {"lavender", 0xe6e6fa},
    {"lavenderblush", 0xfff0f5},
    {"lawngreen", 0x7cfc00},
    {"lemonchiffon", 0xfffacd},
    {"lightblue", 0xadd8e6},
    {"lightcoral", 0xf08080},
    {"lightcyan", 0xe0ffff},
    {"lightgoldenrodyellow", 0xfafad2},
    {"lightgray", 0xd3d3d3},
    {"lightgreen", 0x90ee90},
    {"lightgrey", 0xd3d3d3},
    {"lightpink", 0xffb6c1},
    {"lightsalmon", 0xffa07a},
    {"lightseagreen", 0x20b2aa},
    {"lightskyblue", 0x87cefa},
    {"lightslategray", 0x778899},
    {"lightslategrey", 0x778899},
    {"lightsteelblue", 0xb0c4de},
    {"lightyellow", 0xffffe0},
    {"lime", 0x00ff00},
    {"limegreen", 0x32cd32},
    {"linen", 0xfaf0e6},
    {"magenta", 0xff00ff},
    {"maroon", 0x800000},
    {"mediumaquamarine", 0x66cdaa},
    {"mediumblue", 0x0000cd},
    {"mediumorchid", 0xba55d3},
    {"mediumpurple", 0x9370db},
    {"mediumseagreen", 0x3cb371},
    {"mediumslateblue", 0x7b68ee},
    {"mediumspringgreen", 0x00fa9a},
    {"mediumturquoise", 0x48d1cc},
    {"mediumvioletred", 0xc71585},
    {"midnightblue", 0x191970},
    {"mintcream", 0xf5fffa},
    {"mistyrose", 0xffe4e1},
    {"moccasin", 0xffe4b5},
    {"navajowhite", 0xffdead},
    {"navy", 0x000080},
    {"oldlace", 0xfdf5e6},
    {"olive", 0x808000},
    {"olivedrab", 0x6b8e23},
    {"orange", 0xffa500},
    {"orangered", 0xff4500},
    {"orchid", 0xda70d6},
    {"palegoldenrod", 0xeee8aa},
    {"palegreen", 0x98fb98},
    {"paleturquoise", 0xafeeee},
    {"palevioletred", 0xdb7093},
    {"papayawhip", 0xffefd5},
    {"peachpuff", 0xffdab9},
    {"peru", 0xcd853f},
    {"pink", 0xffc0cb},
    {"plum", 0xdda0dd},
    {"powderblue", 0xb0e0e6},
    {"purple", 0x800080},
    {"rebeccapurple", 0x663399},
    {"red", 0xff0000},
    {"rosybrown", 0xbc8f8f},
    {"royalblue", 0x4169e1},
    {"saddlebrown", 0x8b4513},
    {"salmon", 0xfa8072},
    {"sandybrown", 0xf4a460},
    {"seagreen", 0x2e8b57},
    {"seashell", 0xfff5ee},
    {"sienna", 0xa0522d},
    {"silver", 0xc0c0c0},
    {"skyblue", 0x87ceeb},
    {"slateblue", 0x6a5acd},
    {"slategray", 0x708090},
    {"slategrey", 0x708090},
    {"snow", 0xfffafa},
    {"springgreen", 0x00ff7f},
    {"steelblue", 0x4682b4},
    {"tan", 0xd2b48c},
    {"teal", 0x008080},
    {"thistle", 0xd8bfd8},
    {"tomato", 0xff6347},
    {"turquoise", 0x40e0d0},
    {"violet", 0xee82ee},
    {"wheat", 0xf5deb3},
    {"white", 0xffffff},
    {"whitesmoke", 0xf5f5f5},
    {"yellow", 0xffff00},
    {"yellowgreen", 0x9acd32},
    /* clang-format on */
};

static bool read_name(const char *value, unsigned *rgb)
{
	for (size_t i = 0; i < COUNT_OF(colours); i++) {
		if (strcmp(value, colours[i].name) == 0) {
			*rgb = colours[i].rgb;
			return true;
		}
	}
	return false;
}

/* Three, four, six or eight digits; what is not wholly opaque is none. */
static bool read_hex(const char *digits, unsigned *rgb)
{
	size_t len = strlen(digits), each = len < 6 ? 1 : 2;
	unsigned part[4] = {0, 0, 0, 255};

	if ((len != 3 && len != 4 && len != 6 && len != 8) ||
	    strspn(digits, "0123456789abcdef") != len)
		return false;
	for (size_t i = 0; i < len / each; i++) {
		int high = hex_digit(digits[i * each]),
		    low = hex_digit(digits[i * each + each - 1]);

		part[i] = (unsigned)(high * 16 + low);
	}
	*rgb = part[0] << 16 | part[1] << 8 | part[2];
	return part[3] == 255;
}

/* A number between 0 and `most`, or per cent of it. */
static bool read_part(const char **at, double most, double *part)
{
	const char *from = *at;
	size_t len = strspn(from, "0123456789.");
	char *end;

	if (len == 0 || len > 8)
		return false;
	/* Of digits and dots: the locale of this process is C. */
	*part = strtod(from, &end);
	if (end != from + len)
		return false;
	if (*end == '%') {
		*part = *part * most / 100;
		end++;
	}
	*part = *part < most ? *part : most;
	*at = end + strspn(end, ", ");
	return *at > end || *end == ')';
}

/* rgb(1, 2, 3), rgb(1 2 3), rgba(1%, 2%, 3%, 1): the same. */
static bool read_function(const char *value, unsigned *rgb)
{
	double part[3], opaque = 1;
	const char *at;

	if (strncmp(value, "rgb(", 4) != 0 && strncmp(value, "rgba(", 5) != 0)
		return false;
	at = strchr(value, '(') + 1;
	at += strspn(at, " ");
	for (size_t i = 0; i < COUNT_OF(part); i++) {
		if (!read_part(&at, 255, &part[i]))
			return false;
	}
	if (*at != ')' && !read_part(&at, 1, &opaque))
		return false;
	*rgb = (unsigned)part[0] << 16 | (unsigned)part[1] << 8 | (unsigned)part[2];
	return strcmp(at, ")") == 0 && opaque >= 1;
}

/* How light it is, as eyes see it: 0, black, to 100, white (relative luminance, with a gamma of 2). */
static unsigned lightness(unsigned rgb)
{
	unsigned long r = rgb >> 16, g = rgb >> 8 & 0xff, b = rgb & 0xff;

	return (unsigned)((2126 * r * r + 7152 * g * g + 722 * b * b) / (100UL * 255 * 255));
}

#define TEXT_LIGHTEST  40
#define GROUND_DARKEST 65

/*
 * Who approves a mail by what he sees in the frame must see all of it. Which ground a text stands on in the end depends
 * on everything around it; so a text is dark, or as it would be without its colour, and a ground is light, wherever
 * they stand: each can be read on each, and on the white of the frame. White on dark blue becomes black on white.
 */
static bool is_seen(unsigned rgb, bool ground)
{
	return ground ? lightness(rgb) >= GROUND_DARKEST : lightness(rgb) <= TEXT_LIGHTEST;
}

/* What is written is what was looked at: a function becomes the six digits that it was read as. */
static bool take_colour(const char *value, bool ground, char out[SANITISE_VALUE_MAX])
{
	unsigned rgb;

	if (read_function(value, &rgb)) {
		(void)snprintf(out, SANITISE_VALUE_MAX, "#%06x", rgb);
	} else if (value[0] == '#' ? read_hex(value + 1, &rgb) : read_name(value, &rgb)) {
		(void)snprintf(out, SANITISE_VALUE_MAX, "%s", value);
	} else {
		return false;
	}
	return is_seen(rgb, ground);
}

/* Of an attribute: a name, or digits, which old programs wrote without the "#". */
static bool colour_attribute(const char *value, bool ground, char out[SANITISE_VALUE_MAX])
{
	bool bare = strlen(value) == 6 && strspn(value, "0123456789abcdef") == 6;
	char text[SANITISE_VALUE_MAX];

	(void)snprintf(text, sizeof text, "%s%.30s", bare ? "#" : "", value);
	/* Attributes know nothing of functions, nor of digits for what shines through. */
	if (strchr(text, '(') != NULL || (text[0] == '#' && strlen(text) != 4 && strlen(text) != 7))
		return false;
	return take_colour(text, ground, out);
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
	KIND_GROUND,
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
    {"bgcolor", KIND_GROUND},
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
	case KIND_GROUND:
		return colour_attribute(value, kind == KIND_GROUND, out);
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

/*
 * A size that can be read, and that covers nothing else. Such as depend on the size around them are none: four times a
 * half, one within the other, is nothing that anybody sees.
 */
static bool is_size(const char *value)
{
	static const struct {
		const char *unit;
		double least, most;
	} units[] = {{"px", 9, 72}, {"pt", 7, 54}};
	static const char *const words[] = {
	    "xx-small", "x-small", "small", "medium", "large", "x-large", "xx-large"};
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
		break; /* take_colour */
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
	char text[SANITISE_VALUE_MAX], colour[SANITISE_VALUE_MAX];

	if (!plain(value, without_important(value, len), text))
		return;
	if (property == PROPERTY_COLOR || property == PROPERTY_GROUND) {
		if (take_colour(text, property == PROPERTY_GROUND, colour))
			memcpy(d->value[property], colour, sizeof colour);
	} else if (is_allowed(property, text)) {
		memcpy(d->value[property], text, sizeof text);
	}
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
