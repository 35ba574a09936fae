/* A person's list: the index says which legs; those of one page are opened and asked. */
#include <stdlib.h>
#include <string.h>

#include "lib/hold/lines.h"
#include "lib/hold/risk.h"
#include "lib/hold/show.h"

struct listing {
	struct asker *asker;
	struct lines *lines;
	const char *query;
	struct index_query *folded; /* NULL: nothing had to be looked into yet */
	size_t looked;              /* recipients */
	bool incomplete;            /* there may be more */
};

/* ---- what is asked for --------------------------------------------------------------------- */

#define BIT(state) (1U << (unsigned)(state))

/* Which states a word means; 0: none of ours. */
static unsigned states_of(const char *word)
{
	static const enum spool_state ours[] = {
	    STATE_APPROVE, STATE_HOLD, STATE_TRASH, STATE_REFUSED};

	if (word == NULL)
		return BIT(STATE_APPROVE) | BIT(STATE_HOLD);
	for (size_t i = 0; i < COUNT_OF(ours); i++) {
		if (strcmp(word, show_state(ours[i])) == 0)
			return BIT(ours[i]);
	}
	return 0;
}

size_t show_page_asked(const char *text)
{
	size_t page = 0, len = text != NULL ? strlen(text) : 0;

	if (text == NULL)
		return 1;
	if (len == 0 || len > 6 || strspn(text, "0123456789") != len)
		return 0;
	for (size_t i = 0; i < len; i++)
		page = page * 10 + (size_t)(text[i] - '0');
	return page;
}

unsigned show_as(const char *word)
{
	if (word == NULL)
		return INDEX_SENDER | INDEX_ASKED;
	if (strcmp(word, "sender") == 0)
		return INDEX_SENDER;
	return strcmp(word, "approver") == 0 ? INDEX_ASKED : 0;
}

/* ---- which legs ---------------------------------------------------------------------------- */

/* Whether the query is in one of the recipients, as far as they may be looked at. */
static enum index_looked is_in(struct listing *l, const struct leg *leg)
{
	for (size_t i = 0; i < leg->rcpts; i++) {
		if (l->looked == LIST_LOOKED_MAX)
			return INDEX_UNKNOWN;
		l->looked++;
		if (index_query_in(l->folded, leg->rcpt[i].address))
			return INDEX_IN;
	}
	return INDEX_NOT_IN;
}

static enum index_looked look_into(
    void *context, enum spool_state state, const struct leg_name *name)
{
	struct listing *l = context;
	struct leg_place place = {state, *name};
	enum index_looked looked;
	struct asked_leg leg;

	if (l->folded == NULL)
		l->folded = index_query_new(l->query);
	if (l->folded == NULL || l->looked == LIST_LOOKED_MAX)
		return INDEX_UNKNOWN;
	switch (asked_leg_open(l->asker->h, &place, &leg)) {
	case STAGE_OPEN_ACT:
		break;
	case STAGE_OPEN_AGAIN:
		return INDEX_UNKNOWN;
	case STAGE_OPEN_GONE:
		return INDEX_NOT_IN;
	}
	looked = is_in(l, &leg.o.leg);
	asked_leg_close(&leg);
	return looked;
}

/* ---- a line -------------------------------------------------------------------------------- */

static void set(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value);
}

static json_t *rcpts_of(const struct leg *leg)
{
	json_t *list = json_array();

	for (size_t i = 0; i < leg->rcpts && json_array_size(list) < LIST_RCPTS; i++) {
		if (leg->rcpt[i].fate != RCPT_DROPPED)
			(void)json_array_append_new(
			    list, show_text(leg->rcpt[i].address, strlen(leg->rcpt[i].address)));
	}
	return list;
}

/* What time does to it next, and when. */
static void add_next(json_t *object, const struct asked_leg *leg)
{
	const struct {
		const char *what;
		int64_t time;
	} ends[] = {{"pass", leg->times.pass}, {"discard", leg->times.discard},
	    {"expire", leg->times.expire}};

	for (size_t i = 0; leg->open && i < COUNT_OF(ends); i++) {
		if (ends[i].time <= 0)
			continue;
		set(object, "next", json_string(ends[i].what));
		set(object, "next-at", show_time(ends[i].time));
		return;
	}
	set(object, "next", json_null());
	set(object, "next-at", json_null());
}

static json_t *risk_json(const struct org *org, const struct leg *leg)
{
	struct risk risk = risk_of(org, leg);
	json_t *object = json_object();

	set(object, "level", json_integer((json_int_t)risk.level));
	set(object, "outside", json_integer((json_int_t)risk.outside));
	set(object, "first", json_integer((json_int_t)risk.first));
	set(object, "many", json_boolean(risk.outside > RISK_MANY));
	set(object, "files", json_integer((json_int_t)risk.files));
	set(object, "checks", json_integer((json_int_t)risk.checks));
	return object;
}

