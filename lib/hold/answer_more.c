/* absent and review: what is about a person, and about what has been sent already. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/xtext.h"
#include "lib/hold/answering.h"
#include "lib/hold/reasons.h"
#include "lib/hold/reviews.h"
#include "queue/audit.h"

/* ---- absent ------------------------------------------------------------------------------- */

struct own_absences {
	const char *address;
	json_t *list;
};

static void see_own(struct own_absences *own, const struct absence *absence)
{
	json_t *one;

	if (strcmp(absence->address, own->address) != 0)
		return;
	one = json_object();
	answer_set(one, "from", show_time(absence->from));
	answer_set(one, "until", show_time(absence->until));
	answer_set(one, "by", answer_text(absence->by));
	(void)json_array_append_new(own->list, one);
}

static bool see_absence(void *context, const struct absence *absence)
{
	see_own(context, absence);
	return true;
}

static bool audit_absence(struct answering *a, const struct absence *absence)
{
	char from[CLOCK_TEXT], until[CLOCK_TEXT];
	struct buf line;
	bool said;

	clock_format(absence->from, from);
	clock_format(absence->until, until);
	buf_init(&line, AUDIT_LINE_MAX);
	audit_begin(&line, "absent");
	audit_put(&line, "address", absence->address);
	audit_put(&line, "from", absence->until > 0 ? from : "none");
	audit_put(&line, "until", absence->until > 0 ? until : "none");
	audit_put(&line, "by", a->asker.address);
	audit_put(&line, "via", a->asker.via);
	said = audit_well(a->h->stage->audit) && audit_say_line(a->h->stage->audit, true, &line);
	if (!said)
		LOG_ALARM("not-audited", kv("what", "absent"), kv_errno(errno));
	buf_free(&line);
	return said;
}

static bool change_absence(struct answering *a, const char *from, const char *until)
{
	int64_t now = asking_now(a->h);
	struct absence absence = {.address = a->asker.address, .by = a->asker.address};

	if (until != NULL) {
		absence.from = from != NULL ? clock_parse(from, strlen(from)) : now;
		absence.until = clock_parse(until, strlen(until));
		if (absence.from < 0 || absence.until <= absence.from || absence.until <= now) {
			answer_say(a, "no", "words", "from= and until= are no time to come");
			return false;
		}
	}
	if (!audit_absence(a, &absence)) {
		answer_say(a, "no", "audit", "the audit cannot be written, so nothing was done");
		return false;
	}
	if (absences_set(a->h->absences, &absence, now))
		return true;
	if (errno == EDQUOT) {
		answer_say(a, "no", reason_word(REASON_ABSENCES), reason_sentence(REASON_ABSENCES));
		return false;
	}
	LOG_ALARM("absences-not-written", kv_errno(errno));
	answer_say(a, "no", "environment", "it could not be written");
	return false;
}

static bool see_deputy(void *context, const char *text, size_t len)
{
	(void)json_array_append_new(context, show_text(text, len));
	return true;
}

/* Who is asked in his place. */
static json_t *deputies_of(struct answering *a)
{
	json_t *list = json_array();

	if (a->h->org != NULL)
		org_deputies(a->h->org, a->asker.address, see_deputy, list);
	return list;
}

void answer_absent(struct answering *a)
{
	const char *from = gate_request_value(a->request, "from");
	const char *until = gate_request_value(a->request, "until");
	const char *clear = gate_request_value(a->request, "clear");
	struct own_absences own = {.address = a->asker.address};

	if ((clear != NULL && (strcmp(clear, "yes") != 0 || until != NULL || from != NULL)) ||
	    (from != NULL && until == NULL)) {
		answer_say(a, "no", "words", "from= and until=, or clear=yes");
		return;
	}
	if ((clear != NULL || until != NULL) && !change_absence(a, from, until))
		return;
	own.list = json_array();
	absences_each(a->h->absences, see_absence, &own);
	answer_say(a, "done", NULL, NULL);
	answer_set(a->json, "absences", own.list);
	answer_set(a->json, "deputies", deputies_of(a));
}

/* ---- review ------------------------------------------------------------------------------- */

/* Of a value in the file, which is xtext. */
static json_t *plain(const char *xtext)
{
	size_t len = xtext != NULL ? strlen(xtext) : 0, n = 0;
	char *room = malloc(len + 1);
	json_t *string = NULL;

	if (room != NULL && len > 0 && xtext_decode(xtext, len, room, &n))
		string = show_text(room, n);
	free(room);
	return string != NULL ? string : json_null();
}

