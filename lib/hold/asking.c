#include "lib/hold/asking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "lib/base/clock.h"
#include "lib/base/hex.h"
#include "lib/base/xtext.h"
#include "lib/hold/actors.h"

#define BY_NAME 16 /* children of a division that are looked for by their names */

static const enum spool_state ours[] = {STATE_APPROVE, STATE_HOLD, STATE_TRASH, STATE_REFUSED};

int64_t asking_now(const struct hold *h)
{
	return watch_now(&h->stage->watch);
}

/* ---- places ------------------------------------------------------------------------------- */

struct gathering {
	struct leg_places *places;
	size_t room;
	bool failed;
};

static bool already(const struct leg_places *places, const struct leg_name *name)
{
	for (size_t i = 0; i < places->n; i++) {
		if (name_same_leg(&places->place[i].name, name) &&
		    places->place[i].name.due == name->due)
			return true;
	}
	return false;
}

static bool gather(void *context, enum spool_state state, const struct leg_name *name)
{
	struct gathering *g = context;
	struct leg_places *places = g->places;
	struct leg_place *more;

	if (places->n == ASKING_LEGS_MAX) {
		places->more = true;
		return false;
	}
	if (places->n == g->room) {
		size_t room = g->room == 0 ? 8 : 2 * g->room;

		more = reallocarray(places->place, room, sizeof *more);
		if (more == NULL) {
			g->failed = true;
			return false;
		}
		places->place = more;
		g->room = room;
	}
	places->place[places->n++] = (struct leg_place){state, *name};
	return true;
}

/* What stands in a timetable of that message: perhaps under a name that it has no more, too. */
static bool gather_table(
    struct gathering *g, enum spool_state state, const struct timetable *t, const char *id)
{
	unsigned char bytes[16];

	if (!hex_decode(id, bytes, sizeof bytes))
		return true;
	for (size_t i = 0; i < t->n; i++) {
		const struct timetable_entry *e = &t->entry[i];
		struct leg_name name = {.due = e->due};

		if (memcmp(e->id, bytes, sizeof bytes) != 0 || strlen(e->k) >= sizeof name.k)
			continue;
		memcpy(name.id, id, ID_TEXT);
		memcpy(name.k, e->k, strlen(e->k) + 1);
		if (!already(g->places, &name) && !gather(g, state, &name))
			return false;
	}
	return true;
}

/* The name of a leg that was not divided, or of one of the first children. */
static void nth_name(const char *id, unsigned n, struct leg_name *name)
{
	*name = (struct leg_name){.due = DUE_NONE};
	memcpy(name->id, id, ID_TEXT);
	(void)snprintf(name->k, sizeof name->k, n == 0 ? "1" : "1.%u", n);
}

/* What has only just come to where names carry no time, and was not seen there yet. */
static void gather_fresh(struct gathering *g, struct hold *h, const char *id)
{
	static const enum spool_state ends[] = {STATE_TRASH, STATE_REFUSED};
	struct leg_name name;
	char text[NAME_TEXT];
	bool there;

	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		for (unsigned n = 0; n <= BY_NAME; n++) {
			nth_name(id, n, &name);
			name_format(&name, ends[i], text);
			if (spool_has(&h->stage->spool, ends[i], text, &there) && there &&
			    !already(g->places, &name) && !gather(g, ends[i], &name))
				return;
		}
	}
}

bool places_of(struct hold *h, const char *id, struct leg_places *places)
{
	struct gathering g = {.places = places};
	bool indexed;

	*places = (struct leg_places){.n = 0};
	if (h->index != NULL)
		index_of_message(h->index, id, gather, &g);
	indexed = places->n > 0;
	for (size_t i = 0; !indexed && i < COUNT_OF(ours); i++) {
		if (!gather_table(&g, ours[i], &h->stage->background[ours[i]], id) ||
		    !gather_table(&g, ours[i], &h->stage->due[ours[i]], id))
			break;
	}
	if (!indexed && id_valid(id, strlen(id)))
		gather_fresh(&g, h, id);
	if (g.failed)
		places_free(places);
	return !g.failed;
}

void places_free(struct leg_places *places)
{
	free(places->place);
	*places = (struct leg_places){.n = 0};
}

/* ---- legs --------------------------------------------------------------------------------- */

static const struct plan_step *approve_of(const struct leg *leg)
{
	const struct plan_step *open = plan_open_step(&leg->plan);

	if (open != NULL && open->word == WORD_APPROVE)
		return open;
	return leg->plan.steps > 0 ? plan_find(&leg->plan, WORD_APPROVE) : NULL;
}

