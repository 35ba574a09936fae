/*
 * Mail addresses as SMTP writes them: Mailbox of RFC 5321 section 4.1.2, with the wider letters of
 * RFC 6531 section 3.3. An address is data: nothing in it is ever an option, a path or a command.
 * It is kept byte for byte as it was given.
 */
#ifndef SEKISHO_SMTP_ADDRESS_H
#define SEKISHO_SMTP_ADDRESS_H

#include "lib/base/compat.h"

#define ADDRESS_LOCAL_MAX  64  /* RFC 5321 section 4.5.3.1.1 */
#define ADDRESS_DOMAIN_MAX 255 /* section 4.5.3.1.2 */
#define ADDRESS_MAX        254 /* section 4.5.3.1.3: a path of 256 with its brackets */

enum address_verdict {
	ADDRESS_OK,
	ADDRESS_MALFORMED,
	ADDRESS_NEEDS_UTF8, /* right, but only with SMTPUTF8 (RFC 6531) */
};

/*
 * Judges a mailbox, without brackets. `utf8`: SMTPUTF8 was given. With ADDRESS_OK, and with
 * ADDRESS_NEEDS_UTF8, `*domain` is the offset of the first byte behind the '@'.
 */
NODISCARD enum address_verdict address_check(
    const char *text, size_t len, bool utf8, size_t *domain);

/*
 * Writes a right address without the quotes that its local part does not need: "bob"@example.com is
 * bob@example.com (RFC 5321 section 4.1.2), and whoever compares addresses must see that. Returns
 * its length.
 */
NODISCARD size_t address_plain(const char *text, size_t len, char plain[ADDRESS_MAX]);

/* The same for a domain alone: names of letters, digits and hyphens, or U-labels; no literal. */
NODISCARD enum address_verdict address_check_domain(const char *text, size_t len, bool utf8);

/*
 * The length of the path "<…>" at the start of `text`, its brackets included; 0 if there is none.
 * A '>' within a quoted string does not end it.
 */
NODISCARD size_t address_path(const char *text, size_t len);

/* Whether `text` is UTF-8 (RFC 3629) without control characters; ASCII is. */
NODISCARD bool address_utf8(const char *text, size_t len);

#endif
