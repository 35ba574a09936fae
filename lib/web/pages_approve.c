/* What waits for somebody's decision, and his absences. */
#include <string.h>

#include "lib/base/clock.h"
#include "lib/web/pages.h"
#include "lib/web/pages_kit.h"
#include "lib/web/reasons.h"

/* ---- the queue ----------------------------------------------------------------------------- */

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
	const json_t *mail, *all;
	size_t i;

	json_array_foreach(json_object_get(answer, "mails"), i, mail)
	{
		bool asked = json_is_true(json_object_get(mail, "asked"));

		(void)json_array_append_new(asked ? waiting : others, row_of(page, mail));
	}
	/* Of all pages of the list, where seki-hold says it. */
	all = json_object_get(answer, "asked-total");
	page_set(page, "waiting",
	    json_is_integer(all) ? json_integer(json_integer_value(all))
				 : json_integer((json_int_t)json_array_size(waiting)));
	page_set(page, "mails", waiting);
	kit_set_list(page, "others", "some-others", others);
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
		kit_page_number(page), NULL},
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
		kit_set_list(page, "absences", "some", absences_of(page, answer));
		kit_set_list(page, "deputies", "stand-in", deputies_of(answer));
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
