/* The plan of a recipient: its outcome, as the lines that stages carry out (queue/plan.h). */
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/xtext.h"
#include "lib/policy/inside.h"
#include "lib/policy/window.h"

struct writing {
	struct judging *j;
	struct outcome *o;
	size_t rcpt;
	bool rules;
	struct buf *plan;
};

const char *live_where(struct judging *j, struct live *live)
{
	struct buf where;

	if (live->where != NULL)
		return live->where;
	buf_init(&where, SIZE_MAX);
	buf_add_xtext(&where, live->rule->file, strlen(live->rule->file));
	buf_addf(&where, ":%u", live->rule->line);
	if (!buf_ok(&where))
		j->failed = true;
	else
		live->where = judge_text(j, where.bytes, where.len);
	buf_free(&where);
	return live->where != NULL ? live->where : "";
}

static void end_line(struct writing *w, struct live *live)
{
	if (w->rules)
		buf_addf(w->plan, " rule=%s", live_where(w->j, live));
	buf_add_text(w->plan, "\n");
}

static void add_text(struct writing *w, const char *text)
{
	buf_add_xtext(w->plan, text, strlen(text));
}

static void add_time(struct writing *w, int64_t time)
{
	char text[CLOCK_TEXT];

	clock_format(time, text);
	buf_add_text(w->plan, text);
}

/* When the sender is told of it, if a rule says so. */
static void add_notice(struct writing *w)
{
	static const char *const words[] = {[TELL_NEVER] = "never",
	    [TELL_DIGEST] = "digest",
	    [TELL_RISKY] = "risky",
	    [TELL_ALWAYS] = "always"};
	const struct rule_action *notice = w->o->choice[FUNCTION_NOTICE].action;

	if (notice != NULL)
		buf_addf(w->plan, " notice=%s", words[notice->notice]);
}

static const struct rule_action *decided(const struct writing *w, enum policy_function function)
{
	return w->o->choice[function].action;
}

/* ---- approve ------------------------------------------------------------------------------ */

static bool is_sender(const struct judging *j, const char *address)
{
	const struct subject *s = &j->sender;

	return strcmp(address, s->address) == 0 || strcmp(address, s->own) == 0 ||
	       strcmp(address, s->plain) == 0;
}

/* Whether there is somebody: nobody approves what he has written himself. */
static bool has_approver(const struct judging *j, const struct rule_approver *who)
{
	if (who->kind == APPROVER_BOSS)
		return j->bosses > 0;
	return who->kind == APPROVER_GROUP || !is_sender(j, who->text);
}

/* The first of those who approve who is not there; NULL: all are. */
static const struct rule_approver *missing_approver(const struct writing *w)
{
	const struct rule_action *approve = decided(w, FUNCTION_APPROVE);

	if (approve == NULL || !approve->yes)
		return NULL;
	for (size_t i = 0; i < approve->approvers; i++) {
		if (!has_approver(w->j, &approve->approver[i]))
			return &approve->approver[i];
	}
	return NULL;
}

static void add_approver(struct writing *w, const struct rule_approver *who)
{
	switch (who->kind) {
	case APPROVER_BOSS:
		for (size_t i = 0; i < w->j->bosses; i++) {
			buf_add_text(w->plan, i == 0 ? "boss:" : ",");
			add_text(w, w->j->boss[i]);
		}
		return;
	case APPROVER_ADDRESS:
		buf_add_text(w->plan, "address:");
		break;
	case APPROVER_GROUP:
		if (who->n > 1)
			buf_addf(w->plan, "%u:", who->n);
		else
			buf_add_text(w->plan, "any:");
		break;
	}
	add_text(w, who->text);
}

/* For whoever is missing the operator has been asked already. */
static void add_approve(struct writing *w)
{
	const struct choice *c = &w->o->choice[FUNCTION_APPROVE];
	size_t said = 0;

	if (c->action == NULL || !c->action->yes)
		return;
	for (size_t i = 0; i < c->action->approvers; i++) {
		if (!has_approver(w->j, &c->action->approver[i]))
			continue;
		buf_add_text(w->plan, said++ == 0 ? " approve by=" : " then=");
		add_approver(w, &c->action->approver[i]);
	}
	if (said == 0)
		return;
	add_notice(w);
	end_line(w, c->live);
}

/* ---- hold --------------------------------------------------------------------------------- */

