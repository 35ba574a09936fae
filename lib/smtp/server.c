/* The parent: accepts connections, and gives each to a process of its own or to an idle one. */
#include "lib/smtp/smtp.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/base/reload.h"
#include "lib/smtp/children.h"
#include "lib/smtp/worker.h"

#define IDLE_TIME     (5 * CLOCK_SECOND)  /* an idle child is let go after */
#define STOP_TIME     (10 * CLOCK_SECOND) /* what running sessions get to finish */
#define PAUSE_TIME    (CLOCK_SECOND / 4)  /* without descriptors or memory, accept waits */
#define COMPLAIN_TIME CLOCK_SECOND        /* at most one line about turned-away clients in */
#define EVENTS        64
#define ACCEPTS       8 /* connections in a row, before the children are heard again */

struct server {
	struct smtp_config *config;
	unsigned edition; /* of the configuration */
	const int *listeners;
	size_t n_listeners;
	int epoll;
	int signals;
	bool stopping;
	int64_t stop_at;
	int64_t resume_at; /* accept waits until then; 0: it does not */
	int64_t complained_at;
	int64_t turned_away; /* since then */
	struct children children;
};

static void watch(const struct server *s, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data = {.fd = fd}};

	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) != 0)
		die_environ("watching a descriptor");
}

/* ---- turning away ---- */

static void complain(struct server *s, const struct peer *peer, const char *why)
{
	char text[IP_TEXT];
	int64_t now = clock_boot();

	s->turned_away++;
	if (s->complained_at != 0 && now - s->complained_at < COMPLAIN_TIME)
		return;
	ip_text(&peer->ip, text);
	LOG("turned-away", kv("peer", text), kv("why", why), kv_num("times", s->turned_away));
	s->complained_at = now;
	s->turned_away = 0;
}

/* Answers a client that gets no process, without ever waiting for him, and closes. */
static void turn_away(struct server *s, int fd, const struct peer *peer, const char *why)
{
	static const char answer[] = "421 4.7.0 too many connections, try again later\r\n";

	if (send(fd, answer, sizeof answer - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		why = "too many, and he did not even listen";
	complain(s, peer, why);
	close(fd);
}

/* No descriptors or no memory: the listening sockets rest a moment, so that nothing spins. */
static void pause_accepting(struct server *s, const char *what)
{
	LOG("accept-paused", kv("why", what), kv_errno(errno));
	s->resume_at = clock_boot() + PAUSE_TIME;
	for (size_t i = 0; i < s->n_listeners; i++)
		(void)epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->listeners[i], NULL);
}

static void resume_accepting(struct server *s)
{
	s->resume_at = 0;
	for (size_t i = 0; i < s->n_listeners; i++)
		watch(s, s->listeners[i]);
}

/* ---- giving a connection to a process ---- */

/* Forks a process for this connection. False (errno) if the system has none to give. */
static bool start_child(struct server *s, struct child *child, int fd, const struct peer *peer)
{
	bool keep =
	    s->config->settings.smtp_reuse > 1 && relay_find(&s->config->relay, &peer->ip) != NULL;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	pid = fork();
	if (pid == 0)
		worker_run(s->config, pair[1], fd, peer, keep);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return false;
	}

	*child = (struct child){.pid = pid,
	    .control = pair[0],
	    .source = peer->ip,
	    .keep = keep,
	    .edition = s->edition,
	    .born = clock_boot()};
	children_started(&s->children, child);
	watch(s, pair[0]);
	return true;
}

static void serve(struct server *s, int fd, const struct peer *peer)
{
	struct children *c = &s->children;
	struct child *child;

	if (c->busy >= (size_t)s->config->settings.smtp_sessions) {
		turn_away(s, fd, peer, "smtp-sessions");
		return;
	}
	if (children_busy_of(c, &peer->ip) >= (size_t)s->config->settings.smtp_sessions_source) {
		turn_away(s, fd, peer, "smtp-sessions-source");
		return;
	}

	while ((child = children_idle_of(c, &peer->ip)) != NULL) {
		if (worker_hand(child->control, fd, peer)) {
			children_now_busy(c, child);
			close(fd);
			return;
		}
		children_dismiss(c, child); /* it was killed */
	}

	/* Idle processes of other sources make room. */
	if (c->busy + c->idle >= (size_t)s->config->settings.smtp_sessions) {
		child = children_oldest_idle(c);
		if (child != NULL)
			children_dismiss(c, child);
	}
	child = children_add(c);
	if (child == NULL || !start_child(s, child, fd, peer))
		turn_away(s, fd, peer, "no process");
	else
		close(fd);
}

static void accept_some(struct server *s, int listener)
{
	for (int i = 0; i < ACCEPTS; i++) {
		struct sockaddr_storage from;
		socklen_t len = sizeof from;
		struct peer peer;
		int fd = accept4(listener, (struct sockaddr *)&from, &len, SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			    errno == ENOBUFS)
				pause_accepting(s, "accept");
			return; /* nobody there, or he has gone already */
		}
		if (peer_of(&from, &peer))
			serve(s, fd, &peer);
		else
			close(fd);
	}
}

/* ---- children ---- */

/* A child that became idle stays, or goes if it has served enough. */
static void on_idle(struct server *s, struct child *child, int64_t now)
{
	const struct settings *settings = &s->config->settings;

	children_now_idle(&s->children, child, now);
	if (s->stopping || child->edition != s->edition ||
	    child->served >= (unsigned)settings->smtp_reuse ||
	    now - child->born >= settings->smtp_reuse_time)
		children_dismiss(&s->children, child);
}

