/* What waits for somebody's decision, his absences, and urgent mail that he reviews afterwards. */
#include <string.h>

#include "lib/base/clock.h"
#include "lib/web/pages.h"
#include "lib/web/pages_kit.h"
#include "lib/web/reasons.h"

#define LINK_ASKS_PIN 1 /* of the setting link-asks: nothing, pin or login */

/* ---- the queue ----------------------------------------------------------------------------- */

/* A list, and under a name of its own whether there is something in it. */
static void set_list(struct page *page, const char *name, const char *some, json_t *list)
{
	page_set(page, some, json_boolean(json_array_size(list) > 0));
	page_set(page, name, list);
}

/* As seki-hold weighs it: the address, or the company, may be a mistake. */
#define LEVEL_WRONG 3

static json_t *row_of(const struct page *page, const json_t *mail)
{
	static const char *const counts[] = {"outside", "first", "files", "checks"};
	const json_t *risk = json_object_get(mail, "risk");
	const char *subject = kit_text(mail, "subject");
	json_t *row = json_object();

	kit_put(row, "id", json_string(kit_text(mail, "id")));
	kit_put(row, "subject", json_string(subject[0] != '\0' ? subject : say("(no subject)")));
	kit_put(row, "from", json_string(kit_text(mail, "from")));
	kit_put(row, "recipients",
	    json_integer(json_integer_value(json_object_get(mail, "recipients"))));
	kit_put(row, "deputy-for", json_string(kit_text(mail, "for")));
	for (size_t i = 0; i < COUNT_OF(counts); i++)
		kit_put(row, counts[i],
		    json_integer(json_integer_value(json_object_get(risk, counts[i]))));
	kit_put(row, "many", json_boolean(json_is_true(json_object_get(risk, "many"))));
	kit_put(row, "wrong",
	    json_boolean(json_integer_value(json_object_get(risk, "level")) >= LEVEL_WRONG));
	kit_set_time(page, row, "since", kit_text(mail, "accepted"));
	kit_set_left(page, row, "left", kit_text(mail, "next-at"));
	return row;
}

static void set_pager(struct page *page, const json_t *answer)
{
	json_int_t at = json_integer_value(json_object_get(answer, "page"));
	json_int_t pages = json_integer_value(json_object_get(answer, "pages"));

	page_set(page, "page", json_integer(at));
	page_set(page, "pages", json_integer(pages));
	page_set(page, "paged", json_boolean(pages > 1));
	page_set(page, "before", at > 1 ? json_integer(at - 1) : json_null());
	page_set(page, "behind", at < pages ? json_integer(at + 1) : json_null());
}

static void show_queue(struct page *page, const json_t *answer)
{
	json_t *waiting = json_array(), *others = json_array();
	const json_t *mail;
	size_t i;

	json_array_foreach(json_object_get(answer, "mails"), i, mail)
	{
		bool asked = json_is_true(json_object_get(mail, "asked"));

		(void)json_array_append_new(asked ? waiting : others, row_of(page, mail));
	}
	page_set(page, "waiting", json_integer((json_int_t)json_array_size(waiting)));
	page_set(page, "mails", waiting);
	set_list(page, "others", "some-others", others);
	set_pager(page, answer);
	page_set(
	    page, "incomplete", json_boolean(json_is_false(json_object_get(answer, "complete"))));
	page_set_text(page, "title", say("Approvals"));
	page_show(page, 200, "approvals");
}

/* How many mails wait for his review. False: seki-hold cannot be asked, and the page says so. */
static bool count_reviews(struct page *page)
{
	json_t *answer = page_gate(page, "review", (const char *const[]){NULL}, NULL);
	const json_t *one;
	json_int_t open = 0;
	size_t i;

	if (answer == NULL)
		return false;
	json_array_foreach(json_object_get(answer, "reviews"), i, one) open +=
	    strcmp(kit_text(one, "verdict"), "open") == 0;
	page_set(page, "reviews", json_integer(open));
	json_decref(answer);
	return true;
}

void pages_approvals(struct page *page)
{
	json_t *answer = page_gate(page, "list",
	    (const char *const[]){"state", "approval", "as", "approver", "order", "risk", "page",
		page_query(page, "page"), NULL},
	    NULL);

	if (answer == NULL)
		return;
	kit_set_tab(page, "approvals");
	if (!page_failed(page, answer) && count_reviews(page))
		show_queue(page, answer);
	json_decref(answer);
}

/* ---- absences ------------------------------------------------------------------------------ */

