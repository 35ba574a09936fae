/* release and discard: a person's orders about mail that waits, carried out by its stage. */
#include "lib/shell/shell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/die.h"
#include "lib/base/xtext.h"
#include "lib/shell/legs.h"
#include "lib/shell/who.h"
#include "queue/order.h"

#define PATIENCE 30 /* seconds for an answer: a disk under load may take long over one sync */

struct ordering {
	struct out out;
	struct order order; /* all but state and name */
	int code;
};

/* ---- one order ---------------------------------------------------------------------------- */

enum told { TOLD, TOLD_NOBODY, TOLD_UNANSWERED };

/* Connects to the stage. -1 after a complaint. */
static int call(const char *program)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = PATIENCE};
	char path[ORDER_PATH_MAX];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	order_path(program, path);
	(void)snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) {
		complain("a socket cannot be made: %s", strerrordesc_np(errno));
	} else if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0) {
		return fd;
	} else if (errno == ENOENT || errno == ECONNREFUSED) {
		complain("%s is not running", program);
	} else {
		complain("%s cannot be reached: %s", program, strerrordesc_np(errno));
	}
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

/* Sends the order and reads the line that answers it. */
static enum told tell(const char *program, const struct order *order, struct order_answer *answer)
{
	char line[ORDER_LINE_MAX];
	size_t len = order_format(order, line, sizeof line), got = 0;
	int fd = len > 0 ? call(program) : -1;
	ssize_t n = -1;

	if (fd < 0)
		return TOLD_NOBODY;
	if (send(fd, line, len, MSG_NOSIGNAL) == (ssize_t)len) {
		do {
			n = recv(fd, line + got, sizeof line - got, 0);
			got += n > 0 ? (size_t)n : 0;
		} while (n > 0 && got < sizeof line);
	}
	(void)close(fd);
	if (n != 0 || got == 0 || line[got - 1] != '\n' ||
	    !order_answer_parse(line, got - 1, answer))
		return TOLD_UNANSWERED;
	return TOLD;
}

/* ---- one leg ------------------------------------------------------------------------------ */

/* Who carries out orders in that state; NULL: nobody, and `*instead` says what else to do. */
static const char *program_of(enum order_word word, enum spool_state state, const char **instead)
{
	*instead = "";
	switch (state) {
	case STATE_APPROVE:
	case STATE_HOLD:
		return "seki-hold";
	case STATE_DELIVER:
		if (word == ORDER_DISCARD)
			return "seki-deliver";
		*instead = "nothing holds it: it waits for its delivery";
		return NULL;
	case STATE_TMP:
	case STATE_NEW:
		*instead = "it is not judged yet: try again in a moment";
		return NULL;
	case STATE_ENCRYPT:
	case STATE_STAGGER:
		*instead = word == ORDER_DISCARD ? "freeze its sender, and discard it in deliver/"
						 : "it is not held: it goes on by itself";
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
		put(o, names, e, o->order.word == ORDER_RELEASE ? "released" : "discarded",
		    a->state, "");
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
	told = tell(program, &o->order, &answer);
	return answered(o, names, e, told, &answer);
}

static int give_orders(const struct shell *sh, enum order_word word, int argc, char **argv)
{
	struct ordering o = {.order = {.word = word, .via = "shell"}, .code = EXIT_FINE};
	struct instance in;
	char by[WHO_ROOM];
	int code;

	if (argc == 0)
		return complain_usage("which mail? ID, ID.K, or - for ids on standard input");
	code = instance_open(&in);
	if (code != EXIT_FINE)
		return code;
	who(by);
	o.order.by[xtext_encode_cut(by, strlen(by), o.order.by, ORDER_BY_MAX)] = '\0';
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