static void on_control(struct server *s, int fd)
{
	struct child *child = children_by_control(&s->children, fd);
	char word;
	ssize_t n;

	if (child == NULL)
		return; /* dismissed earlier in this very round */
	n = recv(fd, &word, 1, MSG_DONTWAIT);
	if (n == 1 && word == WORKER_IDLE && child->keep)
		on_idle(s, child, clock_boot());
	else if (n >= 0 || errno != EAGAIN)
		children_dismiss(&s->children, child);
}

static void dismiss_all(struct server *s, bool idle_only)
{
	for (size_t i = 0; i < s->children.high; i++) {
		struct child *child = &s->children.line[i];

		if (child->pid != 0 && (child->idle || !idle_only))
			children_dismiss(&s->children, child);
	}
}

/* Lets go who has been idle for long. Returns when to look again, or 0. */
static int64_t expire(struct server *s, int64_t now)
{
	struct child *child;

	while ((child = children_oldest_idle(&s->children)) != NULL) {
		if (child->idle_since + IDLE_TIME > now)
			return child->idle_since + IDLE_TIME;
		children_dismiss(&s->children, child);
	}
	return 0;
}

static void reap(struct server *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *child = children_by_pid(&s->children, pid);

		if (WIFSIGNALED(status) && !s->stopping)
			LOG_ALARM("session-killed", kv_num("pid", pid),
			    kv("signal", sigdescr_np(WTERMSIG(status))));
		if (child != NULL)
			children_gone(&s->children, child);
	}
}

/* ---- signals ---- */

static void stop(struct server *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	s->stop_at = clock_boot() + STOP_TIME;
	for (size_t i = 0; i < s->n_listeners; i++)
		close(s->listeners[i]);
	s->n_listeners = 0;
	s->resume_at = 0;
	dismiss_all(s, false);
}

/* Sessions that run keep the configuration that they began with. */
static void reload(struct server *s)
{
	char fault[512];
	struct smtp_config *fresh = smtp_config_read(fault, sizeof fault);

	if (fresh == NULL) {
		LOG_ALARM("reload-refused", kv("what", fault));
		reload_answer("seki-smtpd", false, fault);
		return;
	}
	if (strcmp(fresh->settings.smtp_listen, s->config->settings.smtp_listen) != 0)
		LOG("reload-partly", kv("what", "smtp-listen is taken at the next start"));

	smtp_config_free(s->config);
	s->config = fresh;
	s->edition++;
	dismiss_all(s, true);
	LOG("reloaded", kv_num("edition", s->edition));
	reload_answer("seki-smtpd", true, "");
}

static void on_signal(struct server *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			reap(s);
			break;
		case SIGHUP:
			reload(s);
			break;
		default:
			stop(s);
			break;
		}
	}
}

static int open_signals(void)
{
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_SETMASK, &set, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		die_environ("setting signals up");
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		die_environ("making a signal descriptor");
	return fd;
}

/* ---- the loop ---- */

static int64_t earlier(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/* Does what is due; returns the milliseconds until something is due again, or -1. */
static int timers(struct server *s)
{
	int64_t now = clock_boot();
	int64_t next;

	if (s->resume_at != 0 && now >= s->resume_at)
		resume_accepting(s);
	next = earlier(expire(s, now), s->resume_at);
	if (s->stopping)
		next = earlier(next, s->stop_at);
	return next == 0 ? -1 : next <= now ? 0 : (int)((next - now + 999) / 1000);
}

static void kill_the_rest(const struct server *s)
{
	if (s->children.alive == 0)
		return;
	LOG("sessions-cut", kv_num("sessions", (int64_t)s->children.alive));
	for (size_t i = 0; i < s->children.high; i++) {
		if (s->children.line[i].pid > 0)
			(void)kill(s->children.line[i].pid, SIGKILL);
	}
}

/* Children are heard before new connections are taken: an idle one may serve the next. */
static void one_round(struct server *s)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(s->epoll, events, EVENTS, clock_patience(timers(s)));
	bool ready[SMTP_LISTEN_MAX] = {false};

	for (int i = 0; i < n; i++) {
		bool listener = false;

		for (size_t k = 0; k < s->n_listeners; k++) {
			if (events[i].data.fd == s->listeners[k])
				listener = ready[k] = true;
		}
		if (events[i].data.fd == s->signals)
			on_signal(s);
		else if (!listener)
			on_control(s, events[i].data.fd);
	}
	for (size_t k = 0; k < s->n_listeners; k++) {
		if (ready[k] && s->resume_at == 0)
			accept_some(s, s->listeners[k]);
	}
}

void smtp_serve(const int *listeners, size_t n, struct smtp_config *config, void (*ready)(void))
{
	struct server s = {.config = config, .listeners = listeners, .n_listeners = n};

	s.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s.epoll < 0)
		die_environ("making an epoll descriptor");
	if (!children_init(&s.children))
		die_environ("memory for the book of children");
	s.signals = open_signals();
	watch(&s, s.signals);
	resume_accepting(&s);
	ready();

	while (!s.stopping || (s.children.alive > 0 && clock_boot() < s.stop_at))
		one_round(&s);

	kill_the_rest(&s);
	free(s.children.line);
	smtp_config_free(s.config);
}
