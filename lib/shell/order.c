/*
 * release, discard, restore, approve, reject, extend, remove-recipient and bounce: a person's orders about
 * mail that waits, carried out by the stage that has it.
 */
#include "lib/shell/shell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/xtext.h"
#include "lib/shell/chosen.h"
#include "lib/shell/moment.h"
#include "lib/shell/since.h"
#include "lib/shell/tell.h"
#include "lib/shell/waiting.h"

#define REASON_MAX ((size_t)500) /* bytes, as it is given */

struct ordering {
	const struct instance *in;
	struct out out;
	struct order order; /* all but state and name */
	int64_t longer;     /* extend by so many microseconds; 0: to order.until */
	struct chosen chosen;
	char id[ID_TEXT];  /* the message whose legs are being dealt with */
	bool done, passed; /* one of them was; one has passed already, as a colleague's has */
	int code;
};

/* What each word is called, what became of the leg, and in which states it is meant. */
static const struct {
	const char *verb, *result;
	unsigned states;
} words[] = {
    [ORDER_RELEASE] = {"release", "released", STATE_BIT(STATE_HOLD)},
    [ORDER_DISCARD] = {"discard", "discarded", STATE_BIT(STATE_HOLD) | STATE_BIT(STATE_APPROVE)},
    [ORDER_RESTORE] = {"restore", "restored", STATE_BIT(STATE_TRASH)},
    [ORDER_APPROVE] = {"approve", "approved", STATE_BIT(STATE_APPROVE)},
    [ORDER_REJECT] = {"reject", "rejected", STATE_BIT(STATE_APPROVE)},
    [ORDER_EXTEND] = {"extend", "extended", STATE_BIT(STATE_HOLD)},
    [ORDER_REMOVE] = {"remove-recipient", "removed",
	STATE_BIT(STATE_HOLD) | STATE_BIT(STATE_APPROVE)},
    [ORDER_BOUNCE] = {"bounce", "bounced", STATE_BIT(STATE_DELIVER)},
};

/* ---- who does it -------------------------------------------------------------------------- */

/* Of mail that nobody holds any more, or not yet. */
static const char *why_not(enum spool_state state)
{
	switch (state) {
	case STATE_TMP:
	case STATE_NEW:
		return "it is not judged yet: try again in a moment";
	case STATE_APPROVE:
		return "it waits for an approval: seki approve, seki reject";
	case STATE_HOLD:
		return "it needs no approval: seki release lets it go on";
	case STATE_ENCRYPT:
	case STATE_STAGGER:
		return "it is not held, so there is nothing to release: seki why tells what it "
		       "waits for";
	case STATE_DELIVER:
		return "nothing holds it: it waits for its delivery";
	case STATE_SENT:
		return "it was sent";
	case STATE_TRASH:
		return "it is discarded already";
	case STATE_REFUSED:
		return "it was refused";
	case STATE_BAD:
		break;
	}
	return "no program acts on it: see TROUBLE in sekisho(7)";
}

/* Who has the mail of a state and takes this order; NULL: nobody. */
static const char *taker(enum order_word word, enum spool_state state)
{
	bool discard = word == ORDER_DISCARD;

	switch (state) {
	case STATE_APPROVE:
		return word == ORDER_RESTORE || word == ORDER_BOUNCE || word == ORDER_EXTEND
			   ? NULL
			   : "seki-hold";
	case STATE_HOLD:
		return word == ORDER_RELEASE || word == ORDER_EXTEND || word == ORDER_REMOVE ||
			       discard
			   ? "seki-hold"
			   : NULL;
	case STATE_TRASH:
		return word == ORDER_RESTORE ? "seki-hold" : NULL;
	case STATE_DELIVER:
		return word == ORDER_BOUNCE || discard ? "seki-deliver" : NULL;
	case STATE_ENCRYPT:
		return discard ? "seki-encrypt" : NULL;
	case STATE_STAGGER:
		return discard ? "seki-stagger" : NULL;
	case STATE_TMP:
	case STATE_NEW:
	case STATE_SENT:
	case STATE_REFUSED:
	case STATE_BAD:
		break;
	}
	return NULL;
}

/* Who carries it out; NULL: nobody, and `*instead` says what else to do. */
static const char *program_of(enum order_word word, enum spool_state state, const char **instead)
{
	const char *program = taker(word, state);

	*instead = "";
	if (program != NULL)
		return program;
	*instead = why_not(state);
	if (word == ORDER_BOUNCE && (STATES_ACTIVE & STATE_BIT(state)) != 0)
		*instead = "only mail in deliver/ can be returned to its sender";
	else if (word == ORDER_RESTORE && (STATES_ACTIVE & STATE_BIT(state)) != 0)
		*instead = "it is not discarded, so there is nothing to bring back";
	return NULL;
}

/*
 * What was sent before is no failure as long as there was something left of the message: a colleague's leg
 * is never in question.
 */
