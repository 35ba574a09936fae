/* My mail: what waits, what was sent, refused, discarded. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/web/pages.h"
#include "lib/web/pages_kit.h"
#include "lib/web/pages_mail.h"
#include "lib/web/say.h"

#define WINDOW    2 /* numbers of pages that are shown around the one that is open */
#define TEXT_MAX  ((size_t)4096)
#define QUERY_MAX ((size_t)200) /* bytes of what is looked for */
#define STAGGERED "staggered"

/* ---- filters -------------------------------------------------------------------------------- */

static const struct filter {
	const char *state; /* as seki-hold calls it; "": all that waits */
	const char *text, *empty, *hint;
} filters[] = {
    {"", N_("Waiting"), N_("Nothing is waiting."),
	N_("Mail that is put on hold or has to be approved appears here.")},
    {"held", N_("On hold"), N_("Nothing is on hold."), N_("All your mail is on its way.")},
    {"approval", N_("Waiting for approval"), N_("Nothing waits for an approval."),
	N_("Mail that somebody has to approve appears here.")},
    /* Nobody keeps account of it yet: the page says what this list is for, and not that there is none. */
    {STAGGERED, N_("Being sent in portions"), N_("No mail can be shown here."),
	N_("Mail that goes first to colleagues, and later to others, will be shown here.")},
    {"sent", N_("Sent"), N_("Nothing was sent lately."),
	N_("Mail that went out in the last days appears here.")},
    {"refused", N_("Refused"), N_("Nothing was refused."),
	N_("Mail that the rules do not let go appears here.")},
    {"discarded", N_("Discarded"), N_("Nothing was discarded."),
	N_("What you discard can be brought back from here for some time.")},
};

static const struct filter *find_filter(const char *state)
{
	for (size_t i = 0; state != NULL && i < COUNT_OF(filters); i++) {
		if (strcmp(filters[i].state, state) == 0)
			return &filters[i];
	}
	return &filters[0];
}

static void set_filters(struct page *page, const struct filter *chosen)
{
	json_t *list = json_array();

	for (size_t i = 0; i < COUNT_OF(filters); i++) {
		json_t *one = json_object();

		kit_put(one, "state", json_string(filters[i].state));
		kit_put(one, "text", json_string(say(filters[i].text)));
		kit_put(one, "chosen", json_boolean(&filters[i] == chosen));
		(void)json_array_append_new(list, one);
	}
	page_set(page, "filters", list);
	page_set_text(page, "state", chosen->state);
	page_set_text(page, "empty", say(chosen->empty));
	page_set_text(page, "empty-hint", say(chosen->hint));
}

/* ---- rows ----------------------------------------------------------------------------------- */

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* "bob@partner.example, carol@partner.example" and how many more. */
static void put_people(json_t *row, const json_t *mail)
{
	const json_t *to = json_object_get(mail, "to"), *one;
	json_int_t all = number(mail, "recipients"), told = (json_int_t)json_array_size(to);
	struct buf text;
	size_t i;

	buf_init(&text, TEXT_MAX);
	json_array_foreach(to, i, one)
	{
		buf_add_text(&text, i > 0 ? ", " : "");
		buf_add_text(&text, json_string_value(one) != NULL ? json_string_value(one) : "");
	}
	kit_put(row, "to", kit_told(&text));
	kit_put(row, "others", json_integer(all > told ? all - told : 0));
}

/* What time does next. */
static void put_next(const struct page *page, json_t *row, const json_t *mail)
{
	static const struct {
		const char *next, *text;
	} texts[] = {{"pass", N_("Will be sent {time}")},
	    {"discard", N_("Discarded {time} if nobody acts")},
	    {"expire", N_("To be approved before {time}")}};
	const char *next = kit_text(mail, "next"), *at = kit_text(mail, "next-at");
	struct buf time, text;

	buf_init(&time, TEXT_MAX);
	buf_init(&text, TEXT_MAX);
	if (at[0] != '\0')
		page_time(page, at, &time);
	buf_add(&time, "", 1);
	for (size_t i = 0; buf_ok(&time) && i < COUNT_OF(texts); i++) {
		if (strcmp(texts[i].next, next) == 0 && at[0] != '\0')
			kit_phrase(&text, say(texts[i].text), "time", time.bytes, NULL);
	}
	kit_put(row, "next", kit_told(&text));
	kit_put(row, "end", json_string(at));
	kit_set_left(page, row, "left", at);
	buf_free(&time);
}

