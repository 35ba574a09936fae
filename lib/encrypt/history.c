/* The history of a mail, as those see it who get it: who said yes, and when. What was said besides,
 * and who was asked and said nothing, is nobody's business. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/xtext.h"
#include "lib/encrypt/steps.h"
#include "lib/mime/utf8.h"

#define WHO_MAX ((size_t)1024)

static bool is(const struct leg_record *r, const char *key, const char *word)
{
	size_t len = 0;
	const char *value = leg_record_value(r, key, &len);

	return value != NULL && len == strlen(word) && memcmp(value, word, len) == 0;
}

/* An address as the record has it, with nothing in it that would end the line. */
static void add_address(struct buf *text, const char *value, size_t len)
{
	char who[WHO_MAX];
	uint32_t point;

	if (len > sizeof who || !xtext_decode(value, len, who, &len)) {
		buf_add_text(text, "?");
		return;
	}
	for (size_t at = 0; at < len;) {
		size_t step = utf8_step(who + at, len - at, &point);
		bool shown = step > 0 && point >= ' ' && point != 0x7f &&
			     (point == ' ' || !utf8_unseen(point));

		buf_add(text, shown ? who + at : "?", shown ? step : 1);
		at += step > 0 ? step : 1;
	}
}

/* Somebody of the machine has no address. */
static void add_who(struct buf *text, const struct leg_record *r, const char *key)
{
	size_t len = 0;
	const char *value = leg_record_value(r, key, &len);

	if (value == NULL || memchr(value, '@', len) == NULL)
		buf_add_text(text, "運用管理者 / the operator");
	else
		add_address(text, value, len);
}

static void add_time(struct buf *text, int64_t wall)
{
	time_t seconds = (time_t)(wall / CLOCK_SECOND);
	struct tm t = {.tm_mday = 1};
	long minutes;

	(void)localtime_r(&seconds, &t);
	minutes = labs(t.tm_gmtoff) / 60;
	buf_addf(text, "%04d-%02d-%02d %02d:%02d (UTC%c%02ld:%02ld)", t.tm_year + 1900,
	    t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_gmtoff < 0 ? '-' : '+', minutes / 60,
	    minutes % 60);
}

/* What a record says about it; NULL: nothing that is shown. */
static const char *words_of(const struct leg_record *r, bool voted)
{
	if (leg_record_is(r, "vote") && is(r, "say", "yes"))
		return "承認 / Approved";
	if (leg_record_is(r, "approved") &&
	    (is(r, "ended", "operator") || (is(r, "ended", "votes") && !voted)))
		return "承認 / Approved";
	if (!leg_record_is(r, "held"))
		return NULL;
	if (is(r, "ended", "released"))
		return "送信を許可 / Released";
	if (is(r, "ended", "confirmed"))
		return "送信前の確認 / Confirmed";
	if (is(r, "ended", "checked"))
		return "項目ごとの確認 / Checked item by item";
	return NULL;
}

bool step_write_history(const struct leg *leg, struct buf *text)
{
	struct leg_record r;
	bool any = false, voted = false;
	size_t at = 0, len = 0;

	while (leg_next_record(leg, &at, &r)) {
		const char *words;

		if (!is(&r, "plan", leg->plan.digest))
			continue;
		words = words_of(&r, voted);
		if (words == NULL)
			continue;
		voted |= leg_record_is(&r, "vote");
		if (!any)
			buf_add_text(text, "----------------------------------------\n"
					   "この電子メールは送信前に次のとおり確認されました。\n"
					   "This mail was checked before it was sent:\n\n");
		any = true;
		add_time(text, r.time);
		buf_addf(text, "  %s: ", words);
		add_who(text, &r, "by");
		if (leg_record_value(&r, "for", &len) != NULL) {
			buf_add_text(text, "(代理 / for: ");
			add_who(text, &r, "for");
			buf_add_text(text, ")");
		}
		buf_add_text(text, "\n");
	}
	return buf_ok(text);
}
