#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/resolve/ask.h"
#include "lib/resolve/mx.h"

bool resolve_own_name(struct resolve_own *own, const char *domain)
{
	if (own->n_names >= RESOLVE_OWN_MAX || !resolve_name(domain, own->name[own->n_names]))
		return false;
	own->n_names++;
	return true;
}

static bool from_sockaddr(const struct sockaddr *from, struct resolve_address *to)
{
	memset(to, 0, sizeof *to);
	if (from != NULL && from->sa_family == AF_INET) {
		struct sockaddr_in v4;

		memcpy(&v4, from, sizeof v4);
		memcpy(to->bytes, &v4.sin_addr, 4);
		return true;
	}
	if (from != NULL && from->sa_family == AF_INET6) {
		struct sockaddr_in6 v6;

		memcpy(&v6, from, sizeof v6);
		to->v6 = true;
		memcpy(to->bytes, &v6.sin6_addr, 16);
		return true;
	}
	return false;
}

bool resolve_own_addresses(struct resolve_own *own)
{
	struct resolve_address address;
	struct ifaddrs *all;

	if (getifaddrs(&all) != 0)
		return false;
	for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
		if (own->n_addresses < RESOLVE_OWN_MAX && from_sockaddr(i->ifa_addr, &address))
			own->address[own->n_addresses++] = address;
	}
	freeifaddrs(all);
	return true;
}

/* An IPv4 address within IPv6 (::ffff:192.0.2.1) leads where the IPv4 address does. */
static struct resolve_address plain(const struct resolve_address *a)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct resolve_address v4 = {0};

	if (!a->v6 || memcmp(a->bytes, mapped, sizeof mapped) != 0)
		return *a;
	memcpy(v4.bytes, a->bytes + sizeof mapped, 4);
	return v4;
}

/* To connect to the unspecified address is to connect to oneself. */
static bool is_loopback(const struct resolve_address *a)
{
	static const unsigned char zeros[15];

	if (!a->v6)
		return a->bytes[0] == 127 || a->bytes[0] == 0;
	return memcmp(a->bytes, zeros, sizeof zeros) == 0 && a->bytes[15] <= 1;
}

bool resolve_is_own(const struct resolve_own *own, const struct resolve_address *address)
{
	struct resolve_address a = plain(address);

	if (is_loopback(&a) && own->loopback)
		return true;
	for (size_t i = 0; i < own->n_addresses; i++) {
		struct resolve_address b = plain(&own->address[i]);

		if (is_loopback(&b) && !own->loopback)
			continue;
		if (a.v6 == b.v6 && memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0)
			return true;
	}
	return false;
}

static bool is_own(const struct resolve_own *own, const struct resolve_host *host)
{
	for (size_t i = 0; i < own->n_names; i++) {
		if (strcmp(host->name, own->name[i]) == 0 || strcmp(host->canon, own->name[i]) == 0)
			return true;
	}
	for (size_t i = 0; i < host->n_addresses; i++) {
		if (resolve_is_own(own, &host->address[i]))
			return true;
	}
	return false;
}

enum resolve_loop resolve_drop_own(struct resolve_answer *answer, const struct resolve_own *own)
{
	size_t us = 0;

	while (us < answer->n_hosts && !is_own(own, &answer->host[us]))
		us++;
	if (us == answer->n_hosts)
		return RESOLVE_NOT_US;

	/* Of equal preference some may stand before us, as the lots fell. */
	while (us > 0 && answer->host[us - 1].preference == answer->host[us].preference)
		us--;
	answer->n_hosts = us;
	mx_answer_settle(answer);
	return us > 0 ? RESOLVE_BEFORE : RESOLVE_TO_US;
}
