#include "lib/web/pages_kit.h"

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

static void put_buf(json_t *object, const char *key, struct buf *text)
{
	kit_put(object, key, json_stringn(text->len > 0 ? text->bytes : "", text->len));
	buf_free(text);
}

void kit_set_time(const struct page *page, json_t *object, const char *key, const char *utc)
{
	struct buf text;

	buf_init(&text, TEXT_MOST);
	if (utc[0] != '\0')
		page_time(page, utc, &text);
	put_buf(object, key, &text);
}

void kit_set_left(const struct page *page, json_t *object, const char *key, const char *utc)
{
	struct buf text;

	buf_init(&text, TEXT_MOST);
	if (utc[0] != '\0')
		page_until(page, utc, &text);
	put_buf(object, key, &text);
}

void kit_fill(json_t *object, const char *key, const char *text, const char *value)
{
	static const char hole[] = "{value}";
	const char *at = strstr(text, hole);
	struct buf filled;

	buf_init(&filled, FILLED_MOST);
	if (at != NULL) {
		buf_add(&filled, text, (size_t)(at - text));
		buf_add_text(&filled, value);
		text = at + sizeof hole - 1;
	}
	buf_add_text(&filled, text);
	put_buf(object, key, &filled);
}

void kit_set_tab(struct page *page, const char *tab)
{
	json_t *at = json_object();

	kit_put(at, tab, json_true());
	page_set(page, "at", at);
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
