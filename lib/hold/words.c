/* What rules decided and what time will do, in sentences for people, Japanese and English. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/hold/show.h"

static const struct {
	const char *function, *ja, *en;
} functions[] = {
    {"bounce", "送信者へ返送", "returned to its sender"},
    {"refuse", "送信拒否", "refused"},
    {"approve", "上長承認", "approval"},
    {"hold", "送信保留", "held"},
    {"files", "添付ファイルの処理", "files"},
    {"password", "パスワード通知", "password"},
    {"bcc", "宛先のBcc化", "Bcc"},
    {"stagger", "時間差配送", "sent one after another"},
    {"tls", "TLS暗号化", "TLS"},
    {"notice", "通知", "notice"},
    {"sign", "署名", "signed"},
    {"route", "配送経路", "route"},
    {"add-bcc", "Bccの追加", "Bcc added"},
    {"insert", "文面の挿入", "text inserted"},
    {"forward", "転送", "forwarded"},
    {"copy", "控えの送付", "copy"},
    {"archive", "保管", "archive"},
};

static const char *function_word(bool english, const char *function)
{
	for (size_t i = 0; i < COUNT_OF(functions); i++) {
		if (strcmp(functions[i].function, function) == 0)
			return english ? functions[i].en : functions[i].ja;
	}
	return function;
}

/* "60m" as people say it; anything else as the rule has it. */
static void add_outcome(struct buf *out, bool english, const char *outcome)
{
	static const struct {
		char unit;
		const char *ja, *en;
	} units[] = {{'s', "秒", " seconds"}, {'m', "分", " minutes"}, {'h', "時間", " hours"},
	    {'d', "日", " days"}, {'w', "週間", " weeks"}};
	size_t digits = strspn(outcome, "0123456789");

	for (size_t i = 0; i < COUNT_OF(units); i++) {
		if (digits == 0 || outcome[digits] != units[i].unit || outcome[digits + 1] != '\0')
			continue;
		buf_add(out, outcome, digits);
		buf_add_text(out, english ? units[i].en : units[i].ja);
		return;
	}
	buf_add_text(out, outcome);
}

void words_of_rule(struct buf *out, bool english, const struct rule_said *said)
{
	const char *open = english ? " (" : "（", *close = english ? ")" : "）";

	buf_add_text(out, function_word(english, said->function));
	if (said->outcome[0] != '\0') {
		buf_add_text(out, english ? ": " : "：");
		add_outcome(out, english, said->outcome);
	}
	buf_add_text(out, open);
	if (said->rule[0] != '\0')
		buf_addf(out, english ? "rule \"%s\", " : "規則「%s」、", said->rule);
	buf_add_text(out, said->where);
	buf_add_text(out, close);
	if (said->evidence[0] != '\0') {
		buf_add_text(out, english ? " because of: " : "　根拠：");
		buf_add_text(out, said->evidence);
	}
	if (said->shadow || said->watch)
		buf_add_text(out, english ? " [only noted, not done]" : "［記録のみ・実施せず］");
}

/* "2026年11月22日 19:35:01 JST", "2026-11-22 19:35:01 JST": the exact time, with its zone. */
static void add_moment(struct buf *out, bool english, int64_t wall)
{
	time_t seconds = (time_t)((wall + CLOCK_SECOND - 1) / CLOCK_SECOND);
	char text[96];
	struct tm tm;

	if (localtime_r(&seconds, &tm) == NULL ||
	    strftime(text, sizeof text,
		english ? "%Y-%m-%d %H:%M:%S %Z" : "%Y年%m月%d日 %H:%M:%S（%Z）", &tm) == 0)
		return;
	buf_add_text(out, text);
}

static void add_when(struct buf *out, bool english, int64_t time, const char *ja, const char *en)
{
	if (time <= 0)
		return;
	if (english) {
		buf_add_text(out, en);
		add_moment(out, true, time);
		buf_add_text(out, ". ");
	} else {
		add_moment(out, false, time);
		buf_add_text(out, ja);
	}
}

/* What ends it if no time does. */
static void add_people(struct buf *out, bool english, const struct asked_leg *leg)
{
	switch (leg->step.form) {
	case STEP_OPERATOR:
		buf_add_text(
		    out, english ? "It waits for the operator. " : "管理者の処理を待っています。");
		return;
	case STEP_CONFIRMED:
		buf_add_text(out, english ? "It is not sent before its sender confirms it. "
					  : "送信者が確認するまで送信されません。");
		return;
	case STEP_CHECKED:
		buf_add_text(out,
		    english ? "It is not sent before its sender has confirmed each point of the "
			      "check. "
			    : "送信者がすべての確認項目を確認するまで送信されません。");
		return;
	case STEP_APPROVE:
		buf_add_text(out, english ? "It is not sent before it is approved. "
					  : "承認されるまで送信されません。");
		return;
	case STEP_NO:
	case STEP_UNTIL:
	case STEP_WINDOW:
	case STEP_ODD:
		break;
	}
}

void words_of_times(struct buf *out, bool english, const struct asked_leg *leg)
{
	if (!leg->open)
		return;
	add_people(out, english, leg);
	add_when(out, english, leg->times.pass,
	    leg->step.form == STEP_WINDOW ? "以降に送信されます。" : "に送信されます。",
	    "It will be sent at ");
	add_when(out, english, leg->times.escalate, "以降は、代理の承認者も承認できます。",
	    "Deputies may approve it from ");
	add_when(out, english, leg->times.expire, "までに承認されないと、期限切れとなります。",
	    "Its approval expires at ");
	add_when(out, english, leg->times.discard, "までに操作がないと、送信されずに破棄されます。",
	    "If nobody acts it will be thrown away at ");
	if (out->len > 0 && out->bytes[out->len - 1] == ' ')
		out->len--;
}
