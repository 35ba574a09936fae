/* seki-login(8): logs people in to their pages. */
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/base/ready.h"
#include "lib/base/reload.h"
#include "lib/login/server.h"

int main(int argc, char **argv)
{
	struct settings settings;
	char fault[512];

	(void)argv;
	if (argc != 1) {
		LOG("usage",
		    kv("text", "seki-login, without arguments, in the instance's directory"));
		return EXIT_USAGE;
	}

	ready_keep_fd();
	login_harden();
	if (!login_settings(&settings, fault, sizeof fault)) {
		reload_answer("seki-login", false, fault);
		die_config(fault);
	}
	/* Whoever asked for a reload while we were starting has his answer too. */
	reload_answer("seki-login", true, "");
	login_serve(&settings, ready_tell);
	return EXIT_FINE;
}
