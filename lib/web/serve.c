/* The parent of the workers: it reads the configuration, and never a byte of a browser's. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/base/reload.h"
#include "lib/web/web.h"
#include "lib/web/worker.h"

#define PROGRAM      "seki-web"
#define CHILDREN_MAX (64 * 2 + 2 * WEB_LEAVERS)
#define SHORT_LIFE   CLOCK_SECOND       /* a worker that ended earlier did not work */
#define PAUSE_TIME   (CLOCK_SECOND / 2) /* then the next one waits */

enum work { WORK_NONE, WORK_SERVES, WORK_LEAVES, WORK_ENDS };

struct child {
	pid_t pid;
	enum work work;
	int64_t since;
};

struct parent {
	struct web *web;
	struct web_shared *shared;
	pid_t own;
	int listener, signals, heard, tell; /* heard and tell: the pipe of those who leave */
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

NORETURN static void be_worker(struct parent *p)
{
	struct worker worker = {.web = p->web,
	    .shared = p->shared,
	    .parent = p->own,
	    .listener = p->listener,
	    .tell = p->tell};

	(void)close(p->signals);
	(void)close(p->heard);
	web_worker_run(&worker);
}

static bool start_one(struct parent *p)
{
	struct child *child = free_place(p);
	pid_t pid;

	if (child == NULL)
		return false;
	pid = fork();
	if (pid == 0)
		be_worker(p);
	if (pid < 0) {
		LOG_ALARM("worker-unstarted", kv_errno(errno));
		p->resume_at = clock_boot() + PAUSE_TIME;
		return false;
	}
	*child = (struct child){pid, WORK_SERVES, clock_boot()};
	return true;
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
		if (child->work == WORK_LEAVES)
			(void)atomic_fetch_sub(&p->shared->leaving, 1);
		if (WIFSIGNALED(status))
			LOG_ALARM("worker-killed", kv_num("signal", WTERMSIG(status)));
		if (child->work == WORK_SERVES && clock_boot() - child->since < SHORT_LIFE)
			p->resume_at = clock_boot() + PAUSE_TIME;
		child->work = WORK_NONE;
	}
}

/* Workers that are going to wait: others take their places. */
static void hear_leavers(struct parent *p)
{
	pid_t pid;

	while (read(p->heard, &pid, sizeof pid) == (ssize_t)sizeof pid) {
		struct child *child = find(p, pid);

		if (child != NULL)
			child->work = WORK_LEAVES;
	}
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
			hear_leavers(p); /* what a worker said before it ended counts */
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
	struct pollfd f[2] = {
	    {.fd = p->signals, .events = POLLIN}, {.fd = p->heard, .events = POLLIN}};
	int ms = p->resume_at == 0 ? -1 : (int)(PAUSE_TIME / 1000);

	if (poll(f, COUNT_OF(f), clock_patience(ms)) < 0 && errno != EINTR)
		die_environ("waiting for workers");
	if (f[1].revents != 0)
		hear_leavers(p);
	if (f[0].revents != 0)
		on_signal(p);
	fill_up(p);
}

void web_run(struct web *web, int listener, int signals, void (*ready)(void))
{
	struct parent *p = calloc(1, sizeof *p);
	int pipe[2];

	if (p == NULL || pipe2(pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		die_environ("preparing for workers");
	*p = (struct parent){.web = web,
	    .own = getpid(),
	    .listener = listener,
	    .signals = signals,
	    .heard = pipe[0],
	    .tell = pipe[1]};
	p->shared = mmap(
	    NULL, sizeof *p->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p->shared == MAP_FAILED)
		die_environ("preparing for workers");
	(void)malloc_trim(0);
	fill_up(p);
	ready();
	while (!p->stopping)
		one_round(p);
	(void)close(listener);
	end_workers(p);
	while (count(p, WORK_ENDS) > 0) {
		struct pollfd f = {.fd = p->signals, .events = POLLIN};

		if (poll(&f, 1, clock_patience(-1)) < 0 && errno != EINTR)
			die_environ("waiting for workers");
		on_signal(p);
	}
	free(p);
}
