/* The words of one notice: the variables of its template (sekisho-notices(5)). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/xtext.h"
#include "lib/checks/checks.h"
#include "lib/hold/notices.h"

#define VALUE_MAX   ((size_t)4096)
#define CHECKS_SEEN ((size_t)16)

/* ---- a letter ----------------------------------------------------------------------------- */

void letter_begin(struct letter *letter, const char *template, const char *to, bool english)
{
	*letter = (struct letter){.gate = {.template = template, .english = english}};
	(void)snprintf(letter->to, sizeof letter->to, "%s", to);
}

void letter_add(struct letter *letter, const char *name, const char *value)
{
	size_t n = letter->gate.vars;
	char *copy;

	if (n == letter->room) {
		size_t more = n == 0 ? 32 : n * 2;
		struct notice_var *var = reallocarray(letter->var, more, sizeof *var);
		char **text;

		letter->var = var != NULL ? var : letter->var;
		text = reallocarray(letter->text, more, sizeof *text);
		letter->text = text != NULL ? text : letter->text;
		if (var == NULL || text == NULL) {
			letter->failed = true;
			return;
		}
		letter->room = more;
	}
	copy = strndup(value, VALUE_MAX);
	if (copy == NULL) {
		letter->failed = true;
		return;
	}
	letter->text[n] = copy;
	letter->var[n] = (struct notice_var){.name = name, .value = copy};
	letter->gate.vars++;
}

void letter_free(struct letter *letter)
{
	for (size_t i = 0; i < letter->gate.vars; i++)
		free(letter->text[i]);
	free(letter->text);
	free(letter->var);
	*letter = (struct letter){.room = 0};
}

void letter_ask(struct letter *letter, int leg, int timeout_ms, struct notice_answer *answer)
{
	letter->gate.to = letter->to;
	letter->gate.var = letter->var;
	notice_ask_gate(NOTICE_SOCKET, leg, &letter->gate, timeout_ms, answer);
}

static void add_yes(struct letter *letter, const char *name)
{
	letter_add(letter, name, "yes");
}

static void add_time(struct letter *letter, const char *name, int64_t time)
{
	char text[CLOCK_TEXT];

	if (time <= 0)
		return;
	clock_format(time, text);
	letter_add(letter, name, text);
}

static void add_number(struct letter *letter, const char *name, size_t number)
{
	char text[24];

	(void)snprintf(text, sizeof text, "%zu", number);
	letter_add(letter, name, text);
}

/* A value of a record, decoded; nothing if it is none. */
static void add_decoded(
    struct letter *letter, const char *name, const struct leg_record *record, const char *key)
{
	size_t len = 0;
	const char *value = leg_record_value(record, key, &len);
	char text[VALUE_MAX + 1];

	if (value == NULL || len == 0 || len > VALUE_MAX || !xtext_decode(value, len, text, &len) ||
	    memchr(text, '\0', len) != NULL)
		return;
	text[len] = '\0';
	letter_add(letter, name, text);
}

/* Who did it: a person, or the operator, who has no address. */
static void add_by(struct letter *letter, const struct leg_record *record)
{
	size_t len = 0;
	const char *by = leg_record_value(record, "by", &len);

	if (by == NULL)
		return;
	if (memchr(by, '@', len) == NULL)
		letter_add(letter, "by",
		    letter->gate.english ? "the administrator of the mail gateway"
					 : "メールゲートウェイの管理者");
	else
		add_decoded(letter, "by", record, "by");
}

/* ---- what the sender is to look at -------------------------------------------------------- */

/* The checks of the last judgement; `record` has room for CHECKS_SEEN. */
static size_t checks_of(const struct leg *leg, struct leg_record *record)
{
	struct leg_record one;
	size_t at = 0, n = 0;

	while (leg_next_record(leg, &at, &one)) {
		if (!leg_record_is(&one, "check"))
			continue;
		if (n > 0 && record[0].time != one.time)
			n = 0;
		if (n < CHECKS_SEEN)
			record[n++] = one;
	}
	return n;
}

static size_t read_number(const char **at, const char *end)
{
	size_t number = 0;

	while (*at < end && **at >= '0' && **at <= '9' && number < LEG_RCPTS_MAX)
		number = number * 10 + (size_t)(*(*at)++ - '0');
	return number;
}

/* Whether recipient `number`, from 1, is in "1,3-5"; NULL: all are. */
static bool in_ranges(const char *text, size_t len, size_t number)
{
	const char *at = text, *end = text != NULL ? text + len : NULL;

	if (text == NULL)
		return true;
	while (at < end) {
		size_t first = read_number(&at, end), last = first;

		if (at < end && *at == '-') {
			at++;
			last = read_number(&at, end);
		}
		if (number >= first && number <= last && first > 0)
			return true;
		if (at >= end || *at != ',')
			return false;
		at++;
	}
	return false;
}

static enum check_fact fact_of(const struct leg_record *check)
{
	size_t len = 0;
	const char *word = leg_record_value(check, "fact", &len);

