#include "lib/shell/clocks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/xtext.h"
#include "lib/shell/out.h"
#include "lib/shell/small.h"
#include "lib/shell/who.h"

#define DIRECTORY "lib/clock"
#define OK_NAME   "ok"

/* ---- the marks ---------------------------------------------------------------------------- */

/* Copies the value of "KEY=xtext" in a line, decoded; "-" if it is not there. */
static void take_value(const char *line, const char *key, char value[CLOCK_MARK_MAX])
{
	size_t key_len = strlen(key), len;

	for (const char *p = line; *p != '\0'; p += len, p += *p != '\0') {
		len = strcspn(p, " \n");
		if (len <= key_len || strncmp(p, key, key_len) != 0 || p[key_len] != '=')
			continue;
		if (len - key_len - 1 < CLOCK_MARK_MAX &&
		    xtext_decode(p + key_len + 1, len - key_len - 1, value, &key_len)) {
			value[key_len] = '\0';
			return;
		}
		break;
	}
	(void)snprintf(value, CLOCK_MARK_MAX, "-");
}

static void read_mark(int dir, const char *stage, struct clock_mark *mark)
{
	char line[CLOCK_MARK_MAX] = "";

	*mark = (struct clock_mark){.stage = stage};
	if (!small_read(dir, stage, line, sizeof line)) {
		(void)snprintf(mark->seen, sizeof mark->seen, "-");
		(void)snprintf(mark->state, sizeof mark->state, "unreadable");
		(void)snprintf(mark->reason, sizeof mark->reason, "%s", strerrordesc_np(errno));
		return;
	}
	take_value(line, "seen", mark->seen);
	take_value(line, "state", mark->state);
	take_value(line, "reason", mark->reason);
	mark->trusted = strcmp(mark->state, "running") == 0;
}

static int is_mark(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strchr(entry->d_name, '.') == NULL &&
	       strcmp(entry->d_name, OK_NAME) != 0;
}

bool clocks_each(void (*see)(void *context, const struct clock_mark *mark), void *context)
{
	struct dirent **entries = NULL;
	struct clock_mark mark;
	int dir = open(DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int n = dir < 0 ? -1 : scandirat(dir, ".", &entries, is_mark, alphasort);

	if (n < 0)
		complain(DIRECTORY " cannot be listed: %s", strerrordesc_np(errno));
	for (int i = 0; i < n; i++) {
		read_mark(dir, entries[i]->d_name, &mark);
		see(context, &mark);
		free(entries[i]);
	}
	free(entries);
	if (dir >= 0)
		(void)close(dir);
	return n >= 0;
}

/* ---- the command -------------------------------------------------------------------------- */

struct telling {
	struct out out;
	bool suspect;
};

static void tell(void *context, const struct clock_mark *mark)
{
	struct telling *t = context;

	out_text(&t->out, "stage", mark->stage);
	out_text(&t->out, "seen", mark->seen);
	out_text(&t->out, "state", mark->state);
	out_text(&t->out, "reason", mark->reason[0] != '\0' ? mark->reason : "-");
	out_end(&t->out);
	t->suspect = t->suspect || !mark->trusted;
}

/*
 * Both clocks at one moment: a stage then sees for itself whether its clock is on the line that
 * runs from here, whenever it looks, and after a restart too.
 */
static int say_ok(const struct shell *sh)
{
	char now[CLOCK_TEXT], name[WHO_ROOM], by[3 * WHO_ROOM + 1], line[512];
	struct out o;
	size_t len;
	int dir = open(DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int64_t wall = clock_wall(), boot = clock_boot();
	bool written;

	clock_format(wall, now);
	who(name);
	len = xtext_encode_cut(name, strlen(name), by, sizeof by - 1);
	by[len] = '\0';
	(void)snprintf(line, sizeof line, "ok=%s boot=%lld by=%s\n", now, (long long)boot, by);
	written = dir >= 0 && small_replace(dir, OK_NAME, line);
	if (!written)
		complain(DIRECTORY "/" OK_NAME " cannot be written: %s", strerrordesc_np(errno));
	if (dir >= 0)
		(void)close(dir);
	if (!written)
		return EXIT_ENVIRON;

	out_open(&o, sh, NULL);
	out_text(&o, "what", "ok");
	out_text(&o, "time", now);
	out_text(&o, "note", "the stages see it by themselves; \"seki clock\" tells when");
	out_end(&o);
	return out_close(&o, EXIT_FINE);
}

int shell_clock(const struct shell *sh, int argc, char **argv)
{
	struct telling t = {.suspect = false};
	int code = EXIT_FINE;

	if (argc == 1 && strcmp(argv[0], OK_NAME) == 0)
		return say_ok(sh);
	if (argc > 0)
		return complain_usage("clock takes no argument but ok");
	out_open(&t.out, sh, "STAGE\tSEEN\tSTATE\tREASON");
	if (!clocks_each(tell, &t))
		code = EXIT_ENVIRON;
	else if (t.suspect)
		code = EXIT_NO;
	return out_close(&t.out, code);
}
