#include "lib/routes/peers.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/die.h"

/* ---- the manner --------------------------------------------------------------------------- */

#define ALL "* "

struct routes *routes_of_setting(const struct settings *s, struct conf_fault *fault)
{
	char line[SETTING_TEXT_MAX + sizeof ALL + 1], why[sizeof fault->text];
	int len = snprintf(line, sizeof line, ALL "%s\n", s->route);
	struct routes *routes = routes_parse(line, (size_t)len, "etc/settings", fault);

	if (routes == NULL) {
		fault->line = 0;
		fault->column -= fault->column >= sizeof ALL ? (unsigned)sizeof ALL - 1 : 0;
		(void)snprintf(why, sizeof why, "%s", fault->text);
		(void)snprintf(fault->text, sizeof fault->text, "route: %.240s", why);
	}
	return routes;
}

bool own_of_settings(const struct settings *s, struct resolve_own *own)
{
	char names[SETTING_TEXT_MAX], *rest = names;

	*own = (struct resolve_own){.loopback = !s->trial};
	settings_hostname(s, names);
	(void)!resolve_own_name(own, names); /* what is no name is nobody's */

	memcpy(names, s->own_names, sizeof names);
	while (strcmp(s->own_names, "-") != 0 && rest != NULL)
		(void)!resolve_own_name(own, strsep(&rest, " "));
	return s->trial || resolve_own_addresses(own);
}

static enum route_ip ip_of(const struct route *route, const struct settings *s)
{
	static const enum route_ip of_setting[] = {[DELIVER_IP_ANY] = ROUTE_IP_ANY,
	    [DELIVER_IP_4] = ROUTE_IP_4,
	    [DELIVER_IP_6] = ROUTE_IP_6};

	return route->ip != ROUTE_IP_UNSAID ? route->ip : of_setting[s->deliver_ip];
}

/* A password is said within TLS only: who has one wants TLS, whatever holds for the others. */
static bool tls_of(const struct route *route, const struct settings *s)
{
	if (route->tls != ROUTE_TLS_UNSAID)
		return route->tls == ROUTE_TLS_MAY;
	return route->login != NULL || s->deliver_tls == DELIVER_TLS_MAY;
}

void manner_of(struct manner *m, const struct routes *routes, const struct routes *fallback,
    const struct settings *s, const char *domain, size_t len)
{
	const struct route *route = routes_find(routes, domain, len);

	if (route == NULL)
		route = routes_find(fallback, domain, len);
	if (route == NULL)
		die_bug("the setting route speaks for every domain");

	*m = (struct manner){.kind = route->kind,
	    .route = route,
	    .ip = ip_of(route, s),
	    .tls = tls_of(route, s),
	    .login = route->login,
	    .sessions = route->sessions > 0 ? route->sessions : (size_t)s->deliver_sessions,
	    .addresses = (size_t)s->deliver_addresses,
	    .mx_port = (uint16_t)s->mx_port,
	    .retry = route->retry > 0 ? route->retry : s->retry_first,
	    .expire = route->expire > 0 ? route->expire : s->expire,
	    .warn = route->warn > 0 ? route->warn : s->delay_warning};
}

/* ---- the question ------------------------------------------------------------------------- */

static bool to_address(const char *text, struct resolve_address *to)
{
	*to = (struct resolve_address){.v6 = strchr(text, ':') != NULL};
	return inet_pton(to->v6 ? AF_INET6 : AF_INET, text, to->bytes) == 1;
}

static void show_address(const struct resolve_address *a, char text[INET6_ADDRSTRLEN])
{
	if (inet_ntop(a->v6 ? AF_INET6 : AF_INET, a->bytes, text, INET6_ADDRSTRLEN) == NULL)
		die_bug("an address cannot be written");
}

/* RFC 5321 section 4.1.3. A General-address-literal leads to no host that is known. */
static bool to_literal(const char *domain, struct resolve_address *to)
{
	static const char tag[] = "IPv6:";
	char inner[sizeof tag + INET6_ADDRSTRLEN];
	size_t len = strnlen(domain, sizeof inner + 2);
	bool v6;

	if (len < 3 || len > sizeof inner || domain[0] != '[' || domain[len - 1] != ']')
		return false;
	memcpy(inner, domain + 1, len - 2);
	inner[len - 2] = '\0';
	v6 = strncasecmp(inner, tag, sizeof tag - 1) == 0;
	return to_address(inner + (v6 ? sizeof tag - 1 : 0), to) && to->v6 == v6;
}

