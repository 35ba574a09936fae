/* One question to seki-auth as it stands on the wire (lib/auth/ask.h). Pure: bytes in, bytes out. */
#ifndef SEKISHO_AUTH_QUESTION_H
#define SEKISHO_AUTH_QUESTION_H

#include "lib/auth/ask.h"

#define QUESTION_PREFIX      ((size_t)4) /* LENGTH */
#define QUESTION_SERVICE_MAX ((size_t)32)
#define QUESTION_SOURCE_MAX  ((size_t)45) /* the longest IPv6 address as text */

/* Whether every part keeps its bounds: a service that is a word, a login of printable UTF-8. */
NODISCARD bool question_good(const struct auth_question *question);

/*
 * Writes the question with its length in front. Returns the bytes written, or 0 if it is not good.
 * The caller wipes `bytes`.
 */
NODISCARD size_t question_write(
    const struct auth_question *question, char bytes[QUESTION_PREFIX + AUTH_QUESTION_MAX]);

/* The length that the first QUESTION_PREFIX bytes tell, or 0 if it is out of bounds. */
NODISCARD size_t question_length(const char *bytes);

/*
 * Reads the `len` bytes behind the length. `question` then points into them. False if they are not
 * exactly one good question.
 */
NODISCARD bool question_read(const char *bytes, size_t len, struct auth_question *question);

#endif
