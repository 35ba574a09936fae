/* What a leg owes to whom: see notices.h. */
#include "lib/hold/notices.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/xtext.h"
#include "lib/hold/actors.h"
#include "lib/policy/window.h"

#define XTEXT_ROOM   (3 * ORG_ADDRESS_MAX)
#define FROZEN_AGAIN (300 * CLOCK_SECOND)

static const char *const names[] = {[TELL_HOLD] = "hold",
    [TELL_REQUEST] = "request",
    [TELL_WARNING] = "warning",
    [TELL_DRAFT] = "draft",
    [TELL_RESULT] = "result"};

const char *notice_what_name(enum notice_what what)
{
	return names[what];
}

/* ---- what the leg says -------------------------------------------------------------------- */

/* A record `noticed`; its texts are the leg's. */
struct told {
	enum notice_what what; /* TELL_WHATS: it counts no more */
	size_t step;
	const char *to;
	size_t to_len;
	int64_t time;
};

struct past {
	struct told *told;
	size_t n, room;
	bool checked;                /* there is a `check` of the last judgement */
	int64_t judged;              /* when that was */
	struct leg_record discarded; /* the last; text NULL: none */
	bool no_memory;
};

static bool value_is(const char *value, size_t len, const char *text)
{
	return value != NULL && len == strlen(text) && memcmp(value, text, len) == 0;
}

static enum notice_what what_of(const struct leg_record *record)
{
	size_t len = 0;
	const char *value = leg_record_value(record, "what", &len);
	size_t what = 0;

	while (what < TELL_WHATS && !value_is(value, len, names[what]))
		what++;
	return (enum notice_what)what;
}

static size_t number_of(const struct leg_record *record, const char *key)
{
	size_t len = 0, number = 0;
	const char *value = leg_record_value(record, key, &len);

	for (size_t i = 0; value != NULL && i < len && i < 6; i++) {
		if (value[i] < '0' || value[i] > '9')
			return 0;
		number = number * 10 + (size_t)(value[i] - '0');
	}
	return number;
}

static void add_told(struct past *past, const struct leg_record *record)
{
	struct told one = {
	    .what = what_of(record), .step = number_of(record, "step"), .time = record->time};

	one.to = leg_record_value(record, "to", &one.to_len);
	if (one.to == NULL || one.what == TELL_WHATS)
		return; /* another version's: it keeps nobody from being told */
	if (past->n == past->room) {
		size_t more = past->room == 0 ? 16 : past->room * 2;
		struct told *grown = reallocarray(past->told, more, sizeof *grown);

		if (grown == NULL) {
			past->no_memory = true;
			return;
		}
		past->told = grown;
		past->room = more;
	}
	past->told[past->n++] = one;
}

/* It was brought back meanwhile, and is thrown away again: what was said of the first time is over. */
static void forget_ends(struct past *past)
{
	for (size_t i = 0; i < past->n; i++) {
		if (past->told[i].what == TELL_DRAFT || past->told[i].what == TELL_RESULT)
			past->told[i].what = TELL_WHATS;
	}
}

static void look_back(const struct leg *leg, struct past *past)
{
	struct leg_record record;
	size_t at = 0;

	*past = (struct past){.n = 0};
	while (leg_next_record(leg, &at, &record)) {
		if (leg_record_is(&record, "noticed")) {
			add_told(past, &record);
		} else if (leg_record_is(&record, "restored")) {
			past->n = 0;
			past->discarded.text = NULL;
		} else if (leg_record_is(&record, "discarded")) {
			forget_ends(past);
			past->discarded = record;
		} else if (leg_record_is(&record, "judged")) {
			past->checked = past->checked && past->judged == record.time;
			past->judged = record.time;
		} else if (leg_record_is(&record, "check")) {
			/* Written with the judgement, before or behind it. */
			past->checked = true;
			past->judged = record.time;
		}
	}
}

