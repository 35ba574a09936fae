/*
 * act: something is done to each leg of a message to which it applies; to copies of it, which are other
 * messages, only if the request proves that they were shown. A few legs a turn: each takes a sync, and mail
 * does not wait for people.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "lib/base/clock.h"
#include "lib/hold/answering.h"
#include "lib/hold/reasons.h"

/* Kept from turn to turn. */
struct act_work {
	struct walk walk;     /* its answering is that of this turn */
	struct act act;       /* but for the leg; of this turn */
	struct walked *leg;   /* that it is about */
	size_t legs, at;      /* at: the next one */
	size_t copies;        /* legs that it is not about, as nobody proves that they were shown */
	bool more;            /* there are still others, which were not looked at */
	json_t *said;         /* of each leg that was dealt with */
	size_t done, unknown; /* legs, by what became of them */
	bool unfit;           /* for one of them his credential is none */
	struct order_answer no; /* why it is not possible, of the first leg */
	bool brought_back;      /* a leg was, which had been so `restores` times before */
	unsigned restores;
	char link[GATE_CAP_TEXT]; /* the capability of its next life; "": none */
	json_t *last;             /* what was decided about that */
};

void act_work_free(struct act_work *work)
{
	if (work == NULL)
		return;
	walk_end(&work->walk);
	free(work->leg);
	json_decref(work->said);
	json_decref(work->last);
	free(work);
}

bool act_work_begun(const struct act_work *work)
{
	return work->done + work->unknown > 0;
}

/* ---- one leg ------------------------------------------------------------------------------ */

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

static const char *code_of(const struct order_answer *no)
{
	return no->code != NULL ? no->code : reason_word(REASON_NONE);
}

static void note_recent(struct act_work *x, const struct recent_act *made)
{
	struct recent_act act = *made;
	struct answering *a = x->walk.a;

	act.word = x->act.word;
	act.time = asking_now(a->h);
	memcpy(act.id, a->id, ID_TEXT);
	memcpy(act.by, a->asker.address, sizeof act.by);
	recent_note(a->recent, &act);
}

/*
 * The link with which it was brought back is of its earlier life, and opens it no more: whoever has it goes on
 * with another one, of the same rights, person and time.
 */
static void say_link(struct act_work *x)
{
	struct answering *a = x->walk.a;
	struct gate_capability next = a->asker.cap;

	x->brought_back = true;
	next.generation = (unsigned char)(x->restores + 1);
	if (!a->asker.session && !gate_capability_write(&a->h->key, &next, x->link))
		x->link[0] = '\0';
}

/* Carries it out on one leg, which was found to be his and able. */
static void act_on(
    struct act_work *x, const struct leg_place *place, const struct recent_act *recent)
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
	if (answer.result == ORDER_DONE && x->act.word == ACT_RESTORE && !x->brought_back)
		say_link(x);
	if (answer.result == ORDER_NO && x->no.why[0] == '\0')
		x->no = answer;

	name_format(&place->name, STATE_NEW, name);
	answer_set(one, "leg", json_string(name));
	answer_set(one, "result", json_string(results[answer.result]));
	if (answer.result == ORDER_DONE || answer.result == ORDER_UNKNOWN)
		answer_set(one, "state", json_string(show_state(answer.state)));
	if (answer.result == ORDER_NO) {
		answer_set(one, "code", json_string(code_of(&answer)));
		answer_set(one, "why", answer_text(answer.why));
	}
	(void)json_array_append_new(x->said, one);
}

static bool is_as_shown(const struct walked *walked, const struct asked_leg *leg)
{
	return walked->sha256[0] == '\0' || strcmp(walked->sha256, leg->o.leg.sha256) == 0;
}

/* One of the legs: if it is his, what was shown of it is still so, and the act applies to it, it is done there. */
static void try_leg(struct act_work *x, struct walked *walked)
{
	struct answering *a = x->walk.a;
	struct recent_act recent = {.people = 0};
	struct asked_leg leg;
	struct asker_role role;
	struct order_answer no = reason_no(REASON_ELSEWHERE, "");
	bool can;

	if (!walk_open(&x->walk, &walked->place, &leg, &role))
		return;
	if (!asking_word_allowed(&a->asker, x->act.word, &role)) {
		x->unfit = true;
		asked_leg_close(&leg);
		return;
	}
	asking_order(&a->asker, walked->place.state, &walked->place.name, &x->act);
	x->act.who = a->asker.address;
	can = is_as_shown(walked, &leg) && leg.o.law.verdict == LAW_ACT &&
	      act_possible(a->h, &x->act, &leg.o, &no);
	if (can)
		recent.people = asker_each_who(a->h, &leg, recent.who, RECENT_PEOPLE);
	else if (x->last == NULL) {
		x->last = show_last(&leg.o.leg, &role);
		x->no = no;
	}
	x->restores = (unsigned)leg.o.leg.restores;
	asked_leg_close(&leg);
	if (can)
		act_on(x, &walked->place, &recent);
}

/* ---- which legs --------------------------------------------------------------------------- */

