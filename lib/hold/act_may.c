/* Who may do what to a leg, in which state: the table of seki-hold(8), "States and events". */
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/xtext.h"
#include "lib/hold/acting.h"
#include "lib/hold/actors.h"
#include "lib/policy/window.h"

/* ---- saying no ---------------------------------------------------------------------------- */

/* More than the sentence is said. */
static bool no_more(struct acting *a, enum act_reason reason, const char *more)
{
	a->no = reason_no(reason, more);
	return false;
}

static bool no(struct acting *a, enum act_reason reason)
{
	return no_more(a, reason, "");
}

/* The last record of that word that is younger than `since`. */
static struct leg_record last_of(const struct leg *leg, const char *word, int64_t since)
{
	struct leg_record r, last = {.text = NULL};
	size_t at = 0;

	while (leg_next_record(leg, &at, &r)) {
		if (leg_record_is(&r, word) && r.time >= since)
			last = r;
	}
	return last;
}

/* "it was approved by boss@example.co.jp at TIME": whoever comes second hears what became of it. */
static bool done_already(struct acting *a, enum act_reason reason)
{
	struct leg_record r = last_of(&a->o->leg, reason_word(reason), a->o->leg.restored);
	char time[CLOCK_TEXT], said[160];
	size_t by_len = 0, cause_len = 0;
	const char *by, *cause;

	if (r.text == NULL)
		return false;
	by = leg_record_value(&r, "by", &by_len);
	cause = leg_record_value(&r, "cause", &cause_len);
	if (cause != NULL && cause_len == 8 && memcmp(cause, "rejected", 8) == 0)
		reason = REASON_REJECTED;
	if (cause != NULL && cause_len == 8 && memcmp(cause, "returned", 8) == 0)
		reason = REASON_RETURNED;
	clock_format(r.time, time);
	(void)snprintf(said, sizeof said, " by %.*s at %s already",
	    (int)(by_len < 90 ? by_len : 90), by != NULL ? by : "", time);
	return !no_more(a, reason, said);
}

/* ---- who ---------------------------------------------------------------------------------- */

static bool is_asked(const struct acting *a)
{
	return a->right == RIGHT_OWN || a->right == RIGHT_DEPUTY;
}

static bool only_sender(struct acting *a)
{
	return a->is_operator || a->sender || no(a, REASON_NOT_SENDER);
}

static bool sender_or_asked(struct acting *a)
{
	return a->is_operator || a->sender || is_asked(a) || no(a, REASON_NOT_CONCERNED);
}

static bool only_asked(struct acting *a)
{
	if (a->is_operator || is_asked(a))
		return true;
	switch (a->right) {
	case RIGHT_VOTED:
		return no(a, REASON_VOTED);
	case RIGHT_AUTHOR:
		if (actor_unknown(a->h->org, &a->o->leg))
			return no(a, REASON_AUTHOR_UNKNOWN);
		return no(a, REASON_AUTHOR);
	case RIGHT_NONE:
	case RIGHT_OWN:
	case RIGHT_DEPUTY:
		break;
	}
	return no(a, REASON_NOT_ASKED);
}

/* ---- what he may say ---------------------------------------------------------------------- */

/* A form of hold that a person cannot end. */
static bool may_end(struct acting *a)
{
	struct window window;
	char time[CLOCK_TEXT], said[160];

	switch (a->w.step.form) {
	case STEP_OPERATOR:
		return no(a, REASON_OPERATOR);
	case STEP_ODD:
		(void)snprintf(said, sizeof said, ": %s", a->w.step.odd);
		return no_more(a, REASON_STOPPED, said);
	case STEP_WINDOW:
		if (!window_look(
			a->w.step.window, a->w.step.window_len, a->h->org, a->w.now, &window) ||
		    window.ends < 0)
			return no(a, REASON_WINDOW);
		clock_format(window.ends, time);
		(void)snprintf(said, sizeof said, ": it leaves at %s", time);
		return no_more(a, REASON_WINDOW, said);
	case STEP_CHECKED:
		return a->act->word == ACT_CHECK || no(a, REASON_UNCHECKED);
	case STEP_NO:
	case STEP_UNTIL:
	case STEP_CONFIRMED:
	case STEP_APPROVE:
		break;
	}
	return a->act->word != ACT_CHECK || no(a, REASON_NO_CHECK);
}

static bool release(struct acting *a)
{
	return only_sender(a) && (a->is_operator || may_end(a));
}

struct ticking {
	const char *checked;
	bool all;
};

static bool is_ticked(void *context, const char *fact, size_t len)
{
	struct ticking *t = context;

	for (const char *at = t->checked; *at != '\0';) {
		size_t n = strcspn(at, ",");

		if (n == len && memcmp(at, fact, len) == 0)
			return true;
		at += n + (at[n] == ',');
	}
	t->all = false;
	return false;
}

static bool check(struct acting *a)
{
	struct ticking t = {.checked = a->act->checked != NULL ? a->act->checked : "", .all = true};

	if (!only_sender(a))
		return false;
	if (a->is_operator)
		return a->w.step.form == STEP_CHECKED || no(a, REASON_NO_CHECK);
	if (!may_end(a))
		return false;
	acting_each_fact(&a->o->leg, is_ticked, &t);
	return t.all || a->asking || no(a, REASON_UNCHECKED);
}