static bool was_told(
    const struct past *past, enum notice_what what, size_t step, const char *address)
{
	char text[XTEXT_ROOM];
	size_t len = xtext_encode_cut(address, strlen(address), text, sizeof text);

	for (size_t i = 0; i < past->n; i++) {
		const struct told *t = &past->told[i];

		if (t->what == what && t->step == step && t->to_len == len &&
		    memcmp(t->to, text, len) == 0)
			return true;
	}
	return false;
}

/* ---- people ------------------------------------------------------------------------------- */

bool notices_of_people(const struct leg *leg)
{
	size_t len = 0;
	const char *origin = leg_param(leg->client, "origin", &len);

	return leg->from[0] != '\0' && !value_is(origin, len, "gateway");
}

bool notices_to(const struct hold_view *view, const char *address)
{
	struct org_person person;

	return view->org != NULL && address[0] != '\0' &&
	       (org_class(view->org, address) == CLASS_INTERNAL ||
		   org_person(view->org, address, &person));
}

bool notices_english(const struct hold_view *view, const char *address)
{
	struct org_person person;

	return view->org != NULL && org_person(view->org, address, &person) && person.english;
}

bool notices_sender(
    const struct hold_view *view, const struct leg *leg, char address[ORG_ADDRESS_MAX])
{
	return notices_of_people(leg) && org_normal(leg->from, address) &&
	       notices_to(view, address);
}

bool notices_over(const struct hold_view *view, const struct notices *notices, int64_t now)
{
	if (notices->form == STEP_APPROVE && view->settings.approve_expiry == APPROVE_EXPIRY_WAIT)
		return false;
	return hold_times_over(&notices->times, now);
}

/* ---- what is owed ------------------------------------------------------------------------- */

struct owing {
	const struct hold_view *view;
	const struct absences *absences;
	const struct stage_opened *opened;
	const struct leg *leg; /* opened->leg */
	const struct plan_step *line;
	struct hold_plan_step step;
	struct approval approval; /* of STEP_APPROVE */
	struct approval_place place;
	struct past past;
	struct notices *out;
	int64_t now;
	bool no_memory;

	/* While those who are asked are gone through. */
	enum notice_what what;
};

static bool owe(
    struct owing *o, enum notice_what what, size_t step, bool asked, const char *address)
{
	struct notices *out = o->out;
	struct notice_owed *grown;

	if (was_told(&o->past, what, step, address))
		return true;
	if (out->n == NOTICES_MAX) {
		out->more = true;
		return false;
	}
	grown = reallocarray(out->owed, out->n + 1, sizeof *grown);
	if (grown == NULL) {
		o->no_memory = true;
		return false;
	}
	out->owed = grown;
	grown = &out->owed[out->n++];
	*grown = (struct notice_owed){.what = what,
	    .step = step,
	    .asked = asked,
	    .english = notices_english(o->view, address)};
	(void)strncpy(grown->to, address, sizeof grown->to - 1);
	if (!notices_to(o->view, address))
		grown->none = "outsider";
	return true;
}

static void owe_sender(struct owing *o, enum notice_what what, size_t step)
{
	char sender[ORG_ADDRESS_MAX];

	if (notices_sender(o->view, o->leg, sender))
		(void)owe(o, what, step, false, sender);
}

static bool owe_asked(void *context, const char *address, enum approval_right right)
{
	struct owing *o = context;

	(void)right;
	return owe(o, o->what, o->approval.at + 1, true, address);
}

/* Everybody who can vote now. */
static void owe_each_asked(struct owing *o, enum notice_what what)
{
	o->what = what;
	approval_each_asked(&o->place, o->leg, &o->approval, owe_asked, o);
}

