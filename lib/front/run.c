/* Beside nginx: its log, its readiness, its reloads, its end. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/forks.h"
#include "lib/base/log.h"
#include "lib/base/reload.h"
#include "lib/front/front.h"

#define PROGRAM     "seki-front"
#define LAST_PIECES 256 /* reads of what an nginx that has ended said; more than a pipe holds */

struct front {
	struct settings *settings;
	int signals, watch;
	int errors; /* what nginx says; -1: it is not there */
	pid_t nginx;
	void (*ready)(void);
	bool is_ready, stopping;
	char line[2048]; /* of nginx, begun */
	size_t len;
};

/* ---- what it says -------------------------------------------------------------------------- */

static void log_line(const char *line, size_t len)
{
	char text[FRONT_LINE];

	front_line(line, len, text);
	if (text[0] != '\0')
		LOG_ALARM("nginx", kv("text", text));
}

/* Whole lines. One that is too long is cut. */
static void log_lines(struct front *f)
{
	char *end;

	while ((end = memchr(f->line, '\n', f->len)) != NULL) {
		size_t used = (size_t)(end - f->line) + 1;

		log_line(f->line, used - 1);
		f->len -= used;
		memmove(f->line, end + 1, f->len);
	}
	if (f->len == sizeof f->line) {
		log_line(f->line, f->len);
		f->len = 0;
	}
}

/* What it has begun to say is the last that it says. */
static void hear_no_more(struct front *f)
{
	if (f->len > 0)
		log_line(f->line, f->len);
	f->len = 0;
	(void)close(f->errors);
	f->errors = -1;
}

/* False: there is no more, for now or at all. */
static bool hear(struct front *f)
{
	ssize_t n = read(f->errors, f->line + f->len, sizeof f->line - f->len);

	if (n > 0) {
		f->len += (size_t)n;
		log_lines(f);
		return true;
	}
	if (n < 0 && errno == EINTR)
		return true;
	if (n == 0 || errno != EAGAIN)
		hear_no_more(f);
	return false;
}

/* All that it said before it ended: why it did stands there. What it left behind may hold the pipe, and go on. */
static void hear_rest(struct front *f)
{
	for (int i = 0; i < LAST_PIECES && f->errors >= 0 && hear(f); i++)
		;
	if (f->errors >= 0)
		hear_no_more(f);
}

/* ---- whether it listens -------------------------------------------------------------------- */

/*
 * nginx opens its sockets and then writes its process number. Where that stands, browsers are answered.
 */
static bool has_pid(void)
{
	char text[16];
	int fd = open(FRONT_PID, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text) : -1;

	if (fd >= 0)
		(void)close(fd);
	return n > 0;
}

static void watch_pid(struct front *f)
{
	f->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (f->watch < 0 || inotify_add_watch(f->watch, "run/front", IN_CLOSE_WRITE) < 0)
		die_environ("watching run/front");
}

static void look(struct front *f)
{
	char events[4096];

	while (read(f->watch, events, sizeof events) > 0)
		;
	if (f->is_ready || f->nginx <= 0 || !has_pid())
		return;
	f->is_ready = true;
	f->ready();
}

/* ---- its end ------------------------------------------------------------------------------- */

/* What an nginx that was killed leaves behind has become ours, and still listens. */
static void end_workers(void)
{
	char text[4096], *at = text;
	int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;

	if (fd >= 0)
		(void)close(fd);
	if (n <= 0)
		return;
	text[n] = '\0';
	for (;;) {
		char *end;
		long pid = strtol(at, &end, 10);

		if (end == at)
			return;
		if (pid > 1)
			(void)kill((pid_t)pid, SIGKILL);
		at = end;
	}
}

static void ended(struct front *f, int status)
{
	f->nginx = 0;
	hear_rest(f);
	if (f->stopping || !front_wanted(f->settings))
		return;
	LOG_ALARM("nginx-ended", kv_num("code", WIFEXITED(status) ? WEXITSTATUS(status) : 256),
	    kv_num("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0));
	end_workers();
	exit(EXIT_ENVIRON);
}

static void reap(struct front *f)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == f->nginx)
			ended(f, status);
	}
}

/* ---- signals ------------------------------------------------------------------------------- */

static void begin(struct front *f)
{
	f->len = 0;
	f->nginx = front_start(&f->errors);
}

static bool take(struct front *f, char *fault, size_t room)
{
	struct settings fresh;

	if (!forks_settings(&fresh, fault, room))
		return false;
	if (front_wanted(&fresh) && !front_prepare(&fresh, fault, room))
		return false;
	*f->settings = fresh;
	return true;
}

static void reload(struct front *f)
{
	char fault[512];

	if (!take(f, fault, sizeof fault)) {
		LOG_ALARM("reload-refused", kv("what", fault));
		reload_answer(PROGRAM, false, fault);
		return;
	}
	if (f->nginx > 0)
		(void)kill(f->nginx, front_wanted(f->settings) ? SIGHUP : SIGTERM);
	else if (front_wanted(f->settings))
		begin(f);
	LOG("reloaded", kv("listen", f->settings->web_listen));
	reload_answer(PROGRAM, true, "");
}

static void on_signal(struct front *f)
{
	struct signalfd_siginfo info;

	while (read(f->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			reap(f);
			break;
		case SIGHUP:
			reload(f);
			break;
		default:
			f->stopping = true;
			if (f->nginx > 0)
				(void)kill(f->nginx, SIGTERM);
			break;
		}
	}
}

static void one_round(struct front *f)
{
	struct pollfd p[3] = {{.fd = f->signals, .events = POLLIN},
	    {.fd = f->errors, .events = POLLIN}, {.fd = f->watch, .events = POLLIN}};

	if (poll(p, COUNT_OF(p), clock_patience(-1)) < 0 && errno != EINTR)
		die_environ("waiting for nginx");
	if (p[1].revents != 0)
		(void)hear(f);
	if (p[2].revents != 0)
		look(f);
	if (p[0].revents != 0)
		on_signal(f);
}

void front_run(struct settings *settings, int signals, void (*ready)(void))
{
	struct front f = {.settings = settings, .signals = signals, .errors = -1, .ready = ready};

	if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		die_environ("becoming the parent of what nginx leaves behind");
	watch_pid(&f);
	if (front_wanted(settings)) {
		begin(&f);
	} else {
		f.is_ready = true;
		ready();
	}
	while (!f.stopping || f.nginx > 0)
		one_round(&f);
}
