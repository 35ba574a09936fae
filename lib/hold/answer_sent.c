/* list state=sent: seki-db has what has left; who may see it is decided here. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/hold/actors.h"
#include "lib/hold/answering.h"
#include "lib/past/call.h"

#define PATIENCE (2 * CLOCK_SECOND)

/* As what the person sends: "f" and an address, "l" and a login. */
struct names {
	char text[PAST_SENT_NAMES][ORG_ADDRESS_MAX + 1];
	const char *list[PAST_SENT_NAMES];
	size_t n;
};

struct sent_work {
	struct past_call *call;
	struct names names;
	const struct org *org; /* while an answer is looked at */
	json_t *mails;
	size_t page;
	uint64_t total;
	bool complete;
};

void sent_work_free(struct sent_work *work)
{
	if (work == NULL)
		return;
	past_call_close(work->call);
	json_decref(work->mails);
	free(work);
}

/* ---- whose -------------------------------------------------------------------------------- */

static void add_name(struct names *names, char kind, const char *text, size_t len)
{
	char *name;

	if (names->n == PAST_SENT_NAMES || len == 0 || len >= ORG_ADDRESS_MAX)
		return;
	name = names->text[names->n];
	name[0] = kind;
	memcpy(name + 1, text, len);
	name[1 + len] = '\0';
	names->list[names->n++] = name;
}

static bool see_other(void *context, const char *text, size_t len)
{
	add_name(context, 'f', text, len);
	return true;
}

/* By any of his own addresses, and for the mailboxes that he shares. */
static void names_of(const struct answering *a, struct names *names)
{
	const char *own = a->asker.address;
	char login[ORG_ADDRESS_MAX];

	names->n = 0;
	add_name(names, 'f', own, strlen(own));
	add_name(names, 'l', own, strlen(own));
	if (org_login_of(a->h->org, own, login))
		add_name(names, 'l', login, strlen(login));
	org_sends_as(a->h->org, own, see_other, names);
}

static void without_detail(char address[ORG_ADDRESS_MAX])
{
	size_t plus = strcspn(address, "+@");
	const char *domain = strrchr(address, '@');

	if (plus > 0 && address[plus] == '+' && address[0] != '"' && domain != NULL)
		memmove(address + plus, domain, strlen(domain) + 1);
}

/* Whether one of his addresses is that; `bare`: his are compared without their +detail, too. */
static bool is_among(const struct names *names, const char *address, bool bare)
{
	char own[ORG_ADDRESS_MAX];

	for (size_t i = 0; i < names->n; i++) {
		if (names->list[i][0] != 'f')
			continue;
		(void)snprintf(own, sizeof own, "%s", names->list[i] + 1);
		if (bare)
			without_detail(own);
		if (strcmp(own, address) == 0)
			return true;
	}
	return false;
}

/*
 * seki-db files mail by addresses without their +detail, and knows no people: of sales@ and sales+jp@, which may be
 * two of them, each would be told the other's. What does not stand under one of his addresses even so came by his
 * login, and is his whatever its sender is called.
 */
static bool is_his(const struct sent_work *w, const char *address)
{
	char from[ORG_ADDRESS_MAX], person[ORG_ADDRESS_MAX];

	(void)!org_normal(address, from);
	actor_person(w->org, from, person);
	if (is_among(&w->names, person, false))
		return true;
	without_detail(from);
	return !is_among(&w->names, from, true);
}

/* ---- lines -------------------------------------------------------------------------------- */

static const char *fate_of(const struct past_sent *sent)
{
	if (sent->delivered == sent->rcpts)
		return "delivered";
	if (sent->delivered > 0)
		return "partly";
	return sent->returned > 0 ? "returned" : "failed";
}

static json_t *rcpts_of(const struct past_sent *sent)
{
	json_t *list = json_array();

	for (size_t i = 0; i < PAST_SENT_RCPTS && sent->rcpt[i][0] != '\0'; i++)
		(void)json_array_append_new(list, answer_text(sent->rcpt[i]));
	return list;
}

static void see_sent(void *context, const struct past_sent *sent)
{
	struct sent_work *w = context;
	int64_t accepted, ended = sent->ended * CLOCK_SECOND;
	json_t *one;

	if (!id_valid(sent->id, strlen(sent->id)) || !is_his(w, sent->from))
		return;
	accepted = id_time(sent->id);
	one = json_object();
	answer_set(one, "id", json_string(sent->id));
	answer_set(one, "state", json_string(show_state(STATE_SENT)));
	answer_set(one, "from", answer_text(sent->from));
	answer_set(one, "subject", answer_text(sent->subject));
	answer_set(one, "to", rcpts_of(sent));
	answer_set(one, "recipients", json_integer((json_int_t)sent->rcpts));
	answer_set(one, "accepted", show_time(accepted));
	answer_set(one, "ended", show_time(ended > accepted ? ended : accepted));
	answer_set(one, "delivered", json_integer((json_int_t)sent->delivered));
	answer_set(one, "failed", json_integer((json_int_t)sent->failed));
	answer_set(one, "returned", json_integer((json_int_t)sent->returned));
	answer_set(one, "fate", json_string(fate_of(sent)));
	(void)json_array_append_new(w->mails, one);
}

static void say_list(struct answering *a, const struct sent_work *w)
{
	answer_say(a, "done", NULL, NULL);
	show_page(a->json, w->page, (size_t)w->total, w->complete, json_incref(w->mails));
}

/* ---- the request -------------------------------------------------------------------------- */

/* Nobody sends anything as somebody who is asked to approve it. */
static void ask(const struct answering *a, struct sent_work *w, unsigned as)
{
	const char *query = gate_request_value(a->request, "query");

	w->complete = (as & INDEX_SENDER) == 0;
	if (w->complete || a->h->org == NULL)
		return;
	names_of(a, &w->names);
	w->call = past_call_sent(w->names.list, w->names.n, query != NULL ? query : "",
	    (w->page - 1) * LIST_PAGE, LIST_PAGE, PATIENCE);
}

/* False: it was answered. */
static bool begin(struct answering *a)
{
	unsigned as = show_as(gate_request_value(a->request, "as"));
	size_t page = show_page_asked(gate_request_value(a->request, "page"));
	struct sent_work *w;

	if (page == 0 || as == 0) {
		answer_say(a, "no", "words", "the page, or as=, cannot be understood");
		return false;
	}
	w = calloc(1, sizeof *w);
	if (w == NULL) {
		answer_say(a, "no", "room", "no memory");
		return false;
	}
	a->work->sent = w;
	w->mails = json_array();
	w->page = page;
	ask(a, w, as);
	return true;
}

bool answer_sent(struct answering *a)
{
	struct sent_work *w;

	if (a->work->sent == NULL && !begin(a))
		return true;
	w = a->work->sent;
	w->org = a->h->org;
	if (w->call != NULL) {
		switch (past_call_see(w->call, see_sent, w, &w->total, &w->complete)) {
		case PAST_CALLED:
			break;
		case PAST_WAITS:
			a->turn->call = w->call;
			return false;
		case PAST_FAILED: /* what came of it is told, as a part of it */
			w->complete = false;
			break;
		}
	}
	say_list(a, w);
	return true;
}
