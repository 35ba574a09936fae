/* What seki-audit says of itself, in run/audit/state, for audit_well (queue/audit.h) to read. */
#ifndef SEKISHO_AUDIT_STATE_H
#define SEKISHO_AUDIT_STATE_H

#include "lib/audit/log.h"

/*
 * Writes it over the old one, without a new block and without waiting for the disk. `reason` NULL: fine.
 * `end` is what is durable, and stands there in either case; NULL: it is not known. False with errno.
 */
NODISCARD bool state_write(int64_t boot, const char *reason, const struct chain_end *end);

/* Reads the chain's end out of it: not known, if there is none. */
struct log_claim state_read(void);

#endif
