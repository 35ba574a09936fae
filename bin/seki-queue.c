/* seki-queue: takes messages from the sessions and makes them durable. See seki-queue(8). */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/base/ready.h"
#include "lib/base/reload.h"
#include "queue/audit.h"
#include "queue/intake.h"
#include "queue/intake_server.h"
#include "queue/loop.h"
#include "queue/quota_keeper.h"
#include "queue/receive.h"
#include "queue/stage.h"

#define PROGRAM       "seki-queue"
#define DRAIN_SECONDS 10
#define TICK_MS       1000
#define NOTHING_LEFT  ((uint64_t)1024 * 1024)

static struct settings settings;
static struct spool spool;
static int etc_dir, signals, listener[INTAKE_DOORS];
static struct intake_server *server;
static struct loop_key loop_key;
static struct quota_keeper *quota;
static struct audit *audit;
static bool stopping;

static bool configure(char *text, size_t room)
{
	struct settings fresh;
	struct conf_fault fault;

	if (!settings_read(etc_dir, &fresh, &fault)) {
		conf_fault_show(&fault, text, room);
		return false;
	}
	settings = fresh;
	return true;
}

static void open_configuration(void)
{
	char text[512];

	etc_dir = open("etc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (etc_dir < 0)
		die_environ("etc/");
	if (!configure(text, sizeof text)) {
		reload_answer(PROGRAM, false, text);
		die_config(text);
	}
}

static void open_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGALRM, SIG_IGN); /* means something to seki-deliver only */
	signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (signals < 0)
		die_environ("signalfd");
}

/* Under the lock of tmp/, and before anybody can send: what a crash left is put right. */
static void open_spool(void)
{
	if (!spool_open(&spool, &settings, NULL))
		die_environ("spool/");
	stage_check_filesystem(&spool, &settings);
	if (!spool_lock(&spool, STATE_TMP))
		die_environ("lock of spool/tmp (does seki-queue run twice?)");
	if (!receive_recover(&spool, &settings))
		die_environ("recovery of spool/tmp");
}

/* Without a key mail is taken all the same: the limit of Received lines still ends a loop. */
static const struct loop_key *open_loop_key(void)
{
	if (loop_key_make(LOOP_FOLDER) && loop_key_read(LOOP_FOLDER, &loop_key))
		return &loop_key;
	LOG_ALARM("loop-key-failed", kv("file", LOOP_FOLDER "/" LOOP_FILE), kv_errno(errno));
	return NULL;
}

static void read_signals(void)
{
	struct signalfd_siginfo info;
	char text[512] = "";

	while (read(signals, &info, sizeof info) == (ssize_t)sizeof info) {
		bool taken;

		if (info.ssi_signo == SIGTERM) {
			stopping = true;
			return;
		}
		taken = configure(text, sizeof text);
		if (taken) {
			intake_server_configure(server, &settings);
			quota_keeper_configure(quota, &settings);
			audit_settings(audit, &settings);
			LOG("reloaded", kv("file", "etc/settings"));
		} else {
			LOG_ALARM("reload-refused", kv("fault", text));
		}
		reload_answer(PROGRAM, taken, text);
	}
}

/* The ballast: given up when nothing is left, made again when there is room for all. */
static void mind_the_ballast(void)
{
	struct receive_limits limits;
	struct spool_room room;
	int64_t size = spool_ballast_size(&spool);

	if (!spool_room(&spool, &room))
		return;
	if (size > 0 && room.bytes < NOTHING_LEFT) {
		LOG_ALARM("disk-full", kv("done", "ballast released"),
		    kv_num("free", (int64_t)room.bytes));
		if (!spool_ballast(&spool, 0))
			LOG_ALARM("ballast-failed", kv_errno(errno));
		return;
	}

	receive_limits_take(&limits, &settings);
	if (size != settings.ballast &&
	    receive_room(&spool, &limits, (uint64_t)settings.ballast * 2) &&
	    !spool_ballast(&spool, settings.ballast))
		LOG_ALARM("ballast-failed", kv_errno(errno));
}

static void open_doors(void)
{
	static const char *const paths[INTAKE_DOORS] = {
	    [INTAKE_DOOR_SESSIONS] = INTAKE_SOCKET, [INTAKE_DOOR_OWN] = INTAKE_OWN_SOCKET};

	for (size_t i = 0; i < INTAKE_DOORS; i++) {
		listener[i] = intake_server_listen(paths[i], 1024);
		if (listener[i] < 0)
			die_environ(paths[i]);
	}
}

static void run(void)
{
	struct pollfd fds[1 + INTAKE_DOORS] = {{.fd = signals, .events = POLLIN}};
	bool crowded[INTAKE_DOORS] = {false};
	int64_t ticked = 0;

	while (!stopping) {
		bool any = false;

		for (size_t i = 0; i < INTAKE_DOORS; i++) {
			/* While every place is taken the listener would only wake us again and
			 * again. */
			fds[1 + i] =
			    (struct pollfd){.fd = crowded[i] ? -1 : listener[i], .events = POLLIN};
			any = any || crowded[i];
		}
		if (poll(fds, COUNT_OF(fds), any ? TICK_MS / 10 : TICK_MS) < 0 && errno != EINTR)
			die_environ("poll");
		read_signals();
		for (size_t i = 0; i < INTAKE_DOORS; i++) {
			crowded[i] =
			    (crowded[i] || fds[1 + i].revents != 0) &&
			    !intake_server_accept(server, (enum intake_door)i, listener[i]) &&
			    errno != EAGAIN;
		}
		if (clock_boot() - ticked >= CLOCK_SECOND) {
			ticked = clock_boot();
			intake_server_tick(server);
			quota_keeper_tick(quota);
			mind_the_ballast();
		}
	}
}

int main(void)
{
	ready_keep_fd();
	(void)umask(007);
	(void)mallopt(
	    M_ARENA_MAX, 2); /* a heap for each of many threads would only be memory lost */
	open_signals();
	open_configuration();
	open_spool();
	quota = quota_keeper_new(&settings);
	if (quota == NULL)
		die_environ("lib/");
	server = intake_server_new(&spool, &settings, open_loop_key(), quota);
	if (server == NULL)
		die_environ("memory");
	audit = audit_reach(PROGRAM);
	if (audit == NULL)
		die_environ("memory");
	audit_settings(audit, &settings);
	intake_server_audit(server, audit);
	open_doors();
	mind_the_ballast();

	/* Whoever asked for a reload while we were starting has his answer too. */
	reload_answer(PROGRAM, true, "");
	ready_tell();
	LOG("ready", kv("program", PROGRAM));
	run();
	intake_server_drain(server, DRAIN_SECONDS);
	intake_server_tick(server);
	quota_keeper_save(quota);
	LOG("stopped-by", kv("signal", "TERM"));
	return EXIT_FINE;
}
