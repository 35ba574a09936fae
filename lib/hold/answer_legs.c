/* The legs that a request is about, and what is answered where there are none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/hold/answering.h"

#define JUDGED_WITHIN (60 * CLOCK_SECOND) /* it is not likely to be in new/ any more */
#define RECENT_WITHIN (10 * CLOCK_SECOND) /* what was just done shows itself until then */

bool answer_in_english(const struct answering *a)
{
	const char *lang = gate_request_value(a->request, "lang");
	struct org_person person;

	if (lang != NULL)
		return strcmp(lang, "en") == 0;
	return a->h->org != NULL && org_person(a->h->org, a->asker.address, &person) &&
	       person.english;
}

/* ---- walking ------------------------------------------------------------------------------ */

bool walk_is_copy(const struct answering *a, const struct leg_place *place)
{
	return strcmp(place->name.id, a->id) != 0;
}

static int by_name(const void *a, const void *b, void *context)
{
	const struct leg_place *left = a, *right = b;
	int order = walk_is_copy(context, left) - walk_is_copy(context, right);

	if (order == 0)
		order = strcmp(left->name.id, right->name.id);
	return order != 0 ? order : strcmp(left->name.k, right->name.k);
}

bool walk_begin(struct walk *w, struct answering *a)
{
	*w = (struct walk){.a = a};
	if (places_of(a->h, a->id, &w->places)) {
		if (w->places.n > 0)
			qsort_r(w->places.place, w->places.n, sizeof *w->places.place, by_name, a);
		return true;
	}
	answer_say(a, "no", "room", "no memory");
	return false;
}

void walk_end(struct walk *w)
{
	places_free(&w->places);
}

/* Whether the leg is the asker's to see; counts it if it is not. */
static bool is_his(struct walk *w, const struct asked_leg *leg, struct asker_role *role)
{
	struct asker *asker = &w->a->asker;

	if (!asker_role(asker, leg, role)) {
		w->passed.strange++;
		return false;
	}
	if (asker_outdated(asker, leg)) {
		w->passed.outdated++;
		return false;
	}
	return true;
}

bool walk_open(
    struct walk *w, struct leg_place *place, struct asked_leg *leg, struct asker_role *role)
{
	char from[ORG_ADDRESS_MAX];

	switch (asked_leg_open(w->a->h, place, leg)) {
	case STAGE_OPEN_ACT:
		break;
	case STAGE_OPEN_AGAIN:
		w->passed.unread++;
		return false;
	case STAGE_OPEN_GONE:
		return false;
	}
	(void)!org_normal(leg->o.leg.from, from);
	if (!w->known)
		memcpy(w->from, from, sizeof w->from);
	w->known = true;
	if (strcmp(from, w->from) == 0 && is_his(w, leg, role))
		return true;
	asked_leg_close(leg);
	return false;
}

static bool is_only(const struct walk *w, const struct leg_place *place)
{
	char name[NAME_TEXT];

	if (w->only == NULL)
		return true;
	name_format(&place->name, STATE_NEW, name);
	return strcmp(name, w->only) == 0;
}

/* A leg may be known under an old name, too. */
static bool was_here(const struct walk *w, const struct leg_place *place)
{
	for (size_t i = 0; i < w->legs; i++) {
		if (name_same_leg(&w->leg[i].place.name, &place->name))
			return true;
	}
	return false;
}

bool walk_next(struct walk *w, struct asked_leg *leg, struct asker_role *role)
{
	while (w->at < w->places.n && w->legs < SHOW_LEGS_MAX) {
		struct leg_place place = w->places.place[w->at++];
		struct walked *walked = &w->leg[w->legs];

		if (!is_only(w, &place) || was_here(w, &place) || !walk_open(w, &place, leg, role))
			continue;
		walked->place = place;
		memcpy(walked->sha256, leg->o.leg.sha256, sizeof walked->sha256);
		w->legs++;
		return true;
	}
	return false;
}

/* ---- what was shown ----------------------------------------------------------------------- */

struct shown_line {
	char text[NAME_TEXT + LEG_DIGEST_LEN + 2]; /* "ID.K SHA256\n" */
};

static int by_text(const void *a, const void *b)
{
	const struct shown_line *left = a, *right = b;

	return strcmp(left->text, right->text);
}

bool walk_shown(const struct walk *w, char hex[DIGEST_HEX])
{
	struct shown_line *line = calloc(w->legs + 1, sizeof *line);
	struct digest *digest = digest_new();
	bool done = line != NULL && digest != NULL;

	for (size_t i = 0; done && i < w->legs; i++) {
		char name[NAME_TEXT];

		name_format(&w->leg[i].place.name, STATE_NEW, name);
		(void)snprintf(
		    line[i].text, sizeof line[i].text, "%s %s\n", name, w->leg[i].sha256);
	}
	if (done) {
		qsort(line, w->legs, sizeof *line, by_text);
		for (size_t i = 0; i < w->legs; i++)
			digest_add(digest, line[i].text, strlen(line[i].text));
		digest_end(digest, hex);
	}
	digest_free(digest);
	free(line);
	return done;
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
	answer_set(a->json, "recent",
	    json_boolean(act != NULL && asking_now(a->h) - act->time < RECENT_WITHIN));
	if (act != NULL && act->word == ACT_RESTORE && asking_now(a->h) - act->time < JUDGED_WITHIN)
		answer_set(a->json, "state", json_string(show_state(STATE_NEW)));
	/* Behind these it still waited: time has let it go since, and they are not why. */
	if (act == NULL || act->word == ACT_EXTEND || act->word == ACT_REMOVE ||
	    act->word == ACT_RESTORE)
		return;
	last = json_object();
	answer_set(last, "what", json_string(record_of(act->word)));
	answer_set(last, "by", answer_text(act->by));
	answer_set(last, "at", show_time(act->time));
	answer_set(a->json, "last", last);
}

/* What is known of mail that has left. */
static void add_sent(struct answering *a)
{
	struct asked_leg leg;
	struct asker_role role;

	if (!asked_leg_sent(a->h, a->id, &leg))
		return;
	if (asker_role(&a->asker, &leg, &role) && !asker_outdated(&a->asker, &leg)) {
		json_t *legs = json_array();

		(void)json_array_append_new(
		    legs, show_leg(&a->asker, &leg, &role, answer_in_english(a), false));
		answer_set(a->json, "state", json_string(show_state(STATE_SENT)));
		answer_set(a->json, "last", show_last(&leg.o.leg, &role));
		answer_set(a->json, "legs", legs);
	}
	asked_leg_close(&leg);
}

/* It has left: what is known of that is told to who had to do with it. */
void answer_gone(struct answering *a, const struct passed *passed)
{
	if (passed->unread > 0) {
		answer_say(a, "no", "environment", "it cannot be read just now: see the log");
		return;
	}
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
	answer_set(a->json, "recent", json_false());
	add_recent(a);
	add_sent(a);
}
