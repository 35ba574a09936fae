/* What stands behind a message's header: the same in each copy, whatever its way added on top. */
#ifndef SEKISHO_SCAN_BODY_H
#define SEKISHO_SCAN_BODY_H

#include "queue/digest.h"
#include "queue/leg.h"

/*
 * The SHA-256 of the content of the leg in `fd` behind the first empty line, read piece by piece; of
 * nothing, if there is no such line. False: it cannot be read, or no memory.
 */
NODISCARD bool body_digest(int fd, const struct leg *leg, char hex[DIGEST_HEX]);

#endif
