/* Logging in and out, by a password or by a mailed link, and the page about oneself. */
#include <string.h>

#include "lib/web/pages.h"
#include "lib/web/pages_kit.h"
#include "lib/web/reasons.h"
#include "lib/web/web.h"

#define LANGUAGE_SECONDS ((json_int_t)365 * 24 * 3600)
#define NUMBER_LEN       ((size_t)4)
#define BACK_MOST        ((size_t)512) /* bytes of a way back that a cookie keeps */
#define TOKEN_MOST       ((size_t)256) /* of a mailed link; it is judged elsewhere */

/* ---- cookies ------------------------------------------------------------------------------- */

/* base64url and what a session's text has beside it: nothing that would end a cookie. */
static bool is_plain(const char *text)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";

	return text[0] != '\0' && text[strspn(text, letters)] == '\0';
}

/*
 * RFC 6265: a cookie that no script reads. `seconds`: how long it is kept; 0 takes it away, less keeps it until
 * the browser is closed.
 */
static void set_cookie(struct page *page, const char *name, const char *value, json_int_t seconds)
{
	buf_addf(&page->cookies, "Set-Cookie: %s=%s; Path=/; HttpOnly; SameSite=Lax", name, value);
	if (seconds >= 0)
		buf_addf(&page->cookies, "; Max-Age=%lld", (long long)seconds);
	if (page->web->https)
		buf_add_text(&page->cookies, "; Secure");
	buf_add_text(&page->cookies, "\r\n");
}

/* The nonce of who asked for a mailed link; with the prefix as guard.c tells it. */
static const char *link_cookie(const struct page *page)
{
	return page->web->https ? "__Host-sekisho-visit-link" : "sekisho-visit-link";
}

/* The page that somebody wanted who asks for a mailed link: if he opens it in this browser, he gets there. */
static const char *back_cookie(const struct page *page)
{
	return page->web->https ? "__Host-sekisho-visit-back" : "sekisho-visit-back";
}

/* ---- what people type ---------------------------------------------------------------------- */

/* An address as it was typed or filled in: without blanks around it. */
static void typed_address(const struct page *page, char address[GATE_ADDRESS_MAX])
{
	const char *text = page_form(page, "address");
	size_t len;

	address[0] = '\0';
	if (text == NULL)
		return;
	text += strspn(text, " \t\r\n");
	len = strlen(text);
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		len--;
	if (len == 0 || len >= GATE_ADDRESS_MAX)
		return;
	memcpy(address, text, len);
	address[len] = '\0';
}

/* ---- the login ----------------------------------------------------------------------------- */

static void go_to(struct page *page, const char *back)
{
	if (!kit_go_back(page, back))
		page_go(page, "/gate/");
}

static void go_on(struct page *page)
{
	go_to(page, page_form(page, "back"));
}

/* `fault` is a sentence, or NULL; `address` what he typed. */
static void show_login(struct page *page, int status, const char *fault, const char *address)
{
	const char *back = page_form(page, "back");

	page_set_text(page, "title", say("Log in"));
	page_set(page, "login-back", kit_own_path(back) ? json_string(back) : json_null());
	page_set(page, "fault", fault != NULL ? json_string(fault) : json_null());
	page_set_text(page, "address", address);
	page_set(page, "by-mail", json_boolean(page->settings->login_links > 0));
	page_set(page, "gone-out", json_boolean(page_query(page, "out") != NULL));
	page_show(page, status, "login");
}

/* The page with the button that opens a mailed link; it does nothing by itself, as mail is looked at by programs. */
static void show_open(
    struct page *page, int status, const char *fault, const char *token, bool number)
{
	page_set_text(page, "title", say("Log in"));
	page_set_text(page, "token", token);
	page_set(page, "needs-number", json_boolean(number));
	page_set(page, "fault", fault != NULL ? json_string(fault) : json_null());
	page_show(page, status, "login-open");
}

