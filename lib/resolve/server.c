#include "lib/resolve/server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/base/reload.h"
#include "lib/resolve/asker.h"
#include "lib/resolve/work.h"

#define PAUSE_TIME (CLOCK_SECOND / 4) /* without descriptors or memory, accept waits */
#define STOP_TIME  CLOCK_SECOND       /* what the last answers get to be read */

enum { AT_SIGNALS, AT_RESOLVER, AT_LISTENER, AT_ASKERS };

struct question {
	struct work *work;
	struct asker *asker;
	int64_t due;
	struct question *next;
};

struct server {
	struct resolve_bounds bounds;
	struct work_tools tools;
	int listener; /* -1: we stop */
	int signals;
	int64_t stop_at;   /* 0: we do not stop */
	int64_t resume_at; /* accept waits until then; 0: it does not */
	struct asker *askers;
	size_t n_askers;
	struct question *questions;
	size_t n_questions;
	struct pollfd poll[AT_ASKERS + RESOLVE_CLIENTS_MAX];
};

/* ---- chance ---- */

static uint32_t random_number(void *context)
{
	uint32_t number;

	(void)context;
	if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
		die_environ("drawing a random number");
	return number;
}

/* ---- questions ---- */

static void answer(struct question *q)
{
	const struct resolve_answer *a = work_answer(q->work);

	if (a->status == RESOLVE_LATER)
		LOG("resolve-later", kv("kind", resolve_kind_word(a->kind)), kv("name", a->name),
		    kv("why", resolve_reason_word(a->reason)));
	asker_answer(q->asker, a);
	q->asker->questions--;
}

/* Takes the question out of the list, in which `at` leads to it. */
static void end(struct server *s, struct question **at)
{
	struct question *q = *at;

	*at = q->next;
	s->n_questions--;
	work_free(q->work);
	free(q);
}

/* Lets every question go on; those that have their answer, or no more time, are answered and end. */
static void go_on(struct server *s)
{
	struct question **at = &s->questions;
	int64_t now = clock_boot();

	while (*at != NULL) {
		struct question *q = *at;

		if (!work_go_on(q->work)) {
			if (q->due > now) {
				at = &q->next;
				continue;
			}
			work_expire(q->work);
		}
		answer(q);
		end(s, at);
	}
}

/* Its questions' places are free at once. */
static void drop_questions(struct server *s, const struct asker *a)
{
	struct question **at = &s->questions;

	while (*at != NULL) {
		if ((*at)->asker == a)
			end(s, at);
		else
			at = &(*at)->next;
	}
}

static void begin(struct server *s, struct asker *a, enum resolve_kind kind, const char *name)
{
	struct question *q = calloc(1, sizeof *q);

	if (q != NULL)
		q->work = work_new(&s->tools, kind, name);
	if (q == NULL || q->work == NULL) {
		free(q);
		LOG("resolve-failed", kv("why", "no memory"));
		a->gone = true; /* it takes the question for one to be asked later */
		return;
	}
	q->asker = a;
	q->due = clock_boot() + s->bounds.time;
	q->next = s->questions;
	s->questions = q;
	s->n_questions++;
	a->questions++;
}

/* One question of each asker in turn, so that none keeps the others from theirs. */
static void take_questions(struct server *s)
{
	char name[RESOLVE_NAME_MAX + 1];
	enum resolve_kind kind;
	bool taken = true;

	while (taken) {
		taken = false;
		for (struct asker *a = s->askers; a != NULL; a = a->next) {
			if (s->n_questions >= s->bounds.questions || s->stop_at != 0)
				return;
			if (asker_may_ask(a) && asker_take(a, &kind, name)) {
				begin(s, a, kind, name);
				taken = true;
			}
		}
	}
}

/* ---- askers ---- */

static void sweep(struct server *s)
{
	struct asker **at = &s->askers;

	while (*at != NULL) {
		struct asker *a = *at;

		if (!asker_done(a)) {
			at = &a->next;
			continue;
		}
		drop_questions(s, a);
		*at = a->next;
		s->n_askers--;
		asker_free(a);
	}
}

static void pause_accepting(struct server *s, int error)
{
	LOG("accept-paused", kv("why", "accept"), kv_errno(error));
	s->resume_at = clock_boot() + PAUSE_TIME;
}

static void accept_some(struct server *s)
{
	while (s->listener >= 0 && s->n_askers < s->bounds.clients) {
		int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		struct asker *a = fd >= 0 ? asker_new(fd) : NULL;

		if (a == NULL) {
			int error = errno;

			if (fd >= 0)
				(void)close(fd);
			if (error != EAGAIN && error != ECONNABORTED && error != EINTR)
				pause_accepting(s, error);
			return;
		}
		a->next = s->askers;
		s->askers = a;
		s->n_askers++;
	}
}

/* ---- signals ---- */

/* Nothing that is looked up is worth waiting for: who asked asks again. */
static void stop(struct server *s)
{
	if (s->stop_at != 0)
		return;
	s->stop_at = clock_boot() + STOP_TIME;
	(void)close(s->listener);
	s->listener = -1;
	for (struct question *q = s->questions; q != NULL; q = q->next)
		work_abandon(q->work, RESOLVE_STOPPING);
}

/* The questions begin anew, within the time that they have left: nobody is told "later" for it. */
static void take(struct server *s, struct resolver *fresh, const struct resolve_bounds *bounds)
{
	struct resolver *old = s->tools.resolver;

	s->tools.resolver = fresh;
	s->bounds = *bounds;
	for (struct question *q = s->questions; q != NULL; q = q->next)
		work_restart(q->work);
	resolver_close(old);
}

