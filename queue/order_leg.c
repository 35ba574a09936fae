#include "queue/order_leg.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "queue/audit.h"

#define TEXT_ROOM  ((size_t)8192)
#define RECORD_MAX ((size_t)65536)

struct order_answer order_no(const char *why)
{
	struct order_answer a = {.result = ORDER_NO};

	(void)snprintf(a.why, sizeof a.why, "%s", why);
	return a;
}

static struct order_answer busy(const char *why)
{
	struct order_answer a = order_no(why);

	a.busy = true;
	return a;
}

static struct order_answer gone(void)
{
	return (struct order_answer){.result = ORDER_GONE};
}

/* ---- whether it can be done --------------------------------------------------------------- */

static const struct stage_order *known(const struct stage_role *role, const struct order *order)
{
	for (size_t i = 0; i < role->n_orders; i++) {
		if (role->orders[i].word == order->word && role->orders[i].state == order->state)
			return &role->orders[i];
	}
	return NULL;
}

/* Opens and reads the leg. False: `*a` says why not. */
static bool open_leg(
    struct stage *stage, const struct order *order, struct stage_opened *o, struct order_answer *a)
{
	char text[NAME_TEXT];
	bool there = false;

	*a = gone();
	switch (stage_read(stage, order->state, &order->name, o)) {
	case STAGE_OPEN_ACT:
		return true;
	case STAGE_OPEN_AGAIN:
		*a = order_no("it cannot be read just now: see the log");
		return false;
	case STAGE_OPEN_GONE:
		break;
	}
	/* A trailer that is too long stays where it is: a look again would never end. */
	name_format(&order->name, order->state, text);
	if (spool_has(&stage->spool, order->state, text, &there) && there)
		*a = order_no("it cannot be read: see the log");
	return false;
}

/* The law about the leg as it stands; what belongs elsewhere is sent there first. */
static bool belongs_here(
    struct stage *stage, const struct order *order, struct stage_opened *o, struct order_answer *a)
{
	o->law = law_of(&o->leg, order->state, stage_now(stage));
	switch (o->law.verdict) {
	case LAW_ACT:
		return true;
	case LAW_MOVE:
		*a = gone();
		if (!stage_move(stage, order->state, o->text, &o->leg.name, o->law.state,
			o->law.due, o->law.why))
			*a = order_no("it belongs elsewhere, and could not be moved: see the log");
		return false;
	case LAW_STOP:
		break;
	}
	/* What was stopped can be discarded: that binds, whatever else it says. */
	if (order->word == ORDER_DISCARD)
		return true;
	*a = order_no("");
	(void)snprintf(a->why, sizeof a->why, "it is stopped: %s", o->law.why);
	return false;
}

/* ---- the audit ---------------------------------------------------------------------------- */

bool order_audit(
    struct stage *stage, const struct order *order, const struct leg *leg, const char *what)
{
	char time[CLOCK_TEXT], id[NAME_TEXT];
	struct buf line;
	bool done;

	name_format(&leg->name, STATE_NEW, id);
	buf_init(&line, AUDIT_LINE_MAX);
	audit_begin(&line, what);
	audit_put(&line, "id", id);
	audit_put(&line, "state", state_name(order->state));
	audit_put(&line, "from", leg->from);
	audit_put_xtext(&line, "by", order->by, strlen(order->by));
	audit_put(&line, "via", order->via);
	audit_put_xtext(&line, "rcpt", order->rcpt, strlen(order->rcpt));
	if (order->until > 0) {
		clock_format(order->until, time);
		audit_put(&line, "until", time);
	}
	audit_put_xtext(&line, "reason", order->reason, strlen(order->reason));
	done = audit_well(stage->audit) && audit_say_line(stage->audit, true, &line);
	if (!done)
		LOG_ALARM("not-audited", kv("id", id), kv("what", what), kv_errno(errno));
	buf_free(&line);
	return done;
}

/* ---- doing it ----------------------------------------------------------------------------- */

static void log_done(const struct order *order, const char *id, enum spool_state to)
{
	static const char *const events[] = {[ORDER_RELEASE] = "released",
	    [ORDER_DISCARD] = "discarded",
	    [ORDER_RESTORE] = "restored",
	    [ORDER_APPROVE] = "approved",
	    [ORDER_REJECT] = "rejected",
	    [ORDER_EXTEND] = "extended",
	    [ORDER_REMOVE] = "removed-recipient",
	    [ORDER_BOUNCE] = "returned"};

	LOG(events[order->word], kv("id", id), kv("from", state_name(order->state)),
	    kv("to", state_name(to)), kv("by", order->by), kv("via", order->via));
}

