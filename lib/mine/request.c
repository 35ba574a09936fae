#include "lib/mine/request.h"

#include <string.h>

#include "lib/base/die.h"
#include "lib/gate/gate.h"
#include "lib/gate/words.h"

static const char *const keys[MINE_KEY_COUNT] = {
#define K(name, word) [MINE_##name] = word,
    MINE_KEYS(K)
#undef K
};

#define K(name, word) word,
static const struct words_verb verbs[MINE_VERBS] = {
    [MINE_VERB_RULES] = {"rules", {NULL}},
    [MINE_VERB_TRY] = {"try", {MINE_FORM_KEYS(K)}},
    [MINE_VERB_ADD] = {"add", {MINE_FORM_KEYS(K) "digest"}},
    [MINE_VERB_REMOVE] = {"remove", {"digest", "n"}},
};
#undef K

const char *mine_key_word(enum mine_key key)
{
	return keys[key];
}

const char *mine_verb_word(enum mine_verb verb)
{
	return verbs[verb].name;
}

static bool read_ticket(const char *word, struct mine_request *r)
{
	if (word == NULL || strncmp(word, "session=", 8) != 0)
		return false;
	r->ticket = word + 8;
	return r->ticket[0] != '\0' && strlen(r->ticket) < GATE_SESSION_TEXT;
}

/* A form sends all of its fields: one that is empty says nothing. */
static void take(struct mine_form *form, const struct words_pair *pair)
{
	unsigned key = 0;

	while (key < MINE_KEY_COUNT && strcmp(keys[key], pair->key) != 0)
		key++;
	if (key == MINE_KEY_COUNT)
		die_bug("a key of a verb that is none");
	form->value[key] = pair->value[0] != '\0' ? pair->value : NULL;
}

bool mine_request_parse(const char *line, size_t len, struct mine_request *r)
{
	char *at = words_begin(line, len, r->text, MINE_REQUEST_MAX);
	struct words_pair pairs[MINE_KEY_COUNT];
	size_t verb, n;

	r->form = (struct mine_form){.value = {NULL}};
	if (at == NULL || !read_ticket(words_next(&at), r))
		return false;
	verb = words_verb(words_next(&at), verbs, MINE_VERBS);
	if (verb == MINE_VERBS || !words_pairs(&at, &verbs[verb], pairs, COUNT_OF(pairs), &n))
		return false;
	r->verb = (enum mine_verb)verb;
	for (size_t i = 0; i < n; i++)
		take(&r->form, &pairs[i]);
	return true;
}