static bool is_for_operator(const struct writing *w)
{
	const struct rule_action *hold = decided(w, FUNCTION_HOLD);

	return hold != NULL && (hold->hold == HOLD_OPERATOR ||
				   (hold->hold == HOLD_UNTIL && hold_until(w->j, hold) < 0));
}

static void add_hold_time(struct writing *w, const struct rule_action *hold, int64_t time)
{
	buf_addf(w->plan, " hold %s=", hold->discard ? "discard" : "until");
	add_time(w, time);
}

static void add_hold(struct writing *w, bool operator_first)
{
	const struct choice *c = &w->o->choice[FUNCTION_HOLD];

	if (c->action == NULL || c->action->hold == HOLD_NO)
		return;
	if (is_for_operator(w)) {
		if (operator_first)
			return;
		buf_add_text(w->plan, " hold operator why=rule");
		end_line(w, c->live);
		return;
	} else if (c->action->hold == HOLD_FOR) {
		if (c->action->span == 0)
			return;
		add_hold_time(w, c->action, w->j->c->since + c->action->span);
	} else if (c->action->hold == HOLD_UNTIL) {
		add_hold_time(w, c->action, hold_until(w->j, c->action));
	} else {
		buf_addf(w->plan, c->action->discard ? " hold discard=%s" : " hold %s",
		    c->action->hold == HOLD_CHECKED ? "checked" : "confirmed");
	}
	add_notice(w);
	end_line(w, c->live);
}

/*
 * The last thing it waits for: an hour in which it may leave. More hours than a plan can tell are for
 * the operator.
 */
static void add_hours(struct writing *w)
{
	struct buf window;
	struct live *live;

	buf_init(&window, WINDOW_TEXT_MAX);
	live = add_window(w->j, w->rcpt, &window);
	if (live != NULL && buf_ok(&window)) {
		buf_add_text(w->plan, " hold window=");
		buf_add(w->plan, window.bytes, window.len);
		end_line(w, live);
	} else if (live != NULL) {
		buf_add_text(w->plan, " hold operator why=plan reason=window");
		end_line(w, live);
	}
	buf_free(&window);
}

/* The rule that would have the boss told of it, if there is none; else NULL. */
static struct live *missing_boss(const struct writing *w)
{
	for (const struct addition *a = w->o->additions; a != NULL; a = a->next) {
		bool copies =
		    a->action->function == FUNCTION_ADD_BCC || a->action->function == FUNCTION_COPY;

		if (copies && a->action->who.kind == WHO_BOSS && w->j->bosses == 0)
			return a->live;
	}
	return NULL;
}

/* What an operator is to look at first of all, the worst. */
static bool add_operator_first(struct writing *w)
{
	struct operator_wish wish = {.why = NULL};
	struct live *live = w->o->pending;
	const struct rule_approver *missing = missing_approver(w);

	if (live != NULL) {
		wish = (struct operator_wish){.why = "facts", .reason = w->o->reason};
	} else if (missing != NULL) {
		live = w->o->choice[FUNCTION_APPROVE].live;
		wish.why = missing->kind == APPROVER_BOSS ? "no-boss" : "no-approver";
	} else if ((live = missing_boss(w)) != NULL) {
		wish.why = "no-boss";
	} else if (is_for_operator(w) && wants_operator(w->j->c)) {
		/* Somebody else asks for one, too: both are one step. */
		live = w->o->choice[FUNCTION_HOLD].live;
		wish.why = "rule";
	}
	if (live != NULL && w->rules)
		wish.where = live_where(w->j, live);
	return add_operator(w->plan, w->j->c, &wish);
}

/* ---- encrypt ------------------------------------------------------------------------------ */

static void add_password(struct writing *w)
{
	const struct rule_action *password = decided(w, FUNCTION_PASSWORD);

	if (password == NULL || password->text == NULL)
		return;
	buf_add_text(w->plan, " password=");
	add_text(w, password->text);
}

