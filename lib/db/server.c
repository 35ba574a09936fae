#include "lib/db/server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/forks.h"
#include "lib/base/log.h"
#include "lib/base/reload.h"
#include "lib/base/zone.h"
#include "lib/db/client.h"

#define CLIENTS_MAX  128
#define LINES_A_TURN 256                  /* of one client, before the others have theirs */
#define PAUSE_TIME   (CLOCK_SECOND / 4)   /* without descriptors or memory, accept waits */
#define MINUTE       (60 * CLOCK_SECOND)  /* trays are looked at, months begin */
#define FORGET_EVERY (5 * CLOCK_SECOND)   /* some of what is old */
#define LATER        (2 * CLOCK_SECOND)   /* trays that could not be read */
#define STOP_TIME    CLOCK_SECOND         /* what the last answers get to be heard */
#define ROOM_LEAST   ((uint64_t)16 << 20) /* bytes: with less, trays wait; recovery needs some */

enum { AT_SIGNALS, AT_TRAYS, AT_LISTENER, AT_CLIENTS };

struct server {
	struct store *store;
	struct history *history;
	struct trays *trays;
	int listener; /* -1: we stop */
	int signals;
	int64_t stop_at;   /* boot clock; 0: we do not stop */
	int64_t resume_at; /* accept waits until then; 0: it does not */
	int64_t read_at;   /* trays are read then */
	int64_t minute_at, forget_at;
	bool full; /* there is no room, and that was logged */
	struct client *clients;
	size_t n_clients;
	struct pollfd poll[AT_CLIENTS + CLIENTS_MAX];
};

void db_zone(const struct settings *settings)
{
	if (!zone_set(settings->time_zone))
		die_environ("memory for the time zone");
}

static void take_settings(const struct server *s, const struct settings *settings)
{
	db_zone(settings);
	history_bounds(
	    s->history, settings->dormant / CLOCK_SECOND, settings->keep_history / CLOCK_SECOND);
	history_keep_sent(s->history, settings->keep_sent / CLOCK_SECOND);
}

/* ---- what is done from time to time ------------------------------------------------------- */

static bool has_room(struct server *s)
{
	struct statvfs st;

	if (statvfs(DB_DIRECTORY, &st) == 0 && (uint64_t)st.f_bavail * st.f_frsize < ROOM_LEAST) {
		if (!s->full)
			LOG_ALARM("history-full", kv("directory", DB_DIRECTORY));
		s->full = true;
		return false;
	}
	s->full = false;
	return true;
}

static void read_trays(struct server *s, int64_t boot, int64_t now)
{
	if (s->read_at > boot || s->stop_at != 0)
		return;
	if (!has_room(s)) {
		s->read_at = boot + LATER;
		return;
	}
	switch (trays_read(s->trays, now)) {
	case TRAYS_EMPTY:
		s->read_at = boot + MINUTE;
		break;
	case TRAYS_MORE:
		s->read_at = boot;
		break;
	case TRAYS_LATER:
		s->read_at = boot + LATER;
		break;
	}
}

static void keep_house(struct server *s, int64_t boot, int64_t now)
{
	if (s->stop_at != 0 || s->full)
		return;
	if (boot >= s->minute_at) {
		s->minute_at = boot + MINUTE;
		(void)!history_month(s->history, now); /* which has said so, and is tried again */
		store_checkpoint(s->store);
	}
	if (boot >= s->forget_at) {
		s->forget_at = boot + FORGET_EVERY;
		(void)!history_forget(s->history, now);
	}
}

/* ---- clients ------------------------------------------------------------------------------ */

static void sweep(struct server *s)
{
	struct client **at = &s->clients;

	while (*at != NULL) {
		struct client *c = *at;

		if (!client_done(c)) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		s->n_clients--;
		client_free(c);
	}
}

static void accept_some(struct server *s)
{
	while (s->listener >= 0 && s->n_clients < CLIENTS_MAX) {
		int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		struct client *c = fd >= 0 ? client_new(fd) : NULL;

		if (c == NULL) {
			int error = errno;

			if (fd >= 0)
				(void)close(fd);
			if (error != EAGAIN && error != ECONNABORTED && error != EINTR) {
				LOG("accept-paused", kv("why", "accept"), kv_errno(error));
				s->resume_at = clock_boot() + PAUSE_TIME;
			}
			return;
		}
		c->next = s->clients;
		s->clients = c;
		s->n_clients++;
	}
}

/* The clients stand in `poll` as fill_poll found them: new ones are put before them later. */
static void on_clients(struct server *s)
{
	size_t at = AT_CLIENTS;

	for (struct client *c = s->clients; c != NULL; c = c->next) {
		short events = s->poll[at++].revents;

		if ((events & (POLLERR | POLLNVAL)) != 0 ||
		    ((events & POLLHUP) != 0 && (events & POLLIN) == 0)) {
			c->gone = true;
			c->sent = c->out.len; /* nobody hears it */
		}
		if ((events & POLLIN) != 0)
			client_read(c);
	}
}