static json_t *review_of(const struct review *review)
{
	static const char *const verdicts[] = {
	    [REVIEW_OPEN] = "open", [REVIEW_FINE] = "fine", [REVIEW_WRONG] = "wrong"};
	json_t *one = json_object();

	answer_set(one, "leg", json_string(review->id));
	answer_set(one, "id", json_stringn(review->id, strcspn(review->id, ".")));
	answer_set(one, "at", show_time(review->time));
	answer_set(one, "from", plain(review->from));
	answer_set(one, "by", plain(review->by));
	answer_set(one, "reason", plain(review->reason));
	answer_set(one, "subject", plain(review->subject));
	answer_set(one, "recipients",
	    review->rcpts > 0 ? json_integer((json_int_t)review->rcpts) : json_null());
	answer_set(one, "verdict", json_string(verdicts[review->verdict]));
	answer_set(one, "reviewed", show_time(review->reviewed));
	answer_set(one, "who", plain(review->who));
	answer_set(one, "comment", plain(review->comment));
	return one;
}

/* Finds out which of those who are asked has the capability. */
static void find_reviewer(struct answering *a, const struct review *review)
{
	char asked[ORG_ADDRESS_MAX * 3];
	const char *at = review->asked;

	while (a->asker.address[0] == '\0' && at != NULL && at[0] != '\0') {
		unsigned char who[GATE_WHO_LEN];
		size_t len = strcspn(at, ","), n = 0;

		if (len < sizeof asked && xtext_decode(at, len, asked, &n) && n < ORG_ADDRESS_MAX) {
			asked[n] = '\0';
			if (gate_who(&a->h->key, asked, who) &&
			    memcmp(who, a->asker.cap.who, sizeof who) == 0)
				memcpy(a->asker.address, asked, n + 1);
		}
		at = at[len] == ',' ? at + len + 1 : NULL;
	}
}

static bool concerns(struct answering *a, const struct review *review)
{
	char who[ORG_ADDRESS_MAX * 3 + 1];

	if (!a->asker.session) {
		if (strncmp(review->id, a->id, ID_LEN) != 0)
			return false;
		find_reviewer(a, review);
	}
	return a->asker.address[0] != '\0' && answer_xtext(a->asker.address, who, sizeof who) &&
	       review_asks(review, who);
}

static void list_reviews(struct answering *a)
{
	struct reviews reviews;
	json_t *list;

	if (!reviews_read(&reviews)) {
		answer_say(a, "no", "environment", "the reviews cannot be read");
		return;
	}
	list = json_array();
	for (size_t i = reviews.n; i > 0 && json_array_size(list) < LIST_PAGE; i--) {
		if (concerns(a, &reviews.review[i - 1]))
			(void)json_array_append_new(list, review_of(&reviews.review[i - 1]));
	}
	reviews_free(&reviews);
	answer_say(a, "done", NULL, NULL);
	answer_set(a->json, "asks", json_string(answer_asks_word(a)));
	answer_set(a->json, "reviews", list);
}

static void say_reviewed(struct answering *a, enum review_end end)
{
	switch (end) {
	case REVIEW_DONE:
		answer_say(a, "done", NULL, NULL);
		return;
	case REVIEW_NONE:
		answer_say(a, "gone", NULL, "there is no such review");
		return;
	case REVIEW_NOT_HIS:
		answer_refuse(a, "forbidden", "nobody", "you are not asked about it");
		return;
	case REVIEW_CLOSED:
		answer_say(a, "no", reason_word(REASON_REVIEWED), reason_sentence(REASON_REVIEWED));
		return;
	case REVIEW_FAILED:
		break;
	}
	answer_say(a, "no", "environment", "it could not be written: nothing was done");
}

static void close_review(struct answering *a, const char *id, const char *verdict)
{
	const char *comment = gate_request_value(a->request, "comment");
	char who[ORG_ADDRESS_MAX * 3 + 1], said[ORDER_REASON_MAX + 1] = "";
	bool fine = strcmp(verdict, "fine") == 0;

	if ((!fine && strcmp(verdict, "wrong") != 0) ||
	    (comment != NULL && !answer_xtext(comment, said, sizeof said))) {
		answer_say(a, "no", "words", "verdict=fine or wrong, and a short comment");
		return;
	}
	if (!answer_xtext(a->asker.address, who, sizeof who)) {
		answer_say(a, "no", "words", "the address is too long");
		return;
	}
	say_reviewed(a, reviews_close(a->h->stage, id, who, fine ? REVIEW_FINE : REVIEW_WRONG, said,
			    a->asker.via));
}

/* Of a capability: the one review of its message. */
void answer_review(struct answering *a)
{
	const char *id = gate_request_value(a->request, "id");
	const char *verdict = gate_request_value(a->request, "verdict");

	if (!asker_may(&a->asker, GATE_APPROVER)) {
		answer_refuse(a, "forbidden", "rights", "the link is not for that");
		return;
	}
	if (verdict == NULL) {
		list_reviews(a);
		return;
	}
	if (id == NULL || (!a->asker.session && strncmp(id, a->id, ID_LEN) != 0)) {
		answer_refuse(
		    a, "forbidden", "cross-message", "id= is missing, or of another message");
		return;
	}
	if (!answer_may_act(a))
		return;
	if (!a->asker.session) {
		list_reviews(a); /* finds out who he is */
		(void)json_object_clear(a->json);
	}
	close_review(a, id, verdict);
}