static void fill(struct hold *h, struct asked_leg *leg)
{
	const struct leg *l = &leg->o.leg;
	const struct plan_step *open = plan_open_step(&l->plan);
	const struct approval *approval = NULL;

	leg->o.law = law_of(l, leg->state, asking_now(h) / CLOCK_SECOND);
	if (leg->o.law.verdict != LAW_ACT)
		leg->o.law.step = NULL;
	about_read(l, &leg->about);
	leg->approve = approve_of(l);
	if (leg->approve != NULL)
		leg->approving = approval_read(l, leg->approve, &leg->approval) == APPROVAL_READ;

	if (open == NULL || (open->word != WORD_HOLD && open->word != WORD_APPROVE) ||
	    (leg->state != STATE_APPROVE && leg->state != STATE_HOLD))
		return;
	leg->step = hold_plan_step(open, l->amended_until);
	if (open->word == WORD_APPROVE)
		approval = leg->approving ? &leg->approval : NULL;
	if (leg->step.form == STEP_ODD || (leg->step.form == STEP_APPROVE && approval == NULL))
		return;
	leg->open = true;
	if (h->org != NULL || leg->step.form != STEP_APPROVE)
		leg->times = hold_times(&h->stage->settings, h->org, l, &leg->step, approval);
}

static enum stage_open open_at(struct hold *h, const struct leg_place *place, struct asked_leg *leg)
{
	*leg = (struct asked_leg){.state = place->state};
	return stage_read(h->stage, place->state, &place->name, &leg->o);
}

/* Only what is not there is forgotten; what was renamed is looked for once under its new name. */
enum stage_open asked_leg_open(struct hold *h, struct leg_place *place, struct asked_leg *leg)
{
	enum stage_open opened = open_at(h, place, leg);

	if (opened == STAGE_OPEN_GONE && h->index != NULL &&
	    index_gone(h->index, &place->name, &place->state)) {
		opened = open_at(h, place, leg);
		if (opened == STAGE_OPEN_GONE)
			(void)!index_gone(h->index, &place->name, &place->state);
	}
	if (opened == STAGE_OPEN_ACT) {
		place->name = leg->o.leg.name;
		fill(h, leg);
	}
	return opened;
}

void asked_leg_close(struct asked_leg *leg)
{
	if (leg->approving)
		approval_free(&leg->approval);
	leg_free(&leg->o.leg);
	(void)close(leg->o.fd);
}

/* It is seki-deliver's: it is read, and whatever is wrong with it is not our business. */
static bool open_sent(struct hold *h, const char *text, struct asked_leg *leg)
{
	const char *why;

	if (spool_open_leg(&h->stage->spool, STATE_SENT, text, &leg->o.fd) != SPOOL_OPENED)
		return false;
	(void)snprintf(leg->o.text, sizeof leg->o.text, "%s", text);
	if (leg_read(leg->o.fd, (size_t)h->stage->settings.trailer_max, &leg->o.leg, &why) ==
	    LEG_FINE) {
		fill(h, leg);
		leg->o.law = (struct law){.verdict = LAW_STOP, .why = "it was sent"};
		return true;
	}
	(void)close(leg->o.fd);
	return false;
}

bool asked_leg_sent(struct hold *h, const char *id, struct asked_leg *leg)
{
	struct leg_name name;
	char text[NAME_TEXT];

	if (strlen(id) != ID_LEN)
		return false;
	for (unsigned n = 0; n <= BY_NAME; n++) {
		nth_name(id, n, &name);
		name_format(&name, STATE_SENT, text);
		*leg = (struct asked_leg){.state = STATE_SENT};
		if (open_sent(h, text, leg))
			return true;
	}
	return false;
}

/* ---- people ------------------------------------------------------------------------------- */

struct approval_place asking_place(const struct hold *h, const struct asked_leg *leg)
{
	int64_t now = asking_now(h);

	return (struct approval_place){.org = h->org,
	    .absences = h->absences,
	    .now = now,
	    .escalated =
		leg->times.escalate > 0 && leg->times.escalate <= now && !h->stage->watch.frozen};
}

typedef bool candidate_see(void *context, const char *address, bool sender);

struct candidates {
	candidate_see *see;
	void *context;
	bool ended;
};

static bool see_sender(void *context, const char *address)
{
	struct candidates *c = context;

	c->ended = !c->see(c->context, address, true);
	return !c->ended;
}

static bool see_asked(void *context, const char *address, enum approval_right right)
{
	struct candidates *c = context;

	(void)right;
	c->ended = !c->see(c->context, address, false);
	return !c->ended;
}

/*
 * Who voted, and who is asked in any stage, as if it were the first vote of it: somebody whose colleague
 * was faster is still told what has become of the mail.
 */
static void each_approver(const struct hold *h, const struct asked_leg *leg, struct candidates *c)
{
	struct approval_place place = asking_place(h, leg);
	struct approval bare = leg->approval;

	for (size_t i = 0; !c->ended && i < leg->approval.votes; i++)
		c->ended = !c->see(c->context, leg->approval.vote[i].by, false);
	bare.votes = 0;
	bare.refused = false;
	for (size_t i = 0; i < bare.stages; i++)
		bare.stage[i].yes = 0;
	for (bare.at = 0; !c->ended && bare.at < bare.stages; bare.at++)
		approval_each_asked(&place, &leg->o.leg, &bare, see_asked, c);
}

