#include "lib/shell/shell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/die.h"
#include "lib/shell/legs.h"

struct listing {
	const struct instance *in;
	struct out out;
	size_t lines;
	bool tries; /* nothing but deliver/ is listed: its lines say more */
	int code;
};

static void print(
    struct listing *l, const struct names *names, const struct entry *e, const struct found *f)
{
	leg_fields(&l->out, names, e, f);
	/* In a table every line has the same columns; JSON names them. */
	if (l->tries || (l->out.json && e->state == STATE_DELIVER))
		leg_tries(&l->out, f);
	out_end(&l->out);
	if (l->lines++ == 0)
		(void)fflush(l->out.file); /* the first line shows at once, however many follow */
}

static enum visit line_of(void *context, const struct names *names, const struct entry *e)
{
	struct listing *l = context;
	struct found f;

	/* What stands in bad/ is not opened: nobody knows what it is. */
	if (e->state == STATE_BAD || e->foreign) {
		struct entry raw = *e;

		raw.leg = e->state == STATE_BAD ? e->name : e->leg;
		raw.due = e->state == STATE_BAD ? DUE_NONE : e->due;
		print(l, names, &raw, NULL);
		return VISIT_DONE;
	}

	switch (found_open(l->in, names, e, &f)) {
	case FOUND_GONE:
		return VISIT_GONE;
	case FOUND_FOREIGN:
		complain_about(entry_name(names, e), "is no leg of the spool's users");
		print(l, names, e, NULL);
		return VISIT_DONE;
	case FOUND_FAILED:
		l->code = EXIT_ENVIRON;
		print(l, names, e, NULL);
		return VISIT_DONE;
	case FOUND:
		break;
	}
	if (!f.read)
		complain_about(entry_name(names, e), "is damaged: %s", f.why);
	print(l, names, e, &f);
	found_close(&f);
	return ferror(l->out.file) ? VISIT_STOP : VISIT_DONE;
}

/* The states that the arguments name. False after a complaint. */
static bool states_of(int argc, char **argv, unsigned *states)
{
	static const char *const known[] = {"new", "approve", "hold", "encrypt", "stagger",
	    "deliver", "sent", "trash", "refused", "bad"};
	enum spool_state state;

	*states = argc == 0 ? STATES_ACTIVE : 0;
	for (int i = 0; i < argc; i++) {
		const char *near;

		if (state_by_name(argv[i], &state) && (STATES_LISTED & STATE_BIT(state)) != 0) {
			*states |= STATE_BIT(state);
			continue;
		}
		near = conf_near(argv[i], known, COUNT_OF(known), sizeof known[0]);
		complain_about(argv[i],
		    "no such state%s%s; the states are new approve hold "
		    "encrypt stagger deliver sent trash refused bad",
		    near != NULL ? "; near: " : "", near != NULL ? near : "");
		return false;
	}
	return true;
}

int shell_list(const struct shell *sh, int argc, char **argv)
{
	struct instance in;
	struct listing l = {.in = &in, .code = EXIT_FINE};
	unsigned states;
	int code;

	if (!states_of(argc, argv, &states))
		return EXIT_USAGE;
	code = instance_open(&in);
	if (code != EXIT_FINE)
		return code;

	l.tries = states == STATE_BIT(STATE_DELIVER);
	out_open(&l.out, sh, l.tries ? LEG_LINE_HEADING LEG_TRIES_HEADING : LEG_LINE_HEADING);
	if (!names_walk(&in.spool, states, true, line_of, &l)) {
		complain("the spool cannot be listed: %s", strerrordesc_np(errno));
		l.code = EXIT_ENVIRON;
	}
	instance_close(&in);
	return out_close(&l.out, l.code);
}