static void settle(struct ordering *o)
{
	if (o->passed && !o->done)
		o->code = worse(o->code, EXIT_NO);
	o->passed = o->done = false;
}

static void begin_message(struct ordering *o, const char *id)
{
	if (strcmp(o->id, id) == 0)
		return;
	settle(o);
	(void)snprintf(o->id, sizeof o->id, "%s", id);
}

/* ---- what became of it -------------------------------------------------------------------- */

static void put(struct ordering *o, const struct names *names, const struct entry *e,
    const char *result, enum spool_state state, const char *why)
{
	out_text(&o->out, "leg", entry_leg(names, e));
	out_text(&o->out, "result", result);
	out_text(&o->out, "state", state_name(state));
	if (why[0] != '\0')
		out_text(&o->out, "why", why);
	else
		out_none(&o->out, "why");
	out_end(&o->out);
}

static enum visit put_no(
    struct ordering *o, const struct names *names, const struct entry *e, const char *why)
{
	put(o, names, e, "no", e->state, why);
	o->code = worse(o->code, EXIT_NO);
	return VISIT_DONE;
}

/* An answer that was lost may have been a yes: that is never told as a no. */
static enum visit answered(struct ordering *o, const struct names *names, const struct entry *e,
    enum told told, const struct order_answer *a)
{
	if (told == TOLD_NOBODY) {
		o->code = EXIT_ENVIRON;
		return VISIT_STOP;
	}
	if (told == TOLD_UNANSWERED) {
		put(o, names, e, "unknown", e->state, "no answer: list it again");
		o->code = EXIT_ENVIRON;
		return VISIT_DONE;
	}
	switch (a->result) {
	case ORDER_GONE:
		return VISIT_GONE;
	case ORDER_DONE:
		put(o, names, e, words[o->order.word].result, a->state, "");
		o->done = true;
		return VISIT_DONE;
	case ORDER_NO:
		return put_no(o, names, e, a->why);
	case ORDER_UNKNOWN:
		break;
	}
	put(o, names, e, "unknown", a->state, "it may not outlive a crash: see the log");
	o->code = EXIT_ENVIRON;
	return VISIT_DONE;
}

/* ---- one leg ------------------------------------------------------------------------------ */

/*
 * "+30m" is longer than the leg would have been held, which stands in the leg alone: its name may carry the
 * time of a warning. VISIT_DONE: order.until is right. Else what has been told already.
 */
static bool lengthen(
    struct ordering *o, const struct names *names, const struct entry *e, enum visit *visit)
{
	int64_t now = clock_wall(), until;
	struct found f;

	*visit = VISIT_DONE;
	switch (found_open(o->in, names, e, &f)) {
	case FOUND_GONE:
		*visit = VISIT_GONE;
		return false;
	case FOUND_FAILED:
		o->code = EXIT_ENVIRON;
		return false;
	case FOUND_FOREIGN:
		*visit = put_no(o, names, e, "it is no leg of the spool's users");
		return false;
	case FOUND:
		break;
	}
	until = f.read ? waiting_until(&f.leg) : 0;
	found_close(&f);
	if (until == 0) {
		*visit = put_no(o, names, e, "no time ends its hold, so there is none to extend");
		return false;
	}
	if (until < now)
		until = now;
	if (!__builtin_add_overflow(until, o->longer, &o->order.until))
		return true;
	*visit = put_no(o, names, e, "that is beyond all times");
	return false;
}

static enum visit order_leg(
    void *context, const struct names *names, const struct entry *e, size_t nth)
{
	struct ordering *o = context;
	struct order_answer answer;
	const char *instead, *program = program_of(o->order.word, e->state, &instead);
	enum visit visit;
	enum told told;

	(void)nth;
	if (e->foreign || !name_parse(entry_name(names, e), &o->order.name))
		return put_no(o, names, e, instead);
	begin_message(o, o->order.name.id);
	if (program == NULL && e->state == STATE_SENT) {
		put(o, names, e, "no", e->state, instead);
		o->passed = true;
		return VISIT_DONE;
	}
	if (program == NULL)
		return put_no(o, names, e, instead);
	if (o->longer > 0 && !lengthen(o, names, e, &visit))
		return visit;
	o->order.state = e->state;
	told = tell_stage(program, &o->order, &answer);
	return answered(o, names, e, told, &answer);
}

/* ---- what is asked ------------------------------------------------------------------------ */

static int take_reason(struct order *order, const char *text)
{
	size_t len = strlen(text);

	if (len > REASON_MAX)
		return complain_usage("--reason: at most %zu bytes", REASON_MAX);
	order->reason[xtext_encode_cut(text, len, order->reason, ORDER_REASON_MAX)] = '\0';
	return EXIT_FINE;
}

