/* Destinations: who waits for which, and what is known about each. */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/deliver/engine.h"

#define AGED       CLOCK_SECOND /* who waits so long gets a session of his own */
#define QUEUED_MIN 8

static int by_key(const void *a, const void *b)
{
	const struct destination *x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* ---- lists -------------------------------------------------------------------------------- */

static void unlink_used(struct engine *e, struct destination *d)
{
	*(d->older != NULL ? &d->older->newer : &e->oldest) = d->newer;
	*(d->newer != NULL ? &d->newer->older : &e->newest) = d->older;
}

static void used_now(struct engine *e, struct destination *d, bool fresh)
{
	if (!fresh)
		unlink_used(e, d);
	d->newer = NULL;
	d->older = e->newest;
	*(d->older != NULL ? &d->older->newer : &e->oldest) = d;
	e->newest = d;
}

/* The longest waiting one is first: when sessions are few it is its turn. */
static void set_busy(struct engine *e, struct destination *d)
{
	if (d->busy_at != NULL)
		return;
	d->busy_next = NULL;
	d->busy_at = e->busy_end;
	*e->busy_end = d;
	e->busy_end = &d->busy_next;
}

static void set_quiet(struct engine *e, struct destination *d)
{
	if (d->busy_at == NULL)
		return;
	*d->busy_at = d->busy_next;
	if (d->busy_next != NULL)
		d->busy_next->busy_at = d->busy_at;
	else
		e->busy_end = d->busy_at;
	d->busy_at = NULL;
}

static void set_hungry(struct engine *e, struct destination *d, bool hungry)
{
	if (hungry == (d->hungry_at != NULL))
		return;
	if (!hungry) {
		*d->hungry_at = d->hungry_next;
		if (d->hungry_next != NULL)
			d->hungry_next->hungry_at = d->hungry_at;
		d->hungry_at = NULL;
		return;
	}
	d->hungry_next = e->hungry;
	if (d->hungry_next != NULL)
		d->hungry_next->hungry_at = &d->hungry_next;
	e->hungry = d;
	d->hungry_at = &e->hungry;
}

/* ---- one of them -------------------------------------------------------------------------- */

static void alive(struct destination *d)
{
	free(d->dead);
	free(d->dead_host);
	d->dead = NULL;
	d->dead_host = NULL;
}

static void free_destination(struct engine *e, struct destination *d)
{
	(void)tdelete(d, &e->destinations, by_key);
	e->n_destinations--;
	unlink_used(e, d);
	set_quiet(e, d);
	set_hungry(e, d, false);
	timetable_clear(&d->backlog);
	alive(d);
	routing_leave(d->routing);
	free(d->found);
	free(d->peer);
	free(d->key);
	free(d->label);
	free(d->domain);
	free(d);
}

/* The batch's own knowledge of the way becomes the destination's. */
static void take_manner(struct destination *d, const struct batch *b)
{
	struct routing *old = d->routing;

	d->routing = routing_use(b->visit->routing);
	d->manner = b->manner;
	if (old != NULL)
		routing_leave(old);
}

/* The sessions that a destination is trusted with at first. */
static size_t first_window(const struct engine *e)
{
	return (size_t)e->routing->settings.deliver_sessions_first;
}

static struct destination *new_destination(struct engine *e, const struct batch *b)
{
	struct destination *d = calloc(1, sizeof *d);

	if (d == NULL)
		die_environ("memory for a destination");
	d->key = strdup(b->key);
	d->domain = strdup(b->domain);
	d->label = strndup(b->key, strcspn(b->key, " "));
	if (d->key == NULL || d->domain == NULL || d->label == NULL)
		die_environ("memory for a destination");
	d->last = &d->first;
	d->window = first_window(e);
	timetable_init(&d->backlog);
	take_manner(d, b);
	if (tsearch(d, &e->destinations, by_key) == NULL)
		die_environ("memory for a destination");
	e->n_destinations++;
	used_now(e, d, true);
	return d;
}

static struct destination *find(struct engine *e, const struct batch *b)
{
	struct destination wanted = {.key = b->key};
	void *at = tfind(&wanted, &e->destinations, by_key);
	struct destination *d;

	if (at == NULL)
		return new_destination(e, b);
	d = *(struct destination *const *)at;
	used_now(e, d, false);
	/* What was asked under other routes is asked again, unless an answer is under way. */
	if (d->routing != b->visit->routing && d->asking != ASK_WAITING) {
		take_manner(d, b);
		d->asking = ASK_UNKNOWN;
	}
	return d;
}

static bool is_dead(const struct destination *d)
{
	return d->dead != NULL && clock_boot() < d->dead_until;
}

bool destination_has_room(const struct engine *e, const struct destination *d)
{
	size_t most = 2 * d->manner.sessions, visits = e->most_visits;

	if (is_dead(d))
		return true; /* it takes no time */
	/* The last quarter is for destinations that have nothing yet. */
	if (e->visits > visits - visits / 4)
		return d->queued == 0;
	return d->queued < (most > QUEUED_MIN ? most : QUEUED_MIN);
}

/* ---- batches ------------------------------------------------------------------------------ */

struct batch *destination_take(struct destination *d)
{
	struct batch *b = d->first;

	d->first = b->next;
	if (d->first == NULL)
		d->last = &d->first;
	d->queued--;
	b->next = NULL;
	return b;
}

/* The whole batch has this outcome. */
static void fail_batch(struct batch *b, const struct verdict *why, const char *host)
{
	for (size_t i = 0; i < b->rcpts; i++) {
		size_t run = i;

		while (run < b->rcpts && !b->answered[run])
			b->answered[run++] = true;
		if (run > i && !results_add(&b->visit->results, b, b->rcpt + i, run - i, why, host,
				   "-", false))
			die_environ("memory for a result");
		i = run;
	}
}

void destination_fail(
    struct engine *e, struct destination *d, const struct verdict *why, const char *host)
{
	while (d->first != NULL) {
		struct batch *b = destination_take(d);

		fail_batch(b, why, host);
		b->visit->running--;
		engine_step(e, b->visit);
	}
	set_quiet(e, d);
}

void destination_dead(
    struct engine *e, struct destination *d, const struct verdict *why, const char *host)
{
	if (why->class != REMOTE_DEFERRED)
		die_bug("a destination that is dead for good");
	alive(d);
	d->dead = malloc(sizeof *d->dead);
	d->dead_host = strdup(host);
	if (d->dead == NULL || d->dead_host == NULL)
		die_environ("memory for a destination");
	*d->dead = *why;
	d->dead_until = clock_boot() + e->routing->settings.deliver_dead;
	d->window = 1;
	d->asking = d->asking == ASK_WAITING ? ASK_WAITING : ASK_UNKNOWN;
	LOG("destination-dead", kv("destination", d->label), kv("host", host),
	    kv("status", why->status),
	    kv_num("seconds", e->routing->settings.deliver_dead / CLOCK_SECOND));
	destination_fail(e, d, d->dead, host);
}

bool destination_put(struct engine *e, struct batch *b, struct destination **full)
{
	struct destination *d = find(e, b);

	b->destination = d;
	if (is_dead(d)) {
		fail_batch(b, d->dead, d->dead_host);
		return true;
	}
	if (e->draining || !destination_has_room(e, d)) {
		if (*full == NULL) {
			*full = d;
			d->holds++;
		}
		return false;
	}
	b->since = clock_boot();
	b->visit->running++;
	*d->last = b;
	d->last = &b->next;
	d->queued++;
	set_busy(e, d);
	destination_work(e, d);
	return true;
}

/* As if it had not been begun. */
static void give_up(struct engine *e, struct batch *b)
{
	b->visit->left_as = VISIT_FULL;
	b->visit->running--;
	engine_step(e, b->visit);
}

bool destination_return(struct engine *e, struct batch *b)
{
	struct destination *d = b->destination;

	if (e->draining) {
		give_up(e, b);
		return false;
	}
	b->next = d->first;
	d->first = b;
	if (b->next == NULL)
		d->last = &b->next;
	d->queued++;
	set_busy(e, d);
	return true;
}

/* ---- sessions ----------------------------------------------------------------------------- */

/* How many sessions it may have for what waits now. */
static size_t allowed(const struct destination *d)
{
	size_t most = d->window < d->manner.sessions ? d->window : d->manner.sessions;
	size_t wish = 1 + d->queued / 8;

	/* A few sessions carry much; more are opened when somebody has waited for one. */
	if (clock_boot() - d->first->since > AGED)
		return most;
	return wish < most ? wish : most;
}

static bool total_allows(struct engine *e, const struct destination *d)
{
	size_t most = (size_t)e->routing->settings.deliver_sessions_all;

	/* The last quarter is for destinations that have none. */
	if (d->open > 0)
		return e->sessions < most - most / 4;
	return e->sessions < most || session_close_idle(e);
}

void destination_work(struct engine *e, struct destination *d)
{
	int64_t now = clock_boot();

	while (d->first != NULL && !e->draining && session_offer(e, d))
		;
	if (d->first == NULL || e->draining) {
		set_quiet(e, d);
		return;
	}
	if (now < d->rest_until || d->asking == ASK_WAITING)
		return;
	if (is_dead(d)) {
		destination_fail(e, d, d->dead, d->dead_host);
		return;
	}
	if (d->asking == ASK_UNKNOWN || now > d->known_until) {
		lookup_ask(e, d);
		return;
	}
	while (d->first != NULL && d->queued > d->opening && d->open < allowed(d) &&
	       total_allows(e, d)) {
		if (!session_open(e, d))
			return;
	}
}

void destinations_work(struct engine *e)
{
	struct destination *next;

	for (struct destination *d = e->busy; d != NULL; d = next) {
		next = d->busy_next;
		destination_work(e, d);
	}
}

/* ---- backlogs ----------------------------------------------------------------------------- */

void destination_keep(struct engine *e, struct destination *d, const struct leg_name *name)
{
	if (!timetable_add(&d->backlog, name, name->due))
		die_environ("memory for the timetable");
	set_hungry(e, d, true);
}

void destination_sated(struct engine *e, struct destination *d)
{
	set_hungry(e, d, false);
}

void destinations_give_up(struct engine *e)
{
	for (struct destination *d = e->oldest; d != NULL; d = d->newer) {
		while (d->first != NULL)
			give_up(e, destination_take(d));
		set_quiet(e, d);
	}
}

static void take_out(struct destination *d, const struct batch *b)
{
	struct batch **at = &d->first;

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	if (*at == NULL)
		d->last = at;
	d->queued--;
}

/* Whether the batch is in its destination's queue. */
static bool waits(const struct batch *b)
{
	const struct batch *at = b->destination != NULL ? b->destination->first : NULL;

	while (at != NULL && at != b)
		at = at->next;
	return at != NULL;
}

void destinations_withdraw(struct engine *e, struct visit *v)
{
	size_t waiting = 0;

	if (v->working || !v->begun || v->running == 0)
		return;
	for (size_t i = 0; i < v->batches; i++)
		waiting += waits(&v->batch[i]);
	if (waiting < v->running)
		return; /* a session has one: then it is being sent */
	for (size_t i = 0; waiting > 0 && i < v->batches; i++) {
		struct batch *b = &v->batch[i];

		if (!waits(b))
			continue;
		waiting--;
		take_out(b->destination, b);
		give_up(e, b); /* with the last one the visit may be gone */
	}
}

void destinations_forget(struct engine *e)
{
	while (e->hungry != NULL) {
		struct destination *d = e->hungry;

		timetable_clear(&d->backlog);
		set_hungry(e, d, false);
	}
}

/* ---- all of them -------------------------------------------------------------------------- */

void destinations_revive(struct engine *e, const char *domain)
{
	for (struct destination *d = e->oldest; d != NULL; d = d->newer) {
		if (domain != NULL && d->domain[0] != '\0' && strcmp(d->domain, domain) != 0)
			continue;
		alive(d);
		d->only4_until = 0;
		if (d->asking == ASK_KNOWN)
			d->asking = ASK_UNKNOWN;
		if (d->window < first_window(e))
			d->window = first_window(e);
	}
}

static bool unused(const struct destination *d)
{
	return d->queued == 0 && d->open == 0 && d->asking != ASK_WAITING && d->backlog.n == 0 &&
	       d->holds == 0;
}

void destinations_trim(struct engine *e)
{
	size_t most = (size_t)e->routing->settings.deliver_destinations;
	struct destination *d = e->oldest;

	while (e->n_destinations > most && d != NULL) {
		struct destination *newer = d->newer;

		if (unused(d))
			free_destination(e, d);
		d = newer;
	}
}
