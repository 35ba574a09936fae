/*
 * How often each address has connected within a minute. The memory is fixed: of addresses that
 * fall on the same few lines the one seen longest ago is forgotten. An IPv6 client is its /64.
 */
#ifndef SEKISHO_SMTP_RATE_H
#define SEKISHO_SMTP_RATE_H

#include "lib/smtp/ip.h"

struct rate; /* opaque */

/* NULL without memory or randomness. Free with free(). */
NODISCARD struct rate *rate_new(void);

/* Notes a connection at `now` (clock_boot); returns how many there were within its minute. */
int64_t rate_note(struct rate *rate, const struct ip *ip, int64_t now);

#endif
