/* Who of a leg is due, and which of them go the same way. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/deliver/visit.h"
#include "lib/net/net.h"

#define KEY_MAX   ((size_t)4096)
#define RETRY_MAX (7 * 24 * 3600 * CLOCK_SECOND) /* of a line in etc/routes */

/* A recipient and where it goes. */
struct way {
	size_t rcpt;
	char *key; /* owned until a batch takes it */
	char *domain;
	struct manner manner;
};

static const char *domain_of(const struct visit *v, const char *address)
{
	const char *at = strrchr(address, '@');

	/* <postmaster> is the one address without a domain (RFC 5321 section 4.1.1.3): ours. */
	return at == NULL ? v->routing->hostname : at + 1;
}

/* ---- who is due --------------------------------------------------------------------------- */

static bool flushed(const struct visit *v, const struct leg_rcpt *rcpt)
{
	char name[RESOLVE_NAME_MAX + 1] = "";

	for (size_t i = 0; v->flushes != NULL && i < v->flushes->n; i++) {
		const struct flush *flush = &v->flushes->flush[i];

		if (rcpt->last_tried >= flush->at)
			continue;
		if (name[0] == '\0' && !resolve_name(domain_of(v, rcpt->address), name))
			(void)snprintf(name, sizeof name, "-");
		if (flush->domain[0] == '\0' || strcmp(name, flush->domain) == 0)
			return true;
	}
	return false;
}

static bool is_due(const struct visit *v, const struct leg_rcpt *rcpt)
{
	int64_t now = visit_now(v);

	if (rcpt->fate != RCPT_OPEN)
		return false;
	/* A time that lies further off than any retry was written by a wrong clock. */
	return rcpt->retry <= now || flushed(v, rcpt) ||
	       rcpt->retry > now + 2 * v->routing->settings.retry_longest + RETRY_MAX;
}

/* ---- where they go ------------------------------------------------------------------------ */

/* Two recipients of the same key can be sent in one transaction. */
static void write_key(const struct way *w, const char *name, char key[KEY_MAX])
{
	const struct manner *m = &w->manner;
	size_t used;

	if (m->kind == ROUTE_MX) {
		(void)snprintf(key, KEY_MAX, "mx:%s tls=%d ipv=%d", name, (int)m->tls, (int)m->ip);
		return;
	}
	used =
	    (size_t)snprintf(key, KEY_MAX, "%s:%s", m->kind == ROUTE_MAILDIR ? "maildir" : "host",
		m->kind == ROUTE_HOSTS ? "" : m->route->word);
	for (size_t i = 0; m->kind == ROUTE_HOSTS && i < m->route->hosts && used < KEY_MAX; i++)
		used += (size_t)snprintf(key + used, KEY_MAX - used, "%s%s:%u", i > 0 ? "," : "",
		    m->route->host[i].name, (unsigned)m->route->host[i].port);
	if (used < KEY_MAX && m->login != NULL)
		used += (size_t)snprintf(key + used, KEY_MAX - used, " login=%s", m->login);
	if (used < KEY_MAX)
		(void)snprintf(
		    key + used, KEY_MAX - used, " tls=%d ipv=%d", (int)m->tls, (int)m->ip);
}

static bool refuse(struct visit *v, size_t rcpt, const char *status, const char *why)
{
	struct verdict verdict;

	verdict_make(&verdict, REMOTE_REFUSED, PHASE_LOCAL, status, why);
	return results_add(&v->results, NULL, &rcpt, 1, &verdict, "-", "-", false);
}

/* Whether a domain can be looked up, or is an address ([192.0.2.1]). */
static bool lookable(const struct manner *m, const char *domain, char name[RESOLVE_NAME_MAX + 1])
{
	struct peers peers = {.n = 0};

	if (domain[0] != '[')
		return resolve_name(domain, name);
	peers_add_literal(&peers, m, domain, 0);
	(void)snprintf(name, RESOLVE_NAME_MAX + 1, "%.253s", domain);
	/* One of the family that is not used waits like a server that cannot be reached. */
	return peers.n > 0 || m->ip != ROUTE_IP_ANY;
}

/* Finds the way of one recipient, or refuses it; `w->key` stays NULL then. False: no memory. */
static bool find_way(struct visit *v, size_t i, struct way *w)
{
	const char *domain = domain_of(v, v->o.leg.rcpt[i].address);
	const struct routing *r = v->routing;
	char name[RESOLVE_NAME_MAX + 1], key[KEY_MAX], why[600];

	*w = (struct way){.rcpt = i};
	manner_of(&w->manner, r->routes, r->fallback, &r->settings, domain, strlen(domain));
	if (w->manner.kind == ROUTE_REFUSE) {
		(void)snprintf(why, sizeof why, "this gateway sends no mail there%s%.500s",
		    w->manner.route->word[0] != '\0' ? ": " : "", w->manner.route->word);
		return refuse(v, i, "5.7.1", why);
	}
	if (w->manner.kind == ROUTE_MX && !lookable(&w->manner, domain, name))
		return refuse(v, i, "5.1.2", "what stands behind the @ is no name of a domain");
	if (w->manner.kind == ROUTE_MX && peers_own_literal(domain, &r->own))
		return refuse(v, i, "5.4.6", "this address is that of this very gateway");
	write_key(w, name, key);
	w->key = strdup(key);
	w->domain = strdup(w->manner.kind == ROUTE_MX ? name : "");
	return w->key != NULL && w->domain != NULL;
}

