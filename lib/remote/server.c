/* The service: a process for each employer (lib/base/forks.h). */
#include <unistd.h>

#include "lib/base/forks.h"
#include "lib/remote/remote.h"

struct service {
	struct settings *settings;
	struct ssl_ctx_st *tls;
};

NORETURN static void be_session(void *context, int socket)
{
	const struct service *service = context;

	remote_confine();
	_exit(remote_serve(socket, service->tls));
}

static size_t most(const struct settings *settings)
{
	return (size_t)settings->deliver_sessions_all + REMOTE_SESSIONS_SPARE;
}

static bool reload(struct forks *forks, char *fault, size_t room)
{
	const struct service *service = forks->context;
	struct settings fresh;

	if (!forks_settings(&fresh, fault, room))
		return false;
	*service->settings = fresh;
	forks->most = most(&fresh);
	return true;
}

void remote_run(int listener, int signals, struct settings *settings, struct ssl_ctx_st *tls,
    void (*ready)(void))
{
	struct service service = {settings, tls};
	struct forks forks = {.program = "seki-remote",
	    .listener = listener,
	    .signals = signals,
	    .context = &service,
	    .most = most(settings),
	    .serve = be_session,
	    .reload = reload,
	    .ready = ready};

	forks_run(&forks);
}
