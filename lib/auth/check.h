/*
 * Starting a back end, the parent's side of the checkpassword interface: the program reads
 *
 *   LOGIN \0 PASSWORD \0 SECONDS-SINCE-1970 \0
 *
 * from descriptor 3 and ends with one of the codes below. Any other code, and a signal, count as a
 * temporary failure.
 */
#ifndef SEKISHO_AUTH_CHECK_H
#define SEKISHO_AUTH_CHECK_H

#include "lib/auth/ask.h"
#include "lib/auth/cache.h"
#include "lib/auth/table.h"

#define CHECK_FD        3
#define CHECK_BYTES_MAX (AUTH_LOGIN_MAX + 1 + AUTH_PASSWORD_MAX + 1 + 24)

enum check_code {
	CHECK_RIGHT = 0,
	CHECK_WRONG = 1,
	CHECK_MISUSED = 2,
	CHECK_LATER = 111,
};

/*
 * Starts the line's program with the question, in a process group of its own, which is its pid.
 * Its environment is PATH, LC_ALL and TCPREMOTEIP. Returns the pid, or -1 with errno.
 */
NODISCARD pid_t check_start(const struct table_line *line, const struct auth_question *question);

/*
 * The digest of everything that decides what the line's program would say, as far as it can be
 * seen: its words, and of seki-auth-file the file of passwords as it stands now.
 */
void check_stamp(const struct table_line *line, unsigned char stamp[CACHE_STAMP]);

#endif
