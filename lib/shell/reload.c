#include "lib/shell/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/hex.h"
#include "lib/shell/check.h"
#include "lib/shell/compile.h"
#include "lib/shell/out.h"
#include "lib/shell/service.h"
#include "lib/shell/small.h"

#define ANSWERS     "run/taken"
#define PATIENCE    (10 * CLOCK_SECOND)
#define NONCE_BYTES 16
#define ANSWER_ROOM 2048

/* ---- reload ------------------------------------------------------------------------------- */

struct reloading {
	struct out out;
	char nonce[2 * NONCE_BYTES + 1];
	struct service services[SERVICES_MAX];
	bool waiting[SERVICES_MAX]; /* its answer is still to come */
	int n;
	int answers; /* the directory ANSWERS */
	int inotify;
	int code;
};

static void put(struct reloading *r, const char *name, const char *what, const char *text)
{
	out_text(&r->out, "service", name);
	out_text(&r->out, "answer", what);
	if (text != NULL)
		out_text(&r->out, "text", text);
	out_end(&r->out);
}

static void fail(
    struct reloading *r, const char *name, const char *what, const char *text, int code)
{
	put(r, name, what, text);
	complain_about(name, "%s", what);
	if (text != NULL) {
		out_visible(stderr, text, strlen(text), false);
		(void)fputc('\n', stderr);
	}
	r->code = worse(r->code, code);
}

/* A service that is down reads the configuration when it starts: that is its answer. */
static void start_service(struct reloading *r, const char *name)
{
	switch (service_order(name, SERVICE_START)) {
	case 0:
		put(r, name, "started", NULL);
		break;
	case SERVICE_FAILED_FOR_GOOD:
		fail(r, name, "started, and went down again: its log says why", NULL, EXIT_NO);
		break;
	case SERVICE_TIMED_OUT:
		fail(r, name, "started, and not ready yet", NULL, EXIT_ENVIRON);
		break;
	default:
		fail(r, name, "could not be started", NULL, EXIT_ENVIRON);
	}
}

/* Tells one service. One that an operator has stopped stays so. */
static void tell(struct reloading *r, int i)
{
	const struct service *s = &r->services[i];
	bool bad_configuration = s->exit_code == EXIT_CONFIG || s->exit_code == EXIT_USAGE;

	if (s->up) {
		r->waiting[i] = service_order(s->name, SERVICE_HANGUP) == 0;
		if (!r->waiting[i])
			fail(r, s->name, "could not be signalled", NULL, EXIT_ENVIRON);
	} else if (s->wanted || bad_configuration) {
		start_service(r, s->name);
	} else {
		put(r, s->name, "down", NULL);
	}
}

/* Looks whether a service has answered with our nonce, in a whole line. */
static void look(struct reloading *r, int i)
{
	const char *name = r->services[i].name;
	char line[ANSWER_ROOM], want[16 + sizeof r->nonce];
	size_t len;

	if (!small_read(r->answers, name, line, sizeof line))
		return;
	len = strlen(line);
	if (len == 0 || line[len - 1] != '\n')
		return;
	line[len - 1] = '\0';

	(void)snprintf(want, sizeof want, "taken %s", r->nonce);
	if (strcmp(line, want) == 0) {
		put(r, name, "taken", NULL);
		r->waiting[i] = false;
		return;
	}
	len = (size_t)snprintf(want, sizeof want, "refused %s ", r->nonce);
	if (strncmp(line, want, len) == 0) {
		fail(r, name, "refused", line + len, EXIT_NO);
		r->waiting[i] = false;
	}
}

/* Waits for answers until all are there or the patience has come to its end. */
static void await(struct reloading *r)
{
	int64_t until = clock_boot() + PATIENCE;

	for (;;) {
		struct pollfd p = {.fd = r->inotify, .events = POLLIN};
		int64_t left = (until - clock_boot()) / 1000;
		char events[4096];
		bool waiting = false;

		/* The watch was set before anybody was told, so no answer falls between. */
		for (int i = 0; i < r->n; i++) {
			if (r->waiting[i])
				look(r, i);
			waiting = waiting || r->waiting[i];
		}
		if (!waiting || left <= 0)
			return;
		if (poll(&p, 1, clock_patience((int)left)) > 0)
			(void)!read(r->inotify, events, sizeof events);
	}
}

/* Makes a word that only this call knows, so that no old answer counts. */
static bool publish_nonce(struct reloading *r)
{
	unsigned char bytes[NONCE_BYTES];
	char line[sizeof r->nonce + 1];
	int run;
	bool good;

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return false;
	hex_encode(bytes, sizeof bytes, r->nonce);
	(void)snprintf(line, sizeof line, "%s\n", r->nonce);

	run = open("run", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	good = run >= 0 && small_replace(run, "reload", line);
	if (run >= 0)
		(void)close(run);
	return good;
}

static bool prepare(struct reloading *r)
{
	r->answers = open(ANSWERS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (r->answers >= 0 && r->inotify >= 0 &&
	    inotify_add_watch(r->inotify, ANSWERS, IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO) >= 0 &&
	    publish_nonce(r))
		return true;
	complain("run/ cannot be prepared: %s", strerrordesc_np(errno));
	return false;
}

int shell_reload(const struct shell *sh, int argc, char **argv)
{
	struct reloading r = {.answers = -1, .inotify = -1, .code = EXIT_FINE};
	int code;

	(void)argv;
	if (argc > 0)
		return complain_usage("reload takes no arguments");
	code = check_etc(sh);
	if (code == EXIT_FINE)
		code = compile_etc(sh);
	/* Nobody was told anything, and what is compiled stays. */
	if (code != EXIT_FINE)
		return code;

	out_open(&r.out, sh, "SERVICE\tANSWER");
	r.n = services_list(r.services);
	if (r.n >= 0 && prepare(&r)) {
		/* The running ones first: their answers come while the others start. */
		for (int up = 1; up >= 0; up--) {
			for (int i = 0; i < r.n; i++) {
				if (r.services[i].up == (up == 1))
					tell(&r, i);
			}
		}
		await(&r);
		for (int i = 0; i < r.n; i++) {
			if (r.waiting[i])
				fail(&r, r.services[i].name, "no answer", NULL, EXIT_ENVIRON);
		}
	} else {
		r.code = EXIT_ENVIRON;
	}
	if (r.answers >= 0)
		(void)close(r.answers);
	if (r.inotify >= 0)
		(void)close(r.inotify);
	return out_close(&r.out, r.code);
}
