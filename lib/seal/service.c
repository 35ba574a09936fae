/* The service: a process for each request (lib/base/forks.h). */
#include <unistd.h>

#include "lib/base/forks.h"
#include "lib/seal/seal.h"

struct service {
	struct settings *settings;
	const struct seal_tables *tables;
};

/* seki-encrypt that was started again asks while what its predecessor asked for still ends. */
static size_t most(const struct settings *settings)
{
	return (size_t)settings->sealers * 2;
}

NORETURN static void be_worker(void *context, int socket)
{
	const struct service *service = context;

	seal_confine(service->settings);
	_exit(seal_serve(socket, service->settings, service->tables));
}

static bool reload(struct forks *forks, char *fault, size_t room)
{
	struct service *service = forks->context;
	struct settings fresh;

	if (!forks_settings(&fresh, fault, room))
		return false;
	*service->settings = fresh;
	forks->most = most(&fresh);
	return true;
}

void seal_run(int listener, int signals, struct settings *settings,
    const struct seal_tables *tables, void (*ready)(void))
{
	struct service service = {settings, tables};
	struct forks forks = {.program = "seki-seal",
	    .listener = listener,
	    .signals = signals,
	    .context = &service,
	    .most = most(settings),
	    .serve = be_worker,
	    .reload = reload,
	    .ready = ready};

	forks_run(&forks);
}
