#include "lib/hold/answering.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/xtext.h"
#include "queue/audit.h"

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

static bool reads_english(const struct answering *a)
{
	const char *lang = gate_request_value(a->request, "lang");
	struct org_person person;

	if (lang != NULL)
		return strcmp(lang, "en") == 0;
	return a->h->org != NULL && org_person(a->h->org, a->asker.address, &person) &&
	       person.english;
}

/* ---- the legs of a message ----------------------------------------------------------------- */

/* Whether the leg is the asker's to see; counts it. `places` are of one message and its copies. */
static bool is_his(struct answering *a, const struct asked_leg *leg, struct asker_role *role,
    struct passed *passed)
{
	if (!asker_role(&a->asker, leg, role)) {
		passed->strange++;
		return false;
	}
	if (asker_outdated(&a->asker, leg)) {
		passed->outdated++;
		return false;
	}
	return true;
}

static bool is_copy(const struct answering *a, const struct leg_place *place)
{
	return strcmp(place->name.id, a->id) != 0;
}

/* "leg=ID.K" picks one. */
static bool picked(const struct answering *a, const struct leg_place *place)
{
	const char *leg = gate_request_value(a->request, "leg");
	char name[NAME_TEXT];

	if (leg == NULL)
		return true;
	name_format(&place->name, STATE_NEW, name);
	return strcmp(name, leg) == 0;
}

bool walk_begin(struct walk *w, struct answering *a)
{
	*w = (struct walk){.a = a};
	if (places_of(a->h, a->id, &w->places))
		return true;
	answer_say(a, "no", "room", "no memory");
	return false;
}

void walk_end(struct walk *w)
{
	places_free(&w->places);
}

bool walk_open(
    struct walk *w, const struct leg_place *place, struct asked_leg *leg, struct asker_role *role)
{
	struct hold *h = w->a->h;
	char from[ORG_ADDRESS_MAX];

	if (!picked(w->a, place))
		return false;
	if (!asked_leg_open(h, place, leg)) {
		index_remove(h->index, &place->name);
		return false;
	}
	(void)!org_normal(leg->o.leg.from, from);
	if (!w->known)
		memcpy(w->from, from, sizeof w->from);
	w->known = true;
	if (strcmp(from, w->from) == 0 && is_his(w->a, leg, role, &w->passed))
		return true;
	asked_leg_close(leg);
	return false;
}

/* ---- what is not with us any more ---------------------------------------------------------- */

/* As its record will say, or says. */
static const char *record_of(enum act_word word)
{
	static const char *const words[ACT_COUNT] = {[ACT_RELEASE] = "held",
	    [ACT_CHECK] = "held",
	    [ACT_DISCARD] = "discarded",
	    [ACT_RESTORE] = "restored",
	    [ACT_REMOVE] = "drop",
	    [ACT_EXTEND] = "extended",
	    [ACT_APPROVE] = "vote",
	    [ACT_REJECT] = "discarded",
	    [ACT_RETURN] = "discarded",
	    [ACT_URGENT] = "approved"};

	return words[word];
}

static void add_recent(struct answering *a)
{
	const struct recent_act *act;
	unsigned char who[GATE_WHO_LEN];
	json_t *last;

	memcpy(who, a->asker.cap.who, sizeof who);
	if (a->asker.session && !gate_who(&a->h->key, a->asker.address, who))
		return;
	act = recent_find(a->recent, a->id, who);
	if (act == NULL)
		return;
	last = json_object();
	answer_set(last, "what", json_string(record_of(act->word)));
	answer_set(last, "by", answer_text(act->by));
	answer_set(last, "at", show_time(act->time));
	answer_set(a->json, "last", last);
}

/* It has left: what is known of that is told to who had to do with it. */
void answer_gone(struct answering *a, const struct passed *passed)
{
	struct asked_leg leg;
	struct asker_role role;

	if (passed->outdated > 0) {
		answer_refuse(a, "expired", "restored",
		    "the mail was brought back since: there is a newer link");
		return;
	}
	if (passed->strange > 0) {
		answer_refuse(a, "forbidden", a->h->org == NULL ? "no-organisation" : "nobody",
		    "you are neither its sender nor asked about it");
		return;
	}
	answer_say(a, "gone", NULL, "it waits no more");
	answer_set(a->json, "state", json_null());
	answer_set(a->json, "last", json_null());
	add_recent(a);
	if (!asked_leg_sent(a->h, a->id, &leg))
		return;
	if (asker_role(&a->asker, &leg, &role) && !asker_outdated(&a->asker, &leg)) {
		json_t *legs = json_array();

		(void)json_array_append_new(
		    legs, show_leg(&a->asker, &leg, &role, reads_english(a), false));
		answer_set(a->json, "state", json_string(show_state(STATE_SENT)));
		answer_set(a->json, "last", show_last(&leg.o.leg));
		answer_set(a->json, "legs", legs);
	}
	asked_leg_close(&leg);
}

/* ---- show --------------------------------------------------------------------------------- */