static void add_files(struct writing *w)
{
	const struct choice *c = &w->o->choice[FUNCTION_FILES];
	const struct rule_action *a = c->action;

	if (a == NULL || (a->files != FILES_ZIP && a->files != FILES_LINK))
		return;
	if (a->files == FILES_ZIP) {
		buf_add_text(w->plan, " encrypt zip");
		if (a->zip != ZIP_DEFAULT)
			buf_addf(w->plan, " method=%s", a->zip == ZIP_AES ? "aes" : "zipcrypto");
		if (a->twice)
			buf_add_text(w->plan, " twice=yes");
		if (a->suffix != NULL) {
			buf_add_text(w->plan, " as=");
			add_text(w, a->suffix);
		}
	} else {
		buf_add_text(w->plan, " encrypt link");
		if (a->span > 0)
			buf_addf(w->plan, " for=%lld", (long long)(a->span / CLOCK_SECOND));
		if (a->times > 0)
			buf_addf(w->plan, " times=%u", a->times);
	}
	add_password(w);
	end_line(w, c->live);
}

const struct choice *bcc_of_all(const struct judging *j)
{
	const struct choice *most = NULL;

	for (size_t i = 0; i < j->c->leg->rcpts; i++) {
		const struct choice *c = &j->outcome[i].choice[FUNCTION_BCC];

		if (c->live != NULL && (most == NULL || c->rank > most->rank))
			most = c;
	}
	return most;
}

static void add_bcc(struct writing *w)
{
	static const char *const words[] = {
	    [BCC_EXTERNAL] = "external", [BCC_ALL] = "all", [BCC_EACH] = "each"};
	const struct choice *c = w->j->bcc;

	if (c == NULL || c->action->bcc == BCC_NO)
		return;
	buf_addf(w->plan, " encrypt bcc=%s", words[c->action->bcc]);
	end_line(w, c->live);
}

static bool find_recipient(const struct judging *j, const char *address)
{
	for (size_t i = 0; i < j->c->leg->rcpts; i++) {
		if (strcmp(j->rcpt[i].address, address) == 0 ||
		    strcmp(j->rcpt[i].own, address) == 0)
			return true;
	}
	return false;
}

/* Each recipient's plan asks about the same few. */
static bool is_recipient(struct judging *j, const char *address)
{
	size_t i = 0;

	while (i < j->askeds && j->asked[i].address != address)
		i++;
	if (i < j->askeds)
		return j->asked[i].is;
	if (j->askeds < COUNT_OF(j->asked))
		j->askeds++;
	else
		i--;
	j->asked[i].address = address;
	return j->asked[i].is = find_recipient(j, address);
}

static void add_whom(
    struct writing *w, const char *key, struct live *live, const char *kind, const char *address)
{
	buf_addf(w->plan, " encrypt %s=%s", key, kind);
	add_text(w, address);
	end_line(w, live);
}

static void add_copy(struct writing *w, const struct addition *add, const char *key, bool once)
{
	const struct rule_who *who = &add->action->who;

	if (who->kind == WHO_GROUP) {
		add_whom(w, key, add->live, "group:", who->text);
	} else if (who->kind != WHO_BOSS) {
		if (!once || !is_recipient(w->j, who->text))
			add_whom(w, key, add->live, "", who->text);
	} else {
		for (size_t i = 0; i < w->j->bosses; i++) {
			if (!once || !is_recipient(w->j, w->j->boss[i]))
				add_whom(w, key, add->live, "", w->j->boss[i]);
		}
	}
}

static void add_insert(struct writing *w, const struct addition *add)
{
	static const char *const where[] = {
	    [INSERT_TOP] = "top", [INSERT_END] = "end", [INSERT_HISTORY] = "history"};

	buf_addf(w->plan, " encrypt insert=%s", where[add->action->insert]);
	if (add->action->insert != INSERT_HISTORY && add->action->text != NULL) {
		buf_add_text(w->plan, " text=");
		add_text(w, add->action->text);
	}
	end_line(w, add->live);
}

static void add_addition(struct writing *w, const struct addition *add)
{
	enum policy_function function = add->action->function;

	if (function == FUNCTION_INSERT) {
		add_insert(w, add);
	} else if (function == FUNCTION_ADD_BCC) {
		add_copy(w, add, "add-bcc", true);
	} else if (function == FUNCTION_COPY) {
		add_copy(w, add, "copy", false);
	} else if (function == FUNCTION_ARCHIVE) {
		buf_add_text(w->plan, " encrypt archive");
		end_line(w, add->live);
	}
}

