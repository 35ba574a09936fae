/* Doing what a person says, once the table lets him: the audit, the records, the rename, the sync. */
#include "lib/hold/act.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/xtext.h"
#include "lib/hold/acting.h"
#include "lib/hold/actors.h"
#include "lib/hold/siblings.h"
#include "lib/policy/window.h"

#define RECORD_MAX ((size_t)65536)

static const char *const names[ACT_COUNT] = {[ACT_RELEASE] = "release",
    [ACT_CHECK] = "check",
    [ACT_DISCARD] = "discard",
    [ACT_RESTORE] = "restore",
    [ACT_REMOVE] = "remove",
    [ACT_EXTEND] = "extend",
    [ACT_APPROVE] = "approve",
    [ACT_REJECT] = "reject",
    [ACT_RETURN] = "return",
    [ACT_URGENT] = "urgent"};

const char *act_name(enum act_word word)
{
	return word < ACT_COUNT ? names[word] : "";
}

enum act_word act_called(const char *name)
{
	enum act_word word = 0;

	while (word < ACT_COUNT && strcmp(names[word], name) != 0)
		word++;
	return word;
}

/* As what it stands in the log. */
static enum order_word order_word_of(enum act_word word)
{
	static const enum order_word words[ACT_COUNT] = {[ACT_RELEASE] = ORDER_RELEASE,
	    [ACT_CHECK] = ORDER_RELEASE,
	    [ACT_DISCARD] = ORDER_DISCARD,
	    [ACT_RESTORE] = ORDER_RESTORE,
	    [ACT_REMOVE] = ORDER_REMOVE,
	    [ACT_EXTEND] = ORDER_EXTEND,
	    [ACT_APPROVE] = ORDER_APPROVE,
	    [ACT_REJECT] = ORDER_REJECT,
	    [ACT_RETURN] = ORDER_REJECT,
	    [ACT_URGENT] = ORDER_APPROVE};

	return words[word];
}

/* ---- records ------------------------------------------------------------------------------ */

static void add_who(struct buf *out, const struct acting *a)
{
	waiting_add_who(out, a->order.by, a->order.via, a->order.reason);
}

/* Another record in the same write: either both stand there or the first alone. */
static void next_record(struct buf *out, const struct acting *a)
{
	char time[CLOCK_TEXT];

	clock_format(watch_now(&a->h->stage->watch), time);
	buf_addf(out, "\n%s ", time);
}

static void add_discarded(struct buf *out, const struct acting *a, const char *cause, bool draft)
{
	buf_add_text(out, "discarded");
	add_who(out, a);
	buf_addf(out, " cause=%s%s", cause,
	    draft && waiting_has_sender(&a->o->leg) ? " tell=draft" : "");
}

/* Ends what was built with a NUL. False: there is no memory. */
static bool ready(struct buf *out)
{
	buf_add(out, "", 1);
	return buf_ok(out);
}

static struct order_answer close_step(struct acting *a, struct buf *details)
{
	struct order_answer answer = reason_no(REASON_ENVIRONMENT, "");

	if (ready(details))
		answer = order_close(a->h->stage, &a->order, a->o, details->bytes);
	return answer;
}

static struct order_answer bind(struct acting *a, struct buf *record, enum spool_state to)
{
	struct order_answer answer = reason_no(REASON_ENVIRONMENT, "");

	if (ready(record))
		answer = order_bind(a->h->stage, &a->order, a->o, record->bytes, to);
	return answer;
}

/* It stays, and is looked at at once: whoever decides by time sees what it says now. */
static struct order_answer stay(struct acting *a, struct buf *record)
{
	struct order_answer answer = reason_no(REASON_ENVIRONMENT, "");
	const char *text;

	if (!ready(record))
		return answer;
	text = record->bytes;
	return order_stay(a->h->stage, &a->order, a->o, &text, 1, stage_now(a->h->stage));
}

/* ---- holds -------------------------------------------------------------------------------- */

/* What was released may still stand in another hold: that is said. */
static void say_what_holds(struct acting *a, struct order_answer *answer)
{
	const struct plan_step *step = plan_open_step(&a->o->leg.plan);
	struct hold_plan_step next;
	struct window window;
	char time[CLOCK_TEXT];

	if (answer->result != ORDER_DONE || answer->state != STATE_HOLD || step == NULL)
		return;
	next = hold_plan_step(step, a->o->leg.amended_until);
	if (next.form != STEP_WINDOW) {
		(void)snprintf(answer->why, sizeof answer->why, "another hold follows");
		return;
	}
	if (!window_look(next.window, next.window_len, a->h->org, a->w.now, &window) ||
	    !window.inside)
		return;
	if (window.ends < 0) {
		(void)snprintf(answer->why, sizeof answer->why,
		    "mail may not leave at this time of day, and no end of that is in sight");
		return;
	}
	clock_format(window.ends, time);
	(void)snprintf(answer->why, sizeof answer->why,
	    "mail may not leave at this time of day: it leaves at %s", time);
}

