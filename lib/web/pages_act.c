/* What somebody does to a mail. seki-hold says whether he may; here is said what came of it. */
#include <string.h>

#include "lib/web/pages.h"
#include "lib/web/pages_mail.h"
#include "lib/web/reasons.h"
#include "lib/web/say.h"

#define CHECKED_MAX  ((size_t)4096) /* bytes of all facts that are ticked */
#define SENTENCE_MAX ((size_t)4096)
#define ABOUT_MAX    ((size_t)512) /* bytes of a subject that goes on to the next page */

/* ---- what the form says --------------------------------------------------------------------- */

/* Whether the form's word at `at` says what one before it has said. */
static bool is_said_again(const struct web_words *form, size_t at)
{
	size_t i = 0;

	while (i < at && (strcmp(form->word[i].name, form->word[at].name) != 0 ||
			     strcmp(form->word[i].value, form->word[at].value) != 0))
		i++;
	return i < at;
}

/* Each field "checked" of the form, with commas between: its points that were ticked. */
static void read_checked(const struct page *page, struct buf *checked)
{
	const struct web_words *form = &page->request->form;

	for (size_t i = 0; i < form->n; i++) {
		if (strcmp(form->word[i].name, "checked") != 0 || form->word[i].value[0] == '\0' ||
		    is_said_again(form, i))
			continue;
		if (checked->len > 0)
			buf_add(checked, ",", 1);
		buf_add_text(checked, form->word[i].value);
	}
	buf_add(checked, "", 1);
}

/* ---- what went wrong ------------------------------------------------------------------------ */

/* Words that wait for a PIN are asked on their own page, which has the field. */
static void show_again(
    struct page *page, const struct mail_way *way, const struct mail_problem *problem, bool confirm)
{
	if (confirm)
		mail_confirm(page, way, problem);
	else
		mail_show(page, way, problem);
}

static const char *code_of(const json_t *answer)
{
	return kit_text(answer, "code");
}

/* Somebody else was first, or time: what was decided, by whom, and when. */
static void add_last(const struct page *page, const json_t *answer, struct buf *sentence)
{
	const json_t *last = json_object_get(answer, "last");
	struct buf time;

	if (!json_is_object(last))
		return;
	buf_init(&time, SENTENCE_MAX);
	if (kit_text(last, "at")[0] != '\0')
		page_time(page, kit_text(last, "at"), &time);
	buf_add_text(sentence, " ");
	mail_record(page, last, NULL, page->person.address, sentence);
	if (buf_ok(&time) && time.len > 0)
		buf_addf(sentence, " (%.*s)", (int)time.len, time.bytes);
	buf_free(&time);
}

/* It was not done, or nobody knows. */
static void say_not_done(struct page *page, const struct mail_way *way, const json_t *answer)
{
	struct mail_problem problem = {.status = 409, .title = say("Nothing was done")};
	const char *result = page_result(answer);
	struct buf sentence;

	buf_init(&sentence, SENTENCE_MAX);
	problem.sentence = &sentence;
	if (strcmp(result, "gone") == 0) {
		problem.title = say("It was too late");
		buf_add_text(&sentence, say("The mail waits no more."));
		add_last(page, answer, &sentence);
	} else if (strcmp(result, "unknown") == 0) {
		problem.status = 503;
		problem.title = say("It is not certain whether it was done");
		buf_add_text(&sentence, say("Please look at its state here, and try again."));
	} else {
		buf_add_text(&sentence, reasons_say(code_of(answer)));
		add_last(page, answer, &sentence);
	}
	mail_show(page, way, &problem);
	buf_free(&sentence);
}

/* ---- the PIN -------------------------------------------------------------------------------- */

static void say_pin(struct page *page, const struct mail_way *way, const struct kit_fault *fault)
{
	struct mail_problem problem = {.status = 403, .title = fault->title};
	struct buf sentence;

	buf_init(&sentence, SENTENCE_MAX);
	problem.sentence = &sentence;
	buf_add_text(&sentence, fault->sentence);
	show_again(page, way, &problem, true);
	buf_free(&sentence);
}

/* ---- acting --------------------------------------------------------------------------------- */

