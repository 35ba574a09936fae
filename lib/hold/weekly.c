/* The weekly report: what rules did, and would have done, to whom the settings name. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/dsn/letter.h"
#include "lib/hold/job.h"
#include "lib/notice/notice.h"
#include "lib/past/past.h"

#define DAYS     7
#define TEXT_MAX ((size_t)4 * 1024 * 1024)

bool weekly_due(struct weekly_job *weekly, const struct settings *settings, int64_t boot)
{
	if (weekly->job.working || strcmp(settings->report_to, "-") == 0 || boot < weekly->next)
		return false;
	weekly->patience = settings->past_time;
	weekly->notice_ms = (int)(settings->notice_time / 1000) + 5000;
	(void)snprintf(weekly->to, sizeof weekly->to, "%s", settings->report_to);
	return true;
}

/* A report that does not fit loses its last lines, and says so. */
static void cut(struct buf *text)
{
	static const char note[] = "(…)\n";
	size_t len = LETTER_TEXT_MAX - sizeof note;

	if (text->len <= LETTER_TEXT_MAX)
		return;
	while (len > 0 && text->bytes[len - 1] != '\n')
		len--;
	text->len = len;
	buf_add(text, note, sizeof note - 1);
}

static void failed(struct weekly_job *w, const char *week, const char *why)
{
	w->failed = true;
	LOG_ALARM("report-failed", kv("week", week), kv("to", w->to), kv("why", why));
}

/* False: it was not sent. */
static bool send(struct weekly_job *w, const char *week)
{
	struct notice_answer answer = {.result = NOTICE_LATER};
	char subject[128];
	struct buf text;

	(void)snprintf(subject, sizeof subject,
	    "メールゲートウェイの週報 %s / Weekly report of the mail gateway", week);
	buf_init(&text, TEXT_MAX);
	if (!past_report(DAYS, &text, w->patience) || text.len == 0) {
		failed(w, week, "seki-db");
	} else {
		cut(&text);
		notice_ask_letter(
		    NOTICE_SOCKET, w->to, subject, text.bytes, text.len, w->notice_ms, &answer);
		if (answer.result != NOTICE_KEPT)
			failed(w, week, answer.reason);
	}
	buf_free(&text);
	if (answer.result == NOTICE_KEPT)
		LOG("reported", kv("week", week), kv("to", w->to), kv("notice", answer.id));
	return answer.result == NOTICE_KEPT;
}

void weekly_work(struct job *base)
{
	struct weekly_job *w = (struct weekly_job *)base;
	char week[sizeof w->sent] = "";

	w->failed = false;
	switch (past_report_due(week, w->patience)) {
	case 0:
		return;
	case 1:
		break;
	default:
		w->failed = true;
		LOG("report-not-asked", kv_errno(errno));
		return;
	}

	/* What is in the spool is not sent again because seki-db could not be told. */
	if (strcmp(w->sent, week) != 0) {
		if (!send(w, week))
			return;
		memcpy(w->sent, week, sizeof w->sent);
	}
	if (!past_report_done(week, w->patience))
		failed(w, week, "seki-db");
}
