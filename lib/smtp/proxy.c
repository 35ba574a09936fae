#include "lib/smtp/proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/smtp/network.h"

/* The fixed part: signature, version and command, family and protocol, length of the rest. */
#define SIGNATURE   ((size_t)12)
#define FIXED       ((size_t)16)
#define V4_BLOCK    ((size_t)12) /* source, destination, source port, destination port */
#define V6_BLOCK    ((size_t)36)
#define VERSION_2   0x20
#define LOCAL       0x0
#define PROXY       0x1
#define TCP_OVER_V4 0x11
#define TCP_OVER_V6 0x21

static const unsigned char signature[SIGNATURE] = {
    '\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};

/* ---- the header ---- */

static bool command_right(unsigned char byte)
{
	return byte == (VERSION_2 | LOCAL) || byte == (VERSION_2 | PROXY);
}

/* How long the addresses are; 0 if a TCP client cannot have such. */
static size_t block_length(unsigned char family)
{
	switch (family) {
	case TCP_OVER_V4:
		return V4_BLOCK;
	case TCP_OVER_V6:
		return V6_BLOCK;
	default:
		return 0;
	}
}

/* Judges the part of the fixed part that is there. */
static bool fixed_right(const unsigned char *bytes, size_t len)
{
	size_t n = len < SIGNATURE ? len : SIGNATURE;
	bool local;

	if (memcmp(bytes, signature, n) != 0)
		return false;
	if (len > 12 && !command_right(bytes[12]))
		return false;
	local = len > 12 && (bytes[12] & 0x0f) == LOCAL;
	return len <= 13 || local || block_length(bytes[13]) > 0;
}

static void read_peer(const unsigned char *bytes, struct peer *peer)
{
	const unsigned char *block = bytes + FIXED;
	const unsigned char *port;

	if (bytes[13] == TCP_OVER_V4) {
		ip_from_v4(block, &peer->ip);
		port = block + 8;
	} else {
		memcpy(peer->ip.bytes, block, sizeof peer->ip.bytes);
		port = block + 32;
	}
	peer->port = (uint16_t)(port[0] << 8 | port[1]);
}

enum proxy_header proxy_read(const char *bytes, size_t len, size_t *used, struct peer *peer)
{
	const unsigned char *b = (const unsigned char *)bytes;
	bool local;
	size_t rest;

	*used = 0;
	if (!fixed_right(b, len))
		return PROXY_BAD;
	if (len < FIXED)
		return PROXY_MORE;

	local = (b[12] & 0x0f) == LOCAL;
	rest = (size_t)(b[14] << 8 | b[15]);
	if (FIXED + rest > PROXY_HEADER_MAX || (!local && rest < block_length(b[13])))
		return PROXY_BAD;
	if (len < FIXED + rest)
		return PROXY_MORE;

	*used = FIXED + rest;
	if (local)
		return PROXY_LOCAL;
	read_peer(b, peer);
	return PROXY_PEER;
}

/* ---- who may say so ---- */

struct proxy_networks {
	size_t n;
	struct network list[];
};

/* The length of the word at `*at`, which is moved to its start; 0: there is none any more. */
static size_t next_word(const char **at)
{
	*at += strspn(*at, " \t");
	return strcspn(*at, " \t");
}

static bool read_word(const char *at, size_t len, struct network *network, char *fault, size_t room)
{
	char word[NETWORK_TEXT] = "";
	char why[128];
	size_t offset;

	if (len < sizeof word)
		memcpy(word, at, len);
	if (!network_parse(word, network, why, sizeof why, &offset)) {
		(void)snprintf(fault, room, "%.*s: %s", len < sizeof word ? (int)len : 48, at, why);
		return false;
	}
	if (network->bits == (network->v4 ? 96U : 0U)) {
		/* Then each client could give itself the address of a relay source. */
		(void)snprintf(fault, room,
		    "%s: every client would be believed: name the proxies alone", word);
		return false;
	}
	return true;
}

struct proxy_networks *proxy_networks_read(const char *words, char *fault, size_t room)
{
	struct proxy_networks *networks;
	size_t n = 0, len, size;
	const char *at;

	for (at = words; (len = next_word(&at)) > 0; at += len)
		n++;
	networks =
	    size_mul(n, sizeof networks->list[0], &size) && size_add(size, sizeof *networks, &size)
		? calloc(1, size)
		: NULL;
	if (networks == NULL) {
		(void)snprintf(fault, room, "no memory");
		return NULL;
	}

	at = words;
	len = next_word(&at);
	if (n == 1 && len == 1 && at[0] == '-')
		return networks;
	for (; len > 0 && networks->n < n; at += len, len = next_word(&at)) {
		if (!read_word(at, len, &networks->list[networks->n++], fault, room)) {
			proxy_networks_free(networks);
			return NULL;
		}
	}
	return networks;
}

void proxy_networks_free(struct proxy_networks *networks)
{
	free(networks);
}

bool proxy_networks_hold(const struct proxy_networks *networks, const struct ip *ip)
{
	for (size_t i = 0; i < networks->n; i++) {
		if (network_holds(&networks->list[i], ip))
			return true;
	}
	return false;
}
