/*
 * From a route and what the DNS said to the addresses that are tried, in their order. Pure: it asks
 * nobody. seki-deliver opens its sessions by it, and "seki route test" shows it.
 */
#ifndef SEKISHO_ROUTES_PEERS_H
#define SEKISHO_ROUTES_PEERS_H

#include <netinet/in.h>

#include "lib/base/settings.h"
#include "lib/resolve/ask.h"
#include "lib/routes/routes.h"

#define PEERS_MAX ((size_t)100)

struct peer {
	char address[INET6_ADDRSTRLEN];
	uint16_t port;
	char name[RESOLVE_NAME_MAX + 1]; /* of the host; "" if it is known by its address alone */
};

/* How a destination is talked to: the line of etc/routes, filled up by the settings. */
struct manner {
	enum route_kind kind;
	const struct route *route; /* the line, or what stands for the setting "route" */
	enum route_ip ip;          /* never ROUTE_IP_UNSAID */
	bool tls;                  /* if the server offers it; always true with a login */
	const char *login;         /* or NULL */
	size_t sessions;
	size_t addresses; /* tried in one session at most */
	uint16_t mx_port;
	int64_t retry, expire, warn; /* microseconds; warn 0: never */
};

/*
 * The setting "route" as a line of etc/routes ("* ROUTE"). NULL with the fault, which names
 * etc/settings without a line; its column counts from the first byte of the value. Free with
 * routes_free.
 */
NODISCARD struct routes *routes_of_setting(const struct settings *s, struct conf_fault *fault);

/*
 * Who we are, by the settings hostname and own-names and the machine's addresses; a trial's servers
 * are on its own machine, so that its addresses are not counted. False: the addresses cannot be read
 * (errno), and names must do.
 */
bool own_of_settings(const struct settings *s, struct resolve_own *own);

/*
 * How mail for a recipient's domain (behind its '@') goes: the line of `routes` that decides, or
 * `fallback`, which is routes_of_setting's. `m` points into them and lives as long.
 */
void manner_of(struct manner *m, const struct routes *routes, const struct routes *fallback,
    const struct settings *s, const char *domain, size_t len);

/* What is asked of seki-resolve before a session can be opened. */
enum peers_question { PEERS_NOTHING, PEERS_MX, PEERS_HOST };

/*
 * The next question for a destination: one about `domain`, UTF-8 or A-labels, for ROUTE_MX; host
 * after host for ROUTE_HOSTS; none for other routes. `nth` counts from 0. With PEERS_MX and
 * PEERS_HOST `name` is what to ask about, as resolve_name writes it. With PEERS_NOTHING
 *
 *   name[0] == '\0'  nothing is left: `nth` is beyond the last
 *   otherwise        the nth needs no question; `name` is its address as text. peers_add_literal
 *                    adds it. For a domain that is no name (RESOLVE_NO_NAME) `name` is its beginning,
 *                    and nothing will be added.
 */
enum peers_question peers_ask(
    const struct manner *m, const char *domain, size_t nth, char name[RESOLVE_NAME_MAX + 1]);

/* Whether a domain is an address literal, and leads to ourselves. */
bool peers_own_literal(const char *domain, const struct resolve_own *own);

struct peers {
	size_t n;
	struct peer peer[PEERS_MAX];
};

/*
 * Adds what needs no question: the address literal ([192.0.2.1], [IPv6:2001:db8::1]), or the nth
 * smart host if it is an address; nothing if it is neither, or of the other family than m->ip.
 */
void peers_add_literal(struct peers *p, const struct manner *m, const char *domain, size_t nth);

/*
 * Adds the addresses of an answer, in its order; those of the other family than m->ip, and those
 * that are there already, are left out. With all that were added before there are at most
 * m->addresses. Where IPv6 alone would take all places, IPv4 gets half of them: who has no working
 * IPv6 still reaches the server.
 */
void peers_add(
    struct peers *p, const struct manner *m, const struct resolve_answer *answer, uint16_t port);

#endif
