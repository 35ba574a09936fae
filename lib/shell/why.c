/* why: what was decided for each recipient, by which line of which file, and when mail leaves or left. */
#include "lib/shell/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/xtext.h"
#include "lib/org/compile.h"
#include "lib/org/org.h"
#include "lib/shell/fate.h"
#include "lib/shell/history.h"
#include "lib/shell/legs.h"
#include "lib/shell/moment.h"
#include "lib/shell/verdict.h"
#include "lib/shell/why_records.h"
#include "queue/intake.h"

struct explaining {
	const struct instance *in;
	struct out out;
	struct org *org; /* the organisation as `digest` had it; NULL: there is none */
	char name[COMPILED_NAME];
	size_t shown;
	int code;
};

/* ---- the organisation --------------------------------------------------------------------- */

/* As it was when the leg was judged, if that is kept, or as it is now. */
static void open_org(struct explaining *x, const struct why_records *w)
{
	char name[COMPILED_NAME], path[sizeof COMPILED + COMPILED_NAME];
	int dir;

	if (w->rules == NULL || w->org == NULL)
		return;
	(void)snprintf(name, sizeof name, "%.16s-%.16s", w->rules, w->org);
	if (strchr(name, '/') != NULL || (x->org != NULL && strcmp(name, x->name) == 0))
		return;
	org_close(x->org);
	x->org = NULL;
	(void)snprintf(x->name, sizeof x->name, "%s", name);
	(void)snprintf(path, sizeof path, COMPILED "/%s", name);
	for (int i = 0; i < 2 && x->org == NULL; i++) {
		dir = open(i == 0 ? path : COMPILED_CURRENT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			continue;
		x->org = org_open(dir);
		(void)close(dir);
	}
}

static const char *class_of(const struct explaining *x, const char *address)
{
	char normal[ORG_ADDRESS_MAX];

	if (x->org == NULL)
		return NULL;
	(void)!org_normal(address, normal);
	return policy_class_word(org_class(x->org, normal));
}

/* ---- what became of a recipient ----------------------------------------------------------- */

static void add_time(struct buf *text, int64_t wall)
{
	char moment[MOMENT_TEXT];

	moment_text(wall, moment);
	buf_add_text(text, moment);
}

/* ": " and the value of a record, if it has one. */
static void add_value(struct buf *text, const struct leg_record *record, const char *key)
{
	char *value = why_value(record, key);

	if (value != NULL && value[0] != '\0')
		buf_addf(text, ": %s", value);
	free(value);
}

/* The last record of each of these words, for one recipient after another. */
enum { DELIVERED, DEFERRED, FAILED, BOUNCED, LASTS };
struct lasts {
	struct leg_record *of[LASTS];
};

static bool lasts_read(struct lasts *l, const struct leg *leg)
{
	static const char *const words[LASTS] = {"delivered", "deferred", "failed", "bounced"};
	bool good = true;

	for (size_t i = 0; i < LASTS; i++) {
		l->of[i] = calloc(leg->rcpts, sizeof *l->of[i]);
		if (l->of[i] != NULL)
			leg_last_records(leg, words[i], l->of[i]);
		else
			good = false;
	}
	return good;
}

static void lasts_free(struct lasts *l)
{
	for (size_t i = 0; i < LASTS; i++)
		free(l->of[i]);
}

static void add_ended(
    struct buf *text, const char *word, const struct leg_record *record, const char *key)
{
	buf_add_text(text, word);
	if (record->text == NULL)
		return;
	buf_add_text(text, " ");
	add_time(text, record->time);
	if (key != NULL)
		add_value(text, record, key);
}

static void add_open(struct buf *text, const struct leg *leg, enum spool_state state,
    const struct leg_rcpt *rcpt, const struct leg_record *deferred)
{
	const struct plan_step *step = plan_open_step(&leg->plan);

	if (state == STATE_NEW || step == NULL) {
		buf_add_text(text, "is to be judged");
	} else if (step->word == WORD_DELIVER && plan_step_is(step, "deliver")) {
		if (rcpt->retry <= 0) {
			buf_add_text(text, "is to be delivered now");
			return;
		}
		buf_add_text(text, "next try ");
		add_time(text, rcpt->retry);
		add_value(text, deferred, "reply");
	} else {
		fate_add(text, &leg->plan, leg->amended_until);
	}
}

static void add_fate(struct buf *text, const struct leg *leg, enum spool_state state,
    const struct why_records *w, const struct lasts *lasts, size_t i)
{
	const struct leg_rcpt *rcpt = &leg->rcpt[i];

	if (leg->verdict == LEG_REFUSED) {
		add_ended(text, "refused", &w->refused, "why");
		return;
	}
	if (leg->verdict == LEG_DISCARDED) {
		add_ended(text, "discarded", &w->discarded, "by");
		return;
	}
	switch (rcpt->fate) {
	case RCPT_OPEN:
		add_open(text, leg, state, rcpt, &lasts->of[DEFERRED][i]);
		break;
	case RCPT_DELIVERED:
		add_ended(text, "delivered", &lasts->of[DELIVERED][i], NULL);
		break;
	case RCPT_FAILED:
		add_ended(
		    text, "failed, and its sender is to be told,", &lasts->of[FAILED][i], "reply");
		break;
	case RCPT_BOUNCED:
		add_ended(text, "returned", &lasts->of[BOUNCED][i], NULL);
		add_value(text, &lasts->of[FAILED][i], "reply");
		break;
	case RCPT_DROPPED:
		buf_add_text(text, "taken away by a person");
		break;
	}
}

/* ---- a refusal ---------------------------------------------------------------------------- */

/* What became of one address that a refused message is forwarded to. */
struct forwarding {
	const char *to;
	char *notice;
};

static void see_forwarded(void *context, const struct leg_record *record)
{
	struct forwarding *f = context;
	char *to = why_value(record, "to");

	if (to != NULL && strcmp(to, f->to) == 0) {
		free(f->notice);
		f->notice = why_value(record, "notice");
	}
	free(to);
}

static void add_notice(struct buf *text, const char *notice)
{
	if (notice == NULL || notice[0] == '\0')
		buf_add_text(text, " (still to be made)");
	else
		buf_addf(text, " (notice %s)", notice);
}

/* "forward=A,B": each of them, and the notice that bore it. */
static void add_forwards(struct buf *text, const struct leg *leg, char *addresses)
{
	char *rest = addresses, *one;

	while ((one = strsep(&rest, ",")) != NULL) {
		struct forwarding f = {.to = one};

		if (one[0] == '\0')
			continue;
		why_each(leg, "forwarded", see_forwarded, &f);
		buf_addf(text, "; forwarded to %s", one);
		add_notice(text, f.notice);
		free(f.notice);
	}
}

/* The name of the rule at `where`. */
static const char *name_of(const struct why_records *w, const char *where)
{
	for (size_t i = 0; i < w->n; i++) {
		if (strcmp(w->decision[i].where, where) == 0)
			return w->decision[i].rule;
	}
	return "";
}

/* "the sender is told (notice ID)", and what of it is still to be done. */
static void add_telling(struct buf *text, const struct why_records *w)
{
	char *notice = why_value(&w->told, "notice"), *reason = why_value(&w->told, "reason");

	if (notice != NULL && strcmp(notice, "none") == 0) {
		buf_addf(text, "the sender is not told%s%s",
		    reason != NULL && reason[0] != '\0' ? ": " : "", reason != NULL ? reason : "");
	} else {
		buf_add_text(text, "the sender is told");
		add_notice(text, notice);
	}
	free(notice);
	free(reason);
}

static void add_refusal(struct buf *text, const struct leg *leg, const struct why_records *w)
{
	char *where = why_value(&w->refused, "rule"), *tell = why_value(&w->refused, "tell");
	char *forward = why_value(&w->refused, "forward");

	if (where != NULL && tell != NULL && forward != NULL) {
		buf_addf(text, "refused by %s %s; ", where, name_of(w, where));
		if (strcmp(tell, "sender") == 0)
			add_telling(text, w);
		else
			buf_add_text(text, "nobody is told");
		add_forwards(text, leg, forward);
	}
	free(where);
	free(tell);
	free(forward);
}

/* ---- a leg -------------------------------------------------------------------------------- */

static void print_text(struct out *o, const struct buf *text)
{
	out_visible(o->file, text->bytes, text->len, false);
	(void)fputc('\n', o->file);
}

/* A line of what people did with it since. */
static void print_decision(void *context, int64_t time, const char *said)
{
	struct explaining *x = context;
	struct buf text;

	buf_init(&text, FATE_TEXT);
	add_time(&text, time);
	buf_addf(&text, "  %s", said);
	print_text(&x->out, &text);
	buf_free(&text);
}

/* For people: which leg, by which rules, and what was decided since. */
static void print_heading(struct explaining *x, const char *name, const struct leg *leg,
    enum spool_state state, const struct why_records *w)
{
	struct buf text;

	if (x->out.json)
		return;
	if (x->shown > 0)
		(void)fputc('\n', x->out.file);
	buf_init(&text, FATE_TEXT);
	buf_addf(&text, "%s   from %s, accepted ", name, leg->from[0] != '\0' ? leg->from : "<>");
	add_time(&text, leg->accepted);
	buf_addf(&text, ", in %s/", state_name(state));
	print_text(&x->out, &text);
	buf_clear(&text);
	if (w->judged > 0 && w->rules != NULL) {
		buf_add_text(&text, "judged ");
		add_time(&text, w->judged);
		buf_addf(&text, " by rules %s%s", w->rules,
		    w->watch ? ", watching only: nothing of it was done" : "");
	} else if (intake_is_own(leg->client)) {
		buf_add_text(&text, "the gateway's own mail, which no rule judges");
	} else if (state == STATE_NEW) {
		buf_add_text(&text, "still to be judged");
	} else {
		buf_add_text(&text, "no rules were in force when it was judged");
	}
	print_text(&x->out, &text);
	buf_clear(&text);
	if (w->refused.text != NULL) {
		add_refusal(&text, leg, w);
		print_text(&x->out, &text);
	} else {
		history_each(leg, print_decision, x);
	}
	buf_free(&text);
}

static void print_rcpt(struct explaining *x, const char *name, const struct leg_rcpt *rcpt,
    size_t number, const char *fate, const struct why_records *w, struct verdict_line *line)
{
	struct verdict v = {
	    .key = "leg",
	    .value = name,
	    .address = rcpt->address,
	    .class = class_of(x, rcpt->address),
	    .fate = fate,
	    .line = line,
	};

	for (size_t i = 0; i < w->n; i++) {
		const struct why_decision *d = &w->decision[i];

		if (!why_concerns(d, number))
			continue;
		line[v.lines++] = (struct verdict_line){
		    .function = d->function,
		    .outcome = d->outcome,
		    .where = d->where,
		    .rule = d->rule,
		    .evidence = d->evidence,
		    .would = d->shadow  ? "shadow"
			     : d->watch ? "watch-only"
					: NULL,
		};
	}
	verdict_print(&x->out, &v);
}

static void explain(
    struct explaining *x, const char *name, const struct leg *leg, enum spool_state state)
{
	struct why_records w;
	struct verdict_line *line;
	struct lasts lasts;
	struct buf fate;
	bool good;

	why_records_read(&w, leg);
	line = calloc(w.n + 1, sizeof *line);
	good = lasts_read(&lasts, leg) && line != NULL;
	if (!good || w.failed) {
		complain_about(name, "no memory, or too many records");
		x->code = EXIT_ENVIRON;
	}
	open_org(x, &w);
	buf_init(&fate, FATE_TEXT);
	if (good)
		print_heading(x, name, leg, state, &w);
	for (size_t i = 0; good && i < leg->rcpts; i++) {
		buf_clear(&fate);
		add_fate(&fate, leg, state, &w, &lasts, i);
		buf_add(&fate, "", 1);
		print_rcpt(
		    x, name, &leg->rcpt[i], i + 1, buf_ok(&fate) ? fate.bytes : "", &w, line);
	}
	x->shown++;
	buf_free(&fate);
	lasts_free(&lasts);
	free(line);
	why_records_free(&w);
}

static enum visit explain_leg(
    void *context, const struct names *names, const struct entry *e, size_t nth)
{
	struct explaining *x = context;
	struct found f;
	enum finding finding = found_open(x->in, names, e, &f);

	(void)nth;
	if (finding == FOUND_GONE)
		return VISIT_GONE;
	if (finding != FOUND) {
		if (finding == FOUND_FOREIGN)
			complain_about(entry_name(names, e), "no leg of the spool's users");
		x->code = worse(x->code, finding == FOUND_FAILED ? EXIT_ENVIRON : EXIT_NO);
		return VISIT_DONE;
	}
	if (f.read) {
		explain(x, entry_leg(names, e), &f.leg, e->state);
	} else {
		complain_about(entry_name(names, e), "damaged: %s", f.why);
		x->code = worse(x->code, EXIT_NO);
	}
	found_close(&f);
	return ferror(x->out.file) ? VISIT_STOP : VISIT_DONE;
}

int shell_why(const struct shell *sh, int argc, char **argv)
{
	struct instance in;
	struct explaining x = {.in = &in, .code = EXIT_FINE};
	int code = instance_open(&in);

	if (code != EXIT_FINE)
		return code;
	out_open(&x.out, sh, NULL);
	code = legs_named(&in, argc, argv, explain_leg, &x);
	instance_close(&in);
	org_close(x.org);
	return out_close(&x.out, worse(code, x.code));
}
