/* The parent of the workers: it reads the configuration, and never a byte of a browser's. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/base/reload.h"
#include "lib/web/web.h"
#include "lib/web/worker.h"

#define PROGRAM "seki-web"

/* web-workers of them, as many of before a reload, and those who wait for passwords and views */
#define CHILDREN_MAX (64 * 2 + WEB_LEAVERS + 2 * 64)
#define SHORT_LIFE   CLOCK_SECOND       /* a worker that ended earlier did not work */
#define PAUSE_TIME   (CLOCK_SECOND / 2) /* then the next one waits */

enum work { WORK_NONE, WORK_SERVES, WORK_LEAVES, WORK_ENDS };

struct child {
	pid_t pid;
	enum work work;
	enum web_wait waits; /* WORK_LEAVES: what for */
	int64_t since;       /* when it began, or began to leave (clock_boot) */
	int asks; /* our end of its socket: what comes there is of this worker alone; or -1 */
};

struct parent {
	struct web *web;
	pid_t own;
	int listener, signals;
	struct child child[CHILDREN_MAX];
	bool stopping;
	int64_t resume_at; /* no worker is started before; 0: at once */
};

static size_t count(const struct parent *p, enum work work)
{
	size_t n = 0;

	for (size_t i = 0; i < CHILDREN_MAX; i++)
		n += p->child[i].work == work;
	return n;
}

static struct child *find(struct parent *p, pid_t pid)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		if (p->child[i].work != WORK_NONE && p->child[i].pid == pid)
			return &p->child[i];
	}
	return NULL;
}

static struct child *free_place(struct parent *p)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		if (p->child[i].work == WORK_NONE)
			return &p->child[i];
	}
	return NULL;
}

/* ---- workers ------------------------------------------------------------------------------- */

static void forget(struct child *child)
{
	if (child->asks >= 0)
		(void)close(child->asks);
	child->asks = -1;
}

/* It keeps nothing of the others: whoever has taken it over speaks for himself alone. */
NORETURN static void be_worker(struct parent *p, int asks)
{
	struct worker worker = {
	    .web = p->web, .parent = p->own, .listener = p->listener, .asks = asks};

	(void)close(p->signals);
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		forget(&p->child[i]);
	web_worker_run(&worker);
}

static bool start_one(struct parent *p)
{
	struct child *child = free_place(p);
	int asks[2] = {-1, -1};
	pid_t pid = -1;

	if (child == NULL)
		return false;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, asks) == 0)
		pid = fork();
	if (pid == 0) {
		(void)close(asks[0]);
		be_worker(p, asks[1]);
	}
	if (pid < 0) {
		LOG_ALARM("worker-unstarted", kv_errno(errno));
		if (asks[0] >= 0)
			(void)close(asks[0]);
		p->resume_at = clock_boot() + PAUSE_TIME;
	} else {
		*child = (struct child){
		    .pid = pid, .work = WORK_SERVES, .since = clock_boot(), .asks = asks[0]};
	}
	if (asks[1] >= 0)
		(void)close(asks[1]);
	return pid > 0;
}

static void fill_up(struct parent *p)
{
	size_t wanted = (size_t)p->web->settings.web_workers;

	if (p->stopping || p->resume_at > clock_boot())
		return;
	p->resume_at = 0;
	while (count(p, WORK_SERVES) < wanted) {
		if (!start_one(p))
			return;
	}
}

static void reap(struct parent *p)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *child = find(p, pid);

		if (child == NULL)
			continue;
		if (WIFSIGNALED(status))
			LOG_ALARM("worker-killed", kv_num("signal", WTERMSIG(status)));
		if (child->work == WORK_SERVES && clock_boot() - child->since < SHORT_LIFE)
			p->resume_at = clock_boot() + PAUSE_TIME;
		forget(child);
		child->work = WORK_NONE;
	}
}

/* ---- those who wait ------------------------------------------------------------------------ */

static size_t most(const struct parent *p, enum web_wait what)
{
	return what == WEB_WAIT_VIEW ? (size_t)p->web->settings.web_workers * 2 : WEB_LEAVERS;
}