int64_t notices_leaves(const struct hold_view *view, const struct stage_opened *opened, int64_t now)
{
	const struct leg *leg = &opened->leg;
	const struct plan *plan = &leg->plan;
	int64_t at = now;
	bool timed = false;

	for (const struct plan_step *s = opened->law.step;
	     s != NULL && s < plan->step + plan->steps; s++) {
		struct hold_plan_step step;
		struct window window;

		if (s->closed || (s->word != WORD_HOLD && s->word != WORD_APPROVE))
			continue;
		step = hold_plan_step(s, leg->amended_until);
		if (step.form == STEP_NO)
			continue;
		timed = true;
		if (step.form == STEP_UNTIL && !step.discard)
			at = step.time > at ? step.time : at;
		else if (step.form != STEP_WINDOW ||
			 !window_look(step.window, step.window_len, view->org, at, &window) ||
			 (window.inside && window.ends < 0))
			return 0;
		else if (window.inside)
			at = window.ends;
	}
	return timed && at > now ? at : 0;
}

static enum step_notice wish(const struct owing *o)
{
	static const enum step_notice by_setting[] = {[HOLD_NOTICE_RISKY] = NOTICE_RISKY,
	    [HOLD_NOTICE_ALWAYS] = NOTICE_ALWAYS,
	    [HOLD_NOTICE_DIGEST] = NOTICE_DIGEST,
	    [HOLD_NOTICE_NEVER] = NOTICE_NEVER};

	return o->step.notice != NOTICE_UNSAID ? o->step.notice
					       : by_setting[o->view->settings.hold_notice];
}

static bool tells_sender(const struct owing *o)
{
	switch (wish(o)) {
	case NOTICE_ALWAYS:
		return true;
	case NOTICE_RISKY:
		return o->past.checked || o->out->must_act || o->step.form == STEP_APPROVE;
	case NOTICE_UNSAID:
	case NOTICE_NEVER:
	case NOTICE_DIGEST:
		break;
	}
	return false;
}

/* The next moment at which more is owed. */
static void look_again_at(struct owing *o, int64_t time)
{
	if (time > o->now && (o->out->next == 0 || time < o->out->next))
		o->out->next = time;
}

static bool come(const struct owing *o, int64_t time)
{
	return time > 0 && time <= o->now;
}

/* Waiting for people or for time. */
static void owe_waiting(struct owing *o, bool frozen)
{
	const struct hold_times *times = &o->out->times;
	bool approve = o->step.form == STEP_APPROVE;
	size_t number = approve ? o->approval.at + 1 : 0;

	/* Who wants no notices is warned all the same; a rule says that nobody reads them. */
	o->out->silent = o->step.notice == NOTICE_NEVER;
	o->out->digest = wish(o) == NOTICE_DIGEST;
	/* Its time has come: it leaves, or is thrown away, and whoever does that says so. */
	if (!frozen && notices_over(o->view, o->out, o->now))
		return;

	if (tells_sender(o))
		owe_sender(o, TELL_HOLD, 0);
	if (approve && o->step.notice != NOTICE_DIGEST)
		owe_each_asked(o, TELL_REQUEST);
	if (come(o, times->warn) && !frozen) {
		if (!o->out->silent)
			owe_sender(o, TELL_WARNING, number);
		if (approve)
			owe_each_asked(o, TELL_WARNING);
	}
	look_again_at(o, times->warn);
	look_again_at(o, times->escalate);
	/* A clock that is believed again says nothing to us. */
	if (frozen && (come(o, times->warn) || come(o, times->escalate)))
		look_again_at(o, o->now + FROZEN_AGAIN);
}

/* Whether an approval was being asked for when it was thrown away. */
static bool was_asked_for(const struct leg *leg)
{
	for (size_t i = 0; i < leg->plan.steps; i++) {
		if (leg->plan.step[i].word == WORD_APPROVE && !leg->plan.step[i].closed)
			return true;
	}
	return false;
}

