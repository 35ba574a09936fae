#include "lib/smtp/ip.h"

#include <arpa/inet.h>
#include <string.h>

static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool ip_is_v4(const struct ip *ip)
{
	return memcmp(ip->bytes, mapped, sizeof mapped) == 0;
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

void ip_from_v4(const void *v4, struct ip *ip)
{
	memcpy(ip->bytes, mapped, sizeof mapped);
	memcpy(ip->bytes + sizeof mapped, v4, 4);
}

bool ip_one_client(const struct ip *a, const struct ip *b)
{
	size_t len = ip_is_v4(a) ? sizeof a->bytes : sizeof a->bytes / 2;

	return ip_is_v4(a) == ip_is_v4(b) && memcmp(a->bytes, b->bytes, len) == 0;
}

bool ip_parse(const char *text, struct ip *ip)
{
	unsigned char v4[4];

	if (inet_pton(AF_INET, text, v4) == 1) {
		ip_from_v4(v4, ip);
		return true;
	}
	return inet_pton(AF_INET6, text, ip->bytes) == 1;
}

void ip_text(const struct ip *ip, char text[IP_TEXT])
{
	const char *made;

	if (ip_is_v4(ip))
		made = inet_ntop(AF_INET, ip->bytes + sizeof mapped, text, IP_TEXT);
	else
		made = inet_ntop(AF_INET6, ip->bytes, text, IP_TEXT);
	if (made == NULL)
		text[0] = '\0';
}

bool peer_of(const struct sockaddr_storage *from, struct peer *peer)
{
	if (from->ss_family == AF_INET) {
		struct sockaddr_in v4;

		memcpy(&v4, from, sizeof v4);
		ip_from_v4(&v4.sin_addr, &peer->ip);
		peer->port = ntohs(v4.sin_port);
		return true;
	}
	if (from->ss_family == AF_INET6) {
		struct sockaddr_in6 v6;

		memcpy(&v6, from, sizeof v6);
		memcpy(peer->ip.bytes, &v6.sin6_addr, sizeof peer->ip.bytes);
		peer->port = ntohs(v6.sin6_port);
		return true;
	}
	return false;
}
