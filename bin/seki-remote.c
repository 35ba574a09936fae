/* seki-remote(8): SMTP sessions with other servers, for the program that orders them. */
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/die.h"
#include "lib/base/forks.h"
#include "lib/base/local.h"
#include "lib/base/log.h"
#include "lib/base/ready.h"
#include "lib/base/reload.h"
#include "lib/remote/protocol.h"
#include "lib/remote/remote.h"

static int usage(void)
{
	LOG("usage", kv("text", "seki-remote, without arguments, in the instance's directory; "
				"seki-remote -s, its employer's socket on descriptor 3"));
	return EXIT_USAGE;
}

/* One session, for whoever has made a socket pair for it. */
static int one_session(void)
{
	struct ssl_ctx_st *tls;
	int type = 0;
	socklen_t len = sizeof type;

	if (getsockopt(REMOTE_FD, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_STREAM)
		return usage();
	(void)signal(SIGPIPE, SIG_IGN); /* a server that has gone is an error like others */
	tls = remote_prepare();
	remote_confine();
	return remote_serve(REMOTE_FD, tls);
}

static int service(void)
{
	static struct settings settings;
	char fault[512];
	struct ssl_ctx_st *tls;
	int listener, signals;

	ready_keep_fd();
	if (!forks_settings(&settings, fault, sizeof fault)) {
		reload_answer("seki-remote", false, fault);
		die_config(fault);
	}
	forks_harden();
	signals = local_signals();
	tls = remote_prepare();
	listener = local_listen(REMOTE_SOCKET, SOMAXCONN);
	if (listener < 0)
		die_environ("making " REMOTE_SOCKET);

	/* Whoever asked for a reload while we were starting has his answer too. */
	reload_answer("seki-remote", true, "");
	remote_run(listener, signals, &settings, tls, ready_tell);
	return EXIT_FINE;
}

int main(int argc, char **argv)
{
	if (argc == 1)
		return service();
	if (argc == 2 && strcmp(argv[1], "-s") == 0)
		return one_session();
	return usage();
}
