/* The first part, for people: Japanese, and the same in English. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/dsn/letter.h"
#include "lib/dsn/part.h"
#include "lib/mime/utf8.h"

#define SHOWN_ADDRESS_MAX 330
#define SHOWN_HOST_MAX    255
#define SHOWN_LINES_MAX   12

enum { JA, EN, LANGUAGES };

/* The words around what was found out. */
static const struct phrases {
	const char *hello[2]; /* around our name */
	const char *intro[DSN_ACTIONS];
	const char *to;
	const char *why;
	const char *what; /* to do */
	const char *until;
	const char *said;       /* by a server that is not known */
	const char *said_by[2]; /* around its name */
	const char *ours;
	const char *more[2]; /* around a number */
	const char *arrived;
	const char *full;
	const char *header;
	const char *cut;
} phrases[LANGUAGES] = {
    [JA] = {.hello = {"（English follows.）\r\n\r\nこれは、メールゲートウェイ ",
		" からの自動のお知らせです。\r\n"},
	.intro = {[DSN_FAILED] = "お送りになったメールを、次の宛先にお届けできませんでした。"
				 "この宛先への配送は終わりました。",
	    [DSN_DELAYED] = "お送りになったメールは、次の宛先にまだ届いていません。配送は続いて"
			    "いますので、送り直す必要はありません。",
	    [DSN_DELIVERED] = "お送りになったメールは、次の宛先に届きました。",
	    [DSN_RELAYED] = "お送りになったメールを、次の宛先のサーバーに引き渡しました。その先の"
			    "結果は知らされません。",
	    [DSN_EXPANDED] =
		"お送りになったメールを、次の宛先のメーリングリストに引き渡しました。"},
	.to = "宛先",
	.why = "理由",
	.what = "次にすること",
	.until = "この時刻まで試みます",
	.said = "相手のサーバーの返答",
	.said_by = {"相手のサーバー ", " の返答"},
	.ours = "配送の記録",
	.more = {"ほかに ", " 件の宛先があります。二つ目の添付（配送状況）に載っています。\r\n"},
	.arrived = "メールの受付",
	.full = "お送りになったメールを添付しています。\r\n",
	.header = "お送りになったメールのヘッダーを添付しています。\r\n",
	.cut = "お送りになったメールは、大きさか形式のために全文を添付できません。ヘッダーだけを"
	       "添付しています。\r\n"},
    [EN] = {.hello = {"This is an automatic notice from the mail gateway ", ".\r\n"},
	.intro = {[DSN_FAILED] = "Your mail could not be delivered to the following recipients. "
				 "It will not be tried again.",
	    [DSN_DELAYED] = "Your mail has not yet reached the following recipients. It is still "
			    "being tried: there is no need to send it again.",
	    [DSN_DELIVERED] = "Your mail has been delivered to the following recipients.",
	    [DSN_RELAYED] = "Your mail has been passed on to the servers of the following "
			    "recipients. What becomes of it there will not be told.",
	    [DSN_EXPANDED] = "Your mail has been passed on to the following mailing lists."},
	.to = "To",
	.why = "Why",
	.what = "What to do",
	.until = "It will be tried until",
	.said = "The other server said",
	.said_by = {"The other server ", " said"},
	.ours = "What happened",
	.more = {"There are ", " more recipients: see the second part, the delivery status.\r\n"},
	.arrived = "Your mail arrived here",
	.full = "Your mail is attached.\r\n",
	.header = "The header of your mail is attached.\r\n",
	.cut = "Your mail cannot be attached as a whole, for its size or its format. Its header "
	       "is.\r\n"},
};

/* ---- texts of strangers ---- */

#define WIDE_BLANK 0x3000

/* What can be seen, as it is; everything else, and what is no UTF-8, as '?'. Returns what it took. */
static size_t add_letter(struct buf *text, const char *from, size_t len, bool wide)
{
	uint32_t point;
	size_t step = utf8_step(from, len, &point);

	if (step == 0 || point < ' ' || (point >= 0x7f && point < 0xa0) ||
	    (point > 0x7f && utf8_unseen(point) && !(wide && point == WIDE_BLANK))) {
		buf_add(text, "?", 1);
		return step > 0 ? step : 1;
	}
	buf_add(text, from, step);
	return step;
}

static void add_letters(struct buf *text, const char *from, size_t most, bool wide)
{
	size_t len = strlen(from), at = 0;

	while (at < len && at < most)
		at += add_letter(text, from + at, len - at, wide);
	if (at < len)
		buf_add_text(text, "…");
}

void part_seen(struct buf *text, const char *from, size_t most)
{
	add_letters(text, from, most, false);
}

void part_line(struct buf *text, const char *from, size_t most)
{
	add_letters(text, from, most, true);
}

void part_quoted(struct buf *text, const char *reply, size_t most, size_t lines_max)
{
	size_t len = strlen(reply), lines = 0;
	bool start = true;

	for (size_t at = 0; at < len;) {
		if (reply[at] == '\r' || reply[at] == '\n') {
			start = true;
			at++;
			continue;
		}
		if (at >= most || (start && lines == lines_max)) {
			buf_add_text(text, " …");
			break;
		}
		if (start) {
			buf_add_text(text, lines > 0 ? "\r\n    | " : "    | ");
			lines++;
			start = false;
		}
		at += add_letter(text, reply + at, len - at, false);
	}
	buf_add_text(text, "\r\n");
}