/* seki-hold says how risky a mail is: 0 to 3. */
static void put_marks(json_t *row, const json_t *mail)
{
	const json_t *risk = json_object_get(mail, "risk");
	const char *fate = kit_text(mail, "fate");

	kit_put(row, "outside", json_boolean(number(risk, "outside") > 0));
	kit_put(row, "first", json_boolean(number(risk, "first") > 0));
	kit_put(row, "risky", json_boolean(number(risk, "level") >= 3));
	kit_put(row, "files", json_integer(number(risk, "files")));
	kit_put(row, "fate", json_string(mail_fate(fate)));
	kit_put(row, "well", json_boolean(strcmp(fate, "delivered") == 0));
}

static json_t *row_of(const struct page *page, const json_t *mail)
{
	const char *subject = kit_text(mail, "subject"), *state = kit_text(mail, "state");
	const char *ended = kit_text(mail, "ended");
	json_t *row = json_object();

	kit_put(row, "id", json_string(kit_text(mail, "id")));
	kit_put(row, "subject", json_string(subject[0] != '\0' ? subject : say("(no subject)")));
	kit_put(row, "state", json_string(mail_state(state)));
	kit_put(row, "tone", json_string(mail_state_tone(state)));
	kit_put(row, "asked", json_boolean(json_is_true(json_object_get(mail, "asked"))));
	kit_set_time(page, row, "time", ended[0] != '\0' ? ended : kit_text(mail, "accepted"));
	put_people(row, mail);
	put_next(page, row, mail);
	put_marks(row, mail);
	return row;
}

/* ---- pages ---------------------------------------------------------------------------------- */

static json_t *page_link(json_int_t number, json_int_t open)
{
	json_t *one = json_object();

	kit_put(one, "number", json_integer(number));
	kit_put(one, "open", json_boolean(number == open));
	return one;
}

/* 1 … 4 5 6 … 200 */
static void set_pager(struct page *page, json_int_t open, json_int_t pages)
{
	json_t *list = json_array();
	json_int_t from = open - WINDOW > 2 ? open - WINDOW : 1;
	json_int_t to = open + WINDOW < pages - 1 ? open + WINDOW : pages;

	if (from > 1)
		(void)json_array_append_new(list, page_link(1, open));
	if (from > 2)
		(void)json_array_append_new(list, page_link(0, open));
	for (json_int_t i = from; i <= to; i++)
		(void)json_array_append_new(list, page_link(i, open));
	if (to < pages - 1)
		(void)json_array_append_new(list, page_link(0, open));
	if (to < pages)
		(void)json_array_append_new(list, page_link(pages, open));
	page_set(page, "pager", list);
	page_set(page, "some-pages", json_boolean(pages > 1));
	page_set(page, "previous", open > 1 && open <= pages ? json_integer(open - 1) : NULL);
	page_set(page, "next-page", open < pages ? json_integer(open + 1) : NULL);
}

/* ---- the page ------------------------------------------------------------------------------- */

static void set_answer(struct page *page, const struct filter *filter, const json_t *answer)
{
	const json_t *mails = json_object_get(answer, "mails"), *mail, *complete;
	json_t *rows = json_array();
	size_t i;

	json_array_foreach(mails, i, mail)(void) json_array_append_new(rows, row_of(page, mail));
	complete = json_object_get(answer, "complete");
	page_set(page, "some", json_boolean(json_array_size(rows) > 0));
	page_set(page, "rows", rows);
	page_set(page, "total", json_integer(number(answer, "total")));
	page_set(page, "incomplete",
	    json_boolean(json_is_false(complete) && strcmp(filter->state, STAGGERED) != 0));
	set_pager(page, number(answer, "page"), number(answer, "pages"));
}

void pages_list(struct page *page)
{
	const struct filter *filter = find_filter(page_query(page, "state"));
	const char *query = page_query(page, "q");
	json_t *answer;

	if (query != NULL && strlen(query) > QUERY_MAX)
		query = NULL;
	answer = page_gate(page, "list",
	    (const char *const[]){"state", filter->state[0] != '\0' ? filter->state : NULL, "query",
		query, "page", kit_page_number(page), "as", "sender", NULL},
	    NULL);
	if (answer == NULL)
		return;
	if (strcmp(page_result(answer), "done") == 0) {
		kit_set_tab(page, "mail");
		page_set_text(page, "title", say("My mail"));
		page_set_text(page, "q", query != NULL ? query : "");
		set_filters(page, filter);
		set_answer(page, filter, answer);
		page_show(page, 200, "list");
	} else if (strcmp(kit_text(answer, "code"), "words") == 0) {
		page_say(page, 409, say("That was not possible"),
		    say("That is no text to look for. Please try other words."));
	} else if (!page_failed(page, answer)) {
		page_say(
		    page, 503, say("Please try again"), say("The list cannot be shown just now."));
	}
	json_decref(answer);
}
