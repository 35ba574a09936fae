/* The state of an `approve` step, out of the plan and the votes in the trailer. */
#include "lib/hold/approval.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xtext.h"
#include "lib/hold/absences.h"
#include "lib/hold/actors.h"

#define TEXT_MAX    ((size_t)65536)
#define CONTENT_LEN ((size_t)16) /* of the content's digest that a vote names */

/* ---- the plan ----------------------------------------------------------------------------- */

/* "3" of "3:staff"; 0: it is none. */
static unsigned read_number(const char *text, size_t len)
{
	unsigned n = 0;

	if (len == 0 || len > 3 || text[0] == '0')
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		n = n * 10 + (unsigned)(text[i] - '0');
	}
	return n;
}

static bool is(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(text, word, len) == 0;
}

static bool read_kind(const char *text, size_t len, struct approval_stage *stage)
{
	stage->need = 1;
	if (is(text, len, "boss")) {
		stage->kind = APPROVE_BOSS;
	} else if (is(text, len, "address")) {
		stage->kind = APPROVE_ADDRESS;
	} else {
		stage->kind = APPROVE_GROUP;
		if (!is(text, len, "any"))
			stage->need = read_number(text, len);
	}
	return stage->need > 0;
}

/* Adds the decoded text with a NUL. False: it is no xtext, or has a NUL in it. */
static bool add_decoded(struct buf *texts, const char *text, size_t len)
{
	char *at = buf_reserve(texts, len + 1);
	size_t n;

	if (at == NULL)
		return true; /* buf_ok says it */
	if (!xtext_decode(text, len, at, &n) || memchr(at, '\0', n) != NULL)
		return false;
	at[n] = '\0';
	texts->len += n + 1;
	return true;
}

/* "any:staff". */
static bool read_stage(struct approval *a, const char *text, size_t len)
{
	const char *colon = memchr(text, ':', len);
	size_t kind;

	if (colon == NULL || a->stages == APPROVAL_STAGES_MAX)
		return false;
	kind = (size_t)(colon - text);
	if (len == kind + 1 || !read_kind(text, kind, &a->stage[a->stages]))
		return false;
	a->stages++;
	return add_decoded(&a->texts, colon + 1, len - kind - 1);
}

/* Only now do the texts stay where they are. */
static void point(struct approval *a)
{
	const char *at = a->texts.bytes;

	for (size_t i = 0; i < a->stages; i++) {
		a->stage[i].who = at;
		at += strlen(at) + 1;
	}
}

/* Each "by=" and "then=". False: it has a form that is not known. */
static bool read_stages(const struct plan_step *step, struct approval *a)
{
	size_t at = 0, needed = 0;

	while (at < step->len) {
		const char *text = step->text + at;
		const char *blank = memchr(text, ' ', step->len - at);
		size_t len = blank != NULL ? (size_t)(blank - text) : step->len - at;
		size_t key = len >= 3 && memcmp(text, "by=", 3) == 0     ? 3
			     : len >= 5 && memcmp(text, "then=", 5) == 0 ? 5
									 : 0;

		at += len + 1;
		if (key == 0)
			continue;
		/* The first is by=, and no other. */
		if ((key == 3) != (a->stages == 0) || !read_stage(a, text + key, len - key))
			return false;
		needed += a->stage[a->stages - 1].need;
	}
	return a->stages > 0 && needed <= APPROVAL_VOTES_MAX;
}

/* ---- votes -------------------------------------------------------------------------------- */

static bool value_is(const struct leg_record *r, const char *key, const char *text, size_t text_len)
{
	size_t len;
	const char *value = leg_record_value(r, key, &len);

	return value != NULL && len == text_len && memcmp(value, text, len) == 0;
}

/* An address of a vote, decoded; "" if there is none. False: it is none. */
static bool read_address(const struct leg_record *r, const char *key, char into[ORG_ADDRESS_MAX])
{
	char text[3 * ORG_ADDRESS_MAX];
	size_t len, n;
	const char *value = leg_record_value(r, key, &len);

	into[0] = '\0';
	if (value == NULL)
		return true;
	if (len == 0 || len > sizeof text || !xtext_decode(value, len, text, &n) ||
	    n >= ORG_ADDRESS_MAX || memchr(text, '\0', n) != NULL)
		return false;
	memcpy(into, text, n);
	into[n] = '\0';
	return true;
}

