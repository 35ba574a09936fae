/*
 * Asking a mail server whether a password is right, by logging in. Both return CHECK_WRONG only if
 * the server says so in as many words; whatever else does not work is CHECK_LATER, with the reason
 * in w->why.
 */
#ifndef SEKISHO_AUTH_DIALOG_H
#define SEKISHO_AUTH_DIALOG_H

#include "lib/auth/check.h"
#include "lib/auth/wire.h"

/* IMAP (RFC 3501): AUTHENTICATE PLAIN where it is offered, else LOGIN with literals. */
NODISCARD enum check_code dialog_imap(
    struct wire *w, bool starttls, const char *login, const char *password);

/* SMTP (RFC 5321, RFC 4954): AUTH PLAIN or AUTH LOGIN. `host` is who we say we are. */
NODISCARD enum check_code dialog_smtp(
    struct wire *w, bool starttls, const char *host, const char *login, const char *password);

#endif
