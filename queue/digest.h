/* SHA-256 for the spool's files and plans, by OpenSSL. */
#ifndef SEKISHO_QUEUE_DIGEST_H
#define SEKISHO_QUEUE_DIGEST_H

#include "lib/base/compat.h"

#define DIGEST_HEX 65 /* 64 digits and a NUL */

struct digest; /* a running digest; opaque */

/* Starts one. NULL: no memory. Free with digest_free. */
NODISCARD struct digest *digest_new(void);
void digest_free(struct digest *d);

/* Forgets what was added. */
void digest_restart(struct digest *d);
void digest_add(struct digest *d, const void *bytes, size_t len);

/* Writes the digest of what was added; after it only digest_restart makes sense. */
void digest_end(struct digest *d, char hex[DIGEST_HEX]);

/* The digest of one stretch of bytes. */
void digest_of(const void *bytes, size_t len, char hex[DIGEST_HEX]);

#endif
