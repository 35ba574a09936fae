/* The service: a process for each employer (lib/base/forks.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/forks.h"
#include "lib/inspect/inspect.h"

struct service {
	struct settings *settings;
	struct inspect_tables *tables;
};

NORETURN static void be_worker(void *context, int socket)
{
	const struct service *service = context;

	inspect_confine(service->settings);
	_exit(inspect_serve(socket, service->tables));
}

/* Processes that serve keep the tables with which they began. */
static bool reload(struct forks *forks, char *fault, size_t room)
{
	struct service *service = forks->context;
	struct inspect_tables *tables;
	struct settings fresh;
	int etc;

	if (!forks_settings(&fresh, fault, room))
		return false;
	etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (etc < 0) {
		(void)snprintf(fault, room, "etc: %s", strerrordesc_np(errno));
		return false;
	}
	tables = inspect_prepare(etc, fault, room);
	(void)close(etc);
	if (tables == NULL)
		return false;
	inspect_tables_free(service->tables);
	service->tables = tables;
	*service->settings = fresh;
	forks->most = (size_t)fresh.inspectors * 2;
	return true;
}

void inspect_run(int listener, int signals, struct settings *settings,
    struct inspect_tables *tables, void (*ready)(void))
{
	struct service service = {settings, tables};
	/* A stage that was started again asks while the processes of its predecessor still end. */
	struct forks forks = {.program = "seki-inspect",
	    .listener = listener,
	    .signals = signals,
	    .context = &service,
	    .most = (size_t)settings->inspectors * 2,
	    .serve = be_worker,
	    .reload = reload,
	    .ready = ready};

	forks_run(&forks);
	inspect_tables_free(service.tables);
}