/* Two rules that say the same are one step. */
static bool is_said(const struct outcome *o, const struct addition *add)
{
	for (const struct addition *a = o->additions; a != add; a = a->next) {
		if (a->action->function == add->action->function &&
		    strcmp(a->action->written, add->action->written) == 0)
			return true;
	}
	return false;
}

static void add_additions(struct writing *w)
{
	static const enum policy_function order[] = {
	    FUNCTION_INSERT, FUNCTION_ADD_BCC, FUNCTION_COPY, FUNCTION_ARCHIVE};

	for (size_t i = 0; i < COUNT_OF(order); i++) {
		for (const struct addition *a = w->o->additions; a != NULL; a = a->next) {
			if (a->action->function == order[i] && !is_said(w->o, a))
				add_addition(w, a);
		}
	}
}

/* ---- stagger, deliver --------------------------------------------------------------------- */

static void add_stagger(struct writing *w)
{
	const struct choice *c = &w->o->choice[FUNCTION_STAGGER];

	if (c->action == NULL || !c->action->yes || c->action->span == 0)
		return;
	buf_addf(w->plan, " stagger wait=%lld", (long long)(c->action->span / CLOCK_SECOND));
	end_line(w, c->live);
}

static void add_deliver(struct writing *w)
{
	const struct rule_action *tls = decided(w, FUNCTION_TLS);
	const struct rule_action *sign = decided(w, FUNCTION_SIGN);
	const struct rule_action *route = decided(w, FUNCTION_ROUTE);

	buf_add_text(w->plan, " deliver");
	if (tls != NULL)
		buf_addf(w->plan, " tls=%s else=%s", policy_tls_word(tls->tls),
		    tls->otherwise == ELSE_LINK ? "link" : "hold");
	if (sign != NULL && sign->text != NULL) {
		buf_add_text(w->plan, " sign=");
		add_text(w, sign->text);
	}
	if (route != NULL && route->text != NULL) {
		buf_add_text(w->plan, " route=");
		add_text(w, route->text);
	}
	buf_add_text(w->plan, "\n");
}

/* ---- all of it ---------------------------------------------------------------------------- */

static size_t lines_in(const struct buf *plan)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->len; i++)
		n += plan->bytes[i] == '\n';
	return n;
}

/*
 * More steps than a plan can have. It is held for the operator, and what did not fit stands as a step
 * that no stage knows how to take: a release does not send the mail without it.
 */
static void cut_steps(struct writing *w, size_t lines)
{
	static const struct operator_wish wish = {.why = "plan", .reason = "steps"};
	const char *first = w->plan->bytes, *at;
	struct buf whole;
	size_t kept = 0;

	if (!buf_ok(w->plan) || lines <= PLAN_STEPS_MAX)
		return;
	whole = *w->plan;
	buf_init(w->plan, whole.bound);
	(void)add_operator(w->plan, w->j->c, &wish);
	/* The operator's own line, an unknown step and "deliver" are three. */
	if (strncmp(first, " hold operator", strlen(" hold operator")) == 0)
		first = strchr(first, '\n') + 1;
	for (at = first; kept < PLAN_STEPS_MAX - 3; kept++)
		at = strchr(at, '\n') + 1;
	buf_add(w->plan, first, (size_t)(at - first));
	buf_addf(w->plan, " encrypt unplanned=%zu\n", lines - kept);
	buf_free(&whole);
	add_deliver(w);
}

void write_plan(struct judging *j, size_t rcpt, bool rules, struct buf *plan)
{
	struct writing w = {
	    .j = j, .o = &j->outcome[rcpt], .rcpt = rcpt, .rules = rules, .plan = plan};
	static const struct operator_wish nobody = {NULL, NULL, NULL};
	bool operator_first;

	if (j->watch) {
		(void)add_operator(plan, j->c, &nobody);
		buf_add_text(plan, " deliver\n");
		return;
	}
	operator_first = add_operator_first(&w);
	add_approve(&w);
	add_hold(&w, operator_first);
	if (j->lates > 0 && (operator_first || outcome_is_late(j, w.o)))
		add_hours(&w);
	add_files(&w);
	add_bcc(&w);
	add_additions(&w);
	add_stagger(&w);
	add_deliver(&w);
	buf_add(plan, "", 1); /* so that it can be searched as a text */
	if (buf_ok(plan))
		plan->len--;
	cut_steps(&w, buf_ok(plan) ? lines_in(plan) : 0);
}
