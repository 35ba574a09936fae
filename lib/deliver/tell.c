/* Having senders told: by seki-notice, and then by a record, so that it is done once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/xtext.h"
#include "lib/deliver/visit.h"
#include "lib/notice/notice.h"

/* What is told of a leg's recipients, and the texts of it. */
struct telling {
	struct notice_rcpt *rcpt;
	size_t n;
	char **text; /* owned */
	size_t texts;
	size_t *untold; /* who failed, and of whom nobody is to be told */
	size_t n_untold;
	struct leg_record *failed, *delivered, *deferred;
};

static const char *decoded(struct telling *t, const struct leg_record *record, const char *key)
{
	size_t len;
	const char *value = record->text != NULL ? leg_record_value(record, key, &len) : NULL;
	char *text;

	if (value == NULL || (len == 1 && value[0] == '-'))
		return NULL;
	text = malloc(len + 1);
	if (text == NULL || !xtext_decode(value, len, text, &len)) {
		free(text);
		return NULL;
	}
	text[len] = '\0';
	t->text[t->texts++] = text;
	return text;
}

static void add(struct telling *t, size_t rcpt, enum dsn_action action,
    const struct leg_record *record, const char *status, int64_t until)
{
	const char *said = decoded(t, record, "status");

	t->rcpt[t->n++] = (struct notice_rcpt){
	    .rcpt = rcpt,
	    .action = action,
	    .status = said != NULL ? said : status,
	    .host = decoded(t, record, "host"),
	    .reply = decoded(t, record, "reply"),
	    .tried = record->time,
	    .until = until,
	};
}

/* A copy that was put into a Maildir has arrived; a server that took it may pass it on. */
static bool arrived(const struct leg_record *record)
{
	size_t len;
	const char *host = record->text != NULL ? leg_record_value(record, "host", &len) : NULL;

	return host != NULL && len == 7 && memcmp(host, "maildir", 7) == 0;
}

static bool gather(const struct visit *v, struct telling *t)
{
	const struct leg *leg = &v->o.leg;
	size_t n = leg->rcpts;

	t->rcpt = calloc(n, sizeof *t->rcpt);
	t->text = calloc(n, 3 * sizeof *t->text);
	t->untold = calloc(n, sizeof *t->untold);
	t->failed = calloc(n, sizeof *t->failed);
	t->delivered = calloc(n, sizeof *t->delivered);
	t->deferred = calloc(n, sizeof *t->deferred);
	if (t->rcpt == NULL || t->text == NULL || t->untold == NULL || t->failed == NULL ||
	    t->delivered == NULL || t->deferred == NULL)
		return false;
	leg_last_records(leg, "failed", t->failed);
	leg_last_records(leg, "delivered", t->delivered);
	leg_last_records(leg, "deferred", t->deferred);
	for (size_t i = 0; i < n; i++) {
		const struct leg_rcpt *rcpt = &leg->rcpt[i];

		/* Given up by an operator, and who sent it wants to hear of nothing. */
		if (rcpt->owed && rcpt->fate == RCPT_FAILED && !visit_wants(v, i, DSN_FAILED))
			t->untold[t->n_untold++] = i;
		else if (rcpt->owed && rcpt->fate == RCPT_FAILED)
			add(t, i, DSN_FAILED, &t->failed[i], "5.0.0", 0);
		else if (rcpt->owed)
			add(t, i, arrived(&t->delivered[i]) ? DSN_DELIVERED : DSN_RELAYED,
			    &t->delivered[i], "2.0.0", 0);
		else if (v->late != NULL && v->late[i] && rcpt->fate == RCPT_OPEN)
			add(t, i, DSN_DELAYED, &t->deferred[i], "4.0.0",
			    rcpt->first_tried + visit_expire(v, i));
	}
	return true;
}

static void telling_free(struct telling *t)
{
	for (size_t i = 0; i < t->texts; i++)
		free(t->text[i]);
	free(t->rcpt);
	free(t->untold);
	free(t->text);
	free(t->failed);
	free(t->delivered);
	free(t->deferred);
}

