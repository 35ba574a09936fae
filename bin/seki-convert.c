/* seki-convert(8): has files turned into text by programs that are not ours, in a sandbox. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/die.h"
#include "lib/base/forks.h"
#include "lib/base/local.h"
#include "lib/base/log.h"
#include "lib/base/ready.h"
#include "lib/base/reload.h"
#include "lib/convert/server.h"

static struct settings settings;

static int usage(void)
{
	LOG("usage", kv("text", "seki-convert, without arguments, in the instance's directory; "
				"seki-convert -s, its employer's socket on descriptor 3"));
	return EXIT_USAGE;
}

/* For one employer, who has made a socket pair for it; outside an instance with the defaults. */
static int one_employer(void)
{
	char fault[512];

	if (!local_has_employer())
		return usage();
	if (access("etc/settings", F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
		settings_default(&settings);
	else if (!forks_settings(&settings, fault, sizeof fault))
		die_config(fault);
	(void)signal(SIGPIPE, SIG_IGN);
	forks_drop_root("sekiy");
	forks_harden();
	convert_confine();
	return convert_serve(LOCAL_FD, &settings, -1);
}

static int service(void)
{
	char fault[512];
	int listener, signals;

	ready_keep_fd();
	if (!forks_settings(&settings, fault, sizeof fault)) {
		reload_answer("seki-convert", false, fault);
		die_config(fault);
	}
	forks_harden();
	convert_check(&settings);
	signals = local_signals();
	listener = local_listen_packets(CONVERT_SOCKET, SOMAXCONN);
	if (listener < 0)
		die_environ("making " CONVERT_SOCKET);

	/* Whoever asked for a reload while we were starting has his answer too. */
	reload_answer("seki-convert", true, "");
	convert_service(listener, signals, &settings, ready_tell);
	return EXIT_FINE;
}

int main(int argc, char **argv)
{
	if (argc == 1)
		return service();
	if (argc == 2 && strcmp(argv[1], "-s") == 0)
		return one_employer();
	return usage();
}