bool peers_own_literal(const char *domain, const struct resolve_own *own)
{
	struct resolve_address address;

	return to_literal(domain, &address) && resolve_is_own(own, &address);
}

/* What the nth of a route is, if it needs no question. */
static bool known_address(
    const struct manner *m, const char *domain, size_t nth, struct resolve_address *to)
{
	if (m->kind == ROUTE_MX)
		return nth == 0 && to_literal(domain, to);
	return m->kind == ROUTE_HOSTS && nth < m->route->hosts && m->route->host[nth].address &&
	       to_address(m->route->host[nth].name, to);
}

enum peers_question peers_ask(
    const struct manner *m, const char *domain, size_t nth, char name[RESOLVE_NAME_MAX + 1])
{
	size_t questions = m->kind == ROUTE_MX ? 1 : m->route->hosts;
	struct resolve_address address;
	const char *about;

	name[0] = '\0';
	if (nth >= questions)
		return PEERS_NOTHING;
	if (known_address(m, domain, nth, &address)) {
		show_address(&address, name);
		return PEERS_NOTHING;
	}

	about = m->kind == ROUTE_MX ? domain : m->route->host[nth].name;
	if (resolve_name(about, name))
		return m->kind == ROUTE_MX ? PEERS_MX : PEERS_HOST;
	(void)snprintf(name, RESOLVE_NAME_MAX + 1, "%s", about[0] != '\0' ? about : "@");
	return PEERS_NOTHING;
}

/* ---- the peers ---------------------------------------------------------------------------- */

static bool is_wanted(const struct manner *m, const struct resolve_address *a)
{
	return m->ip == ROUTE_IP_ANY || (m->ip == ROUTE_IP_6) == a->v6;
}

static bool is_v6(const struct peer *peer)
{
	return strchr(peer->address, ':') != NULL;
}

static size_t bound(const struct manner *m)
{
	return m->addresses < PEERS_MAX ? m->addresses : PEERS_MAX;
}

static void add(struct peers *p, const struct manner *m, const struct resolve_address *a,
    const char *name, uint16_t port)
{
	struct peer *peer = &p->peer[p->n];
	char address[INET6_ADDRSTRLEN];

	if (p->n >= bound(m) || !is_wanted(m, a))
		return;
	show_address(a, address);
	for (size_t i = 0; i < p->n; i++) {
		if (p->peer[i].port == port && strcmp(p->peer[i].address, address) == 0)
			return;
	}

	memcpy(peer->address, address, sizeof address);
	(void)snprintf(peer->name, sizeof peer->name, "%s", name);
	peer->port = port;
	p->n++;
}

void peers_add_literal(struct peers *p, const struct manner *m, const char *domain, size_t nth)
{
	struct resolve_address address;

	if (known_address(m, domain, nth, &address))
		add(p, m, &address, "",
		    m->kind == ROUTE_MX ? m->mx_port : m->route->host[nth].port);
}

/* `v4_only`: leaves IPv6 out. */
static void add_answer(struct peers *p, const struct manner *m, const struct resolve_answer *answer,
    uint16_t port, bool v4_only)
{
	for (size_t h = 0; h < answer->n_hosts; h++) {
		const struct resolve_host *host = &answer->host[h];

		for (size_t i = 0; i < host->n_addresses; i++) {
			if (!v4_only || !host->address[i].v6)
				add(p, m, &host->address[i], host->name, port);
		}
	}
}

static size_t count_v4(const struct resolve_answer *answer)
{
	size_t n = 0;

	for (size_t h = 0; h < answer->n_hosts; h++) {
		for (size_t i = 0; i < answer->host[h].n_addresses; i++)
			n += !answer->host[h].address[i].v6;
	}
	return n;
}

static bool has_v4(const struct peers *p)
{
	for (size_t i = 0; i < p->n; i++) {
		if (!is_v6(&p->peer[i]))
			return true;
	}
	return false;
}

void peers_add(
    struct peers *p, const struct manner *m, const struct resolve_answer *answer, uint16_t port)
{
	size_t v4 = m->ip == ROUTE_IP_6 ? 0 : count_v4(answer), half = bound(m) / 2;

	add_answer(p, m, answer, port, false);
	if (v4 == 0 || p->n < bound(m) || has_v4(p))
		return;

	/* All of it is IPv6: the last of them make room. */
	p->n -= v4 < half ? v4 : half;
	add_answer(p, m, answer, port, true);
}