/* What the browser that asked for a mailed link keeps; NULL: it was another one. */
static const char *kept_nonce(const struct page *page)
{
	const char *nonce = web_word(&page->request->cookies, link_cookie(page));

	return nonce != NULL && is_plain(nonce) ? nonce : NULL;
}

/* NULL: he wanted no page, or asked in another browser. */
static const char *kept_back(const struct page *page)
{
	return web_word(&page->request->cookies, back_cookie(page));
}

void pages_login(struct page *page)
{
	const char *token = page->request->bare;

	if (token[0] != '\0') {
		if (strlen(token) > TOKEN_MOST || !is_plain(token))
			token = "-";
		show_open(page, 200, NULL, token, kept_nonce(page) == NULL);
		return;
	}
	if (page->person.in) {
		go_on(page);
		return;
	}
	show_login(page, 200, NULL, "");
}

/* He is logged in, as a new session; one that this browser had is over. */
static void begin(struct page *page, const json_t *answer)
{
	const char *token = json_string_value(json_object_get(answer, "token"));

	if (token == NULL || !is_plain(token)) {
		web_refuse(page, 500);
		return;
	}
	if (page->person.in) {
		json_t *left = page_login(
		    page, "logout", (const char *const[]){"token", page->person.token, NULL});

		if (left == NULL)
			return;
		json_decref(left);
	}
	set_cookie(page, web_cookie_session(page->web), token, -1);
	if (kept_nonce(page) != NULL)
		set_cookie(page, link_cookie(page), "", 0);
	if (kept_back(page) != NULL)
		set_cookie(page, back_cookie(page), "", 0);
	go_to(page, page_form(page, "token") != NULL ? kept_back(page) : page_form(page, "back"));
}

static const char *said_later(const struct page *page)
{
	return page->settings->login_links > 0
		   ? say("There were too many attempts. Please try again in a few minutes, or "
			 "have a link mailed to you.")
		   : say("There were too many attempts. Please try again in a few minutes.");
}

/* Says why somebody is not logged in; never whether there is such a person. */
static void say_not_in(struct page *page, const json_t *answer, const char *address)
{
	const char *code = kit_text(answer, "code");

	if (strcmp(code, "capped") == 0) {
		show_login(page, 429, said_later(page), address);
	} else if (strcmp(code, "wrong") == 0) {
		page_set(page, "wrong", json_true());
		show_login(page, 403,
		    say("The address and the password do not fit together. Please try once more."),
		    address);
	} else {
		(void)!page_failed(page, answer);
	}
}

void pages_login_by_word(struct page *page)
{
	char address[GATE_ADDRESS_MAX];
	const char *password = page_form(page, "password");
	json_t *answer;

	typed_address(page, address);
	if (address[0] == '\0' || password == NULL) {
		page_set(page, "wrong", json_true());
		show_login(page, 422, say("Please type your address and your password."), address);
		return;
	}
	answer = page_login(page, "password",
	    (const char *const[]){
		"login", address, "password", password, "source", page->request->source, NULL});
	if (answer == NULL)
		return;
	if (strcmp(page_result(answer), "done") == 0)
		begin(page, answer);
	else if (strcmp(page_result(answer), "no") == 0)
		say_not_in(page, answer, address);
	else
		(void)!page_failed(page, answer);
	json_decref(answer);
}

/* ---- a mailed link ------------------------------------------------------------------------- */

/* One of our own pages, in what a cookie can have (RFC 6265, 4.1.1). */
static bool fits_cookie(const char *back)
{
	return kit_own_path(back) && strlen(back) <= BACK_MOST && strpbrk(back, ",;") == NULL;
}

