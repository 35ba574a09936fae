/*
 * What copies of one message that came one by one have in common: all that its reader sees, whatever its
 * way added on top.
 */
#ifndef SEKISHO_SCAN_BODY_H
#define SEKISHO_SCAN_BODY_H

#include "queue/digest.h"
#include "queue/leg.h"

#define BODY_HEADER_MAX ((size_t)256 * 1024) /* of a longer header there is no digest */

/*
 * The SHA-256 over the content of the leg in `fd` without those header fields that may differ in copies of
 * one message: From, Sender, Reply-To, To, Cc, Subject, Date, MIME-Version and Content-* count, raw and in
 * their order, then an empty line, then all behind the first empty line (nothing, if there is none). A
 * line of the header that is no field counts, too: some readers take what follows it for the text.
 *
 * False: it cannot be read, its header is too long, or there is no memory.
 */
NODISCARD bool body_digest(int fd, const struct leg *leg, char hex[DIGEST_HEX]);

#endif
