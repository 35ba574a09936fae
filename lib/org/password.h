/*
 * A password policy, etc/passwords/NAME, sekisho-org(5): where the password of a file comes from, and
 * who is told it. Secrets never stand in these files.
 */
#ifndef SEKISHO_ORG_PASSWORD_H
#define SEKISHO_ORG_PASSWORD_H

#include "lib/base/compat.h"
#include "lib/base/conf.h"

#define PASSWORD_LETTERS_MIN 4
#define PASSWORD_LETTERS_MAX 128
#define PASSWORD_HINT_MAX    ((size_t)512)

enum password_source {
	PASSWORD_GENERATED,
	PASSWORD_FIXED,  /* it stands in etc/secrets/NAME */
	PASSWORD_BY_HAND /* the sender gives it with the mail */
};

enum password_letters {
	PASSWORD_UPPER = 1,
	PASSWORD_LOWER = 2,
	PASSWORD_DIGIT = 4,
	PASSWORD_SYMBOL = 8,
};

enum password_tell {
	PASSWORD_TO_RECIPIENT,
	PASSWORD_TO_SENDER,
	PASSWORD_TO_BOTH,
	PASSWORD_TO_NOBODY,
	PASSWORD_TO_HINT
};

struct password_policy {
	enum password_source source;
	unsigned length;              /* PASSWORD_GENERATED */
	unsigned letters;             /* … of enum password_letters, each kind at least once */
	enum password_tell tell;      /* PASSWORD_TO_SENDER if it is not said */
	int64_t after;                /* microseconds behind the mail; 0: with it */
	char hint[PASSWORD_HINT_MAX]; /* "" if there is none */
};

/* Reads etc/passwords/`name`. False with `fault`. */
NODISCARD bool password_policy_read(
    int etc, const char *name, struct password_policy *policy, struct conf_fault *fault);

/* The same for `len` bytes that are said to come from `file`. */
NODISCARD bool password_policy_parse(const char *bytes, size_t len, const char *file,
    struct password_policy *policy, struct conf_fault *fault);

#endif
