#include "lib/checks/checks.h"

#include <stdio.h>
#include <string.h>

static const char *const words[CHECK_COUNT] = {
#define X(name, word) [CHECK_##name] = word,
    CHECK_FACTS(X)
#undef X
};

const char *check_fact_word(enum check_fact fact)
{
	return fact < CHECK_COUNT ? words[fact] : words[CHECK_UNKNOWN];
}

enum check_fact check_fact_find(const char *word, size_t len)
{
	unsigned fact = 0;

	while (fact < CHECK_COUNT &&
	       (strlen(words[fact]) != len || memcmp(words[fact], word, len) != 0))
		fact++;
	return (enum check_fact)fact;
}

/* ---- values ------------------------------------------------------------------------------- */

/* A cut does not go through a letter of UTF-8. */
static size_t cut_length(const char *text, size_t len)
{
	if (len <= CHECK_ITEM_MAX)
		return len;
	len = CHECK_ITEM_MAX;
	while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
		len--;
	return len;
}

/* A comma ends an item here, and xtext has but one spelling of it: a wide one stands for it. */
static void add_item(struct buf *value, const char *text, size_t len)
{
	static const char wide[] = "\xef\xbc\x8c"; /* U+FF0C */

	while (len > 0) {
		const char *comma = memchr(text, ',', len);
		size_t n = comma != NULL ? (size_t)(comma - text) : len;

		buf_add_xtext(value, text, n);
		text += n;
		len -= n;
		if (comma != NULL) {
			buf_add_xtext(value, wide, strlen(wide));
			text++;
			len--;
		}
	}
}

void check_value_add(struct buf *value, size_t *n, const char *text)
{
	static const char more[] = "…";
	size_t len = strlen(text), cut = cut_length(text, len);

	if (++*n > CHECK_ITEMS_MAX)
		return;
	if (*n > 1)
		buf_add_text(value, ",");
	add_item(value, text, cut);
	if (cut < len)
		buf_add_xtext(value, more, strlen(more));
}

void check_value_end(struct buf *value, size_t n)
{
	if (n > CHECK_ITEMS_MAX)
		buf_addf(value, ",+2B%zu", n - CHECK_ITEMS_MAX);
}
