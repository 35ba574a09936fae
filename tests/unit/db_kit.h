/* A directory of its own as an instance has one, and a history in it. */
#ifndef SEKISHO_TESTS_DB_KIT_H
#define SEKISHO_TESTS_DB_KIT_H

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/db/history.h"
#include "lib/db/trays.h"

#define KIT_NOW ((int64_t)1795392000) /* 2026-11-23T00:00:00Z, a Monday */
#define KIT_DAY ((int64_t)86400)

struct kit {
	char root[256];
	struct store *store;
	struct history *history;
	struct trays *trays;
};

static inline void kit_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	(void)close(fd);
}

/* The process works in the directory from here on. */
static inline void kit_enter(struct kit *k)
{
	const char *where = getenv("TMPDIR");

	(void)setenv("TZ", "UTC0", 1);
	*k = (struct kit){.store = NULL};
	(void)snprintf(
	    k->root, sizeof k->root, "%s/kit.XXXXXX", where != NULL ? where : "/var/tmp");
	assert_non_null(mkdtemp(k->root));
	assert_int_equal(chdir(k->root), 0);
	assert_int_equal(mkdir("lib", 0700), 0);
	assert_int_equal(mkdir("lib/history", 0700), 0);
	assert_int_equal(mkdir("lib/history/db", 0700), 0);
	assert_int_equal(mkdir("lib/history/trays", 0700), 0);
	assert_int_equal(mkdir("run", 0700), 0);
	assert_int_equal(mkdir("run/db", 0700), 0);
	kit_file("lib/history/trays/seki");
	kit_file("lib/history/trays/seki-scan");
	kit_file("lib/history/trays/seki-deliver");
}

static inline void kit_open(struct kit *k, int64_t now)
{
	char fault[512] = "";

	assert_int_equal(store_open("lib/history/db", &k->store, fault, sizeof fault), STORE_OPEN);
	k->history = history_open(k->store, now);
	assert_non_null(k->history);
	history_bounds(k->history, 365 * KIT_DAY, 3 * 365 * KIT_DAY);
	k->trays = trays_open(k->store, k->history);
	assert_non_null(k->trays);
}

static inline void kit_close(struct kit *k)
{
	trays_close(k->trays);
	history_close(k->history);
	store_close(k->store);
}

static inline void kit_leave(struct kit *k)
{
	char command[512];

	assert_int_equal(chdir("/"), 0);
	(void)snprintf(command, sizeof command, "rm -r '%s'", k->root);
	assert_int_equal(system(command), 0);
}

static inline void kit_read(struct kit *k, int64_t now)
{
	enum trays_read result;

	while ((result = trays_read(k->trays, now)) == TRAYS_MORE)
		;
	assert_int_equal(result, TRAYS_EMPTY);
}

static inline void kit_tell(const char *program, const struct buf *lines)
{
	struct tray *tray = tray_open(program);

	assert_non_null(tray);
	assert_true(buf_ok(lines));
	assert_true(tray_add(tray, lines->bytes, lines->len));
	tray_close(tray);
}

static inline void kit_delivered(struct kit *k, int64_t time, const char *from, const char *rcpt)
{
	struct buf lines;

	buf_init(&lines, 1 << 20);
	tray_put_delivered(&lines, time, from, rcpt);
	kit_tell("seki-deliver", &lines);
	buf_free(&lines);
	kit_read(k, time);
}

static inline struct past_rcpt kit_ask(
    struct kit *k, int64_t now, const char *sender, const char *group, const char *rcpt)
{
	const char *groups[] = {group};
	struct history_sender s = {
	    .address = sender, .group = groups, .groups = group != NULL, .lookalike = true};
	struct past_rcpt answer;

	assert_true(history_ask(k->history, &s, rcpt, "", now, &answer));
	return answer;
}

#endif
