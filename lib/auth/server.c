#include "lib/auth/server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/auth/check.h"
#include "lib/auth/client.h"
#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/local.h"
#include "lib/base/log.h"
#include "lib/base/reload.h"

#define STOP_TIME  (10 * CLOCK_SECOND) /* what running checks get to finish */
#define PAUSE_TIME (CLOCK_SECOND / 4)  /* without descriptors or memory, accept waits */
#define EVENTS     64

struct server {
	struct auth_config *config;
	struct guess *guess;
	struct cache *cache;
	size_t entries; /* that these two remember */
	int listener;   /* -1: we stop */
	int epoll;
	int signals;
	bool listening; /* the listener is watched */
	bool stopping;
	int64_t stop_at;
	int64_t resume_at; /* accept waits until then; 0: it does not */
	struct client *clients;
	size_t n_clients;
	size_t running; /* back ends that have not ended */
	uint64_t turns; /* taken so far */
};

static const struct settings *settings(const struct server *s)
{
	return &s->config->settings;
}

static void watch(const struct server *s, int fd, void *what)
{
	struct epoll_event e = {.events = EPOLLIN, .data = {.ptr = what}};

	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) != 0)
		die_environ("watching a descriptor");
}

/* ---- answers ---- */

static void answer_later(struct client *c, const char *why, int64_t code)
{
	if (c->question.login != NULL)
		LOG("auth-failed", kv("login", c->question.login), kv("source", c->question.source),
		    kv("service", c->question.service), kv("why", why), kv_num("code", code));
	else
		LOG("auth-failed", kv("why", why), kv_num("code", code));
	client_answer(c, 'L');
}

/*
 * The delay runs from the beginning of the check, so that how long a back end took (it may be
 * quicker with logins that it does not know) does not show.
 */
static void withhold(struct client *c, char letter, int64_t delay)
{
	client_wipe(c);
	c->answer = letter;
	c->state = CLIENT_WITHHELD;
	c->due = c->since + delay;
	if (c->fd < 0)
		c->state = CLIENT_GONE;
}

static void answer_right(struct server *s, struct client *c)
{
	guess_right(s->guess, &c->who);
	client_wipe(c);
	client_answer(c, 'Y');
}

static void answer_wrong(struct server *s, struct client *c, int64_t now)
{
	const struct auth_question *q = &c->question;
	struct guess_failure f = guess_wrong(s->guess, now, &c->who);

	LOG("auth-wrong", kv("login", q->login), kv("source", q->source), kv("service", q->service),
	    kv_num("delay-ms", f.delay / 1000));
	if (f.source_reached)
		LOG_ALARM("auth-capped", kv("by", "source"), kv("source", q->source),
		    kv_num("failures", settings(s)->auth_failures_source));
	if (f.login_reached)
		LOG_ALARM("auth-capped", kv("by", "login"), kv("login", q->login),
		    kv_num("failures", settings(s)->auth_failures_login));
	withhold(c, 'N', f.delay);
}

/* ---- checks ---- */

/* What can be said without a back end is said now. False: one has to be asked. */
static bool answer_at_once(
    struct server *s, struct client *c, const struct table_line *line, int64_t now)
{
	const struct auth_question *q = &c->question;
	unsigned char stamp[CACHE_STAMP];

	c->since = now;
	if (guess_may(s->guess, now, &c->who) != GUESS_MAY) {
		withhold(c, 'C', guess_delay(s->guess, now, &c->who));
		return true;
	}

	check_stamp(line, stamp);
	cache_mac(s->cache, stamp, q->login, q->password, c->mac);
	if (!cache_has(s->cache, now, q->login, c->mac))
		return false;
	answer_right(s, c);
	return true;
}

static struct client *next_waiting(const struct server *s)
{
	struct client *first = NULL;

	for (struct client *c = s->clients; c != NULL; c = c->next) {
		if (c->state == CLIENT_WAITING && (first == NULL || c->turn < first->turn))
			first = c;
	}
	return first;
}

/*
 * Starts checks while there are places. What was true when a client began to wait (its cap, its
 * back end, a cached password) may not be any more, so it is looked at again.
 */
static void start_checks(struct server *s)
{
	struct client *c;

	while (s->running < (size_t)settings(s)->auth_checks && (c = next_waiting(s)) != NULL) {
		const struct table_line *line = table_find(&s->config->table, c->question.login);

		if (answer_at_once(s, c, line, clock_boot()))
			continue;
		c->pid = check_start(line, &c->question);
		client_wipe(c);
		if (c->pid < 0) {
			LOG_ALARM("auth-unstarted", kv("program", line->path), kv_errno(errno));
			answer_later(c, "back end cannot be started", CHECK_LATER);
			continue;
		}
		c->state = CLIENT_CHECKING;
		s->running++;
	}
}