static void show_sent(struct page *page, const json_t *answer, const char *address)
{
	const char *nonce = kit_text(answer, "nonce"), *back = page_form(page, "back");
	json_int_t minutes = json_integer_value(json_object_get(answer, "minutes"));

	if (is_plain(nonce))
		set_cookie(page, link_cookie(page), nonce, minutes * 60);
	if (fits_cookie(back))
		set_cookie(page, back_cookie(page), back, minutes * 60);
	else if (kept_back(page) != NULL)
		set_cookie(page, back_cookie(page), "", 0);
	page_set_text(page, "title", say("Please look at your mail"));
	page_set_text(page, "address", address);
	page_set_text(page, "number", kit_text(answer, "number"));
	page_set(page, "minutes", json_integer(minutes));
	page_show(page, 200, "login-sent");
}

static bool is_no(const json_t *answer, const char *code)
{
	return strcmp(page_result(answer), "no") == 0 &&
	       strcmp(kit_text(answer, "code"), code) == 0;
}

void pages_login_ask(struct page *page)
{
	char address[GATE_ADDRESS_MAX];
	json_t *answer;

	typed_address(page, address);
	if (address[0] == '\0') {
		page_set(page, "no-address", json_true());
		show_login(page, 422, say("Please type your address."), address);
		return;
	}
	answer = page_login(page, "link",
	    (const char *const[]){
		"address", address, "source", page->request->source, "lang", page->lang, NULL});
	if (answer == NULL)
		return;
	if (strcmp(page_result(answer), "done") == 0)
		show_sent(page, answer, address);
	else if (is_no(answer, "capped"))
		show_login(page, 429,
		    say("Too many links have been asked for. Please wait for an hour, or log in by "
			"your password."),
		    address);
	else
		(void)!page_failed(page, answer);
	json_decref(answer);
}

static void say_not_open(
    struct page *page, const json_t *answer, const char *token, const char *number)
{
	if (is_no(answer, "number"))
		show_open(page, 403,
		    number[0] != '\0'
			? say("That is not the number that the other browser shows.")
			: say("Please type the number that is shown where you asked for the link."),
		    token, true);
	else if (strcmp(page_result(answer), "expired") == 0)
		show_login(page, 410,
		    say("This link has been used already, or its time is over. You can have a new "
			"one mailed to you."),
		    "");
	else
		(void)!page_failed(page, answer);
}

void pages_login_open(struct page *page)
{
	const char *token = page_form(page, "token"), *typed = page_form(page, "number");
	char number[NUMBER_LEN + 1] = "";
	json_t *answer;

	if (token == NULL || strlen(token) > TOKEN_MOST || !is_plain(token))
		token = "-";
	if (typed != NULL && !kit_digits(typed, number, sizeof number)) {
		show_open(page, 422, say("That is not the number that the other browser shows."),
		    token, true);
		return;
	}
	answer = page_login(page, "open",
	    (const char *const[]){"token", token, "nonce", kept_nonce(page), "number",
		number[0] != '\0' ? number : NULL, "source", page->request->source, NULL});
	if (answer == NULL)
		return;
	if (strcmp(page_result(answer), "done") == 0)
		begin(page, answer);
	else
		say_not_open(page, answer, token, number);
	json_decref(answer);
}

/* ---- logging out --------------------------------------------------------------------------- */

void pages_logout(struct page *page)
{
	bool everywhere = page_form(page, "everywhere") != NULL;
	json_t *answer = page_login(page, everywhere ? "everywhere" : "logout",
	    (const char *const[]){"token", page->person.token, NULL});
	const char *result = answer != NULL ? page_result(answer) : "";

	if (answer == NULL)
		return;
	/* A session that is over already is what he wants. */
	if (strcmp(result, "done") == 0 || strcmp(result, "forged") == 0 ||
	    strcmp(result, "expired") == 0) {
		set_cookie(page, web_cookie_session(page->web), "", 0);
		page_go(page, "/gate/login");
		page_go_add(page, "out", "1");
	} else {
		(void)!page_failed(page, answer);
	}
	json_decref(answer);
}

/* ---- me ------------------------------------------------------------------------------------ */