static void say_you(struct answering *a)
{
	json_t *you = json_object();

	answer_set(you, "address", answer_text(a->asker.address));
	answer_set(you, "lang", json_string(reads_english(a) ? "en" : "ja"));
	answer_set(you, "session", json_boolean(a->asker.session));
	answer_set(a->json, "you", you);
}

static void show(struct answering *a)
{
	struct walk w;
	json_t *legs;
	size_t more = 0;

	if (!answer_take_id(a))
		return;
	if (!walk_begin(&w, a))
		return;
	legs = json_array();
	for (size_t i = 0; i < w.places.n; i++) {
		struct asker_role role;
		struct asked_leg leg;

		if (json_array_size(legs) == SHOW_LEGS_MAX) {
			more = w.places.n - i;
			break;
		}
		if (!walk_open(&w, &w.places.place[i], &leg, &role))
			continue;
		(void)json_array_append_new(legs, show_leg(&a->asker, &leg, &role, reads_english(a),
						      is_copy(a, &w.places.place[i])));
		asked_leg_close(&leg);
	}
	if (json_array_size(legs) == 0) {
		answer_gone(a, &w.passed);
		json_decref(legs);
	} else {
		answer_say(a, "done", NULL, NULL);
		answer_set(a->json, "id", json_string(a->id));
		say_you(a);
		answer_set(a->json, "legs", legs);
		answer_set(a->json, "more", json_integer((json_int_t)more));
	}
	walk_end(&w);
}

/* ---- body --------------------------------------------------------------------------------- */

/* Whoever reads a body is written down before he has it. */
static bool audit_read(struct answering *a, const struct asked_leg *leg)
{
	char id[NAME_TEXT];
	struct buf line;
	bool said;

	name_format(&leg->o.leg.name, STATE_NEW, id);
	buf_init(&line, AUDIT_LINE_MAX);
	audit_begin(&line, "read");
	audit_put(&line, "id", id);
	audit_put(&line, "state", state_name(leg->state));
	audit_put(&line, "from", leg->o.leg.from);
	audit_put(&line, "by", a->asker.address);
	audit_put(&line, "via", a->asker.via);
	said = audit_well(a->h->stage->audit) && audit_say_line(a->h->stage->audit, true, &line);
	if (!said)
		LOG_ALARM("not-audited", kv("id", id), kv("what", "read"), kv_errno(errno));
	buf_free(&line);
	return said;
}

static void give_body(struct answering *a, const struct asked_leg *leg)
{
	const struct leg *l = &leg->o.leg;
	char name[NAME_TEXT];

	if (l->emptied) {
		answer_say(a, "no", "emptied", "its content has been thrown away");
		return;
	}
	if (!audit_read(a, leg)) {
		answer_say(a, "no", "audit", "the audit cannot be written, so it is not shown");
		return;
	}
	a->leg = spool_reopen_to_read(leg->o.fd);
	if (a->leg < 0) {
		answer_say(a, "no", "environment", "it cannot be opened just now");
		return;
	}
	name_format(&l->name, STATE_NEW, name);
	answer_say(a, "done", NULL, NULL);
	answer_set(a->json, "leg", json_string(name));
	answer_set(a->json, "offset", json_integer((json_int_t)l->content));
	answer_set(a->json, "size", json_integer((json_int_t)l->size));
}

static void body(struct answering *a)
{
	struct walk w;
	bool given = false;

	if (!answer_take_id(a))
		return;
	if (!asker_may(&a->asker, GATE_READ)) {
		answer_refuse(a, "forbidden", "rights", "the link is not for that");
		return;
	}
	if (!walk_begin(&w, a))
		return;
	for (size_t i = 0; i < w.places.n && !given; i++) {
		struct asked_leg leg;
		struct asker_role role;

		if (!walk_open(&w, &w.places.place[i], &leg, &role))
			continue;
		give_body(a, &leg);
		given = true;
		asked_leg_close(&leg);
	}
	if (!given)
		answer_gone(a, &w.passed);
	walk_end(&w);
}

/* ---- a request ---------------------------------------------------------------------------- */

static bool needs_session(struct answering *a)
{
	if (a->asker.session)
		return true;
	answer_refuse(a, "forbidden", "rights", "that needs a session: log in");
	return false;
}

/* False: it is to be asked again. */
static bool serve(struct answering *a)
{
	switch (a->request->verb) {
	case GATE_LIST:
		if (needs_session(a) && !show_list(&a->asker, a->request, a->json))
			answer_say(a, "no", "room", "no memory");
		return true;
	case GATE_SHOW:
		show(a);
		return true;
	case GATE_ACT:
		return answer_act(a);
	case GATE_BODY:
		body(a);
		return true;
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

bool answer_request(struct hold *h, struct recent *recent, const struct gate_request *request,
    bool last, struct door_answer *answer)
{
	struct answering a = {.h = h,
	    .recent = recent,
	    .request = request,
	    .last = last,
	    .asker = {.h = h},
	    .json = json_object(),
	    .leg = -1};
	int64_t now = asking_now(h);

	if ((request->session ? prove_session(&a, now) : prove_capability(&a, now)) && !serve(&a)) {
		json_decref(a.json);
		return false;
	}
	finish(&a, answer);
	return true;
}
