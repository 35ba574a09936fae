/* Urgent mail that was sent without its approval, and is reviewed afterwards. */
#include <string.h>

#include "lib/web/pages.h"
#include "lib/web/pages_kit.h"
#include "lib/web/reasons.h"

/* ---- the page ------------------------------------------------------------------------------ */

static json_t *review_of(const struct page *page, const json_t *review)
{
	json_t *row = json_object();
	const char *leg = kit_text(review, "leg"), *verdict = kit_text(review, "verdict");

	kit_put(row, "leg", json_string(leg));
	kit_put(row, "id", json_stringn(leg, strcspn(leg, ".")));
	kit_put(row, "subject", json_string(kit_text(review, "subject")));
	kit_put(row, "recipients",
	    json_integer(json_integer_value(json_object_get(review, "recipients"))));
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
	kit_set_list(page, "open", "some", open);
	kit_set_list(page, "closed", "some-closed", closed);
}

/* `fault`: or NULL. */
static void show_reviews(struct page *page, int status, const struct kit_fault *fault)
{
	static const struct kit_said saids[] = {
	    {"done", N_("Thank you. Your review has been recorded.")},
	};
	json_t *answer = page_gate(page, "review", (const char *const[]){NULL}, NULL);
	const char *asks = kit_text(answer, "asks");

	if (answer == NULL)
		return;
	kit_set_tab(page, "approvals");
	if (!page_failed(page, answer)) {
		set_reviews(page, answer);
		page_set_text(page, "title", say("Urgent mail to review"));
		page_set(page, "needs-pin", json_boolean(strcmp(asks, "pin") == 0));
		page_set(page, "needs-login", json_boolean(strcmp(asks, "login") == 0));
		page_set_text(page, "fault-title", fault != NULL ? fault->title : "");
		page_set_text(page, "fault", fault != NULL ? fault->sentence : "");
		kit_set_said(page, saids, COUNT_OF(saids));
		page_show(page, status, "review");
	}
	json_decref(answer);
}

void pages_review(struct page *page)
{
	show_reviews(page, 200, NULL);
}

/* ---- the verdict --------------------------------------------------------------------------- */

static void say_reviewed(struct page *page, const json_t *answer)
{
	const char *code = kit_text(answer, "code");
	struct kit_fault fault = {say("Nothing was done"), reasons_say(code)};

	if (strcmp(page_result(answer), "done") == 0) {
		page_go(page, "/gate/review");
		if (page->person.capability[0] != '\0')
			page_go_add(page, "t", page->person.capability);
		page_go_add(page, "said", "done");
	} else if (strcmp(code, "reviewed") == 0) {
		show_reviews(page, 409, &fault);
	} else if (strcmp(code, "pin") == 0) {
		fault = kit_pin_fault("needed");
		show_reviews(page, 403, &fault);
	} else {
		(void)!page_failed(page, answer);
	}
}

static void close_review(struct page *page, const char *leg, const char *verdict, const char *proof)
{
	json_t *answer = page_gate(page, "review",
	    (const char *const[]){"id", leg, "verdict", verdict, "comment",
		page_form(page, "comment"), "proof", proof, NULL},
	    NULL);

	if (answer != NULL)
		say_reviewed(page, answer);
	json_decref(answer);
}

void pages_review_close(struct page *page)
{
	const char *leg = page_form(page, "leg"), *verdict = page_form(page, "verdict");
	struct kit_fault fault = {
	    say("Nothing was done"), say("Please say whether it was fine or wrong to send it.")};
	json_t *proof = NULL;

	if (leg == NULL || verdict == NULL) {
		show_reviews(page, 422, &fault);
		return;
	}
	switch (kit_prove(page, &proof, &fault)) {
	case KIT_PROVED:
		close_review(page, leg, verdict, proof != NULL ? kit_text(proof, "proof") : NULL);
		break;
	case KIT_NOT_PROVED:
		show_reviews(page, 403, &fault);
		break;
	case KIT_ANSWERED:
		break;
	}
	json_decref(proof);
}