static json_t *absences_of(const struct page *page, const json_t *answer)
{
	json_t *list = json_array();
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(answer, "absences"), i, one)
	{
		json_t *row = json_object();
		const char *by = kit_text(one, "by");

		kit_set_time(page, row, "from", kit_text(one, "from"));
		kit_set_time(page, row, "until", kit_text(one, "until"));
		kit_put(row, "by", json_string(strcmp(by, page->person.address) != 0 ? by : ""));
		(void)json_array_append_new(list, row);
	}
	return list;
}

static json_t *deputies_of(const json_t *answer)
{
	json_t *list = json_array();
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(answer, "deputies"), i, one)
	{
		json_t *row = json_object();

		kit_put(row, "address",
		    json_string(
			json_is_string(one) ? json_string_value(one) : kit_text(one, "address")));
		(void)json_array_append_new(list, row);
	}
	return list;
}

static void set_now(struct page *page)
{
	char utc[CLOCK_TEXT];

	clock_format(clock_wall(), utc);
	kit_set_time(page, page->values, "now-said", utc);
}

/* What a form wants: a fault as a sentence, and what was typed. */
struct absence_form {
	const char *fault, *from, *until;
};

static void show_absences(struct page *page, int status, const struct absence_form *form)
{
	static const struct kit_said saids[] = {
	    {"set", N_("Your absence has been noted.")},
	    {"clear", N_("You are not absent any more.")},
	};
	json_t *answer = page_gate(page, "absent", (const char *const[]){NULL}, NULL);

	if (answer == NULL)
		return;
	if (!page_failed(page, answer)) {
		char now[20];

		kit_now(now);
		set_list(page, "absences", "some", absences_of(page, answer));
		set_list(page, "deputies", "stand-in", deputies_of(answer));
		page_set(
		    page, "fault", form->fault != NULL ? json_string(form->fault) : json_null());
		page_set_text(page, "typed-from", form->from != NULL ? form->from : now);
		page_set_text(page, "typed-until", form->until != NULL ? form->until : "");
		page_set_text(page, "now", now);
		set_now(page);
		page_set_text(page, "title", say("Absences"));
		kit_set_tab(page, "absences");
		kit_set_said(page, saids, COUNT_OF(saids));
		page_show(page, status, "absences");
	}
	json_decref(answer);
}

void pages_absences(struct page *page)
{
	show_absences(page, 200, &(const struct absence_form){.fault = NULL});
}

/* What seki-hold says against it, as a sentence; NULL: something of which any page may tell. */
static const char *fault_of_absence(const json_t *answer)
{
	const char *code = kit_text(answer, "code");

	if (strcmp(page_result(answer), "no") != 0)
		return NULL;
	if (strcmp(code, "words") == 0)
		return say("The end has to be later than the beginning, and than now.");
	return strcmp(code, "absences") == 0 ? reasons_say(code) : NULL;
}

static void absent(struct page *page, const char *from, const char *until, bool clear,
    const struct absence_form *form)
{
	struct absence_form again = *form;
	json_t *answer = page_gate(page, "absent",
	    (const char *const[]){
		"from", from, "until", until, "clear", clear ? "yes" : NULL, NULL},
	    NULL);

	if (answer == NULL)
		return;
	again.fault = fault_of_absence(answer);
	if (again.fault != NULL) {
		show_absences(page, 422, &again);
	} else if (!page_failed(page, answer)) {
		page_go(page, "/gate/absences");
		page_go_add(page, "said", clear ? "clear" : "set");
	}
	json_decref(answer);
}

void pages_absent(struct page *page)
{
	struct absence_form form = {
	    .from = page_form(page, "from"), .until = page_form(page, "until")};
	char from[CLOCK_TEXT] = "", until[CLOCK_TEXT] = "";

	if (page_form(page, "clear") != NULL) {
		absent(page, NULL, NULL, true, &form);
		return;
	}
	if (form.until == NULL || !kit_typed_time(form.until, until, sizeof until) ||
	    (form.from != NULL && !kit_typed_time(form.from, from, sizeof from))) {
		form.fault = say("Please give both times as a date and a time of day.");
		show_absences(page, 422, &form);
		return;
	}
	absent(page, form.from != NULL ? from : NULL, until, false, &form);
}

/* ---- reviews ------------------------------------------------------------------------------- */