struct listing {
	struct buf *out;
	const char *before;
};

static bool add_fact(void *context, const char *fact, size_t len)
{
	struct listing *l = context;

	buf_add_text(l->out, l->before);
	buf_add(l->out, fact, len);
	l->before = ",";
	return true;
}

static struct order_answer do_release(struct acting *a, struct buf *text)
{
	struct listing facts = {.out = text, .before = " checked="};
	struct order_answer answer;
	bool check = a->act->word == ACT_CHECK;

	buf_addf(text, "ended=%s",
	    check                                                 ? "checked"
	    : a->w.step.form == STEP_CONFIRMED && !a->is_operator ? "confirmed"
								  : "released");
	add_who(text, a);
	if (check && !a->is_operator)
		acting_each_fact(&a->o->leg, add_fact, &facts);
	answer = close_step(a, text);
	say_what_holds(a, &answer);
	return answer;
}

static struct order_answer do_extend(struct acting *a, struct buf *text)
{
	char time[CLOCK_TEXT];

	clock_format(a->order.until, time);
	buf_addf(text, "extended until=%s", time);
	add_who(text, a);
	return stay(a, text);
}

/* ---- thrown away, brought back ------------------------------------------------------------ */

static struct order_answer do_discard(struct acting *a, struct buf *text)
{
	add_discarded(text, a, "person", a->h->stage->settings.discard_draft);
	return bind(a, text, STATE_TRASH);
}

static struct order_answer do_restore(struct acting *a, struct buf *text)
{
	buf_add_text(text, "restored");
	add_who(text, a);
	return bind(a, text, STATE_NEW);
}

/* " rcpt=2,5" of those who are meant. Returns whether others stay. */
static bool add_meant(struct buf *out, const struct leg *leg, const char *address)
{
	const char *before = " rcpt=";
	bool others = false;

	for (size_t i = 0; i < leg->rcpts; i++) {
		if (!acting_meant(&leg->rcpt[i], address)) {
			others |= leg->rcpt[i].fate == RCPT_OPEN;
			continue;
		}
		buf_addf(out, "%s%zu", before, i + 1);
		before = ",";
	}
	return others;
}

static bool see_other(void *context, enum spool_state state, const struct leg_name *name)
{
	const struct leg_name **own = context;

	if ((state != STATE_APPROVE && state != STATE_HOLD) || name_same_leg(name, *own))
		return true;
	*own = NULL;
	return false;
}

/* Whether other legs of the message, or copies of it, wait: it goes on for them. */
static bool others_wait(const struct acting *a)
{
	const struct leg_name *own = &a->o->leg.name;

	index_of_message(a->h->index, own->id, see_other, &own);
	return own == NULL;
}

/* Its last recipient is taken away. No draft where it goes on for others: he would send it to them twice. */
static struct order_answer do_remove_last(struct acting *a, struct buf *text)
{
	add_discarded(text, a, "removed", a->h->stage->settings.discard_draft && !others_wait(a));
	return bind(a, text, STATE_TRASH);
}

/*
 * The address is owed to be taken out of the header before the recipient is taken away: where only the
 * first record is written the recipient is asked about again, and nobody is named who gets nothing.
 */
static struct order_answer do_remove(struct acting *a, struct buf *text)
{
	char address[ORDER_RCPT_MAX + 1];

	if (!acting_rcpt(&a->order, address))
		return reason_no(REASON_NO_RECIPIENT, "");
	buf_addf(text, "removed address=%s", a->order.rcpt);
	add_who(text, a);
	next_record(text, a);
	buf_add_text(text, "drop");
	if (!add_meant(text, &a->o->leg, address)) {
		buf_clear(text);
		return do_remove_last(a, text);
	}
	add_who(text, a);
	return stay(a, text);
}

/* ---- approvals ---------------------------------------------------------------------------- */

