/* Requests: who asks is proved by his token, each time, and the answer is one JSON object (sekisho-login(5)). */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/base/log.h"
#include "lib/login/inside.h"

#define MINUTE (60 * CLOCK_SECOND)

static void set_text(json_t *json, const char *key, const char *text)
{
	(void)json_object_set_new(json, key, json_string(text));
}

static void set_time(json_t *json, const char *key, int64_t wall)
{
	char text[CLOCK_TEXT];

	clock_format(wall, text);
	set_text(json, key, text);
}

json_t *answer_no(const char *result, const char *code, const char *why)
{
	json_t *json = json_object();

	set_text(json, "result", result);
	if (code != NULL)
		set_text(json, "code", code);
	if (why != NULL)
		set_text(json, "why", why);
	return json;
}

static json_t *words(const char *why)
{
	return answer_no("no", "words", why);
}

static const char *value(const struct login *l, const char *key)
{
	return login_request_value(&l->parsed, key);
}

static bool is_address(const char *source)
{
	unsigned char bytes[16];

	return source != NULL && strlen(source) < RECORD_SOURCE_MAX &&
	       (inet_pton(AF_INET, source, bytes) == 1 || inet_pton(AF_INET6, source, bytes) == 1);
}

/* ---- logging in --------------------------------------------------------------------------- */

json_t *answer_session(struct login *l, const char *address, const char *source, bool by_link)
{
	struct sessions_now now = login_now();
	char token[LOGIN_TOKEN_TEXT];
	const struct sessions_one *one;
	json_t *json;

	if (!told_login(l, address, source, by_link))
		return answer_no("no", "later", "the audit log cannot be written");
	if (!sessions_begin(l->sessions, address, source, by_link, now, token, &one)) {
		LOG_ALARM("login-unwritten", kv("what", "session"), kv_errno(errno));
		return answer_no("no", "later", "nothing can be written just now");
	}
	/* Whoever could not prove himself by his PIN any more has done so now. */
	if (!pins_forgive(l->pins, address))
		LOG_ALARM("login-unwritten", kv("what", "pin"), kv_errno(errno));
	LOG("login", kv("who", address), kv("via", by_link ? "link" : "password"),
	    kv("source", source));
	json = answer_no("done", NULL, NULL);
	set_text(json, "token", token);
	set_text(json, "address", address);
	set_time(json, "until", now.wall + sessions_left(l->sessions, one, now));
	explicit_bzero(token, sizeof token);
	return json;
}

static json_t *ask_link(struct login *l)
{
	const char *address = value(l, "address"), *source = value(l, "source");
	const char *lang = value(l, "lang");
	char normal[ORG_ADDRESS_MAX];
	struct links_told told;
	json_t *json;

	if (address == NULL || !is_address(source))
		return words("address= or source= is missing, or none");
	(void)!org_normal(address, normal); /* what is none is judged later, as all are */
	switch (links_ask(l->links, normal, source, lang != NULL && strcmp(lang, "en") == 0,
	    clock_boot(), &told)) {
	case LINKS_WILL:
		break;
	case LINKS_SOURCE_CAPPED:
		LOG("login-link-capped", kv("by", "source"), kv("source", source));
		return answer_no("no", "capped", "too many were asked for from there");
	case LINKS_ADDRESS_CAPPED:
		LOG("login-link-capped", kv("by", "address"), kv("address", login_known(l, normal)),
		    kv("source", source));
		return answer_no("no", "capped", "too many were asked for");
	case LINKS_BROKEN:
		return answer_no("no", "later", "there is no randomness");
	}
	json = answer_no("done", NULL, NULL);
	set_text(json, "nonce", told.nonce);
	set_text(json, "number", told.number);
	(void)json_object_set_new(json, "minutes",
	    json_integer((json_int_t)((l->settings.login_link_time + MINUTE - 1) / MINUTE)));
	explicit_bzero(&told, sizeof told);
	return json;
}