static json_t *review_of(const struct page *page, const json_t *review)
{
	json_t *row = json_object();
	const char *leg = kit_text(review, "leg"), *verdict = kit_text(review, "verdict");

	kit_put(row, "leg", json_string(leg));
	kit_put(row, "id", json_stringn(leg, strcspn(leg, ".")));
	kit_put(row, "from", json_string(kit_text(review, "from")));
	kit_put(row, "by",
	    json_string(strcmp(kit_text(review, "by"), kit_text(review, "from")) != 0
			    ? kit_text(review, "by")
			    : ""));
	kit_put(row, "reason", json_string(kit_text(review, "reason")));
	kit_put(row, "who", json_string(kit_text(review, "who")));
	kit_put(row, "comment", json_string(kit_text(review, "comment")));
	kit_put(row, "fine", json_boolean(strcmp(verdict, "fine") == 0));
	kit_set_time(page, row, "at", kit_text(review, "at"));
	kit_set_time(page, row, "reviewed", kit_text(review, "reviewed"));
	return row;
}

/* What is still to be looked at, and what somebody has looked at. */
static void set_reviews(struct page *page, const json_t *answer)
{
	json_t *open = json_array(), *closed = json_array();
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(answer, "reviews"), i, one)
	{
		bool is_open = strcmp(kit_text(one, "verdict"), "open") == 0;

		(void)json_array_append_new(is_open ? open : closed, review_of(page, one));
	}
	set_list(page, "open", "some", open);
	set_list(page, "closed", "some-closed", closed);
}

static void show_reviews(struct page *page, int status, const char *fault)
{
	static const struct kit_said saids[] = {
	    {"done", N_("Thank you. Your review has been recorded.")},
	};
	json_t *answer = page_gate(page, "review", (const char *const[]){NULL}, NULL);

	if (answer == NULL)
		return;
	kit_set_tab(page, "approvals");
	if (!page_failed(page, answer)) {
		set_reviews(page, answer);
		page_set_text(page, "title", say("Urgent mail to review"));
		page_set(page, "needs-pin",
		    json_boolean(page->person.capability[0] != '\0' &&
				 page->settings->link_asks == LINK_ASKS_PIN));
		page_set(page, "fault", fault != NULL ? json_string(fault) : json_null());
		kit_set_said(page, saids, COUNT_OF(saids));
		page_show(page, status, "review");
	}
	json_decref(answer);
}

void pages_review(struct page *page)
{
	show_reviews(page, 200, NULL);
}

/* Why the number does not do, as a sentence. */
static const char *fault_of_pin(const json_t *answer)
{
	const char *code = kit_text(answer, "code");

	if (strcmp(code, "capped") == 0)
		return say("There were too many attempts. Please log in: then no PIN is needed.");
	return strcmp(code, "wrong") == 0 ? say("The PIN is not right. Please try again.")
					  : reasons_say(code);
}

/* What seki-hold takes for his number, if he came by a link: the caller's; NULL if there is none. False: answered. */
static bool prove(struct page *page, json_t **answer)
{
	const char *cap = page->person.capability, *pin = page_form(page, "pin");

	*answer = NULL;
	if (cap[0] == '\0' || pin == NULL)
		return true;
	*answer = page_login(page, "proof",
	    (const char *const[]){"cap", cap, "pin", pin, "source", page->request->source, NULL});
	if (*answer == NULL)
		return false;
	if (strcmp(page_result(*answer), "done") == 0)
		return true;
	if (strcmp(page_result(*answer), "no") == 0)
		show_reviews(page, 403, fault_of_pin(*answer));
	else
		(void)!page_failed(page, *answer);
	json_decref(*answer);
	return false;
}

static void say_reviewed(struct page *page, const json_t *answer)
{
	const char *code = kit_text(answer, "code");

	if (strcmp(page_result(answer), "done") == 0) {
		page_go(page, "/gate/review");
		if (page->person.capability[0] != '\0')
			page_go_add(page, "t", page->person.capability);
		page_go_add(page, "said", "done");
	} else if (strcmp(code, "reviewed") == 0) {
		show_reviews(page, 409, reasons_say(code));
	} else if (strcmp(code, "pin") == 0) {
		show_reviews(page, 403, reasons_say(code));
	} else {
		(void)!page_failed(page, answer);
	}
}

void pages_review_close(struct page *page)
{
	const char *leg = page_form(page, "leg"), *verdict = page_form(page, "verdict");
	json_t *proof, *answer;

	if (leg == NULL || verdict == NULL) {
		show_reviews(page, 422, say("Please say whether it was fine or wrong to send it."));
		return;
	}
	if (!prove(page, &proof))
		return;
	answer = page_gate(page, "review",
	    (const char *const[]){"id", leg, "verdict", verdict, "comment",
		page_form(page, "comment"), "proof",
		proof != NULL ? kit_text(proof, "proof") : NULL, NULL},
	    NULL);
	if (answer != NULL)
		say_reviewed(page, answer);
	json_decref(answer);
	json_decref(proof);
}