static void add_vote(struct buf *out, const struct acting *a, const char *say)
{
	const struct leg *leg = &a->o->leg;

	buf_addf(out, "vote plan=%s content=%.16s step=%zu say=%s by=%s", leg->plan.digest,
	    leg->sha256, a->w.approval.at + 1, say, a->order.by);
	if (a->for_whom[0] != '\0') {
		buf_add_text(out, " for=");
		buf_add_xtext(out, a->for_whom, strlen(a->for_whom));
	}
	buf_addf(out, " via=%s", a->order.via);
	if (a->order.reason[0] != '\0')
		buf_addf(out, " comment=%s", a->order.reason);
}

/* Whether the leg can go on once its step is closed: asked before the first record. False with `answer`. */
static bool can_go_on(struct acting *a, struct order_answer *answer)
{
	if (waiting_blocked(a->h->stage, a->order.state, a->o) == NULL)
		return true;
	*answer = reason_no(REASON_PLAN, "");
	return false;
}

/* Who was asked, or asks, hears of it. */
static void tell(struct acting *a, const struct order_answer *answer, const char *what)
{
	char comment[ORDER_REASON_MAX + 1] = "", by[ORDER_BY_MAX + 1] = "";
	size_t n;

	if (answer->result != ORDER_DONE)
		return;
	if (xtext_decode(a->order.reason, strlen(a->order.reason), comment, &n))
		comment[n] = '\0';
	if (xtext_decode(a->order.by, strlen(a->order.by), by, &n))
		by[n] = '\0';
	hold_tell_result(a->h, a->o, what, by, comment);
}

/* What was begun and may yet be done: soon, for the record that stands binds at the next look. */
static struct order_answer begun(struct acting *a)
{
	struct stage *stage = a->h->stage;

	stage_schedule(stage, a->order.state, &a->o->leg.name, stage_now(stage) + STAGE_AGAIN);
	return (struct order_answer){.result = ORDER_UNKNOWN, .state = a->order.state};
}

/*
 * The vote that completes it: its record, the closing record, one rename, one sync. From the vote on it is
 * approved: where the rest fails the clock's look goes on with it (decide.c).
 */
static struct order_answer complete(struct acting *a, struct buf *text)
{
	struct order_answer answer = reason_no(REASON_ENVIRONMENT, "");
	struct buf details;

	if (!can_go_on(a, &answer))
		return answer;
	buf_init(&details, RECORD_MAX);
	approval_write_by(&a->w.approval, &details);
	buf_addf(&details, "%s%s ended=votes", details.len > 0 ? "," : "by=", a->order.by);
	if (ready(text) && ready(&details)) {
		answer = reason_no(REASON_ENVIRONMENT, "");
		if (stage_append(a->h->stage, a->o, text->bytes)) {
			answer = order_close(a->h->stage, &a->order, a->o, details.bytes);
			if (answer.result == ORDER_NO)
				answer = begun(a);
		}
	}
	buf_free(&details);
	tell(a, &answer, "approved");
	return answer;
}

static struct order_answer do_approve(struct acting *a, struct buf *text)
{
	const struct approval *approval = &a->w.approval;
	const struct approval_stage *stage = &approval->stage[approval->at];
	struct order_answer answer;

	if (a->is_operator) {
		buf_add_text(text, "ended=operator");
		add_who(text, a);
		answer = close_step(a, text);
		tell(a, &answer, "approved");
		return answer;
	}
	add_vote(text, a, "yes");
	if (stage->yes + 1 >= stage->need && approval->at + 1 == approval->stages)
		return complete(a, text);
	answer = stay(a, text);
	if (answer.result == ORDER_DONE)
		(void)snprintf(answer.why, sizeof answer.why, "others have to approve it, too");
	return answer;
}

static struct order_answer do_reject(struct acting *a, struct buf *text)
{
	bool kindly = a->act->word == ACT_RETURN;

	if (!a->is_operator) {
		add_vote(text, a, kindly ? "return" : "no");
		next_record(text, a);
	}
	add_discarded(text, a, kindly ? "returned" : "rejected", true);
	return bind(a, text, STATE_TRASH);
}

struct naming {
	struct buf *out;
	size_t n;
};

static bool add_asked(void *context, const char *address, enum approval_right right)
{
	struct naming *n = context;

	(void)right;
	if (n->n++ > 0)
		buf_add_text(n->out, ",");
	buf_add_xtext(n->out, address, strlen(address));
	return n->n < REVIEW_ASKED;
}

