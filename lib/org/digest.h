/* The SHA-256 of files, read piece by piece: never by a mapping, which would make it ours. */
#ifndef SEKISHO_ORG_DIGEST_H
#define SEKISHO_ORG_DIGEST_H

#include "queue/digest.h"

/* Of the first `len` bytes, or of all there are if there are fewer; `read` gets how many. False with
 * errno. */
NODISCARD bool digest_file(int fd, uint64_t len, char hex[DIGEST_HEX], uint64_t *read);

#endif
