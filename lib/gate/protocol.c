#include "lib/gate/protocol.h"

#include <string.h>

#include "lib/base/xtext.h"
#include "lib/gate/gate.h"

#define KEYS_MAX GATE_WORDS_MAX

/* Each verb, and the keys that may stand behind it. */
static const struct {
	const char *name;
	const char *key[KEYS_MAX];
} verbs[GATE_VERBS] = {
    [GATE_LIST] = {"list", {"state", "query", "page", "as", "order", NULL}},
    [GATE_SHOW] = {"show", {"id", "lang", NULL}},
    [GATE_ACT] = {"act",
	{"word", "id", "leg", "rcpt", "until", "reason", "checked", "shown", "proof", NULL}},
    [GATE_BODY] = {"body", {"id", "leg", NULL}},
    [GATE_ABSENT] = {"absent", {"from", "until", "clear", NULL}},
    [GATE_REVIEW] = {"review", {"id", "verdict", "comment", "proof", NULL}},
};

const char *gate_verb_name(enum gate_verb verb)
{
	return verbs[verb].name;
}

/* The next word; words are parted by exactly one blank. NULL: there is none, or it is empty. */
static char *next_word(char **at)
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

static bool read_credential(char *word, struct gate_request *request)
{
	const char *value;

	if (word == NULL)
		return false;
	request->session = strncmp(word, "session=", 8) == 0;
	if (!request->session && strncmp(word, "cap=", 4) != 0)
		return false;
	value = word + (request->session ? 8 : 4);
	request->credential = value;
	return value[0] != '\0' && strlen(value) < GATE_SESSION_TEXT;
}

static bool read_verb(const char *word, struct gate_request *request)
{
	for (size_t i = 0; word != NULL && i < GATE_VERBS; i++) {
		if (strcmp(word, verbs[i].name) == 0) {
			request->verb = (enum gate_verb)i;
			return true;
		}
	}
	return false;
}

static const char *known_key(enum gate_verb verb, const char *key)
{
	for (size_t i = 0; i < KEYS_MAX && verbs[verb].key[i] != NULL; i++) {
		if (strcmp(verbs[verb].key[i], key) == 0)
			return verbs[verb].key[i];
	}
	return NULL;
}

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

static bool read_word(char *word, struct gate_request *request)
{
	char *value = strchr(word, '=');
	const char *key;
	size_t len;

	if (value == NULL || request->words == GATE_WORDS_MAX)
		return false;
	*value++ = '\0';
	key = known_key(request->verb, word);
	if (key == NULL || gate_request_value(request, key) != NULL ||
	    !xtext_decode(value, strlen(value), value, &len) || !gate_is_text(value, len))
		return false;
	value[len] = '\0';
	request->word[request->words].key = key;
	request->word[request->words++].value = value;
	return true;
}

bool gate_request_parse(const char *line, size_t len, struct gate_request *request)
{
	char *at = request->text, *word;

	request->words = 0;
	if (len >= GATE_REQUEST_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (line[i] < ' ' || line[i] > '~')
			return false;
	}
	memcpy(request->text, line, len);
	request->text[len] = '\0';
	if (!read_credential(next_word(&at), request) || !read_verb(next_word(&at), request))
		return false;
	while (at != NULL) {
		word = next_word(&at);
		if (word == NULL || !read_word(word, request))
			return false;
	}
	return true;
}

const char *gate_request_value(const struct gate_request *request, const char *key)
{
	for (size_t i = 0; i < request->words; i++) {
		if (strcmp(request->word[i].key, key) == 0)
			return request->word[i].value;
	}
	return NULL;
}

void gate_request_begin(struct buf *out, const char *credential, const char *verb)
{
	buf_add_text(out, credential);
	buf_add_text(out, " ");
	buf_add_text(out, verb);
}

void gate_request_add(struct buf *out, const char *key, const char *value)
{
	buf_addf(out, " %s=", key);
	buf_add_xtext(out, value, strlen(value));
}

void gate_request_end(struct buf *out)
{
	buf_add_text(out, "\n");
}
