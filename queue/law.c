#include "queue/law.h"

#include <string.h>

#include "lib/base/clock.h"

static struct law act(const struct plan_step *step)
{
	return (struct law){.verdict = LAW_ACT, .step = step};
}

static struct law move_to(enum spool_state state, int64_t due, const char *why)
{
	return (struct law){.verdict = LAW_MOVE, .state = state, .due = due, .why = why};
}

static struct law stop(const char *why)
{
	return (struct law){.verdict = LAW_STOP, .why = why};
}

/* Law 5: the words of people and rules about the whole leg bind wherever it stands. */
static bool bound(const struct leg *leg, enum spool_state state, struct law *law)
{
	enum spool_state place = leg->verdict == LEG_DISCARDED ? STATE_TRASH : STATE_REFUSED;

	if (leg->verdict != LEG_STANDS) {
		*law = state == place ? act(NULL) : move_to(place, DUE_NONE, "binding word");
		return true;
	}
	if (state == STATE_TRASH || state == STATE_REFUSED) {
		*law = move_to(STATE_NEW, DUE_NONE, "no word that brings it here");
		return true;
	}
	return false;
}

/* A leg without open recipients is finished; one in sent/ with some is not. */
static bool finished(const struct leg *leg, enum spool_state state, struct law *law)
{
	if (leg_open_rcpts(leg) == 0) {
		*law = state == STATE_SENT
			   ? act(NULL)
			   : move_to(STATE_SENT, DUE_NONE, "every recipient is done");
		return true;
	}
	if (leg->emptied) {
		*law = move_to(STATE_BAD, DUE_NONE, "body gone, recipients open");
		return true;
	}
	if (state == STATE_SENT) {
		*law = move_to(STATE_NEW, DUE_NONE, "recipients open");
		return true;
	}
	return false;
}

/* Whether the plan has a step that is carried out in `state`. */
static bool leads_through(const struct plan *plan, enum spool_state state)
{
	for (size_t i = 0; i < plan->steps; i++) {
		if (plan->step[i].word != WORD_UNKNOWN &&
		    plan_word_state(plan->step[i].word) == state)
			return true;
	}
	return false;
}

/*
 * Law 5: addresses that were taken away are taken out of the header before the mail goes any further than
 * encrypt/, whatever the plan says.
 */
static bool rewriting_first(const struct leg *leg, const struct plan_step *step)
{
	return leg->removals > 0 && step != NULL &&
	       (step->word == WORD_ENCRYPT || step->word == WORD_STAGGER ||
		   step->word == WORD_DELIVER);
}

/* Laws 3 and 4: only a whole plan that leads here, and only the first step that is unproven. */
static struct law planned(const struct leg *leg, enum spool_state state, int64_t now)
{
	const struct plan_step *step = plan_open_step(&leg->plan);

	if (rewriting_first(leg, step)) {
		if (state != STATE_ENCRYPT)
			return move_to(STATE_ENCRYPT, now, "addresses to be taken out");
		return act(step->word == WORD_ENCRYPT ? step : NULL);
	}
	/* What was in encrypt/ for that alone goes on from there. */
	if (step == NULL ||
	    (!leads_through(&leg->plan, state) && !(state == STATE_ENCRYPT && leg->rewritten)))
		return move_to(STATE_NEW, DUE_NONE, step == NULL ? "no plan" : "not on its way");
	if (step->word == WORD_UNKNOWN)
		return stop("unknown word in the plan");
	if (plan_word_state(step->word) != state)
		return move_to(plan_word_state(step->word), law_due(leg, step, now), "next step");
	if (step->word == WORD_DELIVER && !plan_step_is(step, "deliver"))
		return stop("a way of delivery that this version cannot go");
	return act(step);
}

struct law law_of(const struct leg *leg, enum spool_state state, int64_t now)
{
	struct law law;

	if (bound(leg, state, &law))
		return law;
	if (leg->unknown != NULL)
		return stop("unknown record");
	if (finished(leg, state, &law))
		return law;
	if (state == STATE_NEW)
		return act(NULL);
	return planned(leg, state, now);
}

struct law law_first(const struct leg *leg, int64_t now)
{
	const struct plan_step *step = plan_open_step(&leg->plan);
	struct law law;

	if (bound(leg, STATE_NEW, &law) || finished(leg, STATE_NEW, &law))
		return law;
	if (step == NULL || step->word == WORD_UNKNOWN)
		return move_to(STATE_NEW, DUE_NONE, "no plan");
	if (rewriting_first(leg, step))
		return move_to(STATE_ENCRYPT, now, "addresses to be taken out");
	return move_to(plan_word_state(step->word), law_due(leg, step, now), "first step");
}

bool law_operator(const struct plan_step *step)
{
	static const char text[] = "hold operator";
	const size_t len = sizeof text - 1;

	return step->word == WORD_HOLD && step->len >= len && memcmp(step->text, text, len) == 0 &&
	       (step->len == len || step->text[len] == ' ');
}

int64_t law_until(const struct leg *leg, const struct plan_step *step)
{
	size_t len;
	const char *text = plan_argument(step, "until", &len);
	int64_t until;

	if (law_operator(step))
		return -1;
	if (text == NULL) {
		/* "hold no": passes at once. Any other form is a later version's, or a person's. */
		bool at_once = step->len > 3 && memcmp(step->text + step->len - 3, " no", 3) == 0;

		return at_once ? 0 : -1;
	}
	until = clock_parse(text, len);
	if (until >= 0 && leg->amended_until > until)
		until = leg->amended_until;
	return until;
}

int64_t law_due(const struct leg *leg, const struct plan_step *step, int64_t now)
{
	int64_t until;

	if (step->word != WORD_HOLD && step->word != WORD_STAGGER)
		return now;
	if (law_operator(step))
		return DUE_NEVER;
	until = law_until(leg, step);
	if (until < 0)
		return now; /* for the stage to look at */
	/* Rounded up: a timetable must not be earlier than the deadline. */
	until = (until + CLOCK_SECOND - 1) / CLOCK_SECOND;
	return until > now ? until : now;
}