static json_t *open_link(struct login *l)
{
	const char *token = value(l, "token"), *source = value(l, "source");
	char address[GATE_ADDRESS_MAX];

	if (token == NULL || !is_address(source))
		return words("token= or source= is missing, or none");
	/* A link that cannot be opened just now is not to be used up by that. */
	if (!audit_well(l->audit))
		return answer_no("no", "later", "the audit log cannot be written");
	switch (links_open(l->links, token, value(l, "nonce"), value(l, "number"), source,
	    clock_boot(), address)) {
	case LINKS_OPENED:
		return answer_session(l, address, source, true);
	case LINKS_NUMBER:
		LOG("login-link-number", kv("source", source));
		return answer_no("no", "number", "the number that the other browser shows");
	case LINKS_DEAD:
		break;
	}
	LOG("login-link-dead", kv("source", source));
	return answer_no("expired", NULL, "the link was used, or its time is over");
}

/* ---- sessions ----------------------------------------------------------------------------- */

/* Whose token it is; NULL, and `*json` says why not. */
static const struct sessions_one *prove(struct login *l, struct sessions_now now, json_t **json)
{
	const char *token = value(l, "token");
	const struct sessions_one *one = NULL;

	if (token == NULL) {
		*json = words("token= is missing");
		return NULL;
	}
	switch (sessions_find(l->sessions, token, now, &one)) {
	case SESSIONS_GOOD:
		return one;
	case SESSIONS_UNKNOWN:
		*json = answer_no("forged", NULL, "that session is none of ours");
		break;
	case SESSIONS_OVER:
		*json = answer_no("expired", NULL, "the session is over: log in again");
		break;
	}
	return NULL;
}

static json_t *tell_session(
    struct login *l, const struct sessions_one *one, struct sessions_now now)
{
	char ticket[GATE_SESSION_TEXT], own[GATE_ADDRESS_MAX];
	const char *lang;
	json_t *json;

	if (!gate_session_write(&l->key, one->record.address, now.wall + LOGIN_TICKET, ticket))
		return answer_no("no", "later", "nothing can be signed just now");
	sessions_use(l->sessions, one, now);
	login_own_address(l, one->record.address, own, &lang);
	json = answer_no("done", NULL, NULL);
	set_text(json, "address", one->record.address);
	set_text(json, "ticket", ticket);
	set_time(json, "until", now.wall + sessions_left(l->sessions, one, now));
	(void)json_object_set_new(
	    json, "pin", json_boolean(pins_of(l->pins, one->record.address) != NULL));
	if (lang != NULL)
		set_text(json, "lang", lang);
	explicit_bzero(ticket, sizeof ticket);
	return json;
}

/* The newest first. */
static int by_begin(const void *a, const void *b)
{
	const struct sessions_one *const *x = a, *const *y = b;

	return ((*x)->begun < (*y)->begun) - ((*x)->begun > (*y)->begun);
}

static json_t *list_sessions(
    struct login *l, const struct sessions_one *mine, struct sessions_now now)
{
	const struct sessions_one *list[SESSIONS_PERSON_MAX + 1];
	size_t n = sessions_of(l->sessions, mine->record.address, list, COUNT_OF(list));
	json_t *json = answer_no("done", NULL, NULL), *rows = json_array();

	qsort(list, n, sizeof *list, by_begin);
	for (size_t i = 0; i < n; i++) {
		json_t *row = json_object();

		if (sessions_left(l->sessions, list[i], now) > 0) {
			set_time(row, "begun", list[i]->record.begun);
			set_time(row, "seen", list[i]->seen_wall);
			set_text(row, "source", list[i]->record.source);
			set_text(row, "via", list[i]->record.by_link ? "link" : "password");
			(void)json_object_set_new(row, "this", json_boolean(list[i] == mine));
			(void)json_array_append(rows, row);
		}
		json_decref(row);
	}
	(void)json_object_set_new(json, "sessions", rows);
	return json;
}

static json_t *end(struct login *l, const struct sessions_one *mine, bool everywhere)
{
	char address[GATE_ADDRESS_MAX];
	size_t ended = 1;
	bool gone;

	memcpy(address, mine->record.address, sizeof address);
	gone = everywhere ? sessions_end_all(l->sessions, address, &ended)
			  : sessions_end(l->sessions, mine);
	told_logout(l, address, ended, everywhere);
	LOG("logout", kv("who", address), kv_num("sessions", (int64_t)ended));
	if (!gone)
		return answer_no(
		    "unknown", "environment", "it is over, and may come back if the power fails");
	return answer_no("done", NULL, NULL);
}

