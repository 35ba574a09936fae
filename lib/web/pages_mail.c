/* One mail, and what is asked once more before something is done to it. */
#include <poll.h>
#include <string.h>

#include "lib/web/pages.h"
#include "lib/web/pages_kit.h"
#include "lib/web/pages_mail.h"
#include "lib/web/say.h"

/* Milliseconds between two looks for mail that is moving. */
#define LOOK_FIRST 20
#define LOOK_LAST  640

bool mail_way(struct page *page, struct mail_way *way)
{
	const char *id = page_form(page, "id");

	if (page->person.capability[0] != '\0') {
		*way = (struct mail_way){"t", page->person.capability};
	} else if (id != NULL) {
		*way = (struct mail_way){"id", id};
	} else {
		page_say(page, 404, say("No mail"), say("This address names no mail."));
		return false;
	}
	page_set_text(page, "by", way->by);
	page_set_text(page, "key", way->key);
	return true;
}

static bool is_gone(const json_t *show)
{
	return strcmp(page_result(show), "gone") == 0 &&
	       json_array_size(json_object_get(show, "legs")) == 0;
}

/*
 * What somebody has just done moves the mail from one place to another, and for a moment nobody knows it there; mail
 * that was brought back is judged first. He is not told that his mail has gone: it is looked for once more. Anybody
 * can write a word behind an address: that it was done just now, and by him, says seki-hold.
 */
static bool may_come_back(const struct page *page, const json_t *show)
{
	static const char *const words[] = {
	    "discard", "restore", "remove", "extend", "reject", "return"};
	const char *said = page_query(page, "said");

	if (!json_is_true(json_object_get(show, "recent")))
		return false;
	for (size_t i = 0; said != NULL && i < COUNT_OF(words); i++) {
		if (strcmp(words[i], said) == 0)
			return true;
	}
	return false;
}

static json_t *ask_once(struct page *page, const struct mail_way *way)
{
	return page_gate(page, "show",
	    (const char *const[]){
		"id", strcmp(way->by, "id") == 0 ? way->key : NULL, "lang", page->lang, NULL},
	    NULL);
}

/* NULL: it was answered already. */
static json_t *ask_show(struct page *page, const struct mail_way *way)
{
	json_t *show = ask_once(page, way);

	for (int wait = LOOK_FIRST;
	     show != NULL && wait <= LOOK_LAST && is_gone(show) && may_come_back(page, show);
	     wait *= 2) {
		(void)poll(NULL, 0, wait);
		json_decref(show);
		show = ask_once(page, way);
	}
	if (show == NULL)
		return NULL;
	if (strcmp(page_result(show), "done") == 0 || strcmp(page_result(show), "gone") == 0)
		return show;
	if (!page_failed(page, show))
		page_say(
		    page, 503, say("Please try again"), say("The mail cannot be shown just now."));
	json_decref(show);
	return NULL;
}

/* ---- what has just been done ---------------------------------------------------------------- */

static bool any_discarded(const json_t *show)
{
	const json_t *leg;
	size_t i;

	json_array_foreach(json_object_get(show, "legs"), i, leg)
	{
		if (strcmp(kit_text(leg, "state"), "discarded") == 0)
			return true;
	}
	return false;
}

/* Anybody can write a word behind an address: it is told only of mail that looks like it. */
static bool fits(const json_t *show, const char *word)
{
	if (strcmp(word, "discard") == 0 || strcmp(word, "reject") == 0 ||
	    strcmp(word, "return") == 0)
		return any_discarded(show) || strcmp(page_result(show), "gone") == 0;
	if (strcmp(word, "restore") == 0)
		return !any_discarded(show);
	return strcmp(word, "remove") == 0 || strcmp(word, "extend") == 0 || !mail_can(show, word);
}

static void set_said(struct page *page, const json_t *show)
{
	const char *word = page_query(page, "said"), *text = word != NULL ? mail_done(word) : NULL;

	page_set(page, "said", text != NULL && fits(show, word) ? json_string(text) : NULL);
	page_set(page, "copies", json_boolean(text != NULL && page_query(page, "copies") != NULL));
	page_set_text(page, "copies-text", mail_reason("shown"));
}

static void set_problem(struct page *page, const struct mail_problem *problem)
{
	json_t *value;

	if (problem == NULL) {
		page_set(page, "problem", NULL);
		return;
	}
	value = json_object();
	kit_put(value, "title", json_string(problem->title));
	if (problem->sentence != NULL && buf_ok(problem->sentence))
		kit_put(value, "text",
		    json_stringn(problem->sentence->len > 0 ? problem->sentence->bytes : "",
			problem->sentence->len));
	page_set(page, "problem", value);
}

