/*
 * A request to seki-login(8), as it was read from its socket: lib/login/ask.h and sekisho-login(5). How its words are
 * read: lib/gate/words.h.
 */
#ifndef SEKISHO_LOGIN_PROTOCOL_H
#define SEKISHO_LOGIN_PROTOCOL_H

#include "lib/gate/words.h"
#include "lib/login/ask.h"

#define LOGIN_WORDS_MAX 4

enum login_verb {
	LOGIN_PASSWORD,
	LOGIN_LINK,
	LOGIN_OPEN,
	LOGIN_SESSION,
	LOGIN_SESSIONS,
	LOGIN_LOGOUT,
	LOGIN_EVERYWHERE,
	LOGIN_PIN,
	LOGIN_END, /* of an operator */
	LOGIN_PROOF,
	LOGIN_VERBS, /* how many */
};

struct login_request {
	enum login_verb verb;
	size_t words;
	struct words_pair word[LOGIN_WORDS_MAX];
	char text[LOGIN_REQUEST_MAX]; /* what the pointers point into: secrets, too */
};

/* "password", "link"… */
const char *login_verb_name(enum login_verb verb);

/*
 * Reads a line without its newline, `len` bytes of anything. False: it is no request. In any case the caller
 * takes what it holds out of memory by login_request_wipe.
 */
NODISCARD bool login_request_parse(const char *line, size_t len, struct login_request *request);
void login_request_wipe(struct login_request *request);

/* The value of `key`, decoded; NULL if it was not said. */
const char *login_request_value(const struct login_request *request, const char *key);

#endif