/* "+30m", or a moment of the site's. */
static int take_until(struct ordering *o, const char *text)
{
	o->longer = text[0] == '+' ? span_parse(text + 1) : 0;
	o->order.until = text[0] == '+' ? 0 : moment_parse(text);
	if (text[0] == '+' && o->longer > 0)
		return EXIT_FINE;
	if (text[0] != '+' && o->order.until > clock_wall() &&
	    o->order.until / CLOCK_SECOND < DUE_NEVER)
		return EXIT_FINE;
	return complain_usage("extend until when? +30m, +2h, +1d, or a moment that is to come: "
			      "2026-11-22T18:30");
}

/* The recipient; a filter without --to means mail that has him. */
static int take_recipient(struct ordering *o, char *text)
{
	char option[] = "--to";
	char *words_of[] = {option, text};
	char *at = strchr(text, '@');
	int where = 0;
	size_t n;

	if (at == NULL || at == text || at[1] == '\0')
		return complain_usage("remove-recipient whom? ADDRESS ID...");
	n = xtext_encode_cut(text, strlen(text), o->order.rcpt, ORDER_RCPT_MAX);
	o->order.rcpt[n] = '\0';
	if (!o->chosen.filter.any || o->chosen.filter.to.set)
		return EXIT_FINE;
	return filter_option(&o->chosen.filter, 2, words_of, &where);
}

static int take_arguments(struct ordering *o, int argc, char **argv)
{
	enum order_word word = o->order.word;
	char *object = NULL, *value = NULL;

	for (int i = 0; i < argc; i++) {
		bool first = (word == ORDER_EXTEND || word == ORDER_REMOVE) && object == NULL;
		int code;

		if (first && argv[i][0] != '-') {
			object = argv[i];
			continue;
		}
		if (option_value(argc, argv, &i, "reason", &value))
			code = value != NULL ? take_reason(&o->order, value) : EXIT_USAGE;
		else
			code = chosen_argument(&o->chosen, argc, argv, &i);
		if (code == EXIT_NO) {
			complain_about(argv[i],
			    "%s knows --reason TEXT, --yes, and " FILTER_OPTIONS, words[word].verb);
			code = EXIT_USAGE;
		}
		if (code != EXIT_FINE)
			return code;
	}
	if (word == ORDER_EXTEND)
		return take_until(o, object != NULL ? object : "");
	if (word == ORDER_REMOVE) {
		char none[] = "";

		return take_recipient(o, object != NULL ? object : none);
	}
	return EXIT_FINE;
}

/* ---- all of them -------------------------------------------------------------------------- */

static int carry_out(struct ordering *o, const struct shell *sh)
{
	struct instance in;
	int code = instance_open(&in);

	if (code != EXIT_FINE)
		return code;
	o->in = &in;
	code = chosen_settle(&o->chosen, &in);
	if (code == EXIT_FINE) {
		out_open(&o->out, sh, "LEG\tRESULT\tSTATE\tWHY");
		code = legs_named(&in, o->chosen.ids, o->chosen.id, order_leg, o);
		settle(o);
		code = out_close(&o->out, worse(code, o->code));
	}
	instance_close(&in);
	return code;
}

static int give_orders(const struct shell *sh, enum order_word word, int argc, char **argv)
{
	struct ordering o = {.order = order_by_us(word), .code = EXIT_FINE};
	char **room = reallocarray(NULL, (size_t)argc + 1, sizeof *room);
	int code;

	chosen_init(&o.chosen, words[word].verb, words[word].states);
	o.chosen.id = room;
	if (room != NULL) {
		code = take_arguments(&o, argc, argv);
	} else {
		complain("no memory");
		code = EXIT_ENVIRON;
	}
	if (code == EXIT_FINE)
		code = carry_out(&o, sh);
	chosen_free(&o.chosen);
	free(room);
	return code;
}

int shell_release(const struct shell *sh, int argc, char **argv)
{
	return give_orders(sh, ORDER_RELEASE, argc, argv);
}

int shell_discard(const struct shell *sh, int argc, char **argv)
{
	return give_orders(sh, ORDER_DISCARD, argc, argv);
}

int shell_restore(const struct shell *sh, int argc, char **argv)
{
	return give_orders(sh, ORDER_RESTORE, argc, argv);
}

int shell_approve(const struct shell *sh, int argc, char **argv)
{
	return give_orders(sh, ORDER_APPROVE, argc, argv);
}

int shell_reject(const struct shell *sh, int argc, char **argv)
{
	return give_orders(sh, ORDER_REJECT, argc, argv);
}

int shell_extend(const struct shell *sh, int argc, char **argv)
{
	return give_orders(sh, ORDER_EXTEND, argc, argv);
}

int shell_remove_recipient(const struct shell *sh, int argc, char **argv)
{
	return give_orders(sh, ORDER_REMOVE, argc, argv);
}

int shell_bounce(const struct shell *sh, int argc, char **argv)
{
	return give_orders(sh, ORDER_BOUNCE, argc, argv);
}