	return word != NULL ? check_fact_find(word, len) : CHECK_COUNT;
}

/* One sentence, with the recipients that it is about. */
static void add_check(struct letter *letter, const struct leg *leg, const struct leg_record *check)
{
	const char *address[NOTICE_ROWS_MAX];
	size_t len = 0, ranges_len = 0, n = 0;
	const char *value = leg_record_value(check, "value", &len);
	const char *ranges = leg_record_value(check, "rcpt", &ranges_len);
	enum check_fact fact = fact_of(check);
	struct buf text;

	if (fact == CHECK_COUNT)
		return;
	for (size_t i = 0; i < leg->rcpts && n < NOTICE_ROWS_MAX; i++) {
		if (in_ranges(ranges, ranges_len, i + 1) && leg->rcpt[i].fate == RCPT_OPEN)
			address[n++] = leg->rcpt[i].address;
	}
	buf_init(&text, VALUE_MAX);
	check_sentence(&text, letter->gate.english, fact, value, len, address, n);
	buf_add(&text, "", 1);
	if (buf_ok(&text))
		letter_add(letter, "check", text.bytes);
	buf_free(&text);
}

/* What is special about one recipient; "" if nothing is. */
static const char *risk_of(bool english, const struct leg_record *check, size_t checks, size_t rcpt)
{
	for (size_t i = 0; i < checks; i++) {
		size_t len = 0;
		const char *ranges = leg_record_value(&check[i], "rcpt", &len);
		enum check_fact fact = fact_of(&check[i]);

		if (!in_ranges(ranges, len, rcpt))
			continue;
		if (fact == CHECK_LOOKALIKE)
			return english ? "looks like another address" : "よく似た宛先があります";
		if (fact == CHECK_FIRST_TIME)
			return english ? "first time" : "初めての宛先";
	}
	return "";
}

static void add_rcpts(
    struct letter *letter, const struct leg *leg, const struct leg_record *check, size_t checks)
{
	size_t n = 0;

	for (size_t i = 0; i < leg->rcpts; i++) {
		if (leg->rcpt[i].fate != RCPT_OPEN)
			continue;
		if (n++ >= NOTICE_ROWS_MAX)
			continue;
		letter_add(letter, "rcpt", leg->rcpt[i].address);
		letter_add(
		    letter, "rcpt-risk", risk_of(letter->gate.english, check, checks, i + 1));
	}
	if (n > NOTICE_ROWS_MAX)
		add_number(letter, "rcpt-more", n - NOTICE_ROWS_MAX);
}

/* The rules that hold it, by their names. */
static void add_rules(struct letter *letter, const struct leg *leg)
{
	struct leg_record record;
	int64_t judged = 0;
	size_t at = 0, len = 0, n = 0;

	while (leg_next_record(leg, &at, &record)) {
		if (leg_record_is(&record, "judged"))
			judged = record.time;
	}
	for (at = 0; leg_next_record(leg, &at, &record) && n < NOTICE_ROWS_MAX;) {
		const char *function = leg_record_value(&record, "function", &len);

		if (!leg_record_is(&record, "decided") || record.time != judged ||
		    function == NULL ||
		    !((len == 4 && memcmp(function, "hold", 4) == 0) ||
			(len == 7 && memcmp(function, "approve", 7) == 0)) ||
		    leg_record_value(&record, "shadow", &len) != NULL ||
		    leg_record_value(&record, "watch", &len) != NULL)
			continue;
		add_decoded(letter, "why", &record, "name");
		n++;
	}
}

/* ---- each of them ------------------------------------------------------------------------- */

/* How it goes on: what its open steps wait for. */
static void add_waits(
    struct letter *letter, const struct stage_opened *o, const struct notices *notices)
{
	const struct plan *plan = &o->leg.plan;
	bool people = false;

	for (size_t i = 0; i < plan->steps; i++) {
		struct hold_plan_step step;
		char window[WINDOW_SHOWN];
		size_t len;

		if (plan->step[i].closed || plan->step[i].word != WORD_HOLD)
			continue;
		step = hold_plan_step(&plan->step[i], o->leg.amended_until);
		if (step.form == STEP_CONFIRMED || step.form == STEP_CHECKED)
			add_yes(letter, step.form == STEP_CHECKED ? "checked" : "confirm");
		people |= step.discard;
		if (step.form == STEP_WINDOW && step.window_len <= sizeof window &&
		    xtext_decode(step.window, step.window_len, window, &len) &&
		    len < sizeof window) {
			window[len] = '\0';
			letter_add(letter, "window", window);
		}
	}
	if (!people)
		add_time(letter, "until", notices->ends);
	add_time(letter, "discard", notices->times.discard);
}

/* Of an approval: when it ends unheard, and how. */
static void add_expiry(
    struct letter *letter, const struct hold_view *view, const struct notices *notices)
{
	add_time(letter, "expires", notices->times.expire);
	if (notices->times.expire > 0 && view->settings.approve_expiry == APPROVE_EXPIRY_DISCARD)
		add_yes(letter, "expiry-discard");
}

