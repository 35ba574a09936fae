/* route test: where mail for an address would go now, asked and decided as seki-deliver does. */
#include "lib/shell/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/shell/check.h"
#include "lib/shell/out.h"
#include "lib/shell/etc_routes.h"

#define LINE_MAX    ((size_t)16384)
#define PATIENCE_MS 5000 /* beyond what seki-resolve may take */

#define OTHER_IP "its addresses are of the other version of IP"

/* A host that an answer named, for the lines about its addresses. */
struct host {
	char name[RESOLVE_NAME_MAX + 1];
	unsigned preference;
	bool secure;
};

/* One address that is asked about. */
struct testing {
	struct out *out;
	const struct etc_routes *routing;
	const char *domain;
	struct manner manner;
	struct resolve_answer answer;
	struct peers peers;
	struct host host[RESOLVE_HOSTS_MAX];
	size_t hosts;
	bool refused;    /* for good: waiting would not help */
	const char *why; /* nothing is tried: the first reason; a literal */
};

/* ---- in words ----------------------------------------------------------------------------- */

static const char *in_words(const struct resolve_answer *a, enum resolve_reason reason)
{
	switch (reason) {
	case RESOLVE_NO_REASON:
		break;
	case RESOLVE_NXDOMAIN:
		return "there is no such name";
	case RESOLVE_NO_ADDRESS:
		return "there is no address";
	case RESOLVE_NO_NAME:
		return "that is no name of a host";
	case RESOLVE_SERVFAIL:
		return "its name servers do not answer as they should";
	case RESOLVE_REFUSED:
		return "its name servers refuse to answer";
	case RESOLVE_BOGUS:
		return "its signatures (DNSSEC) are wrong or missing";
	case RESOLVE_TIMEOUT:
		return "there was no answer in time";
	case RESOLVE_STOPPING:
		return "seki-resolve is ending";
	case RESOLVE_NO_RESOURCES:
		return "seki-resolve lacks memory or descriptors";
	case RESOLVE_GONE:
		return "seki-resolve is not there";
	case RESOLVE_UNINTELLIGIBLE:
		return "seki-resolve answered nonsense";
	}
	return a->status == RESOLVE_NULL ? "it says that it takes no mail (null MX)" : "";
}

static const char *secure_word(bool secure)
{
	return secure ? "secure" : "insecure";
}

static void put_why(struct out *o, const char *why)
{
	if (why[0] != '\0')
		out_text(o, "why", why);
	else
		out_none(o, "why");
}

/* ---- the route ---------------------------------------------------------------------------- */

/* Where the line stands that decides. */
static void put_source(const struct testing *t)
{
	char source[64];

	if (t->manner.route == routes_find(t->routing->routes, t->domain, strlen(t->domain)))
		(void)snprintf(source, sizeof source, "etc/routes:%u", t->manner.route->line);
	else if (t->routing->setting_line > 0)
		(void)snprintf(source, sizeof source, "etc/settings:%u", t->routing->setting_line);
	else
		(void)snprintf(source, sizeof source, "default");
	out_text(t->out, "source", source);
}

static void put_route(const struct testing *t, const char *address)
{
	struct buf line;

	buf_init(&line, LINE_MAX);
	route_show(t->manner.route, &line);
	out_text(t->out, "what", "route");
	out_text(t->out, "address", address);
	put_source(t);
	out_bytes(t->out, "line", line.bytes, line.len);
	out_end(t->out);
	buf_free(&line);
}

/* Everything that the line and the settings say, as options of a line. */
static void put_manner(const struct testing *t)
{
	const struct manner *m = &t->manner;
	struct route said = {.domain = "*",
	    .word = "",
	    .kind = ROUTE_MX,
	    .tls = m->tls ? ROUTE_TLS_MAY : ROUTE_TLS_NONE,
	    .login = m->login,
	    .sessions = (unsigned)m->sessions,
	    .ip = m->ip,
	    .expire = m->expire,
	    .retry = m->retry,
	    .warn = m->warn};
	static const char plain[] = "* mx ";
	struct buf line;

	buf_init(&line, LINE_MAX);
	if (m->kind == ROUTE_MAILDIR)
		said = (struct route){.domain = "*",
		    .word = "",
		    .expire = m->expire,
		    .retry = m->retry,
		    .warn = m->warn};
	route_show(&said, &line);
	out_text(t->out, "what", "manner");
	out_words(t->out, "word", line.bytes + sizeof plain - 1, line.len - (sizeof plain - 1));
	out_end(t->out);
	buf_free(&line);
}

