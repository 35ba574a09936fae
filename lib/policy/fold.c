/* Texts of messages against texts of rules: case, width and letters that nobody sees are nothing. */
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "lib/policy/inside.h"

static char small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_ascii(const char *text)
{
	while (*text != '\0' && (unsigned char)*text < 0x80)
		text++;
	return *text == '\0';
}

const char *text_fold(struct arena *arena, const char *text)
{
	utf8proc_uint8_t *folded = NULL;
	char *copy;

	/* Negative: what is no UTF-8 has no other form. */
	if (!is_ascii(text) && utf8proc_map((const utf8proc_uint8_t *)text, 0, &folded,
				   UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE |
				       UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE) < 0)
		folded = NULL;
	if (folded != NULL) {
		copy = arena_text(arena, (const char *)folded, strlen((const char *)folded));
		free(folded);
		return copy;
	}

	copy = arena_text(arena, text, strlen(text));
	for (char *c = copy; c != NULL && *c != '\0'; c++)
		*c = small(*c);
	return copy;
}

/* Bytes of the letter; one that is cut or wrong is a byte. */
static size_t letter(const char *text)
{
	unsigned char c = (unsigned char)*text;
	size_t len = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;

	for (size_t i = 1; i < len; i++) {
		if (((unsigned char)text[i] & 0xC0) != 0x80)
			return 1;
	}
	return len;
}

/*
 * Only the last star is ever tried again: what stood before it was matched as early as it can be, so
 * no other way of matching that would leave more for the rest.
 */
static bool matches(const char *glob, const char *text)
{
	const char *star = NULL, *from = NULL;

	while (*text != '\0') {
		if (*glob == '*') {
			star = ++glob;
			from = text;
		} else if (*glob == '?') {
			glob++;
			text += letter(text);
		} else if (*glob != '\0' && small(*glob) == *text) {
			glob++;
			text++;
		} else if (star != NULL) {
			glob = star;
			from += letter(from);
			text = from;
		} else {
			return false;
		}
	}
	while (*glob == '*')
		glob++;
	return *glob == '\0';
}

bool glob_matches(const char *glob, const char *folded)
{
	struct arena *arena;
	const char *form;
	bool is;

	if (is_ascii(glob))
		return matches(glob, folded);
	arena = arena_new(SIZE_MAX / 2);
	form = arena != NULL ? text_fold(arena, glob) : NULL;
	/* Without memory it is compared as it is written. */
	is = matches(form != NULL ? form : glob, folded);
	arena_free(arena);
	return is;
}

bool text_has(struct arena *arena, const char *folded, const char *text)
{
	const char *form = text_fold(arena, text);

	return strstr(folded, form != NULL ? form : text) != NULL;
}
