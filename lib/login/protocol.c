#include "lib/login/protocol.h"

#include <string.h>

/* Each verb, and the keys that may stand behind it. */
static const struct words_verb verbs[LOGIN_VERBS] = {
    [LOGIN_PASSWORD] = {"password", {"login", "password", "source"}},
    [LOGIN_LINK] = {"link", {"address", "source", "lang"}},
    [LOGIN_OPEN] = {"open", {"token", "nonce", "number", "source"}},
    [LOGIN_SESSION] = {"session", {"token", "source"}},
    [LOGIN_SESSIONS] = {"sessions", {"token"}},
    [LOGIN_LOGOUT] = {"logout", {"token"}},
    [LOGIN_EVERYWHERE] = {"everywhere", {"token"}},
    [LOGIN_PIN] = {"pin", {"token", "pin"}},
    [LOGIN_END] = {"end", {"address", "by"}},
    [LOGIN_PROOF] = {"proof", {"cap", "pin", "source"}},
};

const char *login_verb_name(enum login_verb verb)
{
	return verbs[verb].name;
}

bool login_request_parse(const char *line, size_t len, struct login_request *request)
{
	char *at = words_begin(line, len, request->text, LOGIN_REQUEST_MAX);
	size_t verb = at != NULL ? words_verb(words_next(&at), verbs, LOGIN_VERBS) : LOGIN_VERBS;

	request->words = 0;
	if (verb == LOGIN_VERBS)
		return false;
	request->verb = (enum login_verb)verb;
	return words_pairs(&at, &verbs[verb], request->word, LOGIN_WORDS_MAX, &request->words);
}

void login_request_wipe(struct login_request *request)
{
	explicit_bzero(request, sizeof *request);
}

const char *login_request_value(const struct login_request *request, const char *key)
{
	return words_value(request->word, request->words, key);
}
