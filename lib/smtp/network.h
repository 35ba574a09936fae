/*
 * Networks as the configuration writes them: an address alone, or with the number of bits that
 * count ("192.0.2.10", "192.0.2.0/24", "2001:db8:25::/64"). IPv4 and IPv6 are apart: no IPv6
 * network holds an IPv4 address, not even ::/0.
 */
#ifndef SEKISHO_SMTP_NETWORK_H
#define SEKISHO_SMTP_NETWORK_H

#include "lib/smtp/ip.h"

#define NETWORK_TEXT (IP_TEXT + 4)

struct network {
	struct ip ip;  /* the bits that do not count are 0 */
	unsigned bits; /* of the 128; an IPv4 network has 96 or more */
	bool v4;
};

/*
 * Reads the NUL-ended `word`. Returns false with what was expected in `fault`, and in `*at` the
 * offset in the word that it is about. Bits beyond the mask must be 0: nobody could know which of
 * two things was meant.
 */
NODISCARD bool network_parse(
    const char *word, struct network *network, char *fault, size_t room, size_t *at);

/* Writes it as network_parse reads it; one address without its bits. */
void network_text(const struct network *network, char text[NETWORK_TEXT]);

/* The address with all bits but the first `bits` set to 0. */
struct ip network_mask(const struct ip *ip, unsigned bits);

NODISCARD bool network_holds(const struct network *network, const struct ip *ip);

/* Whether there is an address in both. */
NODISCARD bool network_overlaps(const struct network *a, const struct network *b);

#endif
