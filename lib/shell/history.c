#include "lib/shell/history.h"

#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/xtext.h"
#include "lib/shell/moment.h"

#define TEXT_ROOM ((size_t)16 * 1024)

typedef void tell_record(struct buf *text, const struct leg *leg, const struct leg_record *record);

/* ---- values ------------------------------------------------------------------------------- */

static bool says(const struct leg_record *record, const char *key, const char *value)
{
	size_t len = 0;
	const char *found = leg_record_value(record, key, &len);

	return found != NULL && len == strlen(value) && memcmp(found, value, len) == 0;
}

static bool has(const struct leg_record *record, const char *key)
{
	size_t len = 0;

	return leg_record_value(record, key, &len) != NULL;
}

/* `before`, and the value of `key` decoded; nothing if the record has none. */
static void add_value(
    struct buf *text, const char *before, const struct leg_record *record, const char *key)
{
	size_t len = 0, n = 0;
	const char *value = leg_record_value(record, key, &len);
	char *room;

	if (value == NULL || len == 0)
		return;
	buf_add_text(text, before);
	room = buf_reserve(text, len);
	if (room != NULL && xtext_decode(value, len, room, &n))
		text->len += n;
	else
		buf_add(text, value, len);
}

/* " by alice@example.co.jp for bob@example.co.jp (gate): why" */
static void add_who(struct buf *text, const struct leg_record *record, const char *why)
{
	add_value(text, " by ", record, "by");
	add_value(text, " for ", record, "for");
	if (has(record, "via")) {
		add_value(text, " (", record, "via");
		buf_add_text(text, ")");
	}
	add_value(text, ": ", record, why);
}

static void add_time_of(struct buf *text, const struct leg_record *record, const char *key)
{
	char moment[MOMENT_TEXT];
	size_t len = 0;
	const char *value = leg_record_value(record, key, &len);
	int64_t wall = value != NULL ? clock_parse(value, len) : -1;

	if (wall < 0)
		return;
	moment_text(wall, moment);
	buf_add_text(text, moment);
}

/* ---- one record --------------------------------------------------------------------------- */

static void tell_vote(struct buf *text, const struct leg *leg, const struct leg_record *record)
{
	(void)leg;
	if (says(record, "say", "yes"))
		buf_add_text(text, "approved");
	else if (says(record, "say", "return"))
		buf_add_text(text, "returned to be corrected");
	else
		buf_add_text(text, "not approved");
	add_who(text, record, "comment");
	if (has(record, "step") && !says(record, "step", "1"))
		add_value(text, ", as approver of step ", record, "step");
}

static void tell_approved(struct buf *text, const struct leg *leg, const struct leg_record *record)
{
	(void)leg;
	if (says(record, "ended", "votes"))
		buf_add_text(text, "the approval is complete");
	else if (says(record, "ended", "urgent"))
		buf_add_text(text, "sent as urgent, to be approved later,");
	else if (says(record, "ended", "operator"))
		buf_add_text(text, "approved in the approvers' place");
	else if (says(record, "ended", "nobody"))
		buf_add_text(text, "nobody was to be asked for an approval");
	else
		add_value(text, "the approval has ended: ", record, "ended");
	add_who(text, record, "reason");
}

static void tell_held(struct buf *text, const struct leg *leg, const struct leg_record *record)
{
	static const struct {
		const char *word, *text;
	} ends[] = {
	    {"due", "the time of its hold was over"},
	    {"released", "released"},
	    {"confirmed", "confirmed"},
	    {"checked", "confirmed, with every entry of its check,"},
	    {"at-once", "it did not have to be held"},
	    {"window", "the time of day at which it may not leave was over"},
	};
	size_t i = 0;

	(void)leg;
	while (i < COUNT_OF(ends) && !says(record, "ended", ends[i].word))
		i++;
	if (i < COUNT_OF(ends))
		buf_add_text(text, ends[i].text);
	else
		add_value(text, "its hold has ended: ", record, "ended");
	add_who(text, record, "reason");
	add_value(text, "; checked: ", record, "checked");
}

static void tell_discarded(struct buf *text, const struct leg *leg, const struct leg_record *record)
{
	static const struct {
		const char *word, *text;
	} causes[] = {
	    {"rejected", "not approved, and so discarded,"},
	    {"returned", "returned to its sender to be corrected"},
	    {"removed", "discarded, since its last recipient was taken away"},
	    {"expired", "discarded, since nobody decided in time"},
	    {"not-confirmed", "discarded, since its sender did not confirm it in time"},
	};
	size_t i = 0;

	(void)leg;
	while (i < COUNT_OF(causes) && !says(record, "cause", causes[i].word))
		i++;
	buf_add_text(text, i < COUNT_OF(causes) ? causes[i].text : "discarded");
	add_who(text, record, "reason");
	if (says(record, "tell", "draft"))
		buf_add_text(text, "; its sender gets it back as a draft");
}

static void tell_restored(struct buf *text, const struct leg *leg, const struct leg_record *record)
{
	(void)leg;
	buf_add_text(text, "brought back from trash/");
	add_who(text, record, "reason");
}

static void tell_extended(struct buf *text, const struct leg *leg, const struct leg_record *record)
{
	(void)leg;
	buf_add_text(text, "held for longer, until ");
	add_time_of(text, record, "until");
	add_who(text, record, "reason");
}

