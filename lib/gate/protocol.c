#include "lib/gate/protocol.h"

#include <string.h>

#include "lib/base/xtext.h"
#include "lib/gate/gate.h"

/* Each verb, and the keys that may stand behind it. */
static const struct words_verb verbs[GATE_VERBS] = {
    [GATE_LIST] = {"list", {"state", "query", "page", "as", "order"}},
    [GATE_SHOW] = {"show", {"id", "lang"}},
    [GATE_ACT] = {"act",
	{"word", "id", "leg", "rcpt", "until", "reason", "checked", "shown", "proof"}},
    [GATE_BODY] = {"body", {"id", "leg"}},
    [GATE_ABSENT] = {"absent", {"from", "until", "clear"}},
    [GATE_REVIEW] = {"review", {"id", "verdict", "comment", "proof"}},
};

const char *gate_verb_name(enum gate_verb verb)
{
	return verbs[verb].name;
}

static bool read_credential(const char *word, struct gate_request *request)
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

bool gate_request_parse(const char *line, size_t len, struct gate_request *request)
{
	char *at = words_begin(line, len, request->text, GATE_REQUEST_MAX);
	size_t verb;

	request->words = 0;
	if (at == NULL || !read_credential(words_next(&at), request))
		return false;
	verb = words_verb(words_next(&at), verbs, GATE_VERBS);
	if (verb == GATE_VERBS)
		return false;
	request->verb = (enum gate_verb)verb;
	return words_pairs(&at, &verbs[verb], request->word, GATE_WORDS_MAX, &request->words);
}

const char *gate_request_value(const struct gate_request *request, const char *key)
{
	return words_value(request->word, request->words, key);
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
