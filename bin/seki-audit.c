/* seki-audit(8): keeps the log of every decision, and of every reading of a body. */
#include <sys/stat.h>

#include "lib/audit/server.h"
#include "lib/base/die.h"
#include "lib/base/forks.h"
#include "lib/base/local.h"
#include "lib/base/log.h"
#include "lib/base/ready.h"
#include "lib/base/reload.h"

#define PROGRAM "seki-audit"

int main(int argc, char **argv)
{
	static struct settings settings;
	char fault[512];
	int signals;

	(void)argv;
	if (argc != 1) {
		LOG("usage",
		    kv("text", PROGRAM ", without arguments, in the instance's directory"));
		return EXIT_USAGE;
	}

	ready_keep_fd();
	(void)umask(027);
	if (!forks_settings(&settings, fault, sizeof fault)) {
		reload_answer(PROGRAM, false, fault);
		die_config(fault);
	}
	forks_harden();
	signals = local_signals();

	/* Whoever asked for a reload while we were starting has his answer too. */
	reload_answer(PROGRAM, true, "");
	audit_serve(signals, ready_tell);
	return EXIT_FINE;
}