static void add_hold(struct letter *letter, const struct hold_view *view,
    const struct stage_opened *o, const struct notices *notices)
{
	if (notices->form != STEP_APPROVE) {
		add_waits(letter, o, notices);
		return;
	}
	add_yes(letter, "approval");
	if (view->settings.approve_expiry == APPROVE_EXPIRY_DISCARD)
		add_time(letter, "discard", notices->times.expire);
}

/* When it is thrown away, and whether for want of an approval. */
static void add_warning(struct letter *letter, const struct notices *notices, int64_t now)
{
	int64_t end = hold_times_if_warned(&notices->times, now);

	if (notices->form != STEP_APPROVE) {
		add_time(letter, "discard", end);
		return;
	}
	add_yes(letter, "approval");
	add_yes(letter, "expiry-discard");
	add_time(letter, "expires", end);
}

/* What others said who have voted already. */
static void add_comments(struct letter *letter, const struct leg *leg)
{
	struct leg_record record;
	size_t at = 0;

	while (leg_next_record(leg, &at, &record)) {
		if (leg_record_is(&record, "vote") && record.time >= leg->restored)
			add_decoded(letter, "comment", &record, "comment");
	}
}

static void add_request(struct letter *letter, const struct hold_view *view,
    const struct absences *absences, const struct stage_opened *o, const struct notices *notices,
    const struct notice_owed *owed, int64_t now)
{
	struct approval_place place = {.org = view->org,
	    .absences = absences,
	    .now = now,
	    .escalated = notices->times.escalate > 0 && notices->times.escalate <= now};
	char whose[ORG_ADDRESS_MAX] = "", votes[48];
	struct approval approval;

	add_expiry(letter, view, notices);
	add_comments(letter, &o->leg);
	if (approval_read(&o->leg, o->law.step, &approval) != APPROVAL_READ)
		return;
	if (approval_right(&place, &o->leg, &approval, owed->to, whose) == RIGHT_DEPUTY) {
		letter_add(letter, "for", whose);
		if (place.escalated)
			add_yes(letter, "escalated");
	}
	if (approval.at < approval.stages && approval.stage[approval.at].need > 1) {
		(void)snprintf(votes, sizeof votes, "%u/%u", approval.stage[approval.at].yes,
		    approval.stage[approval.at].need);
		letter_add(letter, "votes", votes);
	}
	approval_free(&approval);
}

/* The last record `discarded`: by whom, why, and in which word. */
static void add_end(struct letter *letter, const struct leg *leg, bool draft)
{
	static const char *const causes[] = {"rejected", "returned", "expired", "not-confirmed"};
	struct leg_record record, last = {.text = NULL};
	const char *word = "discarded", *cause;
	size_t at = 0, len = 0;

	while (leg_next_record(leg, &at, &record)) {
		if (leg_record_is(&record, "discarded"))
			last = record;
	}
	if (last.text == NULL)
		return;
	cause = leg_record_value(&last, "cause", &len);
	for (size_t i = 0; cause != NULL && i < COUNT_OF(causes); i++) {
		if (strlen(causes[i]) == len && memcmp(causes[i], cause, len) == 0)
			word = causes[i];
	}
	/* For who was asked nobody had to confirm anything. */
	if (!draft && strcmp(word, "not-confirmed") == 0)
		word = "discarded";
	add_yes(letter, word);
	add_by(letter, &last);
	add_decoded(letter, "comment", &last, "reason");
}

static const char *template_of(enum notice_what what)
{
	return notice_what_name(what); /* they are called alike */
}

bool letter_of(const struct hold_view *view, const struct absences *absences,
    const struct stage_opened *o, const struct notices *notices, const struct notice_owed *owed,
    int64_t now, struct letter *letter)
{
	struct leg_record check[CHECKS_SEEN];
	size_t checks = checks_of(&o->leg, check);
	char url[NOTICE_URL_MAX];

	letter_begin(letter, template_of(owed->what), owed->to, owed->english);
	notice_url(view, &o->leg, owed->to, GATE_READ | (owed->asked ? GATE_APPROVER : GATE_SENDER),
	    now, url);
	letter_add(letter, "url", url);
	letter_add(letter, "sender", o->leg.from);
	add_rcpts(letter, &o->leg, check, checks);
	add_rules(letter, &o->leg);
	for (size_t i = 0; i < checks; i++)
		add_check(letter, &o->leg, &check[i]);

	switch (owed->what) {
	case TELL_HOLD:
		add_hold(letter, view, o, notices);
		break;
	case TELL_REQUEST:
		add_request(letter, view, absences, o, notices, owed, now);
		break;
	case TELL_WARNING:
		add_warning(letter, notices, now);
		break;
	case TELL_DRAFT:
		letter->gate.attach = ATTACH_DRAFT;
		add_end(letter, &o->leg, true);
		break;
	case TELL_RESULT:
		add_end(letter, &o->leg, false);
		break;
	case TELL_WHATS:
		break;
	}
	return !letter->failed;
}
