/*
 * What every back end of the gateway does, the program's side of the checkpassword interface: it
 * reads its question from descriptor 3, checks it, and ends with a code of lib/auth/check.h. When
 * the password is right and further arguments name a program, it becomes that program instead, as
 * those who know the interface expect.
 */
#ifndef SEKISHO_AUTH_BACK_H
#define SEKISHO_AUTH_BACK_H

#include "lib/auth/check.h"

struct back {
	const char *name; /* of the program, for the log */
	const char *login;
	const char *password; /* 1 to AUTH_PASSWORD_MAX bytes; no CR, LF or NUL in either */
	char bytes[CHECK_BYTES_MAX + 1];
};

enum back_privileges {
	BACK_NO_PRIVILEGES, /* nor for anything that it starts */
	BACK_PRIVILEGES,    /* its libraries may start programs with rights of their own */
};

/*
 * Makes the process a quiet one (no core, not to be looked into) and reads the question. Ends the
 * program if there is none. `b` holds the password until back_end.
 */
void back_begin(struct back *b, const char *name, enum back_privileges privileges);

/* Logs why no answer can be given; returns CHECK_LATER. */
NODISCARD enum check_code back_later(const struct back *b, const char *why, const char *detail);

/* Logs what the arguments should have been; ends the program with CHECK_MISUSED. */
NORETURN void back_usage(const char *text);

/* Wipes the question and ends with `code`, or as `program` if that is CHECK_RIGHT. */
NORETURN void back_end(struct back *b, enum check_code code, char **program);

#endif