/* ---- the questions ------------------------------------------------------------------------ */

static void put_answer(const struct testing *t)
{
	const struct resolve_answer *a = &t->answer;

	out_text(t->out, "what", "answer");
	out_text(t->out, "question", resolve_kind_word(a->kind));
	out_text(t->out, "name", a->name);
	out_text(t->out, "status", resolve_status_word(a->status));
	out_text(t->out, "secure", secure_word(a->secure));
	put_why(t->out, a->implicit && a->status == RESOLVE_OK
			    ? "there is no MX: it is the domain itself"
			: a->more > 0 ? "there are more MX than are looked at"
				      : in_words(a, a->reason));
	out_end(t->out);

	for (size_t i = 0; i < a->n_hosts; i++) {
		const struct resolve_host *host = &a->host[i];

		if (host->n_addresses > 0)
			continue;
		out_text(t->out, "what", "host");
		out_number(t->out, "preference", host->preference);
		out_text(t->out, "name", host->name);
		out_text(t->out, "status", resolve_status_word(host->status));
		out_text(t->out, "secure", secure_word(host->secure));
		put_why(t->out, in_words(a, host->reason));
		out_end(t->out);
	}
}

static void put_left_out(const struct testing *t, const char *why)
{
	out_text(t->out, "what", "left-out");
	out_text(t->out, "name", t->answer.name);
	put_why(t->out, why);
	out_end(t->out);
}

static void note_hosts(struct testing *t)
{
	const struct resolve_answer *a = &t->answer;

	for (size_t i = 0; i < a->n_hosts && t->hosts < COUNT_OF(t->host); i++) {
		struct host *host = &t->host[t->hosts++];

		memcpy(host->name, a->host[i].name, sizeof host->name);
		host->preference = a->host[i].preference;
		host->secure = a->secure && a->host[i].secure;
	}
}

/* Takes ourselves out of the answer (RFC 5321 section 5.1). False: nothing is left. */
static bool drop_own(struct testing *t)
{
	switch (resolve_drop_own(&t->answer, &t->routing->own)) {
	case RESOLVE_NOT_US:
		return true;
	case RESOLVE_BEFORE:
		put_left_out(t, "this gateway, and servers that are not preferred to it");
		return true;
	case RESOLVE_TO_US:
		break;
	}
	t->refused = true;
	t->why = "it would come back to this gateway: a loop";
	return false;
}

static void note_why(struct testing *t, const char *why)
{
	if (t->why == NULL)
		t->why = why;
}

static void ask(struct testing *t, enum peers_question question, const char *name, uint16_t port)
{
	enum resolve_kind kind = question == PEERS_MX ? RESOLVE_MX : RESOLVE_A;
	int ms = (int)(t->routing->settings.resolve_time / 1000) + PATIENCE_MS;
	enum resolve_status status = resolve_ask(RESOLVE_SOCKET, kind, name, ms, &t->answer);

	/* The question's own name: an answer that never came has none. */
	t->answer.kind = kind;
	(void)snprintf(t->answer.name, sizeof t->answer.name, "%s", name);
	put_answer(t);
	if (status != RESOLVE_OK) {
		/* A smart host that is not there is a mistake of ours: no mail is returned for it. */
		t->refused = question == PEERS_MX && status != RESOLVE_LATER;
		note_why(t, in_words(&t->answer, t->answer.reason));
		return;
	}
	if (question == PEERS_MX && !drop_own(t))
		return;
	if (t->answer.status != RESOLVE_OK) {
		t->refused = t->answer.status != RESOLVE_LATER;
		note_why(t, "no server that is left has an address");
		return;
	}
	note_hosts(t);
	peers_add(&t->peers, &t->manner, &t->answer, port);
	note_why(t, OTHER_IP);
}

/* What needs no question comes to no address. */
static void note_unusable(struct testing *t)
{
	if (t->manner.kind != ROUTE_MX) {
		note_why(t, OTHER_IP);
	} else if (t->domain[0] == '[') {
		note_why(t, "it is no address that can be used");
	} else {
		t->refused = true;
		note_why(t, "it is no name of a domain");
	}
}

