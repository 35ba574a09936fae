/*
 * Where in its HTML a tag of a template stands. The files may use less than HTML has, so that there is never a
 * doubt: attributes in double quotes, no "<" that begins no tag, nothing within <script> and <style>. What a browser
 * might read in two ways is a fault of the file.
 */
#include <string.h>
#include <strings.h>

#include "lib/web/template_inside.h"

#define WHY_START                                                                                  \
	"what stands before a value in a URL must fix where it leads: /name..., ?, #, "            \
	"https://host/ or mailto:"
#define WHY_QUOTES "an attribute needs a value in double quotes: name=\"value\""

void web_walk_begin(struct walk *w)
{
	*w = (struct walk){.state = WALK_TEXT};
}

static bool wrong(struct walk *w, const char *why)
{
	w->why = why;
	return false;
}

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_letter(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(unsigned char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == ':' ||
	       c == '.';
}

static char lower(unsigned char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
}

/* Adds a letter to a name; one that is too long is none of those that matter, and stays cut. */
static void add_letter(char *name, size_t room, unsigned char c)
{
	size_t len = strlen(name);

	if (len + 1 < room) {
		name[len] = lower(c);
		name[len + 1] = '\0';
	}
}

static bool among(const char *word, const char *const *words)
{
	for (; *words != NULL; words++) {
		if (strcmp(word, *words) == 0)
			return true;
	}
	return false;
}

/* ---- elements ------------------------------------------------------------------------------ */

static bool is_shown(const char *element)
{
	static const char *const names[] = {"title", "textarea", NULL};

	return among(element, names);
}

static bool is_closed(const char *element)
{
	static const char *const names[] = {"script", "style", "iframe", NULL};

	return among(element, names);
}

/* Old elements within which a browser sees no tags at all; <base> would move every link. */
static bool is_forbidden(const char *element)
{
	static const char *const names[] = {
	    "xmp", "plaintext", "noembed", "noframes", "listing", "base", NULL};

	return among(element, names);
}

/* What a value in them would choose is not shown but done. */
static bool is_doing(const char *element)
{
	static const char *const names[] = {
	    "script", "style", "link", "meta", "object", "embed", NULL};

	return among(element, names);
}

static bool named(struct walk *w)
{
	w->need_blank = false;
	w->closed_to_tags = is_doing(w->element);
	if (is_forbidden(w->element))
		return wrong(w, "this element has no place in a page");
	return true;
}

/* The ">" of a tag. */
static void tag_ended(struct walk *w)
{
	w->state = is_shown(w->element)    ? WALK_SHOWN
		   : is_closed(w->element) ? WALK_CLOSED
					   : WALK_TEXT;
	w->tag_serial = ++w->serial;
	if (w->state == WALK_TEXT)
		w->element[0] = '\0';
}

/* ---- attributes ---------------------------------------------------------------------------- */

static bool is_url(const char *attribute)
{
	static const char *const names[] = {"href", "src", "action", "formaction", "poster", "data",
	    "cite", "background", "ping", "manifest", "longdesc", "xlink:href", "codebase",
	    "profile", "icon", "usemap", NULL};

	return among(attribute, names);
}

static bool attribute_named(struct walk *w)
{
	if (strncmp(w->attribute, "on", 2) == 0 || strcmp(w->attribute, "style") == 0 ||
	    strcmp(w->attribute, "srcdoc") == 0)
		return wrong(w, "style=, srcdoc= and on...= have no place in a page");
	return true;
}

static void value_begins(struct walk *w)
{
	static const char *const none[] = {
	    "srcset", "imagesrcset", "content", "http-equiv", "sandbox", "rel", NULL};

	w->state = WALK_VALUE;
	w->url = is_url(w->attribute) ? URL_OPEN : URL_NONE;
	w->closed_to_tags = is_doing(w->element) || among(w->attribute, none);
	w->start_len = 0;
	w->maybe = false;
	w->value_serial = ++w->serial;
}

/* Whether what stands in front of the first tag of a URL fixes where it leads. */
static bool is_safe_start(const char *s, size_t len)
{
	const char *host, *slash;

	if (len == 0)
		return false;
	if (s[0] == '?' || s[0] == '#')
		return true;
	if (s[0] == '/') /* with a letter behind it: a value that is nothing must not make "//" */
		return len > 1 && (is_letter((unsigned char)s[1]) || s[1] == '?' || s[1] == '#');
	if (len >= 7 && memcmp(s, "mailto:", 7) == 0)
		return true;
	if (len > 8 && memcmp(s, "https://", 8) == 0)
		host = s + 8;
	else if (len > 7 && memcmp(s, "http://", 7) == 0)
		host = s + 7;
	else
		return false;
	slash = memchr(host, '/', len - (size_t)(host - s));
	return slash != NULL && slash > host && memchr(host, '&', (size_t)(slash - host)) == NULL;
}

/* Whether a URL without any tag is one of those that are links. */
static bool is_fair_literal(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && memchr("/?#", s[n], 3) == NULL) {
		if (s[n] == '&')
			return false; /* a reference may be a letter of a scheme */
		if (s[n] == ':')
			return (n == 5 && memcmp(s, "https", 5) == 0) ||
			       (n == 4 && memcmp(s, "http", 4) == 0) ||
			       (n == 6 && memcmp(s, "mailto", 6) == 0) ||
			       (n == 3 && memcmp(s, "tel", 3) == 0);
		n++;
	}
	return true;
}

