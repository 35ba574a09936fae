/*
 * What is asked of seki-login(8), over the Unix stream socket LOGIN_SOCKET; see sekisho-login(5). One line
 * from the client, one JSON object and a newline back, then the connection ends.
 *
 *   VERB [KEY=XTEXT]…
 *
 * It is the form of lib/gate/protocol.h without a credential in front, so what asks is gate_ask():
 *
 *   login_request_begin(&request, "session");
 *   gate_request_add(&request, "token", token);
 *   gate_request_end(&request);
 *   login_ask(LOGIN_SOCKET, &request, LOGIN_PATIENCE, &answer)
 */
#ifndef SEKISHO_LOGIN_ASK_H
#define SEKISHO_LOGIN_ASK_H

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/compat.h"

#define LOGIN_SOCKET      "run/login/socket"
#define LOGIN_REQUEST_MAX ((size_t)8192)      /* bytes of a request, with its newline */
#define LOGIN_ANSWER_MAX  ((size_t)64 * 1024) /* bytes of an answer, with its newline */

/* A wrong password is answered late on purpose (auth-timeout and auth-delay-longest, 360 s at most). */
#define LOGIN_PATIENCE          (10 * CLOCK_SECOND)
#define LOGIN_PATIENCE_PASSWORD (365 * CLOCK_SECOND)

/* Tokens of sessions and of mailed links, and the nonces of browsers: base64url of 32 bytes. */
#define LOGIN_TOKEN_LEN  ((size_t)43)
#define LOGIN_TOKEN_TEXT (LOGIN_TOKEN_LEN + 1)

/* Begins a request in `out`, whose bound should be LOGIN_REQUEST_MAX; see gate_request_add, gate_request_end. */
void login_request_begin(struct buf *out, const char *verb);

/*
 * Sends the whole request to the socket at `path` and appends the answer, without its newline, to `answer`,
 * whose bound should be LOGIN_ANSWER_MAX. `patience`: microseconds for all of it. False with errno: nobody is
 * there, or no whole answer came in time; then nobody knows whether it was carried out.
 */
NODISCARD bool login_ask(
    const char *path, const struct buf *request, int64_t patience, struct buf *answer);

#endif
