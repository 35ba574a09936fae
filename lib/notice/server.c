#include "lib/notice/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "lib/base/clock.h"
#include "lib/base/confine.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/base/reload.h"
#include "lib/notice/session.h"
#include "queue/digest.h"

#define PROGRAM    "seki-notice"
#define STOP_TIME  (10 * CLOCK_SECOND) /* what requests that have begun get to end */
#define PAUSE_TIME (CLOCK_SECOND / 4)  /* without descriptors or processes, accept waits */

struct server {
	struct notice_config *config;
	int etc;
	int listener[NOTICE_DOORS]; /* -1: we stop */
	int signals;
	int64_t stop_at;   /* 0: we do not stop */
	int64_t resume_at; /* accept waits until then; 0: it does not */
	size_t running;    /* processes that have not ended */
};

void notice_harden(void)
{
	const struct rlimit no_core = {0, 0};
	char hex[DIGEST_HEX];

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		die_environ("giving privileges up");
	if (setrlimit(RLIMIT_CORE, &no_core) != 0)
		die_environ("bounding core files");

	/* The sessions can open no file; the system's openssl.cnf means other programs. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		die_environ("OpenSSL");
	digest_of("", 0, hex);
	tzset();
}

/* run/reload is replaced by a rename: the directory is what is known of it beforehand. */
void notice_confine(int etc)
{
	struct confine_place places[] = {
	    {.fd = etc, .may = CONFINE_READ},
	    {.fd = open("run", O_PATH | O_DIRECTORY | O_CLOEXEC), .may = CONFINE_READ},
	    {.fd = open("run/taken/" PROGRAM, O_PATH | O_NOFOLLOW | O_CLOEXEC),
		.may = CONFINE_WRITE},
	};
	size_t n = places[2].fd >= 0 ? 3 : 2;

	if (places[1].fd < 0 || !confine_places(places, n, false))
		die_environ("confining to a few files");
	for (size_t i = 1; i < n; i++)
		(void)close(places[i].fd);
}

/* ---- sessions ----------------------------------------------------------------------------- */

static void pause_accepting(struct server *s, const char *why, int error)
{
	LOG("accept-paused", kv("why", why), kv_errno(error));
	s->resume_at = clock_boot() + PAUSE_TIME;
}

static void start_session(struct server *s, enum notice_door door, int client)
{
	pid_t us = getpid(), child = fork();

	if (child == 0) {
		for (size_t i = 0; i < NOTICE_DOORS; i++)
			(void)close(s->listener[i]);
		(void)close(s->signals);
		(void)close(s->etc);
		notice_session(client, door, s->config, us);
	}
	if (child < 0)
		pause_accepting(s, "fork", errno);
	else
		s->running++;
	(void)close(client);
}

static bool has_place(const struct server *s)
{
	return s->stop_at == 0 && s->resume_at == 0 &&
	       s->running < (size_t)s->config->settings.notice_clients;
}

static void accept_some(struct server *s, enum notice_door door)
{
	while (has_place(s)) {
		int client = accept4(s->listener[door], NULL, NULL, SOCK_CLOEXEC);

		if (client >= 0)
			start_session(s, door, client);
		else if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR)
			return;
		else
			pause_accepting(s, "accept", errno);
	}
}

static void reap(struct server *s)
{
	int status;

	while (waitpid(-1, &status, WNOHANG) > 0) {
		s->running--;
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
			LOG("notice-late", kv("why", "not done within notice-time"));
		else if (WIFSIGNALED(status))
			LOG_ALARM("notice-died", kv_num("signal", WTERMSIG(status)));
	}
}

/* ---- signals ------------------------------------------------------------------------------ */

static void stop(struct server *s, const char *signal)
{
	if (s->stop_at != 0)
		return;
	LOG("stopped-by", kv("signal", signal));
	s->stop_at = clock_boot() + STOP_TIME;
	for (size_t i = 0; i < NOTICE_DOORS; i++) {
		(void)close(s->listener[i]);
		s->listener[i] = -1;
	}
}

static void reload(struct server *s)
{
	char text[512];
	struct notice_config *fresh = notice_config_read(s->etc, text, sizeof text);

	if (fresh == NULL) {
		LOG_ALARM("reload-refused", kv("fault", text));
		reload_answer(PROGRAM, false, text);
		return;
	}
	/* Who is confined can open no other zone's file: a new start takes it, which the supervisor sees to. */
	if (strcmp(s->config->settings.time_zone, fresh->settings.time_zone) != 0)
		stop(s, "HUP");
	notice_config_free(s->config);
	s->config = fresh;
	LOG("reloaded", kv("file", "etc/settings"));
	reload_answer(PROGRAM, true, "");
}

static void on_signals(struct server *s)
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
			stop(s, "TERM");
			break;
		}
	}
}

/* ---- the loop ----------------------------------------------------------------------------- */

/* The milliseconds until something is due, or -1. */
static int patience(struct server *s)
{
	int64_t now = clock_boot(), next = s->stop_at;

	if (s->resume_at != 0 && now >= s->resume_at)
		s->resume_at = 0;
	if (s->resume_at != 0 && (next == 0 || s->resume_at < next))
		next = s->resume_at;
	return next == 0 ? -1 : next <= now ? 0 : (int)((next - now + 999) / 1000);
}

static void one_round(struct server *s)
{
	int ms = clock_patience(patience(s));
	/* While all places are taken nobody is accepted: who connects waits in the kernel's line. */
	struct pollfd fds[1 + NOTICE_DOORS] = {{.fd = s->signals, .events = POLLIN}};

	for (size_t i = 0; i < NOTICE_DOORS; i++)
		fds[1 + i] =
		    (struct pollfd){.fd = has_place(s) ? s->listener[i] : -1, .events = POLLIN};

	if (poll(fds, COUNT_OF(fds), ms) < 0 && errno != EINTR)
		die_environ("waiting for requests");
	on_signals(s);
	for (size_t i = 0; i < NOTICE_DOORS; i++) {
		if (fds[1 + i].revents != 0)
			accept_some(s, (enum notice_door)i);
	}
}

void notice_serve(const int listener[NOTICE_DOORS], int signals, int etc,
    struct notice_config *config, void (*ready)(void))
{
	struct server s = {.config = config, .etc = etc, .signals = signals};

	for (size_t i = 0; i < NOTICE_DOORS; i++)
		s.listener[i] = listener[i];

	ready();
	LOG("ready", kv("program", PROGRAM));
	while (s.stop_at == 0 || (s.running > 0 && clock_boot() < s.stop_at))
		one_round(&s);
	notice_config_free(s.config);
}
