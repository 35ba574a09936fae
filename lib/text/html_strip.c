/* HTML without understanding it, byte by byte: text, and beside it what tags and comments say. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/text/html_inside.h"

static const struct {
	const char *name;
	const char *text;
} entities[] = {{"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"},
    {"nbsp", "\xc2\xa0"}, {"yen", "\xc2\xa5"}, {"hyphen", "-"}, {"ndash", "-"}, {"mdash", "-"},
    {"shy", ""}, {"zwj", ""}, {"zwnj", ""}, {"colon", ":"}, {"comma", ","}, {"period", "."},
    {"commat", "@"}, {"num", "#"}, {"lowbar", "_"}, {"sol", "/"}, {"Tab", " "}, {"NewLine", "\n"}};

static const char *const within_words[] = {"a", "abbr", "b", "bdi", "bdo", "big", "cite", "code",
    "em", "font", "i", "img", "ins", "kbd", "label", "mark", "q", "s", "small", "span", "strike",
    "strong", "sub", "sup", "tt", "u", "var", "wbr"};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static unsigned how(const struct html_strip *s)
{
	return s->how | (s->code[0] != '\0' ? HTML_BESIDE : 0);
}

static void keep(struct html_strip *s, char c)
{
	if (s->word_len < sizeof s->word - 1)
		s->word[s->word_len++] = c;
	s->word[s->word_len] = '\0';
}

static void fresh(struct html_strip *s, enum strip_state state)
{
	s->state = state;
	s->word_len = 0;
	s->word[0] = '\0';
	s->named = s->value = false;
	s->quote = '\0';
	s->dashes = 0;
}

/* ---- entities ---- */