static size_t waiting(const struct parent *p, enum web_wait what)
{
	size_t n = 0;

	for (size_t i = 0; i < CHILDREN_MAX; i++)
		n += p->child[i].work == WORK_LEAVES && p->child[i].waits == what;
	return n;
}

/* One that waits for longer than any request may has outwitted its own clock, and keeps others' place. */
static void end_overdue(struct parent *p)
{
	int64_t longest = (int64_t)web_worker_longest(&p->web->settings) * CLOCK_SECOND;

	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct child *child = &p->child[i];

		if (child->work == WORK_LEAVES && clock_boot() - child->since > longest)
			(void)kill(child->pid, SIGKILL);
	}
}

static enum worker_answer may_leave(struct parent *p, struct child *child, enum web_wait what)
{
	if (waiting(p, what) >= most(p, what)) {
		end_overdue(p);
		return WORKER_STAYS;
	}
	child->work = WORK_LEAVES;
	child->waits = what;
	child->since = clock_boot();
	return WORKER_LEAVES;
}

/* A worker that is going to wait, so that another takes its place. A good one asks for a thing that there is, and once. */
static void hear(struct parent *p, struct child *child)
{
	unsigned char asked, answer;
	ssize_t n = recv(child->asks, &asked, sizeof asked, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || child->work == WORK_LEAVES || asked > WEB_WAIT_VIEW) {
		forget(child);
		return;
	}
	answer = (unsigned char)may_leave(p, child, (enum web_wait)asked);
	if (send(child->asks, &answer, sizeof answer, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		forget(child);
}

/* Each ends when it has answered; one that leaves ends by itself. */
static void end_workers(struct parent *p)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct child *child = &p->child[i];

		if (child->work == WORK_NONE || child->work == WORK_ENDS)
			continue;
		if (child->work == WORK_LEAVES)
			continue;
		(void)kill(child->pid, SIGTERM);
		child->work = WORK_ENDS;
	}
}

/* ---- signals ------------------------------------------------------------------------------- */

/* Pages that cannot be read stay out: what was in force goes on. */
static void reload(struct parent *p)
{
	char fault[512];

	if (!web_read(p->web, fault, sizeof fault)) {
		LOG_ALARM("reload-refused", kv("what", fault));
		reload_answer(PROGRAM, false, fault);
		return;
	}
	end_workers(p);
	fill_up(p);
	LOG("reloaded", kv_num("workers", p->web->settings.web_workers));
	reload_answer(PROGRAM, true, "");
}

static void on_signal(struct parent *p)
{
	struct signalfd_siginfo info;

	while (read(p->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			reap(p);
			break;
		case SIGHUP:
			reload(p);
			break;
		default:
			p->stopping = true;
			break;
		}
	}
}

static void one_round(struct parent *p)
{
	struct pollfd f[1 + CHILDREN_MAX];
	int ms = p->resume_at == 0 ? -1 : (int)(PAUSE_TIME / 1000);

	f[0] = (struct pollfd){.fd = p->signals, .events = POLLIN};
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		f[1 + i] = (struct pollfd){.fd = p->child[i].asks, .events = POLLIN};
	if (poll(f, COUNT_OF(f), clock_patience(ms)) < 0) {
		if (errno != EINTR)
			die_environ("waiting for workers");
		return;
	}
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		if (f[1 + i].revents != 0)
			hear(p, &p->child[i]);
	}
	if (f[0].revents != 0)
		on_signal(p);
	fill_up(p);
}

void web_run(struct web *web, int listener, int signals, void (*ready)(void))
{
	struct parent *p = calloc(1, sizeof *p);

	if (p == NULL)
		die_environ("preparing for workers");
	*p = (struct parent){.web = web, .own = getpid(), .listener = listener, .signals = signals};
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		p->child[i].asks = -1;
	(void)malloc_trim(0);
	fill_up(p);
	ready();
	while (!p->stopping)
		one_round(p);
	(void)close(listener);
	end_workers(p);
	while (count(p, WORK_ENDS) > 0)
		one_round(p);
	free(p);
}
