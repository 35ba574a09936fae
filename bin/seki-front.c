/* seki-front(8): nginx in front of people's pages. */
#include "lib/base/die.h"
#include "lib/base/forks.h"
#include "lib/base/local.h"
#include "lib/base/log.h"
#include "lib/base/ready.h"
#include "lib/base/reload.h"
#include "lib/front/front.h"

int main(int argc, char **argv)
{
	static struct settings settings;
	char fault[512];
	int signals;

	(void)argv;
	if (argc != 1) {
		LOG("usage",
		    kv("text", "seki-front, without arguments, in the instance's directory"));
		return EXIT_USAGE;
	}
	ready_keep_fd();
	if (!forks_settings(&settings, fault, sizeof fault) ||
	    (front_wanted(&settings) && !front_prepare(&settings, fault, sizeof fault))) {
		reload_answer("seki-front", false, fault);
		die_config(fault);
	}
	forks_harden();
	signals = local_signals();

	/* Whoever asked for a reload while we were starting has his answer too. */
	reload_answer("seki-front", true, "");
	front_run(&settings, signals, ready_tell);
	return EXIT_FINE;
}
