/* act: something is done to each leg of a message to which it applies. */
#include <string.h>

#include "lib/base/clock.h"
#include "lib/hold/answering.h"

struct acting {
	struct walk walk;
	struct act act; /* but for the leg */
	json_t *legs;
	size_t done, unknown; /* legs, by what became of them */
	char why[160];        /* why it is not possible, of the first leg */
	json_t *last;         /* what was decided about that */
};

static bool take_words(struct answering *a, struct act *act)
{
	const char *reason = gate_request_value(a->request, "reason");
	const char *rcpt = gate_request_value(a->request, "rcpt");
	const char *until = gate_request_value(a->request, "until");
	const char *checked = gate_request_value(a->request, "checked");
	struct order *order = &act->order;

	act->checked = checked != NULL ? checked : "";
	if (reason != NULL && !answer_xtext(reason, order->reason, sizeof order->reason))
		return false;
	if (rcpt != NULL && !answer_xtext(rcpt, order->rcpt, sizeof order->rcpt))
		return false;
	order->until = until != NULL ? clock_parse(until, strlen(until)) : 0;
	return order->until >= 0 && (act->word == ACT_REMOVE) == (rcpt != NULL) &&
	       (act->word == ACT_EXTEND) == (until != NULL);
}

static const char *const results[] = {
    [ORDER_DONE] = "done", [ORDER_GONE] = "gone", [ORDER_NO] = "no", [ORDER_UNKNOWN] = "unknown"};

static void note_recent(struct acting *x, const struct recent_act *made)
{
	struct recent_act act = *made;
	struct answering *a = x->walk.a;

	act.word = x->act.word;
	act.time = asking_now(a->h);
	memcpy(act.id, a->id, ID_TEXT);
	memcpy(act.by, a->asker.address, sizeof act.by);
	recent_note(a->recent, &act);
}

/* Carries it out on one leg, which was found to be his and able. */
static void act_on(struct acting *x, const struct leg_place *place, const struct recent_act *recent)
{
	struct answering *a = x->walk.a;
	struct order_answer answer;
	json_t *one = json_object();
	char name[NAME_TEXT];

	asking_order(&a->asker, place->state, &place->name, &x->act);
	answer = act_on_leg(a->h, &x->act);
	x->done += answer.result == ORDER_DONE;
	x->unknown += answer.result == ORDER_UNKNOWN;
	if (answer.result == ORDER_DONE)
		note_recent(x, recent);
	if (answer.result == ORDER_NO && x->why[0] == '\0')
		memcpy(x->why, answer.why, sizeof x->why);

	name_format(&place->name, STATE_NEW, name);
	answer_set(one, "leg", json_string(name));
	answer_set(one, "result", json_string(results[answer.result]));
	if (answer.result == ORDER_DONE || answer.result == ORDER_UNKNOWN)
		answer_set(one, "state", json_string(show_state(answer.state)));
	if (answer.result == ORDER_NO)
		answer_set(one, "why", answer_text(answer.why));
	(void)json_array_append_new(x->legs, one);
}

/* One of the legs: if it is his, and the act applies to it, it is done there. */
static void try_leg(struct acting *x, const struct leg_place *place)
{
	struct answering *a = x->walk.a;
	struct recent_act recent = {.people = 0};
	struct asked_leg leg;
	struct asker_role role;
	char why[160] = "it belongs elsewhere just now";
	bool can;

	if (!walk_open(&x->walk, place, &leg, &role))
		return;
	asking_order(&a->asker, place->state, &place->name, &x->act);
	x->act.who = a->asker.address;
	can = leg.o.law.verdict == LAW_ACT && act_possible(a->h, &x->act, &leg.o, why, sizeof why);
	if (can)
		recent.people = asker_each_who(a->h, &leg, recent.who, RECENT_PEOPLE);
	else if (x->last == NULL) {
		x->last = show_last(&leg.o.leg);
		memcpy(x->why, why, sizeof x->why);
	}
	asked_leg_close(&leg);
	if (can)
		act_on(x, place, &recent);
}

/* A job has a leg in hand: it is waited for, so that all legs are dealt with at once. */
static bool busy(const struct answering *a, const struct leg_places *places)
{
	const struct stage *stage = a->h->stage;

	for (size_t i = 0; !a->last && stage->role->in_hand != NULL && i < places->n; i++) {
		if (stage->role->in_hand(a->h->stage, &places->place[i].name))
			return true;
	}
	return false;
}

static void say_acted(struct acting *x)
{
	struct answering *a = x->walk.a;

	if (x->unknown > 0) {
		answer_say(a, "unknown", NULL, "nobody can say whether it is durable");
	} else if (x->done > 0) {
		answer_say(a, "done", NULL, NULL);
	} else if (x->why[0] != '\0') {
		answer_say(a, "no", "impossible", x->why);
		answer_set(a->json, "last", x->last != NULL ? x->last : json_null());
		x->last = NULL;
	} else {
		answer_gone(a, &x->walk.passed);
	}
	answer_set(a->json, "id", json_string(a->id));
	answer_set(a->json, "word", json_string(act_name(x->act.word)));
	if (json_object_get(a->json, "legs") == NULL)
		answer_set(a->json, "legs", json_incref(x->legs));
	answer_set(a->json, "more", json_boolean(x->walk.places.more));
}

static bool read_act(struct answering *a, struct act *act)
{
	const char *word = gate_request_value(a->request, "word");

	act->word = ACT_COUNT;
	if (word != NULL)
		act->word = strcmp(word, "confirm") == 0 ? ACT_RELEASE : act_called(word);
	if (act->word == ACT_COUNT || !take_words(a, act)) {
		answer_say(a, "no", "words", "word=, or what goes with it, cannot be understood");
		return false;
	}
	if (!answer_take_id(a))
		return false;
	if (asking_word_allowed(&a->asker, act->word))
		return true;
	answer_refuse(a, "forbidden", "rights", "the link is not for that");
	return false;
}

/* False: it is to be asked again. */
bool answer_act(struct answering *a)
{
	struct acting x = {.done = 0};

	if (!read_act(a, &x.act))
		return true;
	if (!walk_begin(&x.walk, a))
		return true;
	if (busy(a, &x.walk.places)) {
		walk_end(&x.walk);
		return false;
	}
	x.legs = json_array();
	for (size_t i = 0; i < x.walk.places.n; i++)
		try_leg(&x, &x.walk.places.place[i]);
	say_acted(&x);
	json_decref(x.legs);
	json_decref(x.last);
	walk_end(&x.walk);
	return true;
}
