#include "queue/watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/xtext.h"

#define MARK_LEN    256 /* one block of fixed length: written in place by one pwrite */
#define REASON_ROOM 160
#define OK_FILE     "lib/clock/ok"

static void mark_path(const struct watch *w, char *path, size_t room)
{
	(void)snprintf(path, room, "lib/clock/%s", w->stage);
}

/* Reads a small file of one line; "" if it is not there. */
static void read_line(const char *path, char line[MARK_LEN + 1])
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, line, MARK_LEN);

	line[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		(void)close(fd);
}

/* The time behind "KEY=" in a line, or -1. */
static int64_t time_in(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at == NULL ? -1 : clock_parse(at + strlen(key), strcspn(at + strlen(key), " \n"));
}

static void write_mark(struct watch *w)
{
	char path[64], line[MARK_LEN + 1], seen[CLOCK_TEXT], reason[REASON_ROOM + 1];
	size_t len;
	int fd;

	w->marked = clock_boot();
	clock_format(w->frozen ? w->wall : watch_now(w), seen);
	len = xtext_encode_cut(w->reason, strlen(w->reason), reason, REASON_ROOM);
	reason[len] = '\0';
	(void)snprintf(line, sizeof line, "seen=%s state=%s reason=%s", seen,
	    w->frozen ? "frozen" : "running", reason);
	len = strlen(line);
	memset(line + len, ' ', MARK_LEN - len);
	line[MARK_LEN - 1] = '\n';

	mark_path(w, path, sizeof path);
	fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 || pwrite(fd, line, MARK_LEN, 0) != MARK_LEN)
		LOG_ALARM("clock-mark-failed", kv("file", path));
	if (fd >= 0)
		(void)close(fd);
}

static void freeze(
    struct watch *w, enum watch_suspicion suspicion, const char *reason, int64_t seconds)
{
	w->frozen = true;
	w->suspicion = suspicion;
	(void)snprintf(w->reason, sizeof w->reason, "%s", reason);
	LOG_ALARM("timers-frozen", kv("reason", reason), kv_num("seconds", seconds),
	    kv("hint", "seki clock"));
	write_mark(w);
}

static void believe(struct watch *w, const char *why)
{
	w->wall = clock_wall();
	w->boot = clock_boot();
	if (w->frozen) {
		w->frozen = false;
		w->reason[0] = '\0';
		LOG("timers-run", kv("because", why));
		write_mark(w);
	}
}

void watch_start(struct watch *w, const char *stage, const struct settings *settings, bool waiting)
{
	char path[64], line[MARK_LEN + 1];
	int64_t seen;

	*w = (struct watch){.settings = settings, .stage = stage};
	mark_path(w, path, sizeof path);
	read_line(path, line);
	seen = time_in(line, "seen=");

	w->boot = clock_boot();
	w->wall = seen >= 0 ? seen : clock_wall();
	if (seen < 0 && (waiting || line[0] != '\0'))
		freeze(w, WATCH_NO_RECORD, "no record of the time last seen", 0);
	else if (clock_wall() < w->wall)
		freeze(w, WATCH_STARTED_WRONG, "the clock is before the time last seen",
		    (w->wall - clock_wall()) / CLOCK_SECOND);
	else if (clock_wall() - w->wall > settings->clock_gap)
		freeze(w, WATCH_STARTED_WRONG, "the clock is long after the time last seen",
		    (clock_wall() - w->wall) / CLOCK_SECOND);
	else
		believe(w, "start");
	watch_look(w);
	write_mark(w);
}

/* Only who owns lib/clock speaks as the operator; stages write marks there, and no more. */
static bool operators_file(void)
{
	struct stat file, place;

	return lstat(OK_FILE, &file) == 0 && stat("lib/clock", &place) == 0 &&
	       file.st_uid == place.st_uid;
}

/* Whether an operator has said that this very clock is right: the line from his word runs to now. */
static bool operator_said_so(void)
{
	char line[MARK_LEN + 1];
	const char *boot;
	int64_t ok, ok_boot, expected;

	if (!operators_file())
		return false;
	read_line(OK_FILE, line);
	ok = time_in(line, "ok=");
	boot = strstr(line, "boot=");
	if (ok < 0 || boot == NULL)
		return false;
	ok_boot = strtoll(boot + 5, NULL, 10);
	expected = ok + (clock_boot() - ok_boot);
	return ok_boot <= clock_boot() && llabs(clock_wall() - expected) < 10 * CLOCK_SECOND;
}

/* Whether a suspect clock tells again what would have raised no suspicion. */
static bool came_back(const struct watch *w, int64_t apart)
{
	switch (w->suspicion) {
	case WATCH_STEPPED:
		return llabs(apart) <= w->settings->clock_step;
	case WATCH_STARTED_WRONG:
		return apart >= 0 && apart <= w->settings->clock_gap;
	case WATCH_NO_RECORD:
		break;
	}
	return false;
}

void watch_look(struct watch *w)
{
	int64_t apart = clock_wall() - watch_now(w);
	bool near = llabs(apart) <= w->settings->clock_step;

	if (!w->frozen && !near && !clock_synchronised() && !operator_said_so())
		freeze(w, WATCH_STEPPED, "the clock stepped", apart / CLOCK_SECOND);
	else if (!w->frozen)
		believe(w, "running");
	else if (came_back(w, apart))
		believe(w, "the clock came back");
	else if (clock_synchronised())
		believe(w, "the clock is synchronised");
	else if (operator_said_so())
		believe(w, "an operator said so");

	if (clock_boot() - w->marked >= w->settings->clock_mark_every)
		write_mark(w);
}

int64_t watch_now(const struct watch *w)
{
	return w->wall + (clock_boot() - w->boot);
}