/* Whose vote it is in the end: a deputy sits in somebody's place. */
static const char *seat_of(const struct approval_vote *vote)
{
	return vote->for_whom[0] != '\0' ? vote->for_whom : vote->by;
}

/* Whether he has voted, or somebody has for him. */
static bool has_voted(const struct approval *a, const char *person)
{
	for (size_t i = 0; i < a->votes; i++) {
		if (strcmp(a->vote[i].by, person) == 0 || strcmp(seat_of(&a->vote[i]), person) == 0)
			return true;
	}
	return false;
}

static bool read_say(const struct leg_record *r, enum vote_say *say)
{
	static const char *const words[] = {
	    [VOTE_YES] = "yes", [VOTE_NO] = "no", [VOTE_RETURN] = "return"};

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (value_is(r, "say", words[i], strlen(words[i]))) {
			*say = (enum vote_say)i;
			return true;
		}
	}
	return false;
}

/* Whether the vote is about this plan, this content, and the stage that was being asked then. */
static bool about_this(const struct leg *leg, const struct approval *a, const struct leg_record *r)
{
	size_t len;
	const char *step = leg_record_value(r, "step", &len);

	return value_is(r, "plan", leg->plan.digest, PLAN_DIGEST_LEN) &&
	       value_is(r, "content", leg->sha256, CONTENT_LEN) && step != NULL &&
	       read_number(step, len) == a->at + 1;
}

/* What it does not know it passes over: then a vote is missing, and the mail waits. */
static void take_vote(const struct leg *leg, struct approval *a, const struct leg_record *r)
{
	struct approval_vote vote = {.stage = a->at, .time = r->time};

	if (a->at == a->stages || a->refused || a->votes == APPROVAL_VOTES_MAX)
		return;
	if (!about_this(leg, a, r) || !read_say(r, &vote.say) || !read_address(r, "by", vote.by) ||
	    !read_address(r, "for", vote.for_whom) || vote.by[0] == '\0' || has_voted(a, vote.by) ||
	    has_voted(a, seat_of(&vote)))
		return;
	a->vote[a->votes++] = vote;
	if (vote.say != VOTE_YES) {
		a->refused = true;
		return;
	}
	if (++a->stage[a->at].yes == a->stage[a->at].need) {
		a->at++;
		a->since = r->time;
	}
}

/* When the leg came to its first approval: what was said before the last `restored` is past. */
static void read_votes(const struct leg *leg, struct approval *a)
{
	struct leg_record r;
	size_t at = 0;

	a->since = leg->accepted;
	while (leg_next_record(leg, &at, &r)) {
		if (leg_record_is(&r, "restored")) {
			for (size_t i = 0; i < a->stages; i++)
				a->stage[i].yes = 0;
			a->at = a->votes = 0;
			a->refused = false;
			a->since = r.time;
		} else if (leg_record_is(&r, "judged") && a->votes == 0) {
			a->since = r.time > a->since ? r.time : a->since;
		} else if (leg_record_is(&r, "vote")) {
			take_vote(leg, a, &r);
		}
	}
}

enum approval_read approval_read(
    const struct leg *leg, const struct plan_step *step, struct approval *approval)
{
	*approval = (struct approval){.stages = 0};
	buf_init(&approval->texts, TEXT_MAX);
	if (!read_stages(step, approval)) {
		approval_free(approval);
		return APPROVAL_ODD;
	}
	approval->vote = calloc(APPROVAL_VOTES_MAX, sizeof *approval->vote);
	if (approval->vote == NULL || !buf_ok(&approval->texts)) {
		approval_free(approval);
		return APPROVAL_NO_MEMORY;
	}
	point(approval);
	read_votes(leg, approval);
	return APPROVAL_READ;
}

void approval_free(struct approval *approval)
{
	buf_free(&approval->texts);
	free(approval->vote);
	approval->vote = NULL;
}

void approval_write_by(const struct approval *approval, struct buf *out)
{
	const char *before = "by=";

	for (size_t i = 0; i < approval->votes; i++) {
		if (approval->vote[i].say != VOTE_YES)
			continue;
		buf_add_text(out, before);
		buf_add_xtext(out, approval->vote[i].by, strlen(approval->vote[i].by));
		before = ",";
	}
}

/* ---- rights ------------------------------------------------------------------------------- */

/* Going through those who are asked, and those who may act for them. */
struct asking {
	const struct approval_place *place;
	const struct leg *leg;
	const struct approval *approval;
	const struct approval_stage *stage;

