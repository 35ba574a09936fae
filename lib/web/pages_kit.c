#include "lib/web/pages_kit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"

#define TEXT_MOST   ((size_t)256)
#define PATH_MOST   ((size_t)2048)
#define FILLED_MOST ((size_t)65536)

/* ---- values -------------------------------------------------------------------------------- */

const char *kit_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

void kit_put(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value);
}

json_t *kit_told(struct buf *out)
{
	json_t *told =
	    buf_ok(out) ? json_stringn(out->len > 0 ? out->bytes : "", out->len) : json_string("");

	buf_free(out);
	return told;
}

void kit_set_list(struct page *page, const char *name, const char *some, json_t *list)
{
	page_set(page, some, json_boolean(json_array_size(list) > 0));
	page_set(page, name, list);
}

void kit_set_time(const struct page *page, json_t *object, const char *key, const char *utc)
{
	struct buf text;

	buf_init(&text, TEXT_MOST);
	if (utc[0] != '\0')
		page_time(page, utc, &text);
	kit_put(object, key, kit_told(&text));
}

void kit_set_left(const struct page *page, json_t *object, const char *key, const char *utc)
{
	struct buf text;

	buf_init(&text, TEXT_MOST);
	if (utc[0] != '\0')
		page_until(page, utc, &text);
	kit_put(object, key, kit_told(&text));
}

void kit_fill(json_t *object, const char *key, const char *text, const char *value)
{
	struct buf filled;

	buf_init(&filled, FILLED_MOST);
	kit_phrase(&filled, text, "value", value, NULL);
	kit_put(object, key, kit_told(&filled));
}

void kit_set_tab(struct page *page, const char *tab)
{
	json_t *at = json_object();

	kit_put(at, tab, json_true());
	page_set(page, "at", at);
}

/* ---- phrases ------------------------------------------------------------------------------- */

static const char *value_of(va_list pairs, const char *name, size_t len)
{
	const char *key;

	while ((key = va_arg(pairs, const char *)) != NULL) {
		const char *value = va_arg(pairs, const char *);

		if (strlen(key) == len && memcmp(key, name, len) == 0)
			return value;
	}
	return NULL;
}

void kit_phrase(struct buf *out, const char *text, ...)
{
	while (*text != '\0') {
		size_t plain = strcspn(text, "{");
		const char *end = strchr(text + plain, '}'), *value;
		va_list pairs;

		buf_add(out, text, plain);
		text += plain;
		if (*text == '\0')
			return;
		if (end == NULL) {
			buf_add_text(out, text);
			return;
		}
		va_start(pairs, text);
		value = value_of(pairs, text + 1, (size_t)(end - text) - 1);
		va_end(pairs);
		if (value != NULL)
			buf_add_text(out, value);
		else
			buf_add(out, text, (size_t)(end - text) + 1);
		text = end + 1;
	}
}

/* ---- ways ---------------------------------------------------------------------------------- */

bool kit_own_path(const char *path)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-._~%/?&=+:,;@!*'()";

	return path != NULL && strncmp(path, "/gate/", 6) == 0 && strlen(path) <= PATH_MOST &&
	       path[strspn(path, letters)] == '\0' && strstr(path, "//") == NULL &&
	       strstr(path, "/.") == NULL;
}

bool kit_go_back(struct page *page, const char *path)
{
	if (!kit_own_path(path))
		return false;
	buf_clear(&page->place);
	buf_add_text(&page->place, path);
	return buf_ok(&page->place);
}

void kit_set_said(struct page *page, const struct kit_said *saids, size_t n)
{
	const char *word = page_query(page, "said");

	page_set(page, "said", json_null());
	for (size_t i = 0; word != NULL && i < n; i++) {
		if (strcmp(word, saids[i].word) == 0)
			page_set_text(page, "said", say(saids[i].text));
	}
}

/* ---- what people type ---------------------------------------------------------------------- */

bool kit_digits(const char *text, char *digits, size_t room)
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

const char *kit_page_number(const struct page *page)
{
	const char *text = page_query(page, "page");
	size_t len = text != NULL ? strlen(text) : 0;

	return len >= 1 && len <= 6 && strspn(text, "0123456789") == len && text[0] != '0' ? text
											   : "1";
}

/* `n` digits at *at, as a number up to `most`; -1: they are none. Goes behind them. */
static int digits(const char **at, size_t n, int most)
{
	int number = 0;

	for (size_t i = 0; i < n; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return -1;
		number = number * 10 + (**at - '0');
	}
	return number <= most ? number : -1;
}

static bool sign(const char **at, const char *signs)
{
	if (**at == '\0' || strchr(signs, **at) == NULL)
		return false;
	(*at)++;
	return true;
}

