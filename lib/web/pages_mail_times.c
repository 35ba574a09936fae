/* What will happen to a mail and when, and how much longer it can be held. */
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/web/pages_mail.h"
#include "lib/web/say.h"

#define SENTENCE_MAX ((size_t)4096)
#define MORNING      9 /* o'clock: when offices begin */
#define TEN_MINUTES  (600 * CLOCK_SECOND)
#define HOUR         (3600 * CLOCK_SECOND)

/* ---- what will happen ----------------------------------------------------------------------- */

static void add(json_t *sentences, const char *text)
{
	(void)json_array_append_new(sentences, json_string(text));
}

/* `text` with {time} as the reader says it, unless there is no time. True: it was said. */
static bool add_at(const struct page *page, json_t *sentences, const char *text, const char *utc)
{
	struct buf time, sentence;

	if (utc[0] == '\0')
		return false;
	buf_init(&time, SENTENCE_MAX);
	page_time(page, utc, &time);
	buf_add(&time, "", 1);
	buf_init(&sentence, SENTENCE_MAX);
	kit_phrase(&sentence, text, "time", buf_ok(&time) ? time.bytes : "", NULL);
	(void)json_array_append_new(sentences, kit_told(&sentence));
	buf_free(&time);
	return true;
}

static void add_step(const struct page *page, json_t *sentences, const char *step, const char *pass)
{
	if (strcmp(step, "window") == 0) {
		if (!add_at(page, sentences,
			say("Mail may not leave at this time of day. It is sent from {time} on."),
			pass))
			add(sentences, say("Mail may not leave at this time of day."));
	} else if (strcmp(step, "confirmed") == 0) {
		add(sentences, say("It is sent only when you say so."));
	} else if (strcmp(step, "checked") == 0) {
		add(sentences, say("It is sent only when each point of the check is confirmed."));
	} else if (strcmp(step, "operator") == 0) {
		add(sentences, say("An administrator has to look at it first."));
	} else if (strcmp(step, "approve") == 0) {
		add(sentences, say("It is sent only when it is approved."));
	} else {
		(void)add_at(
		    page, sentences, say("If nobody stops it, it is sent at {time}."), pass);
	}
}

static void add_waiting(const struct page *page, json_t *sentences, const json_t *leg)
{
	const json_t *times = json_object_get(leg, "times");

	add_step(page, sentences, kit_text(leg, "step"), kit_text(times, "pass"));
	(void)add_at(page, sentences,
	    say("If nobody does anything, it is discarded at {time} and not sent."),
	    kit_text(times, "discard"));
	(void)add_at(page, sentences, say("From {time} on deputies can approve it, too."),
	    kit_text(times, "escalate"));
	(void)add_at(page, sentences,
	    strcmp(kit_text(leg, "expires"), "discard") == 0
		? say("If nobody approves it by {time}, it is discarded and not sent.")
		: say("An approval is expected by {time}. After that it still waits for one."),
	    kit_text(times, "expire"));
}

json_t *mail_sentences(const struct page *page, const json_t *leg)
{
	const char *state = kit_text(leg, "state");
	json_t *sentences = json_array();

	if (kit_text(leg, "step")[0] != '\0')
		add_waiting(page, sentences, leg);
	else if (strcmp(state, "held") == 0 || strcmp(state, "approval") == 0)
		add(sentences, say("It is being dealt with."));
	else if (strcmp(state, "discarded") == 0 &&
		 !add_at(page, sentences,
		     say("It will not be sent. It can be brought back until {time}."),
		     kit_text(json_object_get(leg, "times"), "remove")))
		add(sentences, say("It will not be sent. You can bring it back for some time."));
	else if (strcmp(state, "refused") == 0)
		add(sentences, say("The rules do not let it go. Nobody has received it."));
	return sentences;
}

/* ---- holding for longer --------------------------------------------------------------------- */

/* `until`, unless it lies behind `longest` (0: nothing does). `text` may name its {time}. */
static void add_longer(
    const struct page *page, json_t *list, int64_t until, int64_t longest, const char *text)
{
	char utc[CLOCK_TEXT];
	struct buf time, said;
	json_t *one;

	if (longest > 0 && until > longest)
		return;
	one = json_object();
	clock_format(until, utc);
	buf_init(&time, SENTENCE_MAX);
	page_time(page, utc, &time);
	buf_add(&time, "", 1);
	buf_init(&said, SENTENCE_MAX);
	kit_phrase(&said, text, "time", buf_ok(&time) ? time.bytes : "", NULL);
	buf_free(&time);
	kit_put(one, "until", json_string(utc));
	kit_put(one, "text", kit_told(&said));
	(void)json_array_append_new(list, one);
}

/* The first nine o'clock of a Monday to Friday behind `after`, in the site's time zone; 0: there is none. */
static int64_t next_morning(int64_t after)
{
	time_t seconds = (time_t)(after / CLOCK_SECOND);
	struct tm tm;

	if (localtime_r(&seconds, &tm) == NULL)
		return 0;
	if (tm.tm_hour >= MORNING) {
		tm.tm_mday++;
		tm.tm_wday = (tm.tm_wday + 1) % 7;
	}
	tm.tm_mday += tm.tm_wday == 6 ? 2 : tm.tm_wday == 0 ? 1 : 0;
	tm.tm_hour = MORNING;
	tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	seconds = mktime(&tm);
	return seconds == (time_t)-1 ? 0 : (int64_t)seconds * CLOCK_SECOND;
}

json_t *mail_longer(const struct page *page, const char *end, const char *longest)
{
	int64_t now = clock_wall(), from = clock_parse(end, strlen(end)), morning;
	int64_t latest = clock_parse(longest, strlen(longest));
	json_t *list = json_array();

	if (from < now)
		from = now;
	add_longer(page, list, from + TEN_MINUTES, latest, say("10 minutes longer"));
	add_longer(page, list, from + HOUR, latest, say("1 hour longer"));
	morning = next_morning(from + HOUR);
	if (morning > 0)
		add_longer(page, list, morning, latest, say("Until {time}"));
	return list;
}