/* It is counted, and its review is owed, before it goes. */
static bool owe_review(struct acting *a)
{
	struct approval_place place = a->w.place;
	char id[NAME_TEXT];
	struct buf text;
	struct naming asked = {.out = &text};
	size_t asked_at, subject_at;
	struct about about;
	struct review review = {
	    .time = a->w.now, .id = id, .by = a->order.by, .rcpts = a->o->leg.rcpts};
	bool done;

	name_format(&a->o->leg.name, STATE_NEW, id);
	buf_init(&text, RECORD_MAX);
	buf_add_xtext(&text, a->o->leg.from, strlen(a->o->leg.from));
	buf_add(&text, "", 1);
	asked_at = text.len;
	approval_each_asked(&place, &a->o->leg, &a->w.approval, add_asked, &asked);
	if (asked.n == 0) { /* all of them are away: whoever would be asked later */
		place.escalated = true;
		approval_each_asked(&place, &a->o->leg, &a->w.approval, add_asked, &asked);
	}
	buf_add(&text, "", 1);
	subject_at = text.len;
	about_read(&a->o->leg, &about);
	buf_add_xtext(&text, about.subject, strlen(about.subject));
	done = ready(&text);
	if (done) {
		review.from = text.bytes;
		review.asked = text.bytes + asked_at;
		review.subject = text.bytes + subject_at;
		review.reason = a->order.reason;
		done = reviews_add(&review, a->w.now);
	}
	buf_free(&text);
	return done;
}

/* It did not go. After a crash in between it counts all the same: better than one that nobody reviews. */
static void forget_review(const struct acting *a)
{
	char id[NAME_TEXT];

	name_format(&a->o->leg.name, STATE_NEW, id);
	/* Where that fails it is in the log, and it stays counted. */
	(void)!reviews_take_back(id, a->w.now, a->w.now);
}

static struct order_answer do_urgent(struct acting *a, struct buf *text)
{
	struct order_answer answer;

	if (!can_go_on(a, &answer))
		return answer;
	if (!owe_review(a))
		return reason_no(REASON_ENVIRONMENT, "");
	buf_add_text(text, "ended=urgent");
	add_who(text, a);
	answer = close_step(a, text);
	if (answer.result == ORDER_NO)
		forget_review(a);
	tell(a, &answer, "urgent");
	return answer;
}

/* ---- doing it ----------------------------------------------------------------------------- */

static struct order_answer do_it(struct acting *a, struct buf *text)
{
	switch (a->act->word) {
	case ACT_RELEASE:
	case ACT_CHECK:
		return do_release(a, text);
	case ACT_DISCARD:
		return do_discard(a, text);
	case ACT_RESTORE:
		return do_restore(a, text);
	case ACT_REMOVE:
		return do_remove(a, text);
	case ACT_EXTEND:
		return do_extend(a, text);
	case ACT_APPROVE:
		return do_approve(a, text);
	case ACT_REJECT:
	case ACT_RETURN:
		return do_reject(a, text);
	case ACT_URGENT:
		return do_urgent(a, text);
	case ACT_COUNT:
		break;
	}
	return reason_no(REASON_NONE, "");
}

/* The sender hears what another did to his mail; of votes and urgent mail it is said where they are done. */
static void tell_sender(struct acting *a, const struct order_answer *answer)
{
	static const char *const words[ACT_COUNT] = {[ACT_RELEASE] = "released",
	    [ACT_CHECK] = "released",
	    [ACT_RESTORE] = "restored",
	    [ACT_REMOVE] = "removed",
	    [ACT_EXTEND] = "extended"};
	struct leg *leg = &a->o->leg;
	const char *word = words[a->act->word];

	if (word == NULL || answer->result != ORDER_DONE || a->order.state == STATE_REFUSED)
		return;
	if (a->act->word == ACT_EXTEND && a->order.until > leg->amended_until)
		leg->amended_until = a->order.until;
	if (a->act->word == ACT_REMOVE && answer->state == STATE_TRASH) {
		if (!others_wait(a))
			return; /* he has it back as a draft */
		word = "discarded";
	}
	tell(a, answer, word);
}

/* Rights first, then the audit, then records. */
static struct order_answer act_opened(struct acting *a)
{
	const struct leg_name name = a->o->leg.name;
	struct order_answer answer;
	struct buf text;

