/* Lines of words, of the socket and of trays. */
#include <string.h>

#include "lib/base/xtext.h"
#include "lib/past/past.h"
#include "lib/past/protocol.h"

static bool cut_word(char *bytes, size_t len)
{
	size_t plain = 0;

	if (len == 1 && bytes[0] == '=') {
		bytes[0] = '\0';
		return true;
	}
	if (len == 0 || !xtext_decode(bytes, len, bytes, &plain) || plain >= PAST_VALUE_MAX)
		return false;
	bytes[plain] = '\0';
	return strlen(bytes) == plain;
}

bool past_line_cut(char *bytes, size_t len, struct past_line *line)
{
	size_t at = 0;

	line->words = 0;
	while (at <= len) {
		char *blank = memchr(bytes + at, ' ', len - at);
		size_t end = blank != NULL ? (size_t)(blank - bytes) : len;

		if (line->words == PAST_WORDS_MAX || !cut_word(bytes + at, end - at))
			return false;
		line->word[line->words++] = bytes + at;
		at = end + 1;
	}
	return true;
}

bool past_number(const char *word, uint64_t *number)
{
	*number = 0;
	if (word[0] == '\0' || strlen(word) > 19)
		return false;
	for (; *word != '\0'; word++) {
		if (*word < '0' || *word > '9')
			return false;
		*number = *number * 10 + (uint64_t)(*word - '0');
	}
	return true;
}

void past_put(struct buf *out, const char *value)
{
	size_t len = value == NULL ? 0 : strnlen(value, PAST_VALUE_MAX - 1);

	buf_add(out, " ", 1);
	if (len == 0)
		buf_add(out, "=", 1);
	else
		buf_add_xtext(out, value, len);
}

const char *past_look_word(enum past_look look)
{
	switch (look) {
	case LOOK_NONE:
		break;
	case LOOK_EDIT:
		return "edit";
	case LOOK_TLD:
		return "tld";
	case LOOK_NAME:
		return "name";
	case LOOK_DORMANT:
		return "dormant";
	}
	return "none";
}

const char *past_kind_word(enum past_kind kind)
{
	switch (kind) {
	case PAST_DID:
		break;
	case PAST_SHADOW:
		return "shadow";
	case PAST_WATCH:
		return "watch";
	}
	return "did";
}
