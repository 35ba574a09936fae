/*
 * The addresses in a From, Sender, To … field (RFC 5322 sections 3.4 and 4.4, RFC 6532): mailboxes,
 * groups, comments, quoted strings, folds. An address is given as it would stand in an envelope:
 * "local@domain", the comments and blanks around it taken out, a quoted local part without quotes
 * when it does not need them. Display names are not decoded here.
 *
 * What is judged here decides whether somebody may send as somebody else: whatever could be read in
 * two ways is MAILBOXES_UNCLEAR, so that two programs never see two senders. So are, although the
 * grammar has them: routes; in an address, blanks, comments, invisible letters and encoded words; a
 * quoted local part with more than letters and dots; half an encoded word; in a comment, '@', angle
 * brackets and folds; in a quoted string, angle brackets, and folds when there is an '@' in one; and
 * a fold that leaves a line of blanks alone.
 */
#ifndef SEKISHO_MIME_MAILBOXES_H
#define SEKISHO_MIME_MAILBOXES_H

#include "lib/base/compat.h"

#define MAILBOX_MAX 1024 /* bytes of one address */

enum mailboxes {
	MAILBOXES_OK,
	MAILBOXES_UNCLEAR, /* not to be read by the grammar; some may have been seen by then */
	MAILBOXES_STOPPED, /* `see` said so */
};

/* Called for each address, in order; not NUL-ended, good during the call. False stops. */
typedef bool mailboxes_see(void *context, const char *address, size_t len);

/*
 * Reads a field's body of `len` bytes, in time linear in it and without allocating. A field may hold
 * no address at all (an empty one, an empty group) and be MAILBOXES_OK: count them.
 */
NODISCARD enum mailboxes mailboxes_read(
    const char *body, size_t len, mailboxes_see *see, void *context);

#endif
