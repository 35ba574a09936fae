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
#include "lib/base/local.h"
#include "lib/base/log.h"
#include "lib/base/reload.h"
#include "lib/smtp/children.h"
#include "lib/smtp/rate.h"
#include "lib/smtp/worker.h"

#define IDLE_TIME     (5 * CLOCK_SECOND)         /* an idle child is let go after */
#define STOP_TIME     (10 * CLOCK_SECOND)        /* what running sessions get to finish */
#define PAUSE_TIME    (CLOCK_SECOND / 4)         /* without descriptors or memory, accept waits */
#define COMPLAIN_TIME CLOCK_SECOND               /* at most one line about turned-away clients in */
#define LOOK_TIME     (24 * 3600 * CLOCK_SECOND) /* between two looks at the certificates */
#define EVENTS        64
#define ACCEPTS       8 /* connections in a row, before the children are heard again */

struct server {
	struct smtp_config *config;
	unsigned edition; /* of the configuration */
	struct smtp_listeners *listeners;
	struct rate *rate;  /* of those who are no relay source */
	int64_t look_at;    /* the certificates */
	int64_t tickets_at; /* a new key for them; 0: never */
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
static void turn_away(struct server *s, int fd, const struct arrival *a, const char *why)
{
	static const char answer[] = "421 4.7.0 too many connections, try again later\r\n";

	/* To one who expects TLS, or has yet to say PROXY, it would be noise. */
	if (a->service != SMTP_SUBMISSIONS && !a->proxied &&
	    send(fd, answer, sizeof answer - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		why = "too many, and he did not even listen";
	complain(s, &a->peer, why);
	close(fd);
}

/* No descriptors or no memory: the listening sockets rest a moment, so that nothing spins. */
static void pause_accepting(struct server *s, const char *what)
{
	LOG("accept-paused", kv("why", what), kv_errno(errno));
	s->resume_at = clock_boot() + PAUSE_TIME;
	for (size_t i = 0; i < s->listeners->n; i++)
		(void)epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->listeners->at[i].fd, NULL);
}

static void resume_accepting(struct server *s)
{
	s->resume_at = 0;
	for (size_t i = 0; i < s->listeners->n; i++)
		watch(s, s->listeners->at[i].fd);
}

/* ---- giving a connection to a process ---- */

/* Whether its address is enough to know who sends; a proxy's address says nothing. */
static bool is_source(const struct server *s, const struct arrival *a)
{
	return a->service == SMTP_RELAY && !a->proxied &&
	       relay_find(&s->config->relay, &a->peer.ip) != NULL;
}

/* Forks a process for this connection. False (errno) if the system has none to give. */
static bool start_child(
    struct server *s, struct child *child, int fd, const struct arrival *a, bool source)
{
	bool keep = s->config->settings.smtp_reuse > 1 && source;
	int pair[2];
	pid_t pid;

	if (!s->config->has_loop)
		smtp_config_loop_key(s->config);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	pid = fork();
	if (pid == 0)
		worker_run(s->config, pair[1], fd, a, keep);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return false;
	}

	*child = (struct child){.pid = pid,
	    .control = pair[0],
	    .keep = keep,
	    .proxied = a->proxied,
	    .proven = source,
	    .edition = s->edition,
	    .born = clock_boot()};
	if (!a->proxied)
		child->source = a->peer.ip;
	children_started(&s->children, child);
	if (keep || a->proxied) /* any other has little to say: see children_hear */
		watch(s, pair[0]);
	return true;
}

/* Ends the session of somebody of whom nothing is known: no message of his can be under way. */
static void shed(struct server *s, struct child *child)
{
	LOG("stranger-shed", kv_num("pid", child->pid),
	    kv_num("strangers", (int64_t)children_strangers(&s->children)));
	child->shed = true;
	(void)kill(child->pid, SIGKILL);
}

/* Whether there is room for this one, which may cost a stranger his. `why`: the setting, if not. */
static bool make_room(struct server *s, bool source, const char **why)
{
	const struct settings *settings = &s->config->settings;
	struct children *c = &s->children;
	bool full = c->busy >= (size_t)settings->smtp_sessions;
	bool crowded = false;
	struct child *stranger;

	if (full || !source)
		children_hear(c);
	if (!source)
		crowded = children_strangers(c) >= (size_t)settings->smtp_strangers;
	if (!full && !crowded)
		return true;
	*why = crowded ? "smtp-strangers" : "smtp-sessions";
	stranger = children_oldest_stranger(
	    c, clock_boot() - (source ? 0 : settings->smtp_stranger_grace));
	if (stranger != NULL)
		shed(s, stranger);
	return stranger != NULL;
}

/* Whether this address may have one more session. `beyond`: sessions of its own that it has. */
static bool may_come(
    struct server *s, const struct ip *ip, bool source, size_t has, const char **why)
{
	const struct settings *settings = &s->config->settings;

