#include "lib/resolve/lookup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unbound.h>

#include "lib/base/log.h"
#include "lib/resolve/name.h"

#define CLASS_IN       1
#define RCODE_NOERROR  0
#define RCODE_NXDOMAIN 3
#define RCODE_REFUSED  5
#define ZONE_MAX       256

struct resolver {
	struct ub_ctx *unbound;
	struct lookup *lookups; /* that run */
	size_t running;
	size_t most;
};

struct lookup {
	struct resolver *resolver;
	lookup_done *done; /* NULL: forgotten */
	void *context;
	struct lookup *before, *next; /* in the resolver's list */
};

/* ---- setting up ---- */

/*
 * The library's own bounds are those of a program that asks now and then: 16 sockets and 32 queries
 * at once. The additional section, which nobody here looks at, is not validated: with the addresses
 * of a hundred mail servers in it that takes longer than a question has, since the library pauses
 * between signatures. What it puts into the cache is validated when it is asked for.
 */
static const char *const setup[][2] = {
    {"val-clean-additional:", "no"},
    {"outgoing-range:", "256"},
    {"num-queries-per-thread:", "1024"},
    {"msg-cache-size:", "4m"},
    {"rrset-cache-size:", "8m"},
    {"key-cache-size:", "2m"},
    {"neg-cache-size:", "1m"},
    {"infra-cache-numhosts:", "10000"},
};

/* Notes what was wrong with which word; returns whether it was not. */
static bool fine(int error, const char *what, char *fault, size_t room)
{
	if (error != 0)
		(void)snprintf(fault, room, "%s: %s", what, ub_strerror(error));
	return error == 0;
}

static bool is_local(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || strncmp(address, "::1", 3) == 0;
}

/* By default libunbound sends nothing to this machine, so that no stranger's zone makes it. */
static int allow_local(struct ub_ctx *u, const char *address)
{
	return is_local(address) ? ub_ctx_set_option(u, "do-not-query-localhost:", "no") : 0;
}

static int add_forwarder(struct ub_ctx *u, const char *address)
{
	int error = allow_local(u, address);

	return error != 0 ? error : ub_ctx_set_fwd(u, address);
}

/* Writes the zone of ZONE=ADDRESS, and returns the address; NULL if that is not its form. */
static const char *split_stub(const char *word, char zone[ZONE_MAX])
{
	const char *equals = strchr(word, '=');

	if (equals == NULL || equals == word || (size_t)(equals - word) >= ZONE_MAX)
		return NULL;
	memcpy(zone, word, (size_t)(equals - word));
	zone[equals - word] = '\0';
	return equals + 1;
}

static int add_stub(struct ub_ctx *u, const char *word)
{
	char zone[ZONE_MAX];
	const char *address = split_stub(word, zone);
	int error = address != NULL ? allow_local(u, address) : UB_SYNTAX;

	return error != 0 ? error : ub_ctx_set_stub(u, zone, address, 0);
}

/*
 * Else the zones that libunbound answers for itself (test, local ...) would hide the stub. Ends the
 * setting up, unlike all others.
 */
static int show_stub(struct ub_ctx *u, const char *word)
{
	char zone[ZONE_MAX];

	if (split_stub(word, zone) == NULL)
		return UB_SYNTAX;
	return ub_ctx_zone_add(u, zone, "transparent");
}

static int add_anchor(struct ub_ctx *u, const char *file)
{
	return ub_ctx_add_ta_file(u, file);
}

static int add_insecure(struct ub_ctx *u, const char *zone)
{
	return ub_ctx_set_option(u, "domain-insecure:", zone);
}

static bool add_all(struct ub_ctx *u, const char *setting, const struct words *words,
    int (*add)(struct ub_ctx *, const char *), char *fault, size_t room)
{
	for (size_t i = 0; i < words->n; i++) {
		int error = add(u, words->word[i]);

		if (error != 0) {
			(void)snprintf(fault, room, "etc/settings: %s: %s: %s", setting,
			    words->word[i], ub_strerror(error));
			return false;
		}
	}
	return true;
}

/* libunbound reads the anchors with the first question; a broken file has to be known now. */
static bool try_it(struct ub_ctx *u, char *fault, size_t room)
{
	struct ub_result *result = NULL;
	bool good = fine(ub_resolve(u, "localhost.", RECORD_A, CLASS_IN, &result),
	    "etc/settings: trust anchors or other settings", fault, room);

	if (good && !result->havedata) {
		(void)snprintf(
		    fault, room, "localhost has no address: libunbound is set up wrongly");
		good = false;
	}
	ub_resolve_free(result);
	return good;
}

static bool set_up(
    struct ub_ctx *u, const struct resolver_options *options, char *fault, size_t room)
{
	/* What it would say on standard error is not in the log's form. */
	(void)ub_ctx_debugout(u, NULL);
	for (size_t i = 0; i < COUNT_OF(setup); i++) {
		if (!fine(ub_ctx_set_option(u, setup[i][0], setup[i][1]), setup[i][0], fault, room))
			return false;
	}
	return fine(ub_ctx_async(u, 1), "thread", fault, room) &&
	       fine(ub_ctx_add_ta_file(u, LOOKUP_ANCHOR), LOOKUP_ANCHOR, fault, room) &&
	       add_all(u, "resolve-anchors", &options->anchors, add_anchor, fault, room) &&
	       add_all(u, "resolve-insecure", &options->insecure, add_insecure, fault, room) &&
	       add_all(u, "resolve-servers", &options->forwarders, add_forwarder, fault, room) &&
	       add_all(u, "resolve-stubs", &options->stubs, add_stub, fault, room) &&
	       try_it(u, fault, room) &&
	       add_all(u, "resolve-stubs", &options->stubs, show_stub, fault, room);
}

