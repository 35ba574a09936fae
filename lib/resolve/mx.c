#include "lib/resolve/mx.h"

#include <string.h>

#include "lib/resolve/name.h"

#define PREFERENCE_BYTES ((size_t)2)

struct rank {
	uint16_t preference;
	uint32_t lot; /* decides between equal preferences */
	size_t record;
};

static bool before(const struct rank *a, const struct rank *b)
{
	return a->preference != b->preference ? a->preference < b->preference : a->lot < b->lot;
}

/* Into the sorted `ranks`; when they are full the last falls out, which may be `r` itself. */
static size_t insert(struct rank ranks[RESOLVE_HOSTS_MAX], size_t n, const struct rank *r)
{
	size_t at = n;

	while (at > 0 && before(r, &ranks[at - 1]))
		at--;
	if (at == RESOLVE_HOSTS_MAX)
		return n;
	if (n < RESOLVE_HOSTS_MAX)
		n++;
	memmove(&ranks[at + 1], &ranks[at], (n - 1 - at) * sizeof ranks[0]);
	ranks[at] = *r;
	return n;
}

static enum name_wire host_name(const struct rdata *record, char name[RESOLVE_NAME_MAX + 1])
{
	if (record->len <= PREFERENCE_BYTES)
		return NAME_WIRE_BAD;
	return name_from_wire(
	    record->bytes + PREFERENCE_BYTES, record->len - PREFERENCE_BYTES, name);
}

static bool is_there(const struct resolve_answer *answer, const char *name)
{
	for (size_t i = 0; i < answer->n_hosts; i++) {
		if (strcmp(answer->host[i].name, name) == 0)
			return true;
	}
	return false;
}

static void add_host(struct resolve_answer *answer, uint16_t preference, const char *name)
{
	struct resolve_host *host = &answer->host[answer->n_hosts++];

	memset(host, 0, sizeof *host);
	host->preference = preference;
	host->status = RESOLVE_LATER;
	host->reason = RESOLVE_TIMEOUT;
	memcpy(host->name, name, strlen(name) + 1);
}

enum mx_found mx_plan(const struct rdata *records, size_t n, const struct chance *chance,
    struct resolve_answer *answer)
{
	struct rank ranks[RESOLVE_HOSTS_MAX];
	char name[RESOLVE_NAME_MAX + 1];
	size_t good = 0, root = 0, kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct rank r = {.record = i};
		enum name_wire wire = host_name(&records[i], name);

		root += wire == NAME_WIRE_ROOT;
		if (wire != NAME_WIRE_GOOD)
			continue;
		good++;
		r.preference = (uint16_t)(records[i].bytes[0] << 8 | records[i].bytes[1]);
		r.lot = chance->next(chance->context);
		kept = insert(ranks, kept, &r);
	}
	answer->n_hosts = 0;
	answer->malformed = n - good;
	answer->more = good - kept;
	if (good == 0 && root > 0 && root == n) {
		answer->malformed = 0;
		return MX_NULL;
	}

	for (size_t i = 0; i < kept; i++) {
		if (host_name(&records[ranks[i].record], name) == NAME_WIRE_GOOD &&
		    !is_there(answer, name))
			add_host(answer, ranks[i].preference, name);
	}
	return good > 0 ? MX_HOSTS : MX_UNUSABLE;
}

void mx_plan_only(struct resolve_answer *answer, bool implicit)
{
	answer->n_hosts = 0;
	answer->implicit = implicit;
	add_host(answer, 0, answer->name);
}

/* Evenly among `n` > 0: numbers of the incomplete last round are drawn again. */
static size_t draw(const struct chance *chance, size_t n)
{
	uint32_t bound = (uint32_t)n;
	uint32_t unfair = (uint32_t)(-bound) % bound;
	uint32_t lot;

	do {
		lot = chance->next(chance->context);
	} while (lot < unfair);
	return lot % bound;
}

