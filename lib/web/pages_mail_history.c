/* What people, time and servers did to a mail, as sentences: records of sekisho-leg(5). */
#include <stdlib.h>
#include <string.h>

#include "lib/web/pages_mail.h"
#include "lib/web/say.h"

#define SENTENCE_MAX ((size_t)16384)
#define HISTORY_MOST ((size_t)400) /* sentences */
#define MINUTE_LEN   ((size_t)16)  /* of "2026-11-22T09:35" */

/* ---- who ------------------------------------------------------------------------------------ */

/* "you", an address, an administrator, or nobody: time. */
static void add_who(const json_t *record, const char *key, const char *you, struct buf *out)
{
	const char *who = kit_text(record, key), *via = kit_text(record, "via");

	if (you[0] != '\0' && strcmp(who, you) == 0)
		buf_add_text(out, say("you"));
	else if (strcmp(via, "clock") == 0 || strcmp(who, "seki-hold") == 0)
		buf_add_text(out, say("the system"));
	else if (strcmp(via, "shell") == 0)
		buf_add_text(out, say("an administrator"));
	else
		buf_add_text(out, who);
}

/* "1,3-5" as addresses; more than three are counted. */
static void add_rcpts(const json_t *record, const json_t *leg, struct buf *out)
{
	const json_t *rcpts = json_object_get(leg, "recipients");
	const char *at = kit_text(record, "rcpt");
	size_t told = 0;

	while (*at != '\0') {
		char *end;
		size_t first = strtoul(at, &end, 10), last = first;

		if (end == at)
			return;
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		for (size_t i = first; i >= 1 && i <= last && i <= json_array_size(rcpts); i++) {
			if (told++ == 3) {
				buf_add_text(out, " …");
				return;
			}
			buf_add_text(out, told > 1 ? ", " : "");
			buf_add_text(out, kit_text(json_array_get(rcpts, i - 1), "address"));
		}
		at = *end == ',' ? end + 1 : "";
	}
}

/* ---- sentences ------------------------------------------------------------------------------ */

struct telling {
	const struct page *page;
	const json_t *record, *leg;
	const char *you;
};

/* `text` with {who}, {rcpt}, {until}, {address}, {to}, {reply}, of the record; and what he said for a reason. */
static void tell(const struct telling *t, struct buf *out, const char *text)
{
	struct buf who, rcpt, until;
	const char *time = kit_text(t->record, "until"), *said = kit_text(t->record, "reason");

	buf_init(&who, SENTENCE_MAX);
	buf_init(&rcpt, SENTENCE_MAX);
	buf_init(&until, SENTENCE_MAX);
	add_who(t->record, "by", t->you, &who);
	add_rcpts(t->record, t->leg, &rcpt);
	if (time[0] != '\0')
		page_time(t->page, time, &until);
	buf_add(&who, "", 1);
	buf_add(&rcpt, "", 1);
	buf_add(&until, "", 1);
	if (buf_ok(&who) && buf_ok(&rcpt) && buf_ok(&until))
		kit_phrase(out, text, "who", who.bytes, "rcpt", rcpt.bytes, "until", until.bytes,
		    "address", kit_text(t->record, "address"), "to", kit_text(t->record, "to"),
		    "reply", kit_text(t->record, "reply"), "for", kit_text(t->record, "for"), NULL);
	buf_free(&who);
	buf_free(&rcpt);
	buf_free(&until);
	if (said[0] == '\0')
		said = kit_text(t->record, "comment");
	if (said[0] != '\0')
		kit_phrase(out, say(" “{words}”"), "words", said, NULL);
}

static bool is(const json_t *record, const char *key, const char *value)
{
	return strcmp(kit_text(record, key), value) == 0;
}

/*
 * What has just been done to mail that is no more here seki-hold tells by the record's word, who and when alone: of
 * held a person ended it, of approved it was sent urgently, of a vote it was a yes.
 */
static void tell_held(const struct telling *t, struct buf *out)
{
	if (is(t->record, "ended", "released") || is(t->record, "ended", "confirmed") ||
	    is(t->record, "ended", ""))
		tell(t, out, say("Sent on by {who}."));
	else if (is(t->record, "ended", "checked"))
		tell(t, out, say("Checked and sent on by {who}."));
	else if (is(t->record, "ended", "due"))
		tell(t, out, say("Its time on hold was over."));
}

static void tell_approved(const struct telling *t, struct buf *out)
{
	if (is(t->record, "ended", "urgent") || is(t->record, "ended", ""))
		tell(t, out, say("Sent without an approval by {who}, to be reviewed afterwards."));
	else if (is(t->record, "ended", "operator"))
		tell(t, out, say("Approved by an administrator."));
	else if (is(t->record, "ended", "votes"))
		tell(t, out, say("Approved by {who}."));
}

static void tell_text(const struct telling *t, struct buf *out)
{
	static const struct {
		const char *what, *text;
	} texts[] = {{"restored", N_("Brought back by {who}.")},
	    {"extended", N_("Held until {until}, by {who}.")},
	    {"removed", N_("{address} was taken out by {who}.")},
	    {"refused", N_("Not sent, by a rule.")}, {"delivered", N_("Delivered to {rcpt}.")},
	    {"deferred", N_("Could not yet be delivered to {rcpt}; tried again from {until} on.")},
	    {"bounced", N_("The sender was told that it could not be delivered to {rcpt}.")},
	    {"warned", N_("The sender was told that it is late.")},
	    {"rewritten", N_("Addresses were taken out of its header.")},
	    {"staggered", N_("The next portion was sent.")}, {"forwarded", N_("Handed to {to}.")}};

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		if (is(t->record, "what", texts[i].what))
			tell(t, out, say(texts[i].text));
	}
}