/* Each who has to do with the leg, perhaps more than once. `see` returns false to stop. */
static void each_candidate(
    const struct hold *h, const struct asked_leg *leg, candidate_see *see, void *context)
{
	struct candidates c = {see, context, false};

	if (h->org == NULL)
		return;
	actor_each_sender(h->org, &leg->o.leg, see_sender, &c);
	if (!c.ended && leg->approving)
		each_approver(h, leg, &c);
}

struct finding_who {
	const struct asker *asker;
	char address[ORG_ADDRESS_MAX];
};

static bool is_who(void *context, const char *address, bool sender)
{
	struct finding_who *f = context;
	unsigned char who[GATE_WHO_LEN];

	(void)sender;
	if (!gate_who(&f->asker->h->key, address, who) ||
	    CRYPTO_memcmp(who, f->asker->cap.who, GATE_WHO_LEN) != 0)
		return true;
	(void)snprintf(f->address, sizeof f->address, "%s", address);
	return false;
}

struct finding_approver {
	const char *address;
	bool found;
};

static bool is_approver(void *context, const char *address, bool sender)
{
	struct finding_approver *f = context;

	f->found = !sender && strcmp(address, f->address) == 0;
	return !f->found;
}

/* What cannot be written down as who did it does nothing. */
static bool fits_records(const char *address)
{
	struct buf b;
	bool fits;

	buf_init(&b, ORDER_BY_MAX);
	buf_add_xtext(&b, address, strlen(address));
	fits = buf_ok(&b);
	buf_free(&b);
	return fits;
}

bool asker_role(struct asker *asker, const struct asked_leg *leg, struct asker_role *role)
{
	const struct hold *h = asker->h;
	struct finding_who who = {.asker = asker};
	struct finding_approver approver = {.address = asker->address};

	*role = (struct asker_role){.right = RIGHT_NONE};
	if (h->org == NULL)
		return false;
	if (asker->address[0] == '\0') {
		each_candidate(h, leg, is_who, &who);
		memcpy(asker->address, who.address, sizeof asker->address);
	}
	if (asker->address[0] == '\0' || !fits_records(asker->address))
		return false;

	role->sender = actor_is_sender(h->org, &leg->o.leg, asker->address);
	if (leg->approving) {
		struct approval_place place = asking_place(h, leg);

		if (leg->approval.at < leg->approval.stages)
			role->right = approval_right(
			    &place, &leg->o.leg, &leg->approval, asker->address, role->for_whom);
		each_candidate(h, leg, is_approver, &approver);
		role->approver = approver.found || role->right == RIGHT_OWN ||
				 role->right == RIGHT_DEPUTY || role->right == RIGHT_VOTED;
	}
	return role->sender || role->approver;
}

bool asker_outdated(const struct asker *asker, const struct asked_leg *leg)
{
	return !asker->session && asker->cap.generation != (unsigned char)leg->o.leg.restores;
}

bool asker_may(const struct asker *asker, unsigned right)
{
	return asker->session || (asker->cap.rights & right) != 0;
}

/* Who has a sender's credential, or is asked and has an approver's. */
static bool sender_or_asked(const struct asker *asker, const struct asker_role *role)
{
	return asker_may(asker, GATE_SENDER) ||
	       (asker_may(asker, GATE_APPROVER) &&
		   (role == NULL || role->right == RIGHT_OWN || role->right == RIGHT_DEPUTY));
}

bool asking_word_allowed(
    const struct asker *asker, enum act_word word, const struct asker_role *role)
{
	switch (word) {
	case ACT_APPROVE:
	case ACT_REJECT:
	case ACT_RETURN:
		return asker_may(asker, GATE_APPROVER);
	case ACT_DISCARD:
	case ACT_REMOVE:
		return sender_or_asked(asker, role);
	case ACT_RELEASE:
	case ACT_CHECK:
	case ACT_RESTORE:
	case ACT_EXTEND:
	case ACT_URGENT:
		return asker_may(asker, GATE_SENDER);
	case ACT_COUNT:
		break;
	}
	return false;
}

void asking_order(
    const struct asker *asker, enum spool_state state, const struct leg_name *name, struct act *act)
{
	struct order *order = &act->order;
	size_t n;

	order->state = state;
	order->name = *name;
	n = xtext_encode_cut(
	    asker->address, strlen(asker->address), order->by, sizeof order->by - 1);
	order->by[n] = '\0';
	(void)snprintf(order->via, sizeof order->via, "%s", asker->via);
}

struct listing_who {
	struct hold *h;
	unsigned char (*who)[GATE_WHO_LEN];
	size_t n, most;
};

static bool list_who(void *context, const char *address, bool sender)
{
	struct listing_who *l = context;

	(void)sender;
	if (l->n < l->most && gate_who(&l->h->key, address, l->who[l->n]))
		l->n++;
	return l->n < l->most;
}

size_t asker_each_who(
    struct hold *h, const struct asked_leg *leg, unsigned char (*who)[GATE_WHO_LEN], size_t most)
{
	struct listing_who l = {.h = h, .who = who, .most = most};

	each_candidate(h, leg, list_who, &l);
	return l.n;
}
