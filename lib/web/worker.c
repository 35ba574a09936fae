#include "lib/web/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "lib/base/die.h"
#include "lib/base/forks.h"
#include "lib/base/log.h"

/* A request that takes longer than all that it may wait for is stuck: the worker is ended by SIGALRM. */
#define REQUEST_MARGIN 60

static volatile sig_atomic_t stopping;

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

static unsigned seconds(int64_t span)
{
	return (unsigned)(span / CLOCK_SECOND);
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
	(void)alarm(seconds(web_patience_password(&w->web->settings)) + REQUEST_MARGIN);
	if (FCGX_Accept_r(request) == 0) {
		serve_one(w, request);
		FCGX_Finish_r(request);
	}
	(void)alarm(0);
}

/* ---- being replaced ------------------------------------------------------------------------ */

static bool leave(void *context)
{
	struct worker *w = context;
	pid_t pid = getpid();

	if (w->left)
		return true;
	if (atomic_fetch_add(&w->shared->leaving, 1) >= WEB_LEAVERS) {
		atomic_fetch_sub(&w->shared->leaving, 1);
		LOG_ALARM("waiting-full", kv_num("workers", WEB_LEAVERS));
		return false;
	}
	/* Within PIPE_BUF: whole, or not at all. */
	if (write(w->tell, &pid, sizeof pid) != (ssize_t)sizeof pid) {
		atomic_fetch_sub(&w->shared->leaving, 1);
		return true; /* it waits, and nobody takes its place */
	}
	w->left = true;
	return true;
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
