/* It never reads what comes over a connection. */
#include "lib/base/forks.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/base/reload.h"

#define PAUSE_TIME (CLOCK_SECOND / 4) /* without descriptors or memory, accept waits */

struct server {
	struct forks *forks;
	size_t running;
	bool full; /* connections are turned away, and that was logged */
	bool stopping;
	int64_t resume_at; /* accept waits until then; 0: it does not */
};

void forks_harden(void)
{
	static const struct rlimit none = {0, 0};

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0)
		die_environ("forbidding dumps");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		die_environ("forbidding new privileges");
}

void forks_drop_root(const char *user)
{
	const struct passwd *who;

	if (geteuid() != 0)
		return;
	who = getpwnam(user);
	if (who == NULL)
		who = getpwnam("nobody");
	if (who == NULL || setgroups(0, NULL) != 0 || setgid(who->pw_gid) != 0 ||
	    setuid(who->pw_uid) != 0)
		die_environ("becoming an unprivileged user");
}

bool forks_settings(struct settings *settings, char *text, size_t room)
{
	struct conf_fault fault = {0};
	int etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good;

	if (etc < 0) {
		(void)snprintf(text, room, "etc: %s", strerrordesc_np(errno));
		return false;
	}
	good = settings_read(etc, settings, &fault);
	(void)close(etc);
	if (!good)
		conf_fault_show(&fault, text, room);
	return good;
}

/* ---- processes ---- */

/*
 * The signals of the service stay blocked here: a process ends with its employer, who may be waiting
 * for its last word.
 */
NORETURN static void be_child(struct forks *f, int socket)
{
	if ((socket > STDERR_FILENO + 1 &&
		close_range(STDERR_FILENO + 1, (unsigned)socket - 1, 0) != 0) ||
	    close_range((unsigned)socket + 1, ~0U, 0) != 0)
		die_environ("closing what is not the session's");
	f->serve(f->context, socket);
	die_bug("forks: a process that went on");
}

static void reap(struct server *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		s->running--;
		s->full = false;
		/* Whatever else it was, the process has said so itself. */
		if (WIFSIGNALED(status))
			LOG_ALARM("session-killed", kv_num("signal", WTERMSIG(status)));
	}
}

static bool has_place(struct server *s)
{
	if (s->running < s->forks->most)
		return true;
	reap(s);
	if (s->running < s->forks->most)
		return true;
	if (!s->full)
		LOG_ALARM("sessions-full", kv_num("sessions", (int64_t)s->running));
	s->full = true;
	return false;
}

static void begin(struct server *s, int socket)
{
	pid_t pid = fork();

	if (pid == 0)
		be_child(s->forks, socket);
	if (pid > 0)
		s->running++;
	else
		LOG_ALARM("session-unstarted", kv_errno(errno));
}

static void accept_some(struct server *s)
{
	for (;;) {
		int fd = accept4(s->forks->listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR)
				return;
			LOG("accept-paused", kv("why", "accept"), kv_errno(errno));
			s->resume_at = clock_boot() + PAUSE_TIME;
			return;
		}
		if (has_place(s))
			begin(s, fd);
		(void)close(fd);
	}
}

/* ---- signals ---- */

static void reload(struct server *s)
{
	const char *program = s->forks->program;
	char fault[512];

	if (!s->forks->reload(s->forks, fault, sizeof fault)) {
		LOG_ALARM("reload-refused", kv("what", fault));
		reload_answer(program, false, fault);
		return;
	}
	s->full = false;
	LOG("reloaded", kv_num("sessions", (int64_t)s->forks->most));
	reload_answer(program, true, "");
}

static void on_signal(struct server *s)
{
	struct signalfd_siginfo info;

	while (read(s->forks->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			reap(s);
			break;
		case SIGHUP:
			reload(s);
			break;
		default:
			s->stopping = true;
			break;
		}
	}
}

/* ---- the loop ---- */

static void one_round(struct server *s)
{
	struct pollfd p[2] = {{.fd = s->forks->signals, .events = POLLIN},
	    {.fd = s->resume_at == 0 ? s->forks->listener : -1, .events = POLLIN}};
	int ms = s->resume_at == 0 ? -1 : (int)(PAUSE_TIME / 1000);

	if (poll(p, COUNT_OF(p), clock_patience(ms)) < 0 && errno != EINTR)
		die_environ("waiting for employers");
	if (s->resume_at != 0 && clock_boot() >= s->resume_at)
		s->resume_at = 0;
	if (p[0].revents != 0)
		on_signal(s);
	if (p[1].revents != 0 && !s->stopping)
		accept_some(s);
}

void forks_run(struct forks *forks)
{
	struct server s = {.forks = forks};

	forks->ready();
	while (!s.stopping)
		one_round(&s);
	(void)close(forks->listener);
}
