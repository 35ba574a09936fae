#include "lib/shell/chosen.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/shell/moment.h"

#define TEXT_MAX ((size_t)1 << 31)

void chosen_init(struct chosen *c, const char *verb, unsigned states)
{
	*c = (struct chosen){.verb = verb, .states = states};
	filter_init(&c->filter);
	buf_init(&c->text, TEXT_MAX);
}

void chosen_free(struct chosen *c)
{
	filter_free(&c->filter);
	buf_free(&c->text);
	free(c->made);
}

int chosen_argument(struct chosen *c, int argc, char **argv, int *at)
{
	int code = filter_option(&c->filter, argc, argv, at);

	if (code != EXIT_NO)
		return code;
	if (strcmp(argv[*at], "--yes") == 0) {
		c->yes = true;
		return EXIT_FINE;
	}
	if (argv[*at][0] == '-' && argv[*at][1] != '\0')
		return EXIT_NO;
	c->id[c->ids++] = argv[*at];
	return EXIT_FINE;
}

/* ---- by a filter -------------------------------------------------------------------------- */

struct choosing {
	struct chosen *c;
	const struct instance *in;
	size_t n;
	int64_t oldest, newest; /* microseconds; by id, which no file has to be opened for */
	int code;
};

static bool fits(struct choosing *x, const struct names *names, const struct entry *e, bool *gone)
{
	struct found f;
	bool fine;

	if (e->foreign || !filter_name(&x->c->filter, e))
		return false;
	if (!filter_needs_leg(&x->c->filter))
		return true;
	switch (found_open(x->in, names, e, &f)) {
	case FOUND_GONE:
		*gone = true;
		return false;
	case FOUND_FAILED:
		x->code = EXIT_ENVIRON;
		return false;
	case FOUND_FOREIGN:
		return false;
	case FOUND:
		break;
	}
	fine = f.read && filter_leg(&x->c->filter, &f.leg);
	found_close(&f);
	return fine;
}

static enum visit choose(void *context, const struct names *names, const struct entry *e)
{
	struct choosing *x = context;
	const char *leg = entry_leg(names, e);
	char id[ID_TEXT];
	bool gone = false;
	int64_t born;

	if (!fits(x, names, e, &gone))
		return gone ? VISIT_GONE : VISIT_DONE;
	memcpy(id, leg, ID_LEN);
	id[ID_LEN] = '\0';
	born = id_time(id);
	x->oldest = x->n == 0 || born < x->oldest ? born : x->oldest;
	x->newest = born > x->newest ? born : x->newest;
	buf_add(&x->c->text, leg, strlen(leg) + 1);
	x->n++;
	return buf_ok(&x->c->text) ? VISIT_DONE : VISIT_STOP;
}

/* `made` and `id` from the texts. False: no memory, or too many. */
static bool point(struct chosen *c, size_t n)
{
	char *p = c->text.bytes;

	c->made =
	    n <= INT_MAX && buf_ok(&c->text) ? reallocarray(NULL, n + 1, sizeof *c->made) : NULL;
	if (c->made == NULL)
		return false;
	for (size_t i = 0; i < n; i++, p += strlen(p) + 1)
		c->made[i] = p;
	c->id = c->made;
	c->ids = (int)n;
	return true;
}

/* A person's word. Anything but a yes is a no. */
static bool agreed(const char *verb)
{
	char answer[16];

	(void)fprintf(stderr, "%s? (yes/no) ", verb);
	(void)fflush(stderr);
	return fgets(answer, sizeof answer, stdin) != NULL &&
	       (strcmp(answer, "yes\n") == 0 || strcmp(answer, "y\n") == 0);
}

static int ask(const struct choosing *x)
{
	char oldest[MOMENT_TEXT], newest[MOMENT_TEXT];

	moment_text(x->oldest, oldest);
	moment_text(x->newest, newest);
	complain(
	    "%zu %s: from %s to %s", x->n, x->n == 1 ? "leg fits" : "legs fit", oldest, newest);
	if (x->c->yes)
		return EXIT_FINE;
	if (isatty(STDIN_FILENO) != 1)
		return complain_usage("nothing was done: --yes does it; seki list with the same "
				      "words shows which they are");
	if (agreed(x->c->verb))
		return EXIT_FINE;
	complain("nothing was done");
	return EXIT_NO;
}

static int by_filter(struct chosen *c, const struct instance *in)
{
	struct choosing x = {.c = c, .in = in, .code = EXIT_FINE};
	unsigned states = c->filter.states != 0 ? c->filter.states : c->states;

	if (!names_walk(&in->spool, states, false, choose, &x)) {
		complain("the spool cannot be listed: %s", strerrordesc_np(errno));
		return EXIT_ENVIRON;
	}
	if (!point(c, x.n)) {
		complain("no memory for so many");
		return EXIT_ENVIRON;
	}
	if (x.n == 0) {
		complain("no mail fits");
		return worse(x.code, EXIT_NO);
	}
	return worse(x.code, ask(&x));
}

int chosen_settle(struct chosen *c, const struct instance *in)
{
	bool filtered = c->filter.any || c->filter.states != 0;

	if (filtered && c->ids > 0)
		return complain_usage("ids, or " FILTER_OPTIONS ": not both");
	if (filtered)
		return by_filter(c, in);
	if (c->ids == 0)
		return complain_usage(
		    "which mail? ID, ID.K, - for ids on standard input, or what it "
		    "is: " FILTER_OPTIONS);
	return EXIT_FINE;
}