	char seat[ORG_ADDRESS_MAX]; /* whose deputies are gone through */
	enum { GO_SEATS, GO_DEPUTIES } turn;
	size_t seats;
	bool more;

	/* What it is done for: called for each, perhaps several times for one. */
	bool (*found)(struct asking *asking, const char *person, enum approval_right right);
	void *result;
};

static bool copy(char into[ORG_ADDRESS_MAX], const char *text, size_t len)
{
	if (len == 0 || len >= ORG_ADDRESS_MAX)
		return false;
	memcpy(into, text, len);
	into[len] = '\0';
	return true;
}

/* Nobody approves what he may have written, and nobody twice. */
static bool may_vote(const struct asking *g, const char *person)
{
	return !has_voted(g->approval, person) &&
	       !actor_may_have_written(g->place->org, g->leg, person);
}

static bool see_deputy(void *context, const char *text, size_t len)
{
	struct asking *g = context;
	char address[ORG_ADDRESS_MAX], person[ORG_ADDRESS_MAX];

	if (!copy(address, text, len))
		return true;
	actor_person(g->place->org, address, person);
	if (may_vote(g, person))
		g->more = g->found(g, person, RIGHT_DEPUTY);
	return g->more;
}

/* Who may act for the one who sits there. Who may not vote himself sends no deputy: he would choose who
 * looks at his own mail. The boss's boss is above that. */
static void go_deputies(struct asking *g)
{
	const struct approval_place *p = g->place;
	bool author = actor_may_have_written(p->org, g->leg, g->seat);

	if (has_voted(g->approval, g->seat))
		return;
	if (!author &&
	    (p->escalated || (p->absences != NULL && absent(p->absences, g->seat, p->now))))
		org_deputies(p->org, g->seat, see_deputy, g);
	if (g->more && p->escalated && g->stage->kind == APPROVE_BOSS)
		org_bosses(p->org, g->seat, see_deputy, g);
}

static bool see_seat(void *context, const char *text, size_t len)
{
	struct asking *g = context;
	char address[ORG_ADDRESS_MAX];

	if (!copy(address, text, len))
		return true;
	if (++g->seats > APPROVAL_ASKED_MAX) /* a group of everybody: the rest needs no asking */
		return false;
	actor_person(g->place->org, address, g->seat);
	if (g->turn == GO_DEPUTIES)
		go_deputies(g);
	else if (may_vote(g, g->seat))
		g->more = g->found(g, g->seat, RIGHT_OWN);
	return g->more;
}

size_t approval_address_len(const char *addresses)
{
	bool quoted = false;
	size_t len = 0;

	for (; addresses[len] != '\0' && (quoted || addresses[len] != ','); len++) {
		if (addresses[len] == '"')
			quoted = !quoted;
		else if (quoted && addresses[len] == '\\' && addresses[len + 1] != '\0')
			len++;
	}
	return len;
}

/* A mailbox of several is not a person: those are asked who have it. */
static void go_address(struct asking *g, const char *text, size_t len)
{
	const struct org *org = g->place->org;
	char address[ORG_ADDRESS_MAX], normal[ORG_ADDRESS_MAX];
	struct org_person person;

	if (!copy(address, text, len) || !org_normal(address, normal))
		return;
	if (org_person(org, normal, &person) && person.shared)
		org_sharers(org, normal, see_seat, g);
	else
		(void)see_seat(g, normal, strlen(normal));
}

static bool see_member(void *context, const char *text, size_t len)
{
	struct asking *g = context;

	go_address(g, text, len);
	return g->more && g->seats <= APPROVAL_ASKED_MAX;
}

static void go_seats(struct asking *g)
{
	const char *who = g->stage->who;

	g->seats = 0;
	switch (g->stage->kind) {
	case APPROVE_GROUP:
		org_members(g->place->org, who, see_member, g);
		return;
	case APPROVE_ADDRESS:
		go_address(g, who, strlen(who));
		return;
	case APPROVE_BOSS:
		for (const char *end; g->more; who = end + 1) {
			end = who + approval_address_len(who);
			go_address(g, who, (size_t)(end - who));
			if (*end == '\0')
				return;
		}
	}
}

