#include "lib/web/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "lib/base/die.h"
#include "lib/base/forks.h"
#include "lib/base/log.h"

/* A request that takes longer than all that it may wait for is stuck: the worker is ended by SIGALRM. */
#define REQUEST_MARGIN 60

/* How long the parent, who waits for nobody, may take to answer, in milliseconds. */
#define PARENT_PATIENCE 5000

static volatile sig_atomic_t stopping; /* a signal's handler has no other place to write to */

static void on_stop(int number)
{
	(void)number;
	stopping = 1;
}

/* ---- FastCGI ------------------------------------------------------------------------------- */

static size_t read_body(void *context, char *bytes, size_t room)
{
	FCGX_Request *request = context;
	int n = FCGX_GetStr(bytes, (int)room, request->in);

	return n > 0 ? (size_t)n : 0;
}

static bool write_bytes(void *context, const char *bytes, size_t len)
{
	FCGX_Request *request = context;

	return FCGX_PutStr(bytes, (int)len, request->out) == (int)len;
}

unsigned web_worker_longest(const struct settings *settings)
{
	return (unsigned)(web_patience_request(settings) / CLOCK_SECOND) + REQUEST_MARGIN;
}

static void serve_one(struct worker *w, FCGX_Request *request)
{
	const struct web_incoming in = {.params = request->envp,
	    .read = read_body,
	    .context = request,
	    .most = (size_t)w->web->settings.web_request};
	const struct web_outgoing out = {write_bytes, request};

	web_answer(w->web, &in, &out);
}

/* Another worker may have taken it first. */
static void accept_one(struct worker *w, FCGX_Request *request)
{
	(void)alarm(web_worker_longest(&w->web->settings));
	if (FCGX_Accept_r(request) == 0) {
		serve_one(w, request);
		FCGX_Finish_r(request);
	}
	(void)alarm(0);
}

/* ---- being replaced ------------------------------------------------------------------------ */

/* The parent's answer; WORKER_LEAVES if there is none: then it waits, and ends behind this request in any case. */
static enum worker_answer ask_parent(const struct worker *w, enum web_wait what)
{
	unsigned char asked = (unsigned char)what, answer = WORKER_LEAVES;
	struct pollfd p = {.fd = w->asks, .events = POLLIN};

	if (send(w->asks, &asked, sizeof asked, MSG_NOSIGNAL) != (ssize_t)sizeof asked ||
	    poll(&p, 1, clock_patience(PARENT_PATIENCE)) <= 0 ||
	    recv(w->asks, &answer, sizeof answer, MSG_DONTWAIT) != (ssize_t)sizeof answer)
		return WORKER_LEAVES;
	return answer == WORKER_STAYS ? WORKER_STAYS : WORKER_LEAVES;
}

static bool leave(void *context, enum web_wait what)
{
	struct worker *w = context;

	if (w->left)
		return true;
	w->left = ask_parent(w, what) == WORKER_LEAVES;
	if (!w->left)
		LOG_ALARM("waiting-full", kv("for", what == WEB_WAIT_VIEW ? "view" : "password"));
	return w->left;
}

/* ---- the loop ------------------------------------------------------------------------------ */

/* SIGTERM comes through while a worker waits for a request, and at no other time. */
static void set_signals(sigset_t *waiting)
{
	struct sigaction stop = {.sa_handler = on_stop}, plain = {.sa_handler = SIG_DFL};
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigemptyset(waiting);
	(void)sigaddset(waiting, SIGHUP);
	(void)sigaddset(waiting, SIGINT);
	if (sigaction(SIGTERM, &stop, NULL) != 0 || sigaction(SIGALRM, &plain, NULL) != 0 ||
	    sigprocmask(SIG_SETMASK, &set, NULL) != 0)
		die_environ("setting signals up");
}

void web_worker_run(struct worker *w)
{
	FCGX_Request request;
	sigset_t waiting;

	/* Without its parent nobody would end it. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
		die_environ("asking for a signal");
	if (getppid() != w->parent)
		_exit(EXIT_FINE);
	set_signals(&waiting);
	if (FCGX_Init() != 0 ||
	    FCGX_InitRequest(&request, w->listener, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		die_environ("preparing FastCGI");
	w->web->leave = leave;
	w->web->context = w;
	forks_harden();
	web_confine();
	while (!stopping && !w->left) {
		struct pollfd p = {.fd = w->listener, .events = POLLIN};
		int n = ppoll(&p, 1, NULL, &waiting);

		if (n < 0 && errno != EINTR)
			die_environ("waiting for a request");
		if (n > 0)
			accept_one(w, &request);
	}
	_exit(EXIT_FINE);
}
