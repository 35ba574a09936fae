/* Asking the services behind the pages. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/gate/client.h"
#include "lib/login/ask.h"
#include "lib/mine/mine.h"
#include "lib/web/say.h"
#include "lib/web/web.h"

struct service {
	const char *name, *socket;
	size_t request_max, answer_max;
};

static const struct service hold = {"seki-hold", GATE_SOCKET, GATE_REQUEST_MAX, GATE_ANSWER_MAX};
static const struct service login = {
    "seki-login", LOGIN_SOCKET, LOGIN_REQUEST_MAX, LOGIN_ANSWER_MAX};
static const struct service rules = {"seki-rules", MINE_SOCKET, MINE_REQUEST_MAX, MINE_ANSWER_MAX};

static json_t *ask(
    const struct service *service, const struct buf *request, int64_t patience, int *leg)
{
	struct buf answer;
	json_t *json = NULL;

	buf_init(&answer, service->answer_max);
	if (gate_ask(service->socket, request, patience, &answer, leg)) {
		json = json_loadb(answer.bytes, answer.len, JSON_REJECT_DUPLICATES, NULL);
		if (!json_is_object(json)) {
			json_decref(json);
			json = NULL;
			errno = EPROTO;
		}
	}
	buf_free(&answer);
	if (json == NULL) {
		LOG_ALARM("no-answer", kv("service", service->name), kv_errno(errno));
		if (*leg >= 0)
			(void)close(*leg);
		*leg = -1;
	}
	return json;
}

static void add_words(struct buf *request, const char *const *words)
{
	for (size_t i = 0; words[i] != NULL; i += 2) {
		if (words[i + 1] != NULL)
			gate_request_add(request, words[i], words[i + 1]);
	}
	gate_request_end(request);
}

static void say_later(struct page *page)
{
	page_say(page, 503, say("Please try again in a moment"),
	    say("A part of the mail gateway does not answer just now. Nothing was lost. Whether "
		"what you have "
		"just done was carried out shows when you look again."));
}

/* What does not fit into a request is nothing that a page asks for. */
static json_t *ask_or_say(struct page *page, const struct service *service,
    const struct buf *request, int64_t patience, int *leg)
{
	json_t *answer;

	*leg = -1;
	if (!buf_ok(request)) {
		web_refuse(page, 413);
		return NULL;
	}
	answer = ask(service, request, patience, leg);
	if (answer == NULL)
		say_later(page);
	return answer;
}

/* ---- with a credential --------------------------------------------------------------------- */

static json_t *ask_as(struct page *page, const struct service *service, bool capability,
    const char *verb, const char *const *words, int *leg)
{
	struct buf request;
	json_t *answer;

	buf_init(&request, service->request_max);
	buf_addf(&request, "%s=%s %s", capability ? "cap" : "session",
	    capability ? page->person.capability : page->person.ticket, verb);
	add_words(&request, words);
	answer = ask_or_say(page, service, &request, WEB_PATIENCE, leg);
	buf_free(&request);
	return answer;
}

json_t *page_gate(struct page *page, const char *verb, const char *const *words, int *leg)
{
	int unwanted = -1;
	json_t *answer =
	    ask_as(page, &hold, page->person.capability[0] != '\0', verb, words, &unwanted);

	if (leg != NULL)
		*leg = unwanted;
	else if (unwanted >= 0)
		(void)close(unwanted);
	return answer;
}

json_t *page_rules(struct page *page, const char *verb, const char *const *words)
{
	int leg = -1;
	json_t *answer = ask_as(page, &rules, false, verb, words, &leg);

	if (leg >= 0)
		(void)close(leg);
	return answer;
}

/* ---- seki-login ---------------------------------------------------------------------------- */

bool web_may_wait(const struct page *page, enum web_wait what)
{
	return page->web->leave == NULL || page->web->leave(page->web->context, what);
}

/*
 * Guesses of passwords are answered late on purpose: meanwhile another worker has to be there for everybody else. All
 * others are answered at once, or behind one hash.
 */
static bool is_slow(const char *verb)
{
	return strcmp(verb, "password") == 0;
}

static void begin_login(struct buf *request, const char *verb, const char *const *words)
{
	buf_init(request, LOGIN_REQUEST_MAX);
	buf_add_text(request, verb);
	add_words(request, words);
}

json_t *page_login(struct page *page, const char *verb, const char *const *words)
{
	bool slow = is_slow(verb);
	int64_t patience = slow ? web_patience_password(page->settings) : (int64_t)WEB_PATIENCE;
	struct buf request;
	json_t *answer = NULL;
	int leg = -1;

	if (slow && !web_may_wait(page, WEB_WAIT_PASSWORD)) {
		say_later(page);
		return NULL;
	}
	begin_login(&request, verb, words);
	answer = ask_or_say(page, &login, &request, patience, &leg);
	if (request.bytes != NULL)
		explicit_bzero(request.bytes, request.len);
	buf_free(&request);
	if (leg >= 0)
		(void)close(leg);
	return answer;
}

static bool take(char *to, size_t room, const json_t *text)
{
	size_t len = json_string_length(text);

	if (!json_is_string(text) || len == 0 || len >= room)
		return false;
	memcpy(to, json_string_value(text), len + 1);
	return true;
}

/*
 * His language, unless his browser has a cookie that says another. Japanese is everybody's of whom etc/people says
 * nothing: then what his browser asks for stands.
 */
static void take_language(struct page *page, const json_t *answer)
{
	const char *lang = json_string_value(json_object_get(answer, "lang"));
	const char *chosen = web_word(&page->request->cookies, "sekisho-lang");

	if (lang == NULL || chosen != NULL)
		return;
	if (strcmp(lang, "en") == 0)
		memcpy(page->lang, lang, sizeof page->lang);
}

/* What seki-login says of a token: 0, and who has it, if anybody has; 503: it cannot say. */
static int take_person(struct page *page, const char *token, const json_t *answer)
{
	struct web_person *person = &page->person;
	const char *result = page_result(answer);

	if (strcmp(result, "forged") == 0 || strcmp(result, "expired") == 0)
		return 0;
	person->in =
	    strcmp(result, "done") == 0 &&
	    take(person->address, sizeof person->address, json_object_get(answer, "address")) &&
	    take(person->ticket, sizeof person->ticket, json_object_get(answer, "ticket"));
	if (!person->in) {
		person->address[0] = person->ticket[0] = '\0';
		return 503;
	}
	memcpy(person->token, token, strlen(token) + 1);
	take_language(page, answer);
	return 0;
}

int web_find_person(struct page *page)
{
	const char *token = web_word(&page->request->cookies, web_cookie_session(page->web));
	const char *const words[] = {"token", token, "source", page->request->source, NULL};
	struct buf request;
	json_t *answer;
	int leg = -1, status;

	if (token == NULL || !web_is_token(token, 20, WEB_TOKEN_MAX - 1))
		return 0;
	begin_login(&request, "session", words);
	answer = buf_ok(&request) ? ask(&login, &request, WEB_PATIENCE, &leg) : NULL;
	buf_free(&request);
	if (leg >= 0)
		(void)close(leg);
	if (answer == NULL)
		return 503;
	status = take_person(page, token, answer);
	json_decref(answer);
	return status;
}