static void check_ended(struct server *s, struct client *c, int status, int64_t now)
{
	char signal[64];

	if (WIFSIGNALED(status)) {
		(void)snprintf(
		    signal, sizeof signal, "back end killed by signal %d", WTERMSIG(status));
		answer_later(c, signal, CHECK_LATER);
		return;
	}
	switch (WEXITSTATUS(status)) {
	case CHECK_RIGHT:
		if (settings(s)->auth_cache > 0)
			cache_put(
			    s->cache, now + settings(s)->auth_cache, c->question.login, c->mac);
		answer_right(s, c);
		break;
	case CHECK_WRONG:
		answer_wrong(s, c, now);
		break;
	default:
		answer_later(c, "back end failed", WEXITSTATUS(status));
		break;
	}
}

static void reap(struct server *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct client *c = s->clients;

		s->running--;
		while (c != NULL && (c->state != CLIENT_CHECKING || c->pid != pid))
			c = c->next;
		if (c != NULL)
			check_ended(s, c, status, clock_boot());
	}
}

/* ---- clients ---- */

static void on_question(struct server *s, struct client *c)
{
	struct epoll_event e = {.events = EPOLLRDHUP, .data = {.ptr = c}};
	const struct table_line *line;

	/* From here on only its end is of interest. */
	(void)epoll_ctl(s->epoll, EPOLL_CTL_MOD, c->fd, &e);
	if (!guess_who(s->guess, c->question.source, c->question.login, &c->who)) {
		LOG("auth-malformed", kv("why", "the source is no address"));
		client_answer(c, 'L');
		return;
	}

	line = table_find(&s->config->table, c->question.login);
	if (answer_at_once(s, c, line, clock_boot()))
		return;
	c->state = CLIENT_WAITING;
	c->turn = s->turns++;
}

/* What it learns nothing from is dropped; a check that runs will count all the same. */
static void on_hang_up(struct client *c)
{
	client_hang_up(c);
	if (c->state != CLIENT_CHECKING)
		c->state = CLIENT_GONE;
}

static void on_client(struct server *s, struct client *c)
{
	if (c->state == CLIENT_GONE || c->fd < 0)
		return; /* ended earlier in this very round */
	if (c->state != CLIENT_READING) {
		on_hang_up(c);
		return;
	}
	switch (client_read(c)) {
	case CLIENT_MORE:
		break;
	case CLIENT_ASKED:
		on_question(s, c);
		break;
	case CLIENT_BROKEN:
		LOG("auth-malformed", kv("why", "no question"));
		client_answer(c, 'L');
		break;
	case CLIENT_CLOSED:
		on_hang_up(c);
		break;
	}
}

/* Clients that have gone are freed when no event of the round can name them any more. */
static void sweep(struct server *s)
{
	struct client **at = &s->clients;

	while (*at != NULL) {
		struct client *c = *at;

		if (c->state != CLIENT_GONE) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		s->n_clients--;
		client_free(c);
	}
}

/* ---- accepting ---- */

/* While all places are taken nobody is accepted: who connects waits in the kernel's line. */
static void listen_or_not(struct server *s)
{
	bool wanted = s->listener >= 0 && s->resume_at == 0 &&
		      s->n_clients < (size_t)settings(s)->auth_clients;

	if (wanted && !s->listening)
		watch(s, s->listener, &s->listener);
	if (!wanted && s->listening && s->listener >= 0)
		(void)epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->listener, NULL);
	s->listening = wanted;
}

static void pause_accepting(struct server *s, int error)
{
	LOG("accept-paused", kv("why", "accept"), kv_errno(error));
	s->resume_at = clock_boot() + PAUSE_TIME;
}

static void accept_some(struct server *s)
{
	while (s->listener >= 0 && s->n_clients < (size_t)settings(s)->auth_clients) {
		int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		struct client *c = fd >= 0 ? client_new(fd) : NULL;

		if (c == NULL) {
			int error = errno;

			if (fd >= 0)
				(void)close(fd);
			if (error != EAGAIN && error != ECONNABORTED && error != EINTR)
				pause_accepting(s, error);
			return;
		}
		c->due = clock_boot() + settings(s)->auth_timeout;
		c->next = s->clients;
		s->clients = c;
		s->n_clients++;
		watch(s, fd, c);
		c->epoll = s->epoll;
	}
}

/* ---- signals ---- */

/* Checks that run may end, for a while; nothing else is worth waiting for. */
static void stop(struct server *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	s->stop_at = clock_boot() + STOP_TIME;
	(void)close(s->listener);
	s->listener = -1;
	for (struct client *c = s->clients; c != NULL; c = c->next) {
		if (c->state == CLIENT_WITHHELD)
			client_answer(c, c->answer);
		else if (c->state == CLIENT_READING || c->state == CLIENT_WAITING)
			client_answer(c, 'L');
	}
}