/* Some of the records, each as likely as the others, in random order; returns how many. */
static size_t choose(const struct rdata *records, size_t n, size_t len, const struct chance *chance,
    size_t chosen[RESOLVE_FAMILY_MAX])
{
	size_t seen = 0;

	for (size_t i = 0; i < n; i++) {
		size_t at;

		if (records[i].len != len)
			continue;
		at = draw(chance, ++seen);
		if (seen <= RESOLVE_FAMILY_MAX)
			chosen[seen - 1] = chosen[at];
		if (at < RESOLVE_FAMILY_MAX)
			chosen[at] = i;
	}
	return seen < RESOLVE_FAMILY_MAX ? seen : RESOLVE_FAMILY_MAX;
}

void mx_host_add(struct resolve_host *host, bool v6, const struct rdata *records, size_t n,
    const struct chance *chance)
{
	size_t chosen[RESOLVE_FAMILY_MAX] = {0};
	size_t len = v6 ? 16 : 4;
	size_t count = choose(records, n, len, chance, chosen);
	size_t at = v6 ? 0 : host->n_addresses;

	if (count > RESOLVE_ADDRESSES_MAX - host->n_addresses)
		count = RESOLVE_ADDRESSES_MAX - host->n_addresses;
	memmove(&host->address[at + count], &host->address[at],
	    (host->n_addresses - at) * sizeof host->address[0]);
	for (size_t i = 0; i < count; i++) {
		struct resolve_address *a = &host->address[at + i];

		memset(a, 0, sizeof *a);
		a->v6 = v6;
		memcpy(a->bytes, records[chosen[i]].bytes, len);
	}
	host->n_addresses += count;
}

void mx_host_settle(struct resolve_host *host, const struct outcome *v6, const struct outcome *v4)
{
	if (host->n_addresses > 0) {
		/* A family that nobody will connect to need not be proven. */
		host->status = RESOLVE_OK;
		host->reason = RESOLVE_NO_REASON;
		host->secure = (v6->status != RESOLVE_OK || v6->secure) &&
			       (v4->status != RESOLVE_OK || v4->secure);
		return;
	}

	host->secure = false;
	if (v6->status == RESOLVE_LATER || v4->status == RESOLVE_LATER) {
		host->status = RESOLVE_LATER;
		host->reason = v6->status == RESOLVE_LATER ? v6->reason : v4->reason;
		return;
	}
	host->status = RESOLVE_NONE;
	host->reason = v6->reason == RESOLVE_NXDOMAIN && v4->reason == RESOLVE_NXDOMAIN
			   ? RESOLVE_NXDOMAIN
			   : RESOLVE_NO_ADDRESS;
	host->secure = v6->secure && v4->secure;
}

void mx_answer_settle(struct resolve_answer *answer)
{
	const struct resolve_host *waits = NULL;

	answer->status = RESOLVE_NONE;
	answer->reason = RESOLVE_NO_ADDRESS;
	if (answer->kind == RESOLVE_A && answer->n_hosts == 1) {
		answer->reason = answer->host[0].reason;
		answer->secure = answer->host[0].secure;
	}

	for (size_t i = 0; i < answer->n_hosts; i++) {
		if (answer->host[i].status == RESOLVE_OK) {
			answer->status = RESOLVE_OK;
			answer->reason = RESOLVE_NO_REASON;
			return;
		}
		if (waits == NULL && answer->host[i].status == RESOLVE_LATER)
			waits = &answer->host[i];
	}
	if (waits != NULL) {
		answer->status = RESOLVE_LATER;
		answer->reason = waits->reason;
	}
}

void mx_answer_fail(struct resolve_answer *answer, enum resolve_status status,
    enum resolve_reason reason, bool secure)
{
	answer->status = status;
	answer->reason = reason;
	answer->secure = secure;
	answer->implicit = false;
	answer->n_hosts = 0;
}
