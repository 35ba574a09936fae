/* Any bytes as a recipient's domain: what is asked about is a name, what is added is an address. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "lib/routes/peers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

/* The setting "mx" alone. */
static struct manner by_mx(const char *domain)
{
	static struct settings settings;
	static struct routes *none, *mx;
	struct conf_fault fault;
	struct manner m;

	if (mx == NULL) {
		settings_default(&settings);
		none = routes_parse("", 0, "none", &fault);
		mx = routes_of_setting(&settings, &fault);
		demand(none != NULL && mx != NULL);
	}
	manner_of(&m, none, mx, &settings, domain, strlen(domain));
	return m;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct peers peers;
	char *domain = malloc(size + 1), name[RESOLVE_NAME_MAX + 1], again[RESOLVE_NAME_MAX + 1];
	enum peers_question question;
	struct in6_addr address;
	struct manner m;

	demand(domain != NULL);
	memcpy(domain, data, size);
	domain[size] = '\0';
	m = by_mx(domain);
	demand(m.kind == ROUTE_MX);

	peers.n = 0;
	question = peers_ask(&m, domain, 0, name);
	peers_add_literal(&peers, &m, domain, 0);
	demand(name[0] != '\0' && question != PEERS_HOST && peers.n <= 1);
	if (question == PEERS_MX)
		demand(peers.n == 0 && resolve_name(name, again) && strcmp(name, again) == 0);
	if (peers.n == 1)
		demand(
		    strcmp(peers.peer[0].address, name) == 0 && peers.peer[0].name[0] == '\0' &&
		    inet_pton(strchr(name, ':') != NULL ? AF_INET6 : AF_INET, name, &address) == 1);
	demand(peers_ask(&m, domain, 1, name) == PEERS_NOTHING && name[0] == '\0');
	free(domain);
	return 0;
}