/* A byte of a URL. */
static bool url_byte(struct walk *w, unsigned char c)
{
	if (c <= ' ' || c == '\\')
		return wrong(w, "a URL has no blanks and no \\");
	switch (w->url) {
	case URL_OPEN:
		if (w->maybe && c != '?' && c != '#')
			return wrong(w, "behind a section a URL goes on with ? or #");
		if (w->maybe)
			w->url = URL_SAFE;
		else if (w->start_len < sizeof w->start)
			w->start[w->start_len++] = (char)c;
		return true;
	case URL_BARE:
		if (c == '?' || c == '#')
			w->url = URL_SAFE;
		else if (c == ':' || c == '/' || c == '&')
			return wrong(w, "a URL that begins with a value goes on with ? or #");
		return true;
	case URL_NONE:
	case URL_SAFE:
	default:
		return true;
	}
}

static bool value_byte(struct walk *w, unsigned char c)
{
	if (c == '"') {
		if (w->url == URL_OPEN && !is_fair_literal(w->start, w->start_len))
			return wrong(w, "a link is a path, http:, https:, mailto: or tel:");
		w->state = WALK_BETWEEN;
		w->need_blank = true;
		w->url = URL_NONE;
		w->closed_to_tags = is_doing(w->element);
		return true;
	}
	if (c == '<')
		return wrong(w, "< in an attribute is written &lt;");
	return w->url == URL_NONE || url_byte(w, c);
}

static bool between_byte(struct walk *w, unsigned char c)
{
	if (is_blank(c)) {
		w->need_blank = false;
		return true;
	}
	if (c == '>') {
		tag_ended(w);
		return true;
	}
	if (c == '/') {
		w->state = WALK_SLASH;
		return true;
	}
	if (!is_letter(c))
		return wrong(w, "here an attribute begins, or the tag ends");
	if (w->need_blank)
		return wrong(w, "a blank parts attributes");
	w->attribute[0] = '\0';
	add_letter(w->attribute, sizeof w->attribute, c);
	w->state = WALK_ATTRIBUTE;
	return true;
}

/* ---- bytes --------------------------------------------------------------------------------- */

static bool open_byte(struct walk *w, unsigned char c)
{
	bool inside = w->element[0] != '\0'; /* of text that only its own end tag ends */

	if (c == '/') {
		w->state = WALK_END;
		w->attribute[0] = '\0'; /* the end tag's name */
		return true;
	}
	if (inside)
		return wrong(w, "< within this element is written &lt;");
	if (c == '!') {
		w->state = WALK_DECLARE;
		w->tail_len = 0;
		return true;
	}
	if (!is_letter(c))
		return wrong(w, "< that begins no tag is written &lt;");
	add_letter(w->element, sizeof w->element, c);
	w->state = WALK_NAME;
	return true;
}

static bool name_byte(struct walk *w, unsigned char c)
{
	if (is_word(c)) {
		add_letter(w->element, sizeof w->element, c);
		return true;
	}
	w->state = WALK_BETWEEN;
	w->tag_serial = ++w->serial;
	return named(w) && between_byte(w, c);
}

