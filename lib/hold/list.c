/* A person's list: the index says which legs; those of one page are opened and asked. */
#include <stdlib.h>
#include <string.h>

#include "lib/hold/show.h"

struct line {
	struct leg_place place;
	uint64_t key; /* of the message, or of its group */
	size_t copies;
	bool other; /* another copy of the message stands further up */
	bool look;  /* whether the query is in it only the leg can say */
};

struct listing {
	struct asker *asker;
	unsigned states; /* a bit each */
	const char *query;
	struct line *line;
	size_t n, room;
	size_t opened, looked; /* legs, and recipients of them */
	bool incomplete;       /* there may be more */
	bool failed;
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

/* A page's number, from 1; 0: it is none. */
static size_t page_of(const char *text)
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

static unsigned as_of(const char *word)
{
	if (word == NULL)
		return INDEX_SENDER | INDEX_ASKED;
	if (strcmp(word, "sender") == 0)
		return INDEX_SENDER;
	return strcmp(word, "approver") == 0 ? INDEX_ASKED : 0;
}

/* ---- which legs ---------------------------------------------------------------------------- */

/* Ids are random in their last half. */
static uint64_t key_of(const struct index_row *row)
{
	uint64_t key = 0;

	if (row->group != 0)
		return row->group;
	for (size_t i = ID_LEN / 2; i < ID_LEN; i++) {
		char c = row->name.id[i];

		key = key << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return key;
}

static bool add_line(void *context, const struct index_row *row)
{
	struct listing *l = context;
	struct line *more;

	if ((l->states & BIT(row->state)) == 0 || (!row->found && !row->cut))
		return true;
	if (l->n == LIST_ROWS_MAX) {
		l->incomplete = true;
		return false;
	}
	if (l->n == l->room) {
		size_t room = l->room == 0 ? 64 : 2 * l->room;

		more = reallocarray(l->line, room, sizeof *more);
		if (more == NULL) {
			l->failed = true;
			return false;
		}
		l->line = more;
		l->room = room;
	}
	l->line[l->n++] = (struct line){
	    .place = {row->state, row->name}, .key = key_of(row), .look = !row->found};
	return true;
}

/* Whether the query is in one of the recipients, as far as they may be looked at. */
static bool is_in(struct listing *l, const struct leg *leg, const struct index_query *query)
{
	for (size_t i = 0; i < leg->rcpts; i++) {
		if (l->looked == LIST_LOOKED_MAX) {
			l->incomplete = true;
			return false;
		}
		l->looked++;
		if (index_query_in(query, leg->rcpt[i].address))
			return true;
	}
	return false;
}

static bool is_in_leg(struct listing *l, struct line *line, const struct index_query *query)
{
	struct asked_leg leg;
	bool found;

	if (l->opened == LIST_OPENED_MAX || l->looked == LIST_LOOKED_MAX) {
		l->incomplete = true;
		return false;
	}
	l->opened++;
	switch (asked_leg_open(l->asker->h, &line->place, &leg)) {
	case STAGE_OPEN_ACT:
		break;
	case STAGE_OPEN_AGAIN:
		l->incomplete = true;
		return false;
	case STAGE_OPEN_GONE:
		return false;
	}
	found = is_in(l, &leg.o.leg, query);
	asked_leg_close(&leg);
	return found;
}

/* Takes out the lines in which the query is not. False: no memory. */
static bool look_into(struct listing *l)
{
	struct index_query *query;
	size_t kept = 0;

	if (l->query[0] == '\0')
		return true;
	query = index_query_new(l->query);
	if (query == NULL)
		return false;
	for (size_t i = 0; i < l->n; i++) {
		if (!l->line[i].look || is_in_leg(l, &l->line[i], query))
			l->line[kept++] = l->line[i];
	}
	l->n = kept;
	index_query_free(query);
	return true;
}

static int by_key(const void *a, const void *b)
{
	const struct line *const *left = a, *const *right = b;

	if ((*left)->key != (*right)->key)
		return (*left)->key < (*right)->key ? -1 : 1;
	return *left < *right ? -1 : *left > *right;
}

/* Copies and parts of one message are one line. False: no memory. */
static bool join_copies(struct listing *l)
{
	struct line **sorted = reallocarray(NULL, l->n + 1, sizeof *sorted);
	size_t first = 0, kept = 0;

	if (sorted == NULL)
		return false;
	for (size_t i = 0; i < l->n; i++)
		sorted[i] = &l->line[i];
	qsort(sorted, l->n, sizeof *sorted, by_key);
	for (size_t i = 0; i < l->n; i++) {
		if (i > 0 && sorted[i]->key == sorted[first]->key)
			sorted[i]->other = true;
		else
			first = i;
		sorted[first]->copies++;
	}
	free(sorted);
	for (size_t i = 0; i < l->n; i++) {
		if (!l->line[i].other)
			l->line[kept++] = l->line[i];
	}
	l->n = kept;
	return true;
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

static json_t *line_of(
    const struct line *line, const struct asked_leg *leg, const struct asker_role *role)
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
	set(object, "copies", json_integer((json_int_t)line->copies));
	add_next(object, leg);
	return object;
}

/* A leg that is no longer there comes back into the index when it is seen elsewhere. */
static void add_mail(json_t *mails, struct listing *l, struct line *line)
{
	struct asker_role role;
	struct asked_leg leg;

	switch (asked_leg_open(l->asker->h, &line->place, &leg)) {
	case STAGE_OPEN_ACT:
		break;
	case STAGE_OPEN_AGAIN:
		l->incomplete = true;
		return;
	case STAGE_OPEN_GONE:
		return;
	}
	if (asker_role(l->asker, &leg, &role))
		(void)json_array_append_new(mails, line_of(line, &leg, &role));
	asked_leg_close(&leg);
}

/* Whether each leg has been looked at since the start. */
static bool all_seen(const struct stage *stage)
{
	return stage->background[STATE_APPROVE].n == 0 && stage->background[STATE_HOLD].n == 0 &&
	       stage->background[STATE_TRASH].n == 0 && stage->background[STATE_REFUSED].n == 0;
}

static bool fill(struct listing *l, size_t page, json_t *answer)
{
	json_t *mails = json_array();
	size_t from;

	if (!look_into(l) || !join_copies(l)) {
		json_decref(mails);
		return false;
	}
	for (from = (page - 1) * LIST_PAGE; from < l->n && from < page * LIST_PAGE; from++)
		add_mail(mails, l, &l->line[from]);
	set(answer, "result", json_string("done"));
	set(answer, "page", json_integer((json_int_t)page));
	set(answer, "pages", json_integer((json_int_t)((l->n + LIST_PAGE - 1) / LIST_PAGE)));
	set(answer, "total", json_integer((json_int_t)l->n));
	set(answer, "complete", json_boolean(!l->incomplete && all_seen(l->asker->h->stage)));
	set(answer, "mails", mails);
	return true;
}

bool show_list(struct asker *asker, const struct gate_request *request, json_t *answer)
{
	const char *query = gate_request_value(request, "query");
	struct listing l = {.asker = asker,
	    .states = states_of(gate_request_value(request, "state")),
	    .query = query != NULL ? query : ""};
	size_t page = page_of(gate_request_value(request, "page"));
	unsigned as = as_of(gate_request_value(request, "as"));
	bool done;

	if (l.states == 0 || page == 0 || as == 0) {
		set(answer, "result", json_string("no"));
		set(answer, "code", json_string(l.states == 0 ? "state" : "words"));
		set(answer, "why",
		    json_string(l.states == 0 ? "seki-hold has no list of that state"
					      : "the page, or as=, cannot be understood"));
		return true;
	}
	done = index_rows(asker->h->index, asker->address, as, l.query, add_line, &l) &&
	       !l.failed && fill(&l, page, answer);
	free(l.line);
	return done;
}
