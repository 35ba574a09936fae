#include "lib/mine/request.h"

#include <jansson.h>
#include <string.h>

#include "lib/base/xtext.h"
#include "lib/gate/gate.h"

static const char *const keys[MINE_KEY_COUNT] = {
#define K(name, word) [MINE_##name] = word,
    MINE_KEYS(K)
#undef K
};

static const char *const verbs[MINE_VERBS] = {[MINE_VERB_RULES] = "rules",
    [MINE_VERB_TRY] = "try",
    [MINE_VERB_ADD] = "add",
    [MINE_VERB_REMOVE] = "remove"};

const char *mine_key_word(enum mine_key key)
{
	return keys[key];
}

const char *mine_verb_word(enum mine_verb verb)
{
	return verbs[verb];
}

static bool has_key(enum mine_verb verb, enum mine_key key)
{
	switch (verb) {
	case MINE_VERB_TRY:
		return key != MINE_DIGEST && key != MINE_N;
	case MINE_VERB_ADD:
		return key != MINE_N;
	case MINE_VERB_REMOVE:
		return key == MINE_DIGEST || key == MINE_N;
	case MINE_VERB_RULES:
	case MINE_VERBS:
		break;
	}
	return false;
}

/* Whether the bytes are UTF-8 without a NUL. */
static bool is_text(const char *s, size_t len)
{
	json_t *text = memchr(s, '\0', len) == NULL ? json_stringn(s, len) : NULL;

	json_decref(text);
	return text != NULL;
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

static bool read_ticket(const char *word, struct mine_request *r)
{
	if (word == NULL || strncmp(word, "session=", 8) != 0)
		return false;
	r->ticket = word + 8;
	return r->ticket[0] != '\0' && strlen(r->ticket) < GATE_SESSION_TEXT;
}

static bool read_verb(const char *word, struct mine_request *r)
{
	for (unsigned i = 0; word != NULL && i < MINE_VERBS; i++) {
		if (strcmp(word, verbs[i]) == 0) {
			r->verb = (enum mine_verb)i;
			return true;
		}
	}
	return false;
}

static bool read_pair(char *word, struct mine_request *r, bool seen[MINE_KEY_COUNT])
{
	char *value = strchr(word, '=');
	unsigned key = 0;
	size_t len;

	if (value == NULL)
		return false;
	*value++ = '\0';
	while (key < MINE_KEY_COUNT && strcmp(keys[key], word) != 0)
		key++;
	if (key == MINE_KEY_COUNT || seen[key] || !has_key(r->verb, (enum mine_key)key) ||
	    !xtext_decode(value, strlen(value), value, &len) || !is_text(value, len))
		return false;
	seen[key] = true;
	value[len] = '\0';
	/* A form sends all of its fields. */
	r->form.value[key] = len > 0 ? value : NULL;
	return true;
}

bool mine_request_parse(const char *line, size_t len, struct mine_request *r)
{
	bool seen[MINE_KEY_COUNT] = {false};
	char *at = r->text;

	r->form = (struct mine_form){.value = {NULL}};
	if (len >= MINE_REQUEST_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (line[i] < ' ' || line[i] > '~')
			return false;
	}
	memcpy(r->text, line, len);
	r->text[len] = '\0';
	if (!read_ticket(next_word(&at), r) || !read_verb(next_word(&at), r))
		return false;
	while (at != NULL) {
		char *word = next_word(&at);

		if (word == NULL || !read_pair(word, r, seen))
			return false;
	}
	return true;
}