static void answer_all(struct server *s, int64_t now)
{
	for (struct client *c = s->clients; c != NULL; c = c->next) {
		client_answer(c, s->history, now, LINES_A_TURN);
		client_send(c);
	}
}

static bool any(const struct server *s, bool (*is)(const struct client *c))
{
	for (const struct client *c = s->clients; c != NULL; c = c->next) {
		if (is(c))
			return true;
	}
	return false;
}

/* ---- signals ------------------------------------------------------------------------------ */

static void stop(struct server *s)
{
	if (s->stop_at != 0)
		return;
	s->stop_at = clock_boot() + STOP_TIME;
	(void)close(s->listener);
	s->listener = -1;
}

static void reload(struct server *s)
{
	struct settings settings;
	char fault[512];

	if (!forks_settings(&settings, fault, sizeof fault)) {
		LOG_ALARM("reload-refused", kv("what", fault));
		reload_answer("seki-db", false, fault);
		return;
	}
	take_settings(s, &settings);
	LOG("reloaded", kv("program", "seki-db"));
	reload_answer("seki-db", true, "");
}

static void on_signal(struct server *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			stop(s);
		else if (info.ssi_signo == SIGHUP && s->stop_at == 0)
			reload(s);
	}
}

/* ---- the loop ----------------------------------------------------------------------------- */

static size_t fill_poll(struct server *s)
{
	bool listens = s->listener >= 0 && s->resume_at == 0 && s->n_clients < CLIENTS_MAX;
	size_t n = AT_CLIENTS;

	s->poll[AT_SIGNALS] = (struct pollfd){.fd = s->signals, .events = POLLIN};
	s->poll[AT_TRAYS] = (struct pollfd){.fd = trays_fd(s->trays), .events = POLLIN};
	s->poll[AT_LISTENER] = (struct pollfd){.fd = listens ? s->listener : -1, .events = POLLIN};
	for (struct client *c = s->clients; c != NULL && n < COUNT_OF(s->poll); c = c->next) {
		bool hears = client_may_ask(c) && !c->ended && c->have < PAST_LINE_MAX;

		s->poll[n++] = (struct pollfd){.fd = c->fd,
		    .events = (short)((hears ? POLLIN : 0) | (client_has_output(c) ? POLLOUT : 0))};
	}
	return n;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return b != 0 && b < a ? b : a;
}

/* The milliseconds until something is due. */
static int patience(struct server *s)
{
	int64_t now = clock_boot(), next = now + MINUTE;

	if (s->resume_at != 0 && now >= s->resume_at)
		s->resume_at = 0;
	next = sooner(next, s->resume_at);
	next = sooner(next, s->stop_at);
	if (s->stop_at == 0) {
		next = sooner(next, s->read_at);
		next = sooner(next, s->minute_at);
		next = sooner(next, s->forget_at);
	}
	if (any(s, client_has_line))
		next = now;
	return next <= now ? 0 : (int)((next - now + 999) / 1000);
}

static void one_round(struct server *s)
{
	int ms = patience(s);
	size_t n = fill_poll(s);
	int ready = poll(s->poll, n, clock_patience(ms));
	int64_t now = clock_wall() / CLOCK_SECOND, boot = clock_boot();

	if (ready < 0 && errno != EINTR)
		die_environ("waiting for questions");
	if (ready > 0) {
		on_clients(s);
		if (s->poll[AT_TRAYS].revents != 0) {
			trays_heard(s->trays);
			if (!s->full)
				s->read_at = boot;
		}
		if (s->poll[AT_SIGNALS].revents != 0)
			on_signal(s);
		if (s->poll[AT_LISTENER].revents != 0)
			accept_some(s);
	}
	answer_all(s, now);
	sweep(s);
	read_trays(s, boot, now);
	keep_house(s, boot, now);
}

void db_serve(int listener, int signals, struct store *store, struct history *history,
    struct trays *trays, const struct settings *settings, void (*ready)(void))
{
	struct server *s = calloc(1, sizeof *s);

	if (s == NULL)
		die_environ("memory for the server");
	s->store = store;
	s->history = history;
	s->trays = trays;
	s->listener = listener;
	s->signals = signals;
	s->read_at = s->minute_at = s->forget_at = clock_boot();
	take_settings(s, settings);
	ready();

	while (s->stop_at == 0 || (any(s, client_has_output) && clock_boot() < s->stop_at))
		one_round(s);

	while (s->clients != NULL) {
		struct client *c = s->clients;

		s->clients = c->next;
		client_free(c);
	}
	free(s);
}
