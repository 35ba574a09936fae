/* seki-smtpd(8): takes mail from clients by SMTP and hands it to seki-queue. */
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/base/ready.h"
#include "lib/base/reload.h"
#include "lib/smtp/smtp.h"

int main(int argc, char **argv)
{
	char fault[512];
	struct smtp_listeners listeners;
	struct smtp_config *config;
	bool system;

	(void)argv;
	if (argc != 1) {
		LOG("usage",
		    kv("text", "seki-smtpd, without arguments, in the instance's directory"));
		return EXIT_USAGE;
	}

	ready_keep_fd();
	config = smtp_config_read(fault, sizeof fault);
	if (config == NULL) {
		reload_answer("seki-smtpd", false, fault);
		die_config(fault);
	}
	if (!smtp_listen(&config->settings, &listeners, &system, fault, sizeof fault)) {
		if (system)
			die_environ(fault);
		die_config(fault);
	}

	smtp_drop_privileges(&config->settings);
	/* Whoever asked for a reload while we were starting has his answer too. */
	reload_answer("seki-smtpd", true, "");
	smtp_serve(&listeners, config, ready_tell);
	return EXIT_FINE;
}