static struct guess_limits limits(const struct settings *set)
{
	return (struct guess_limits){.window = set->auth_failures_time,
	    .source = set->auth_failures_source,
	    .login = set->auth_failures_login,
	    .pair = set->auth_failures_source,
	    .delay = set->auth_delay,
	    .longest = set->auth_delay_longest};
}

static void reload(struct server *s)
{
	char fault[512];
	struct auth_config *fresh = auth_config_read(fault, sizeof fault);
	struct guess_limits fresh_limits;

	if (fresh == NULL) {
		LOG_ALARM("reload-refused", kv("what", fault));
		reload_answer("seki-auth", false, fault);
		return;
	}
	if ((size_t)fresh->settings.auth_remember != s->entries)
		LOG("reload-partly", kv("what", "auth-remember is taken at the next start"));

	auth_config_free(s->config);
	s->config = fresh;
	fresh_limits = limits(&fresh->settings);
	guess_limit(s->guess, &fresh_limits);
	if (!cache_clear(s->cache))
		die_environ("making a key");
	LOG("reloaded", kv_num("lines", (int64_t)fresh->table.n));
	reload_answer("seki-auth", true, "");
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

static void on_due(struct client *c)
{
	switch (c->state) {
	case CLIENT_READING:
		answer_later(c, "question not whole in time", CHECK_LATER);
		break;
	case CLIENT_WAITING:
		answer_later(c, "too many checks at once", CHECK_LATER);
		break;
	case CLIENT_CHECKING:
		/* It stays among the running ones until it has really ended. */
		(void)kill(-c->pid, SIGKILL);
		answer_later(c, "back end took too long", CHECK_LATER);
		break;
	case CLIENT_WITHHELD:
		client_answer(c, c->answer);
		break;
	case CLIENT_GONE:
		break;
	}
}

/* Does what is due; returns the milliseconds until something is due again, or -1. */
static int timers(struct server *s)
{
	int64_t now = clock_boot();
	int64_t next = s->stopping ? s->stop_at : INT64_MAX;

	if (s->resume_at != 0 && now >= s->resume_at)
		s->resume_at = 0;
	if (s->resume_at != 0 && s->resume_at < next)
		next = s->resume_at;
	for (struct client *c = s->clients; c != NULL; c = c->next) {
		if (c->state != CLIENT_GONE && c->due <= now)
			on_due(c);
		if (c->state != CLIENT_GONE && c->due < next)
			next = c->due;
	}
	sweep(s);
	listen_or_not(s);
	return next == INT64_MAX ? -1 : next <= now ? 0 : (int)((next - now + 999) / 1000);
}

static void one_round(struct server *s)
{
	struct epoll_event events[EVENTS];
	int patience = timers(s);
	int n = 0;

	if (!s->stopping || s->n_clients > 0)
		n = epoll_wait(s->epoll, events, EVENTS, clock_patience(patience));
	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr == &s->signals)
			on_signal(s);
		else if (events[i].data.ptr == &s->listener)
			accept_some(s);
		else
			on_client(s, events[i].data.ptr);
	}
	start_checks(s);
	sweep(s);
}

static void prepare(struct server *s)
{
	unsigned char secret[MEMO_SECRET];
	struct guess_limits l = limits(settings(s));

	s->entries = (size_t)settings(s)->auth_remember;
	if (getrandom(secret, sizeof secret, 0) != (ssize_t)sizeof secret)
		die_environ("making a key");
	s->guess = guess_new(s->entries, secret, &l);
	s->cache = cache_new(s->entries);
	explicit_bzero(secret, sizeof secret);
	if (s->guess == NULL || s->cache == NULL)
		die_environ("memory for failures and successes");

	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll < 0)
		die_environ("making an epoll descriptor");
	s->signals = local_signals();
	watch(s, s->signals, &s->signals);
}

void auth_serve(int listener, struct auth_config *config, void (*ready)(void))
{
	struct server s = {.config = config, .listener = listener};

	prepare(&s);
	listen_or_not(&s);
	ready();

	while (!s.stopping || (s.n_clients > 0 && clock_boot() < s.stop_at))
		one_round(&s);

	for (struct client *c = s.clients; c != NULL; c = c->next) {
		if (c->state == CLIENT_CHECKING)
			(void)kill(-c->pid, SIGKILL);
		c->state = CLIENT_GONE;
	}
	sweep(&s);
	guess_free(s.guess);
	cache_free(s.cache);
	auth_config_free(s.config);
}