static void add_leg(struct act_work *x, const struct walked *walked)
{
	const char *only = gate_request_value(x->walk.a->request, "leg");
	char name[NAME_TEXT];

	name_format(&walked->place.name, STATE_NEW, name);
	if (only == NULL || strcmp(only, name) == 0)
		x->leg[x->legs++] = *walked;
}

/* To take a recipient out of a copy lets nothing go that nobody has seen: all of them. */
static void take_all(struct act_work *x)
{
	const struct leg_places *places = &x->walk.places;

	for (size_t i = 0; i < places->n; i++) {
		struct walked walked = {.place = places->place[i]};

		if (i == 0 || !name_same_leg(&places->place[i - 1].name, &places->place[i].name))
			add_leg(x, &walked);
	}
	x->more = places->more;
}

/* Whether the request says by its digest that these legs, of this content, were shown. False: no memory, too. */
static bool proves(const struct walk *w)
{
	const char *said = gate_request_value(w->a->request, "shown");
	char shown[DIGEST_HEX];

	return said != NULL && walk_shown(w, shown) && strlen(said) == strlen(shown) &&
	       CRYPTO_memcmp(said, shown, strlen(shown)) == 0;
}

/* What would be shown now; but of the copies only if that is what he was shown. */
static void take_shown(struct act_work *x)
{
	struct walk *w = &x->walk;
	struct asked_leg leg;
	struct asker_role role;
	bool proved;

	while (walk_next(w, &leg, &role))
		asked_leg_close(&leg);
	proved = proves(w);
	for (size_t i = 0; i < w->legs; i++) {
		if (!proved && walk_is_copy(w->a, &w->leg[i].place))
			x->copies++;
		else
			add_leg(x, &w->leg[i]);
	}
	x->more = w->at < w->places.n || w->places.more;
}

/* False: it was answered. */
static bool begin(struct answering *a, enum act_word word)
{
	struct act_work *x = calloc(1, sizeof *x);

	if (x == NULL) {
		answer_say(a, "no", "room", "no memory");
		return false;
	}
	if (!walk_begin(&x->walk, a)) {
		free(x);
		return false;
	}
	a->work->act = x; /* freed with the rest */
	x->said = json_array();
	x->leg = calloc(x->walk.places.n + 1, sizeof *x->leg);
	if (x->leg == NULL || x->said == NULL) {
		answer_say(a, "no", "room", "no memory");
		return false;
	}
	if (word == ACT_REMOVE)
		take_all(x);
	else
		take_shown(x);
	return true;
}

/* ---- the request -------------------------------------------------------------------------- */

/* A job has a leg in hand: it is waited for. Before the first all are asked, so that they are dealt with at once. */
static bool busy(const struct act_work *x)
{
	const struct answering *a = x->walk.a;
	const struct stage *stage = a->h->stage;
	size_t end = x->at == 0 ? x->legs : x->at + a->turn->acts;

	for (size_t i = x->at; !a->turn->last && stage->role->in_hand != NULL && i < end; i++) {
		if (i < x->legs && stage->role->in_hand(a->h->stage, &x->leg[i].place.name))
			return true;
	}
	return false;
}

static void say_acted(struct act_work *x)
{
	struct answering *a = x->walk.a;

	if (x->unknown > 0) {
		answer_say(a, "unknown", NULL, "nobody can say whether it is durable");
	} else if (x->done > 0) {
		answer_say(a, "done", NULL, NULL);
	} else if (x->no.why[0] != '\0') {
		answer_say(a, "no", code_of(&x->no), x->no.why);
		answer_set(a->json, "last", x->last != NULL ? x->last : json_null());
		x->last = NULL;
	} else if (x->unfit) {
		answer_refuse(a, "forbidden", "rights", "the link is not for that");
	} else if (x->copies > 0) {
		answer_say(a, "no", "shown", "only copies of it wait, and they were not shown");
	} else {
		answer_gone(a, &x->walk.passed);
	}
	answer_set(a->json, "id", json_string(a->id));
	answer_set(a->json, "word", json_string(act_name(x->act.word)));
	if (json_object_get(a->json, "legs") == NULL)
		answer_set(a->json, "legs", json_incref(x->said));
	if (x->link[0] != '\0')
		answer_set(a->json, "link", json_string(x->link));
	answer_set(a->json, "copies", json_integer((json_int_t)x->copies));
	answer_set(a->json, "more", json_boolean(x->more || x->walk.passed.unread > 0));
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
	if (asking_word_allowed(&a->asker, act->word, NULL))
		return answer_may_act(a);
	answer_refuse(a, "forbidden", "rights", "the link is not for that");
	return false;
}

/* False: it goes on at another turn. */
bool answer_act(struct answering *a)
{
	struct act act = {.word = ACT_COUNT};
	struct act_work *x;

	if (!read_act(a, &act) || (a->work->act == NULL && !begin(a, act.word)))
		return true;
	x = a->work->act;
	x->walk.a = a;
	x->act = act;
	if (busy(x))
		return false;
	for (; x->at < x->legs && a->turn->acts > 0; x->at++, a->turn->acts--)
		try_leg(x, &x->leg[x->at]);
	a->turn->at_once = x->at < x->legs;
	if (a->turn->at_once)
		return false;
	say_acted(x);
	return true;
}
