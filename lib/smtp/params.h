/* Esmtp-params of MAIL and RCPT (RFC 5321 section 4.1.2): finding them one by one. */
#ifndef SEKISHO_SMTP_PARAMS_H
#define SEKISHO_SMTP_PARAMS_H

#include "lib/base/compat.h"

#define SYNTAX_MAIL "501 5.5.4 syntax: MAIL FROM:<address> [parameters]"
#define SYNTAX_RCPT "501 5.5.4 syntax: RCPT TO:<address> [parameters]"
#define BAD_VALUE   "501 5.5.4 a parameter's value is malformed"
#define BAD_TWICE   "501 5.5.4 a parameter was given twice"
#define BAD_UNKNOWN "555 5.5.4 parameter not recognised"
#define BAD_NUMBER  "501 5.5.4 SIZE is no number that could be a size"

struct param {
	const char *name; /* not NUL-ended */
	size_t name_len;
	const char *value; /* NULL: there is no '=' */
	size_t value_len;
};

/*
 * Takes the parameter at the front of `*rest`, which begins with a space or is empty. Returns 1
 * with a parameter, 0 at the end, -1 if it is malformed. A value's bytes are printable and no '=';
 * bytes beyond ASCII are let through for the caller to judge.
 */
NODISCARD int params_next(const char **rest, size_t *len, struct param *param);

/* Whether `text` is this word, in letters of either case. */
NODISCARD bool word_is(const char *text, size_t len, const char *word);

/* A number of 1 to 20 digits that fits; -1 if it is none. */
NODISCARD int64_t param_number(const char *text, size_t len);

/*
 * Decodes xtext as RFC 3461 section 4 has it from clients: more tolerant than lib/base/xtext, for
 * a client may escape what needs no escape. `out` has room for `len`. What comes out must be
 * printable ASCII; or, with `utf8`, UTF-8.
 */
NODISCARD bool param_xtext(const char *in, size_t len, bool utf8, char *out, size_t *out_len);

#endif
