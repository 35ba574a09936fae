/*
 * Who is named in a To, Cc, Bcc, From, Reply-To, Sender or Resent- field (RFC 5322 sections 3.4 and
 * 4.4, RFC 6532), read as mail programs read it: whatever one of them might show, or send to, is
 * given. This describes a message; who may send as whom is judged by mailboxes.h, which is strict.
 */
#ifndef SEKISHO_MIME_ADDRESS_H
#define SEKISHO_MIME_ADDRESS_H

#include "lib/base/compat.h"

#define ADDRESS_TEXT_MAX ((size_t)1024) /* bytes of one; a longer one is cut, and flagged */
#define ADDRESS_NAME_MAX ((size_t)4096) /* bytes of a display name, before and after decoding */

/* F(NAME, word): what was odd about an address, or about the field. */
#define ADDRESS_FLAGS(F)                                                                           \
	F(SEPARATOR, "separator") /* a comma is missing, or is a ';' outside of a group */         \
	F(UNENDED, "unended")     /* a quote, comment, bracket or group is not closed */           \
	F(ROUTE, "route")         /* <@a,@b:c@d>: the route was left out */                        \
	F(INVISIBLE, "invisible") /* letters that nobody sees were taken out of the address */     \
	F(BLANK, "blank")         /* blanks or a comment stand within the address */               \
	F(RAW, "raw")             /* bytes beyond ASCII in the name, or half an encoded word */    \
	F(BYTES, "bytes")         /* bytes beyond ASCII in the address that are no UTF-8 */        \
	F(ENCODED, "encoded")     /* the address was found in an encoded word */                   \
	F(WITHIN, "within") /* it was found in a comment or a display name, not in its place */    \
	F(DOMAIN, "domain") /* there is no domain, or one that cannot be */                        \
	F(AT, "at")         /* more than one '@'; the last one counts */                           \
	F(LONG, "long")     /* something was cut to its bound */                                   \
	F(JUNK, "junk")     /* something in the field is neither an address nor a name */

enum address_flag_number {
#define F(name, word) ADDRESS_##name##_NUMBER,
	ADDRESS_FLAGS(F)
#undef F
	    ADDRESS_FLAG_COUNT
};

enum address_flag {
#define F(name, word) ADDRESS_##name = 1 << ADDRESS_##name##_NUMBER,
	ADDRESS_FLAGS(F)
#undef F
};

/* "separator", "unended" … */
const char *address_flag_word(enum address_flag_number flag);

/*
 * One address, or an empty group, or a name with no address behind it. All texts are UTF-8,
 * NUL-ended, without NUL and line ends within, and good during the call.
 */
struct address {
	/*
	 * "local@domain" as it would stand in an envelope: quotes that are not needed, comments and
	 * blanks taken out, the domain as the DNS has it (lower case, A-labels, full width folded,
	 * no dot at the end); one that cannot be is kept as it is, in lower case, and flagged. ""
	 * for an empty group, and where a name stands alone.
	 */
	const char *text;
	const char *domain; /* in `text`, behind the last '@'; "" if there is none */
	const char
	    *name; /* display name, decoded; an old-style "(name)" comment if there is none */
	const char *group; /* name of the group it stands in, decoded; "" if in none */
	bool in_group;
	bool empty_group; /* no address at all: a group without members */
	unsigned flags;   /* of enum address_flag, this address's own */
};

/* False stops. */
typedef bool address_see(void *context, const struct address *address);

/*
 * Reads the body of a field, its folds included; `flags` gets those of the field and all its
 * addresses. In time linear in `len`. False: no memory, or `see` said so; `flags` tells nothing then.
 * An address that may be read in two ways is given in both.
 */
NODISCARD bool addresses_read(
    const char *body, size_t len, address_see *see, void *context, unsigned *flags);

/*
 * Whether two addresses "local@domain" reach the same mailbox, as far as most receivers see it:
 * ASCII letters of either case are the same, A-labels and U-labels are, the dot behind a domain is
 * nothing, quotes around a local part that needs none are nothing. Neither is NULL.
 */
NODISCARD bool address_same(const char *a, const char *b);

/*
 * A domain as the DNS has it: lower case, A-labels, no dot at the end; a literal "[192.0.2.1]" in
 * lower case. False if it cannot be one: `into` then has as much of it as fits, in lower case.
 */
NODISCARD bool address_domain(const char *domain, size_t len, char into[ADDRESS_TEXT_MAX]);

#endif