/* All but what depends on the list that it stands in. */
static json_t *line_of(
    const struct asker *asker, const struct asked_leg *leg, const struct asker_role *role)
{
	const struct leg *l = &leg->o.leg;
	json_t *object = json_object();
	char name[NAME_TEXT];

	name_format(&l->name, STATE_NEW, name);
	set(object, "id", json_string(l->name.id));
	set(object, "leg", json_string(name));
	set(object, "state", json_string(show_state(leg->state)));
	set(object, "from", show_text(l->from, strlen(l->from)));
	set(object, "subject", show_text(leg->about.subject, strlen(leg->about.subject)));
	set(object, "to", rcpts_of(l));
	set(object, "recipients", json_integer((json_int_t)l->rcpts));
	set(object, "accepted", show_time(l->accepted));
	set(object, "size", json_integer((json_int_t)l->size));
	set(object, "sender", json_boolean(role->sender));
	set(object, "asked",
	    json_boolean(leg->open && leg->step.form == STEP_APPROVE &&
			 (role->right == RIGHT_OWN || role->right == RIGHT_DEPUTY)));
	set(object, "for",
	    role->right == RIGHT_DEPUTY ? show_text(role->for_whom, strlen(role->for_whom))
					: json_null());
	add_next(object, leg);
	set(object, "expires", show_expires(asker, leg));
	set(object, "risk", risk_json(asker->h->org, l));
	return object;
}

/* NULL: it is not there, not his, or cannot be read. */
static json_t *make_line(struct listing *l, struct leg_place *place, bool *lasts)
{
	struct asker_role role;
	struct asked_leg leg;
	json_t *line = NULL;

	*lasts = false;
	switch (asked_leg_open(l->asker->h, place, &leg)) {
	case STAGE_OPEN_ACT:
		break;
	case STAGE_OPEN_AGAIN:
		l->incomplete = true;
		return NULL;
	case STAGE_OPEN_GONE: /* it comes back into the index when it is seen elsewhere */
		return NULL;
	}
	if (asker_role(l->asker, &leg, &role))
		line = line_of(l->asker, &leg, &role);
	*lasts = !leg.approving;
	asked_leg_close(&leg);
	return line;
}

static void add_mail(json_t *mails, struct listing *l, const struct index_line *index_line)
{
	const char *address = l->asker->address;
	struct leg_place place = {index_line->state, index_line->name};
	struct line_source source;
	bool known = l->lines != NULL && line_source(l->asker->h, &place, &source), lasts;
	json_t *line = known ? lines_find(l->lines, &source, address) : NULL;

	if (line == NULL) {
		line = make_line(l, &place, &lasts);
		if (line != NULL && known && lasts)
			lines_keep(l->lines, &source, address, line);
	}
	if (line == NULL)
		return;
	set(line, "copies", json_integer((json_int_t)index_line->copies));
	(void)json_array_append_new(mails, line);
}

/* Whether each leg has been looked at since the start. */
static bool all_seen(const struct stage *stage)
{
	return stage->background[STATE_APPROVE].n == 0 && stage->background[STATE_HOLD].n == 0 &&
	       stage->background[STATE_TRASH].n == 0 && stage->background[STATE_REFUSED].n == 0;
}

void show_page(json_t *answer, size_t page, size_t total, bool complete, json_t *mails)
{
	set(answer, "page", json_integer((json_int_t)page));
	set(answer, "pages", json_integer((json_int_t)((total + LIST_PAGE - 1) / LIST_PAGE)));
	set(answer, "total", json_integer((json_int_t)total));
	set(answer, "complete", json_boolean(complete));
	set(answer, "mails", mails);
}

static bool fill(struct listing *l, const struct index_question *q, size_t page, json_t *answer)
{
	struct index_line line[LIST_PAGE];
	size_t lines, total, asked;
	bool complete;
	json_t *mails;

	if (!index_list(l->asker->h->index, q, line, &lines, &total, &complete))
		return false;
	mails = json_array();
	for (size_t i = 0; i < lines; i++)
		add_mail(mails, l, &line[i]);
	set(answer, "result", json_string("done"));
	complete = complete && !l->incomplete && all_seen(l->asker->h->stage);
	show_page(answer, page, total, complete, mails);
	if ((q->states & BIT(STATE_APPROVE)) != 0 &&
	    index_asked(l->asker->h->index, q->address, &asked))
		set(answer, "asked-total", json_integer((json_int_t)asked));
	return true;
}

static void say_wrong(json_t *answer, const char *code, const char *why)
{
	set(answer, "result", json_string("no"));
	set(answer, "code", json_string(code));
	set(answer, "why", json_string(why));
}

/* Nobody keeps account of who has mail in stagger/: there may be some. */
static void say_none(json_t *answer, size_t page)
{
	set(answer, "result", json_string("done"));
	show_page(answer, page, 0, false, json_array());
}

bool show_list(
    struct asker *asker, struct lines *lines, const struct gate_request *request, json_t *answer)
{
	const char *query = gate_request_value(request, "query");
	const char *order = gate_request_value(request, "order");
	const char *state = gate_request_value(request, "state");
	struct listing l = {.asker = asker, .lines = lines, .query = query != NULL ? query : ""};
	size_t page = show_page_asked(gate_request_value(request, "page"));
	struct index_question q = {.address = asker->address,
	    .as = show_as(gate_request_value(request, "as")),
	    .states = states_of(state),
	    .query = l.query,
	    .by_risk = order != NULL && strcmp(order, "risk") == 0,
	    .first = (page - 1) * LIST_PAGE,
	    .count = LIST_PAGE,
	    .look = look_into,
	    .context = &l};
	bool done, staggered = state != NULL && strcmp(state, show_state(STATE_STAGGER)) == 0;

	if (q.states == 0 && !staggered) {
		say_wrong(answer, "state", "seki-hold has no list of that state");
		return true;
	}
	if (page == 0 || q.as == 0 || (order != NULL && !q.by_risk)) {
		say_wrong(answer, "words", "page=, as= or order= cannot be understood");
		return true;
	}
	if (staggered) {
		say_none(answer, page);
		return true;
	}
	done = fill(&l, &q, page, answer);
	index_query_free(l.folded);
	return done;
}
