/* Answers that are the same for all pages: what is wrong with a request, and what services say instead of "done". */
#include <string.h>

#include "lib/web/reasons.h"
#include "lib/web/say.h"
#include "lib/web/web.h"

struct refusal {
	int status;
	const char *title, *sentence;
};

static const struct refusal refusals[] = {
    {400, N_("This address cannot be read"),
	N_("Please open the link again, as it stands in the mail.")},
    {403, N_("Please try that again"),
	N_("This page was open for a long time, or does not come from here. Nothing was changed. "
	   "Go back, "
	   "reload the page and try again.")},
    {404, N_("There is nothing here"),
	N_("This link is not valid. Please open it as it stands in the mail, or log in to see your "
	   "mail.")},
    {405, N_("That is not possible here"), N_("Nothing was changed.")},
    {410, N_("This link has ended"),
	N_("It was valid for a limited time. Log in to see your mail.")},
    {413, N_("That is too much text"), N_("Please go back and make it shorter.")},
    {414, N_("This address cannot be read"),
	N_("Please open the link again, as it stands in the mail.")},
    {500, N_("Something went wrong"),
	N_("This page cannot be shown. The administrator finds out more in the log.")},
    {503, N_("Please try again in a moment"),
	N_("A part of the mail gateway does not answer just now. Nothing was lost.")},
};

void web_refuse(struct page *page, int status)
{
	const struct refusal *r = &refusals[0];

	for (size_t i = 0; i < COUNT_OF(refusals); i++) {
		if (refusals[i].status == status)
			r = &refusals[i];
	}
	page_say(page, status, say(r->title), say(r->sentence));
}

/* ---- what services say --------------------------------------------------------------------- */

/* A capability that is forged and a session that is not there look alike: nothing is told to who has neither. */
static void say_gone(struct page *page, const json_t *answer)
{
	static const struct {
		const char *what, *sentence;
	} lasts[] = {
	    {"released", N_("It was sent on already.")},
	    {"confirmed", N_("It was sent on already.")},
	    {"checked", N_("It was sent on already.")},
	    {"approved", N_("It was approved already.")},
	    {"rejected", N_("It was rejected already.")},
	    {"returned", N_("It was returned to its sender already.")},
	    {"discarded", N_("It was discarded already.")},
	    {"restored", N_("It was brought back, and is on its way again.")},
	};
	const char *what =
	    json_string_value(json_object_get(json_object_get(answer, "last"), "what"));
	const char *sentence = N_("It is on its way, or was dealt with otherwise.");

	for (size_t i = 0; what != NULL && i < COUNT_OF(lasts); i++) {
		if (strcmp(lasts[i].what, what) == 0)
			sentence = lasts[i].sentence;
	}
	page_say(page, page->request->method == WEB_POST ? 409 : 200,
	    say("This mail waits no more"), say(sentence));
}

static int status_of(const char *code)
{
	if (strcmp(code, "audit") == 0 || strcmp(code, "environment") == 0 ||
	    strcmp(code, "later") == 0 || strcmp(code, "busy") == 0 ||
	    strcmp(code, "no-organisation") == 0)
		return 503;
	return 409;
}

bool page_failed(struct page *page, const json_t *answer)
{
	const char *result = page_result(answer);
	const char *code = json_string_value(json_object_get(answer, "code"));

	if (strcmp(result, "done") == 0)
		return false;
	if (code == NULL)
		code = "";
	if (strcmp(result, "expired") == 0)
		web_refuse(page, 410);
	else if (strcmp(result, "forged") == 0)
		web_refuse(page, 404);
	else if (strcmp(result, "gone") == 0)
		say_gone(page, answer);
	else if (strcmp(result, "forbidden") == 0)
		page_say(page, 403, say("You may not do that"), reasons_say(code));
	else if (strcmp(result, "unknown") == 0)
		page_say(page, 503, say("Please look again in a moment"),
		    say("We started it, but cannot tell yet whether it was done."));
	else
		page_say(page, status_of(code), say("That was not possible"), reasons_say(code));
	return true;
}