static bool end_byte(struct walk *w, unsigned char c)
{
	if (w->state == WALK_END && (is_letter(c) || (w->attribute[0] != '\0' && is_word(c)))) {
		add_letter(w->attribute, sizeof w->attribute, c);
		return true;
	}
	if (w->attribute[0] == '\0' || (c != '>' && !is_blank(c)))
		return wrong(w, "an end tag is </name>");
	w->state = WALK_END_REST;
	if (c != '>')
		return true;
	if (w->element[0] != '\0' && strcmp(w->attribute, w->element) != 0)
		return wrong(w, "only its own end tag ends this element");
	w->element[0] = '\0';
	w->state = WALK_TEXT;
	return true;
}

/* "<!--", or "<!doctype html>". */
static bool declare_byte(struct walk *w, unsigned char c, bool *keep)
{
	static const char doctype[] = "doctype html>";

	if (w->tail_len < 2 && c == '-' && (w->tail_len == 0 || w->tail[0] == '-')) {
		w->tail[w->tail_len++] = '-';
		*keep = false;
		if (w->tail_len == 2) {
			w->state = WALK_COMMENT;
			w->tail_len = 0;
		}
		return true;
	}
	if ((w->tail_len > 0 && w->tail[0] == '-') || w->start_len >= sizeof doctype - 1)
		return wrong(w, "<! begins a comment or <!doctype html>");
	if (lower(c) != doctype[w->start_len])
		return wrong(w, "<! begins a comment or <!doctype html>");
	w->tail[0] = 'd';
	w->tail_len = 1;
	if (++w->start_len == sizeof doctype - 1) {
		w->state = WALK_TEXT;
		w->start_len = 0;
	}
	return true;
}

/* It is left out of the page, so what browsers make of "--!>" and the like does not matter. */
static void comment_byte(struct walk *w, unsigned char c)
{
	if (c == '>' && w->tail_len >= 2) {
		w->state = WALK_TEXT;
		w->tail_len = 0;
		return;
	}
	w->tail_len = c == '-' ? w->tail_len + (w->tail_len < 2) : 0;
}

static bool attribute_byte(struct walk *w, unsigned char c)
{
	if (is_word(c)) {
		add_letter(w->attribute, sizeof w->attribute, c);
		return true;
	}
	if (!attribute_named(w))
		return false;
	if (c == '=') {
		w->state = WALK_EQUALS;
		return true;
	}
	w->state = WALK_BETWEEN;
	w->need_blank = true;
	return between_byte(w, c);
}

static bool text_byte(struct walk *w, unsigned char c)
{
	if (c == '<') {
		w->state = WALK_OPEN;
		w->start_len = 0;
		return true;
	}
	if (w->state == WALK_CLOSED && !is_blank(c))
		return wrong(
		    w, "nothing may stand in <script>, <style> and <iframe>: it would not run");
	return true;
}

bool web_walk_byte(struct walk *w, unsigned char c, bool *keep)
{
	*keep = true;
	switch (w->state) {
	case WALK_OPEN:
		return open_byte(w, c);
	case WALK_DECLARE:
		return declare_byte(w, c, keep);
	case WALK_COMMENT:
		*keep = false;
		comment_byte(w, c);
		return true;
	case WALK_NAME:
		return name_byte(w, c);
	case WALK_END:
	case WALK_END_REST:
		return end_byte(w, c);
	case WALK_BETWEEN:
		return between_byte(w, c);
	case WALK_ATTRIBUTE:
		return attribute_byte(w, c);
	case WALK_EQUALS:
		if (c != '"')
			return wrong(w, WHY_QUOTES);
		value_begins(w);
		return true;
	case WALK_VALUE:
		return value_byte(w, c);
	case WALK_SLASH:
		if (c != '>')
			return wrong(w, "/ stands before the > of a tag alone");
		tag_ended(w);
		return true;
	case WALK_TEXT:
	case WALK_SHOWN:
	case WALK_CLOSED:
	default:
		return text_byte(w, c);
	}
}

/* ---- tags ---------------------------------------------------------------------------------- */

static bool no_place(struct walk *w)
{
	switch (w->state) {
	case WALK_COMMENT:
	case WALK_DECLARE:
		return wrong(w, "no {{...}} in a comment of HTML; {{! words}} is one");
	case WALK_EQUALS:
		return wrong(w, WHY_QUOTES);
	case WALK_CLOSED:
		return wrong(w, "no {{...}} within <script>, <style> and <iframe>");
	case WALK_OPEN:
	case WALK_NAME:
	case WALK_END:
	case WALK_END_REST:
	case WALK_SLASH:
	case WALK_BETWEEN:
	case WALK_ATTRIBUTE:
	case WALK_TEXT:
	case WALK_SHOWN:
	case WALK_VALUE:
	default:
		return wrong(w,
		    "no {{...}} in the name of a tag or of an attribute, nor between attributes");
	}
}

