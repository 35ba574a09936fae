#include "lib/hold/answering.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/xtext.h"

/* ---- answers ------------------------------------------------------------------------------ */

void answer_set(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value);
}

json_t *answer_text(const char *nul_ended)
{
	return show_text(nul_ended, strlen(nul_ended));
}

/* `code` is for programs, `why` for people who read English. */
void answer_say(struct answering *a, const char *result, const char *code, const char *why)
{
	answer_set(a->json, "result", json_string(result));
	if (code != NULL)
		answer_set(a->json, "code", json_string(code));
	if (why != NULL)
		answer_set(a->json, "why", answer_text(why));
}

/* Somebody was turned away: that is logged, and never what he showed. */
void answer_refuse(struct answering *a, const char *result, const char *code, const char *why)
{
	answer_say(a, result, code, why);
	LOG("gate-refused", kv("why", code), kv("verb", gate_verb_name(a->request->verb)),
	    kv("id", a->id), kv("who", a->asker.address));
}

bool answer_xtext(const char *value, char *to, size_t room)
{
	struct buf b;
	bool fits;

	buf_init(&b, room - 1);
	buf_add_xtext(&b, value, strlen(value));
	fits = buf_ok(&b);
	if (fits && b.len > 0)
		memcpy(to, b.bytes, b.len);
	to[fits ? b.len : 0] = '\0';
	buf_free(&b);
	return fits;
}

static void finish(struct answering *a, struct door_answer *answer)
{
	static const char lost[] =
	    "{\"result\":\"no\",\"code\":\"room\",\"why\":\"the answer is too long, or there is "
	    "no memory\"}\n";
	char *dump = json_dumps(a->json, JSON_COMPACT);

	buf_init(&answer->text, GATE_ANSWER_MAX);
	answer->leg = a->leg;
	if (dump != NULL) {
		buf_add_text(&answer->text, dump);
		buf_add_text(&answer->text, "\n");
		free(dump);
	}
	if (dump == NULL || !buf_ok(&answer->text)) {
		buf_clear(&answer->text);
		buf_add_text(&answer->text, lost);
	}
	json_decref(a->json);
}

void answer_wrong(struct door_answer *answer)
{
	struct answering a = {.json = json_object(), .leg = -1};

	answer_say(&a, "no", "request", "that is no request");
	LOG("gate-refused", kv("why", "request"));
	finish(&a, answer);
}

/* ---- who asks ----------------------------------------------------------------------------- */

/* Sessions are made by programs that go by the wall clock. One that was set back stops no person. */
static int64_t session_now(int64_t believed)
{
	int64_t wall = clock_wall();

	return wall < believed ? wall : believed;
}

/* A person is known by one address, whichever of his own he has logged in with. */
static void take_own_address(struct answering *a)
{
	struct org_person person;
	char *address = a->asker.address;

	if (a->h->org == NULL || !org_person(a->h->org, address, &person) || person.shared ||
	    person.len >= ORG_ADDRESS_MAX)
		return;
	memcpy(address, person.address, person.len);
	address[person.len] = '\0';
}

static bool prove_session(struct answering *a, int64_t now)
{
	const char *credential = a->request->credential;
	char address[GATE_ADDRESS_MAX];

	a->asker.session = true;
	a->asker.via = "web";
	switch (gate_session_read(&a->h->key, credential, strlen(credential), now, address)) {
	case GATE_GOOD:
		break;
	case GATE_FORGED:
		answer_refuse(a, "forged", "forged", "that session is none of ours");
		return false;
	case GATE_EXPIRED:
		answer_refuse(a, "expired", "expired", "the session is over: log in again");
		return false;
	}
	if (org_normal(address, a->asker.address)) {
		take_own_address(a);
		return true;
	}
	answer_refuse(a, "forged", "address", "the session is of no address");
	return false;
}

static bool prove_capability(struct answering *a, int64_t now)
{
	const char *credential = a->request->credential;
	struct gate_capability *cap = &a->asker.cap;

	a->asker.via = "link";
	switch (gate_capability_read(&a->h->key, credential, strlen(credential), now, cap)) {
	case GATE_GOOD:
		break;
	case GATE_FORGED:
		answer_refuse(a, "forged", "forged", "that link is none of ours");
		return false;
	case GATE_EXPIRED:
		memcpy(a->id, cap->id, ID_TEXT);
		answer_refuse(a, "expired", "expired", "the link has expired");
		return false;
	}
	memcpy(a->id, cap->id, ID_TEXT);
	return true;
}

enum link_asks answer_asks(const struct answering *a)
{
	if (a->asker.session)
		return LINK_ASKS_NOTHING;
	return (enum link_asks)a->h->stage->settings.link_asks;
}

const char *answer_asks_word(const struct answering *a)
{
	static const char *const asks[] = {
	    [LINK_ASKS_NOTHING] = "nothing", [LINK_ASKS_PIN] = "pin", [LINK_ASKS_LOGIN] = "login"};

	return asks[answer_asks(a)];
}

bool answer_may_act(struct answering *a)
{
	const char *proof = gate_request_value(a->request, "proof");

	switch (answer_asks(a)) {
	case LINK_ASKS_NOTHING:
		return true;
	case LINK_ASKS_PIN:
		if (proof != NULL &&
		    gate_proof_read(&a->h->key, proof, strlen(proof), session_now(a->work->begun),
			a->request->credential) == GATE_GOOD)
			return true;
		answer_refuse(a, "forbidden", "pin", "the link asks for a number, too");
		return false;
	case LINK_ASKS_LOGIN:
		break;
	}
	answer_refuse(a, "forbidden", "login", "by a link mail is only read here: log in");
	return false;
}