static bool restore(struct acting *a)
{
	return only_sender(a) && (!a->o->leg.emptied || no(a, REASON_EMPTIED));
}

static bool remove_one(struct acting *a)
{
	const struct leg *leg = &a->o->leg;
	char address[ORDER_RCPT_MAX + 1];

	if (!(a->order.state == STATE_APPROVE ? sender_or_asked(a) : only_sender(a)))
		return false;
	if (a->asking && a->order.rcpt[0] == '\0')
		return true;
	for (size_t i = 0; acting_rcpt(&a->order, address) && i < leg->rcpts; i++) {
		if (acting_meant(&leg->rcpt[i], address))
			return true;
	}
	return no(a, REASON_NO_RECIPIENT);
}

/* How often its end has been put off, in all its lives. */
static size_t extensions(const struct leg *leg)
{
	struct leg_record r;
	size_t at = 0, n = 0;

	while (leg_next_record(leg, &at, &r))
		n += leg_record_is(&r, "extended");
	return n;
}

/* Nothing is put off for ever. */
int64_t act_longest(const struct hold *h, const struct leg *leg)
{
	int64_t begun = leg->restored > leg->accepted ? leg->restored : leg->accepted;

	return begun + h->stage->settings.hold_longest;
}

static bool extend(struct acting *a)
{
	const struct leg *leg = &a->o->leg;
	int64_t end = a->w.times.pass > 0 ? a->w.times.pass : a->w.times.discard;
	int64_t latest = act_longest(a->h, leg);

	if (!only_sender(a))
		return false;
	if (end == 0)
		return no(a, REASON_NO_END);
	if (extensions(leg) >= ACT_EXTENSIONS_MAX)
		return no(a, REASON_EXTENSIONS);
	if (latest <= end || latest <= a->w.now)
		return no(a, REASON_LONGEST);
	if (a->asking && a->order.until == 0)
		return true;
	if (a->order.until <= a->w.now || a->order.until <= end)
		return no(a, REASON_TOO_EARLY);
	return a->order.until <= latest || no(a, REASON_TOO_LATE);
}

/* Whether there is still something to be decided. */
static bool undecided(struct acting *a)
{
	if (a->w.step.form == STEP_ODD)
		return a->is_operator ||
		       no_more(a, REASON_STOPPED, ": an operator has to look at it");
	if (a->w.step.form == STEP_NO)
		return no(a, REASON_NO_APPROVAL);
	return (!a->w.approval.refused && a->w.approval.at < a->w.approval.stages) ||
	       no(a, REASON_DECIDED);
}

static bool vote(struct acting *a)
{
	return undecided(a) && only_asked(a);
}

/* The kinder word is for who is asked: an operator is not. */
static bool give_back(struct acting *a)
{
	return a->is_operator ? no(a, REASON_OTHER_WORD) : vote(a);
}

static bool urgent(struct acting *a)
{
	int64_t allowed = a->h->stage->settings.urgent_per_week;
	struct reviews reviews;
	size_t used;

	if (a->is_operator)
		return no(a, REASON_OTHER_WORD);
	if (!undecided(a) || !only_sender(a))
		return false;
	if (allowed == 0)
		return no(a, REASON_URGENT_OFF);
	if (!approval_possible(&a->w.place, &a->o->leg, &a->w.approval))
		return no(a, REASON_URGENT_NOBODY);
	if (a->order.reason[0] == '\0' && !a->asking)
		return no(a, REASON_NO_REASON);
	if (!reviews_read(&reviews))
		return no(a, REASON_ENVIRONMENT);
	used = reviews_of_week(&reviews, a->order.by, a->w.now);
	reviews_free(&reviews);
	return used < (size_t)allowed || no(a, REASON_URGENT_OFTEN);
}

static bool discard(struct acting *a)
{
	return a->order.state == STATE_APPROVE ? sender_or_asked(a) : only_sender(a);
}

/* ---- what comes too late, or too early ---------------------------------------------------- */

static bool needs_approval(struct acting *a)
{
	return no(a, REASON_NEEDS_APPROVAL);
}

static bool not_approving(struct acting *a)
{
	return done_already(a, REASON_APPROVED) ? false : no(a, REASON_NO_APPROVAL);
}

static bool not_discarded(struct acting *a)
{
	return no(a, REASON_NOT_DISCARDED);
}

static bool in_trash(struct acting *a)
{
	return done_already(a, REASON_DISCARDED) ? false : no(a, REASON_DISCARDED);
}

/* ---- the table ---------------------------------------------------------------------------- */

typedef bool may(struct acting *a);