/* A tag in a URL: from here on it is known where it leads, or that no literal may say it. */
static bool url_tag(struct walk *w)
{
	if (w->url != URL_OPEN)
		return true;
	if (w->start_len == 0)
		w->url = URL_BARE;
	else if (is_safe_start(w->start, w->start_len))
		w->url = URL_SAFE;
	else
		return wrong(w, WHY_START);
	return true;
}

static bool closed_value(struct walk *w)
{
	return wrong(w, "no {{...}} in this attribute");
}

bool web_walk_value(struct walk *w, bool ends_value, bool named_url, enum template_place *place)
{
	bool whole = w->url == URL_OPEN && w->start_len == 0 && !w->maybe && ends_value;

	*place = PLACE_TEXT;
	if (w->state == WALK_TEXT || w->state == WALK_SHOWN)
		return true;
	if (w->state != WALK_VALUE)
		return no_place(w);
	if (w->closed_to_tags)
		return closed_value(w);
	if (w->url == URL_NONE)
		return true;
	*place = whole && named_url ? PLACE_WHOLE : PLACE_PART;
	return url_tag(w);
}

bool web_walk_words(struct walk *w)
{
	if (w->state == WALK_TEXT || w->state == WALK_SHOWN)
		return true;
	if (w->state != WALK_VALUE)
		return no_place(w);
	if (w->closed_to_tags)
		return closed_value(w);
	return w->url == URL_NONE || wrong(w, "no words in a URL");
}

bool web_walk_page(struct walk *w)
{
	return w->state == WALK_TEXT || wrong(w, "{{>name}} stands between tags alone");
}

bool web_walk_comment(struct walk *w)
{
	if (w->state == WALK_NAME) {
		w->state = WALK_BETWEEN;
		w->tag_serial = ++w->serial;
		if (!named(w))
			return false;
		w->need_blank = true;
	}
	/* An attribute without a value, as " checked", ends here. */
	if (w->state == WALK_ATTRIBUTE) {
		w->state = WALK_BETWEEN;
		w->need_blank = true;
		if (!attribute_named(w))
			return false;
	}
	if (w->state == WALK_TEXT || w->state == WALK_SHOWN || w->state == WALK_BETWEEN)
		return true;
	if (w->state != WALK_VALUE)
		return no_place(w);
	return !w->closed_to_tags || closed_value(w);
}

bool web_walk_open(struct walk *w, struct walk *from)
{
	if (!web_walk_comment(w))
		return false;
	if (w->state == WALK_VALUE && w->url == URL_OPEN && w->start_len > 0 && !url_tag(w))
		return false;
	*from = *w;
	w->maybe = false;
	return true;
}

/*
 * What a URL is behind a section that may have been left out. Where it had not begun, the section must have begun
 * it safely: whatever is joined to "/name..." leads nowhere else.
 */
static bool join_urls(struct walk *w, const struct walk *from)
{
	switch (from->url) {
	case URL_OPEN:
		if (w->url == URL_OPEN && w->start_len == 0) {
			w->maybe = w->maybe || from->maybe;
			return true;
		}
		if (w->url == URL_BARE)
			return true;
		if (w->url == URL_OPEN && !is_safe_start(w->start, w->start_len))
			return wrong(w, WHY_START);
		w->url = URL_OPEN;
		w->start_len = 0;
		w->maybe = true;
		return true;
	case URL_BARE:
		w->url = URL_BARE;
		return true;
	case URL_NONE:
	case URL_SAFE:
	default:
		return true;
	}
}

bool web_walk_close(struct walk *w, const struct walk *from)
{
	bool same = web_walk_comment(w) && w->state == from->state;

	if (w->why != NULL)
		return false;
	if (same && (w->state == WALK_BETWEEN || w->state == WALK_SHOWN))
		same = w->tag_serial == from->tag_serial;
	if (same && w->state == WALK_VALUE)
		same = w->value_serial == from->value_serial;
	if (!same)
		return wrong(w, "a section ends where it began: between tags, in the same tag or "
				"in the same value");
	w->need_blank = w->need_blank || from->need_blank;
	return w->state != WALK_VALUE || join_urls(w, from);
}

bool web_walk_end(struct walk *w)
{
	return w->state == WALK_TEXT ||
	       wrong(w, "the file ends within a tag, an element or a comment");
}
