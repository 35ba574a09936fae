#include "lib/inspect/refs.h"

#include <string.h>

#include "lib/base/hex.h"

void ref_open(
    struct ref_reader *r, void (*found)(void *context, const char *id, size_t len), void *context)
{
	*r = (struct ref_reader){.found = found, .context = context};
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* ---- names ---- */

/* A name that is too long is none of those that are known. */
static void add_letter(struct ref_reader *r, char c)
{
	if (r->name_len < REF_NAME_MAX)
		r->name[r->name_len] = lower(c);
	r->name_len++;
	if (r->name_len > REF_NAME_MAX)
		r->name[0] = '\0';
	else
		r->name[r->name_len] = '\0';
}

static void begin_name(struct ref_reader *r, enum ref_state state, char c)
{
	r->name_len = 0;
	add_letter(r, c);
	r->state = state;
}

/* Elements whose content is text, or nothing that is shown. */
static bool is_raw(const char *element)
{
	static const char *const names[] = {
	    "script", "style", "title", "textarea", "xmp", "noembed", "noframes", "iframe"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strcmp(element, names[i]) == 0)
			return true;
	}
	return false;
}

/* ---- references ---- */

/* A reference is a URL: "%40" is "@" (RFC 2392). */
static void keep(struct ref_reader *r)
{
	size_t used = 0;

	for (size_t k = 0; k < r->id_len; k++) {
		char c = r->id[k];

		if (c == '%' && k + 2 < r->id_len && hex_digit(r->id[k + 1]) >= 0 &&
		    hex_digit(r->id[k + 2]) >= 0) {
			c = (char)(hex_digit(r->id[k + 1]) << 4 | hex_digit(r->id[k + 2]));
			k += 2;
		}
		r->id[used++] = c;
	}
	if (used > 0 && r->id_len < REF_MAX)
		r->found(r->context, r->id, used);
	r->id_len = 0;
}

static void begin_match(struct ref_reader *r, bool style)
{
	r->style = style;
	r->match = style ? REF_URL : REF_CID;
	r->seen = 0;
	r->id_len = 0;
}

static void end_match(struct ref_reader *r)
{
	if (r->match == REF_ID)
		keep(r);
	r->match = REF_NONE;
}

/* A letter of an attribute's value, or of a style sheet. */
static void match(struct ref_reader *r, char c)
{
	static const char url[] = "url(", cid[] = "cid:";

	switch (r->match) {
	case REF_NONE:
		break;
	case REF_URL:
		r->seen = lower(c) == url[r->seen] ? r->seen + 1 : lower(c) == url[0];
		if (r->seen == sizeof url - 1) {
			r->match = REF_CID;
			r->seen = 0;
		}
		break;
	case REF_CID:
		if (r->seen == 0 && (is_blank(c) || (r->style && (c == '"' || c == '\''))))
			break;
		if (lower(c) == cid[r->seen]) {
			r->seen++;
			r->match = r->seen == sizeof cid - 1 ? REF_ID : REF_CID;
		} else {
			r->match = r->style ? REF_URL : REF_NONE;
			r->seen = 0;
		}
		break;
	case REF_ID:
		if (is_blank(c) || (r->style && strchr("\"')", c) != NULL)) {
			keep(r);
			r->match = r->style ? REF_URL : REF_NONE;
			r->seen = 0;
		} else if (r->id_len < REF_MAX) {
			r->id[r->id_len++] = c;
		}
		break;
	}
}

/* What the value of this attribute may show. */
static void begin_value(struct ref_reader *r)
{
	const char *name = r->name;

	r->match = REF_NONE;
	if (r->end)
		return;
	if (strcmp(name, "style") == 0)
		begin_match(r, true);
	else if (strcmp(name, "src") == 0 || strcmp(name, "background") == 0 ||
		 (strcmp(name, "href") == 0 && strcmp(r->element, "link") == 0))
		begin_match(r, false);
}

/* ---- tags ---- */

static void end_tag(struct ref_reader *r)
{
	end_match(r);
	r->state = REF_TEXT;
	if (r->end || !is_raw(r->element))
		return;
	r->state = REF_RAW;
	if (strcmp(r->element, "style") == 0)
		begin_match(r, true);
	r->name_len = 0;
}