static int by_key(const void *a, const void *b)
{
	const struct way *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	return order != 0 ? order : x->rcpt < y->rcpt ? -1 : 1;
}

static bool fill_batch(struct visit *v, struct batch *b, struct way *w, size_t n)
{
	b->visit = v;
	b->manner = w[0].manner;
	b->key = w[0].key;
	b->domain = w[0].domain;
	w[0].key = w[0].domain = NULL;
	b->rcpts = n;
	b->rcpt = reallocarray(NULL, n, sizeof *b->rcpt);
	b->answered = calloc(n, sizeof *b->answered);
	if (b->rcpt == NULL || b->answered == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		b->rcpt[i] = w[i].rcpt;
	return true;
}

/* ---- Maildirs ----------------------------------------------------------------------------- */

/* Takes out those who have been frozen since the leg was opened. */
static size_t not_frozen(struct visit *v, struct batch *b)
{
	size_t n = 0;

	(void)!gate_refresh(v->gate);
	for (size_t i = 0; i < b->rcpts; i++) {
		if (!gate_holds(v->gate, &v->o.leg, b->rcpt[i]))
			b->rcpt[n++] = b->rcpt[i];
		else
			v->left_as = VISIT_FROZEN;
	}
	b->rcpts = n;
	return n;
}

/* What cannot be kept for want of memory is as if it had not been tried: a Maildir notices. */
static void into_maildir(struct visit *v, const struct batch *b)
{
	char route[SETTING_TEXT_MAX + 16];
	struct net_report report;
	struct verdict verdict;

	(void)snprintf(route, sizeof route, "maildir:%s", b->manner.route->word);
	report = net_send(route, v->o.fd, &v->o.leg, b->rcpt, b->rcpts);
	if (report.result == NET_SENT)
		verdict_make(&verdict, REMOTE_DELIVERED, PHASE_LOCAL, "2.0.0", report.reply);
	else
		verdict_make(&verdict, REMOTE_DEFERRED, PHASE_LOCAL, "4.3.0", report.reply);
	v->damaged |= report.result == NET_DAMAGED;
	if (!results_add(&v->taken, NULL, b->rcpt, b->rcpts, &verdict,
		report.host[0] != '\0' ? report.host : "-", "-", false))
		LOG_ALARM("open-failed", kv("name", v->o.text), kv_errno(ENOMEM));
}

void visit_local(struct visit *v)
{
	if (!v->locals)
		return;
	v->locals = false;
	for (size_t i = 0; i < v->batches; i++) {
		if (v->batch[i].local && not_frozen(v, &v->batch[i]) > 0)
			into_maildir(v, &v->batch[i]);
	}
}

/* ---- all of it ---------------------------------------------------------------------------- */

/* Cuts the sorted ways into batches, a run of the same key each. */
static bool make_batches(struct visit *v, struct way *way, size_t n)
{
	size_t batches = 0;

	for (size_t i = 0; i < n; i++)
		batches += i == 0 || strcmp(way[i].key, way[i - 1].key) != 0;
	v->batch = calloc(batches, sizeof *v->batch);
	if (batches > 0 && v->batch == NULL)
		return false;

	for (size_t i = 0, run; i < n; i += run) {
		struct batch *b = &v->batch[v->batches];

		run = 1;
		while (i + run < n && strcmp(way[i + run].key, way[i].key) == 0)
			run++;
		*b = (struct batch){.visit = v};
		v->batches++;
		if (!fill_batch(v, b, &way[i], run))
			return false;
		b->local = b->manner.kind == ROUTE_MAILDIR;
		v->locals |= b->local;
	}
	return true;
}

bool visit_plan(struct visit *v)
{
	const struct leg *leg = &v->o.leg;
	struct way *way = reallocarray(NULL, leg->rcpts, sizeof *way);
	bool fine = way != NULL;
	size_t n = 0;

	for (size_t i = 0; i < leg->rcpts && fine; i++) {
		if (!is_due(v, &leg->rcpt[i]))
			continue;
		if (gate_holds(v->gate, leg, i)) {
			v->left_as = VISIT_FROZEN;
			continue;
		}
		fine = find_way(v, i, &way[n]);
		n += way[n].key != NULL;
	}
	if (fine) {
		if (n > 1)
			qsort(way, n, sizeof *way, by_key);
		fine = make_batches(v, way, n);
	}
	if (!fine)
		errno = ENOMEM;
	for (size_t i = 0; i < n; i++) {
		free(way[i].key);
		free(way[i].domain);
	}
	free(way);
	return fine;
}
