/*
 * The values of the page of one mail, from what seki-hold tells of its legs. Legs of which the same is told, and to
 * which the same can be done, are one part of the page.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/web/pages_mail.h"
#include "lib/web/say.h"
#include "lib/web/web.h"

#define KEY_MAX    ((size_t)8192)
#define PARTS_MOST ((size_t)50) /* as many as seki-hold tells legs */

static bool leg_can(const json_t *leg, const char *word)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(leg, "can"), i, one)
	{
		const char *can = json_string_value(one);

		if (can != NULL && strcmp(can, word) == 0)
			return true;
	}
	return false;
}

bool mail_can(const json_t *show, const char *word)
{
	const json_t *leg;
	size_t i;

	json_array_foreach(json_object_get(show, "legs"), i, leg)
	{
		if (leg_can(leg, word))
			return true;
	}
	return false;
}

/* ---- recipients ----------------------------------------------------------------------------- */

static size_t open_rcpts(const json_t *legs)
{
	const json_t *leg, *rcpt;
	size_t n = 0, i, k;

	json_array_foreach(legs, i, leg)
	{
		json_array_foreach(json_object_get(leg, "recipients"), k, rcpt) n +=
		    strcmp(kit_text(rcpt, "fate"), "open") == 0;
	}
	return n;
}

/* `more`: somebody would be left if he were taken out; to take out the last one is to discard the mail. */
static json_t *rcpt_of(const json_t *leg, const json_t *rcpt, bool more)
{
	const char *fate = kit_text(rcpt, "fate"), *class = kit_text(rcpt, "class");
	json_t *one = json_object();

	kit_put(one, "address", json_string(kit_text(rcpt, "address")));
	kit_put(one, "company", json_string(kit_text(rcpt, "company")));
	kit_put(one, "class", json_string(mail_class(class)));
	kit_put(one, "outside", json_boolean(strcmp(class, "external") == 0));
	kit_put(one, "first", json_boolean(json_is_true(json_object_get(rcpt, "first"))));
	kit_put(one, "fate", json_string(mail_fate(fate)));
	kit_put(one, "well", json_boolean(strcmp(fate, "delivered") == 0));
	kit_put(
	    one, "ill", json_boolean(strcmp(fate, "failed") == 0 || strcmp(fate, "returned") == 0));
	kit_put(one, "gone", json_boolean(strcmp(fate, "removed") == 0));
	kit_put(one, "removable",
	    json_boolean(more && leg_can(leg, "remove") && strcmp(fate, "open") == 0));
	return one;
}

static void add_rcpts(json_t *part, const json_t *leg, bool more)
{
	json_t *list = json_object_get(part, "recipients");
	const json_t *rcpt;
	size_t i;

	json_array_foreach(json_object_get(leg, "recipients"), i, rcpt)(void)
	    json_array_append_new(list, rcpt_of(leg, rcpt, more));
	kit_put(part, "more",
	    json_integer(json_integer_value(json_object_get(part, "more")) +
			 json_integer_value(json_object_get(leg, "more-recipients"))));
}

/* ---- parts ---------------------------------------------------------------------------------- */

/* What two legs have in common that are shown as one. */
static bool key_of(const json_t *leg, struct buf *key)
{
	const json_t *times = json_object_get(leg, "times"), *word;
	const json_t *approval = json_object_get(leg, "approval");
	size_t i;

	buf_addf(key, "%s|%s|%s|%s|%s|%d|", kit_text(leg, "state"), kit_text(leg, "step"),
	    kit_text(times, "pass"), kit_text(times, "discard"), kit_text(times, "expire"),
	    (int)json_integer_value(json_object_get(approval, "stage")));
	json_array_foreach(json_object_get(leg, "can"), i, word)
	    buf_addf(key, "%s,", json_string_value(word) != NULL ? json_string_value(word) : "");
	buf_add(key, "", 1);
	return buf_ok(key);
}