/* In the gateway's own time zone, which is the sender's more often than UTC is. */
bool letter_time(int64_t wall, char text[LETTER_TIME])
{
	time_t seconds = (time_t)(wall / CLOCK_SECOND);
	struct tm t = {.tm_mday = 1};

	return wall > 0 && localtime_r(&seconds, &t) != NULL &&
	       strftime(text, LETTER_TIME, "%Y-%m-%d %H:%M:%S %z", &t) > 0;
}

void part_time(struct buf *text, const char *label, int64_t wall)
{
	char shown[LETTER_TIME];

	if (letter_time(wall, shown))
		buf_addf(text, "%s: %s\r\n", label, shown);
}

/* ---- recipients ---- */

/* "bob@example.com", or what the sender had written if that is another. */
static void add_addresses(struct buf *text, const struct phrases *p, const struct dsn_rcpt *rcpt)
{
	const char *final = rcpt->final != NULL ? rcpt->final : "?";
	const char *semicolon = rcpt->orcpt != NULL ? strchr(rcpt->orcpt, ';') : NULL;

	buf_addf(text, "  %s: ", p->to);
	part_seen(text, final, SHOWN_ADDRESS_MAX);
	if (semicolon != NULL && semicolon[1] != '\0' && strcmp(semicolon + 1, final) != 0) {
		buf_add_text(text, " (");
		part_seen(text, semicolon + 1, SHOWN_ADDRESS_MAX);
		buf_add_text(text, ")");
	}
	buf_add_text(text, "\r\n");
}

/* Whether another server said it: what it says begins with a code. */
static bool is_smtp(const char *reply)
{
	return reply != NULL && strspn(reply, "0123456789") == 3;
}

static void add_said(struct buf *text, const struct phrases *p, const struct dsn_rcpt *rcpt)
{
	bool named = rcpt->remote != NULL && rcpt->remote[0] != '\0';
	bool smtp = is_smtp(rcpt->reply);

	if (rcpt->reply == NULL || rcpt->reply[strspn(rcpt->reply, " \t\r\n")] == '\0')
		return;
	buf_add_text(text, "  ");
	if (smtp && named) {
		buf_add_text(text, p->said_by[0]);
		part_seen(text, rcpt->remote, SHOWN_HOST_MAX);
		buf_add_text(text, p->said_by[1]);
	} else {
		buf_add_text(text, smtp ? p->said : p->ours);
	}
	buf_add_text(text, ":\r\n");
	part_quoted(text, rcpt->reply, DSN_SHOWN_REPLY_MAX, SHOWN_LINES_MAX);
}

static void add_rcpt(struct buf *text, int language, const struct dsn_rcpt *rcpt)
{
	const struct phrases *p = &phrases[language];
	const struct reason *reason;
	char status[12];

	add_addresses(text, p, rcpt);
	if (rcpt->action == DSN_FAILED || rcpt->action == DSN_DELAYED) {
		part_status(rcpt, status);
		reason = reason_find(status, rcpt->remote == NULL && !is_smtp(rcpt->reply));
		buf_addf(text, "  %s: %s (%s)\r\n", p->why,
		    language == JA ? reason->why_ja : reason->why_en, status);
		if (rcpt->action == DSN_FAILED)
			buf_addf(text, "  %s: %s\r\n", p->what,
			    language == JA ? reason->do_ja : reason->do_en);
	}
	if (rcpt->action == DSN_DELAYED && rcpt->until > 0) {
		buf_add_text(text, "  ");
		part_time(text, p->until, rcpt->until);
	}
	add_said(text, p, rcpt);
	buf_add_text(text, "\r\n");
}

/* ---- the whole ---- */

static void add_language(
    struct buf *text, int language, const struct dsn *dsn, const struct dsn_form *form)
{
	const struct phrases *p = &phrases[language];
	char host[PART_HOST_MAX + 1];
	size_t shown = 0;

	part_host(dsn, host);
	buf_addf(text, "%s%s%s", p->hello[0], host, p->hello[1]);
	part_time(text, p->arrived, dsn->arrived);

	for (size_t action = 0; action < DSN_ACTIONS; action++) {
		bool told = false;

		for (size_t i = 0; i < dsn->rcpts && shown < DSN_SHOWN_MAX; i++) {
			if (dsn->rcpt[i].action != (enum dsn_action)action)
				continue;
			if (!told)
				buf_addf(text, "\r\n%s\r\n\r\n", p->intro[action]);
			told = true;
			shown++;
			add_rcpt(text, language, &dsn->rcpt[i]);
		}
	}
	if (shown < dsn->rcpts)
		buf_addf(text, "%s%zu%s\r\n", p->more[0], dsn->rcpts - shown, p->more[1]);
	buf_add_text(text, form->full ? p->full : form->cut ? p->cut : p->header);
}

void part_words(const struct dsn *dsn, const struct dsn_form *form, struct buf *text)
{
	if (dsn->refusal != NULL) {
		part_refused(dsn, form, text);
		return;
	}
	add_language(text, JA, dsn, form);
	buf_add_text(text, "\r\n----------------------------------------\r\n\r\n");
	add_language(text, EN, dsn, form);
}
