/* A leg was seen: who it concerns is put into the index, and what it owes into the timetable. */
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/hold/actors.h"
#include "lib/hold/inside.h"
#include "lib/hold/risk.h"

#define SENDERS_MAX ((size_t)64)

void hold_owes(struct hold *h, enum spool_state state, const struct leg_name *name, int64_t seconds)
{
	if (!timetable_add(&h->owed[state], name, clock_boot() / CLOCK_SECOND + seconds))
		die_environ("memory for the timetable");
}

void hold_owes_at(struct hold *h, enum spool_state state, const struct leg_name *name, int64_t time)
{
	int64_t left = time - watch_now(&h->stage->watch);

	hold_owes(h, state, name, left > 0 ? (left + CLOCK_SECOND - 1) / CLOCK_SECOND : 0);
}

/* ---- the index ---------------------------------------------------------------------------- */

struct people {
	char address[SENDERS_MAX + APPROVAL_ASKED_MAX][ORG_ADDRESS_MAX];
	const char *list[SENDERS_MAX + APPROVAL_ASKED_MAX];
	size_t n, most;
};

static bool add(struct people *people, const char *address)
{
	if (people->n == people->most)
		return false;
	(void)strncpy(people->address[people->n], address, ORG_ADDRESS_MAX - 1);
	people->address[people->n][ORG_ADDRESS_MAX - 1] = '\0';
	people->list[people->n] = people->address[people->n];
	people->n++;
	return true;
}

static bool add_sender(void *context, const char *address)
{
	return add(context, address);
}

static bool add_asked(void *context, const char *address, enum approval_right right)
{
	(void)right;
	return add(context, address);
}

static void put(struct hold *h, enum spool_state state, const struct stage_opened *o,
    const struct notices *notices)
{
	static struct people people; /* main loop alone */
	const struct plan_step *step = o->law.step;
	const struct approval_place place = {.org = h->org,
	    .absences = h->absences,
	    .now = watch_now(&h->stage->watch),
	    .escalated = notices->times.escalate > 0 && !h->stage->watch.frozen &&
			 notices->times.escalate <= watch_now(&h->stage->watch)};
	struct approval approval;
	struct about about;
	size_t senders;

	about_read(&o->leg, &about);
	people.n = 0;
	people.most = SENDERS_MAX;
	if (h->org != NULL)
		actor_each_sender(h->org, &o->leg, add_sender, &people);
	senders = people.n;
	people.most = COUNT_OF(people.list);
	if (h->org != NULL && state == STATE_APPROVE && step != NULL &&
	    step->word == WORD_APPROVE &&
	    approval_read(&o->leg, step, &approval) == APPROVAL_READ) {
		approval_each_asked(&place, &o->leg, &approval, add_asked, &people);
		approval_free(&approval);
	}
	/* Without memory a list lacks it; who may act does not depend on it. */
	if (!index_put(h->index, state, &o->leg, people.list, senders, people.n - senders,
		about.group, risk_of(h->org, &o->leg).level))
		index_remove(h->index, &o->leg.name);
}

void hold_noted(struct hold *h, enum spool_state state, const struct stage_opened *opened)
{
	const struct leg_name *name = &opened->leg.name;
	struct notices notices;

	if (notices_of(h->view, h->absences, state, opened, watch_now(&h->stage->watch),
		h->stage->watch.frozen, &notices) != NOTICES_READ) {
		hold_owes(h, state, name, STAGE_AGAIN);
		return;
	}
	put(h, state, opened, &notices);
	if (notices.n > 0)
		hold_owes(h, state, name, 0);
	else if (notices.next > 0)
		hold_owes_at(h, state, name, notices.next);
	notices_free(&notices);
}

/* ---- absences ----------------------------------------------------------------------------- */

static bool look_at(void *context, enum spool_state state, const struct leg_name *name)
{
	struct hold *h = context;

	stage_schedule(h->stage, state, name, stage_now(h->stage));
	return true;
}

struct leaving {
	struct hold *h;
	int64_t now;
};

static bool see_absence(void *context, const struct absence *absence)
{
	const struct leaving *l = context;

	if (absence->from <= l->now && l->now < absence->until)
		index_of_person(l->h->index, absence->address, true, look_at, l->h);
	return true;
}

void hold_look_at_absences(struct hold *h)
{
	struct leaving l = {h, watch_now(&h->stage->watch)};
	uint64_t serial = absences_serial(h->absences);

	if (serial == h->absences_serial && (h->absences_next == 0 || h->absences_next > l.now))
		return;
	absences_each(h->absences, see_absence, &l);
	h->absences_serial = serial;
	h->absences_next = absences_next(h->absences, l.now);
}