/* Whoever was asked hears that nobody need decide any more; but not who has decided it. */
static void owe_results(struct owing *o)
{
	size_t by_len = 0, len;
	const char *by = leg_record_value(&o->past.discarded, "by", &by_len);
	char to[XTEXT_ROOM];

	for (size_t i = 0; i < o->past.n; i++) {
		const struct told *t = &o->past.told[i];

		if (t->what != TELL_REQUEST || t->to_len >= ORG_ADDRESS_MAX ||
		    (by != NULL && by_len == t->to_len && memcmp(by, t->to, by_len) == 0) ||
		    !xtext_decode(t->to, t->to_len, to, &len) || memchr(to, '\0', len) != NULL)
			continue;
		to[len] = '\0';
		if (!was_told(&o->past, TELL_RESULT, 0, to) && !owe(o, TELL_RESULT, 0, true, to))
			return;
	}
}

/* Somebody is asked in each stage of an approval, and is told once. */
static void drop_doubles(struct notices *out)
{
	size_t kept = 0;

	for (size_t i = 0; i < out->n; i++) {
		bool before = false;

		for (size_t k = 0; k < kept && !before; k++)
			before = out->owed[k].what == out->owed[i].what &&
				 out->owed[k].step == out->owed[i].step &&
				 strcmp(out->owed[k].to, out->owed[i].to) == 0;
		if (before)
			continue;
		if (kept != i)
			out->owed[kept] = out->owed[i];
		kept++;
	}
	out->n = kept;
}

static void owe_discarded(struct owing *o)
{
	const struct leg_record *record = &o->past.discarded;
	int64_t keep = o->view->settings.keep_trash;
	size_t len = 0;
	const char *tell;

	if (record->text == NULL || (keep > 0 && record->time + keep <= o->now))
		return;
	o->out->since = record->time;
	tell = leg_record_value(record, "tell", &len);
	if (value_is(tell, len, "draft"))
		owe_sender(o, TELL_DRAFT, 0);
	if (was_asked_for(o->leg))
		owe_results(o);
	drop_doubles(o->out);
}

/* ---- a leg -------------------------------------------------------------------------------- */

static void take_times(struct owing *o, bool frozen)
{
	const struct leg *leg = o->leg;
	struct notices *out = o->out;
	bool approve = o->step.form == STEP_APPROVE;

	out->form = o->step.form;
	out->times = hold_times(
	    &o->view->settings, o->view->org, leg, &o->step, approve ? &o->approval : NULL);
	out->must_act =
	    o->step.form == STEP_CONFIRMED || o->step.form == STEP_CHECKED || o->step.discard;
	out->ends = notices_leaves(o->view, o->opened, o->now);
	out->since = leg->restored > leg->accepted ? leg->restored : leg->accepted;
	if (!approve)
		return;
	out->stage = o->approval.at + 1;
	if (o->approval.since > out->since)
		out->since = o->approval.since;
	o->place = (struct approval_place){.org = o->view->org,
	    .absences = o->absences,
	    .now = o->now,
	    .escalated = come(o, out->times.escalate) && !frozen};
}

/* Reads the step that is open. False: nobody is to hear of it. */
static bool take_step(struct owing *o, bool frozen)
{
	o->step = hold_plan_step(o->line, o->leg->amended_until);
	if (o->step.form == STEP_NO || o->step.form == STEP_ODD)
		return false;
	if (o->step.form == STEP_APPROVE) {
		switch (approval_read(o->leg, o->line, &o->approval)) {
		case APPROVAL_READ:
			break;
		case APPROVAL_NO_MEMORY:
			o->no_memory = true;
			return false;
		case APPROVAL_ODD: /* it is stopped */
			return false;
		}
	}
	take_times(o, frozen);
	return true;
}

/* Whether it still waits, as far as votes go. */
static bool undecided(const struct owing *o)
{
	return o->step.form != STEP_APPROVE ||
	       (!o->approval.refused && o->approval.at < o->approval.stages);
}

static void owe_step(struct owing *o, bool frozen)
{
	if (!take_step(o, frozen))
		return;
	if (undecided(o))
		owe_waiting(o, frozen);
	if (o->step.form == STEP_APPROVE)
		approval_free(&o->approval);
}

