/* Logging in and out, by a password or by a mailed link, and the page about oneself. */
#include <string.h>

#include "lib/web/pages.h"
#include "lib/web/pages_kit.h"
#include "lib/web/web.h"

#define LANGUAGE_SECONDS ((json_int_t)365 * 24 * 3600)
#define PIN_LEAST        ((size_t)4)
#define PIN_MOST         ((size_t)12)
#define NUMBER_LEN       ((size_t)4)
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

/*
 * Digits, also those of full width (U+FF10 to U+FF19), which a Japanese keyboard types; blanks are passed over.
 * False: anything else stands there, or more than fits.
 */
static bool typed_digits(const char *text, char *digits, size_t room)
{
	size_t n = 0;

	for (const unsigned char *at = (const unsigned char *)text; *at != '\0';) {
		char digit;

		if (*at == ' ') {
			at++;
			continue;
		}
		if (*at >= '0' && *at <= '9') {
			digit = (char)*at++;
		} else if (at[0] == 0xef && at[1] == 0xbc && at[2] >= 0x90 && at[2] <= 0x99) {
			digit = (char)('0' + (at[2] - 0x90));
			at += 3;
		} else {
			return false;
		}
		if (n + 1 >= room)
			return false;
		digits[n++] = digit;
	}
	digits[n] = '\0';
	return true;
}

/* ---- the login ----------------------------------------------------------------------------- */

static void go_on(struct page *page)
{
	const char *back =
	    page->request->method == WEB_POST ? page_form(page, "back") : page_query(page, "back");

	if (!kit_go_back(page, back))
		page_go(page, "/gate/");
}

/* `fault` is a sentence, or NULL; `address` what he typed. */
static void show_login(struct page *page, int status, const char *fault, const char *address)
{
	const char *back =
	    page->request->method == WEB_POST ? page_form(page, "back") : page_query(page, "back");

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
	go_on(page);
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

	if (strcmp(code, "capped") == 0 || strcmp(code, "later") == 0) {
		show_login(page, 429, said_later(page), address);
		return;
	}
	page_set(page, "wrong", json_true());
	show_login(page, 403,
	    say("The address and the password do not fit together. Please try once more."),
	    address);
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

static void show_sent(struct page *page, const json_t *answer, const char *address)
{
	const char *nonce = kit_text(answer, "nonce");
	json_int_t minutes = json_integer_value(json_object_get(answer, "minutes"));

	if (is_plain(nonce))
		set_cookie(page, link_cookie(page), nonce, minutes * 60);
	page_set_text(page, "title", say("Please look at your mail"));
	page_set_text(page, "address", address);
	page_set_text(page, "number", kit_text(answer, "number"));
	page_set(page, "minutes", json_integer(minutes));
	page_show(page, 200, "login-sent");
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
	else if (strcmp(page_result(answer), "no") == 0)
		show_login(page, 429,
		    say("There were too many attempts. Please try again in a few minutes."),
		    address);
	else
		(void)!page_failed(page, answer);
	json_decref(answer);
}

static void say_not_open(
    struct page *page, const json_t *answer, const char *token, const char *number)
{
	if (strcmp(page_result(answer), "no") == 0 &&
	    strcmp(kit_text(answer, "code"), "number") == 0) {
		show_open(page, 403,
		    number[0] != '\0'
			? say("That is not the number that the other browser shows.")
			: say("Please type the number that is shown where you asked for the link."),
		    token, true);
		return;
	}
	show_login(page, 410,
	    say("This link has been used already, or its time is over. You can have a new one "
		"mailed to you."),
	    "");
}

void pages_login_open(struct page *page)
{
	const char *token = page_form(page, "token"), *typed = page_form(page, "number");
	char number[NUMBER_LEN + 1] = "";
	json_t *answer;

	if (token == NULL || strlen(token) > TOKEN_MOST || !is_plain(token))
		token = "-";
	if (typed != NULL && !typed_digits(typed, number, sizeof number)) {
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

/* NULL: it can be his number. */
static const char *fault_of_pin(const char *pin, const char *again)
{
	if (strlen(pin) < PIN_LEAST)
		return say("A PIN has 4 to 12 digits.");
	return strcmp(pin, again) == 0 ? NULL : say("The two PINs are not the same.");
}

void pages_me_pin(struct page *page)
{
	const char *typed = page_form(page, "pin"), *again = page_form(page, "again");
	char pin[PIN_MOST + 1] = "", same[PIN_MOST + 1] = "";
	bool remove = page_form(page, "remove") != NULL;
	json_t *answer;

	if (!remove) {
		const char *fault = typed != NULL && again != NULL &&
					    typed_digits(typed, pin, sizeof pin) &&
					    typed_digits(again, same, sizeof same)
					? fault_of_pin(pin, same)
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
