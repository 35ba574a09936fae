#include "lib/shell/inspector.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/shell/out.h"

#define START_PATIENCE (10 * CLOCK_SECOND) /* for the tables, before the first message */
#define SCRATCH        "/var/tmp"

void inspector_limits(struct buf *ask, const struct settings *settings)
{
#define L(field, name) buf_addf(ask, "limit " name " %lld\n", (long long)settings->field);
	INSPECT_LIMITS(L)
#undef L
}

/* The programs stand beside this one. */
static bool beside(const char *name, char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;

	if (n <= 0)
		return false;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL || (size_t)(slash - path) + strlen(name) + 2 > PATH_MAX)
		return false;
	(void)stpcpy(slash + 1, name);
	return true;
}

struct inspector {
	struct inspect_client *client;
	char inspect[PATH_MAX], convert[PATH_MAX];
};

struct inspector *inspector_open(const struct settings *settings, const struct buf *ask)
{
	struct inspector *i = calloc(1, sizeof *i);
	struct inspect_setup setup = {
	    .patience = settings->inspect_time + START_PATIENCE,
	    .converts = settings->convert_time + START_PATIENCE,
	    .virus = settings->clamd_time,
	    .clamd = strcmp(settings->clamd, "-") != 0 ? settings->clamd : NULL,
	    .folder = open(SCRATCH, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
	};

	if (i != NULL && setup.folder >= 0 && buf_ok(ask) && beside("seki-inspect", i->inspect) &&
	    beside("seki-convert", i->convert)) {
		setup.inspect = i->inspect;
		setup.convert = i->convert;
		i->client = inspect_open(&setup, ask->bytes, ask->len);
	}
	if (i == NULL || i->client == NULL) {
		complain("no inspector can be started: %s", strerrordesc_np(errno));
		free(i);
		i = NULL;
	}
	if (setup.folder >= 0)
		(void)close(setup.folder);
	return i;
}

void inspector_close(struct inspector *inspector)
{
	if (inspector == NULL)
		return;
	inspect_close(inspector->client);
	free(inspector);
}

struct inspect_client *inspector_client(const struct inspector *inspector)
{
	return inspector->client;
}