struct resolver *resolver_open(const struct resolver_options *options, char *fault, size_t room)
{
	struct resolver *r = calloc(1, sizeof *r);
	struct ub_ctx *u = ub_ctx_create();

	if (r == NULL || u == NULL) {
		(void)snprintf(fault, room, "no memory");
		goto fail;
	}
	if (!set_up(u, options, fault, room))
		goto fail;
	r->unbound = u;
	r->most = options->lookups;
	return r;

fail:
	ub_ctx_delete(u);
	free(r);
	return NULL;
}

void resolver_close(struct resolver *r)
{
	if (r == NULL)
		return;
	ub_ctx_delete(r->unbound);
	while (r->lookups != NULL) {
		struct lookup *l = r->lookups;

		r->lookups = l->next;
		free(l);
	}
	free(r);
}

int resolver_fd(const struct resolver *r)
{
	return ub_fd(r->unbound);
}

bool resolver_process(struct resolver *r)
{
	return ub_process(r->unbound) == 0;
}

bool resolver_has_room(const struct resolver *r)
{
	return r->running < r->most;
}

/* ---- one look-up ---- */

struct outcome lookup_judge(bool bogus, bool secure, int rcode, bool nxdomain, bool havedata)
{
	struct outcome o = {.status = RESOLVE_LATER, .reason = RESOLVE_SERVFAIL};

	if (bogus) {
		o.reason = RESOLVE_BOGUS;
		return o;
	}
	if (rcode == RCODE_REFUSED)
		o.reason = RESOLVE_REFUSED;
	if (rcode != RCODE_NOERROR && rcode != RCODE_NXDOMAIN)
		return o;

	o.secure = secure;
	o.status = havedata ? RESOLVE_OK : RESOLVE_NONE;
	o.reason = havedata ? RESOLVE_NO_REASON : nxdomain ? RESOLVE_NXDOMAIN : RESOLVE_NO_ADDRESS;
	return o;
}

/* The records as pointer and length; NULL if there are none or no memory for them. */
static struct rdata *collect(const struct ub_result *result, size_t *n)
{
	struct rdata *records;
	size_t count = 0;

	*n = 0;
	while (result->havedata && result->data[count] != NULL && count < LOOKUP_RECORDS_MAX)
		count++;
	records = count > 0 ? calloc(count, sizeof *records) : NULL;
	if (records == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		records[i].bytes = (const unsigned char *)result->data[i];
		records[i].len = result->len[i] > 0 ? (size_t)result->len[i] : 0;
	}
	*n = count;
	return records;
}

static void tell(const struct lookup *l, const struct ub_result *result)
{
	struct found found = {.n = 0};
	struct rdata *records;

	if (result->bogus)
		LOG("resolve-bogus", kv("name", result->qname), kv_num("type", result->qtype),
		    kv("why", result->why_bogus));
	found.outcome = lookup_judge(
	    result->bogus, result->secure, result->rcode, result->nxdomain, result->havedata);
	found.records = records = collect(result, &found.n);
	if (found.outcome.status == RESOLVE_OK && found.n == 0)
		found.outcome = (struct outcome){RESOLVE_LATER, RESOLVE_NO_RESOURCES, false};
	if (result->canonname != NULL)
		name_from_text(result->canonname, found.canon);
	l->done(l->context, &found);
	free(records);
}

static void list_add(struct lookup *l)
{
	struct resolver *r = l->resolver;

	l->next = r->lookups;
	if (l->next != NULL)
		l->next->before = l;
	r->lookups = l;
	r->running++;
}

static void list_remove(struct lookup *l)
{
	struct resolver *r = l->resolver;

	if (l->before != NULL)
		l->before->next = l->next;
	else
		r->lookups = l->next;
	if (l->next != NULL)
		l->next->before = l->before;
	r->running--;
}

static void on_result(void *context, int error, struct ub_result *result)
{
	struct lookup *l = context;
	struct found none = {.outcome = {RESOLVE_LATER, RESOLVE_SERVFAIL, false}};

	list_remove(l);
	if (l->done != NULL && error == 0 && result != NULL)
		tell(l, result);
	else if (l->done != NULL)
		l->done(l->context, &none);
	ub_resolve_free(result);
	free(l);
}

struct lookup *lookup_start(
    struct resolver *r, const char *name, enum record_type type, lookup_done *done, void *context)
{
	struct lookup *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	l->resolver = r;
	l->done = done;
	l->context = context;
	if (ub_resolve_async(r->unbound, name, type, CLASS_IN, l, on_result, NULL) != 0) {
		free(l);
		return NULL;
	}
	list_add(l);
	return l;
}

void lookup_forget(struct lookup *l)
{
	l->done = NULL;
}
