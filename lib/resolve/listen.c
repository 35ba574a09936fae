#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "lib/base/die.h"
#include "lib/base/local.h"
#include "lib/resolve/server.h"

int resolve_listen(const char *path)
{
	/* The supervisor runs one of us at a time. */
	return local_listen(path, SOMAXCONN);
}

void resolve_harden(void)
{
	const struct rlimit no_core = {0, 0};
	struct rlimit files;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		die_environ("giving privileges up");
	if (setrlimit(RLIMIT_CORE, &no_core) != 0)
		die_environ("bounding core files");
	/* Clients, and the sockets of the look-ups. */
	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		die_environ("asking for the bound of descriptors");
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) != 0)
		die_environ("bounding descriptors");
}

int resolve_signals(void)
{
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_SETMASK, &set, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		die_environ("setting signals up");
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		die_environ("making a signal descriptor");
	return fd;
}
