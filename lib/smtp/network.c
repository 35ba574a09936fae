#include "lib/smtp/network.h"

#include <stdio.h>
#include <string.h>

#define V4_PREFIX 96 /* the bits that stand before an IPv4 address in its mapped form */

/* A whole decimal number of at most three digits, without leading zeros; -1 if it is none. */
static int short_number(const char *text)
{
	size_t len = strlen(text);
	int number = 0;

	if (len < 1 || len > 3 || (len > 1 && text[0] == '0'))
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		number = number * 10 + (text[i] - '0');
	}
	return number;
}

bool network_parse(const char *word, struct network *network, char *fault, size_t room, size_t *at)
{
	const char *slash = strchr(word, '/');
	size_t len = slash != NULL ? (size_t)(slash - word) : strlen(word);
	char text[IP_TEXT] = "";
	struct ip masked;
	unsigned most;
	int bits;

	*at = 0;
	if (len < sizeof text)
		memcpy(text, word, len);
	if (!ip_parse(text, &network->ip)) {
		(void)snprintf(fault, room,
		    "an IPv4 or IPv6 address or a network such as 192.0.2.0/24 was expected");
		return false;
	}
	network->v4 = strchr(text, ':') == NULL;
	if (!network->v4 && ip_is_v4(&network->ip)) {
		(void)snprintf(fault, room, "this is IPv4 within IPv6: write it as IPv4");
		return false;
	}

	most = network->v4 ? 32 : 128;
	bits = slash != NULL ? short_number(slash + 1) : (int)most;
	if (bits < 0 || (unsigned)bits > most) {
		*at = len + 1;
		(void)snprintf(fault, room, "a number of bits from 0 to %u was expected", most);
		return false;
	}
	network->bits = 128 - most + (unsigned)bits;

	masked = network_mask(&network->ip, network->bits);
	if (!ip_equal(&masked, &network->ip)) {
		(void)snprintf(fault, room,
		    "the address has bits beyond its /%d: which network is meant?", bits);
		return false;
	}
	return true;
}

void network_text(const struct network *network, char text[NETWORK_TEXT])
{
	size_t len;

	ip_text(&network->ip, text);
	len = strlen(text);
	if (network->bits < 128)
		(void)snprintf(text + len, NETWORK_TEXT - len, "/%u",
		    network->v4 ? network->bits - V4_PREFIX : network->bits);
}

struct ip network_mask(const struct ip *ip, unsigned bits)
{
	struct ip masked = *ip;

	for (unsigned i = bits / 8; i < sizeof masked.bytes; i++) {
		unsigned keep = i == bits / 8 ? bits % 8 : 0;

		masked.bytes[i] = (unsigned char)(masked.bytes[i] & (0xff00 >> keep));
	}
	return masked;
}

bool network_holds(const struct network *network, const struct ip *ip)
{
	struct ip masked = network_mask(ip, network->bits);

	return network->v4 == ip_is_v4(ip) && ip_equal(&masked, &network->ip);
}

bool network_overlaps(const struct network *a, const struct network *b)
{
	const struct network *wide = a->bits < b->bits ? a : b;
	const struct network *narrow = wide == a ? b : a;
	struct ip masked = network_mask(&narrow->ip, wide->bits);

	/* Asked of the families, not of the bytes: ::/0 holds the mapped form of every IPv4. */
	return a->v4 == b->v4 && ip_equal(&masked, &wide->ip);
}