/* When time does something to it. */
static const char *end_of(const json_t *leg)
{
	static const char *const keys[] = {"pass", "discard", "expire"};
	const json_t *times = json_object_get(leg, "times");

	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		if (kit_text(times, keys[i])[0] != '\0')
			return kit_text(times, keys[i]);
	}
	return "";
}

static json_t *part_of(const struct page *page, const json_t *leg)
{
	const char *state = kit_text(leg, "state");
	json_t *part = json_object();

	kit_put(part, "state", json_string(mail_state(state)));
	kit_put(part, "tone", json_string(mail_state_tone(state)));
	kit_put(part, "sentences", mail_sentences(page, leg));
	kit_put(part, "end", json_string(end_of(leg)));
	kit_set_left(page, part, "left", end_of(leg));
	kit_put(part, "leg", json_string(kit_text(leg, "leg")));
	kit_put(part, "release", json_boolean(leg_can(leg, "release")));
	kit_put(part, "discard",
	    json_boolean(leg_can(leg, "discard") && json_is_true(json_object_get(leg, "sender"))));
	kit_put(part, "recipients", json_array());
	return part;
}

static json_t *find_part(json_t *parts, const char *key)
{
	json_t *part;
	size_t i;

	json_array_foreach(parts, i, part)
	{
		if (strcmp(kit_text(part, "key"), key) == 0)
			return part;
	}
	return NULL;
}

/* An act on one leg alone is offered where it is one, of several. */
static void finish_parts(json_t *parts)
{
	bool several = json_array_size(parts) > 1;
	json_t *part;
	size_t i;

	json_array_foreach(parts, i, part)
	{
		bool one = json_integer_value(json_object_get(part, "legs")) == 1;

		(void)json_object_del(part, "key");
		if (!several || !one) {
			kit_put(part, "release", json_false());
			kit_put(part, "discard", json_false());
		}
		kit_put(part, "either",
		    json_boolean(json_is_true(json_object_get(part, "release")) ||
				 json_is_true(json_object_get(part, "discard"))));
	}
}

static json_t *parts_of(const struct page *page, const json_t *legs)
{
	bool more = open_rcpts(legs) > 1;
	json_t *parts = json_array();
	const json_t *leg;
	size_t i;

	json_array_foreach(legs, i, leg)
	{
		struct buf key;
		json_t *part;

		buf_init(&key, KEY_MAX);
		if (!key_of(leg, &key)) {
			buf_free(&key);
			continue;
		}
		part = find_part(parts, key.bytes);
		if (part == NULL) {
			part = part_of(page, leg);
			kit_put(part, "key", json_string(key.bytes));
			(void)json_array_append_new(parts, part);
		}
		buf_free(&key);
		kit_put(part, "legs",
		    json_integer(json_integer_value(json_object_get(part, "legs")) + 1));
		add_rcpts(part, leg, more);
	}
	finish_parts(parts);
	return parts;
}

/* ---- checks and rules ----------------------------------------------------------------------- */

static bool has_equal(const json_t *list, const json_t *one)
{
	const json_t *other;
	size_t i;

	json_array_foreach(list, i, other)
	{
		if (json_equal(other, one))
			return true;
	}
	return false;
}

static void add_new(json_t *list, json_t *one)
{
	if (has_equal(list, one))
		json_decref(one);
	else
		(void)json_array_append_new(list, one);
}

/* seki-hold wants the word "recipients" confirmed where a check has no points of its own. */
static void add_point(json_t *points, const char *fact, const char *text)
{
	json_t *one = json_object();

	kit_put(one, "fact", json_string(fact));
	kit_put(one, "text", json_string(text));
	add_new(points, one);
}

/* Of the legs that can be checked; else of all that wait, to be looked at. */
static json_t *points_of(const json_t *legs, bool check)
{
	json_t *points = json_array();
	const json_t *leg, *one;
	size_t i, k;

	json_array_foreach(legs, i, leg)
	{
		const json_t *checks = json_object_get(leg, "checks");

		if (kit_text(leg, "step")[0] == '\0' || (check && !leg_can(leg, "check")))
			continue;
		json_array_foreach(checks, k, one)
		    add_point(points, kit_text(one, "fact"), kit_text(one, "text"));
		if (check && json_array_size(checks) == 0)
			add_point(points, "recipients", say("The recipients are right."));
	}
	return points;
}

