#include "lib/login/server.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "lib/base/die.h"
#include "lib/base/forks.h"
#include "lib/base/local.h"
#include "lib/base/log.h"
#include "lib/base/reload.h"
#include "lib/login/inside.h"
#include "queue/digest.h"

#define SESSIONS_DIR "lib/login/sessions"
#define PINS_DIR     "lib/login/pins"
#define BOOT_FILE    "/proc/sys/kernel/random/boot_id"
#define WEB_USER     "sekiw" /* of the program that shows people their pages */
#define SWEEP_EVERY  (60 * CLOCK_SECOND)
#define EVENTS       64

/* The whole program: what else is in `struct login` is used by its parts. */
struct server {
	struct login l;
	int signals;
	struct login_watch signalled;
	int64_t sweep_at;
	bool stopping;
};

struct sessions_now login_now(void)
{
	return (struct sessions_now){.wall = clock_wall(), .boot = clock_boot()};
}

bool login_watch(const struct login *l, int op, int fd, uint32_t events, struct login_watch *watch)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	return epoll_ctl(l->epoll, op, fd, &event) == 0;
}

/* ---- configuration ------------------------------------------------------------------------ */

bool login_settings(struct settings *settings, char *fault, size_t room)
{
	return forks_settings(settings, fault, room);
}

/*
 * Where links lead. Neither a token that opens somebody's pages nor a password goes over a wire that all can read: by
 * http:// nobody logs in, but in a trial.
 */
static void take_url(struct login *l)
{
	const char *url = l->settings.web_url;
	size_t len = strlen(url);

	l->url[0] = '\0';
	l->plain = false;
	if (strcmp(url, "-") == 0)
		return;
	l->plain = strncmp(url, "https://", 8) != 0 && !l->settings.trial;
	if (l->plain) {
		LOG_ALARM("login-unsafe", kv("web-url", url));
		return;
	}
	while (len > 0 && url[len - 1] == '/')
		len--;
	(void)snprintf(l->url, sizeof l->url, "%.*s", (int)len, url);
}

static struct sessions_limits limits(const struct settings *settings)
{
	return (struct sessions_limits){.idle = settings->session_idle,
	    .longest = settings->session_longest,
	    .most = (size_t)settings->sessions};
}

static struct links_limits links_limits(const struct settings *settings)
{
	return (struct links_limits){
	    .a_person = settings->login_links, .a_source = settings->login_links_source};
}

static void reload(struct login *l)
{
	struct sessions_limits fresh_limits;
	struct links_limits fresh_links;
	struct settings fresh;
	char fault[512];

	if (!login_settings(&fresh, fault, sizeof fault)) {
		LOG_ALARM("reload-refused", kv("what", fault));
		reload_answer(LOGIN_PROGRAM, false, fault);
		return;
	}
	l->settings = fresh;
	fresh_limits = limits(&fresh);
	audit_settings(l->audit, &fresh);
	take_url(l);
	sessions_limit(l->sessions, &fresh_limits, login_now());
	fresh_links = links_limits(&fresh);
	links_limit(l->links, &fresh_links);
	l->compiled_looked = l->key_looked = 0;
	login_look(l);
	LOG("reloaded", kv_num("sessions", (int64_t)sessions_count(l->sessions)));
	reload_answer(LOGIN_PROGRAM, true, "");
}

/* ---- beginning ---------------------------------------------------------------------------- */

