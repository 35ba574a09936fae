/* Writing the header of a message or of a part anew, field by field. Internal to lib/seal. */
#ifndef SEKISHO_SEAL_HEADER_H
#define SEKISHO_SEAL_HEADER_H

#include "lib/seal/order.h"

struct header_change {
	const struct seal_order *order; /* whose addresses are taken out; NULL: none are */
	bool message;                   /* of a message, which has a MIME-Version if it has parts */
	bool utf8;                      /* the text's charset becomes UTF-8 */
	const char *encoding;           /* the new Content-Transfer-Encoding, or NULL */
	const char *boundary; /* it becomes that of a multipart around the whole, or NULL */
};

enum header_end {
	HEADER_FINE,
	HEADER_UNCLEAR, /* a field of recipients has one of them, and cannot be read for sure */
	HEADER_TYPE,    /* its Content-Type cannot be changed for sure */
	HEADER_NO_MEMORY,
};

/*
 * Writes the header of `len` bytes, its empty line included, to `out`. With a boundary `inner` gets the
 * fields that go with the body, Content-*. `*removed` counts addresses.
 */
NODISCARD enum header_end header_write(const char *header, size_t len,
    const struct header_change *change, struct buf *out, struct buf *inner, size_t *removed);

#endif