/*
 * The rename, which is the commit, and the sync. The record stands by now: where one of them
 * fails the law still knows what the person said, and carries it out at the next look.
 */
static struct order_answer commit(struct stage *stage, const struct order *order,
    struct stage_opened *o, enum spool_state to, int64_t due)
{
	struct order_answer a = {.result = ORDER_DONE, .state = to};
	struct leg_name target = o->leg.name;
	char text[NAME_TEXT], id[NAME_TEXT];
	bool same;

	target.due = due;
	name_format(&target, to, text);
	name_format(&target, STATE_NEW, id); /* ID.K */
	/* One hold behind another may end at the same time: then it has its name already. */
	same = to == order->state && strcmp(text, o->text) == 0;
	switch (same ? SPOOL_MOVED : spool_move(&stage->spool, order->state, o->text, to, text)) {
	case SPOOL_MOVED:
		break;
	case SPOOL_MOVE_GONE:
		return gone();
	case SPOOL_MOVE_TAKEN:
		stage_quarantine(stage, order->state, o->text, "second copy");
		return order_no(
		    "a leg of that name stands where it was to go: this one is in bad/");
	case SPOOL_MOVE_FAILED:
		LOG_ALARM("move-failed", kv("id", id), kv("from", state_name(order->state)),
		    kv("to", state_name(to)), kv_errno(errno));
		stage_schedule(stage, order->state, &order->name, stage_now(stage) + STAGE_AGAIN);
		a = (struct order_answer){.result = ORDER_UNKNOWN, .state = order->state};
		return a;
	}

	o->leg.name.due = due;
	if (same) /* no rename, and so no event, tells of it */
		stage_schedule(stage, to, &target, due);
	if (!spool_sync(o->fd)) {
		LOG_ALARM("order-unsure", kv("id", id), kv("order", order_word_name(order->word)),
		    kv("state", state_name(to)), kv_errno(errno));
		a.result = ORDER_UNKNOWN;
	}
	log_done(order, id, to);
	return a;
}

struct order_answer order_close(
    struct stage *stage, const struct order *order, struct stage_opened *o, const char *details)
{
	struct plan_step *step = &o->leg.plan.step[o->law.step - o->leg.plan.step];
	struct law next;

	/* Asked before anything is written: what cannot go on is not released. */
	step->closed = true;
	next = law_of(&o->leg, order->state, stage_now(stage));
	step->closed = false;
	if (next.verdict == LAW_STOP)
		return order_no("this version does not know what comes next in its plan");

	if (!stage_close_step(stage, o, details))
		return order_no("its record could not be written: see the log");
	/* Another hold of the same plan: it stays, under the name that says until when. */
	if (next.verdict == LAW_ACT)
		next = (struct law){
		    .state = order->state, .due = law_due(&o->leg, next.step, stage_now(stage))};
	return commit(stage, order, o, next.state, next.due);
}

struct order_answer order_bind(struct stage *stage, const struct order *order,
    struct stage_opened *o, const char *record, enum spool_state to)
{
	if (!stage_append(stage, o, record))
		return order_no("its record could not be written: see the log");
	return commit(stage, order, o, to, DUE_NONE);
}

struct order_answer order_stay(struct stage *stage, const struct order *order,
    struct stage_opened *o, const char *const *record, size_t records, int64_t due)
{
	for (size_t i = 0; i < records; i++) {
		if (!stage_append(stage, o, record[i]))
			return order_no("its record could not be written: see the log");
	}
	return commit(stage, order, o, order->state, due);
}

/* " by=… via=… [reason=…]" */
static void add_who(struct buf *out, const struct order *order)
{
	buf_addf(out, " by=%s via=%s", order->by, order->via);
	if (order->reason[0] != '\0')
		buf_addf(out, " reason=%s", order->reason);
	buf_add(out, "", 1);
}

static struct order_answer release(
    struct stage *stage, const struct order *order, struct stage_opened *o)
{
	struct order_answer a = order_no("no memory");
	struct buf text;

	buf_init(&text, TEXT_ROOM);
	buf_add_text(&text, "ended=released");
	add_who(&text, order);
	if (buf_ok(&text))
		a = order_close(stage, order, o, text.bytes);
	buf_free(&text);
	return a;
}

