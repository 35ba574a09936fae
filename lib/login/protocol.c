#include "lib/login/protocol.h"

#include <string.h>

#include "lib/base/xtext.h"
#include "lib/gate/protocol.h"

/* Each verb, and the keys that may stand behind it. */
static const struct {
	const char *name;
	const char *key[LOGIN_WORDS_MAX];
} verbs[LOGIN_VERBS] = {
    [LOGIN_PASSWORD] = {"password", {"login", "password", "source"}},
    [LOGIN_LINK] = {"link", {"address", "source", "lang"}},
    [LOGIN_OPEN] = {"open", {"token", "nonce", "number", "source"}},
    [LOGIN_SESSION] = {"session", {"token", "source"}},
    [LOGIN_SESSIONS] = {"sessions", {"token"}},
    [LOGIN_LOGOUT] = {"logout", {"token"}},
    [LOGIN_EVERYWHERE] = {"everywhere", {"token"}},
    [LOGIN_PIN] = {"pin", {"token", "pin"}},
    [LOGIN_PROOF] = {"proof", {"cap", "pin", "source"}},
};

const char *login_verb_name(enum login_verb verb)
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

static bool read_verb(const char *word, struct login_request *request)
{
	for (size_t i = 0; word != NULL && i < LOGIN_VERBS; i++) {
		if (strcmp(word, verbs[i].name) == 0) {
			request->verb = (enum login_verb)i;
			return true;
		}
	}
	return false;
}

static const char *known_key(enum login_verb verb, const char *key)
{
	for (size_t i = 0; i < LOGIN_WORDS_MAX && verbs[verb].key[i] != NULL; i++) {
		if (strcmp(verbs[verb].key[i], key) == 0)
			return verbs[verb].key[i];
	}
	return NULL;
}

static bool read_word(char *word, struct login_request *request)
{
	char *value = strchr(word, '=');
	const char *key;
	size_t len;

	if (value == NULL || request->words == LOGIN_WORDS_MAX)
		return false;
	*value++ = '\0';
	key = known_key(request->verb, word);
	if (key == NULL || login_request_value(request, key) != NULL ||
	    !xtext_decode(value, strlen(value), value, &len) || !gate_is_text(value, len))
		return false;
	value[len] = '\0';
	request->word[request->words].key = key;
	request->word[request->words++].value = value;
	return true;
}

bool login_request_parse(const char *line, size_t len, struct login_request *request)
{
	char *at = request->text, *word;

	request->words = 0;
	request->text[0] = '\0';
	if (len >= LOGIN_REQUEST_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (line[i] < ' ' || line[i] > '~')
			return false;
	}
	memcpy(request->text, line, len);
	request->text[len] = '\0';
	if (!read_verb(next_word(&at), request))
		return false;
	while (at != NULL) {
		word = next_word(&at);
		if (word == NULL || !read_word(word, request))
			return false;
	}
	return true;
}

void login_request_wipe(struct login_request *request)
{
	explicit_bzero(request, sizeof *request);
}

const char *login_request_value(const struct login_request *request, const char *key)
{
	for (size_t i = 0; i < request->words; i++) {
		if (strcmp(request->word[i].key, key) == 0)
			return request->word[i].value;
	}
	return NULL;
}