static void tell_vote(const struct telling *t, struct buf *out)
{
	bool deputy = kit_text(t->record, "for")[0] != '\0';

	if (is(t->record, "say", ""))
		tell(t, out, say("Approved by {who}."));
	else if (is(t->record, "say", "return"))
		tell(t, out, say("{who} returned it for changes."));
	else if (is(t->record, "say", "yes"))
		tell(t, out, deputy ? say("{who} said yes, for {for}.") : say("{who} said yes."));
	else if (is(t->record, "say", "no"))
		tell(t, out, deputy ? say("{who} said no, for {for}.") : say("{who} said no."));
	else
		tell_text(t, out); /* a word that this version does not know is no answer */
}

static void tell_discarded(const struct telling *t, struct buf *out)
{
	if (is(t->record, "cause", "rejected"))
		tell(t, out, say("Rejected by {who}."));
	else if (is(t->record, "cause", "returned"))
		tell(t, out, say("Returned to its sender by {who}."));
	else if (is(t->record, "cause", "not-confirmed"))
		tell(t, out, say("Discarded, as nobody confirmed it in time."));
	else if (is(t->record, "cause", "expired"))
		tell(t, out, say("Discarded, as nobody approved it in time."));
	else
		tell(t, out, say("Discarded by {who}."));
}

static void tell_noticed(const struct telling *t, struct buf *out)
{
	if (is(t->record, "notice", "none"))
		return;
	tell(t, out, say("{to} was told by mail."));
}

static void tell_failed(const struct telling *t, struct buf *out)
{
	if (is(t->record, "reply", ""))
		tell(t, out, say("Could not be delivered to {rcpt}."));
	else
		tell(t, out, say("Could not be delivered to {rcpt}: {reply}"));
}

/* "what" is the record's own word; a key of that name (of noticed: what was told) gives way to it in answers. */
void mail_record(const struct page *page, const json_t *record, const json_t *leg, const char *you,
    struct buf *out)
{
	const struct telling t = {page, record, leg, you};

	if (is(record, "by", "division"))
		return; /* what was so before its parts went different ways */
	if (is(record, "what", "held"))
		tell_held(&t, out);
	else if (is(record, "what", "approved"))
		tell_approved(&t, out);
	else if (is(record, "what", "vote"))
		tell_vote(&t, out);
	else if (is(record, "what", "discarded"))
		tell_discarded(&t, out);
	else if (is(record, "what", "noticed"))
		tell_noticed(&t, out);
	else if (is(record, "what", "failed"))
		tell_failed(&t, out);
	else
		tell_text(&t, out);
}

/* ---- all of it ------------------------------------------------------------------------------ */

struct done {
	const char *at;
	const json_t *record, *leg;
	size_t place;
};

static int newest_first(const void *a, const void *b)
{
	const struct done *left = a, *right = b;
	int order = strcmp(right->at, left->at);

	return order != 0 ? order : (left->place < right->place) - (left->place > right->place);
}

static size_t count_records(const json_t *legs)
{
	const json_t *leg;
	size_t n = 0, i;

	json_array_foreach(legs, i, leg) n += json_array_size(json_object_get(leg, "history"));
	return n;
}

/* As many as an answer holds, which is bounded. NULL: there are none, or no memory. */
static struct done *sorted(const json_t *legs, size_t *n)
{
	size_t most = count_records(legs), i, k;
	struct done *done = most > 0 ? calloc(most, sizeof *done) : NULL;
	const json_t *leg, *record;

	*n = 0;
	if (done == NULL)
		return NULL;
	json_array_foreach(legs, i, leg)
	{
		json_array_foreach(json_object_get(leg, "history"), k, record)
		{
			done[*n] = (struct done){kit_text(record, "at"), record, leg, *n};
			++*n;
		}
	}
	qsort(done, *n, sizeof *done, newest_first);
	return done;
}

static bool same_minute(const char *one, const char *other)
{
	return strncmp(one, other, MINUTE_LEN) == 0;
}

/* The legs of one message say the same of what was done to all of it. `told`: sentences of the same minute. */
static bool already(const json_t *told, size_t since, const json_t *text)
{
	for (size_t i = since; i < json_array_size(told); i++) {
		if (json_equal(json_object_get(json_array_get(told, i), "text"), text))
			return true;
	}
	return false;
}

/* The newest first. True: there is more than is told. */
static bool tell_newest(
    const struct page *page, const char *you, const struct done *done, size_t n, json_t *told)
{
	size_t minute = 0; /* where those of the minute begin */

	for (size_t i = 0; i < n; i++) {
		struct buf text;
		json_t *said, *one;

		if (i > 0 && !same_minute(done[i].at, done[i - 1].at))
			minute = json_array_size(told);
		buf_init(&text, SENTENCE_MAX);
		mail_record(page, done[i].record, done[i].leg, you, &text);
		said = kit_told(&text);
		if (json_string_length(said) == 0 || already(told, minute, said)) {
			json_decref(said);
			continue;
		}
		if (json_array_size(told) == HISTORY_MOST) {
			json_decref(said);
			return true;
		}
		one = json_object();
		kit_set_time(page, one, "at", done[i].at);
		kit_put(one, "text", said);
		(void)json_array_append_new(told, one);
	}
	return false;
}

json_t *mail_history(const struct page *page, const json_t *legs, const char *you, bool *more)
{
	json_t *list = json_array(), *told = json_array();
	size_t n;
	struct done *done = sorted(legs, &n);

	*more = done != NULL && tell_newest(page, you, done, n, told);
	for (size_t i = json_array_size(told); i > 0; i--)
		(void)json_array_append(list, json_array_get(told, i - 1));
	json_decref(told);
	free(done);
	return list;
}
