/*
 * Asking seki-auth(8) whether a password is right, over the Unix stream socket run/auth/socket.
 * One question a connection. Who may connect is decided by the mode of run/auth/.
 *
 *   session -> seki-auth   u32 LENGTH, then LENGTH bytes:  SERVICE \0 SOURCE \0 LOGIN \0 PASSWORD \0
 *                          SERVICE is a word ("smtp"), SOURCE an address as ip_text writes it
 *   seki-auth -> session   "Y" the password is right
 *                          "N" it is not, or there is no such login: said after a delay
 *                          "C" not checked: too many failures of this source or login (454)
 *                          "L" not checked: a back end failed, or took too long (454)
 *
 * The integer is big-endian. A session that closes before the answer has given up.
 */
#ifndef SEKISHO_AUTH_ASK_H
#define SEKISHO_AUTH_ASK_H

#include "lib/base/compat.h"

#define AUTH_SOCKET       "run/auth/socket"
#define AUTH_LOGIN_MAX    ((size_t)255) /* bytes, without the NUL */
#define AUTH_PASSWORD_MAX ((size_t)1024)
#define AUTH_QUESTION_MAX ((size_t)2048) /* LENGTH at most */

enum auth_answer {
	AUTH_RIGHT,
	AUTH_WRONG,
	AUTH_CAPPED, /* too many failures: not checked */
	AUTH_LATER,  /* seki-auth or its back end is not there, or did not answer in time */
};

struct auth_question {
	const char *service;
	const char *source;
	const char *login; /* NUL-ended, UTF-8, 1 to AUTH_LOGIN_MAX bytes, no control characters */
	const char *password; /* NUL-ended, 1 to AUTH_PASSWORD_MAX bytes */
};

/*
 * Asks, waiting `timeout_ms` for the answer, which may take auth-timeout and auth-delay-longest
 * together. A question that breaks a bound above, or that has an empty login or password, is
 * AUTH_WRONG without being sent. Leaves no copy of the password.
 */
NODISCARD enum auth_answer auth_ask(
    const char *path, const struct auth_question *question, int timeout_ms);

#endif