/* The subject of mail that this may let go: behind that nobody tells it. NULL: it does not, or cannot be told. */
static json_t *ask_about(struct page *page, const struct mail_way *way)
{
	static const char *const words[] = {"release", "check", "approve", "urgent"};
	const char *word = page_form(page, "word");

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (strcmp(words[i], word) == 0)
			return page_gate(page, "show",
			    (const char *const[]){
				"id", strcmp(way->by, "id") == 0 ? way->key : NULL, NULL},
			    NULL);
	}
	return NULL;
}

static void add_about(struct page *page, const json_t *show)
{
	const json_t *leg = json_array_get(json_object_get(show, "legs"), 0);
	const char *subject = kit_text(leg, "subject");
	char seal[64];

	if (subject[0] == '\0' || strlen(subject) > ABOUT_MAX)
		return;
	mail_seal(page, subject, seal);
	page_go_add(page, "about", subject);
	page_go_add(page, "seal", seal);
}

/* A mail that was brought back by a link has a new one, which the answer tells. */
static void go_on(
    struct page *page, const struct mail_way *way, const json_t *answer, const json_t *show)
{
	const char *link = kit_text(answer, "link");

	page_go(page, "/gate/m/");
	page_go_add(page, way->by, link[0] != '\0' ? link : way->key);
	page_go_add(page, "said", page_form(page, "word"));
	if (json_integer_value(json_object_get(answer, "copies")) > 0 ||
	    json_is_true(json_object_get(answer, "more")))
		page_go_add(page, "copies", "yes");
	add_about(page, show);
}

static void say_what_came(
    struct page *page, const struct mail_way *way, const json_t *answer, const json_t *show)
{
	const char *result = page_result(answer), *code = code_of(answer);

	if (strcmp(result, "done") == 0)
		go_on(page, way, answer, show);
	else if (strcmp(result, "forbidden") == 0 && strcmp(code, "pin") == 0) {
		const struct kit_fault fault = kit_pin_fault("needed");

		say_pin(page, way, &fault);
	} else if (strcmp(result, "forbidden") == 0 && strcmp(code, "login") == 0) {
		page_go(page, "/gate/login");
		page_go_add(page, "back", "/gate/");
	} else if (strcmp(result, "no") == 0 || strcmp(result, "gone") == 0 ||
		   strcmp(result, "unknown") == 0)
		say_not_done(page, way, answer);
	else if (!page_failed(page, answer))
		say_not_done(page, way, answer);
}

static void act(struct page *page, const struct mail_way *way, const char *proof)
{
	struct buf checked;
	json_t *answer, *show;

	buf_init(&checked, CHECKED_MAX);
	read_checked(page, &checked);
	if (!buf_ok(&checked)) {
		buf_free(&checked);
		page_say(page, 400, say("Not understood"), say("The form cannot be understood."));
		return;
	}
	show = ask_about(page, way);
	answer = page_gate(page, "act",
	    (const char *const[]){"word", page_form(page, "word"), "id",
		strcmp(way->by, "id") == 0 ? way->key : NULL, "leg", page_form(page, "leg"), "rcpt",
		page_form(page, "rcpt"), "until", page_form(page, "until"), "reason",
		page_form(page, "reason"), "checked", checked.len > 1 ? checked.bytes : NULL,
		"shown", page_form(page, "shown"), "proof", proof, NULL},
	    NULL);
	buf_free(&checked);
	if (answer != NULL)
		say_what_came(page, way, answer, show);
	json_decref(answer);
	json_decref(show);
}

void pages_act(struct page *page)
{
	const char *word = page_form(page, "word");
	struct mail_way way;
	struct kit_fault fault;
	json_t *proof;

	if (!mail_way(page, &way))
		return;
	if (word == NULL || mail_done(word) == NULL) {
		page_say(page, 400, say("Not understood"), say("The form cannot be understood."));
		return;
	}
	switch (kit_prove(page, &proof, &fault)) {
	case KIT_PROVED:
		act(page, &way, proof != NULL ? kit_text(proof, "proof") : NULL);
		break;
	case KIT_NOT_PROVED:
		say_pin(page, &way, &fault);
		break;
	case KIT_ANSWERED:
		break;
	}
	json_decref(proof);
}