/* "bounced", "told" and "warned": each for those of whom it is true now. */
static bool write_down(struct visit *v, const struct telling *t, const char *notice)
{
	static const char *const words[] = {"bounced", "told", "warned"};
	size_t *rcpt = reallocarray(NULL, t->n, sizeof *rcpt);
	char time[CLOCK_TEXT];

	if (rcpt == NULL)
		return false;
	clock_format(visit_now(v), time);
	for (size_t w = 0; w < COUNT_OF(words); w++) {
		size_t n = 0;

		for (size_t i = 0; i < t->n; i++) {
			enum dsn_action action = t->rcpt[i].action;
			size_t of = action == DSN_FAILED ? 0 : action == DSN_DELAYED ? 2 : 1;

			if (of == w)
				rcpt[n++] = t->rcpt[i].rcpt;
		}
		if (n == 0)
			continue;
		buf_addf(&v->owed, "%s %s plan=%s", time, words[w], v->o.leg.plan.digest);
		visit_put_rcpts(&v->owed, rcpt, n);
		buf_addf(&v->owed, " notice=%s\n", notice);
	}
	free(rcpt);
	for (size_t i = 0; i < t->n; i++) {
		struct leg_rcpt *told = &v->o.leg.rcpt[t->rcpt[i].rcpt];

		if (t->rcpt[i].action == DSN_DELAYED)
			told->warned = true;
		else
			told->owed = false;
		if (t->rcpt[i].action == DSN_FAILED)
			told->fate = RCPT_BOUNCED;
	}
	return visit_append(v);
}

static bool close_untold(struct visit *v, const struct telling *t)
{
	char time[CLOCK_TEXT];

	clock_format(visit_now(v), time);
	buf_addf(&v->owed, "%s bounced plan=%s", time, v->o.leg.plan.digest);
	visit_put_rcpts(&v->owed, t->untold, t->n_untold);
	buf_add_text(&v->owed, " notice=none\n");
	for (size_t i = 0; i < t->n_untold; i++) {
		v->o.leg.rcpt[t->untold[i]].fate = RCPT_BOUNCED;
		v->o.leg.rcpt[t->untold[i]].owed = false;
	}
	return visit_append(v);
}

static void ask(struct visit *v, const struct telling *t)
{
	struct notice_answer answer;
	char id[NAME_TEXT];
	int patience = (int)(v->routing->settings.notice_time / 1000) + 5000;

	visit_id(v, id);
	notice_ask(NOTICE_SOCKET, v->content, t->rcpt, t->n, patience, &answer);
	switch (answer.result) {
	case NOTICE_KEPT:
		LOG("notified", kv("id", id), kv("notice", answer.id),
		    kv_num("rcpts", (int64_t)t->n));
		v->tell_failed = !write_down(v, t, answer.id);
		return;
	case NOTICE_NONE:
		v->tell_failed = !write_down(v, t, "none");
		return;
	case NOTICE_LATER:
		break;
	case NOTICE_WRONG:
		v->tell_again = VISIT_TELL_RARELY; /* somebody has to look */
		break;
	}
	LOG_ALARM("notice-failed", kv("id", id), kv("why", answer.reason));
	v->tell_failed = true;
}

void visit_tell(struct visit *v)
{
	struct telling t = {.n = 0};

	/* A power cut must not forget why the sender was told. */
	if (!spool_sync(v->o.fd)) {
		LOG_ALARM("sync-failed", kv("name", v->o.text), kv_errno(errno));
		v->tell_failed = true;
	} else if (!gather(v, &t)) {
		v->tell_failed = true;
	} else {
		if (t.n_untold > 0)
			v->tell_failed = !close_untold(v, &t);
		if (t.n > 0 && !v->tell_failed)
			ask(v, &t);
	}
	v->sync = leg_open_rcpts(&v->o.leg) > 0; /* otherwise it is synced in sent/ */
	v->tell = v->tell_failed;
	telling_free(&t);
}