	*why = "smtp-sessions-source";
	if (has >= (size_t)settings->smtp_sessions_source)
		return false;
	*why = "smtp-rate";
	return source || rate_note(s->rate, ip, clock_boot()) <= settings->smtp_rate;
}

/* Gives it to an idle process that has served this source before. */
static bool hand_over(struct server *s, int fd, const struct arrival *a)
{
	struct child *child;

	while ((child = children_idle_of(&s->children, &a->peer.ip)) != NULL) {
		if (worker_hand(child->control, fd, a)) {
			children_now_busy(&s->children, child);
			close(fd);
			return true;
		}
		children_dismiss(&s->children, child); /* it was killed */
	}
	return false;
}

static void serve(struct server *s, int fd, const struct arrival *a)
{
	struct children *c = &s->children;
	bool source = is_source(s, a);
	struct child *child;
	const char *why = "";

	if (!a->proxied &&
	    !may_come(s, &a->peer.ip, source, children_busy_of(c, &a->peer.ip), &why)) {
		turn_away(s, fd, a, why);
		return;
	}
	if (!make_room(s, source, &why)) {
		turn_away(s, fd, a, why);
		return;
	}
	if (source && hand_over(s, fd, a))
		return;

	/* Idle processes of other sources make room. */
	if (c->busy + c->idle >= (size_t)s->config->settings.smtp_sessions) {
		child = children_oldest_idle(c);
		if (child != NULL)
			children_dismiss(c, child);
	}
	child = children_add(c);
	if (child == NULL || !start_child(s, child, fd, a, source))
		turn_away(s, fd, a, "no process");
	else
		close(fd);
}

static void accept_some(struct server *s, const struct smtp_listener *listener)
{
	for (int i = 0; i < ACCEPTS; i++) {
		struct sockaddr_storage from;
		socklen_t len = sizeof from;
		struct arrival a = {.service = listener->service};
		int fd = accept4(listener->fd, (struct sockaddr *)&from, &len, SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			    errno == ENOBUFS)
				pause_accepting(s, "accept");
			return; /* nobody there, or he has gone already */
		}
		if (!peer_of(&from, &a.peer)) {
			close(fd);
			continue;
		}
		a.proxied = proxy_networks_hold(s->config->proxies, &a.peer.ip);
		serve(s, fd, &a);
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

/* A child has learnt from a proxy whom it serves. It says so once: no process takes another's place. */
static void on_source(struct server *s, struct child *child, const char *bytes)
{
	const char *why = "";
	struct peer peer = {.port = 0};
	bool source, may;
	char answer;

	memcpy(&peer.ip, bytes, sizeof peer.ip);
	source = relay_find(&s->config->relay, &peer.ip) != NULL;
	may = may_come(s, &peer.ip, source, children_busy_of(&s->children, &peer.ip), &why);
	child->source = peer.ip;
	child->proxied = false;
	answer = may ? WORKER_MAY : WORKER_MAY_NOT;
	if (!may)
		complain(s, &peer, why);
	if (send(child->control, &answer, 1, MSG_DONTWAIT | MSG_NOSIGNAL) != 1)
		children_dismiss(&s->children, child);
}

static void on_control(struct server *s, int fd)
{
	struct child *child = children_by_control(&s->children, fd);
	char word[1 + sizeof(struct ip)];
	ssize_t n;

	if (child == NULL)
		return; /* dismissed earlier in this very round */
	n = recv(fd, word, sizeof word, MSG_DONTWAIT);
	if (n == 1 && word[0] == WORKER_IDLE && child->keep)
		on_idle(s, child, clock_boot());
	else if (n == 1 && word[0] == WORKER_PROVEN)
		child->proven = true;
	else if (n == (ssize_t)sizeof word && word[0] == WORKER_SOURCE && child->proxied)
		on_source(s, child, word + 1);
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

		if (WIFSIGNALED(status) && !s->stopping && (child == NULL || !child->shed))
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
	for (size_t i = 0; i < s->listeners->n; i++)
		close(s->listeners->at[i].fd);
	s->listeners->n = 0;
	s->resume_at = 0;
	dismiss_all(s, false);
}

static bool same_places(const struct settings *a, const struct settings *b)
{
	return strcmp(a->smtp_listen, b->smtp_listen) == 0 &&
	       strcmp(a->submission_listen, b->submission_listen) == 0 &&
	       strcmp(a->submissions_listen, b->submissions_listen) == 0;
}

/* A configuration is new: its certificates are looked at now, its ticket key is as new as it. */
static void plan_looks(struct server *s, int64_t now)
{
	int64_t life = s->config->settings.tls_tickets;

	s->look_at = now;
	s->tickets_at = s->config->tls != NULL && life > 0 ? now + life : 0;
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
	if (!same_places(&fresh->settings, &s->config->settings))
		LOG("reload-partly",
		    kv("what",
			"smtp-listen, submission-listen and submissions-listen are taken at the "
			"next start"));

	smtp_config_free(s->config);
	s->config = fresh;
	s->edition++;
	plan_looks(s, clock_boot());
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

/* ---- the loop ---- */

static int64_t earlier(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/* Whatever concerns the certificates and is due. */
static void look(struct server *s, int64_t now)
{
	if (now >= s->look_at) {
		smtp_config_certificates(s->config);
		s->look_at = now + LOOK_TIME;
	}
	if (s->tickets_at != 0 && now >= s->tickets_at) {
		if (!tls_new_tickets(s->config->tls))
			LOG_ALARM("tickets-kept", kv("why", "no randomness for a new key"));
		s->tickets_at = now + s->config->settings.tls_tickets;
	}
}

/* Does what is due; returns the milliseconds until something is due again, or -1. */
static int timers(struct server *s)
{
	int64_t now = clock_boot();
	int64_t next;

	if (s->resume_at != 0 && now >= s->resume_at)
		resume_accepting(s);
	look(s, now);
	next = earlier(expire(s, now), s->resume_at);
	next = earlier(next, s->look_at);
	next = earlier(next, s->tickets_at);
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

		for (size_t k = 0; k < s->listeners->n; k++) {
			if (events[i].data.fd == s->listeners->at[k].fd)
				listener = ready[k] = true;
		}
		if (events[i].data.fd == s->signals)
			on_signal(s);
		else if (!listener)
			on_control(s, events[i].data.fd);
	}
	for (size_t k = 0; k < s->listeners->n; k++) {
		if (ready[k] && s->resume_at == 0)
			accept_some(s, &s->listeners->at[k]);
	}
}

void smtp_serve(struct smtp_listeners *listeners, struct smtp_config *config, void (*ready)(void))
{
	struct server s = {.config = config, .listeners = listeners, .rate = rate_new()};

	s.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s.epoll < 0)
		die_environ("making an epoll descriptor");
	if (!children_init(&s.children) || s.rate == NULL)
		die_environ("memory for the book of children");
	s.signals = local_signals();
	watch(&s, s.signals);
	plan_looks(&s, clock_boot());
	resume_accepting(&s);
	ready();

	while (!s.stopping || (s.children.alive > 0 && clock_boot() < s.stop_at))
		one_round(&s);

	kill_the_rest(&s);
	children_free(&s.children);
	free(s.rate);
	smtp_config_free(s.config);
}