/* The message that is asked about: a capability has its own, and no other. */
bool answer_take_id(struct answering *a)
{
	const char *id = gate_request_value(a->request, "id");
	size_t len = id != NULL ? strlen(id) : 0;

	if (!a->asker.session) {
		if (id == NULL || strcmp(id, a->id) == 0)
			return true;
		answer_refuse(a, "forbidden", "cross-message", "the link is about another message");
		return false;
	}
	if (len == ID_LEN && id_valid(id, len)) {
		memcpy(a->id, id, ID_TEXT);
		return true;
	}
	answer_say(a, "no", "words", "id= is missing, or no id");
	return false;
}

static bool needs_session(struct answering *a)
{
	if (a->asker.session)
		return true;
	answer_refuse(a, "forbidden", "rights", "that needs a session: log in");
	return false;
}

/* ---- show --------------------------------------------------------------------------------- */

static void say_you(struct answering *a)
{
	json_t *you = json_object();

	answer_set(you, "address", answer_text(a->asker.address));
	answer_set(you, "lang", json_string(answer_in_english(a) ? "en" : "ja"));
	answer_set(you, "session", json_boolean(a->asker.session));
	answer_set(a->json, "asks", json_string(answer_asks_word(a)));
	answer_set(a->json, "you", you);
}

static void say_shown(struct walk *w, json_t *legs)
{
	struct answering *a = w->a;
	char shown[DIGEST_HEX];

	answer_say(a, "done", NULL, NULL);
	answer_set(a->json, "id", json_string(a->id));
	say_you(a);
	answer_set(a->json, "legs", json_incref(legs));
	answer_set(a->json, "more", json_integer((json_int_t)(w->places.n - w->at)));
	if (walk_shown(w, shown))
		answer_set(a->json, "shown", json_string(shown));
}

static void show_now(struct answering *a)
{
	struct asked_leg leg;
	struct asker_role role;
	struct walk w;
	json_t *legs;

	if (!answer_take_id(a) || !walk_begin(&w, a))
		return;
	legs = json_array();
	while (walk_next(&w, &leg, &role)) {
		bool copy = walk_is_copy(a, &w.leg[w.legs - 1].place);

		(void)json_array_append_new(
		    legs, show_leg(&a->asker, &leg, &role, answer_in_english(a), copy));
		asked_leg_close(&leg);
	}
	if (w.legs == 0)
		answer_gone(a, &w.passed);
	else
		say_shown(&w, legs);
	json_decref(legs);
	walk_end(&w);
}

/* False: seki-db is asked about the recipients. */
static bool show(struct answering *a)
{
	if (a->work->firsts == NULL)
		show_now(a);
	return firsts_fill(a);
}

/* ---- list --------------------------------------------------------------------------------- */

/* The same. */
static bool list(struct answering *a)
{
	const char *state = gate_request_value(a->request, "state");

	if (!needs_session(a))
		return true;
	if (state != NULL && strcmp(state, show_state(STATE_SENT)) == 0)
		return answer_sent(a);
	if (!show_list(&a->asker, a->turn->lines, a->request, a->json))
		answer_say(a, "no", "room", "no memory");
	return true;
}

/* ---- a request ---------------------------------------------------------------------------- */

/* False: it goes on at another turn. */
static bool serve(struct answering *a)
{
	switch (a->request->verb) {
	case GATE_LIST:
		return list(a);
	case GATE_SHOW:
		return show(a);
	case GATE_ACT:
		return answer_act(a);
	case GATE_BODY:
		return answer_body(a);
	case GATE_ABSENT:
		if (needs_session(a))
			answer_absent(a);
		return true;
	case GATE_REVIEW:
		answer_review(a);
		return true;
	case GATE_VERBS:
		break;
	}
	answer_say(a, "no", "request", "that is no request");
	return true;
}

void answer_work_free(struct answer_work *work)
{
	if (work == NULL)
		return;
	act_work_free(work->act);
	body_work_free(work->body);
	firsts_work_free(work->firsts);
	sent_work_free(work->sent);
	free(work);
}

bool answer_work_begun(const struct answer_work *work)
{
	return work != NULL && work->act != NULL && act_work_begun(work->act);
}

/* False: no memory. */
static bool take_work(struct answering *a)
{
	struct answer_turn *turn = a->turn;

	if (turn->work == NULL) {
		turn->work = calloc(1, sizeof *turn->work);
		if (turn->work == NULL) {
			answer_say(a, "no", "room", "no memory");
			return false;
		}
		turn->work->begun = asking_now(a->h);
	}
	a->work = turn->work;
	return true;
}

/* Whether he is who he was when he began: what has begun goes on after his time is over. */
static bool prove(struct answering *a)
{
	bool proved;

	if (!a->h->keyed) {
		answer_refuse(a, "forged", "forged", "there is no key: nobody can be believed");
		return false;
	}
	proved = a->request->session ? prove_session(a, session_now(a->work->begun))
				     : prove_capability(a, a->work->begun);
	if (proved && a->asker.address[0] == '\0')
		memcpy(a->asker.address, a->work->address, sizeof a->asker.address);
	return proved;
}

bool answer_request(struct hold *h, struct recent *recent, const struct gate_request *request,
    struct answer_turn *turn, struct door_answer *answer)
{
	struct answering a = {.h = h,
	    .recent = recent,
	    .request = request,
	    .turn = turn,
	    .asker = {.h = h},
	    .json = json_object(),
	    .leg = -1};

	turn->at_once = false;
	turn->call = NULL;
	if (take_work(&a) && prove(&a) && !serve(&a)) {
		memcpy(a.work->address, a.asker.address, sizeof a.work->address);
		json_decref(a.json);
		return false;
	}
	finish(&a, answer);
	return true;
}
