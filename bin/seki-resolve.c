/* seki-resolve(8): looks up in the DNS where mail goes. */
#include <stdlib.h>

#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/base/ready.h"
#include "lib/base/reload.h"
#include "lib/resolve/ask.h"
#include "lib/resolve/server.h"

static void refuse(const char *fault)
{
	reload_answer("seki-resolve", false, fault);
	die_config(fault);
}

int main(int argc, char **argv)
{
	struct resolve_config *config;
	struct resolver *resolver;
	char fault[512];
	int listener, signals;

	(void)argv;
	if (argc != 1) {
		LOG("usage",
		    kv("text", "seki-resolve, without arguments, in the instance's directory"));
		return EXIT_USAGE;
	}

	ready_keep_fd();
	config = resolve_config_read(fault, sizeof fault);
	if (config == NULL)
		refuse(fault);
	resolve_harden();
	signals = resolve_signals();
	listener = resolve_listen(RESOLVE_SOCKET);
	if (listener < 0)
		die_environ("making " RESOLVE_SOCKET);
	resolve_confine();
	resolver = resolver_open(&config->options, fault, sizeof fault);
	if (resolver == NULL)
		refuse(fault);

	/* Whoever asked for a reload while we were starting has his answer too. */
	reload_answer("seki-resolve", true, "");
	resolve_serve(listener, signals, resolver, &config->bounds, ready_tell);
	free(config);
	return EXIT_FINE;
}