/* What he typed stands there again. */
static void set_typed(struct page *page)
{
	const char *reason = page->request->method == WEB_POST ? page_form(page, "reason") : NULL;

	page_set_text(page, "reason", reason != NULL ? reason : "");
}

/* ---- one mail ------------------------------------------------------------------------------- */

void mail_show(struct page *page, const struct mail_way *way, const struct mail_problem *problem)
{
	json_t *show = ask_show(page, way);

	if (show == NULL)
		return;
	kit_set_tab(page, mail_can(show, "approve") ? "approvals" : "mail");
	mail_set_values(page, show);
	set_said(page, show);
	set_problem(page, problem);
	set_typed(page);
	page_show(page, problem != NULL ? problem->status : 200, "mail");
	json_decref(show);
}

void pages_mail(struct page *page)
{
	struct mail_way way;

	if (mail_way(page, &way))
		mail_show(page, &way, NULL);
}

/* ---- asking once more ----------------------------------------------------------------------- */

static const struct asking {
	const char *word, *question, *button;
	bool danger, comment, reason;
} askings[] = {
    {"release", N_("Send this mail now?"), N_("Send now"), false, false, false},
    {"check", N_("Have you checked this mail?"), N_("Confirm and send"), false, false, false},
    {"discard", N_("Discard this mail?"), N_("Discard"), true, false, false},
    {"restore", N_("Bring this mail back?"), N_("Bring back"), false, false, false},
    {"remove", N_("Take this recipient out?"), N_("Remove"), true, false, false},
    {"extend", N_("Hold this mail for longer?"), N_("Hold for longer"), false, false, false},
    {"approve", N_("Approve this mail?"), N_("Approve"), false, true, false},
    {"reject", N_("Reject this mail?"), N_("Reject"), true, true, false},
    {"return", N_("Return this mail to its sender?"), N_("Return"), true, true, false},
    {"urgent", N_("Send this mail without an approval?"), N_("Send now"), true, false, true},
};

static const struct asking *find_asking(const char *word)
{
	for (size_t i = 0; word != NULL && i < COUNT_OF(askings); i++) {
		if (strcmp(askings[i].word, word) == 0)
			return &askings[i];
	}
	return NULL;
}

static const char *said(const struct page *page, const char *name)
{
	const char *value = page_form(page, name);

	return value != NULL ? value : "";
}

static void set_asking(struct page *page, const struct asking *asking)
{
	static const char *const words[] = {"rcpt", "until"};

	page_set_text(page, "leg-alone", said(page, "leg"));
	for (size_t i = 0; i < COUNT_OF(words); i++)
		page_set_text(page, words[i], said(page, words[i]));
	page_set_text(page, "word", asking->word);
	page_set_text(page, "title", say(asking->question));
	page_set_text(page, "button", say(asking->button));
	page_set(page, "danger", json_boolean(asking->danger));
	page_set(page, "with-comment", json_boolean(asking->comment));
	page_set(page, "with-reason", json_boolean(asking->reason));
	page_set(page, "with-points", json_boolean(strcmp(asking->word, "check") == 0));
	if (said(page, "until")[0] != '\0') {
		struct buf time;

		buf_init(&time, 256);
		page_time(page, said(page, "until"), &time);
		page_set(page, "until-text", kit_told(&time));
	}
}

void mail_confirm(struct page *page, const struct mail_way *way, const struct mail_problem *problem)
{
	const struct asking *asking = find_asking(said(page, "word"));
	json_t *show;
	bool can;

	if (asking == NULL) {
		page_say(page, 404, say("Not found"), say("There is no such page."));
		return;
	}
	show = ask_show(page, way);
	if (show == NULL)
		return;
	mail_set_values(page, show);
	kit_set_tab(page, "mail");
	can = mail_can(show, asking->word);
	if (can)
		set_asking(page, asking);
	else /* it was decided meanwhile: its page says by whom */
		set_said(page, json_null());
	set_problem(page, problem);
	set_typed(page);
	page_show(page, problem != NULL ? problem->status : 200, can ? "confirm" : "mail");
	json_decref(show);
}

void pages_confirm(struct page *page)
{
	struct mail_way way;

	if (mail_way(page, &way))
		mail_confirm(page, &way, NULL);
}