static size_t utf8(unsigned long point, char *text)
{
	if (point == 0 || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
		point = 0xfffd;
	if (point < 0x80) {
		text[0] = (char)point;
		return 1;
	}
	if (point < 0x800) {
		text[0] = (char)(0xc0 | point >> 6);
		text[1] = (char)(0x80 | (point & 0x3f));
		return 2;
	}
	if (point < 0x10000) {
		text[0] = (char)(0xe0 | point >> 12);
		text[1] = (char)(0x80 | (point >> 6 & 0x3f));
		text[2] = (char)(0x80 | (point & 0x3f));
		return 3;
	}
	text[0] = (char)(0xf0 | point >> 18);
	text[1] = (char)(0x80 | (point >> 12 & 0x3f));
	text[2] = (char)(0x80 | (point >> 6 & 0x3f));
	text[3] = (char)(0x80 | (point & 0x3f));
	return 4;
}

/* What was gathered behind & is an entity, or stands as it is. */
static void entity(struct html_strip *s, struct html_writer *w)
{
	bool hex = s->word[0] == '#' && (s->word[1] | 0x20) == 'x';
	const char *digits = s->word + (hex ? 2 : 1);
	char text[4];

	if (s->word[0] == '#' && *digits != '\0') {
		char *end;
		unsigned long point = strtoul(digits, &end, hex ? 16 : 10);

		if (*end == '\0' && *digits != '-' && *digits != '+') {
			html_write(w, text, utf8(point, text), how(s), false);
			return;
		}
	}
	for (size_t i = 0; i < COUNT_OF(entities); i++) {
		if (strcmp(s->word, entities[i].name) == 0) {
			html_write(w, entities[i].text, strlen(entities[i].text), how(s), false);
			return;
		}
	}
	html_write(w, "&", 1, how(s), false);
	html_write(w, s->word, s->word_len, how(s), false);
}

/* Behind &. False: the byte is text again. */
static bool in_entity(struct html_strip *s, struct html_writer *w, char c)
{
	bool part = is_letter(c) || is_digit(c) || (c == '#' && s->word_len == 0);

	if (part && s->word_len < sizeof s->word - 1) {
		keep(s, c);
		return true;
	}
	entity(s, w);
	fresh(s, STRIP_TEXT);
	return c == ';';
}

/* ---- tags ---- */

static void tag_ends(struct html_strip *s, struct html_writer *w)
{
	const char *name = s->word[0] == '/' ? s->word + 1 : s->word;
	bool end = s->word[0] == '/', inside = false;

	html_lines(w, 1, HTML_BESIDE);
	for (size_t i = 0; i < COUNT_OF(within_words); i++)
		inside = inside || strcasecmp(name, within_words[i]) == 0;
	if (!inside)
		html_lines(w, 1, s->how);

	if (s->code[0] != '\0' ? end && strcasecmp(name, s->code) == 0 : false)
		s->code[0] = '\0';
	else if (!end && (strcasecmp(name, "script") == 0 || strcasecmp(name, "style") == 0))
		memcpy(s->code, name, strlen(name) + 1);
	fresh(s, STRIP_TEXT);
}

static void in_tag(struct html_strip *s, struct html_writer *w, char c)
{
	if (s->quote == '\0' && c == '>') {
		tag_ends(s, w);
		return;
	}
	if (!s->named && (is_letter(c) || is_digit(c) || (c == '/' && s->word_len == 0))) {
		keep(s, c);
		return;
	}
	s->named = true;

	if (s->quote != '\0' && c == s->quote)
		s->quote = '\0';
	else if (s->quote == '\0' && s->value && (c == '"' || c == '\''))
		s->quote = c;
	s->value = c == '=' || (s->value && (c == ' ' || c == '\n'));
	html_write(w, &c, 1, s->how | HTML_BESIDE, false);
}

static void in_comment(struct html_strip *s, struct html_writer *w, char c)
{
	if (c == '>' && s->dashes >= 2) {
		html_lines(w, 1, HTML_BESIDE);
		fresh(s, STRIP_TEXT);
		return;
	}
	s->dashes = c == '-' ? s->dashes + 1 : 0;
	html_write(w, &c, 1, s->how | HTML_BESIDE, false);
}

/* Behind <! of a comment, a doctype, or what only Office knows. */
static void in_markup(struct html_strip *s, struct html_writer *w, char c)
{
	if (c == '-' && s->dashes < 2) {
		if (++s->dashes == 2)
			s->state = STRIP_COMMENT;
		return;
	}
	if (c == '>') {
		fresh(s, STRIP_TEXT);
		return;
	}
	s->state = STRIP_TAG;
	s->named = true;
	in_tag(s, w, c);
}

/* Behind <. False: the byte is text again. */
static bool behind_open(struct html_strip *s, struct html_writer *w, char c)
{
	if (c == '!' || c == '?') {
		fresh(s, STRIP_MARKUP);
		return true;
	}
	if (is_letter(c) || c == '/') {
		fresh(s, STRIP_TAG);
		in_tag(s, w, c);
		return true;
	}
	html_write(w, "<", 1, how(s), false);
	fresh(s, STRIP_TEXT);
	return false;
}

/* ---- text ---- */

/* Returns how many bytes were text. */
static size_t text(struct html_strip *s, struct html_writer *w, const char *html, size_t len)
{
	size_t n = 0;

	while (n < len && html[n] != '<' && html[n] != '&')
		n++;
	html_write(w, html, n, how(s), false);
	if (n < len)
		fresh(s, html[n] == '<' ? STRIP_OPEN : STRIP_ENTITY);
	return n < len ? n + 1 : n;
}

/*
 * A letter of several bytes goes to the writer as one: it is only in quiet stretches of tags and
 * comments, which are written at once.
 */
static size_t quiet(const struct html_strip *s, const char *html, size_t len)
{
	size_t n = 0;

	if (s->state != STRIP_COMMENT && !(s->state == STRIP_TAG && s->named))
		return 0;
	while (
	    n < len && ((unsigned char)html[n] >= 0x80 || is_letter(html[n]) || is_digit(html[n])))
		n++;
	return n;
}

void html_strip(struct html_strip *s, struct html_writer *w, const char *html, size_t len)
{
	size_t at = 0;

	while (at < len && !w->refused) {
		size_t n = quiet(s, html + at, len - at);

		if (n > 0) {
			html_write(w, html + at, n, s->how | HTML_BESIDE, false);
			s->dashes = 0;
			s->value = false;
			at += n;
			continue;
		}
		switch (s->state) {
		case STRIP_TEXT:
			at += text(s, w, html + at, len - at);
			continue;
		case STRIP_ENTITY:
			at += in_entity(s, w, html[at]);
			continue;
		case STRIP_OPEN:
			at += behind_open(s, w, html[at]);
			continue;
		case STRIP_TAG:
			if ((unsigned char)html[at] >= 0x80) {
				s->named = true; /* then it is quiet */
				continue;
			}
			in_tag(s, w, html[at++]);
			continue;
		case STRIP_MARKUP:
			if ((unsigned char)html[at] >= 0x80) {
				s->state = STRIP_TAG;
				s->named = true;
				continue;
			}
			in_markup(s, w, html[at++]);
			continue;
		case STRIP_COMMENT:
			in_comment(s, w, html[at++]);
			continue;
		}
	}
}

void html_strip_end(struct html_strip *s, struct html_writer *w)
{
	if (s->state == STRIP_ENTITY)
		entity(s, w);
	else if (s->state == STRIP_OPEN)
		html_write(w, "<", 1, how(s), false);
	else if (s->state == STRIP_TAG && !s->named)
		html_write(w, s->word, s->word_len, s->how | HTML_BESIDE, false);
	fresh(s, STRIP_TEXT);
}
