/*
 * The PROXY protocol, version 2, binary form: what a listed proxy says before anything else, so
 * that the client is known by its own address. Everything behind the addresses (TLVs) is passed
 * over.
 */
#ifndef SEKISHO_SMTP_PROXY_H
#define SEKISHO_SMTP_PROXY_H

#include "lib/base/compat.h"
#include "lib/smtp/ip.h"

#define PROXY_HEADER_MAX ((size_t)1024) /* a longer one is bad; the fixed part has 16 bytes */

enum proxy_header {
	PROXY_MORE, /* right so far */
	PROXY_PEER, /* `peer` is the client */
	PROXY_LOCAL, /* the proxy itself speaks (a health check): the connection's own address holds */
	PROXY_BAD, /* no such header, or one that cannot be a TCP client's */
};

/* Reads the first `len` bytes of a connection; `*used` is the length of a whole header. */
NODISCARD enum proxy_header proxy_read(
    const char *bytes, size_t len, size_t *used, struct peer *peer);

/* Networks as the setting proxy-from lists them. */
struct proxy_networks; /* opaque */

/* Reads "CIDR CIDR …", or "-" for none. NULL with `fault` filled if a word is no network. */
NODISCARD struct proxy_networks *proxy_networks_read(const char *words, char *fault, size_t room);
void proxy_networks_free(struct proxy_networks *networks);
NODISCARD bool proxy_networks_hold(const struct proxy_networks *networks, const struct ip *ip);

#endif