/* mktime takes the 31st of February for a day in March: that is none. */
static bool seconds_of(const struct tm *typed, time_t *seconds)
{
	struct tm made = *typed;

	made.tm_isdst = -1;
	*seconds = mktime(&made);
	return *seconds != (time_t)-1 && made.tm_mday == typed->tm_mday &&
	       made.tm_mon == typed->tm_mon;
}

bool kit_typed_time(const char *text, char *utc, size_t room)
{
	const char *at = text;
	struct tm typed = {.tm_sec = 0};
	time_t seconds;
	char all[CLOCK_TEXT];

	typed.tm_year = digits(&at, 4, 9999) - 1900;
	if (!sign(&at, "-/"))
		return false;
	typed.tm_mon = digits(&at, 2, 12) - 1;
	if (!sign(&at, "-/"))
		return false;
	typed.tm_mday = digits(&at, 2, 31);
	if (!sign(&at, "T "))
		return false;
	typed.tm_hour = digits(&at, 2, 23);
	if (!sign(&at, ":"))
		return false;
	typed.tm_min = digits(&at, 2, 59);
	if (sign(&at, ":"))
		typed.tm_sec = digits(&at, 2, 59);
	if (*at != '\0' || typed.tm_year < 70 || typed.tm_mon < 0 || typed.tm_mday < 1 ||
	    typed.tm_hour < 0 || typed.tm_min < 0 || typed.tm_sec < 0 ||
	    !seconds_of(&typed, &seconds) || room < sizeof all)
		return false;
	clock_format((int64_t)seconds * CLOCK_SECOND, all);
	memcpy(utc, all, sizeof all);
	return true;
}

void kit_now(char local[20])
{
	time_t seconds = (time_t)(clock_wall() / CLOCK_SECOND);
	struct tm tm;

	local[0] = '\0';
	if (localtime_r(&seconds, &tm) != NULL)
		(void)!strftime(local, 20, "%Y-%m-%dT%H:%M", &tm);
}

/* ---- the PIN ------------------------------------------------------------------------------- */

struct kit_fault kit_pin_fault(const char *code)
{
	static const struct {
		const char *code;
		struct kit_fault fault;
	} faults[] = {
	    {"needed", {N_("Please type your PIN"),
			   N_("It shows that it is you, and no program, who opened the link.")}},
	    {"none", {N_("You have no PIN yet"), N_("Log in, and choose one on the page “Me”.")}},
	    {"capped", {N_("Too many wrong PINs"),
			   N_("Please try again in an hour, or log in: then no PIN is needed.")}},
	    {"later", {N_("The PIN cannot be checked just now"),
			  N_("Nothing was done. Please try again in a moment.")}},
	    {"digits", {N_("The PIN is not right"), N_("A PIN has 4 to 12 digits.")}},
	};

	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		if (strcmp(faults[i].code, code) == 0)
			return (struct kit_fault){
			    say(faults[i].fault.title), say(faults[i].fault.sentence)};
	}
	return (struct kit_fault){
	    say("The PIN is not right"), say("Nothing was done. Please try again.")};
}

/* seki-login's proof for these digits. */
static enum kit_proof ask_proof(
    struct page *page, const char *pin, json_t **proof, struct kit_fault *fault)
{
	json_t *answer = page_login(page, "proof",
	    (const char *const[]){
		"cap", page->person.capability, "pin", pin, "source", page->request->source, NULL});

	if (answer == NULL)
		return KIT_ANSWERED;
	if (strcmp(page_result(answer), "done") == 0) {
		*proof = answer;
		return KIT_PROVED;
	}
	*fault = kit_pin_fault(kit_text(answer, "code"));
	if (strcmp(page_result(answer), "no") == 0 || !page_failed(page, answer)) {
		json_decref(answer);
		return KIT_NOT_PROVED;
	}
	json_decref(answer);
	return KIT_ANSWERED;
}

enum kit_proof kit_prove(struct page *page, json_t **proof, struct kit_fault *fault)
{
	const char *typed = page_form(page, "pin");
	char pin[KIT_PIN_MOST + 1];
	enum kit_proof proved;

	*proof = NULL;
	if (page->person.capability[0] == '\0' || typed == NULL)
		return KIT_PROVED;
	/* What cannot be a PIN counts as no try. */
	if (!kit_digits(typed, pin, sizeof pin) || strlen(pin) < KIT_PIN_LEAST) {
		*fault = kit_pin_fault("digits");
		return KIT_NOT_PROVED;
	}
	proved = ask_proof(page, pin, proof, fault);
	explicit_bzero(pin, sizeof pin);
	return proved;
}