static void end_element_name(struct ref_reader *r)
{
	(void)memcpy(r->element, r->name, sizeof r->element);
	r->state = REF_WITHIN;
}

static void take_opened(struct ref_reader *r, char c)
{
	if (c == '!') {
		r->state = REF_BANG;
		r->seen = 0;
	} else if (c == '/' && !r->end) {
		r->end = true;
	} else if (lower(c) >= 'a' && lower(c) <= 'z') {
		begin_name(r, REF_ELEMENT, c);
	} else {
		r->state = c == '?' ? REF_DECLARATION : REF_TEXT;
	}
}

static void take_bang(struct ref_reader *r, char c)
{
	if (c == '-')
		r->state = ++r->seen == 2 ? REF_COMMENT : REF_BANG;
	else
		r->state = c == '>' ? REF_TEXT : REF_DECLARATION;
	if (r->state == REF_COMMENT)
		r->seen = 0;
}

static void take_comment(struct ref_reader *r, char c)
{
	if (c == '>' && r->seen >= 2)
		r->state = REF_TEXT;
	r->seen = c == '-' ? r->seen + 1 : 0;
}

static void take_within(struct ref_reader *r, char c)
{
	if (c == '>')
		end_tag(r);
	else if (!is_blank(c) && c != '/')
		begin_name(r, REF_ATTRIBUTE, c);
}

static void take_attribute(struct ref_reader *r, char c)
{
	if (c == '=')
		r->state = REF_BEFORE_VALUE;
	else if (c == '>')
		end_tag(r);
	else if (is_blank(c))
		r->state = REF_BEHIND_NAME;
	else if (c == '/')
		r->state = REF_WITHIN;
	else
		add_letter(r, c);
}

static void take_before_value(struct ref_reader *r, char c)
{
	if (is_blank(c))
		return;
	if (c == '>') {
		end_tag(r);
		return;
	}
	begin_value(r);
	r->state = REF_VALUE;
	r->quote = c == '"' || c == '\'' ? c : '\0';
	if (r->quote == '\0')
		match(r, c);
}

static void take_value(struct ref_reader *r, char c)
{
	if (r->quote != '\0' ? c == r->quote : is_blank(c)) {
		end_match(r);
		r->state = REF_WITHIN;
	} else if (r->quote == '\0' && c == '>') {
		end_tag(r);
	} else {
		match(r, c);
	}
}

/* Until "</" and the element's name. */
static void take_raw(struct ref_reader *r, char c)
{
	size_t len = strlen(r->element);
	size_t n = r->name_len;
	char wanted = n == 0 ? '<' : n == 1 ? '/' : n - 2 < len ? r->element[n - 2] : '\0';

	match(r, c);
	if (wanted != '\0' && lower(c) == wanted)
		r->name_len++;
	else
		r->name_len = c == '<';
	if (r->name_len < len + 2)
		return;
	end_match(r);
	r->end = true;
	r->state = REF_WITHIN;
}

static void take(struct ref_reader *r, char c)
{
	switch (r->state) {
	case REF_TEXT:
		if (c == '<') {
			r->state = REF_OPENED;
			r->end = false;
		}
		break;
	case REF_OPENED:
		take_opened(r, c);
		break;
	case REF_BANG:
		take_bang(r, c);
		break;
	case REF_COMMENT:
		take_comment(r, c);
		break;
	case REF_DECLARATION:
		r->state = c == '>' ? REF_TEXT : REF_DECLARATION;
		break;
	case REF_ELEMENT:
		if (!is_blank(c) && c != '/' && c != '>') {
			add_letter(r, c);
			break;
		}
		end_element_name(r);
		take_within(r, c);
		break;
	case REF_WITHIN:
		take_within(r, c);
		break;
	case REF_ATTRIBUTE:
		take_attribute(r, c);
		break;
	case REF_BEHIND_NAME:
		if (c == '=')
			r->state = REF_BEFORE_VALUE;
		else
			take_within(r, c);
		break;
	case REF_BEFORE_VALUE:
		take_before_value(r, c);
		break;
	case REF_VALUE:
		take_value(r, c);
		break;
	case REF_RAW:
		take_raw(r, c);
		break;
	}
}

void ref_feed(struct ref_reader *r, const char *utf8, size_t len)
{
	for (size_t i = 0; i < len; i++)
		take(r, utf8[i]);
}