/* Everybody who can vote now; those who are asked themselves come first. */
static void go(struct asking *g)
{
	if (g->place->org == NULL || g->approval->refused || g->approval->at == g->approval->stages)
		return;
	g->stage = &g->approval->stage[g->approval->at];
	g->more = true;
	g->turn = GO_SEATS;
	go_seats(g);
	if (!g->more)
		return;
	g->turn = GO_DEPUTIES;
	go_seats(g);
}

struct one {
	const char *person;
	enum approval_right right;
	char *for_whom;
};

static bool found_one(struct asking *g, const char *person, enum approval_right right)
{
	struct one *one = g->result;

	if (strcmp(one->person, person) != 0)
		return true;
	one->right = right;
	if (right == RIGHT_DEPUTY)
		memcpy(one->for_whom, g->seat, ORG_ADDRESS_MAX);
	return false;
}

enum approval_right approval_right(const struct approval_place *place, const struct leg *leg,
    const struct approval *approval, const char *address, char for_whom[ORG_ADDRESS_MAX])
{
	struct asking g = {.place = place, .leg = leg, .approval = approval, .found = found_one};
	char person[ORG_ADDRESS_MAX];
	struct one one = {.person = person, .right = RIGHT_NONE, .for_whom = for_whom};
	const struct approval_stage *stage;
	struct org_person found;

	for_whom[0] = '\0';
	if (place->org == NULL || approval->at == approval->stages)
		return RIGHT_NONE;
	actor_person(place->org, address, person);
	if (person[0] == '\0' || (org_person(place->org, person, &found) && found.shared))
		return RIGHT_NONE;
	if (actor_may_have_written(place->org, leg, person))
		return RIGHT_AUTHOR;
	if (has_voted(approval, person))
		return RIGHT_VOTED;
	/* In a group of everybody not each is gone through. */
	stage = &approval->stage[approval->at];
	if (stage->kind == APPROVE_GROUP && (org_in_group(place->org, stage->who, address) ||
						org_in_group(place->org, stage->who, person)))
		return RIGHT_OWN;
	g.result = &one;
	go(&g);
	return one.right;
}

/* ---- everybody who is asked --------------------------------------------------------------- */

struct everybody {
	approval_see *see;
	void *context;
	struct buf known,
	    places; /* people, and in whose place they are; each with a NUL behind it */
	size_t n, seats;
};

/* Whether it is new: then it is kept. */
static bool keep(struct buf *known, const char *person)
{
	for (size_t at = 0; at < known->len; at += strlen(known->bytes + at) + 1) {
		if (strcmp(known->bytes + at, person) == 0)
			return false;
	}
	buf_add(known, person, strlen(person) + 1);
	return true;
}

static bool found_each(struct asking *g, const char *person, enum approval_right right)
{
	struct everybody *e = g->result;

	e->seats += keep(&e->places, g->seat);
	if (!keep(&e->known, person))
		return true;
	if (!buf_ok(&e->known) || !buf_ok(&e->places) || e->n == APPROVAL_ASKED_MAX)
		return false;
	e->n++;
	return e->see == NULL || e->see(e->context, person, right);
}

/* Returns how many can vote, each in another place. */
static size_t each(const struct approval_place *place, const struct leg *leg,
    const struct approval *approval, approval_see *see, void *context)
{
	struct everybody e = {.see = see, .context = context};
	struct asking g = {
	    .place = place, .leg = leg, .approval = approval, .found = found_each, .result = &e};

	buf_init(&e.known, (APPROVAL_ASKED_MAX + 1) * ORG_ADDRESS_MAX);
	buf_init(&e.places, (APPROVAL_ASKED_MAX + 1) * ORG_ADDRESS_MAX);
	go(&g);
	buf_free(&e.known);
	buf_free(&e.places);
	return e.n < e.seats ? e.n : e.seats;
}

void approval_each_asked(const struct approval_place *place, const struct leg *leg,
    const struct approval *approval, approval_see *see, void *context)
{
	(void)each(place, leg, approval, see, context);
}

bool approval_possible(
    const struct approval_place *place, const struct leg *leg, const struct approval *approval)
{
	struct approval_place later = *place;
	const struct approval_stage *stage;
	size_t needed;

	if (approval->at == approval->stages)
		return true;
	stage = &approval->stage[approval->at];
	needed = stage->need - stage->yes;
	later.escalated = true;
	/* Of a larger group nobody needs to be counted. */
	return each(&later, leg, approval, NULL, NULL) >=
	       (needed < APPROVAL_ASKED_MAX ? needed : APPROVAL_ASKED_MAX);
}