void login_harden(void)
{
	const struct rlimit no_core = {0, 0};
	char hex[DIGEST_HEX];

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		die_environ("giving privileges up");
	if (setrlimit(RLIMIT_CORE, &no_core) != 0)
		die_environ("bounding core files");
	/* The system's openssl.cnf means other programs, and will not be readable. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		die_environ("OpenSSL");
	digest_of("", 0, hex);
}

static void read_boot(char boot[RECORD_BOOT_TEXT])
{
	int fd = open(BOOT_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, boot, RECORD_BOOT_TEXT - 1) : -1;

	if (n != (ssize_t)RECORD_BOOT_TEXT - 1)
		die_environ("reading " BOOT_FILE);
	(void)close(fd);
	boot[n] = '\0';
}

static int open_folder(const char *path)
{
	int fd;

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		die_environ(path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		die_environ(path);
	return fd;
}

static void read_all(struct login *l)
{
	struct sessions_limits l_limits = limits(&l->settings);
	struct links_limits link_limits = links_limits(&l->settings);
	char boot[RECORD_BOOT_TEXT];

	read_boot(boot);
	l->sessions = sessions_open(open_folder(SESSIONS_DIR), boot, &l_limits, login_now());
	if (l->sessions == NULL)
		die_environ("reading " SESSIONS_DIR);
	l->pins = pins_open(open_folder(PINS_DIR));
	if (l->pins == NULL)
		die_environ("reading " PINS_DIR);
	l->links = links_new(&link_limits);
	l->letters = letters_new();
	l->audit = audit_reach(LOGIN_PROGRAM);
	if (l->links == NULL || l->letters == NULL || l->audit == NULL)
		die_environ("memory");
	audit_settings(l->audit, &l->settings);
}

static void on_signals(struct login *l, void *owner, uint32_t events);

static void prepare(struct server *s)
{
	struct login *l = &s->l;
	const struct passwd *web = getpwnam(WEB_USER);

	l->web = web != NULL ? web->pw_uid : (uid_t)-1;
	s->signals = local_signals();
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	/* The supervisor runs one of us at a time. */
	l->listener = local_listen(LOGIN_SOCKET, SOMAXCONN);
	if (l->listener < 0)
		die_environ("making " LOGIN_SOCKET);
	read_all(l);
	login_confine();
	/* Threads are confined as we are when they are made. */
	l->hasher = hasher_start();
	if (l->hasher == NULL)
		die_environ("making threads");

	l->listening = (struct login_watch){door_accept, NULL};
	l->hashed = (struct login_watch){number_hashed, NULL};
	s->signalled = (struct login_watch){on_signals, s};
	if (l->epoll < 0 || !login_watch(l, EPOLL_CTL_ADD, l->listener, EPOLLIN, &l->listening) ||
	    !login_watch(l, EPOLL_CTL_ADD, hasher_fd(l->hasher), EPOLLIN, &l->hashed) ||
	    !login_watch(l, EPOLL_CTL_ADD, s->signals, EPOLLIN, &s->signalled))
		die_environ("watching descriptors");
	take_url(l);
	login_look(l);
}

/* ---- the loop ----------------------------------------------------------------------------- */

static void on_signals(struct login *l, void *owner, uint32_t events)
{
	struct server *s = owner;
	struct signalfd_siginfo info;

	(void)events;
	while (read(s->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGHUP)
			reload(l);
		else if (info.ssi_signo != SIGCHLD)
			s->stopping = true;
	}
}

/* Does what is due; the milliseconds until something is due again. */
static int timers(struct server *s)
{
	struct login *l = &s->l;
	int64_t now = clock_boot(), next, other;

	if (now >= s->sweep_at) {
		sessions_sweep(l->sessions, login_now());
		s->sweep_at = now + SWEEP_EVERY;
	}
	next = letters_timers(l, now);
	other = door_timers(l, now);
	next = other < next ? other : next;
	next = s->sweep_at < next ? s->sweep_at : next;
	return next <= now ? 0 : (int)((next - now + 999) / 1000);
}

static void one_turn(struct server *s)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(s->l.epoll, events, EVENTS, clock_patience(timers(s)));
	bool somebody = false;

	if (n < 0 && errno != EINTR)
		die_environ("waiting for events");
	for (int i = 0; i < n; i++) {
		struct login_watch *watch = events[i].data.ptr;

		if (watch == &s->l.listening)
			somebody = true;
		else
			watch->ready(&s->l, watch->owner, events[i].events);
	}
	/* Last: a place may be given to another only when what came from its client was seen to. */
	if (somebody)
		door_accept(&s->l, NULL, 0);
}

static void end(struct login *l)
{
	(void)close(l->listener);
	l->listener = -1;
	/* Who waits is told nothing, and asks again. */
	for (size_t i = 0; i < LOGIN_CLIENTS; i++)
		door_drop(l, &l->client[i]);
	hasher_stop(l->hasher);
	while (l->works != NULL) {
		struct login_work *next = l->works->next;

		free(l->works);
		l->works = next;
	}
	letters_free(l->letters);
	links_free(l->links);
	pins_close(l->pins);
	sessions_close(l->sessions);
	audit_leave(l->audit);
	login_view_free(l);
	(void)close(l->epoll);
}

void login_serve(const struct settings *settings, void (*ready)(void))
{
	struct server *s = calloc(1, sizeof *s);

	if (s == NULL)
		die_environ("memory");
	s->l.settings = *settings;
	prepare(s);
	ready();
	LOG("ready", kv("program", LOGIN_PROGRAM));
	while (!s->stopping)
		one_turn(s);
	end(&s->l);
	(void)close(s->signals);
	free(s);
}
