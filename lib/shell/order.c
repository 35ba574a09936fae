/* release, discard and bounce: a person's orders about mail that waits, carried out by its stage. */
#include "lib/shell/shell.h"

#include "lib/base/die.h"
#include "lib/shell/legs.h"
#include "lib/shell/tell.h"

struct ordering {
	struct out out;
	struct order order; /* all but state and name */
	int code;
};

/* ---- one leg ------------------------------------------------------------------------------ */

/* Who carries out orders in that state; NULL: nobody, and `*instead` says what else to do. */
static const char *program_of(enum order_word word, enum spool_state state, const char **instead)
{
	*instead = "";
	if (word == ORDER_BOUNCE && (STATES_ACTIVE & STATE_BIT(state)) != 0 &&
	    state != STATE_DELIVER) {
		*instead = "only mail in deliver/ can be returned to its sender";
		return NULL;
	}
	switch (state) {
	case STATE_APPROVE:
	case STATE_HOLD:
		return "seki-hold";
	case STATE_DELIVER:
		if (word == ORDER_DISCARD || word == ORDER_BOUNCE)
			return "seki-deliver";
		*instead = "nothing holds it: it waits for its delivery";
		return NULL;
	case STATE_TMP:
	case STATE_NEW:
		*instead = "it is not judged yet: try again in a moment";
		return NULL;
	case STATE_ENCRYPT:
	case STATE_STAGGER:
		if (word == ORDER_DISCARD)
			return state == STATE_ENCRYPT ? "seki-encrypt" : "seki-stagger";
		*instead = "it is not held, so there is nothing to release: seki why tells what it "
			   "waits for";
		return NULL;
	case STATE_SENT:
		*instead = "it was sent";
		return NULL;
	case STATE_TRASH:
		*instead = "it is discarded already";
		return NULL;
	case STATE_REFUSED:
		*instead = "it was refused";
		return NULL;
	case STATE_BAD:
		break;
	}
	*instead = "no program acts on it: see TROUBLE in sekisho(7)";
	return NULL;
}

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

/* An answer that was lost may have been a yes: that is never told as a no. */
static enum visit answered(struct ordering *o, const struct names *names, const struct entry *e,
    enum told told, const struct order_answer *a)
{
	static const char *const results[] = {[ORDER_RELEASE] = "released",
	    [ORDER_DISCARD] = "discarded",
	    [ORDER_BOUNCE] = "bounced"};

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
		put(o, names, e, results[o->order.word], a->state, "");
		return VISIT_DONE;
	case ORDER_NO:
		put(o, names, e, "no", e->state, a->why);
		o->code = worse(o->code, EXIT_NO);
		return VISIT_DONE;
	case ORDER_UNKNOWN:
		break;
	}
	put(o, names, e, "unknown", a->state, "it may not outlive a crash: see the log");
	o->code = EXIT_ENVIRON;
	return VISIT_DONE;
}

static enum visit order_leg(
    void *context, const struct names *names, const struct entry *e, size_t nth)
{
	struct ordering *o = context;
	struct order_answer answer;
	const char *instead, *program = program_of(o->order.word, e->state, &instead);
	enum told told;

	(void)nth;
	if (program == NULL || e->foreign || !name_parse(entry_name(names, e), &o->order.name)) {
		put(o, names, e, "no", e->state, instead);
		o->code = worse(o->code, EXIT_NO);
		return VISIT_DONE;
	}
	o->order.state = e->state;
	told = tell_stage(program, &o->order, &answer);
	return answered(o, names, e, told, &answer);
}

static int give_orders(const struct shell *sh, enum order_word word, int argc, char **argv)
{
	struct ordering o = {.order = order_by_us(word), .code = EXIT_FINE};
	struct instance in;
	int code;

	if (argc == 0)
		return complain_usage("which mail? ID, ID.K, or - for ids on standard input");
	code = instance_open(&in);
	if (code != EXIT_FINE)
		return code;
	out_open(&o.out, sh, "LEG\tRESULT\tSTATE\tWHY");
	code = legs_named(&in, argc, argv, order_leg, &o);
	instance_close(&in);
	return out_close(&o.out, worse(code, o.code));
}

int shell_release(const struct shell *sh, int argc, char **argv)
{
	return give_orders(sh, ORDER_RELEASE, argc, argv);
}

int shell_discard(const struct shell *sh, int argc, char **argv)
{
	return give_orders(sh, ORDER_DISCARD, argc, argv);
}

int shell_bounce(const struct shell *sh, int argc, char **argv)
{
	return give_orders(sh, ORDER_BOUNCE, argc, argv);
}
