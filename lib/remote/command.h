/*
 * Writing MAIL and RCPT (RFC 5321 section 4.1.1, RFC 1870, 3461, 6152, 6531). A command is written
 * as a whole, with its CRLF, or not at all: no byte of an address can end it.
 */
#ifndef SEKISHO_REMOTE_COMMAND_H
#define SEKISHO_REMOTE_COMMAND_H

#include "lib/remote/protocol.h"

#define COMMAND_ROOM ((size_t)4096)

/* What EHLO offers. */
struct offer {
	bool pipelining, size, eightbit, utf8, dsn, starttls, auth_plain, auth_login, enhanced;
	uint64_t size_max; /* 0: no bound known */
};

/* Reads one line of EHLO's reply into the offer. */
void offer_read(struct offer *offer, const char *text, size_t len);

/* Whether this message can go only where SMTPUTF8 is offered. */
NODISCARD bool remote_needs_utf8(const struct leg *envelope);

/* Whether it was handed in as 8-bit mail (RFC 6152). */
NODISCARD bool remote_is_eightbit(const struct leg *envelope);

/* Return the length, or 0 if the address or a parameter cannot be said. */
NODISCARD size_t remote_write_mail(const struct leg *envelope, uint64_t size, bool utf8,
    const struct offer *offer, char out[COMMAND_ROOM]);
NODISCARD size_t remote_write_rcpt(
    const struct leg_rcpt *rcpt, bool utf8, const struct offer *offer, char out[COMMAND_ROOM]);

#endif