/* "bob@partner.example, …" for a rule that is not about all of its leg. */
static json_t *about_whom(const json_t *leg, const json_t *rule)
{
	const json_t *numbers = json_object_get(rule, "rcpt"), *rcpts, *number;
	struct buf text;
	size_t i;

	rcpts = json_object_get(leg, "recipients");
	buf_init(&text, KEY_MAX);
	if (json_array_size(numbers) < json_array_size(rcpts)) {
		json_array_foreach(numbers, i, number)
		{
			json_int_t n = json_integer_value(number);

			if (i == 3) {
				buf_add_text(&text, " …");
				break;
			}
			if (n >= 1 && (size_t)n <= json_array_size(rcpts))
				buf_addf(&text, "%s%s", i > 0 ? ", " : "",
				    kit_text(json_array_get(rcpts, (size_t)n - 1), "address"));
		}
	}
	return kit_told(&text);
}

static json_t *rule_of(const json_t *leg, const json_t *rule)
{
	const char *function = kit_text(rule, "function");
	json_t *one = json_object();
	struct buf outcome, evidence;

	buf_init(&outcome, KEY_MAX);
	mail_outcome(&outcome, kit_text(rule, "outcome"));
	buf_init(&evidence, KEY_MAX);
	mail_evidence(&evidence, kit_text(rule, "evidence"));
	kit_put(one, "what", json_string(mail_function(function)));
	kit_put(one, "outcome", kit_told(&outcome));
	kit_put(one, "name", json_string(kit_text(rule, "name")));
	kit_put(one, "place", json_string(kit_text(rule, "rule")));
	kit_put(one, "evidence", kit_told(&evidence));
	kit_put(one, "rcpt", about_whom(leg, rule));
	kit_put(one, "noted",
	    json_boolean(json_is_true(json_object_get(rule, "shadow")) ||
			 json_is_true(json_object_get(rule, "watch"))));
	return one;
}

/* Who is told of a hold is no reason for it. */
static json_t *rules_of(const json_t *legs)
{
	json_t *rules = json_array();
	const json_t *leg, *rule;
	size_t i, k;

	json_array_foreach(legs, i, leg)
	{
		json_array_foreach(json_object_get(leg, "rules"), k, rule)
		{
			if (strcmp(kit_text(rule, "function"), "notice") != 0)
				add_new(rules, rule_of(leg, rule));
		}
	}
	return rules;
}

/* ---- approvals ------------------------------------------------------------------------------ */

static json_t *stage_of(const json_t *stage, size_t number, json_int_t now)
{
	const char *kind = kit_text(stage, "kind");
	json_int_t need = json_integer_value(json_object_get(stage, "need"));
	json_int_t yes = json_integer_value(json_object_get(stage, "yes"));
	json_t *one = json_object();

	kit_put(one, "number", json_integer((json_int_t)number));
	kit_put(one, "who", json_string(kit_text(stage, "who")));
	kit_put(one, "group", json_boolean(strcmp(kind, "group") == 0));
	kit_put(one, "need", json_integer(need));
	kit_put(one, "yes", json_integer(yes));
	kit_put(one, "now", json_boolean((json_int_t)number == now && yes < need));
	kit_put(one, "done", json_boolean(yes >= need));
	return one;
}

static json_t *vote_of(const struct page *page, const json_t *vote)
{
	const char *said = kit_text(vote, "say");
	json_t *one = json_object();

	kit_put(one, "by", json_string(kit_text(vote, "by")));
	kit_put(one, "for", json_string(kit_text(vote, "for")));
	kit_set_time(page, one, "at", kit_text(vote, "at"));
	kit_put(one, "yes", json_boolean(strcmp(said, "yes") == 0));
	kit_put(one, "no", json_boolean(strcmp(said, "no") == 0));
	kit_put(one, "return", json_boolean(strcmp(said, "return") == 0));
	return one;
}

