/* seki-auth(8): says whether a login's password is right. */
#include "lib/auth/ask.h"
#include "lib/auth/server.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/base/ready.h"
#include "lib/base/reload.h"

int main(int argc, char **argv)
{
	char fault[512];
	struct auth_config *config;
	int listener;

	(void)argv;
	if (argc != 1) {
		LOG("usage",
		    kv("text", "seki-auth, without arguments, in the instance's directory"));
		return EXIT_USAGE;
	}

	ready_keep_fd();
	config = auth_config_read(fault, sizeof fault);
	if (config == NULL) {
		reload_answer("seki-auth", false, fault);
		die_config(fault);
	}
	auth_harden(&config->settings);
	listener = auth_listen(AUTH_SOCKET);
	if (listener < 0)
		die_environ("making " AUTH_SOCKET);

	/* Whoever asked for a reload while we were starting has his answer too. */
	reload_answer("seki-auth", true, "");
	auth_serve(listener, config, ready_tell);
	return EXIT_FINE;
}