/* A number at `*at`, which moves behind it. */
static size_t number_at(const char *value, size_t len, size_t *at)
{
	size_t number = 0;

	for (; *at < len && value[*at] >= '0' && value[*at] <= '9' && number < LEG_RCPTS_MAX;
	     (*at)++)
		number = number * 10 + (size_t)(value[*at] - '0');
	return number;
}

/* The addresses of "1,3-5". */
static void add_rcpts(struct buf *text, const struct leg *leg, const struct leg_record *record)
{
	size_t len = 0, at = 0;
	const char *value = leg_record_value(record, "rcpt", &len), *before = "";

	while (value != NULL && at < len) {
		size_t from = number_at(value, len, &at), to = from;

		if (at < len && value[at] == '-') {
			at++;
			to = number_at(value, len, &at);
		}
		for (size_t i = from; i >= 1 && i <= to && i <= leg->rcpts; i++) {
			buf_addf(text, "%s%s", before, leg->rcpt[i - 1].address);
			before = ", ";
		}
		at++; /* the comma, or whatever stands there */
	}
}

static void tell_drop(struct buf *text, const struct leg *leg, const struct leg_record *record)
{
	add_rcpts(text, leg, record);
	buf_add_text(text, " taken away as a recipient");
	add_who(text, record, "reason");
}

static void tell_removed(struct buf *text, const struct leg *leg, const struct leg_record *record)
{
	(void)leg;
	add_value(text, "", record, "address");
	buf_add_text(text, " to be taken out of the header");
	add_who(text, record, "reason");
}

static void tell_rewritten(struct buf *text, const struct leg *leg, const struct leg_record *record)
{
	(void)leg;
	buf_add_text(text, "the header was rewritten");
	add_value(text, ", addresses taken out: ", record, "addresses");
}

static void tell_refused(struct buf *text, const struct leg *leg, const struct leg_record *record)
{
	(void)leg;
	buf_add_text(text, "refused");
	add_value(text, " by ", record, "rule");
	add_value(text, " ", record, "name");
	add_value(text, ": ", record, "why");
}

/* " (notice ID)", or of what was not done ": why". */
static void add_notice(struct buf *text, const struct leg_record *record)
{
	if (says(record, "notice", "none")) {
		add_value(text, ": ", record, "reason");
		return;
	}
	add_value(text, " (notice ", record, "notice");
	buf_add_text(text, ")");
}

static void tell_noticed(struct buf *text, const struct leg *leg, const struct leg_record *record)
{
	static const struct {
		const char *word, *before, *behind, *not_done;
	} whats[] = {
	    {"hold", "told ", " that it is held", " was not told that it is held"},
	    {"request", "asked ", " to approve it", " was not asked to approve it"},
	    {"warning", "warned ", " that its time ends", " was not warned that its time ends"},
	    {"draft", "gave it back to ", " as a draft", " was sent no draft of it"},
	    {"result", "told ", " what became of it", " was not told what became of it"},
	    {"", "told ", "", " was not told"}, /* of a newer version */
	};
	bool none = says(record, "notice", "none");
	size_t i = 0;

	(void)leg;
	while (i + 1 < COUNT_OF(whats) && !says(record, "what", whats[i].word))
		i++;
	add_value(text, none ? "" : whats[i].before, record, "to");
	buf_add_text(text, none ? whats[i].not_done : whats[i].behind);
	if (whats[i].word[0] == '\0')
		add_value(text, ": ", record, "what");
	add_notice(text, record);
}

static void tell_told(struct buf *text, const struct leg *leg, const struct leg_record *record)
{
	(void)leg;
	if (has(record, "rcpt"))
		return; /* of a delivery: the recipient's line says it */
	buf_add_text(
	    text, says(record, "notice", "none") ? "its sender was not told" : "told its sender");
	add_notice(text, record);
}

static void tell_forwarded(struct buf *text, const struct leg *leg, const struct leg_record *record)
{
	(void)leg;
	add_value(text, "forwarded to ", record, "to");
	add_value(text, " (notice ", record, "notice");
	buf_add_text(text, ")");
}

/* ---- all of them -------------------------------------------------------------------------- */

void history_each(const struct leg *leg, history_see *see, void *context)
{
	static const struct {
		const char *word;
		tell_record *tell;
	} words[] = {
	    {"vote", tell_vote},
	    {"approved", tell_approved},
	    {"held", tell_held},
	    {"discarded", tell_discarded},
	    {"restored", tell_restored},
	    {"extended", tell_extended},
	    {"drop", tell_drop},
	    {"removed", tell_removed},
	    {"rewritten", tell_rewritten},
	    {"refused", tell_refused},
	    {"noticed", tell_noticed},
	    {"told", tell_told},
	    {"forwarded", tell_forwarded},
	};
	struct leg_record record;
	struct buf text;
	size_t at = 0;

	buf_init(&text, TEXT_ROOM);
	while (leg_next_record(leg, &at, &record)) {
		for (size_t i = 0; i < COUNT_OF(words); i++) {
			if (!leg_record_is(&record, words[i].word))
				continue;
			buf_clear(&text);
			words[i].tell(&text, leg, &record);
			buf_add(&text, "", 1);
			if (buf_ok(&text) && text.len > 1)
				see(context, record.time, text.bytes);
			break;
		}
	}
	buf_free(&text);
}