/* Of a leg that is being asked about; else of the first that was. */
static const json_t *find_approval(const json_t *legs)
{
	const json_t *leg, *found = NULL;
	size_t i;

	json_array_foreach(legs, i, leg)
	{
		const json_t *its = json_object_get(leg, "approval");

		if (!json_is_object(its))
			continue;
		if (json_is_true(json_object_get(its, "open")))
			return its;
		found = found != NULL ? found : its;
	}
	return found;
}

/* Who is asked now is told unless the stage says it already. */
static bool tells_asked(const json_t *approval)
{
	const json_t *asked = json_object_get(approval, "asked"), *stage;
	size_t i;

	json_array_foreach(json_object_get(approval, "stages"), i, stage)
	{
		if (json_array_size(asked) == 1 &&
		    strcmp(kit_text(json_array_get(asked, 0), "address"), kit_text(stage, "who")) ==
			0)
			return false;
	}
	return json_array_size(asked) > 0;
}

static json_t *approval_of(struct page *page, const json_t *legs)
{
	const json_t *approval = find_approval(legs), *one;
	json_t *value = json_object(), *stages = json_array(), *votes = json_array();
	size_t i;

	json_array_foreach(json_object_get(approval, "stages"), i, one)(void) json_array_append_new(
	    stages, stage_of(one, i + 1, json_integer_value(json_object_get(approval, "stage"))));
	json_array_foreach(json_object_get(approval, "votes"), i, one)(void)
	    json_array_append_new(votes, vote_of(page, one));
	kit_put(value, "any", json_boolean(approval != NULL));
	kit_put(value, "open", json_boolean(json_is_true(json_object_get(approval, "open"))));
	kit_put(value, "several", json_boolean(json_array_size(stages) > 1));
	kit_put(value, "stages", stages);
	kit_put(value, "some-votes", json_boolean(json_array_size(votes) > 0));
	kit_put(value, "votes", votes);
	kit_put(value, "some-asked", json_boolean(tells_asked(approval)));
	kit_put(value, "asked", json_incref(json_object_get(approval, "asked")));
	page_set_text(page, "deputy-for",
	    strcmp(kit_text(approval, "you"), "deputy") == 0 ? kit_text(approval, "for") : "");
	return value;
}

/* Whether this reader would have been asked about mail that its sender sent without an approval. */
static bool went_urgently(const json_t *legs)
{
	const json_t *leg, *record;
	size_t i, k;

	json_array_foreach(legs, i, leg)
	{
		if (!json_is_true(json_object_get(leg, "approver")) ||
		    json_is_true(json_object_get(leg, "sender")))
			continue;
		json_array_foreach(json_object_get(leg, "history"), k, record)
		{
			if (strcmp(kit_text(record, "what"), "approved") == 0 &&
			    strcmp(kit_text(record, "ended"), "urgent") == 0)
				return true;
		}
	}
	return false;
}

/* ---- acts ----------------------------------------------------------------------------------- */

static bool any_role(const json_t *legs, const char *role)
{
	const json_t *leg;
	size_t i;

	json_array_foreach(legs, i, leg)
	{
		if (json_is_true(json_object_get(leg, role)))
			return true;
	}
	return false;
}

static json_t *acts_of(const json_t *show, const json_t *legs)
{
	static const char *const words[] = {"release", "check", "discard", "restore", "extend",
	    "approve", "reject", "return", "urgent"};
	bool vote = mail_can(show, "approve"), any = false;
	json_t *acts = json_object();

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		bool can = mail_can(show, words[i]);

		/* Who is asked says no in words that its sender hears. */
		if (strcmp(words[i], "discard") == 0 && vote && !any_role(legs, "sender"))
			can = false;
		any = any || can;
		kit_put(acts, words[i], json_boolean(can));
	}
	kit_put(acts, "vote", json_boolean(vote));
	kit_put(acts, "any", json_boolean(any));
	return acts;
}

