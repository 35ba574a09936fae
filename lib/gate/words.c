#include "lib/gate/words.h"

#include <string.h>

#include "lib/base/xtext.h"

bool gate_is_text(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;

	for (size_t i = 0; i < len;) {
		unsigned c = s[i];
		size_t more = c < 0x80 ? 0 : c < 0xc2 ? 9 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

		if (c == 0 || c > 0xf4 || more > len - i - 1)
			return false;
		/* Overlong forms, surrogates, and what is beyond U+10FFFF. */
		if (more > 0 &&
		    ((c == 0xe0 && s[i + 1] < 0xa0) || (c == 0xed && s[i + 1] > 0x9f) ||
			(c == 0xf0 && s[i + 1] < 0x90) || (c == 0xf4 && s[i + 1] > 0x8f)))
			return false;
		for (size_t k = 1; k <= more; k++) {
			if ((s[i + k] & 0xc0) != 0x80)
				return false;
		}
		i += more + 1;
	}
	return true;
}

char *words_begin(const char *line, size_t len, char *text, size_t room)
{
	text[0] = '\0';
	if (len >= room)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (line[i] < ' ' || line[i] > '~')
			return NULL;
	}
	memcpy(text, line, len);
	text[len] = '\0';
	return text;
}

char *words_next(char **at)
{
	char *word = *at;
	size_t len;

	if (word == NULL)
		return NULL;
	len = strcspn(word, " ");
	*at = word[len] == ' ' ? word + len + 1 : NULL;
	word[len] = '\0';
	return len > 0 ? word : NULL;
}

size_t words_verb(const char *word, const struct words_verb *verbs, size_t n)
{
	size_t i = 0;

	while (i < n && (word == NULL || strcmp(word, verbs[i].name) != 0))
		i++;
	return i;
}

const char *words_value(const struct words_pair *pairs, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(pairs[i].key, key) == 0)
			return pairs[i].value;
	}
	return NULL;
}

static const char *known_key(const struct words_verb *verb, const char *key)
{
	for (size_t i = 0; i < WORDS_KEYS_MAX && verb->key[i] != NULL; i++) {
		if (strcmp(verb->key[i], key) == 0)
			return verb->key[i];
	}
	return NULL;
}

/* "KEY=XTEXT", decoded in its place: that is never longer. */
static bool read_pair(char *word, const struct words_verb *verb, struct words_pair *pair)
{
	char *value = strchr(word, '=');
	size_t len;

	if (value == NULL)
		return false;
	*value++ = '\0';
	*pair = (struct words_pair){known_key(verb, word), value};
	if (pair->key == NULL || !xtext_decode(value, strlen(value), value, &len) ||
	    !gate_is_text(value, len))
		return false;
	value[len] = '\0';
	return true;
}

bool words_pairs(
    char **at, const struct words_verb *verb, struct words_pair *pairs, size_t room, size_t *n)
{
	*n = 0;
	while (*at != NULL) {
		char *word = words_next(at);
		struct words_pair pair;

		if (word == NULL || *n == room || !read_pair(word, verb, &pair) ||
		    words_value(pairs, *n, pair.key) != NULL)
			return false;
		pairs[(*n)++] = pair;
	}
	return true;
}
