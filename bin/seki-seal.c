/* seki-seal(8): changes messages before they leave, in a sandbox. */
#include <sys/socket.h>

#include "lib/base/die.h"
#include "lib/base/forks.h"
#include "lib/base/local.h"
#include "lib/base/log.h"
#include "lib/base/ready.h"
#include "lib/base/reload.h"
#include "lib/seal/seal.h"

#ifdef __SANITIZE_ADDRESS__
/* In the sandbox no leak can be looked for. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

int main(int argc, char **argv)
{
	static struct settings settings;
	const struct seal_tables *tables;
	char fault[512];
	int listener, signals;

	(void)argv;
	if (argc != 1) {
		LOG("usage",
		    kv("text", "seki-seal, without arguments, in the instance's directory"));
		return EXIT_USAGE;
	}
	ready_keep_fd();
	if (!forks_settings(&settings, fault, sizeof fault)) {
		reload_answer("seki-seal", false, fault);
		die_config(fault);
	}
	forks_harden();
	signals = local_signals();
	tables = seal_prepare();
	if (tables == NULL)
		die_environ("the tables of charsets");
	listener = local_listen_packets(SEAL_SOCKET, SOMAXCONN);
	if (listener < 0)
		die_environ("making " SEAL_SOCKET);

	/* Whoever asked for a reload while we were starting has his answer too. */
	reload_answer("seki-seal", true, "");
	seal_run(listener, signals, &settings, tables, ready_tell);
	return EXIT_FINE;
}
