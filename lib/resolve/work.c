#include "lib/resolve/work.h"

#include <stdlib.h>
#include <string.h>

/* One family of one host's addresses. */
struct half {
	struct work *work;
	struct lookup *lookup; /* NULL: not begun, or ended */
	struct outcome outcome;
};

enum stage {
	STAGE_BEGIN,
	STAGE_MX,    /* its look-up runs */
	STAGE_HOSTS, /* the addresses' look-ups run */
	STAGE_DONE,
};

struct work {
	const struct work_tools *tools;
	enum stage stage;
	struct lookup *mx;
	size_t begun; /* halves */
	size_t ended; /* of these */
	size_t n_halves;
	struct half half[2 * RESOLVE_HOSTS_MAX]; /* of host i: 2i IPv6, 2i + 1 IPv4 */
	struct resolve_answer answer;
};

struct work *work_new(const struct work_tools *tools, enum resolve_kind kind, const char *name)
{
	struct work *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	w->tools = tools;
	w->answer.kind = kind;
	(void)strncpy(w->answer.name, name, RESOLVE_NAME_MAX);
	return w;
}

/* The look-ups that still run belong to nobody. */
static void forget(struct work *w)
{
	if (w->mx != NULL)
		lookup_forget(w->mx);
	w->mx = NULL;
	for (size_t i = 0; i < w->begun; i++) {
		if (w->half[i].lookup != NULL)
			lookup_forget(w->half[i].lookup);
		w->half[i].lookup = NULL;
	}
}

void work_free(struct work *w)
{
	forget(w);
	free(w);
}

void work_restart(struct work *w)
{
	const struct work_tools *tools = w->tools;
	enum resolve_kind kind = w->answer.kind;
	char name[RESOLVE_NAME_MAX + 1];

	if (w->stage == STAGE_DONE)
		return;
	forget(w);
	memcpy(name, w->answer.name, sizeof name);
	memset(w, 0, sizeof *w);
	w->tools = tools;
	w->answer.kind = kind;
	memcpy(w->answer.name, name, sizeof name);
}

const struct resolve_answer *work_answer(const struct work *w)
{
	return &w->answer;
}

/* ---- hosts ---- */

static void begin_hosts(struct work *w)
{
	w->stage = STAGE_HOSTS;
	w->n_halves = 2 * w->answer.n_hosts;
	for (size_t i = 0; i < w->n_halves; i++) {
		w->half[i].work = w;
		w->half[i].outcome = (struct outcome){RESOLVE_LATER, RESOLVE_TIMEOUT, false};
	}
}

static void end_hosts(struct work *w)
{
	forget(w);
	for (size_t i = 0; i < w->answer.n_hosts; i++)
		mx_host_settle(
		    &w->answer.host[i], &w->half[2 * i].outcome, &w->half[2 * i + 1].outcome);
	mx_answer_settle(&w->answer);
	w->stage = STAGE_DONE;
}

static void on_half(void *context, const struct found *found)
{
	struct half *half = context;
	struct work *w = half->work;
	size_t at = (size_t)(half - w->half);
	struct resolve_host *host = &w->answer.host[at / 2];

	half->lookup = NULL;
	half->outcome = found->outcome;
	w->ended++;
	if (found->canon[0] != '\0' && strcmp(found->canon, host->name) != 0)
		memcpy(host->canon, found->canon, sizeof host->canon);
	if (found->outcome.status == RESOLVE_OK)
		mx_host_add(host, at % 2 == 0, found->records, found->n, &w->tools->chance);
}

static void go_on_hosts(struct work *w)
{
	while (w->begun < w->n_halves && w->begun - w->ended < WORK_LOOKUPS_MAX &&
	       resolver_has_room(w->tools->resolver)) {
		struct half *half = &w->half[w->begun];
		const char *name = w->answer.host[w->begun / 2].name;

		half->lookup = lookup_start(w->tools->resolver, name,
		    w->begun % 2 == 0 ? RECORD_AAAA : RECORD_A, on_half, half);
		w->begun++;
		if (half->lookup == NULL) {
			half->outcome.reason = RESOLVE_NO_RESOURCES;
			w->ended++;
		}
	}
	if (w->ended == w->n_halves)
		end_hosts(w);
}

/* ---- MX ---- */

static void fail(
    struct work *w, enum resolve_status status, enum resolve_reason reason, bool secure)
{
	forget(w);
	mx_answer_fail(&w->answer, status, reason, secure);
	w->stage = STAGE_DONE;
}

static void on_mx(void *context, const struct found *found)
{
	struct work *w = context;
	const struct outcome *o = &found->outcome;

	w->mx = NULL;
	if (o->status == RESOLVE_LATER || o->reason == RESOLVE_NXDOMAIN) {
		fail(w, o->status, o->reason, o->secure);
		return;
	}

	w->answer.secure = o->secure;
	if (o->status == RESOLVE_NONE) {
		mx_plan_only(&w->answer, true);
		begin_hosts(w);
		return;
	}
	switch (mx_plan(found->records, found->n, &w->tools->chance, &w->answer)) {
	case MX_HOSTS:
		begin_hosts(w);
		break;
	case MX_NULL:
		fail(w, RESOLVE_NULL, RESOLVE_NO_REASON, o->secure);
		break;
	case MX_UNUSABLE:
		fail(w, RESOLVE_NONE, RESOLVE_NO_NAME, o->secure);
		break;
	}
}

static void begin(struct work *w)
{
	if (w->answer.kind == RESOLVE_A) {
		mx_plan_only(&w->answer, false);
		begin_hosts(w);
		return;
	}
	if (!resolver_has_room(w->tools->resolver))
		return;
	w->mx = lookup_start(w->tools->resolver, w->answer.name, RECORD_MX, on_mx, w);
	w->stage = STAGE_MX;
	if (w->mx == NULL)
		fail(w, RESOLVE_LATER, RESOLVE_NO_RESOURCES, false);
}

/* ---- the whole ---- */

bool work_go_on(struct work *w)
{
	if (w->stage == STAGE_BEGIN)
		begin(w);
	if (w->stage == STAGE_HOSTS)
		go_on_hosts(w);
	return w->stage == STAGE_DONE;
}

void work_expire(struct work *w)
{
	if (w->stage == STAGE_HOSTS)
		end_hosts(w);
	else if (w->stage != STAGE_DONE)
		work_abandon(w, RESOLVE_TIMEOUT);
}

void work_abandon(struct work *w, enum resolve_reason reason)
{
	if (w->stage != STAGE_DONE)
		fail(w, RESOLVE_LATER, reason, false);
}