static struct order_answer discard(
    struct stage *stage, const struct order *order, struct stage_opened *o)
{
	struct order_answer a = order_no("no memory");
	struct buf text;

	buf_init(&text, TEXT_ROOM);
	buf_add_text(&text, "discarded");
	add_who(&text, order);
	if (buf_ok(&text))
		a = order_bind(stage, order, o, text.bytes, STATE_TRASH);
	buf_free(&text);
	return a;
}

/* Adds " rcpt=1,3-5", the open ones. False: there is none. */
static bool add_open(struct buf *out, const struct leg *leg)
{
	const char *before = " rcpt=";

	for (size_t i = 0; i < leg->rcpts; i++) {
		size_t last = i;

		if (leg->rcpt[i].fate != RCPT_OPEN)
			continue;
		while (last + 1 < leg->rcpts && leg->rcpt[last + 1].fate == RCPT_OPEN)
			last++;
		buf_addf(out, "%s%zu", before, i + 1);
		if (last > i)
			buf_addf(out, "-%zu", last + 1);
		before = ",";
		i = last;
	}
	return before[0] == ',';
}

/*
 * Its recipients have failed, as if a server had said so: whoever delivers tells the sender and ends
 * the leg. RFC 3463: 5.0.0, since no server had a say.
 */
static struct order_answer bounce(
    struct stage *stage, const struct order *order, struct stage_opened *o)
{
	static const char reply[] = "returned by the operator";
	struct buf text;
	bool any, done;

	buf_init(&text, RECORD_MAX);
	buf_addf(&text, "failed plan=%s", o->leg.plan.digest);
	any = add_open(&text, &o->leg);
	buf_addf(&text, " status=5.0.0 by=%s via=%s reply=", order->by, order->via);
	buf_add_xtext(&text, reply, sizeof reply - 1);
	buf_add(&text, "", 1);
	done = any && buf_ok(&text) && stage_append(stage, o, text.bytes);
	buf_free(&text);

	if (!any)
		return order_no("no recipient is waiting any more");
	if (!done)
		return order_no("its record could not be written: see the log");
	return commit(stage, order, o, order->state, stage_now(stage));
}

static struct order_answer do_it(
    struct stage *stage, const struct order *order, struct stage_opened *o)
{
	if (stage->role->obey != NULL)
		return stage->role->obey(stage, order, o);
	if (!order_audit(stage, order, &o->leg, order_word_name(order->word)))
		return order_no("the audit cannot be written, so nothing was done: see the log of "
				"seki-audit");
	switch (order->word) {
	case ORDER_RELEASE:
		return release(stage, order, o);
	case ORDER_DISCARD:
		return discard(stage, order, o);
	case ORDER_BOUNCE:
		return bounce(stage, order, o);
	case ORDER_RESTORE:
	case ORDER_APPROVE:
	case ORDER_REJECT:
	case ORDER_EXTEND:
	case ORDER_REMOVE:
	case ORDER_FLUSH:
		break;
	}
	return order_no("this program takes no such order");
}

/* ---- the orders --------------------------------------------------------------------------- */

/* Nothing is written: a domain whose mail is tried too early is tried again. */
static struct order_answer flush(struct stage *stage, const struct order *order)
{
	struct order_answer a = {.result = ORDER_DONE, .state = STATE_DELIVER, .counted = true};

	if (stage->role->flush == NULL)
		return order_no("this program takes no such order");
	a.legs = stage->role->flush(stage, order->domain);
	LOG("flushed", kv("domain", order->domain), kv_num("legs", (int64_t)a.legs),
	    kv("by", order->by), kv("via", order->via));
	return a;
}

struct order_answer order_carry_out(struct stage *stage, const struct order *order)
{
	const struct stage_order *row = known(stage->role, order);
	struct order_answer a;
	struct stage_opened o;

	if (order->word == ORDER_FLUSH)
		return flush(stage, order);
	if (row == NULL)
		return order_no("this program takes no such order there");
	if (row->why_not != NULL)
		return order_no(row->why_not);
	if (stage->role->in_hand != NULL && stage->role->in_hand(stage, &order->name)) {
		if (stage->role->let_go != NULL)
			stage->role->let_go(stage, &order->name);
		return busy("it is being sent");
	}

	if (!open_leg(stage, order, &o, &a))
		return a;
	if (belongs_here(stage, order, &o, &a))
		a = do_it(stage, order, &o);
	leg_free(&o.leg);
	(void)close(o.fd);
	return a;
}