static json_t *sessions_of(const struct page *page, const json_t *answer)
{
	json_t *list = json_array();
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(answer, "sessions"), i, one)
	{
		json_t *row = json_object();

		kit_set_time(page, row, "begun", kit_text(one, "begun"));
		kit_set_time(page, row, "seen", kit_text(one, "seen"));
		kit_put(row, "source", json_string(kit_text(one, "source")));
		kit_put(row, "this", json_boolean(json_is_true(json_object_get(one, "this"))));
		(void)json_array_append_new(list, row);
	}
	return list;
}

/* Whether he has a number, as seki-login says it of a session. */
static bool has_pin(struct page *page, bool *pin)
{
	json_t *answer = page_login(page, "session",
	    (const char *const[]){
		"token", page->person.token, "source", page->request->source, NULL});

	if (answer == NULL)
		return false;
	*pin = json_is_true(json_object_get(answer, "pin"));
	json_decref(answer);
	return true;
}

static void show_me(struct page *page, int status, const char *fault)
{
	static const struct kit_said saids[] = {
	    {"pin", N_("Your PIN has been set.")},
	    {"no-pin", N_("Your PIN has been removed.")},
	};
	json_t *answer =
	    page_login(page, "sessions", (const char *const[]){"token", page->person.token, NULL});
	bool pin = false;

	if (answer == NULL)
		return;
	if (page_failed(page, answer) || !has_pin(page, &pin)) {
		json_decref(answer);
		return;
	}
	page_set_text(page, "title", say("Me"));
	kit_set_tab(page, "me");
	page_set(page, "sessions", sessions_of(page, answer));
	page_set(page, "has-pin", json_boolean(pin));
	page_set(page, "fault", fault != NULL ? json_string(fault) : json_null());
	kit_set_said(page, saids, COUNT_OF(saids));
	page_show(page, status, "me");
	json_decref(answer);
}

void pages_me(struct page *page)
{
	show_me(page, 200, NULL);
}

/* Why the number that was typed twice cannot be his from now on; NULL: it can. */
static const char *fault_of_new_pin(const char *pin, const char *again)
{
	if (strlen(pin) < KIT_PIN_LEAST)
		return say("A PIN has 4 to 12 digits.");
	return strcmp(pin, again) == 0 ? NULL : say("The two PINs are not the same.");
}

void pages_me_pin(struct page *page)
{
	const char *typed = page_form(page, "pin"), *again = page_form(page, "again");
	char pin[KIT_PIN_MOST + 1] = "", same[KIT_PIN_MOST + 1] = "";
	bool remove = page_form(page, "remove") != NULL;
	json_t *answer;

	if (!remove) {
		const char *fault = typed != NULL && again != NULL &&
					    kit_digits(typed, pin, sizeof pin) &&
					    kit_digits(again, same, sizeof same)
					? fault_of_new_pin(pin, same)
					: say("A PIN has 4 to 12 digits.");
		if (fault != NULL) {
			show_me(page, 422, fault);
			return;
		}
	}
	answer = page_login(page, "pin",
	    (const char *const[]){"token", page->person.token, "pin", remove ? "" : pin, NULL});
	explicit_bzero(pin, sizeof pin);
	explicit_bzero(same, sizeof same);
	if (answer == NULL)
		return;
	if (strcmp(page_result(answer), "done") == 0) {
		page_go(page, "/gate/me");
		page_go_add(page, "said", remove ? "no-pin" : "pin");
	} else if (is_no(answer, "weak")) {
		show_me(page, 422, reasons_say("weak"));
	} else {
		(void)!page_failed(page, answer);
	}
	json_decref(answer);
}

/* ---- the language -------------------------------------------------------------------------- */

void pages_language(struct page *page)
{
	const char *lang = page_form(page, "lang");

	if (lang != NULL && (strcmp(lang, "ja") == 0 || strcmp(lang, "en") == 0))
		set_cookie(page, "sekisho-lang", lang, LANGUAGE_SECONDS);
	go_on(page);
}
