/*
 * Where a connection comes from. An IPv4 address is kept in its IPv6-mapped form, so that a client
 * is the same whichever listening socket it came through.
 */
#ifndef SEKISHO_SMTP_IP_H
#define SEKISHO_SMTP_IP_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/base/compat.h"

#define IP_TEXT INET6_ADDRSTRLEN

struct ip {
	unsigned char bytes[16];
};

struct peer {
	struct ip ip;
	uint16_t port; /* host order */
};

/* Whether it is an IPv4 address. */
NODISCARD bool ip_is_v4(const struct ip *ip);

NODISCARD bool ip_equal(const struct ip *a, const struct ip *b);

/* The four bytes of an IPv4 address, in network order, in their mapped form. */
void ip_from_v4(const void *v4, struct ip *ip);

/*
 * Whether they are one client, as far as counting goes: the same IPv4 address, or the same /64 of
 * IPv6, within which a client can choose.
 */
NODISCARD bool ip_one_client(const struct ip *a, const struct ip *b);

/* Reads "192.0.2.1" or "2001:db8::1" (NUL-ended). False if it is neither. */
NODISCARD bool ip_parse(const char *text, struct ip *ip);

/* Writes it as ip_parse reads it. */
void ip_text(const struct ip *ip, char text[IP_TEXT]);

/* The address and port of an accepted socket's other end; false if it is of no IP family. */
NODISCARD bool peer_of(const struct sockaddr_storage *from, struct peer *peer);

#endif
