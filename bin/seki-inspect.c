/* seki-inspect(8): tells what is in a message, in a sandbox. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/die.h"
#include "lib/base/forks.h"
#include "lib/base/local.h"
#include "lib/base/log.h"
#include "lib/base/ready.h"
#include "lib/base/reload.h"
#include "lib/inspect/inspect.h"
#include "lib/view/service.h"

#ifdef __SANITIZE_ADDRESS__
/*
 * In the sandbox no leak can be looked for, and a dictionary that is searched is not to be checked
 * byte by byte at each step.
 */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "detect_leaks=0:intercept_memmem=0";
}
#endif

static int usage(void)
{
	LOG("usage", kv("text", "seki-inspect, without arguments, in the instance's directory; "
				"seki-inspect --view, the same, for people's pages; "
				"seki-inspect -s, its employer's socket on descriptor 3"));
	return EXIT_USAGE;
}

static void refuse(const char *fault)
{
	reload_answer("seki-inspect", false, fault);
	die_config(fault);
}

/*
 * For whoever has made a socket pair for it. Lists and partners are those of the current directory's
 * etc/, if there is one.
 */
static int one_employer(void)
{
	struct inspect_tables *tables;
	static struct settings settings;
	char fault[512];
	int etc;

	if (!local_has_employer())
		return usage();
	if (close_range(LOCAL_FD + 1, ~0U, 0) != 0)
		die_environ("closing what is not the employer's");
	settings_default(&settings);
	etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (etc >= 0 && faccessat(etc, "settings", R_OK, 0) == 0 &&
	    !forks_settings(&settings, fault, sizeof fault))
		die_config(fault);
	tables = inspect_prepare(etc, fault, sizeof fault);
	if (tables == NULL)
		die_config(fault);
	if (etc >= 0)
		(void)close(etc);
	forks_drop_root("sekix");
	inspect_confine(&settings);
	return inspect_serve(LOCAL_FD, tables);
}

static int service(void)
{
	static struct settings settings;
	struct inspect_tables *tables;
	char fault[512];
	int listener, signals, etc;

	ready_keep_fd();
	if (!forks_settings(&settings, fault, sizeof fault))
		refuse(fault);
	forks_harden();
	signals = local_signals();
	etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (etc < 0)
		die_environ("etc");
	tables = inspect_prepare(etc, fault, sizeof fault);
	(void)close(etc);
	if (tables == NULL)
		refuse(fault);
	listener = local_listen_packets(INSPECT_SOCKET, SOMAXCONN);
	if (listener < 0)
		die_environ("making " INSPECT_SOCKET);

	/* Whoever asked for a reload while we were starting has his answer too. */
	reload_answer("seki-inspect", true, "");
	inspect_run(listener, signals, &settings, tables, ready_tell);
	return EXIT_FINE;
}

int main(int argc, char **argv)
{
	if (argc == 1)
		return service();
	if (argc == 2 && strcmp(argv[1], "-s") == 0)
		return one_employer();
	/* The service that people's pages ask: seki-view(8). */
	if (argc == 2 && strcmp(argv[1], "--view") == 0)
		return view_service();
	return usage();
}
