#include "lib/deliver/gate.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

static const char *const files[] = {FREEZE_FILE, FREEZE_QUOTA_FILE};

struct gate {
	int lib;
	struct freeze *freeze[COUNT_OF(files)];
	struct stat seen[COUNT_OF(files)];
	bool bad[COUNT_OF(files)];
	int64_t again[COUNT_OF(files)]; /* boot clock: when a bad one is read again */
};

struct gate *gate_open(void)
{
	struct gate *g = calloc(1, sizeof *g);

	if (g == NULL)
		return NULL;
	g->lib = open("lib", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g->lib < 0)
		goto fail;
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		g->freeze[i] = freeze_open(g->lib, files[i]);
		if (g->freeze[i] == NULL)
			goto fail;
	}
	return g;
fail:
	for (size_t i = 0; i < COUNT_OF(files); i++)
		freeze_close(g->freeze[i]);
	if (g->lib >= 0)
		(void)close(g->lib);
	free(g);
	return NULL;
}

/* Whether it is another than before. One that could not be read is read again, now and then. */
static bool one_changed(struct gate *g, size_t i)
{
	struct stat now = {.st_ino = 0}, *seen = &g->seen[i];
	struct conf_fault fault;
	char text[512];
	bool same, fine, was_bad = g->bad[i];

	(void)fstatat(g->lib, files[i], &now, AT_SYMLINK_NOFOLLOW);
	same = now.st_ino == seen->st_ino && now.st_size == seen->st_size &&
	       now.st_mtim.tv_sec == seen->st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == seen->st_mtim.tv_nsec &&
	       now.st_ctim.tv_sec == seen->st_ctim.tv_sec &&
	       now.st_ctim.tv_nsec == seen->st_ctim.tv_nsec;
	if (same && (!was_bad || clock_boot() < g->again[i]))
		return false;
	*seen = now;
	g->again[i] = clock_boot() + CLOCK_SECOND;
	fine = freeze_refresh(g->freeze[i], &fault);
	g->bad[i] = !fine;
	if (!fine && !(same && was_bad)) {
		conf_fault_show(&fault, text, sizeof text);
		LOG_ALARM("everything-frozen", kv("why", text));
	}
	return !same || fine;
}

bool gate_changed(struct gate *g)
{
	bool changed = false;

	for (size_t i = 0; i < COUNT_OF(files); i++)
		changed |= one_changed(g, i);
	return changed;
}

bool gate_refresh(struct gate *g)
{
	bool fine = true;

	for (size_t i = 0; i < COUNT_OF(files); i++)
		fine &= freeze_refresh(g->freeze[i], NULL);
	return fine;
}

bool gate_holds(const struct gate *g, const struct leg *leg, size_t rcpt)
{
	bool holds = false;

	for (size_t i = 0; i < COUNT_OF(files) && !holds; i++)
		holds = freeze_holds(g->freeze[i], leg, rcpt, NULL);
	return holds;
}