static void ask_all(struct testing *t)
{
	const struct manner *m = &t->manner;
	char name[RESOLVE_NAME_MAX + 1];

	for (size_t nth = 0;; nth++) {
		enum peers_question question = peers_ask(m, t->domain, nth, name);
		size_t before = t->peers.n;

		if (question == PEERS_NOTHING && name[0] == '\0')
			return;
		if (question != PEERS_NOTHING) {
			ask(t, question, name,
			    m->kind == ROUTE_MX ? m->mx_port : m->route->host[nth].port);
			continue;
		}
		peers_add_literal(&t->peers, m, t->domain, nth);
		if (t->peers.n == before)
			note_unusable(t);
	}
}

/* ---- what comes of it --------------------------------------------------------------------- */

static void put_peers(const struct testing *t)
{
	for (size_t i = 0; i < t->peers.n; i++) {
		const struct peer *peer = &t->peers.peer[i];
		const struct host *host = NULL;

		for (size_t j = 0; j < t->hosts && host == NULL; j++) {
			if (strcmp(t->host[j].name, peer->name) == 0)
				host = &t->host[j];
		}
		out_text(t->out, "what", "peer");
		out_number(t->out, "number", i + 1);
		out_text(t->out, "address", peer->address);
		out_number(t->out, "port", peer->port);
		if (host != NULL) {
			out_text(t->out, "host", host->name);
			out_number(t->out, "preference", host->preference);
			out_text(t->out, "secure", secure_word(host->secure));
		} else {
			out_none(t->out, "host");
			out_none(t->out, "preference");
			out_none(t->out, "secure");
		}
		out_end(t->out);
	}
}

static int put_verdict(const struct testing *t, const char *result, const char *why, int code)
{
	out_text(t->out, "what", "verdict");
	out_text(t->out, "result", result);
	put_why(t->out, why);
	out_end(t->out);
	return code;
}

static int test_by_smtp(struct testing *t)
{
	put_manner(t);
	ask_all(t);
	put_peers(t);
	if (t->peers.n > 0)
		return put_verdict(t, "tried", "", EXIT_FINE);
	if (t->refused)
		return put_verdict(t, "returned", t->why, EXIT_NO);
	return put_verdict(t, "waits", t->why != NULL ? t->why : "", EXIT_ENVIRON);
}

static int test_one(struct testing *t, const char *address)
{
	const struct etc_routes *r = t->routing;
	const char *at = strrchr(address, '@');

	/* <postmaster> is the one address without a domain (RFC 5321 section 4.1.1.3): ours. */
	t->domain = at != NULL                               ? at + 1
		    : strcasecmp(address, "postmaster") == 0 ? r->hostname
							     : address;
	manner_of(&t->manner, r->routes, r->fallback, &r->settings, t->domain, strlen(t->domain));
	put_route(t, address);
	switch (t->manner.kind) {
	case ROUTE_MX:
	case ROUTE_HOSTS:
		return test_by_smtp(t);
	case ROUTE_MAILDIR:
		put_manner(t);
		return put_verdict(t, "tried", "into a Maildir", EXIT_FINE);
	case ROUTE_REFUSE:
		break;
	}
	return put_verdict(t, "returned", "the route refuses it", EXIT_NO);
}

static int test_all(const struct shell *sh, const struct etc_routes *routing, int argc, char **argv)
{
	int code = EXIT_FINE;
	struct out out;

	out_open(&out, sh, NULL);
	for (int i = 0; i < argc; i++) {
		struct testing *t = calloc(1, sizeof *t);

		if (t == NULL) {
			complain("no memory");
			return out_close(&out, EXIT_ENVIRON);
		}
		t->out = &out;
		t->routing = routing;
		if (i > 0 && !out.json)
			(void)fputc('\n', out.file);
		code = worse(code, test_one(t, argv[i]));
		free(t);
	}
	return out_close(&out, code);
}

int shell_route(const struct shell *sh, int argc, char **argv)
{
	struct etc_routes routing;
	struct conf_fault fault;
	int etc, code;

	if (argc < 2 || strcmp(argv[0], "test") != 0)
		return complain_usage("route test ADDRESS...: whose route?");
	for (int i = 1; i < argc; i++) {
		size_t len = strlen(argv[i]);

		if (len == 0 || argv[i][len - 1] == '@')
			return complain_usage("route test: an address such as bob@partner.example");
	}
	etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (etc < 0) {
		complain("etc/ cannot be opened: %s", strerrordesc_np(errno));
		return EXIT_CONFIG;
	}
	if (!etc_routes_read(etc, &routing, &fault)) {
		complain_fault(&fault);
		(void)close(etc);
		return EXIT_CONFIG;
	}
	(void)close(etc);
	code = test_all(sh, &routing, argc - 1, argv + 1);
	etc_routes_free(&routing);
	return code;
}