/* What people wonder about; that a mail on hold cannot be approved nobody does. */
static bool is_told(const char *code)
{
	static const char *const codes[] = {"voted", "author", "author-unknown", "operator",
	    "stopped", "plan", "window", "emptied", "extensions", "longest", "urgent-nobody",
	    "urgent-often", "full", "decided", "busy", "audit", "environment", "no-organisation"};

	for (size_t i = 0; i < COUNT_OF(codes); i++) {
		if (strcmp(codes[i], code) == 0)
			return true;
	}
	return false;
}

static json_t *cannots_of(const json_t *legs)
{
	json_t *list = json_array();
	const json_t *leg, *one;
	size_t i, k;

	json_array_foreach(legs, i, leg)
	{
		json_array_foreach(json_object_get(leg, "cannot"), k, one)
		{
			if (is_told(kit_text(one, "code")))
				add_new(list, json_string(mail_reason(kit_text(one, "code"))));
		}
	}
	return list;
}

/* The latest end of what can be put off. */
static const char *latest_end(const json_t *legs)
{
	const char *latest = "";
	const json_t *leg;
	size_t i;

	json_array_foreach(legs, i, leg)
	{
		if (leg_can(leg, "extend") && strcmp(end_of(leg), latest) > 0)
			latest = end_of(leg);
	}
	return latest;
}

/* Until when all of them can be held at most: what one may not, is not offered for all. */
static const char *longest_of(const json_t *legs)
{
	const char *least = "";
	const json_t *leg;
	size_t i;

	json_array_foreach(legs, i, leg)
	{
		const char *longest = kit_text(json_object_get(leg, "times"), "longest");

		if (leg_can(leg, "extend") && longest[0] != '\0' &&
		    (least[0] == '\0' || strcmp(longest, least) < 0))
			least = longest;
	}
	return least;
}

/* ---- all ------------------------------------------------------------------------------------ */

/* What changes when the mail does: a script asks again whether it has. */
static json_t *stamp_of(const json_t *show, const json_t *legs)
{
	const json_t *leg;
	struct buf stamp;
	size_t i;

	buf_init(&stamp, (size_t)256 * 1024);
	buf_addf(&stamp, "%s %s", page_result(show), kit_text(show, "state"));
	json_array_foreach(legs, i, leg)
	{
		buf_addf(&stamp, ";%s %s %zu %zu", kit_text(leg, "state"), end_of(leg),
		    json_array_size(json_object_get(leg, "history")),
		    json_array_size(json_object_get(leg, "can")));
	}
	return kit_told(&stamp);
}

/* What was last decided: `last` of the answer, for mail that has gone, or of the leg. */
static void set_last(struct page *page, const json_t *show, const json_t *legs, const char *you)
{
	const json_t *leg = json_array_get(legs, 0), *last = json_object_get(show, "last");
	struct buf text;

	if (!json_is_object(last))
		last = json_object_get(leg, "last");
	buf_init(&text, KEY_MAX);
	if (json_is_object(last))
		mail_record(page, last, leg, you, &text);
	page_set(page, "last", kit_told(&text));
	page_set_text(page, "gone-state",
	    mail_state(strcmp(kit_text(last, "what"), "discarded") == 0 ? "discarded" : ""));
	kit_set_time(page, page->values, "last-at", kit_text(last, "at"));
}

static void set_about(struct page *page, const json_t *leg)
{
	const char *subject = kit_text(leg, "subject");
	struct buf size;

	page_set_text(page, "subject", subject[0] != '\0' ? subject : say("(no subject)"));
	page_set_text(page, "from", kit_text(leg, "from"));
	kit_set_time(page, page->values, "accepted", kit_text(leg, "accepted"));
	page_set_text(page, "leg", kit_text(leg, "leg"));
	page_set_text(page, "files", kit_text(leg, "files"));
	buf_init(&size, 64);
	page_size(json_integer_value(json_object_get(leg, "size")), &size);
	page_set(page, "size", kit_told(&size));
}