enum notices_read notices_of(const struct hold_view *view, const struct absences *absences,
    enum spool_state state, const struct stage_opened *opened, int64_t now, bool frozen,
    struct notices *notices)
{
	struct owing o = {.view = view,
	    .absences = absences,
	    .opened = opened,
	    .leg = &opened->leg,
	    .line = opened->law.step,
	    .now = now,
	    .out = notices};
	struct about about;

	*notices = (struct notices){.form = STEP_NO, .since = opened->leg.accepted};
	/* Nobody is known, and so nobody is told: it is looked at again when somebody is. */
	if (view->org == NULL || !notices_of_people(&opened->leg))
		return NOTICES_READ;
	about_read(&opened->leg, &about);
	notices->group = about.group;
	look_back(&opened->leg, &o.past);
	if (state == STATE_TRASH)
		owe_discarded(&o);
	else if (o.line != NULL)
		owe_step(&o, frozen);
	free(o.past.told);
	if (!o.no_memory && !o.past.no_memory)
		return NOTICES_READ;
	notices_free(notices);
	return NOTICES_NO_MEMORY;
}

/* ---- who waits ---------------------------------------------------------------------------- */

struct waiters {
	struct owing o;
	waiting_see *see;
	void *context;
};

/* When he was last told; 0: never. */
static int64_t told_at(const struct past *past, const char *address)
{
	char text[XTEXT_ROOM];
	size_t len = xtext_encode_cut(address, strlen(address), text, sizeof text);
	int64_t last = 0;

	for (size_t i = 0; i < past->n; i++) {
		const struct told *t = &past->told[i];

		if (t->to_len == len && memcmp(t->to, text, len) == 0 && t->time > last)
			last = t->time;
	}
	return last;
}

static bool see_asked(void *context, const char *address, enum approval_right right)
{
	struct waiters *w = context;
	int64_t since = told_at(&w->o.past, address);

	(void)right;
	if (!notices_to(w->o.view, address) || (since == 0 && w->o.step.notice != NOTICE_DIGEST))
		return true;
	return w->see(w->context, address, true, since);
}

static void see_each(struct waiters *w)
{
	struct owing *o = &w->o;
	bool digest = wish(o) == NOTICE_DIGEST;
	char sender[ORG_ADDRESS_MAX];
	int64_t since;

	if (o->step.form == STEP_APPROVE)
		approval_each_asked(&o->place, o->leg, &o->approval, see_asked, w);
	if (wish(o) == NOTICE_NEVER || (!digest && !o->out->must_act) ||
	    !notices_sender(o->view, o->leg, sender))
		return;
	since = told_at(&o->past, sender);
	if (since > 0 || digest)
		(void)w->see(w->context, sender, false, since);
}

bool notices_waiting(const struct hold_view *view, const struct absences *absences,
    const struct stage_opened *opened, int64_t now, waiting_see *see, void *context)
{
	struct notices notices = {.n = 0};
	struct waiters w = {.see = see,
	    .context = context,
	    .o = {.view = view,
		.absences = absences,
		.opened = opened,
		.leg = &opened->leg,
		.line = opened->law.step,
		.now = now,
		.out = &notices}};

	if (view->org == NULL || opened->law.step == NULL || !notices_of_people(&opened->leg))
		return true;
	look_back(&opened->leg, &w.o.past);
	if (take_step(&w.o, false)) {
		if (undecided(&w.o) && !notices_over(view, &notices, now))
			see_each(&w);
		if (w.o.step.form == STEP_APPROVE)
			approval_free(&w.o.approval);
	}
	free(w.o.past.told);
	return !w.o.no_memory && !w.o.past.no_memory;
}

void notices_free(struct notices *notices)
{
	free(notices->owed);
	*notices = (struct notices){.n = 0};
}
