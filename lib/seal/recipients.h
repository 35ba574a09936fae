/* Taking mailboxes out of a To, Cc or Bcc field (RFC 5322 sections 3.4 and 4.4). */
#ifndef SEKISHO_SEAL_RECIPIENTS_H
#define SEKISHO_SEAL_RECIPIENTS_H

#include "lib/base/buf.h"

enum recipients {
	RECIPIENTS_SAME,    /* none of them is in it */
	RECIPIENTS_LEFT,    /* `out` is the new body */
	RECIPIENTS_NONE,    /* nobody is left: the field is to be taken out */
	RECIPIENTS_UNCLEAR, /* one of them is in it, and where it ends could be read in two ways */
	RECIPIENTS_NO_MEMORY,
};

/*
 * Takes every mailbox of these addresses out of a field's body of `len` bytes, with its name, its
 * comments and its comma. Folds and everything else stay as they are. `*removed` is counted up. When
 * it says that nobody of them is left, no reading of the field shows one of them.
 */
NODISCARD enum recipients recipients_take_out(const char *body, size_t len,
    const char *const *address, size_t addresses, struct buf *out, size_t *removed);

/* Whether one of the addresses stands somewhere in a text, as text. */
NODISCARD bool recipients_shown(
    const char *text, size_t len, const char *const *address, size_t addresses);

#endif
