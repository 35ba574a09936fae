/* The service: a process for each request (lib/base/forks.h). */
#include "lib/view/service.h"

#include <jansson.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/die.h"
#include "lib/base/forks.h"
#include "lib/base/local.h"
#include "lib/base/ready.h"
#include "lib/base/reload.h"
#include "lib/view/view.h"

#define PROGRAM "seki-view"

struct service {
	struct settings *settings;
	const struct inspect_tables *tables;
};

/* A seki-web that was started again asks while what its predecessor asked for still ends. */
static size_t most(const struct settings *settings)
{
	return (size_t)settings->web_workers * 2;
}

NORETURN static void be_worker(void *context, int socket)
{
	const struct service *service = context;

	_exit(view_serve(socket, service->settings, service->tables));
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

static void refuse(const char *fault)
{
	reload_answer(PROGRAM, false, fault);
	die_config(fault);
}

int view_service(void)
{
	static struct settings settings;
	struct service service = {.settings = &settings};
	struct forks forks = {.program = PROGRAM,
	    .context = &service,
	    .serve = be_worker,
	    .reload = reload,
	    .ready = ready_tell};
	char fault[512];

	ready_keep_fd();
	if (!forks_settings(&settings, fault, sizeof fault))
		refuse(fault);
	forks_harden();
	forks.signals = local_signals();
	/* In the sandbox it could not be read. */
	json_object_seed(0);
	service.tables = inspect_prepare_view(fault, sizeof fault);
	if (service.tables == NULL)
		refuse(fault);
	forks.most = most(&settings);
	forks.listener = local_listen_packets(VIEW_SOCKET, SOMAXCONN);
	if (forks.listener < 0)
		die_environ("making " VIEW_SOCKET);

	/* Whoever asked for a reload while we were starting has his answer too. */
	reload_answer(PROGRAM, true, "");
	forks_run(&forks);
	return EXIT_FINE;
}