/* ---- operators ---------------------------------------------------------------------------- */

/* Ends all sessions of a person, in his stead. */
static json_t *end_for(struct login *l, const struct login_client *c)
{
	const char *address = value(l, "address"), *by = value(l, "by");
	char normal[ORG_ADDRESS_MAX], own[GATE_ADDRESS_MAX];
	size_t ended, more = 0;
	const char *lang;
	json_t *json;
	bool gone;

	if (!c->is_operator) {
		LOG_ALARM("login-malformed", kv("why", "an operator's verb"));
		return answer_no("no", "request", "that is no request");
	}
	if (address == NULL || by == NULL || !org_normal(address, normal))
		return words("address= or by= is missing, or none");
	login_own_address(l, normal, own, &lang);
	gone = sessions_end_all(l->sessions, own, &ended);
	/* What is an alias now may have been his own address when he logged in. */
	if (strcmp(own, normal) != 0)
		gone = sessions_end_all(l->sessions, normal, &more) && gone;
	ended += more;
	if (ended > 0)
		told_ended(l, own, by, ended);
	LOG("logout", kv("who", own), kv("by", by), kv_num("sessions", (int64_t)ended));
	if (!gone)
		return answer_no("unknown", "environment",
		    "they are over, and may come back if the power fails");
	json = answer_no("done", NULL, NULL);
	(void)json_object_set_new(json, "sessions", json_integer((json_int_t)ended));
	return json;
}

/* ---- a request ---------------------------------------------------------------------------- */

/* Verbs of somebody who is logged in; NULL: the client waits. */
static json_t *serve_person(struct login *l, struct login_client *c)
{
	struct sessions_now now = login_now();
	json_t *json = NULL;
	const struct sessions_one *one = prove(l, now, &json);

	if (one == NULL)
		return json;
	switch (l->parsed.verb) {
	case LOGIN_SESSION:
		return tell_session(l, one, now);
	case LOGIN_SESSIONS:
		return list_sessions(l, one, now);
	case LOGIN_LOGOUT:
	case LOGIN_EVERYWHERE:
		return end(l, one, l->parsed.verb == LOGIN_EVERYWHERE);
	case LOGIN_PIN:
		number_set(l, c, one->record.address);
		return NULL;
	case LOGIN_PASSWORD:
	case LOGIN_LINK:
	case LOGIN_OPEN:
	case LOGIN_PROOF:
	case LOGIN_END:
	case LOGIN_VERBS:
		break;
	}
	return answer_no("no", "request", "that is no request");
}

static json_t *serve(struct login *l, struct login_client *c)
{
	login_look(l);
	switch (l->parsed.verb) {
	case LOGIN_PASSWORD:
		password_ask(l, c);
		return NULL;
	case LOGIN_LINK:
		return ask_link(l);
	case LOGIN_OPEN:
		return open_link(l);
	case LOGIN_PROOF:
		number_prove(l, c);
		return NULL;
	case LOGIN_END:
		return end_for(l, c);
	case LOGIN_SESSION:
	case LOGIN_SESSIONS:
	case LOGIN_LOGOUT:
	case LOGIN_EVERYWHERE:
	case LOGIN_PIN:
	case LOGIN_VERBS:
		break;
	}
	return serve_person(l, c);
}

void answer_client(struct login *l, struct login_client *c)
{
	bool parsed = login_request_parse(c->request.bytes, c->request.len - 1, &l->parsed);
	json_t *json;

	/* Nothing of it is kept while somebody else is asked. */
	explicit_bzero(c->request.bytes, c->request.len);
	if (parsed) {
		json = serve(l, c);
	} else {
		LOG_ALARM("login-malformed", kv("why", "no request"));
		json = answer_no("no", "request", "that is no request");
	}
	login_request_wipe(&l->parsed);
	if (json != NULL)
		door_answer(l, c, json);
}