	if (!acting_read(a) || !act_may(a)) {
		answer = a->no;
	} else if (a->act->word == ACT_REMOVE && siblings_busy(a->h, &name)) {
		answer = reason_no(REASON_BUSY, "");
	} else if (!order_audit(a->h->stage, &a->order, &a->o->leg, act_name(a->act->word))) {
		answer = reason_no(REASON_AUDIT, "");
	} else {
		buf_init(&text, RECORD_MAX);
		answer = do_it(a, &text);
		buf_free(&text);
		tell_sender(a, &answer);
		if (answer.result == ORDER_DONE && a->act->word == ACT_REMOVE &&
		    !siblings_remove(a->h, &a->order, &a->o->leg))
			(void)snprintf(answer.why, sizeof answer.why,
			    "another leg of it keeps the address in its header: see the log");
		if (answer.result == ORDER_DONE && answer.state == STATE_TRASH)
			index_moved(a->h->index, &name, STATE_TRASH);
		else if (answer.result == ORDER_DONE && answer.state != a->order.state)
			index_remove(a->h->index, &name);
		else if (answer.result == ORDER_DONE)
			index_rename(a->h->index, &a->o->leg.name);
	}
	acting_free(a);
	return answer;
}

/* Who does it, as it stands in records: his own address, whatever the caller wrote. */
static bool name_who(const struct hold *h, const struct act *act, struct order *order)
{
	char person[ORG_ADDRESS_MAX];
	size_t len, n;

	if (act->who == NULL)
		return true;
	actor_person(h->org, act->who, person);
	len = strlen(person);
	n = xtext_encode_cut(person, len, order->by, sizeof order->by - 1);
	order->by[n] = '\0';
	/* One that is cut would be somebody else. */
	return len > 0 && xtext_decode(order->by, n, person, &n) && n == len;
}

static bool begin(struct hold *h, const struct act *act, struct stage_opened *o, struct acting *a)
{
	*a = (struct acting){.h = h, .act = act, .order = act->order, .o = o};
	a->is_operator = act->who == NULL;
	if (act->word >= ACT_COUNT || !name_who(h, act, &a->order)) {
		a->no = reason_no(REASON_NAME, "");
		return false;
	}
	a->order.word = order_word_of(act->word);
	return true;
}

struct order_answer act_on_leg(struct hold *h, const struct act *act)
{
	struct stage *stage = h->stage;
	struct order_answer answer = {.result = ORDER_GONE};
	struct stage_opened o;
	struct acting a;

	if (stage->role->in_hand != NULL && stage->role->in_hand(stage, &act->order.name)) {
		if (stage->role->let_go != NULL)
			stage->role->let_go(stage, &act->order.name);
		return reason_no(REASON_BUSY, "");
	}
	switch (stage_read(stage, act->order.state, &act->order.name, &o)) {
	case STAGE_OPEN_ACT:
		break;
	case STAGE_OPEN_AGAIN:
		return reason_no(REASON_ENVIRONMENT, "");
	case STAGE_OPEN_GONE:
		return answer;
	}

	o.law = law_of(&o.leg, act->order.state, stage_now(stage));
	if (o.law.verdict == LAW_MOVE) {
		if (!stage_move(stage, act->order.state, o.text, &o.leg.name, o.law.state,
			o.law.due, o.law.why))
			answer = reason_no(REASON_ELSEWHERE, "");
	} else {
		answer = begin(h, act, &o, &a) ? act_opened(&a) : a.no;
	}
	leg_free(&o.leg);
	(void)close(o.fd);
	return answer;
}

bool act_possible(
    struct hold *h, const struct act *act, struct stage_opened *opened, struct order_answer *no)
{
	struct acting a;
	bool possible = begin(h, act, opened, &a);

	a.asking = true;
	if (possible) {
		possible = acting_read(&a) && act_may(&a);
		acting_free(&a);
	}
	*no = a.no;
	if (possible)
		*no = (struct order_answer){.result = ORDER_DONE};
	return possible;
}

/* ---- orders of operators ------------------------------------------------------------------ */

struct order_answer act_obey(
    struct stage *stage, const struct order *order, struct stage_opened *opened)
{
	static const struct {
		enum order_word order;
		enum act_word act;
	} words[] = {{ORDER_RELEASE, ACT_RELEASE}, {ORDER_DISCARD, ACT_DISCARD},
	    {ORDER_RESTORE, ACT_RESTORE}, {ORDER_APPROVE, ACT_APPROVE}, {ORDER_REJECT, ACT_REJECT},
	    {ORDER_EXTEND, ACT_EXTEND}, {ORDER_REMOVE, ACT_REMOVE}};
	struct act act = {.word = ACT_COUNT, .order = *order, .checked = ""};
	struct acting a;

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (words[i].order == order->word)
			act.word = words[i].act;
	}
	if (act.word == ACT_COUNT)
		return reason_no(REASON_NONE, "");
	return begin(stage->context, &act, opened, &a) ? act_opened(&a) : a.no;
}
