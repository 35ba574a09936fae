/*
 * One request at the door of seki-rules(8), and what a form says in it. The reader is strict: what it does not know
 * is no request.
 */
#ifndef SEKISHO_MINE_REQUEST_H
#define SEKISHO_MINE_REQUEST_H

#include "lib/base/compat.h"
#include "lib/mine/mine.h"

/* K(NAME, word) */
#define MINE_KEYS(K)                                                                               \
	K(DIGEST, "digest")                                                                        \
	K(N, "n")                                                                                  \
	MINE_FORM_KEYS(K)

/* The fields of a form. */
#define MINE_FORM_KEYS(K)                                                                          \
	K(NAME, "name")                                                                            \
	K(TO, "when-to")                                                                           \
	K(SUBJECT, "when-subject")                                                                 \
	K(WORDS, "when-words")                                                                     \
	K(ATTACHMENT, "when-attachment")                                                           \
	K(NAMES, "when-names")                                                                     \
	K(RECIPIENTS, "when-recipients")                                                           \
	K(VISIBLE, "when-visible")                                                                 \
	K(CLASS, "when-class")                                                                     \
	K(SIZE, "when-size")                                                                       \
	K(WHEN, "when-time")                                                                       \
	K(DO, "do")                                                                                \
	K(TIME, "do-time")                                                                         \
	K(ELSE, "do-else")                                                                         \
	K(WHO, "do-who")                                                                           \
	K(FILES, "do-files")                                                                       \
	K(PASSWORD, "do-password")                                                                 \
	K(BCC, "do-bcc")                                                                           \
	K(TLS, "do-tls")                                                                           \
	K(NOTICE, "do-notice")                                                                     \
	K(TEXT, "do-text")                                                                         \
	K(OTHER, "do-name")

enum mine_key {
#define K(name, word) MINE_##name,
	MINE_KEYS(K)
#undef K
	    MINE_KEY_COUNT
};

const char *mine_key_word(enum mine_key key);

enum mine_verb { MINE_VERB_RULES, MINE_VERB_TRY, MINE_VERB_ADD, MINE_VERB_REMOVE, MINE_VERBS };

const char *mine_verb_word(enum mine_verb verb);

/* What a form says: UTF-8 without NUL; NULL: nothing. */
struct mine_form {
	const char *value[MINE_KEY_COUNT];
};

struct mine_request {
	const char *ticket; /* without "session=" */
	enum mine_verb verb;
	struct mine_form form;
	char text[MINE_REQUEST_MAX]; /* what the pointers point into */
};

/* Reads a line without its newline, `len` bytes of anything. False: it is no request. */
NODISCARD bool mine_request_parse(const char *line, size_t len, struct mine_request *request);

#endif