static may *const table[ACT_COUNT][3] = {
    /* approve, hold, trash */
    [ACT_RELEASE] = {needs_approval, release, in_trash},
    [ACT_CHECK] = {needs_approval, check, in_trash},
    [ACT_DISCARD] = {discard, discard, in_trash},
    [ACT_RESTORE] = {not_discarded, not_discarded, restore},
    [ACT_REMOVE] = {remove_one, remove_one, in_trash},
    [ACT_EXTEND] = {needs_approval, extend, in_trash},
    [ACT_APPROVE] = {vote, not_approving, in_trash},
    [ACT_REJECT] = {vote, not_approving, in_trash},
    [ACT_RETURN] = {give_back, not_approving, in_trash},
    [ACT_URGENT] = {urgent, not_approving, in_trash},
};

static bool column(enum spool_state state, size_t *at)
{
	static const enum spool_state states[] = {STATE_APPROVE, STATE_HOLD, STATE_TRASH};

	for (*at = 0; *at < COUNT_OF(states); ++*at) {
		if (states[*at] == state)
			return true;
	}
	return false;
}

/*
 * Whether the trailer has room for another record, and for what is to follow it. What people say again and
 * again must not make a leg that nobody can read any more: the last of the room is for throwing it away.
 */
static bool has_room(struct acting *a)
{
	int64_t most = a->h->stage->settings.trailer_max, kept = most / 4;
	int64_t used = (int64_t)(a->o->leg.end - a->o->leg.trailer);

	kept = kept < ACT_ROOM_KEPT ? kept : ACT_ROOM_KEPT;
	if (used <= most - kept || a->act->word == ACT_DISCARD || a->act->word == ACT_REJECT ||
	    a->act->word == ACT_RETURN)
		return true;
	return no(a, REASON_FULL);
}

bool act_may(struct acting *a)
{
	char said[160];
	size_t at;

	if (a->act->word >= ACT_COUNT || !column(a->order.state, &at))
		return no(a, REASON_NOWHERE);
	/* Binding words need no step; but who is asked about it nobody knows. */
	if (a->o->law.verdict != LAW_ACT && (!a->is_operator || a->act->word != ACT_DISCARD)) {
		(void)snprintf(said, sizeof said, ": %s",
		    a->o->law.why != NULL ? a->o->law.why : "it belongs elsewhere");
		return no_more(a, REASON_STOPPED, said);
	}
	return table[a->act->word][at](a) && has_room(a);
}

/* ---- what it is about --------------------------------------------------------------------- */

bool acting_read(struct acting *a)
{
	a->waits = false;
	a->sender = false;
	a->right = RIGHT_NONE;
	a->who[0] = a->for_whom[0] = '\0';
	if (!a->is_operator && a->h->org == NULL)
		return no(a, REASON_NOBODY_KNOWN);
	if (a->o->law.verdict == LAW_ACT && a->o->law.step != NULL) {
		a->waits = waiting_read(a->h, a->o, &a->w);
		if (!a->waits)
			return no(a, REASON_ENVIRONMENT);
	}
	if (a->is_operator)
		return true;
	actor_person(a->h->org, a->act->who, a->who);
	a->sender = actor_is_sender(a->h->org, &a->o->leg, a->who);
	if (a->waits && a->w.step.form == STEP_APPROVE)
		a->right = approval_right(
		    &a->w.place, &a->o->leg, &a->w.approval, a->act->who, a->for_whom);
	return true;
}

void acting_free(struct acting *a)
{
	if (a->waits)
		waiting_free(&a->w);
}

bool acting_rcpt(const struct order *order, char address[ORDER_RCPT_MAX + 1])
{
	size_t n;

	if (!xtext_decode(order->rcpt, strlen(order->rcpt), address, &n))
		return false;
	address[n] = '\0';
	return n > 0 && strlen(address) == n;
}

bool acting_meant(const struct leg_rcpt *rcpt, const char *address)
{
	char wanted[ORG_ADDRESS_MAX], found[ORG_ADDRESS_MAX];

	if (rcpt->fate != RCPT_OPEN)
		return false;
	return strcmp(rcpt->address, address) == 0 ||
	       (org_normal(address, wanted) && org_normal(rcpt->address, found) &&
		   strcmp(wanted, found) == 0);
}

/* Whether the fact stands in a record before `end`, of the same judging. */
static bool said_before(
    const struct leg *leg, int64_t since, size_t end, const char *fact, size_t len)
{
	struct leg_record r;
	size_t at = 0;

	while (leg_next_record(leg, &at, &r) && at < end) {
		size_t n;
		const char *other = leg_record_is(&r, "check") && r.time >= since
					? leg_record_value(&r, "fact", &n)
					: NULL;

		if (other != NULL && n == len && memcmp(other, fact, len) == 0)
			return true;
	}
	return false;
}

void acting_each_fact(const struct leg *leg, fact_see *see, void *context)
{
	static const char recipients[] = "recipients";
	int64_t since = last_of(leg, "judged", 0).time;
	struct leg_record r;
	bool any = false;
	size_t at = 0;

	while (leg_next_record(leg, &at, &r)) {
		size_t len;
		const char *fact = leg_record_is(&r, "check") && r.time >= since
				       ? leg_record_value(&r, "fact", &len)
				       : NULL;

		if (fact == NULL || said_before(leg, since, at, fact, len))
			continue;
		any = true;
		if (!see(context, fact, len))
			return;
	}
	if (!any)
		(void)see(context, recipients, sizeof recipients - 1);
}