/* How somebody acts who came by a link: at once, by his number, or by logging in. */
static void set_manner(struct page *page, const json_t *show)
{
	bool link = page->person.capability[0] != '\0';
	const char *asks = link ? kit_text(show, "asks") : "";
	struct buf here;

	page_set(page, "pin", json_boolean(strcmp(asks, "pin") == 0));
	page_set(page, "login", json_boolean(strcmp(asks, "login") == 0));
	page_set(
	    page, "direct", json_boolean(strcmp(asks, "pin") != 0 && strcmp(asks, "login") != 0));
	buf_init(&here, 256);
	buf_addf(&here, "/gate/m/?id=%s", kit_text(show, "id"));
	page_set(page, "here", kit_told(&here));
	page_set(page, "by-link", json_boolean(link && !page->person.in));
}

static bool gone_without_legs(const json_t *show, const json_t *legs)
{
	return strcmp(page_result(show), "gone") == 0 && json_array_size(legs) == 0;
}

void mail_seal(const struct page *page, const char *subject, char text[64])
{
	struct buf key;
	char token[64];

	text[0] = '\0';
	page_form_token(page, token);
	buf_init(&key, KEY_MAX);
	buf_addf(&key, "%s %s", token, subject);
	buf_add(&key, "", 1);
	if (token[0] != '\0' && buf_ok(&key))
		web_form_token(key.bytes, text);
	buf_free(&key);
}

/* Of mail that has gone: its subject, if the page before told it. */
static const char *gone_title(struct page *page)
{
	const char *about = page_query(page, "about"), *seal = page_query(page, "seal");
	char right[64];

	if (about != NULL && seal != NULL) {
		mail_seal(page, about, right);
		if (right[0] != '\0' && strcmp(right, seal) == 0)
			return about;
	}
	return say("This mail waits no more");
}

void mail_set_values(struct page *page, const json_t *show)
{
	const json_t *legs = json_object_get(show, "legs"), *first = json_array_get(legs, 0);
	const char *you = kit_text(json_object_get(show, "you"), "address");
	bool check = mail_can(show, "check"), gone = gone_without_legs(show, legs), more = false;
	json_t *parts = parts_of(page, legs);

	if (you[0] == '\0')
		you = page->person.address;
	set_about(page, first);
	set_manner(page, show);
	set_last(page, show, legs, you);
	page_set(page, "gone", json_boolean(gone));
	page_set_text(page, "title", gone ? gone_title(page) : kit_text(page->values, "subject"));
	page_set_text(page, "shown", kit_text(show, "shown"));
	page_set(page, "several", json_boolean(json_array_size(parts) > 1));
	page_set(page, "parts", parts);
	kit_set_list(page, "points", "some-points", points_of(legs, check));
	kit_set_list(page, "rules", "some-rules", rules_of(legs));
	page_set(page, "approval", approval_of(page, legs));
	page_set(page, "review", json_boolean(went_urgently(legs)));
	page_set(page, "acts", acts_of(show, legs));
	page_set(page, "cannots", cannots_of(legs));
	kit_set_list(page, "longer", "some-longer",
	    mail_can(show, "extend") ? mail_longer(page, latest_end(legs), longest_of(legs))
				     : json_array());
	kit_set_list(page, "history", "some-history", mail_history(page, legs, you, &more));
	page_set(page, "more-history", json_boolean(more));
	page_set(page, "checking",
	    json_boolean(check && json_is_true(json_object_get(page->values, "direct"))));
	page_set(page, "more-legs", json_incref(json_object_get(show, "more")));
	page_set(page, "readable", json_boolean(!gone && strcmp(page_result(show), "gone") != 0));
	page_set(page, "stamp", stamp_of(show, legs));
}