static void reload(struct server *s)
{
	char fault[512];
	struct resolve_config *config = resolve_config_read(fault, sizeof fault);
	struct resolver *fresh =
	    config != NULL ? resolver_open(&config->options, fault, sizeof fault) : NULL;

	if (fresh == NULL) {
		LOG_ALARM("reload-refused", kv("what", fault));
		reload_answer("seki-resolve", false, fault);
	} else {
		take(s, fresh, &config->bounds);
		LOG("reloaded", kv_num("questions", (int64_t)s->n_questions));
		reload_answer("seki-resolve", true, "");
	}
	free(config);
}

static void on_signal(struct server *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo != SIGHUP)
			stop(s);
		else if (s->stop_at == 0)
			reload(s);
	}
}

/* ---- the loop ---- */

/* While all places are taken nobody is accepted: who connects waits in the kernel's line. */
static bool listens(const struct server *s)
{
	return s->listener >= 0 && s->resume_at == 0 && s->n_askers < s->bounds.clients;
}

static short wanted(const struct server *s, const struct asker *a)
{
	bool hears = asker_may_ask(a) && !a->ended && s->stop_at == 0 &&
		     s->n_questions < s->bounds.questions;

	return (short)((hears ? POLLIN : 0) | (asker_has_output(a) ? POLLOUT : 0));
}

static size_t fill_poll(struct server *s)
{
	size_t n = AT_ASKERS;

	s->poll[AT_SIGNALS] = (struct pollfd){.fd = s->signals, .events = POLLIN};
	s->poll[AT_RESOLVER] =
	    (struct pollfd){.fd = resolver_fd(s->tools.resolver), .events = POLLIN};
	s->poll[AT_LISTENER] =
	    (struct pollfd){.fd = listens(s) ? s->listener : -1, .events = POLLIN};
	for (struct asker *a = s->askers; a != NULL && n < COUNT_OF(s->poll); a = a->next)
		s->poll[n++] = (struct pollfd){.fd = a->fd, .events = wanted(s, a)};
	return n;
}

/* Whether there is a question for which a place has become free. */
static bool has_question(const struct server *s)
{
	if (s->stop_at != 0 || s->n_questions >= s->bounds.questions)
		return false;
	for (const struct asker *a = s->askers; a != NULL; a = a->next) {
		if (asker_may_ask(a) && asker_has_line(a))
			return true;
	}
	return false;
}

/* The milliseconds until something is due, or -1. */
static int patience(struct server *s)
{
	int64_t now = clock_boot();
	int64_t next = s->stop_at != 0 ? s->stop_at : has_question(s) ? now : INT64_MAX;

	if (s->resume_at != 0 && now >= s->resume_at)
		s->resume_at = 0;
	if (s->resume_at != 0 && s->resume_at < next)
		next = s->resume_at;
	for (const struct question *q = s->questions; q != NULL; q = q->next) {
		if (q->due < next)
			next = q->due;
	}
	return next == INT64_MAX ? -1 : next <= now ? 0 : (int)((next - now + 999) / 1000);
}

/* The askers stand in `poll` as fill_poll found them: new ones are put before them later. */
static void on_askers(struct server *s)
{
	size_t at = AT_ASKERS;

	for (struct asker *a = s->askers; a != NULL; a = a->next) {
		short events = s->poll[at++].revents;

		/* Both directions are closed, or it is dead: the rest of its questions may go. */
		if ((events & (POLLERR | POLLNVAL)) != 0 ||
		    ((events & POLLHUP) != 0 && (events & POLLIN) == 0))
			a->gone = true;
		if ((events & POLLIN) != 0)
			asker_read(a);
	}
}

static void one_round(struct server *s)
{
	int ms = patience(s);
	size_t n = fill_poll(s);
	int ready = poll(s->poll, n, clock_patience(ms));

	if (ready < 0 && errno != EINTR)
		die_environ("waiting for questions");
	if (ready > 0) {
		on_askers(s);
		if (s->poll[AT_RESOLVER].revents != 0 && !resolver_process(s->tools.resolver))
			die_environ("the DNS library");
		if (s->poll[AT_SIGNALS].revents != 0) /* after it: there may be another resolver */
			on_signal(s);
		if (s->poll[AT_LISTENER].revents != 0)
			accept_some(s);
	}
	take_questions(s);
	go_on(s);
	for (struct asker *a = s->askers; a != NULL; a = a->next)
		asker_send(a);
	sweep(s);
}

static bool has_output(const struct server *s)
{
	for (const struct asker *a = s->askers; a != NULL; a = a->next) {
		if (asker_has_output(a))
			return true;
	}
	return false;
}

void resolve_serve(int listener, int signals, struct resolver *resolver,
    const struct resolve_bounds *bounds, void (*ready)(void))
{
	struct server *s = calloc(1, sizeof *s);

	if (s == NULL)
		die_environ("memory for the server");
	s->bounds = *bounds;
	s->tools.resolver = resolver;
	s->tools.chance.next = random_number;
	s->listener = listener;
	s->signals = signals;
	ready();

	while (s->stop_at == 0 || (has_output(s) && clock_boot() < s->stop_at))
		one_round(s);

	for (struct asker *a = s->askers; a != NULL; a = a->next)
		a->gone = true;
	sweep(s);
	resolver_close(s->tools.resolver);
	free(s);
}
