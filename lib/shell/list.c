#include "lib/shell/shell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/die.h"
#include "lib/shell/filter.h"
#include "lib/shell/legs.h"
#include "lib/shell/waiting.h"

struct listing {
	const struct instance *in;
	struct out out;
	size_t lines;
	struct filter filter;
	bool ids; /* ID.K alone */
	unsigned
	    alone; /* the one state that is listed, as a bit: its lines say more; 0: several are */
	int code;
};

static void print(
    struct listing *l, const struct names *names, const struct entry *e, const struct found *f)
{
	if (l->ids) {
		out_text(&l->out, "leg", entry_leg(names, e));
	} else {
		leg_fields(&l->out, names, e, f);
		/* In a table every line has the same columns; JSON names them. */
		if (l->alone != 0 || l->out.json) {
			waiting_fields(&l->out, l->in, e->state, f);
			if (e->state == STATE_DELIVER)
				leg_tries(&l->out, f);
		}
	}
	out_end(&l->out);
	if (l->lines++ == 0)
		(void)fflush(l->out.file); /* the first line shows at once, however many follow */
}

static enum visit line_of(void *context, const struct names *names, const struct entry *e)
{
	struct listing *l = context;
	struct found f;

	if (!filter_name(&l->filter, e))
		return VISIT_DONE;
	if (l->ids && !filter_needs_leg(&l->filter) && !e->foreign && e->state != STATE_BAD) {
		print(l, names, e, NULL);
		return VISIT_DONE;
	}
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
		break;
	case FOUND_FAILED:
		l->code = EXIT_ENVIRON;
		break;
	case FOUND:
		if (!f.read)
			complain_about(entry_name(names, e), "is damaged: %s", f.why);
		/* Of what cannot be read nobody can say whether it fits. */
		if (!filter_needs_leg(&l->filter) || (f.read && filter_leg(&l->filter, &f.leg)))
			print(l, names, e, &f);
		found_close(&f);
		return ferror(l->out.file) ? VISIT_STOP : VISIT_DONE;
	}
	if (!filter_needs_leg(&l->filter))
		print(l, names, e, NULL);
	return ferror(l->out.file) ? VISIT_STOP : VISIT_DONE;
}

/* What the arguments name. EXIT_FINE, or EXIT_USAGE after a complaint. */
static int take_arguments(struct listing *l, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		int code = filter_option(&l->filter, argc, argv, &i);

		if (code == EXIT_FINE)
			continue;
		if (code == EXIT_USAGE)
			return code;
		if (strcmp(argv[i], "--ids") == 0) {
			l->ids = true;
		} else if (argv[i][0] == '-') {
			complain_about(argv[i],
			    "list knows --ids " FILTER_OPTIONS ", each but --ids with a value");
			return EXIT_USAGE;
		} else if (!filter_state(&l->filter, argv[i])) {
			return EXIT_USAGE;
		}
	}
	if (l->filter.states == 0)
		l->filter.states = STATES_ACTIVE;
	else if ((l->filter.states & (l->filter.states - 1)) == 0)
		l->alone = l->filter.states;
	return EXIT_FINE;
}

static const char *heading_of(const struct listing *l)
{
	if (l->ids)
		return "LEG";
	switch (l->alone) {
	case STATE_BIT(STATE_APPROVE):
		return LEG_LINE_HEADING WAITING_APPROVE_HEADING;
	case STATE_BIT(STATE_HOLD):
		return LEG_LINE_HEADING WAITING_HOLD_HEADING;
	case STATE_BIT(STATE_DELIVER):
		return LEG_LINE_HEADING LEG_TRIES_HEADING;
	case STATE_BIT(STATE_TRASH):
		return LEG_LINE_HEADING WAITING_TRASH_HEADING;
	default:
		return LEG_LINE_HEADING;
	}
}

int shell_list(const struct shell *sh, int argc, char **argv)
{
	struct instance in;
	struct listing l = {.in = &in, .code = EXIT_FINE};
	int code;

	filter_init(&l.filter);
	code = take_arguments(&l, argc, argv);
	if (code == EXIT_FINE)
		code = instance_open(&in);
	if (code != EXIT_FINE) {
		filter_free(&l.filter);
		return code;
	}

	out_open(&l.out, sh, heading_of(&l));
	if (!names_walk(&in.spool, l.filter.states, true, line_of, &l)) {
		complain("the spool cannot be listed: %s", strerrordesc_np(errno));
		l.code = EXIT_ENVIRON;
	}
	instance_close(&in);
	filter_free(&l.filter);
	return out_close(&l.out, l.code);
}
